"""Residual: the message that would change most moves first (Elidan, McGraw and Koller 2006)."""

from __future__ import annotations

import numpy as np

from mpnet.kernels import heap
from mpnet.kernels.buckets import make_queue
from mpnet.kernels.layout import ALIVE, UNSAFE, FloatArray, PairArrays
from mpnet.kernels.priority import update_most_urgent
from mpnet.kernels.priority_pairs import (
    RECORD,
    fill_records,
    read_records,
    update_most_urgent_pairs,
)
from mpnet.messages import Messages
from mpnet.schedules.base import Settings, Sweep

PUSHES = 4
"""Room in the queue of buckets, in messages that wait per message that moves."""


class Residual:
    """A priority queue over messages, with their exact residuals as keys."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._tolerance = (settings or Settings()).tolerance

    def sweep(self, messages: Messages, damping: float) -> Sweep:
        """Move as many messages as there are edges, or fewer once all are within the tolerance."""
        if not messages.edge_residual.size:
            return Sweep(0.0, -1, messages.refresh())
        candidate, priority, dead = self._ask_all(messages, damping)
        if dead >= 0 or np.isnan(priority).any():
            return _ended(messages, priority, dead, ALIVE, 0)
        if damping == 0.0 and _is_simple(messages, candidate):
            return self._move_pairs(messages, candidate, priority)
        return self._move(messages, damping, candidate, priority)

    def _ask_all(self, messages: Messages, damping: float) -> tuple[FloatArray, FloatArray, int]:
        """What every factor would say now, and how far that is from what it said."""
        candidate = np.empty_like(messages.to_variable)
        priority = np.empty(messages.edge_residual.size)
        _, dead = messages.ask_factors(damping, candidate, priority)
        if dead == UNSAFE:
            messages.use_logs()
            candidate = np.empty_like(messages.to_variable)
            _, dead = messages.ask_factors(damping, candidate, priority)
        return candidate, priority, dead

    def _move(
        self, messages: Messages, damping: float, candidate: FloatArray, priority: FloatArray
    ) -> Sweep:
        """Any factors, in any space."""
        graph, edges = messages.graph, priority.size
        items, where = np.empty(edges, dtype=np.int32), np.empty(edges, dtype=np.int32)
        keys = np.empty(edges)
        heap.build(priority, items, keys, where)
        moved, factor, variable = update_most_urgent(
            messages.semiring,
            messages.states,
            graph.arrays,
            graph.edge_factor,
            messages.family_arrays,
            messages.potentials,
            messages.limits,
            float(damping),
            self._tolerance,
            edges,
            messages.to_variable,
            messages.to_factor,
            messages.beliefs,
            candidate,
            priority,
            items,
            keys,
            where,
        )
        if UNSAFE in (factor, variable):
            messages.use_logs()
            return Sweep(float(priority.max()), -1, -1, moved)
        return _ended(messages, priority, factor, variable, moved)

    def _move_pairs(self, messages: Messages, candidate: FloatArray, priority: FloatArray) -> Sweep:
        """Pairs of variables with two states, in linear space: one cache line per message."""
        arrays, edges = messages.graph.arrays, priority.size
        variables = arrays.variable_edges.size - 1
        records = np.empty((variables + edges) * int(RECORD))
        words = records.view(np.int32)
        queue = make_queue(PUSHES * edges)
        fill_records(
            arrays,
            messages.family_arrays[0],
            messages.potentials,
            messages.to_variable,
            candidate,
            priority,
            self._tolerance,
            records,
            words,
            queue,
        )
        most = int(np.diff(arrays.variable_edges).max())
        moved, status = update_most_urgent_pairs(
            messages.semiring,
            messages.limits,
            float(np.expm1(self._tolerance)),
            edges,
            records,
            words,
            queue,
            np.empty(most),
        )
        read_records(arrays, records, messages.to_variable)
        if status == UNSAFE:
            messages.use_logs()
        messages.refresh()
        _, priority, dead = self._ask_all(messages, 0.0)
        return _ended(messages, priority, dead, ALIVE, moved)


def _ended(
    messages: Messages, priority: FloatArray, factor: int, variable: int, moved: int
) -> Sweep:
    messages.edge_residual[:] = priority
    last = messages.refresh()
    return Sweep(float(priority.max()), factor, variable if variable >= 0 else last, moved)


def _is_simple(messages: Messages, candidate: FloatArray) -> bool:
    """Whether the quick kernel serves: one family of pairs, two states, no zeros, linear space."""
    arrays = messages.family_arrays
    return (
        messages.linear
        and messages.dtype == np.float64
        and len(messages.states) == 2
        and len(arrays) == 1
        and isinstance(arrays[0], PairArrays)
        and bool(messages.to_variable.all() and candidate.all() and messages.potentials.all())
    )
