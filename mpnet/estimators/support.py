"""A search for assignments that hard zeros allow, for a lower bound to start from."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from mpnet.estimators.factor_beliefs import log_tables
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray, IntArray

VISITS = 50_000
"""Times that a factor is looked at in one search, at most: some seconds."""

TABLES_AT_ONCE = 4096
"""Tables of one family that are looked at together."""


class Support:
    """The hard zeros of a graph, and assignments that avoid them.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.
    leading : int, optional
        How many variables, from the first on, are decided before all others.

    """

    def __init__(self, graph: FactorGraph, leading: int | None = None) -> None:
        self.graph = graph
        self.leading = len(graph.variables) if leading is None else leading
        self.allowed: dict[int, NDArray[np.bool_]] = _hard_factors(graph)
        self._at: dict[int, list[int]] = {}
        for factor in self.allowed:
            for variable in self._scope(factor):
                self._at.setdefault(variable, []).append(factor)
        self._visits = 0
        self.spent = 0
        """Times that factors were looked at in all searches but the last."""
        self.exhausted = False
        """Whether the last search has proven that there is no such assignment."""

    def possible(self) -> NDArray[np.bool_] | None:
        """States that every factor allows by itself, again and again; None if a variable has none.

        Boolean, shape (B,). None, too, where that took too long: ``exhausted`` tells.
        """
        self.spent += self._visits
        self.exhausted, self._visits = False, 0
        alive: NDArray[np.bool_] = self.graph.unary != -np.inf
        starts = self.graph.arrays.variable_states
        some = alive.size == 0 or bool(np.logical_or.reduceat(alive, starts[:-1]).all())
        if some and self._narrow(alive, list(self.allowed)) is not None:
            return alive
        self.exhausted = self._visits <= VISITS
        return None

    def find(self, guess: FloatArray) -> IntArray | None:
        """A state for each variable such that nothing is impossible, or None if none was found.

        Depth first, the surest variable and its likeliest state first; whatever a choice rules
        out is taken away at once.

        Parameters
        ----------
        guess : float64[B]
            Log probabilities of the states, of any scale, in nats.

        """
        graph = self.graph
        alive = self.possible()
        if alive is None:
            return None
        scores = np.where(alive, np.maximum(guess, -1e300), -np.inf)
        sure = np.maximum.reduceat(scores, graph.arrays.variable_states[:-1])
        order = sorted(self._at, key=lambda v: (v >= self.leading, -sure[v]))
        if not self._decide(alive, scores, order):
            return None
        scores = np.where(alive, scores, -np.inf)
        return np.array(
            [np.argmax(scores[graph.states_of(v)]) for v in range(len(graph.variables))],
            dtype=np.int64,
        )

    def _scope(self, factor: int) -> list[int]:
        edges = self.graph.arrays.factor_edges[factor : factor + 2]
        return [int(v) for v in self.graph.arrays.edge_variable[edges[0] : edges[1]]]

    def _decide(self, alive: NDArray[np.bool_], scores: FloatArray, order: list[int]) -> bool:
        """Overwrite ``alive`` with one state for each variable of ``order``; False if it can't be."""
        # One entry per decision: its place in the order, states still to try, what it took away.
        decisions: list[tuple[int, list[int], list[int]]] = []
        place = 0
        while place < len(order):
            where = self.graph.states_of(order[place])
            states = where.start + np.flatnonzero(alive[where])
            decisions.append((place, [int(s) for s in states[np.argsort(scores[states])]], []))
            while True:
                place, left, gone = decisions[-1]
                alive[gone] = True
                gone.clear()
                if left and self._visits <= VISITS:
                    if self._choose(alive, order[place], left.pop(), gone):
                        break
                    continue
                decisions.pop()
                if not decisions or self._visits > VISITS:
                    self.exhausted = self._visits <= VISITS
                    return False
            place += 1
        return True

    def _choose(self, alive: NDArray[np.bool_], variable: int, state: int, gone: list[int]) -> bool:
        where = self.graph.states_of(variable)
        others = [s for s in range(where.start, where.stop) if alive[s] and s != state]
        alive[others] = False
        gone += others
        if not others:
            return True
        lost = self._narrow(alive, self._at[variable], gone)
        return lost is not None

    def _narrow(
        self, alive: NDArray[np.bool_], waiting: list[int], gone: list[int] | None = None
    ) -> list[int] | None:
        """Take away what no factor allows any more; None if a variable is left without a state."""
        lost: list[int] = [] if gone is None else gone
        queue, queued = deque(waiting), set(waiting)
        while queue:
            factor = queue.popleft()
            queued.discard(factor)
            self._visits += 1
            if self._visits > VISITS:
                return None
            scope = self._scope(factor)
            live = self.allowed[factor]
            parts = [self.graph.states_of(v) for v in scope]
            live = live[np.ix_(*[alive[part] for part in parts])]
            for axis, (variable, part) in enumerate(zip(scope, parts, strict=True)):
                kept = live.any(axis=tuple(a for a in range(live.ndim) if a != axis))
                if kept.all() and kept.size:
                    continue
                dead = (part.start + np.flatnonzero(alive[part]))[~kept]
                alive[dead] = False
                lost += dead.tolist()
                if not alive[part].any():
                    return None
                for other in self._at[variable]:
                    if other != factor and other not in queued:
                        queue.append(other)
                        queued.add(other)
        return lost


def _hard_factors(graph: FactorGraph) -> dict[int, NDArray[np.bool_]]:
    """What each factor allows that has a hard zero, by its number."""
    found = {}
    for family in graph.families:
        for first in range(family.first, family.last, TABLES_AT_ONCE):
            last = min(first + TABLES_AT_ONCE, family.last)
            allowed = log_tables(family.content, first - family.first, last - family.first)
            allowed = allowed != -np.inf
            hard = ~allowed.reshape(last - first, -1).all(axis=1)
            for number in np.flatnonzero(hard).tolist():
                found[first + number] = allowed[number]
    return found
