"""PGMax on one core of the processor, its run wrapped in ``jax.jit``."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from benchmarks.exchange import Group, Instance
from benchmarks.serve import Contestant, serve

# The other runtime of this version of XLA is some fifteen times slower here.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_thunk_runtime=false")


class PgmaxLbp(Contestant):
    """Compilation is not timed; device work is waited for."""

    name = "PGMax"
    differs = (
        "starts uniform, damping 0, flooding, temperature 1; fixed number of sweeps; the older CPU "
        "runtime of XLA, by far the quicker here"
    )

    def version(self) -> str:
        from importlib.metadata import version

        return f"{version('pgmax')}, jax {version('jax')}"

    def setup(self, instance: Instance, dtype: str) -> None:
        import jax

        jax.config.update("jax_enable_x64", dtype == "f64")
        jax.config.update("jax_platforms", "cpu")
        from pgmax import fgraph, vgroup
        from pgmax.infer import build_inferer

        self.jax, self.instance = jax, instance
        self.dtype = np.dtype({"f32": "float32", "f64": "float64"}[dtype])
        counts = instance.cardinalities
        self.variables = vgroup.NDVarArray(num_states=counts, shape=(len(counts),))
        graph = fgraph.FactorGraph(variable_groups=[self.variables])
        for group in instance.groups:
            for factors in self._factors(group):
                graph.add_factors(factors)
        self.inferer = build_inferer(graph.bp_state, backend="bp")
        self.graph, self.compiled = graph, {}
        self.evidence = self._padded(np.log(instance.unary))
        self.arrays = self._start(self.evidence)

    def _factors(self, group: Group) -> list[Any]:
        """The factors of a group; those of one kind and shape together."""
        from pgmax import fgroup

        names = [[self.variables[int(v)] for v in scope] for scope in group.scopes]
        if group.kind == "or":
            return [fgroup.ORFactorGroup(variables_for_factors=names)]
        if group.kind == "parity":
            arity = group.arity
            states = np.indices((2,) * arity).reshape(arity, -1).T
            found = []
            for odd in (0, 1):
                here = [n for n, v in zip(names, group.values) if (v[1] > v[0]) == odd]
                kept = states[states.sum(axis=1) % 2 == odd]
                if here:
                    found.append(
                        fgroup.EnumFactorGroup(variables_for_factors=here, factor_configs=kept)
                    )
            return found
        with np.errstate(divide="ignore"):
            logs = np.maximum(np.log(group.values), -1e4)
        if group.arity == 2:
            return [
                fgroup.PairwiseFactorGroup(
                    variables_for_factors=names, log_potential_matrix=logs.astype(self.dtype)
                )
            ]
        shape = group.values.shape[1:]
        configs = np.indices(shape).reshape(len(shape), -1).T
        return [
            fgroup.EnumFactorGroup(
                variables_for_factors=names,
                factor_configs=configs,
                log_potentials=logs.reshape(len(logs), -1).astype(self.dtype),
            )
        ]

    def _padded(self, logs: np.ndarray) -> np.ndarray:
        """One row of states per variable; rows are as long as the longest."""
        counts = self.instance.cardinalities
        rows = np.full((len(counts), int(counts.max())), -1e9)
        rows[np.arange(rows.shape[1]) < counts[:, None]] = logs
        return rows.astype(self.dtype)

    def _start(self, evidence: np.ndarray) -> Any:
        return self.inferer.init(evidence_updates={self.variables: evidence})

    def _compiled(self, iterations: int, damping: float = 0.0) -> Any:
        if (iterations, damping) not in self.compiled:

            def sweeps(arrays: Any) -> Any:
                return self.inferer.run(
                    arrays, num_iters=iterations, damping=damping, temperature=1.0
                )

            self.compiled[iterations, damping] = self.jax.jit(sweeps)
        return self.compiled[iterations, damping]

    def prepare(self, iterations: int) -> None:
        self.jax.block_until_ready(self._compiled(iterations)(self.arrays))

    def run(self, iterations: int) -> None:
        self.after = self._compiled(iterations)(self.arrays)
        self.jax.block_until_ready(self.after)

    def beliefs(self) -> np.ndarray:
        return self._marginals(self.after)

    def _marginals(self, arrays: Any) -> np.ndarray:
        from pgmax.infer import get_marginals

        found = get_marginals(self.inferer.get_beliefs(arrays))[self.variables]
        counts = self.instance.cardinalities
        rows = np.asarray(found, dtype=np.float64).reshape(len(counts), -1)
        return rows[np.arange(rows.shape[1]) < counts[:, None]]

    def converge(self, tolerance: float, most: int, **settings: Any) -> dict[str, Any]:
        sweeps = self._compiled(10, settings.get("damping", 0.0))
        arrays, done, change = self.arrays, 0, np.inf
        while change > tolerance and done < most:
            after = sweeps(arrays)
            done += 10
            moved = np.asarray(after.ftov_msgs) - np.asarray(arrays.ftov_msgs)
            change = float(np.abs(moved).max())
            arrays = after
        self.after = arrays
        return {"iterations": done, "residual": change, "status": _status(change, tolerance)}

    def batch(self, sets: list[dict[int, int]], iterations: int, single: bool) -> np.ndarray:
        jax = self.jax
        rows = []
        for each in sets:
            logs = self.evidence.copy()
            for variable, state in each.items():
                kept = logs[variable, state]
                logs[variable] = -1e4
                logs[variable, state] = kept
            rows.append(logs)
        starts = [self._start(row) for row in rows]
        if single:
            sweeps = self._compiled(iterations)
            return np.array([self._marginals(jax.block_until_ready(sweeps(s))) for s in starts])
        if "batch" not in self.compiled:
            run = self._compiled(iterations)
            self.compiled["batch"] = jax.jit(jax.vmap(run))
        stacked = jax.tree_util.tree_map(lambda *each: jax.numpy.stack(each), *starts)
        after = jax.block_until_ready(self.compiled["batch"](stacked))
        unstacked = [jax.tree_util.tree_map(lambda a, k=k: a[k], after) for k in range(len(sets))]
        return np.array([self._marginals(each) for each in unstacked])


def _status(change: float, tolerance: float) -> str:
    return "converged" if change <= tolerance else "max_iterations"


if __name__ == "__main__":
    serve(PgmaxLbp())
