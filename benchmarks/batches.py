"""Sixty-four evidence sets on one small graph: as a batch, and one after the other."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import instances
from benchmarks.contestants import MPNET, Entrant, PeerError, Worker, cores_for
from benchmarks.exchange import save
from benchmarks.throughput import Plan

SETS, SEEN, ITERATIONS = 64, 5, 200
BATCHING = ("PGMax f32", "PGMax f64")
"""Peers that have a way to run many evidence sets at once."""


def measure(entrants: Sequence[Entrant], plan: Plan) -> list[dict[str, Any]]:
    """Seconds for all sets, as a batch and one by one, for each contestant.

    Parameters
    ----------
    entrants : sequence of Entrant
        Peers that take part.
    plan : Plan
        How.

    """
    instance = instances.binary_grid(10)
    sets = instances.evidence_sets(instance, SETS, SEEN)
    lines, ours = [], np.empty(0)
    with tempfile.TemporaryDirectory() as name:
        path, out = str(Path(name) / "grid.npz"), str(Path(name) / "beliefs.npy")
        save(instance, path)
        for entrant in (MPNET, *(e for e in entrants if e.key in BATCHING)):
            plan.say(f"{SETS} evidence sets: {entrant.key}")
            line: dict[str, Any] = {"entrant": entrant.key, "instance": instance.name}
            line |= {"sets": SETS, "failed": ""}
            worker = Worker(entrant, plan.environments, cores_for(1))
            try:
                worker.ask("hello")
                worker.ask("setup", path=path, dtype=entrant.dtype)
                worker.ask("prepare", iterations=ITERATIONS)
                order = {"sets": sets, "iterations": ITERATIONS, "path": out}
                times: dict[bool, list[float]] = {True: [], False: []}
                for repeat in range(plan.repeats + 1):
                    for single, seconds in times.items():
                        taken = worker.ask("batch", single=single, **order)["seconds"]
                        if repeat:  # the first compiles
                            seconds.append(taken)
                        found = np.load(out)
                        ours = ours if ours.size else found
                line |= {
                    "single": min(times[True]),
                    "batch": min(times[False]),
                    "difference": float(np.abs(found - ours).max()),
                }
            except PeerError as error:
                line["failed"] = str(error)
            worker.stop()
            lines.append(line)
    return lines
