"""Peak memory and set-up time of grids that are built from arrays, each in a process of its own.

python -m benchmarks.footprint SIDE
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import instances
from benchmarks.contestants import ROOT, Entrant, PeerError, Worker, cores_for, pinned
from benchmarks.exchange import Instance, load, save
from benchmarks.serve import peak_memory
from benchmarks.throughput import Plan

SWEEPS = 10
PEERS = ("PGMax f32", "PGMax f64")


def needed(instance: Instance) -> int:
    """Bytes of all tables and of all messages in both directions, in float64."""
    return 8 * (instance.table_entries + 2 * instance.message_entries)


def measure(entrants: Sequence[Entrant], plan: Plan) -> list[dict[str, Any]]:
    """One line for each grid and contestant.

    Parameters
    ----------
    entrants : sequence of Entrant
        Peers that take part; on the smaller grid only.
    plan : Plan
        How.

    """
    sides = (30, 60) if plan.quick else (300, 1000)
    lines = []
    with TemporaryDirectory() as name:
        for side in sides:
            instance = instances.binary_grid(side)
            path = str(Path(name) / f"{side}.npz")
            save(instance, path)
            plan.say(f"memory of {instance.name}: mpnet")
            with pinned(cores_for(1)):
                done = subprocess.run(
                    [sys.executable, "-m", "benchmarks.footprint", path],
                    cwd=ROOT,
                    env={**os.environ, "PYTHONPATH": str(ROOT)},
                    capture_output=True,
                    text=True,
                    check=True,
                )
            line = {"entrant": "mpnet", "instance": instance.name, "needed": needed(instance)}
            lines.append({**line, "failed": "", **json.loads(done.stdout)})
            if side == sides[0]:
                for entrant in entrants:
                    if entrant.key in PEERS:
                        plan.say(f"memory of {instance.name}: {entrant.key}")
                        lines.append({**line, **_peer(entrant, path, plan)})
    return lines


def _peer(entrant: Entrant, path: str, plan: Plan) -> dict[str, Any]:
    worker = Worker(entrant, plan.environments, cores_for(1))
    line: dict[str, Any] = {"entrant": entrant.key, "failed": ""}
    try:
        worker.ask("hello")
        with TemporaryDirectory() as name:
            tiny = str(Path(name) / "tiny.npz")
            save(instances.binary_grid(3), tiny)
            base = worker.ask("setup", path=tiny, dtype=entrant.dtype)
            worker.ask("prepare", iterations=SWEEPS)
            base = worker.ask("run", iterations=SWEEPS)["memory"]
        setup = worker.ask("setup", path=path, dtype=entrant.dtype)
        compiled = worker.ask("prepare", iterations=SWEEPS)["seconds"]
        peak = worker.ask("run", iterations=SWEEPS)["memory"]
        line |= {
            "setup": setup["seconds"],
            "compile": compiled,
            "base": base,
            "memory": peak - base,
        }
    except PeerError as error:
        line["failed"] = str(error)
    worker.stop()
    return line


def _measure_here(path: str) -> dict[str, Any]:
    """Build and sweep in this process; what kernels and imports take is not counted."""
    from mpnet.messages import Messages

    def sweep(graph: Any, count: int) -> None:
        messages = Messages(graph, edge_residuals=False)
        for _ in range(count):
            messages.send_from_factors(0.0)
            messages.refresh()
        messages.marginals()

    sweep(instances.to_graph(instances.binary_grid(3)), 2)
    base = peak_memory()
    instance = load(path)
    arrays = peak_memory()
    started = time.perf_counter()
    graph = instances.to_graph(instance)
    built = time.perf_counter() - started
    started = time.perf_counter()
    Messages(graph, edge_residuals=False)
    ready = time.perf_counter() - started
    after = peak_memory()
    sweep(graph, SWEEPS)
    peak = peak_memory()
    return {
        "base": base,
        "arrays": arrays - base,
        "built": built,
        "setup": built + ready,
        "memory_setup": after - base,
        "memory": peak - base,
    }


if __name__ == "__main__":
    print(json.dumps(_measure_here(sys.argv[1])))
