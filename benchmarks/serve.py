"""The loop in which a contestant, in a process of its own, is set up, timed and asked for beliefs.

One JSON object per line each way. The parent decides when a repeat is run, so that the repeats
of all contestants interleave; the clock is the contestant's own, around the run alone.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from typing import Any

import numpy as np

from benchmarks.exchange import Instance, load


class Contestant:
    """What a peer's file provides; a capability that is missing is left as it is here."""

    name = ""
    differs = ""
    """What it does otherwise than all others: start, damping, order, stop."""

    def version(self) -> str:
        raise NotImplementedError

    def setup(self, instance: Instance, dtype: str) -> None:
        """Build the peer's own structure; the time this takes is reported."""
        raise NotImplementedError

    def prepare(self, iterations: int) -> None:
        """Compile whatever a run of so many iterations needs, if that is done ahead."""

    def run(self, iterations: int) -> None:
        """Exactly so many flooding sweeps, from the peer's usual start."""
        raise NotImplementedError

    def beliefs(self) -> np.ndarray:
        """Marginals after the last run, float64[B]."""
        raise NotImplementedError

    def converge(self, tolerance: float, most: int, **settings: Any) -> dict[str, Any]:
        """Run until the peer's own criterion says so; ``{"iterations": ..., "residual": ...}``."""
        raise NotImplementedError

    def batch(self, sets: list[dict[int, int]], iterations: int, single: bool) -> np.ndarray:
        """All evidence sets at once, or one after the other; marginals, float64[sets, B]."""
        raise NotImplementedError


def peak_memory() -> int:
    """Most bytes that this process ever had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def serve(contestant: Contestant) -> None:
    """Answer commands from standard input until it ends."""
    # Whatever the peer prints must not come between the answers.
    if limit := os.environ.get("MPNET_BENCH_MEMORY"):
        resource.setrlimit(resource.RLIMIT_AS, (int(limit), int(limit)))
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    server = _Server(contestant)
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = getattr(server, "do_" + order.pop("do"))(**order)
        except Exception as error:  # a peer may fail in any way, and that is a result
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:300]}
        channel.write(json.dumps(answer) + "\n")
        channel.flush()


class _Server:
    def __init__(self, contestant: Contestant) -> None:
        self.contestant = contestant
        self.instance: Instance | None = None

    def do_hello(self) -> dict[str, Any]:
        it = self.contestant
        return {"name": it.name, "version": it.version(), "differs": it.differs}

    def do_setup(self, path: str, dtype: str) -> dict[str, Any]:
        self.instance = load(path)
        before = peak_memory()
        started = time.perf_counter()
        self.contestant.setup(self.instance, dtype)
        seconds = time.perf_counter() - started
        return {"seconds": seconds, "memory_before": before, "memory": peak_memory()}

    def do_prepare(self, iterations: int) -> dict[str, Any]:
        started = time.perf_counter()
        self.contestant.prepare(iterations)
        return {"seconds": time.perf_counter() - started}

    def do_run(self, iterations: int) -> dict[str, Any]:
        started = time.perf_counter()
        done = self.contestant.run(iterations)
        seconds = time.perf_counter() - started
        return {"seconds": seconds, "iterations": done or iterations, "memory": peak_memory()}

    def do_beliefs(self, path: str) -> dict[str, Any]:
        np.save(path, np.asarray(self.contestant.beliefs(), dtype=np.float64))
        return {}

    def do_converge(self, tolerance: float, most: int, **settings: Any) -> dict[str, Any]:
        started = time.perf_counter()
        found = self.contestant.converge(tolerance, most, **settings)
        return {"seconds": time.perf_counter() - started, **found}

    def do_batch(
        self, sets: list[dict[str, int]], iterations: int, single: bool, path: str
    ) -> dict[str, Any]:
        asked = [{int(variable): state for variable, state in each.items()} for each in sets]
        started = time.perf_counter()
        found = self.contestant.batch(asked, iterations, single)
        seconds = time.perf_counter() - started
        np.save(path, found)
        return {"seconds": seconds}
