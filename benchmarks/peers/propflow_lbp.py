"""propflow: a simulator of message passing with one agent per node."""

from __future__ import annotations

import numpy as np

from benchmarks.exchange import Instance, dense_twin
from benchmarks.serve import Contestant, serve


class Propflow(Contestant):
    """Sum-product starts from zeros in propflow, which gives NaN: here it starts from ones.

    Its own loop scales messages as if they were costs, so steps are taken one by one and what
    waits in the inboxes is scaled to sum to one between them.
    """

    name = "propflow"
    differs = "flooding; messages kept for every step; started from ones and scaled by this script"

    def version(self) -> str:
        from importlib.metadata import version

        return version("propflow")

    def setup(self, instance: Instance, dtype: str) -> None:
        self.instance = instance
        self._build()

    def _build(self) -> None:
        from propflow import BPEngine, FactorAgent, FactorGraph, SumProductComputator, VariableAgent

        it, width = self.instance, len(str(len(self.instance.cardinalities)))
        self.variables = [
            VariableAgent(f"x{number:0{width}}", int(count))
            for number, count in enumerate(it.cardinalities)
        ]
        edges = {}
        for number, variable in enumerate(self.variables):
            factor = FactorAgent.create_from_cost_table(f"u{number}", it.unary_of(number))
            edges[factor] = [variable]
        for index, group in enumerate(it.groups):
            for number, (scope, table) in enumerate(zip(group.scopes, dense_twin(group))):
                order = np.argsort(scope)  # axes follow the names of variables, sorted
                held = np.ascontiguousarray(table.transpose(order))
                factor = FactorAgent.create_from_cost_table(f"f{index}_{number}", held)
                edges[factor] = [self.variables[int(v)] for v in scope[order]]
        graph = FactorGraph(self.variables, list(edges), edges)
        self.engine = BPEngine(graph, computator=SumProductComputator(), normalize_messages=False)
        for variable in self.variables:
            for message in variable.mailer.inbox:
                message.data = np.ones(variable.domain)

    def run(self, iterations: int) -> None:
        if self.engine.iteration_count:
            self._build()
        for step in range(iterations):
            self.engine.step(step)
            for variable in self.variables:
                for message in variable.mailer.inbox:
                    message.data = message.data / message.data.sum()

    def beliefs(self) -> np.ndarray:
        found = []
        for variable in self.variables:
            product = np.prod([message.data for message in variable.mailer.inbox], axis=0)
            found.append(product / product.sum())
        return np.concatenate(found)


if __name__ == "__main__":
    serve(Propflow())
