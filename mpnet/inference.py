"""Inference on a factor graph, from wherever it came: a task, evidence, an answer with a status."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from mpnet.answer import Result
from mpnet.builder import GraphBuilder
from mpnet.contradiction import Support, explain
from mpnet.errors import NumericalError, TooLargeError, UsageError, shown
from mpnet.estimators import ESTIMATORS, make_estimator
from mpnet.estimators.base import Estimate, Observer, Options, Problem, ignore
from mpnet.estimators.best import most_likely, most_likely_by_clusters
from mpnet.estimators.ladder import climb
from mpnet.graph import FactorGraph
from mpnet.interchange import Model, read_model
from mpnet.interchange.evidence import Evidence, clamp, observe, read_evidence
from mpnet.interchange.files import read_bytes
from mpnet.names import suggestion
from mpnet.schedules import SCHEDULES

PROPAGATING = ("flat", "clamped", "mixture", "trw", "fractional", "double_loop")
"""Estimators whose verdict ``inconsistent`` may come from messages that overflowed."""

MOST_CLAMPED = 2000
"""Variables that the estimator ``clamped`` is let try, each state a run."""

SETTINGS = tuple(f.name for f in fields(Options) if f.name not in ("junction", "damping"))
"""What may be given to ``infer`` besides its own arguments: the fields of ``Options``."""


def infer(  # noqa: PLR0913  the one door to everything
    model: str | PathLike[str] | FactorGraph | GraphBuilder | Model,
    evidence: str | PathLike[str] | Mapping[Any, Any] | None = None,
    *,
    task: str = "MAR",
    estimator: str = "flat",
    damping: float | str = "auto",
    evidence_format: str = "auto",
    sample: int | None = None,
    certify: bool = False,
    bounds: bool = False,
    observer: Observer = ignore,
    **settings: Any,
) -> Result:
    """Answer a question about a factor graph.

    *Stable.*

    Parameters
    ----------
    model : path, FactorGraph, GraphBuilder or Model
        A file (UAI, BIF, libDAI's .fg) or the name of a shipped one; or a graph.
    evidence : path or mapping, optional
        A UAI evidence file; or states by variable, both by name or index.
    task : str
        ``MAR`` (marginals), ``PR`` (partition sum), ``MPE`` or ``MAP`` (the likeliest states).
    estimator : str
        A key of ``mpnet.estimators.ESTIMATORS``.
    damping : float or "auto"
        Weight of the old message, in [0, 1); ``auto`` runs without and, where that fails, with
        the smallest damping that is computed to converge.
    evidence_format : str
        ``auto``, ``2014`` or ``2010``.
    sample : int, optional
        Which sample of a 2010 evidence file, counted from 1.
    certify : bool
        Say before the run whether it is certain to converge (spectral radius).
    bounds : bool
        Bracket log Z by mean field from below and tree-reweighted propagation from above.
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
    options = options_of(task, estimator, damping, settings)
    asked = model_of(model)
    seen = read_states(asked.graph, evidence, evidence_format, sample)
    started = time.perf_counter()
    graph = asked.graph
    clamped = replace(graph, unary=clamp(graph, seen.states)) if seen.states else graph
    try:
        promise = _certificate(clamped) if certify else ""
        problem = Problem(clamped, _query(graph, seen.states, estimator))
        found = TASKS[task](problem, estimator, options, observer)
        if bounds and found.status != "inconsistent":
            found = replace(found, bounds=_bracket(clamped, options))
    except MemoryError:
        raise TooLargeError(
            f"the estimator {estimator} ran out of memory; flat needs little"
        ) from None
    if found.status == "inconsistent":
        reason = explain(graph, seen.states, asked.numbers) or f"impossible: {found.reason}"
        nothing = np.full(graph.unary.size, np.nan)
        found = replace(found, reason=reason, log_z=None, beliefs=nothing, assignment=None)
    if seen.note:
        found = replace(found, notes=(seen.note, *found.notes))
    return Result(
        model=asked,
        task=task,
        evidence=dict(seen.states),
        estimator=estimator,
        options=options,
        estimate=found,
        seconds=time.perf_counter() - started,
        certificate=promise,
    )


def _sum(problem: Problem, estimator: str, options: Options, observer: Observer) -> Estimate:
    """Marginals and partition sum."""
    try:
        found = make_estimator(estimator).estimate(problem, options, observer)
    except NumericalError as error:
        if options.on_failure == "stop":
            raise
        found = _failed(problem.graph, str(error))
    if found.status == "inconsistent" and estimator in PROPAGATING:
        found = _proven(problem.graph, found)
    if found.status in ("converged", "inconsistent") or options.on_failure == "stop":
        return found
    return climb(problem, options, observer)


def _failed(graph: FactorGraph, reason: str) -> Estimate:
    nothing = np.full(graph.unary.size, np.nan)
    return Estimate("diverged", reason, 0, np.inf, None, nothing, lambda scope: nothing)


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


def _best(problem: Problem, estimator: str, options: Options, observer: Observer) -> Estimate:
    """The likeliest assignment."""
    if estimator not in ("flat", "region"):
        raise UsageError(f"the tasks MPE and MAP are for flat and region, not for {estimator}")
    if estimator == "region":
        return most_likely_by_clusters(problem, options)
    return most_likely(problem, options, observer)


Task = Callable[[Problem, str, Options, Observer], Estimate]

TASKS: dict[str, Task] = {"MAR": _sum, "PR": _sum, "MPE": _best, "MAP": _best}
"""What may be asked; MAP is the likeliest assignment of all variables, as in UAI 2014."""


def options_of(
    task: str, estimator: str, damping: float | str, settings: Mapping[str, Any]
) -> Options:
    """Options from what a caller wrote.

    Parameters
    ----------
    task, estimator, damping, settings
        As for ``infer``.

    Raises
    ------
    UsageError
        If a name is unknown or a number makes no sense.

    """
    for what, name, known in (
        ("task", task, TASKS),
        ("estimator", estimator, ESTIMATORS),
        ("schedule", settings.get("schedule", Options.schedule), SCHEDULES),
    ):
        if name not in known:
            hint = suggestion(shown(str(name)), known, f"{what}s")
            raise UsageError(f"there is no {what} {shown(str(name))!r}; {hint}")
    for name in settings:
        if name not in SETTINGS:
            near = suggestion(shown(name), SETTINGS, "settings")
            raise UsageError(f"there is no setting {shown(name)!r}; {near}")
    if damping != "auto":
        try:
            damping = float(damping)
        except (TypeError, ValueError):
            raise UsageError(f"damping must be 'auto' or in [0, 1), got {damping!r}") from None
    try:
        return Options(**settings, damping=damping, junction=estimator == "exact")
    except TypeError as error:
        raise UsageError(f"a setting is no number ({error})") from None


def _certificate(graph: FactorGraph) -> str:
    from mpnet.analysis.certificate import certificate

    return certificate(graph).sentence


def _bracket(graph: FactorGraph, options: Options) -> tuple[float | None, float | None]:
    from mpnet.estimators.bounds import bracket

    return bracket(graph, options)


def model_of(model: str | PathLike[str] | FactorGraph | GraphBuilder | Model) -> Model:
    """The model behind a path, a shipped name or a graph."""
    if isinstance(model, Model):
        return model
    if isinstance(model, GraphBuilder):
        model = model.build()
    if isinstance(model, FactorGraph):
        return Model(model, "graph", "", np.arange(len(model.factors)))
    return read_model(model)


def read_states(
    graph: FactorGraph,
    evidence: str | PathLike[str] | Mapping[Any, Any] | None,
    dialect: str = "auto",
    sample: int | None = None,
) -> Evidence:
    """Observed states by index, from a mapping or a UAI evidence file."""
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
