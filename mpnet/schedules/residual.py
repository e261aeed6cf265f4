"""Residual: the message that would change most moves first (Elidan, McGraw and Koller 2006)."""

from __future__ import annotations

import numpy as np

from mpnet.kernels import heap
from mpnet.kernels.layout import ALIVE, UNSAFE, FloatArray, PairArrays
from mpnet.kernels.priority import update_most_urgent, update_most_urgent_binary
from mpnet.messages import Messages
from mpnet.schedules.base import Settings, Sweep


class Residual:
    """A priority queue over messages, with their exact residuals as keys."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._tolerance = (settings or Settings()).tolerance

    def sweep(self, messages: Messages, damping: float) -> Sweep:
        """Move as many messages as there are edges, or fewer once all are within the tolerance."""
        edges = messages.graph.arrays.edge_variable.size
        if not edges:
            return Sweep(0.0, -1, messages.refresh())
        candidate, priority, dead = self._ask_all(messages, damping)
        if dead >= 0 or np.isnan(priority).any():
            messages.edge_residual[:] = priority
            return Sweep(float(priority.max()), dead, messages.refresh())
        queue = _Queue(edges)
        moved, factor, variable = 0, ALIVE, ALIVE
        if _is_simple(messages) and damping == 0.0:
            moved, variable = self._move_binary(messages, candidate, priority, queue)
            if variable == UNSAFE:
                messages.refresh()
                candidate, priority, dead = self._ask_all(messages, damping)
        if moved < edges and variable in (ALIVE, UNSAFE) and not _settled(queue, self._tolerance):
            more, factor, variable = self._move(
                messages, damping, candidate, priority, queue, edges - moved
            )
            moved += more
        if UNSAFE in (factor, variable):
            messages.use_logs()
            return Sweep(float(priority.max()), -1, -1, moved)
        messages.edge_residual[:] = priority
        last = messages.refresh()
        dead_variable = variable if variable >= 0 else last
        return Sweep(float(priority.max()), factor, dead_variable, moved)

    def _ask_all(self, messages: Messages, damping: float) -> tuple[FloatArray, FloatArray, int]:
        """What every factor would say now, and how far that is from what it said."""
        candidate = np.empty_like(messages.to_variable)
        priority = np.empty(messages.edge_residual.size)
        _, dead = messages.ask_factors(damping, candidate, priority)
        if candidate.dtype != messages.to_variable.dtype or dead == UNSAFE:
            messages.use_logs()
            _, dead = messages.ask_factors(damping, candidate, priority)
        return candidate, priority, dead

    def _move(
        self,
        messages: Messages,
        damping: float,
        candidate: FloatArray,
        priority: FloatArray,
        queue: _Queue,
        most: int,
    ) -> tuple[int, int, int]:
        graph = messages.graph
        heap.build(priority, queue.items, queue.keys, queue.where)
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
            most,
            messages.to_variable,
            messages.to_factor,
            messages.beliefs,
            candidate,
            priority,
            queue.items,
            queue.keys,
            queue.where,
        )
        return moved, factor, variable

    def _move_binary(
        self, messages: Messages, candidate: FloatArray, priority: FloatArray, queue: _Queue
    ) -> tuple[int, int]:
        heap.build(np.expm1(priority), queue.items, queue.keys, queue.where)
        moved, variable = update_most_urgent_binary(
            messages.semiring,
            messages.graph.arrays,
            messages.family_arrays[0],
            messages.potentials,
            messages.limits,
            float(np.expm1(self._tolerance)),
            priority.size,
            messages.to_variable,
            messages.to_factor,
            messages.beliefs,
            candidate,
            queue.items,
            queue.keys,
            queue.where,
        )
        priority[queue.items] = np.log1p(queue.keys)
        return moved, variable


class _Queue:
    """The arrays of one heap."""

    def __init__(self, size: int) -> None:
        self.items = np.empty(size, dtype=np.int32)
        self.where = np.empty(size, dtype=np.int32)
        self.keys = np.full(size, np.inf)


def _settled(queue: _Queue, tolerance: float) -> bool:
    return bool(queue.keys[0] <= np.expm1(tolerance))


def _is_simple(messages: Messages) -> bool:
    """Whether the quick kernel serves: one family of pairs, two states, linear space."""
    arrays = messages.family_arrays
    return (
        messages.linear
        and len(messages.states) == 2
        and len(arrays) == 1
        and isinstance(arrays[0], PairArrays)
    )
