"""How long the first answer takes: whole processes, with an empty and with a full kernel cache."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import instances
from benchmarks.contestants import ROOT, Entrant, PeerError, Worker, cores_for, pinned
from benchmarks.exchange import save
from benchmarks.throughput import Plan

SIDE = 10
PEERS = ("PGMax f32", "InferLO", "factorgraph")


def measure(entrants: Sequence[Entrant], plan: Plan) -> list[dict[str, Any]]:
    """Seconds of ``mpnet infer`` on a small grid, cold and warm, and of peers' first answers.

    Parameters
    ----------
    entrants : sequence of Entrant
        Peers that take part.
    plan : Plan
        How.

    """
    from mpnet.interchange import write_model

    instance = instances.binary_grid(SIDE)
    lines = []
    with TemporaryDirectory() as name:
        model = str(Path(name) / "grid.uai")
        write_model(instances.to_graph(instance), model)
        cache = str(Path(name) / "cache")
        plan.say("start: mpnet infer, cold")
        line = {"entrant": "mpnet", "instance": instance.name, "failed": ""}
        lines.append({**line, "what": "cold cache", "seconds": _infer(model, cache)})
        plan.say("start: mpnet infer, warm")
        warm = [_infer(model, cache) for _ in range(max(3, plan.repeats))]
        found = {"seconds": min(warm), "median": median(warm)}
        lines.append({**line, "what": "warm cache", **found})
        path = str(Path(name) / "grid.npz")
        save(instance, path)
        for entrant in entrants:
            if entrant.key in PEERS:
                plan.say(f"start: {entrant.key}")
                lines.append({**line, "what": "first answer", **_peer(entrant, path, plan)})
    return lines


def _infer(model: str, cache: str) -> float:
    settings = {**os.environ, "MPNET_CACHE_DIR": cache, "PYTHONPATH": str(ROOT)}
    settings.pop("PYTHONDONTWRITEBYTECODE", None)
    with pinned(cores_for(1)):
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "mpnet", "infer", model, "--task", "MAR"],
            cwd=Path(model).parent,
            env=settings,
            capture_output=True,
            check=True,
        )
        return time.perf_counter() - started


def _peer(entrant: Entrant, path: str, plan: Plan) -> dict[str, Any]:
    """From nothing to beliefs after 100 sweeps, compilation and imports included."""
    started = time.perf_counter()
    worker = Worker(entrant, plan.environments, cores_for(1))
    line: dict[str, Any] = {"entrant": entrant.key, "failed": ""}
    try:
        worker.ask("setup", path=path, dtype=entrant.dtype)
        worker.ask("prepare", iterations=100)
        worker.ask("run", iterations=100)
        worker.ask("beliefs", path=path + ".npy")
        line["seconds"] = time.perf_counter() - started
    except PeerError as error:
        line["failed"] = str(error)
    worker.stop()
    return line
