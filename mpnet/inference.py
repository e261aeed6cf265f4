"""Inference on a factor graph, from wherever it came: a task, evidence, an answer with a status."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from mpnet.answer import Result
from mpnet.contradiction import Support, explain
from mpnet.errors import TooLargeError, UsageError, shown
from mpnet.estimators import ESTIMATORS, make_estimator
from mpnet.estimators.base import Estimate, Observer, Options, Problem
from mpnet.graph import FactorGraph
from mpnet.interchange import Model, read_model
from mpnet.interchange.evidence import Evidence, clamp, observe, read_evidence
from mpnet.interchange.files import read_bytes
from mpnet.kernels.layout import IntArray
from mpnet.names import suggestion
from mpnet.schedules import SCHEDULES

DAMPINGS = (0.0, 0.5, 0.9)
"""What ``damping="auto"`` tries, until a run converges."""

PROPAGATING = ("flat", "clamped")
"""Estimators whose verdict ``inconsistent`` may come from messages that overflowed."""

MOST_CLAMPED = 2000
"""Variables that the estimator ``clamped`` is let try, each state a run."""

NEEDS_REGIONS = ("memory", "i_bound")

SETTINGS = tuple(f.name for f in fields(Options) if f.name != "junction")
"""What may be given to ``infer`` besides its own arguments: the fields of ``Options``."""


def infer(
    model: str | PathLike[str] | FactorGraph | Model,
    evidence: str | PathLike[str] | Mapping[Any, Any] | None = None,
    *,
    task: str = "MAR",
    estimator: str = "flat",
    damping: float | str = "auto",
    evidence_format: str = "auto",
    sample: int | None = None,
    observer: Observer = lambda _: None,
    **settings: Any,
) -> Result:
    """Answer a question about a factor graph.

    Parameters
    ----------
    model : path, FactorGraph or Model
        A file (UAI, BIF, libDAI's .fg) or the name of a shipped one; or a graph.
    evidence : path or mapping, optional
        A UAI evidence file; or states by variable, both by name or index.
    task : str
        ``MAR`` (marginals), ``PR`` (partition sum), ``MPE`` or ``MAP`` (the likeliest states).
    estimator : str
        A key of ``mpnet.estimators.ESTIMATORS``.
    damping : float or "auto"
        Weight of the old message, in [0, 1); ``auto`` tries more damping until a run converges.
    evidence_format : str
        ``auto``, ``2014`` or ``2010``.
    sample : int, optional
        Which sample of a 2010 evidence file, counted from 1.
    observer : callable
        Sees a ``Snapshot`` after each iteration.
    **settings
        Fields of ``mpnet.estimators.base.Options``: ``schedule``, ``tolerance`` (nats),
        ``max_iterations``, ``seed``, ....

    Returns
    -------
    Result
        Always with a status; contradictory evidence is the status ``inconsistent``.

    Raises
    ------
    ModelFileError
        If a file is at fault.
    GraphError
        If the evidence names no variable or state, or an answer needs too much memory.
    UsageError
        If a name or a setting makes no sense.

    Examples
    --------
    >>> result = infer("sprinkler", {"x3": 1}, estimator="exact")
    >>> round(result.marginals["x1"]["1"], 4)
    0.4298

    """
    options = _options(task, estimator, settings)
    dampings = _dampings(damping)
    asked = _model(model)
    seen = _evidence(asked.graph, evidence, evidence_format, sample)
    started = time.perf_counter()
    graph = asked.graph
    clamped = replace(graph, unary=clamp(graph, seen.states)) if seen.states else graph
    try:
        problem = Problem(clamped, _query(graph, seen.states, estimator))
        answer = TASKS[task](problem, estimator, options, dampings, observer)
    except MemoryError:
        raise TooLargeError(
            f"the estimator {estimator} ran out of memory; flat needs little"
        ) from None
    found, used = answer.estimate, answer.options
    consistent = found.status != "inconsistent"
    reason = found.reason
    if not consistent:
        reason = explain(graph, seen.states, asked.numbers) or f"impossible: {reason}"
    return Result(
        model=asked,
        task=task,
        evidence=dict(seen.states),
        estimator=estimator,
        options=used,
        status=found.status,
        reason=reason,
        iterations=found.iterations,
        residual=found.residual,
        log_z=found.log_z if consistent else None,
        beliefs=found.beliefs if consistent else np.full(graph.unary.size, np.nan),
        assignment=answer.assignment if consistent else None,
        exact=found.status == "converged" and (estimator == "exact" or _is_forest(graph)),
        seconds=time.perf_counter() - started,
        notes=tuple(note for note in (seen.note, answer.note) if note),
    )


@dataclass(frozen=True)
class _Answer:
    """What a task came to."""

    estimate: Estimate
    options: Options
    assignment: IntArray | None = None
    note: str = ""


def _sum(
    problem: Problem,
    estimator: str,
    options: Options,
    dampings: tuple[float, ...],
    observer: Observer,
) -> _Answer:
    """Marginals and partition sum, with as little damping as converges."""
    tried = ""
    for damping in dampings:
        used = replace(options, damping=damping)
        found = make_estimator(estimator).estimate(problem, used, observer)
        if found.status == "inconsistent" and estimator in PROPAGATING:
            found = _proven(problem.graph, found)
        if found.status in ("converged", "inconsistent") or damping == dampings[-1]:
            break
        tried += f"{', ' if tried else ''}{damping:g} ({found.status.replace('_', ' ')})"
    return _Answer(found, used, note=f"damping tried before: {tried}" if tried else "")


def _proven(graph: FactorGraph, found: Estimate) -> Estimate:
    """A contradiction if hard zeros show one; else messages that grew past all numbers."""
    if Support(graph).dead_end(graph.unary) is not None:
        return found
    reason = (
        f"not converged: messages grew beyond the range of numbers ({found.reason}), though "
        "nothing that is seen is impossible; try damping, or the estimator exact"
    )
    beliefs = np.full(graph.unary.size, np.nan)
    return replace(found, status="diverged", reason=reason, beliefs=beliefs, log_z=None)


def _best(
    problem: Problem,
    estimator: str,
    options: Options,
    dampings: tuple[float, ...],
    observer: Observer,
) -> _Answer:
    """The likeliest assignment."""
    raise UsageError("the tasks MPE and MAP are not available yet; MAR and PR are")


Task = Callable[[Problem, str, Options, tuple[float, ...], Observer], _Answer]

TASKS: dict[str, Task] = {"MAR": _sum, "PR": _sum, "MPE": _best, "MAP": _best}
"""What may be asked; MAP is the likeliest assignment of all variables, as in UAI 2014."""


def _options(task: str, estimator: str, settings: Mapping[str, Any]) -> Options:
    for what, name, known in (
        ("task", task, TASKS),
        ("estimator", estimator, ESTIMATORS),
        ("schedule", settings.get("schedule", Options.schedule), SCHEDULES),
    ):
        if name not in known:
            hint = suggestion(shown(str(name)), known, f"{what}s")
            raise UsageError(f"there is no {what} {shown(str(name))!r}; {hint}")
    for name in settings:
        if name in NEEDS_REGIONS and name not in SETTINGS:
            raise UsageError(
                f"the setting {name!r} is for estimators by regions: not available yet"
            )
        if name not in SETTINGS:
            near = suggestion(shown(name), SETTINGS, "settings")
            raise UsageError(f"there is no setting {shown(name)!r}; {near}")
    try:
        return Options(**settings, junction=estimator == "exact")
    except TypeError as error:
        raise UsageError(f"a setting is no number ({error})") from None


def _dampings(damping: float | str) -> tuple[float, ...]:
    if damping == "auto":
        return DAMPINGS
    try:
        value = float(damping)
    except (TypeError, ValueError):
        raise UsageError(f"damping must be 'auto' or in [0, 1), got {damping!r}") from None
    Options(damping=value)
    return (value,)


def _model(model: str | PathLike[str] | FactorGraph | Model) -> Model:
    if isinstance(model, Model):
        return model
    if isinstance(model, FactorGraph):
        return Model(model, "graph", "", np.arange(len(model.factors)))
    return read_model(model)


def _evidence(
    graph: FactorGraph,
    evidence: str | PathLike[str] | Mapping[Any, Any] | None,
    dialect: str,
    sample: int | None,
) -> Evidence:
    if evidence is None:
        return Evidence({})
    if isinstance(evidence, Mapping):
        return Evidence(observe(graph, evidence))
    name = fspath(evidence)
    counts = graph.cardinalities
    return read_evidence(read_bytes(Path(name)), name, counts, dialect=dialect, sample=sample)


def _query(graph: FactorGraph, seen: Mapping[int, int], estimator: str) -> tuple[int, ...]:
    """Variables that ``clamped`` tries state by state: all that are not observed."""
    if estimator != "clamped":
        return ()
    found = tuple(v for v in range(len(graph.variables)) if v not in seen)
    if len(found) > MOST_CLAMPED:
        raise TooLargeError(
            f"the estimator clamped would run once for each state of {len(found)} variables; "
            f"at most {MOST_CLAMPED} are tried; use flat"
        )
    return found


def _is_forest(graph: FactorGraph) -> bool:
    nodes = len(graph.variables) + len(graph.factors)
    return graph.arrays.edge_variable.size < max(nodes, 1) and graph.is_forest()
