"""Messages on a factor graph that changes: what a change does not reach stays as it is.

A change costs time in proportion to what it touches and to how far its effect reaches, and not
to the size of the graph. Arrays grow by doubling, and places that were given back are used again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from mpnet.errors import GraphError, NumericalError
from mpnet.kernels.layout import FloatArray, IndexArray, IntArray
from mpnet.kernels.living import (
    COMPUTED,
    DEAD_FACTOR,
    DEAD_VARIABLE,
    NEXT,
    OWING,
    UPDATES,
    run_round,
    take_back,
    weigh_variables,
)
from mpnet.kernels.living_arrays import TRIAL, WRITING, WRITTEN
from mpnet.lifecycle.clocks import Clocks
from mpnet.lifecycle.growing import GrowingGraph

BRIEF = 100
"""Rounds without damping after which a run that does not settle is damped."""

CALM = 0.5
"""That damping, where none was asked for."""


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


class LivingGraph(GrowingGraph):
    """A graph that grows and shrinks, and the messages on it.

    *Evolving.*
    """

    def __init__(self) -> None:
        super().__init__()
        self._stamp = 0
        self._buffers = (np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32))

    def settle(
        self,
        tolerance: float,
        most: int,
        damping: float = 0.0,
        after_round: Callable[[float, float], None] | None = None,
        seconds: float = math.inf,
        clocks: Clocks | None = None,
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
        after_round : callable, optional
            Called with the residual and the damping after each round, with beliefs and log Z of
            the messages as they are then.
        seconds : float
            Time, at most.
        clocks : Clocks, optional
            Who speaks in a round, and what gets through; everybody and everything without.

        Raises
        ------
        NumericalError
            If a message became NaN.

        """
        if self._zeros:
            return Settled("inconsistent", 0, math.inf, 0, 0)
        (front, following), counts = self._buffers_of_size(), np.zeros(6, dtype=np.int64)
        size = self._take_waiting(front, counts)
        updates = computed = rounds = 0
        residual, until = 0.0, time.monotonic() + seconds
        while size or counts[OWING]:
            if rounds >= most or time.monotonic() > until:
                self._wait(front[:size], counts)
                return Settled("max_iterations", rounds, residual, updates, computed)
            # Clocks hold messages up anyhow: they are slow, not restless.
            restless = rounds >= BRIEF and not damping and clocks is None
            calm = CALM if restless else damping
            residual = self._round((front, size, following), tolerance, calm, clocks, counts)
            rounds += 1
            updates += int(counts[UPDATES])
            computed += int(counts[COMPUTED])
            dead = int(counts[DEAD_VARIABLE]), int(counts[DEAD_FACTOR])
            if max(dead) >= 0 or math.isnan(residual):
                self._wait(np.concatenate([front[:size], following[: counts[NEXT]]]), counts)
                if math.isnan(residual):
                    raise NumericalError(f"a message became NaN in round {rounds}")
                return Settled("inconsistent", rounds, math.inf, updates, computed, *dead)
            size = int(counts[NEXT])
            front, following = following, front
            if after_round is not None and self._weigh(front[:size]):
                after_round(residual, calm)
        return Settled("converged", rounds, residual, updates, computed)

    def _round(
        self,
        fronts: tuple[IndexArray, int, IndexArray],
        tolerance: float,
        damping: float,
        clocks: Clocks | None,
        counts: IntArray,
    ) -> float:
        """One round; those who sleep through it are in the next front."""
        front, size, following = fronts
        self._stamp += 1
        speaking = size if clocks is None else clocks.divide(front[:size])
        residual = run_round(
            self.arrays,
            front,
            speaking,
            following,
            self._stamp,
            tolerance,
            damping,
            1.0 if clocks is None else clocks.chance,
            np.empty(0) if clocks is None else clocks.luck(self._room["E"]),
            counts,
            np.empty(2 * self._most),
        )
        resting = front[speaking:size]
        resting = resting[self.arrays.variable_round[resting] != self._stamp]
        following[counts[NEXT] : counts[NEXT] + resting.size] = resting
        counts[NEXT] += resting.size
        return residual

    def _buffers_of_size(self) -> tuple[IndexArray, IndexArray]:
        if self._buffers[0].size < self._room["V"]:
            count = self._room["V"]
            self._buffers = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.int32)
        return self._buffers

    def _take_waiting(self, front: IndexArray, counts: IntArray) -> int:
        """Write down who waits to speak, and which factors owe an answer; how many speak."""
        size, owing = len(self._front), len(self._owing)
        front[:size], self.arrays.heard[:owing] = list(self._front), list(self._owing)
        counts[OWING] = owing
        self._front.clear()
        self._owing.clear()
        return size

    def _wait(self, front: IndexArray, counts: IntArray) -> None:
        """Remember who waits to speak, and which factors owe an answer."""
        self._front.update(dict.fromkeys(front.tolist()))
        self._owing.update(dict.fromkeys(self.arrays.heard[: counts[OWING]].tolist()))

    def look(self) -> None:
        """Let beliefs of whoever waits to speak be what they have heard by now; nobody speaks."""
        self._weigh(np.array(list(self._front), dtype=np.int32))

    def _weigh(self, variables: IndexArray) -> bool:
        """Set beliefs of variables from what they have heard; whether all of them have some."""
        sums, zeros = np.empty(self._most), np.empty(self._most, dtype=np.int64)
        weigh_variables(self.arrays, variables, variables.size, sums, zeros)
        return bool(np.all(self.arrays.variable_term[variables] > -np.inf))

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

    def heard(self, variable: int) -> FloatArray:
        """Sum of the log messages that a variable hears, in nats, shape (states,)."""
        g, found = self.arrays, np.zeros(int(self.arrays.cardinality[variable]))
        edge = int(g.first_edge[variable])
        while edge >= 0:
            start = int(g.edge_states[edge])
            found += g.to_variable[start : start + found.size]
            edge = int(g.next_edge[edge])
        return found

    def said_to(self, factor: int, axis: int) -> FloatArray:
        """Log message that one of its variables says to a factor, in nats; a copy."""
        edge = int(self.arrays.factor_edge[factor]) + axis
        start = int(self.arrays.edge_states[edge])
        count = int(self.arrays.cardinality[self.arrays.edge_variable[edge]])
        return self.arrays.to_factor[start : start + count].copy()

    def log_z(self) -> float:
        """Bethe log partition sum of the messages as they are, constants included, in nats."""
        g, used = self.arrays, self._used
        terms = g.variable_term[: used["V"]], g.factor_term[: used["F"]], g.edge_term[: used["E"]]
        found = self.constant + terms[0].sum() + terms[1].sum()
        return -math.inf if found == -math.inf else float(found - terms[2].sum())

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Whatever messages do inside is taken back at the end.

        Unary potentials are not: who sets them sets them back before the end. Nothing may come
        or go.
        """
        g = self.arrays
        if g.journal_state[WRITING]:
            raise GraphError("a trial can't begin inside another")
        waiting, owing = dict(self._front), dict(self._owing)
        self._told.clear()
        g.journal_state[WRITING], g.journal_state[WRITTEN] = 1, 0
        g.journal_state[TRIAL] += 1
        try:
            yield
        finally:
            take_back(g, np.empty(2 * self._most))
            # A variable without factors leaves no message by which to find it.
            self._weigh(np.array(list(self._told), dtype=np.int32))
            self._front, self._owing = waiting, owing
