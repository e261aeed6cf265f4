"""What this machine can do at best on one core, and what a sweep must do at least.

python -m benchmarks.limits
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contestants import ROOT, cores_for, pinned
from benchmarks.exchange import Instance

LARGE = 2**27
"""Bytes of the arrays that are copied: more than any cache of one core's share holds."""

NUMBER = 8
"""Bytes of a number."""


def sweep_bytes(instance: Instance) -> int:
    """Bytes that one flooding sweep must read or write at least, in float64.

    Tables once; every message of either direction written once and read once; unary potentials
    read and beliefs written once. The structure of the graph (indices) comes on top and is not
    counted.
    """
    messages = 4 * instance.message_entries
    return NUMBER * (instance.table_entries + messages + 2 * instance.unary.size)


def sweep_flops(instance: Instance) -> int | None:
    """Additions and multiplications that one sweep over tables must do at least.

    For each entry of a table and each direction, one of both; None for structured factors,
    which need no table.
    """
    if instance.kinds() != {"table"}:
        return None
    return sum(2 * group.arity * group.values.size for group in instance.groups)


def copy_bandwidth(size: int, seconds: float = 0.5) -> float:
    """Bytes read plus bytes written per second by the best of several copies."""
    source, target = np.ones(size // 8), np.empty(size // 8)
    repeats = max(1, 2**22 // size)

    def copies() -> None:
        for _ in range(repeats):
            np.copyto(target, source)

    return 2.0 * size * repeats / _best(copies, seconds)


def flops(seconds: float = 0.5) -> float:
    """Additions plus multiplications per second of the best of several matrix products."""
    side = 512
    left = np.random.default_rng(0).normal(size=(side, side))
    out = np.empty_like(left)
    return 2.0 * side**3 / _best(lambda: np.dot(left, left, out=out), seconds)


def _best(run: Callable[[], object], seconds: float) -> float:
    """Shortest of the times that a call takes, of those that fit and at least of five."""
    run()
    times, until = [], time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < until:
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return min(times)


def processor() -> str:
    """Its name, as the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def measure() -> dict[str, Any]:
    """Run this file in a process of its own, pinned to one core."""
    settings = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with pinned(cores_for(1)):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.limits"],
            cwd=ROOT,
            env=settings,
            capture_output=True,
            text=True,
            check=True,
        )
    return json.loads(done.stdout)


def share(instance: Instance, seconds: float, limits: dict[str, Any]) -> float:
    """Shortest time that the machine's copy bandwidth or arithmetic allow, over ``seconds``."""
    shortest = sweep_bytes(instance) / limits["copy"]
    if (needed := sweep_flops(instance)) is not None:
        shortest = max(shortest, needed / limits["flops"])
    return shortest / seconds


if __name__ == "__main__":
    found = {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "copy": copy_bandwidth(LARGE),
        "copy_cached": copy_bandwidth(2**18),
        "flops": flops(),
        "load": os.getloadavg()[0],
    }
    print(json.dumps(found))
