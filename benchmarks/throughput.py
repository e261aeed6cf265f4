"""Messages a second: every contestant on the same arrays, repeats interleaved."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.cases import Case
from benchmarks.contestants import MPNET, Entrant, PeerError, Worker, cores_for
from benchmarks.exchange import Instance, save
from benchmarks.limits import share, sweep_bytes

ITERATIONS = 50
REPEAT_SECONDS = 4.0
"""A contestant whose repeat would take longer is given fewer iterations."""

Say = Callable[[str], None]


@dataclass
class Plan:
    """How it is measured."""

    environments: Path
    repeats: int
    quick: bool
    say: Say


@dataclass
class Running:
    """A contestant that is set up."""

    worker: Worker
    setup: dict[str, Any]
    iterations: int
    compile_seconds: float = 0.0
    seconds: list[float] = field(default_factory=list)
    failed: str = ""


def measure(case: Case, entrants: Sequence[Entrant], plan: Plan) -> list[dict[str, Any]]:
    """One line for each contestant and instance of a case.

    Parameters
    ----------
    case : Case
        The row.
    entrants : sequence of Entrant
        Who takes part.
    plan : Plan
        How.

    """
    full = (case.quick if plan.quick else case.full)()
    small = case.small()
    lines = []
    for instance in (full, small):
        other = case.for_peers(instance) if case.for_peers else instance
        given = {e: instance if e.takes(instance) else other for e in entrants}
        here = [e for e in entrants if given[e].edges <= e.largest and e.takes(given[e])]
        if instance is small:
            # Only for those that the full one would take too long, and mpnet beside them.
            here = [e for e in here if not e.takes(full) and not e.takes(_other(case, full))]
            here = [MPNET, *here] if here else []
        if here:
            lines += _measure_on(instance, {e: given[e] for e in here}, plan, instance is small)
    return lines


def _other(case: Case, instance: Instance) -> Instance:
    return case.for_peers(instance) if case.for_peers else instance


def _measure_on(
    instance: Instance, given: dict[Entrant, Instance], plan: Plan, is_small: bool
) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        running = {}
        for entrant, own in given.items():
            plan.say(f"{instance.name}: {entrant.key} is set up")
            running[entrant] = _set_up(entrant, own, Path(folder), plan)
        # Before any repeat: a run makes the beliefs that are compared.
        beliefs = _beliefs(running, given, Path(folder))
        for _ in range(plan.repeats):
            for entrant, run in running.items():
                _repeat(run)
                del entrant
        lines = []
        for entrant, run in running.items():
            run.worker.stop()
            lines.append(_line(entrant, instance, given[entrant], run, is_small))
            if entrant in beliefs:
                lines[-1]["difference"] = beliefs[entrant]
        return lines


def _set_up(entrant: Entrant, instance: Instance, folder: Path, plan: Plan) -> Running:
    worker = Worker(entrant, plan.environments, cores_for(entrant.threads))
    run = Running(worker, {}, ITERATIONS)
    try:
        path = folder / f"{instance.edges}.npz"
        if not path.exists():
            save(instance, str(path))
        hello = worker.ask("hello")
        run.setup = {**hello, **worker.ask("setup", path=str(path), dtype=entrant.dtype)}
        run.compile_seconds = worker.ask("prepare", iterations=3)["seconds"]
        trial = worker.ask("run", iterations=3)["seconds"] / 3
        run.iterations = int(min(ITERATIONS, max(3, REPEAT_SECONDS / max(trial, 1e-9))))
        if run.iterations != 3:
            run.compile_seconds = worker.ask("prepare", iterations=run.iterations)["seconds"]
    except PeerError as error:
        run.failed = str(error)
    return run


def _repeat(run: Running) -> None:
    if run.failed:
        return
    try:
        answer = run.worker.ask("run", iterations=run.iterations)
        run.seconds.append(answer["seconds"] / answer["iterations"])
    except PeerError as error:
        run.failed = str(error)


def _beliefs(
    running: dict[Entrant, Running], given: dict[Entrant, Instance], folder: Path
) -> dict[Entrant, float]:
    """Largest difference of marginals from mpnet's after as many sweeps from uniform messages."""
    path, found = str(folder / "beliefs.npy"), {}
    ours = running.get(MPNET)
    for entrant, run in running.items():
        if run.failed or ours is None or ours.failed:
            continue
        try:
            done = run.worker.ask("run", iterations=run.iterations)["iterations"]
            run.worker.ask("beliefs", path=path)
            theirs = np.load(path)
            # One sweep over a hidden cause takes two steps, so both are compared when settled.
            same = given[entrant].edges == given[MPNET].edges
            ours.worker.ask("run", iterations=done if same else 4 * done)
            ours.worker.ask("beliefs", path=path)
            found[entrant] = float(np.abs(theirs[: (own := np.load(path)).size] - own).max())
        except PeerError as error:
            run.failed = str(error)
    return found


def _line(
    entrant: Entrant, instance: Instance, given: Instance, run: Running, is_small: bool
) -> dict[str, Any]:
    line: dict[str, Any] = {
        "entrant": entrant.key,
        "instance": instance.name,
        "small": is_small,
        "given": given.name,
        "edges": instance.edges,
        "version": run.setup.get("version", ""),
        "differs": run.setup.get("differs", ""),
        "failed": run.failed,
    }
    if not run.failed:
        best = min(run.seconds)
        line |= {
            "iterations": run.iterations,
            "seconds": best,
            "median": median(run.seconds),
            "rate": instance.edges / best / 1e6,
            "median_rate": instance.edges / median(run.seconds) / 1e6,
            "setup": run.setup["seconds"],
            "compile": run.compile_seconds,
            "bytes": sweep_bytes(instance),
        }
    return line


def add_shares(lines: list[dict[str, Any]], case: Case, quick: bool, limits: dict) -> None:
    """Enter which part of the machine's limit mpnet reached."""
    full = (case.quick if quick else case.full)()
    for line in lines:
        if line["entrant"] == MPNET.key and not line["small"] and not line["failed"]:
            line["share"] = share(full, line["seconds"], limits)
            tables = 8 * full.table_entries / line["seconds"] / limits["copy"]
            line["table_share"] = tables
