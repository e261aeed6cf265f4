"""InferLO: message passing on pairwise models, compiled by numba."""

from __future__ import annotations

import numpy as np

from benchmarks.exchange import Instance
from benchmarks.serve import Contestant, serve


class Inferlo(Contestant):
    """Pairwise models whose variables all have as many states."""

    name = "InferLO"
    differs = "logs without scaling; preparing the arrays is part of each run"

    def version(self) -> str:
        from importlib.metadata import version

        return version("inferlo")

    def setup(self, instance: Instance, dtype: str) -> None:
        from inferlo import PairWiseFiniteModel

        if not instance.is_pairwise():
            raise ValueError("InferLO's message passing is for pairwise models only")
        counts = instance.cardinalities
        self.model = PairWiseFiniteModel(len(counts), int(counts[0]))
        self.model.set_field(np.log(instance.unary).reshape(len(counts), -1))
        for group in instance.groups:
            for (left, right), table in zip(group.scopes, np.log(group.values)):
                self.model.add_interaction(int(left), int(right), table)

    def prepare(self, iterations: int) -> None:
        self.run(1)

    def run(self, iterations: int) -> None:
        from inferlo.pairwise.inference.message_passing import infer_message_passing

        self.found = infer_message_passing(self.model, max_iter=iterations)

    def beliefs(self) -> np.ndarray:
        return np.asarray(self.found.marg_prob).ravel()


if __name__ == "__main__":
    serve(Inferlo())
