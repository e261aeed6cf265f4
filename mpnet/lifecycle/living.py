"""A factor graph that changes while messages stay: variables and factors come and go.

A change costs time in proportion to what it touches and to how far its effect reaches, and not
to the size of the graph. Arrays grow by doubling, and places that were given back are used again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from mpnet.errors import GraphError, NumericalError
from mpnet.kernels.layout import FloatArray, IndexArray
from mpnet.kernels.living import (
    COMPUTED,
    DEAD_FACTOR,
    DEAD_VARIABLE,
    NEXT,
    TRIAL,
    UPDATES,
    WRITING,
    WRITTEN,
    LivingArrays,
    run_round,
    take_back,
    weigh_variable,
)

BRIEF = 100
"""Rounds without damping after which a run that does not settle is damped."""

CALM = 0.5
"""That damping, where none was asked for."""

_SHAPES: dict[str, tuple[str, type, float]] = {
    "first_edge": ("V", np.int32, -1),
    "cardinality": ("V", np.int32, 0),
    "variable_states": ("V", np.int32, 0),
    "next_edge": ("E", np.int32, -1),
    "edge_variable": ("E", np.int32, 0),
    "edge_factor": ("E", np.int32, 0),
    "edge_states": ("E", np.int32, 0),
    "factor_edge": ("F", np.int32, 0),
    "arity": ("F", np.int32, 0),
    "factor_table": ("F", np.int32, 0),
    "tables": ("T", np.float64, 0.0),
    "unary": ("B", np.float64, 0.0),
    "belief": ("B", np.float64, 0.0),
    "to_variable": ("S", np.float64, 0.0),
    "to_factor": ("S", np.float64, 0.0),
    "variable_term": ("V", np.float64, 0.0),
    "factor_term": ("F", np.float64, 0.0),
    "edge_term": ("E", np.float64, 0.0),
    "variable_round": ("V", np.int64, 0),
    "factor_round": ("F", np.int64, 0),
    "heard": ("F", np.int32, 0),
    "trial_of": ("E", np.int64, 0),
    "journal_edge": ("E", np.int32, 0),
    "journal": ("2S", np.float64, 0.0),
    "journal_term": ("E", np.float64, 0.0),
    "journal_state": ("3", np.int64, 0),
}
"""Which size each array follows, its type, and what fresh places hold."""


@dataclass(frozen=True)
class Settled:
    """How a run ended.

    ``status`` is ``converged``, ``max_iterations`` or ``inconsistent``; ``residual`` the largest
    change of the last round, in nats; ``updates`` messages that moved and ``computed`` all that
    were computed; ``dead_variable`` and ``dead_factor`` where nothing was possible, or -1.
    """

    status: str
    rounds: int
    residual: float
    updates: int
    computed: int
    dead_variable: int = -1
    dead_factor: int = -1


class LivingGraph:
    """Variables, factors and messages, by number; numbers of what is gone are used again.

    *Evolving.*
    """

    def __init__(self) -> None:
        self._room = dict.fromkeys("VEFTBS", 16)
        self._used = dict.fromkeys("VEFTBS", 0)
        self._most = 2
        self._free_variables: dict[int, list[int]] = {}
        self._free_factors: dict[tuple[int, ...], list[int]] = {}
        self._shapes: dict[int, tuple[int, ...]] = {}
        self._front: dict[int, None] = {}
        self._stamp = 0
        self._buffers = (np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32))
        self.arrays = LivingArrays(
            **{
                name: self._fresh(size, kind, value)
                for name, (size, kind, value) in _SHAPES.items()
            }
        )
        self.constant = 0.0

    def _fresh(self, size: str, kind: type, value: float) -> Any:
        if size == "2S":
            return np.full((2, self._room["S"]), value, dtype=kind)
        count = 3 if size == "3" else self._room[size]
        return np.full(count, value, dtype=kind)

    def _reserve(self, **wanted: int) -> dict[str, int]:
        """Make room for more of each; where each begins."""
        begins = {size: self._used[size] for size in wanted}
        growing = False
        for size, count in wanted.items():
            self._used[size] += count
            while self._room[size] < self._used[size]:
                self._room[size] *= 2
                growing = True
        if growing:
            self._grow()
        return begins

    def _grow(self) -> None:
        grown: dict[str, Any] = {}
        for name, (size, kind, value) in _SHAPES.items():
            old = getattr(self.arrays, name)
            new = self._fresh(size, kind, value)
            if new.shape == old.shape:
                new = old
            elif size == "2S":
                new[:, : old.shape[1]] = old
            else:
                new[: old.size] = old
            grown[name] = new
        self.arrays = LivingArrays(**grown)

    # What it is made of

    def add_variable(self, unary: FloatArray) -> int:
        """Add a variable with log unary potentials (nats, one per state) and return its number."""
        count = unary.size
        free = self._free_variables.get(count)
        if free:
            variable = free.pop()
        else:
            begins = self._reserve(V=1, B=count)
            variable = begins["V"]
            self.arrays.variable_states[variable] = begins["B"]
        self._most = max(self._most, count)
        self.arrays.cardinality[variable] = count
        self.arrays.first_edge[variable] = -1
        self.set_unary(variable, unary)
        return variable

    def set_unary(self, variable: int, unary: FloatArray) -> None:
        """Replace a variable's log unary potentials, in nats.

        Raises
        ------
        GraphError
            If there is a NaN or plus infinity among them.

        """
        if np.isnan(unary).any() or (unary == np.inf).any():
            raise GraphError(f"unary potentials of variable {variable}: {unary.tolist()}")
        self.arrays.unary[self._states(variable)] = unary
        self._front[variable] = None

    def unary(self, variable: int) -> FloatArray:
        """A variable's log unary potentials, in nats; a copy."""
        return self.arrays.unary[self._states(variable)].copy()

    def remove_variable(self, variable: int) -> None:
        """Take a variable out; it may be in no factor."""
        if self.arrays.first_edge[variable] >= 0:
            raise GraphError(f"variable {variable} is still in a factor")
        count = int(self.arrays.cardinality[variable])
        self.arrays.cardinality[variable] = 0
        self.arrays.variable_term[variable] = 0.0
        self._front.pop(variable, None)
        self._free_variables.setdefault(count, []).append(variable)

    def add_factor(self, scope: Sequence[int], table: FloatArray) -> int:
        """Multiply by a table of logs (nats), one axis per variable; the factor's number.

        Its messages begin neutral.
        """
        shape = table.shape
        free = self._free_factors.get(shape)
        factor = free.pop() if free else self._place_factor(shape)
        first = int(self.arrays.factor_edge[factor])
        self.arrays.arity[factor] = len(shape)
        where = int(self.arrays.factor_table[factor])
        self.arrays.tables[where : where + table.size] = table.reshape(-1)
        for edge, variable in enumerate(scope, start=first):
            self._enter(edge, factor, variable)
        return factor

    def table(self, factor: int) -> FloatArray:
        """Log potentials of a factor, in nats; a copy."""
        shape, start = self._shapes[factor], int(self.arrays.factor_table[factor])
        return self.arrays.tables[start : start + math.prod(shape)].reshape(shape).copy()

    def _place_factor(self, shape: tuple[int, ...]) -> int:
        """A number and memory for a factor that has never been."""
        begins = self._reserve(F=1, E=len(shape), S=sum(shape), T=math.prod(shape))
        factor = begins["F"]
        self.arrays.factor_edge[factor] = begins["E"]
        self.arrays.factor_table[factor] = begins["T"]
        starts = begins["S"] + np.cumsum([0, *shape[:-1]])
        self.arrays.edge_states[begins["E"] : begins["E"] + len(shape)] = starts
        self._shapes[factor] = shape
        return factor

    def _enter(self, edge: int, factor: int, variable: int) -> None:
        g = self.arrays
        g.edge_variable[edge], g.edge_factor[edge] = variable, factor
        g.next_edge[edge] = g.first_edge[variable]
        g.first_edge[variable] = edge
        start, count = int(g.edge_states[edge]), int(g.cardinality[variable])
        g.to_variable[start : start + count] = 0.0
        # Not what the variable says: it has to speak before the factor answers.
        g.to_factor[start : start + count] = np.nan
        g.edge_term[edge] = 0.0
        self._front[variable] = None

    def remove_factor(self, factor: int) -> None:
        """Take a factor out, and what it said."""
        g = self.arrays
        first = int(g.factor_edge[factor])
        for edge in range(first, first + int(g.arity[factor])):
            variable = int(g.edge_variable[edge])
            self._leave(edge, variable)
            g.edge_term[edge] = 0.0
            self._front[variable] = None
        g.arity[factor], g.factor_term[factor] = 0, 0.0
        self._free_factors.setdefault(self._shapes[factor], []).append(factor)

    def _leave(self, edge: int, variable: int) -> None:
        """Unhook an edge from its variable's list."""
        g = self.arrays
        other = int(g.first_edge[variable])
        if other == edge:
            g.first_edge[variable] = g.next_edge[edge]
            return
        while g.next_edge[other] != edge:
            other = int(g.next_edge[other])
        g.next_edge[other] = g.next_edge[edge]

    # What it believes

    def settle(
        self,
        tolerance: float,
        most: int,
        damping: float = 0.0,
        after_round: Callable[[float], None] = lambda residual: None,
        seconds: float = math.inf,
    ) -> Settled:
        """Pass messages from wherever something changed until none would move by more.

        Parameters
        ----------
        tolerance : float
            In nats.
        most : int
            Rounds, at most.
        damping : float
            Weight of the old message; where it is 0 and messages do not settle, it is raised.
        after_round : callable
            Called with the residual after each round.
        seconds : float
            Time, at most.

        Raises
        ------
        NumericalError
            If a message became NaN.

        """
        self._resize_buffers()
        front, following = self._buffers
        size = self._take_front(front)
        counts, fresh = np.zeros(5, dtype=np.int64), np.empty(2 * max(2, self._most))
        updates = computed = rounds = 0
        residual, until = 0.0, time.monotonic() + seconds
        while size:
            if rounds >= most or time.monotonic() > until:
                self._front.update(dict.fromkeys(front[:size].tolist()))
                return Settled("max_iterations", rounds, residual, updates, computed)
            self._stamp += 1
            calm = max(damping, CALM) if rounds >= BRIEF and not damping else damping
            residual = run_round(
                self.arrays, front, size, following, self._stamp, tolerance, calm, counts, fresh
            )
            if math.isnan(residual):
                raise NumericalError(f"a message became NaN in round {rounds + 1}")
            rounds += 1
            updates += int(counts[UPDATES])
            computed += int(counts[COMPUTED])
            dead = int(counts[DEAD_VARIABLE]), int(counts[DEAD_FACTOR])
            if max(dead) >= 0:
                return Settled("inconsistent", rounds, np.inf, updates, computed, *dead)
            size = int(counts[NEXT])
            front, following = following, front
            after_round(residual)
        return Settled("converged", rounds, residual, updates, computed)

    def look(self) -> None:
        """Set beliefs where something changed, from messages as they are; nobody speaks yet."""
        sums, zeros = np.empty(2 * self._most), np.empty(2 * self._most, dtype=np.int64)
        for variable in self._front:
            weigh_variable(self.arrays, variable, sums, zeros)

    def _resize_buffers(self) -> None:
        if self._buffers[0].size < self._room["V"]:
            self._buffers = tuple(np.empty(self._room["V"], dtype=np.int32) for _ in range(2))  # type: ignore[assignment]

    def _take_front(self, front: IndexArray) -> int:
        size = len(self._front)
        front[:size] = list(self._front)
        self._front.clear()
        return size

    def _states(self, variable: int) -> slice:
        start = int(self.arrays.variable_states[variable])
        return slice(start, start + int(self.arrays.cardinality[variable]))

    def belief(self, variable: int) -> FloatArray:
        """Probabilities of a variable's states, shape (states,); NaN where none is possible."""
        logs = self.arrays.belief[self._states(variable)]
        best = logs.max()
        if best == -np.inf:
            return np.full(logs.size, np.nan)
        odds: FloatArray = np.exp(logs - best)
        odds /= odds.sum()
        return odds

    def beliefs(self, variables: Iterable[int]) -> FloatArray:
        """Probabilities of several variables in a row."""
        chosen = np.fromiter(variables, dtype=np.int64)
        if not chosen.size:
            return np.empty(0)
        counts = self.arrays.cardinality[chosen].astype(np.int64)
        starts = np.concatenate([[0], np.cumsum(counts)])[:-1]
        shift = self.arrays.variable_states[chosen] - starts
        logs = self.arrays.belief[np.repeat(shift, counts) + np.arange(counts.sum())]
        with np.errstate(invalid="ignore"):  # minus infinity less itself, where nothing is possible
            odds = np.exp(logs - np.repeat(np.maximum.reduceat(logs, starts), counts))
            found: FloatArray = odds / np.repeat(np.add.reduceat(odds, starts), counts)
        return found

    def log_z(self) -> float:
        """Bethe log partition sum of the messages as they are, constants included, in nats."""
        g, used = self.arrays, self._used
        terms = g.variable_term[: used["V"]], g.factor_term[: used["F"]], g.edge_term[: used["E"]]
        return float(self.constant + terms[0].sum() + terms[1].sum() - terms[2].sum())

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Whatever messages do inside is taken back at the end.

        Potentials and structure are not: who changes them puts them back before the end.
        """
        g = self.arrays
        if g.journal_state[WRITING]:
            raise GraphError("a trial can't begin inside another")
        waiting = dict(self._front)
        g.journal_state[WRITING], g.journal_state[WRITTEN] = 1, 0
        g.journal_state[TRIAL] += 1
        try:
            yield
        finally:
            take_back(self.arrays, np.empty(2 * max(2, self._most)))
            self._front |= waiting

    @property
    def sizes(self) -> dict[str, int]:
        """How many variables, factors and edges there are now."""
        arity = self.arrays.arity[: self._used["F"]]
        alive = int((self.arrays.cardinality[: self._used["V"]] > 0).sum())
        return {"variables": alive, "factors": int((arity > 0).sum()), "edges": int(arity.sum())}
