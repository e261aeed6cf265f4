"""pyAgrum: loopy belief propagation on Bayesian networks."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.exchange import Instance, dense_twin
from benchmarks.serve import Contestant, serve


class PyagrumLbp(Contestant):
    """A factor becomes an observed child whose conditional probability is the scaled table.

    That is the same distribution, and messages from an observed child are messages from the
    factor.
    """

    name = "pyAgrum"
    differs = "Bayesian networks only, so each factor is an observed child; order is its own"

    def version(self) -> str:
        from importlib.metadata import version

        return version("pyagrum")

    def setup(self, instance: Instance, dtype: str) -> None:
        import pyagrum as gum

        gum.setNumberOfThreads(1)
        network, seen = gum.BayesNet(), {}
        for number, count in enumerate(instance.cardinalities):
            network.add(gum.LabelizedVariable(f"x{number}", "", int(count)))
            table = instance.unary_of(number)
            network.cpt(f"x{number}").fillWith([float(v) for v in table / table.sum()])
        for index, group in enumerate(instance.groups):
            for number, (scope, table) in enumerate(zip(group.scopes, dense_twin(group))):
                name = f"f{index}_{number}"
                network.add(gum.LabelizedVariable(name, "", 2))
                parents = [f"x{v}" for v in scope]
                for parent in parents:
                    network.addArc(parent, name)
                on = table / table.max()
                self._fill(network.cpt(name), name, parents, np.stack([1.0 - on, on], axis=-1))
                seen[name] = 1
        self.inference = gum.LoopyBeliefPropagation(network)
        self.inference.setEvidence(seen)
        self.seen = next(iter(seen))
        self.names = [f"x{number}" for number in range(len(instance.cardinalities))]
        self.inference.setEpsilon(1e-300)

    @staticmethod
    def _fill(potential: object, child: str, parents: list[str], values: np.ndarray) -> None:
        names = [*parents, child]
        # numpy's view of a potential has its variables in the reverse order of ``names``.
        order = [names.index(name) for name in reversed(potential.names)]
        potential[:] = np.ascontiguousarray(values.transpose(order))

    def run(self, iterations: int) -> int:
        self.inference.setMaxIter(iterations)
        # An inference that was made is not made again until the evidence has changed.
        self.inference.eraseEvidence(self.seen)
        self.inference.addEvidence(self.seen, 1)
        self.inference.makeInference()
        return int(self.inference.nbrIterations())

    def converge(self, tolerance: float, most: int, **settings: Any) -> dict[str, Any]:
        self.inference.setEpsilon(tolerance)
        done = self.run(most)
        return {"iterations": done, "status": self.inference.messageApproximationScheme()}

    def beliefs(self) -> np.ndarray:
        return np.concatenate([self.inference.posterior(name).toarray() for name in self.names])


if __name__ == "__main__":
    serve(PyagrumLbp())
