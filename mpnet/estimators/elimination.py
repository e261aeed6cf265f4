"""Exact sums over small tables, one variable after another, in logs from beginning to end.

Probabilities of hundreds of nats, as images have them, are sums here like any other.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

import numpy as np

from mpnet.errors import TooLargeError, size
from mpnet.kernels.layout import FloatArray

Table = tuple[tuple[int, ...], FloatArray]
"""Variables by number, and log potentials (nats) with one axis for each."""


def summed_onto(tables: Sequence[Table], kept: int, states: int, limit: int) -> FloatArray:
    """Log of the sum of a product of tables over all variables but one.

    Parameters
    ----------
    tables : sequence of Table
        Factors; not modified.
    kept : int
        The variable that stays.
    states : int
        How many states that has.
    limit : int
        Entries that a table on the way may have.

    Returns
    -------
    float64[states]
        In nats; ``-inf`` for states that are not possible.

    Raises
    ------
    TooLargeError
        If a table on the way would have more entries; says how many.

    """
    work = _Work(tables, kept, limit)
    while (variable := work.cheapest()) is not None:
        work.sum_out(variable)
    total = np.zeros(states)
    for scope, table in work.left():
        total = total + (table if scope else float(table))
    return total


def log_sum(table: FloatArray, axis: int) -> FloatArray:
    """Log of the sum of exponentials along an axis; the sum of impossible ones is impossible."""
    best = table.max(axis=axis, keepdims=True)
    best = np.where(best == -np.inf, 0.0, best)
    with np.errstate(divide="ignore"):
        found: FloatArray = np.log(np.exp(table - best).sum(axis=axis)) + np.squeeze(best, axis)
    return found


class _Work:
    """Tables by number, who holds each variable, and what it would cost to sum each out."""

    def __init__(self, tables: Sequence[Table], kept: int, limit: int) -> None:
        self.limit = limit
        self.tables = dict(enumerate(tables))
        self.counts: dict[int, int] = {}
        self.holding: dict[int, set[int]] = {}
        for number, (scope, table) in self.tables.items():
            for variable, count in zip(scope, table.shape, strict=True):
                self.counts[variable] = count
                self.holding.setdefault(variable, set()).add(number)
        self.made = len(self.tables)
        self.waiting = {variable for variable in self.holding if variable != kept}
        self.queue = [(self._cost(variable), variable) for variable in self.waiting]
        heapq.heapify(self.queue)

    def left(self) -> list[Table]:
        """The tables there are."""
        return list(self.tables.values())

    def _scope(self, variable: int) -> tuple[int, ...]:
        found = {v for n in self.holding[variable] for v in self.tables[n][0]}
        return (variable, *sorted(found - {variable}))

    def _cost(self, variable: int) -> int:
        return math.prod(self.counts[v] for v in self._scope(variable))

    def cheapest(self) -> int | None:
        """The variable whose neighbourhood is smallest; None where none is left."""
        while self.queue:
            cost, variable = heapq.heappop(self.queue)
            if variable not in self.waiting:
                continue
            if cost == self._cost(variable):
                return variable
            heapq.heappush(self.queue, (self._cost(variable), variable))
        return None

    def sum_out(self, variable: int) -> None:
        """Replace all tables that hold a variable by one that does not."""
        scope = self._scope(variable)
        if (cost := self._cost(variable)) > self.limit:
            raise TooLargeError(
                f"an exact sum would need a table of {size(cost)} entries; at most {self.limit} fit"
            )
        total = np.zeros([self.counts[v] for v in scope])
        for number in sorted(self.holding[variable]):
            total = total + spread(*self.tables.pop(number), scope)
        rest = scope[1:]
        for other in rest:
            self.holding[other] -= self.holding[variable]
            self.holding[other].add(self.made)
        self.waiting.discard(variable)
        del self.holding[variable]
        self.tables[self.made] = rest, log_sum(total, 0)
        self.made += 1
        for other in rest:
            if other in self.waiting:
                heapq.heappush(self.queue, (self._cost(other), other))


def spread(scope: tuple[int, ...], table: FloatArray, target: tuple[int, ...]) -> FloatArray:
    """Line a table up with the axes of a wider scope."""
    order = sorted(range(len(scope)), key=lambda axis: target.index(scope[axis]))
    shape = [1] * len(target)
    for axis in order:
        shape[target.index(scope[axis])] = table.shape[axis]
    found: FloatArray = table.transpose(order).reshape(shape)
    return found
