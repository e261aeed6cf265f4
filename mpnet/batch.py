"""Many evidence sets on one graph at once: its copies side by side, with tables shared.

What a run of a small graph costs is mostly Python between kernels. Copies that lie side by side
in one large graph share each of those steps; no message passes between them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np

from mpnet.answer import Result
from mpnet.estimators.base import Options
from mpnet.estimators.flat import start_messages
from mpnet.estimators.loop import settings_of
from mpnet.graph import FactorGraph, Group, assemble
from mpnet.inference import infer, model_of, options_of, states_of
from mpnet.interchange import Model
from mpnet.interchange.evidence import clamp
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.messages import Messages
from mpnet.schedules import make_schedule

Evidence = str | PathLike[str] | Mapping[Any, Any] | None


def infer_batch(
    model: str | PathLike[str] | FactorGraph | Model,
    evidence: Sequence[Evidence],
    *,
    damping: float | str = "auto",
    **settings: Any,
) -> list[Result]:
    """Marginals and partition sums of one model under several evidence sets.

    *Evolving.*

    Parameters
    ----------
    model : path, FactorGraph or Model
        As for ``infer``.
    evidence : sequence of path or mapping
        As for ``infer``, one for each answer.
    damping : float or "auto"
        Weight of the old message, in [0, 1); ``auto`` runs all without damping and, one by one,
        those that do not converge.
    **settings
        As for ``infer``.

    Returns
    -------
    list of Result
        In the order of ``evidence``; each as ``infer`` would answer, within the tolerance.

    Raises
    ------
    ModelFileError, GraphError, UsageError
        As ``infer``, before anything is run.

    """
    options = options_of("MAR", "flat", damping, settings)
    asked = model_of(model)
    seen = [states_of(asked.graph, each) for each in evidence]
    if not seen:
        return []
    started = time.perf_counter()
    first = replace(options, damping=0.0) if damping == "auto" else options
    unaries = [clamp(asked.graph, states) for states in seen]
    run = _Run(asked.graph, unaries, first)
    seconds = (time.perf_counter() - started) / len(seen)
    answers = []
    for number, states in enumerate(seen):
        found = run.answer(number, asked, states, seconds)
        if found is None:
            found = infer(asked, states, damping=damping, **settings)
        answers.append(found)
    return answers


def copies(graph: FactorGraph, unaries: Sequence[FloatArray]) -> FactorGraph:
    """Copies of a graph side by side, each with unary potentials of its own.

    Parameters
    ----------
    graph : FactorGraph
        What to copy; its tables are shared.
    unaries : sequence of float64[B]
        Log unary potentials of each copy, in nats.

    Returns
    -------
    FactorGraph
        Variable ``v`` of copy ``k`` is ``k * V + v``. Each family is all copies of one.

    """
    times, count = len(unaries), len(graph.variables)
    groups: list[Group] = []
    for family in graph.families:
        edges = slice(*graph.arrays.factor_edges[[family.first, family.last]])
        scopes = graph.arrays.edge_variable[edges].astype(np.int64)
        scopes = scopes.reshape(family.last - family.first, -1)
        moved = [scopes + number * count for number in range(times)]
        groups.append((np.concatenate(moved), family.content.repeated(times)))
    return assemble(
        np.tile(graph.cardinalities, times), groups, np.concatenate(unaries), graph.log_constant
    )


class _Run:
    """One run of all copies until each has been within the tolerance once."""

    def __init__(
        self, graph: FactorGraph, unaries: Sequence[FloatArray], options: Options
    ) -> None:
        self.graph, self.options = graph, options
        self.messages = start_messages(copies(graph, unaries), options)
        self.iterations = np.zeros(len(unaries), dtype=np.int64)
        self.residuals = np.full(len(unaries), np.inf)
        self._sweep(len(unaries))
        self.beliefs = self.messages.marginals().reshape(len(unaries), -1)
        self.log_z = _log_z_by_copy(self.messages, graph, len(unaries))

    def _sweep(self, count: int) -> None:
        schedule = make_schedule(self.options.schedule, settings_of(self.options))
        until = time.monotonic() + self.options.time_limit
        starts = _copy_edges(self.graph, count)
        for iteration in range(1, self.options.max_iterations + 1):
            schedule.sweep(self.messages, float(self.options.damping))
            here = np.zeros(count)
            if starts.size:
                worst = np.maximum.reduceat(self.messages.edge_residual, starts)
                here = worst.reshape(-1, count).max(axis=0)
            # A copy goes on moving with the others once it is done; that only brings it nearer.
            done = (here <= self.options.tolerance) & (self.iterations == 0)
            self.iterations[done] = iteration
            self.residuals[self.iterations > 0] = here[self.iterations > 0]
            if (self.iterations > 0).all() or time.monotonic() > until:
                break

    def answer(
        self, number: int, model: Model, states: Mapping[int, int], seconds: float
    ) -> Result | None:
        """What one copy came to, or None where it needs a run of its own to be told."""
        within = self.residuals[number] <= self.options.tolerance
        if not (within and np.isfinite(self.log_z[number])):
            return None
        taken = int(self.iterations[number])
        plural = "" if taken == 1 else "s"
        reason = (
            f"converged after {taken} iteration{plural}, in a batch (residual "
            f"{self.residuals[number]:.1e} nats, tolerance {self.options.tolerance:.0e})"
        )
        return Result(
            model=model,
            task="MAR",
            evidence=dict(states),
            estimator="flat",
            options=self.options,
            status="converged",
            reason=reason,
            iterations=taken,
            residual=float(self.residuals[number]),
            log_z=float(self.log_z[number]),
            beliefs=self.beliefs[number].copy(),
            assignment=None,
            exact=self.graph.is_forest(),
            seconds=seconds,
            criterion="tolerance",
        )


def _copy_edges(graph: FactorGraph, count: int) -> IntArray:
    """First edge of each copy of each family, family by family."""
    starts, first = [], 0
    for family in graph.families:
        ends = graph.arrays.factor_edges[[family.first, family.last]]
        edges = int(ends[1] - ends[0])
        starts.append(first + edges * np.arange(count))
        first += edges * count
    return np.concatenate(starts).astype(np.int64) if starts else np.empty(0, dtype=np.int64)


def _log_z_by_copy(messages: Messages, graph: FactorGraph, count: int) -> FloatArray:
    """Bethe log partition sum of each copy, in nats, the way ``Messages.log_z`` adds it up."""
    arrays = messages.graph.arrays
    scales = _unary_scales(messages).reshape(count, -1).sum(axis=1)
    others = messages.log_scale - graph.log_constant - scales.sum()
    result: FloatArray = graph.log_constant + scales + others / count
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = [messages.beliefs, messages.to_factor, messages.to_variable]
        logs = [np.log(x) if messages.linear else x for x in logs]
        result += _log_sums(logs[0], arrays.variable_states).reshape(count, -1).sum(axis=1)
        edges = _log_sums(logs[1] + logs[2], arrays.edge_states)
        starts = _copy_edges(graph, count)
        if starts.size:
            result -= np.add.reduceat(edges, starts).reshape(-1, count).sum(axis=0)
    for kernels, first, last, family in messages.families:
        size = (last - first) // count
        for number in range(count):
            begin = first + number * size
            result[number] += kernels.log_partition(
                messages.semiring, arrays, family, begin, begin + size, messages.to_factor
            )
    return result


def _unary_scales(messages: Messages) -> FloatArray:
    """Log of what the unary potentials of each variable were divided by, in nats."""
    starts = messages.graph.arrays.variable_states[:-1]
    if not (messages.linear and starts.size):
        return np.zeros(starts.size)
    best = np.maximum.reduceat(messages.unary, starts)
    scales: FloatArray = np.where(best == -np.inf, 0.0, best)
    return scales


def _log_sums(logs: FloatArray, starts: IntArray | np.ndarray[Any, Any]) -> FloatArray:
    found: FloatArray = np.logaddexp.reduceat(logs, starts[:-1]) if logs.size else np.empty(0)
    return found
