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
from mpnet.builder import GraphBuilder
from mpnet.estimators.base import Estimate, Joint, Options
from mpnet.estimators.flat import start_messages
from mpnet.estimators.joints import joint_of
from mpnet.estimators.loop import settings_of
from mpnet.graph import FactorGraph, Group, assemble
from mpnet.inference import infer, model_of, options_of, read_states
from mpnet.interchange import Model
from mpnet.interchange.evidence import clamp
from mpnet.kernels.layout import FloatArray, IndexArray, IntArray
from mpnet.messages import Messages
from mpnet.schedules import make_schedule

LOOK = 10
"""Iterations between two looks at which copies are done."""

PATIENCE = 100
"""Iterations after which a few copies that are not done hold the others up no longer."""

FEW = 0.25
"""Part of the copies that is few; those are run one by one, and told as such."""

Evidence = str | PathLike[str] | Mapping[Any, Any] | None


def infer_batch(
    model: str | PathLike[str] | FactorGraph | GraphBuilder | Model,
    evidence: Sequence[Evidence],
    *,
    damping: float | str = "auto",
    **settings: Any,
) -> list[Result]:
    """Marginals and partition sums of one model under several evidence sets.

    *Evolving.*

    Parameters
    ----------
    model : path, FactorGraph, GraphBuilder or Model
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
    seen = [read_states(asked.graph, each).states for each in evidence]
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
        members = np.tile(np.arange(family.last - family.first), times)
        edges = slice(*graph.arrays.factor_edges[[family.first, family.last]])
        scopes = graph.arrays.edge_variable[edges].astype(np.int64)
        scopes = scopes.reshape(family.last - family.first, -1)
        moved = [scopes + number * count for number in range(times)]
        groups.append((np.concatenate(moved), family.content.taken(members)))
    return assemble(
        np.tile(graph.cardinalities, times), groups, np.concatenate(unaries), graph.log_constant
    )


class _Run:
    """One run of all copies until each has been within the tolerance once."""

    def __init__(self, graph: FactorGraph, unaries: Sequence[FloatArray], options: Options) -> None:
        self.graph, self.options = graph, options
        self.messages = start_messages(copies(graph, unaries), options)
        self.residuals = np.full(len(unaries), np.inf)
        self.iterations = self._sweep(len(unaries))
        self.beliefs = self.messages.marginals().reshape(len(unaries), -1)
        self.joint = joint_of(self.messages)
        self.log_z = _log_z_by_copy(self.messages, graph, len(unaries))

    def _sweep(self, count: int) -> int:
        """Sweep until every copy is within the tolerance, or few are left that may never be."""
        schedule = make_schedule(self.options.schedule, settings_of(self.options))
        until = time.monotonic() + self.options.time_limit
        starts, every_edge = _copy_edges(self.graph, count), self.messages.edge_residual
        damping = float(self.options.damping)
        for iteration in range(1, self.options.max_iterations + 1):
            # Residuals of single messages cost a logarithm each: they are asked for now and then.
            looked = iteration % LOOK == 0 or self.options.schedule != "flooding"
            self.messages.edge_residual = every_edge if looked else np.empty(0)
            sweep = schedule.sweep(self.messages, damping)
            if sweep.residual <= self.options.tolerance or time.monotonic() > until:
                break
            if looked and iteration >= PATIENCE:
                late = _by_copy(every_edge, starts, count) > self.options.tolerance
                if late.mean() <= FEW:
                    break
        self.messages.edge_residual = every_edge
        self.messages.ask_factors(0.0, self.messages.to_variable.copy(), every_edge)
        self.residuals = _by_copy(every_edge, starts, count)
        return iteration

    def answer(
        self, number: int, model: Model, states: Mapping[int, int], seconds: float
    ) -> Result | None:
        """What one copy came to, or None where it needs a run of its own to be told."""
        within = self.residuals[number] <= self.options.tolerance
        if not (within and np.isfinite(self.log_z[number])):
            return None
        taken = self.iterations
        plural = "" if taken == 1 else "s"
        reason = (
            f"converged after {taken} iteration{plural}, in a batch (residual "
            f"{self.residuals[number]:.1e} nats, tolerance {self.options.tolerance:.0e})"
        )
        estimate = Estimate(
            status="converged",
            reason=reason,
            iterations=taken,
            residual=float(self.residuals[number]),
            log_z=float(self.log_z[number]),
            beliefs=self.beliefs[number].copy(),
            joint=self._joint(number),
            exact=self.graph.is_forest(),
            criterion="tolerance",
            updates=taken * self.graph.arrays.edge_variable.size,
        )
        return Result(model, "MAR", dict(states), "flat", self.options, estimate, seconds)

    def _joint(self, number: int) -> Joint:
        """Joint beliefs of one copy, which holds the same factors as the original."""
        shift = number * len(self.graph.variables)
        return lambda scope: self.joint(tuple(variable + shift for variable in scope))


def _by_copy(edge_residual: FloatArray, starts: IntArray, count: int) -> FloatArray:
    """Largest residual of each copy, in nats."""
    if not starts.size:
        return np.zeros(count)
    worst = np.maximum.reduceat(edge_residual, starts).reshape(-1, count)
    largest: FloatArray = worst.max(axis=0)
    return largest


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
        beliefs, linear = messages.beliefs, messages.linear
        both = messages.to_factor, messages.to_variable
        on_edges = both[0] * both[1] if linear else both[0] + both[1]
        sums = _log_sums(beliefs, arrays.variable_states, linear)
        result += sums.reshape(count, -1).sum(axis=1)
        edges = _log_sums(on_edges, arrays.edge_states, linear)
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


def _log_sums(values: FloatArray, starts: IndexArray, linear: bool) -> FloatArray:
    """Log of the sum of each part of an array of numbers or of their logs."""
    if not values.size:
        return np.empty(0)
    parts: FloatArray
    if linear:
        parts = np.log(np.add.reduceat(values, starts[:-1]))
    else:
        parts = np.logaddexp.reduceat(values, starts[:-1])
    return parts
