"""Do all contestants answer the same? Settled marginals on one small grid, and exact ones."""

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

ITERATIONS = 200


def measure(entrants: Sequence[Entrant], plan: Plan) -> list[dict[str, Any]]:
    """Largest difference of marginals from mpnet's and from exact ones, for each contestant.

    Parameters
    ----------
    entrants : sequence of Entrant
        Peers that take part.
    plan : Plan
        How.

    """
    from mpnet.inference import infer

    instance = instances.binary_grid(10)
    exact = infer(instances.to_graph(instance), estimator="exact").beliefs
    lines, ours = [], np.empty(0)
    with tempfile.TemporaryDirectory() as name:
        path, out = str(Path(name) / "grid.npz"), str(Path(name) / "beliefs.npy")
        save(instance, path)
        for entrant in (MPNET, *entrants):
            if not entrant.takes(instance):
                continue
            plan.say(f"agreement on {instance.name}: {entrant.key}")
            line: dict[str, Any] = {"entrant": entrant.key, "instance": instance.name}
            worker = Worker(entrant, plan.environments, cores_for(1))
            try:
                hello = worker.ask("hello")
                worker.ask("setup", path=path, dtype=entrant.dtype)
                worker.ask("prepare", iterations=ITERATIONS)
                worker.ask("run", iterations=ITERATIONS)
                worker.ask("beliefs", path=out)
                found = np.load(out)
                ours = ours if ours.size else found
                line |= {
                    "from_mpnet": float(np.abs(found - ours).max()),
                    "from_exact": float(np.abs(found - exact).max()),
                    "version": hello["version"],
                    "differs": hello["differs"],
                    "failed": "",
                }
            except PeerError as error:
                line["failed"] = str(error)
            worker.stop()
            lines.append(line)
    return lines
