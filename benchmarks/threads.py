"""Two threads beside one, on the largest grid of the table of speed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import instances
from benchmarks.contestants import MPNET, Entrant, Worker, cores_for
from benchmarks.exchange import save
from benchmarks.throughput import ITERATIONS, Plan


def measure(threads: int, plan: Plan) -> list[dict[str, Any]]:
    """Rates with one thread and with several, repeats interleaved.

    Parameters
    ----------
    threads : int
        Threads, each with a core of its own.
    plan : Plan
        How.

    """
    instance = instances.binary_grid(60 if plan.quick else 300)
    entrants = (MPNET, Entrant(f"mpnet, {threads} threads", "mpnet_lbp", threads=threads))
    with tempfile.TemporaryDirectory() as name:
        path, out = str(Path(name) / "grid.npz"), str(Path(name) / "beliefs.npy")
        save(instance, path)
        workers, seconds, beliefs = [], [], []
        for entrant in entrants:
            plan.say(f"{instance.name}: {entrant.key}")
            worker = Worker(entrant, plan.environments, cores_for(entrant.threads))
            worker.ask("setup", path=path, dtype="f64")
            worker.ask("prepare", iterations=ITERATIONS)
            worker.ask("run", iterations=ITERATIONS)
            worker.ask("beliefs", path=out)
            beliefs.append(np.load(out))
            workers.append(worker)
            seconds.append([])
        for _ in range(2 * plan.repeats):
            for worker, taken in zip(workers, seconds, strict=True):
                taken.append(worker.ask("run", iterations=ITERATIONS)["seconds"] / ITERATIONS)
        for worker in workers:
            worker.stop()
        return [
            {
                "entrant": entrant.key,
                "instance": instance.name,
                "threads": entrant.threads,
                "rate": instance.edges / min(taken) / 1e6,
                "median_rate": instance.edges / median(taken) / 1e6,
                "gain": min(seconds[0]) / min(taken),
                "same": bool((found == beliefs[0]).all()),
                "failed": "",
            }
            for entrant, taken, found in zip(entrants, seconds, beliefs, strict=True)
        ]
