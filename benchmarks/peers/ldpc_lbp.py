"""ldpc: belief propagation for parity checks, compiled C++."""

from __future__ import annotations

import numpy as np

from benchmarks.exchange import Instance
from benchmarks.serve import Contestant, serve


class Ldpc(Contestant):
    """Parity checks of binary variables only; a message is one log ratio."""

    name = "ldpc"
    differs = "stops by itself at a pattern that fits the syndrome; log ratios through tanh"

    def version(self) -> str:
        from importlib.metadata import version

        return version("ldpc")

    def setup(self, instance: Instance, dtype: str) -> None:
        from ldpc import BpDecoder
        from scipy.sparse import csr_matrix

        scopes = np.concatenate([group.scopes for group in instance.groups])
        odd = np.concatenate([g.values[:, 1] > g.values[:, 0] for g in instance.groups])
        self.syndrome = odd.astype(np.uint8)
        rows = np.repeat(np.arange(len(scopes)), scopes.shape[1])
        matrix = csr_matrix(
            (np.ones(scopes.size, dtype=np.uint8), (rows, scopes.ravel())),
            shape=(len(scopes), len(instance.cardinalities)),
        )
        pairs = instance.unary.reshape(-1, 2)
        self.decoder = BpDecoder(
            matrix,
            error_channel=list(pairs[:, 1] / pairs.sum(axis=1)),
            bp_method="product_sum",
            schedule="parallel",
            omp_thread_count=1,
            input_vector_type="syndrome",
            max_iter=1,
        )

    def run(self, iterations: int) -> int:
        self.decoder.max_iter = iterations
        self.decoder.decode(self.syndrome)
        return int(self.decoder.iter)

    def beliefs(self) -> np.ndarray:
        off = 1.0 / (1.0 + np.exp(-np.asarray(self.decoder.log_prob_ratios)))
        return np.stack([off, 1.0 - off], axis=1).ravel()


if __name__ == "__main__":
    serve(Ldpc())
