"""Who takes part, in which environment, and how its process is talked to."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.exchange import Instance

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 300.0
"""Longest that one answer may take."""


@dataclass(frozen=True)
class Entrant:
    """One contestant as it takes part: a module, an environment, a type of numbers.

    Parameters
    ----------
    key : str
        Name in the tables and for ``--peers``.
    module : str
        File in ``benchmarks/peers``.
    environment : str
        Folder of its virtual environment; empty for the one that runs the benchmark.
    dtype : str
        ``f32`` or ``f64``.
    largest : int
        Most edges of an instance that is worth its time.
    kinds : tuple of str
        Kinds of factors that it can be given, tables for structured ones included.
    threads : int
        Cores that it may use.
    pairwise : bool
        Whether it takes factors of two variables only.
    memory : int
        Bytes that its process may have in all; 0 sets no limit.

    """

    key: str
    module: str
    environment: str = ""
    dtype: str = "f64"
    largest: int = 10**9
    kinds: tuple[str, ...] = ("table", "or", "parity")
    threads: int = 1
    pairwise: bool = False
    memory: int = 0

    def python(self, environments: Path) -> Path:
        """The interpreter that runs it."""
        if not self.environment:
            return Path(sys.executable)
        return environments.absolute() / self.environment / "bin" / "python"

    def is_installed(self, environments: Path) -> bool:
        return self.python(environments).exists()

    def takes(self, instance: Instance) -> bool:
        """Whether the instance is of a size and kind for it."""
        fits = instance.edges <= self.largest and instance.kinds() <= set(self.kinds)
        return fits and (instance.is_pairwise() or not self.pairwise)


MPNET = Entrant("mpnet", "mpnet_lbp", kinds=("table", "or", "parity", "noisy_or"))
MPNET_F32 = Entrant("mpnet f32", "mpnet_lbp", dtype="f32", kinds=MPNET.kinds)
MPNET_TWO = Entrant("mpnet, 2 threads", "mpnet_lbp", kinds=MPNET.kinds, threads=2)
PEERS = (
    Entrant("PGMax f32", "pgmax_lbp", "pgmax", "f32"),
    Entrant("PGMax f64", "pgmax_lbp", "pgmax", "f64"),
    Entrant("ldpc", "ldpc_lbp", "ldpc", kinds=("parity",)),
    Entrant("InferLO", "inferlo_lbp", "inferlo", kinds=("table",), largest=100_000, pairwise=True),
    Entrant("pyAgrum", "pyagrum_lbp", "pyagrum", largest=4_000),
    Entrant("factorgraph", "factorgraph_lbp", "factorgraph", largest=4_000),
    Entrant("propflow", "propflow_lbp", "propflow", largest=4_000),
)
"""All peers that can be installed by pip."""


class PeerError(Exception):
    """What a contestant could not do, in its own words."""


class Worker:
    """A contestant's process.

    Parameters
    ----------
    entrant : Entrant
        What to start.
    environments : Path
        Folder of virtual environments.
    cores : sequence of int
        Cores that it may run on; as many as it has threads.

    """

    def __init__(self, entrant: Entrant, environments: Path, cores: Sequence[int]) -> None:
        self.entrant = entrant
        count = str(entrant.threads)
        settings = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": count,
            "OPENBLAS_NUM_THREADS": count,
            "NUMBA_NUM_THREADS": count,
            "MPNET_BENCH_THREADS": count,
        }
        if entrant.memory:
            settings["MPNET_BENCH_MEMORY"] = str(entrant.memory)
        # Some peers write logs where they stand.
        self._folder = tempfile.TemporaryDirectory(prefix="mpnet-bench-")
        with pinned(cores):
            self._process = subprocess.Popen(
                [entrant.python(environments), "-m", f"benchmarks.peers.{entrant.module}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._folder.name,
                env=settings,
                text=True,
            )

    def ask(self, order: str, seconds: float = SECONDS, **parts: Any) -> dict[str, Any]:
        """Give one order and wait for its answer.

        Raises
        ------
        PeerError
            If the contestant fails, dies or takes too long; it is then stopped.

        """
        pipe = self._process.stdin
        try:
            pipe.write(json.dumps({"do": order, **parts}) + "\n")
            pipe.flush()
        except BrokenPipeError:
            raise PeerError("its process died") from None
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        if not ready:
            self.stop()
            raise PeerError(f"took longer than {seconds:.0f} s to {order}")
        line = self._process.stdout.readline()
        if not line:
            raise PeerError(f"its process died in {order} (exit code {self._process.wait()})")
        answer = json.loads(line)
        if "error" in answer:
            raise PeerError(answer["error"])
        return answer

    def stop(self) -> None:
        """End the process, by force if it does not go by itself."""
        if self._process.poll() is None:
            self._process.stdin.close()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._folder.cleanup()


@contextmanager
def pinned(cores: Sequence[int]) -> Iterator[None]:
    """Let processes that start within run on these cores only, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(cores) or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cores_for(threads: int) -> list[int]:
    """The last cores that this process may use."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    return sorted(os.sched_getaffinity(0))[-threads:]


def wait_for_quiet(most_load: float, patience: float) -> float:
    """Wait until the machine has little else to do, or patience (seconds) ends; the load."""
    until = time.monotonic() + patience
    while os.getloadavg()[0] > most_load and time.monotonic() < until:
        time.sleep(10)
    return os.getloadavg()[0]
