"""Keeps what happened within a budget of memory: where it does not fit, every second row goes.

A run does not know beforehand how long it will be. Rows are kept on a grid of iterations, every
row at first; whenever they outgrow the budget, the grid is made twice as wide. The first row, the
last one, and rows that something happened at stay, whatever the grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mpnet.errors import UsageError

Row = TypeVar("Row")

WORTH_SAYING = 50_000_000
"""Bytes from which the size of a trace is said before a run."""


@dataclass
class Keeper(Generic[Row]):
    """Rows of a run, within a budget.

    Parameters
    ----------
    budget : int
        Bytes. Rows that are marked are kept even where they alone are more.
    every : int
        Distance of the grid to begin with, in iterations.
    size_of : callable
        Bytes of a row.

    """

    budget: int
    every: int
    size_of: Callable[[Row], int]
    count: int = 0
    _rows: dict[int, Row] = field(default_factory=dict)
    _marked: set[int] = field(default_factory=set)
    _bytes: int = 0

    def __post_init__(self) -> None:
        if self.budget <= 0 or self.every < 1:
            raise UsageError(
                f"a trace needs a budget above 0 bytes and every of 1 or more, "
                f"got {self.budget} and {self.every}"
            )

    def offer(self, row: Row) -> None:
        """Keep the next iteration's row; for good if it is on the grid, else until the next."""
        latest = self.count - 1
        if latest >= 0 and not self._stays(latest):
            self._drop(latest)
        self._rows[self.count] = row
        self._bytes += self.size_of(row)
        self.count += 1
        while self._bytes > self.budget and self._widen():
            pass

    def mark(self) -> None:
        """Keep the latest row for good."""
        if self.count:
            self._marked.add(self.count - 1)

    def rows(self) -> list[tuple[int, Row]]:
        """Iteration and row of all that was kept, the last one included, in order."""
        return sorted(self._rows.items(), key=lambda item: item[0])

    def _stays(self, iteration: int) -> bool:
        return iteration % self.every == 0 or iteration in self._marked

    def _drop(self, iteration: int) -> None:
        self._bytes -= self.size_of(self._rows.pop(iteration))

    def _widen(self) -> bool:
        """Make the grid twice as wide; whether another row could still go."""
        if self.every > self.count:
            return False
        self.every *= 2
        for iteration in list(self._rows):
            if iteration != self.count - 1 and not self._stays(iteration):
                self._drop(iteration)
        return True


def plan(nodes: int, numbers: int, rows: int, itemsize: int, every: int, budget: int) -> str:
    """How large a trace can become, in a sentence; empty where that is not worth saying.

    Parameters
    ----------
    nodes, numbers : int
        Nodes followed, and probabilities of all of them.
    rows : int
        Iterations at most.
    itemsize : int
        Bytes of a probability.
    every : int
        Distance of rows, in iterations.
    budget : int
        Bytes.

    """
    needed = numbers * itemsize * (rows // every + 1)
    if needed < WORTH_SAYING:
        return ""
    what = f"trace of {nodes:,} nodes: {needed / 1e6:,.0f} MB if all {rows:,} iterations are needed"
    if needed <= budget:
        return f"{what} (budget {budget / 1e6:,.0f} MB)"
    return (
        f"{what}; the budget is {budget / 1e6:,.0f} MB, so rows are thinned as the run goes on "
        "(trace.budget, trace.nodes, trace.precision and trace.every change that)"
    )
