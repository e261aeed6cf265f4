"""mpnet: flooding sweeps, and whole runs by any of its schedules."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from benchmarks.exchange import Instance
from benchmarks.instances import to_graph
from benchmarks.serve import Contestant, serve


class Mpnet(Contestant):
    """Messages are numbers where that is safe and logs where it is not, by mpnet's own choice."""

    name = "mpnet"
    differs = "starts uniform, no damping, flooding; the overall residual is part of every sweep"

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads

    def version(self) -> str:
        from importlib.metadata import version

        return version("mpnet")

    def setup(self, instance: Instance, dtype: str) -> None:
        from mpnet.messages import Messages

        self.graph = to_graph(instance)
        self.dtype = {"f32": "float32", "f64": "float64"}[dtype]
        self.messages = Messages(
            self.graph, dtype=self.dtype, threads=self.threads, edge_residuals=False
        )

    def prepare(self, iterations: int) -> None:
        self.run(2)

    def run(self, iterations: int) -> None:
        messages = self.messages
        messages.restart()
        for _ in range(iterations):
            messages.send_from_factors(0.0)
            messages.refresh()

    def beliefs(self) -> np.ndarray:
        return self.messages.marginals()

    def converge(
        self, tolerance: float, most: int, schedule: str = "flooding", **settings: float
    ) -> dict[str, Any]:
        from mpnet.estimators.base import Options
        from mpnet.estimators.loop import propagate
        from mpnet.messages import Messages

        options = Options(
            schedule=schedule,
            tolerance=tolerance,
            max_iterations=most,
            threads=self.threads,
            **settings,
        )
        kept = schedule != "flooding"
        self.messages = Messages(
            self.graph, dtype=self.dtype, threads=self.threads, edge_residuals=kept
        )
        started = time.perf_counter()
        outcome = propagate(self.messages, options)
        return {
            "run_seconds": time.perf_counter() - started,
            "iterations": outcome.iterations,
            "updates": outcome.updates,
            "residual": float(outcome.residual),
            "status": outcome.status,
        }

    def batch(self, sets: list[dict[int, int]], iterations: int, single: bool) -> np.ndarray:
        from mpnet.batch import infer_batch
        from mpnet.inference import infer

        settings = {"tolerance": 1e-8, "max_iterations": iterations, "damping": 0.0}
        if single:
            found = [infer(self.graph, each, **settings) for each in sets]
        else:
            found = infer_batch(self.graph, sets, **settings)
        return np.array([result.beliefs for result in found])


if __name__ == "__main__":
    serve(Mpnet(int(os.environ.get("MPNET_BENCH_THREADS", "1"))))
