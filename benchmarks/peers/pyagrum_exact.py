"""pyAgrum: exact marginals of a Markov random field by Shafer-Shenoy on a junction tree."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.exchange import Instance
from benchmarks.serve import Contestant, serve


class PyagrumExact(Contestant):
    """Exact, where the junction tree fits into memory."""

    name = "pyAgrum exact"
    differs = "no propagation in loops: a junction tree"

    def version(self) -> str:
        from importlib.metadata import version

        return version("pyagrum")

    def setup(self, instance: Instance, dtype: str) -> None:
        import pyagrum as gum

        gum.setNumberOfThreads(1)
        field = gum.MarkovRandomField()
        self.names = [f"x{number}" for number in range(len(instance.cardinalities))]
        for name, count in zip(self.names, instance.cardinalities):
            field.add(gum.LabelizedVariable(name, "", int(count)))
        for number, name in enumerate(self.names):
            self._add(field, [name], instance.unary_of(number))
        together: dict[tuple[int, ...], np.ndarray] = {}
        for group in instance.groups:
            for scope, table in zip(group.scopes, group.values):
                # There is one factor per set of variables, so factors of equal scope are multiplied.
                order = np.argsort(scope)
                key, sorted_table = tuple(scope[order]), table.transpose(order)
                together[key] = together.get(key, 1.0) * sorted_table
        for scope, table in together.items():
            self._add(field, [self.names[v] for v in scope], table)
        self.inference = gum.ShaferShenoyMRFInference(field)

    @staticmethod
    def _add(field: Any, names: list[str], table: np.ndarray) -> None:
        factor = field.addFactor(names)
        # numpy's view of a factor has its variables in the reverse order of ``names``.
        order = [names.index(name) for name in reversed(factor.names)]
        factor[:] = np.ascontiguousarray(table.transpose(order))

    def converge(self, tolerance: float, most: int, **settings: Any) -> dict[str, Any]:
        self.inference.makeInference()
        return {"iterations": 1, "status": "exact"}

    def beliefs(self) -> np.ndarray:
        return np.concatenate([self.inference.posterior(name).toarray() for name in self.names])


if __name__ == "__main__":
    serve(PyagrumExact())
