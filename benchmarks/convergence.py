"""Seconds and message updates until one grid has settled, by each schedule and each peer."""

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

TOLERANCE = 1e-6
SINGLE = 1e-5
"""What single precision reaches."""

RUNS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("flooding", {"schedule": "flooding"}),
    ("sequential", {"schedule": "sequential"}),
    ("random", {"schedule": "random"}),
    ("tree", {"schedule": "tree"}),
    ("residual", {"schedule": "residual"}),
    ("asynchronous", {"schedule": "asynchronous"}),
    ("asynchronous, 50 % lost", {"schedule": "asynchronous", "loss": 0.5}),
)

CONVERGING = ("PGMax f32", "PGMax f64")
"""Peers that can be asked for a tolerance on a graph of this size."""


def measure(entrants: Sequence[Entrant], plan: Plan) -> list[dict[str, Any]]:
    """One line for each schedule of mpnet and each peer.

    Parameters
    ----------
    entrants : sequence of Entrant
        Peers that take part.
    plan : Plan
        How.

    """
    instance = instances.binary_grid(60 if plan.quick else 300)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save(instance, str(folder / "grid.npz"))
        lines, reference = _schedules(instance, folder, plan)
        for entrant in entrants:
            if entrant.key in CONVERGING:
                plan.say(f"{instance.name} to a tolerance: {entrant.key}")
                lines.append(_peer(entrant, instance, folder, reference, plan))
        return lines


def _schedules(instance: Any, folder: Path, plan: Plan) -> tuple[list[dict[str, Any]], np.ndarray]:
    lines, reference, path = [], np.empty(0), str(folder / "beliefs.npy")
    worker = Worker(MPNET, plan.environments, cores_for(1))
    worker.ask("hello")
    worker.ask("setup", path=str(folder / "grid.npz"), dtype="f64")
    for name, settings in RUNS:
        plan.say(f"{instance.name} to {TOLERANCE:.0e}: {name}")
        worker.ask("converge", tolerance=TOLERANCE, most=1, **settings)  # compiles
        found = [
            worker.ask("converge", tolerance=TOLERANCE, most=2000, **settings)
            for _ in range(min(3, plan.repeats))
        ]
        best = min(found, key=lambda answer: answer["run_seconds"])
        worker.ask("beliefs", path=path)
        beliefs = np.load(path)
        if not reference.size:
            reference = beliefs
        lines.append(
            {
                "entrant": "mpnet",
                "schedule": name,
                "instance": instance.name,
                "edges": instance.edges,
                "tolerance": TOLERANCE,
                "seconds": best["run_seconds"],
                "iterations": best["iterations"],
                "updates": best["updates"],
                "status": best["status"],
                "difference": float(np.abs(beliefs - reference).max()),
                "failed": "",
            }
        )
    worker.stop()
    return lines, reference


def _peer(
    entrant: Entrant, instance: Any, folder: Path, reference: np.ndarray, plan: Plan
) -> dict[str, Any]:
    tolerance = SINGLE if entrant.dtype == "f32" else TOLERANCE
    line: dict[str, Any] = {
        "entrant": entrant.key,
        "schedule": "flooding",
        "instance": instance.name,
        "edges": instance.edges,
        "tolerance": tolerance,
        "failed": "",
    }
    worker = Worker(entrant, plan.environments, cores_for(1))
    try:
        worker.ask("hello")
        worker.ask("setup", path=str(folder / "grid.npz"), dtype=entrant.dtype)
        worker.ask("prepare", iterations=10)
        found = worker.ask("converge", tolerance=tolerance, most=2000)
        worker.ask("beliefs", path=str(folder / "beliefs.npy"))
        beliefs = np.load(folder / "beliefs.npy")
        line |= {
            "seconds": found["seconds"],
            "iterations": found["iterations"],
            "updates": found["iterations"] * instance.edges,
            "status": "converged" if found["residual"] <= tolerance else "not converged",
            "difference": float(np.abs(beliefs - reference).max()),
        }
    except PeerError as error:
        line["failed"] = str(error)
    worker.stop()
    return line
