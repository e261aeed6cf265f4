"""factorgraph: loopy belief propagation in plain Python and numpy."""

from __future__ import annotations

import numpy as np

from benchmarks.exchange import Instance, dense_twin
from benchmarks.serve import Contestant, serve


class Factorgraph(Contestant):
    """Structured factors are given as their tables."""

    name = "factorgraph"
    differs = "updates nodes one after the other, fewest edges first; may stop by np.isclose"

    def version(self) -> str:
        from importlib.metadata import version

        return version("factorgraph")

    def setup(self, instance: Instance, dtype: str) -> None:
        import factorgraph

        graph = factorgraph.Graph()
        graph.debug = False
        self.variables = [
            graph.rv(str(number), int(count), debug=False)
            for number, count in enumerate(instance.cardinalities)
        ]
        for number, variable in enumerate(self.variables):
            graph.factor([variable], potential=instance.unary_of(number), debug=False)
        for group in instance.groups:
            for scope, table in zip(group.scopes, dense_twin(group)):
                nodes = [self.variables[int(v)] for v in scope]
                graph.factor(nodes, potential=table, debug=False)
        self.graph = graph

    def run(self, iterations: int) -> int:
        done, _ = self.graph.lbp(init=True, normalize=True, max_iters=iterations)
        return int(done)

    def beliefs(self) -> np.ndarray:
        found = self.graph.rv_marginals(self.variables, normalize=True)
        return np.concatenate([marginal for _, marginal in found])


if __name__ == "__main__":
    serve(Factorgraph())
