"""Collects a trace while an estimator runs."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from mpnet.estimators.base import Snapshot
from mpnet.estimators.compiling import Compiled
from mpnet.estimators.joints import joint_of
from mpnet.keeping import Keeper
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.messages import Messages
from mpnet.quantities import bytes_of
from mpnet.scenario.spec import Tracing
from mpnet.simulation.watching import Glimpse, Watcher, places_of
from mpnet.trace import MESSAGE_EDGES, AnyFloats, Event, Trace

EDGE_NUMBERS = 4_000_000
"""Edge residuals kept while running, at most, in numbers; the latest iterations win."""


class _Row(NamedTuple):
    """One iteration: beliefs of the nodes followed, and numbers of the whole."""

    beliefs: AnyFloats
    residual: float
    log_z: float
    seconds: float
    estimator: str


class Recorder:
    """An observer that keeps what happens in one run on one compiled graph, within a budget.

    Parameters
    ----------
    compiled : Compiled
        The graph.
    tracing : Tracing, optional
        What is kept of it.
    asked : collection of str
        Nodes in question.
    watcher : Watcher, optional
        Told of every iteration.

    """

    def __init__(
        self,
        compiled: Compiled,
        tracing: Tracing | None = None,
        asked: Collection[str] = (),
        watcher: Watcher | None = None,
    ) -> None:
        self.compiled = compiled
        self.events: list[Event] = []
        self.flat: Messages | None = None
        edges = compiled.graph.arrays.edge_variable.size
        self.edge_residual = np.full(edges, np.nan)
        self.settled = np.zeros(edges, dtype=np.int64)
        self._tracing = tracing or Tracing.model_validate({})
        self._watcher = watcher
        self._start = time.perf_counter()
        self._keeper: Keeper[_Row] = Keeper(
            bytes_of(self._tracing.budget), self._tracing.every, lambda row: row.beliefs.nbytes
        )
        self._follow(asked)
        self._edges: dict[int, FloatArray] = {}
        self._edge_rows = max(1, EDGE_NUMBERS // max(1, edges))

    def _follow(self, asked: Collection[str]) -> None:
        """Find the variables and columns that are kept."""
        graph, tracing = self.compiled.original, self._tracing
        followed = [
            number
            for number, variable in enumerate(graph.variables)
            if tracing.follows(variable.name, asked)
        ]
        self._followed = [graph.variables[number] for number in followed]
        self._places = places_of({v.name: len(v.states) for v in self._followed})
        everything = len(followed) == len(graph.variables)
        ranges = [np.arange(graph.unary.size)[graph.states_of(number)] for number in followed]
        found: IntArray = np.concatenate(ranges) if ranges else np.empty(0, dtype=np.int64)
        self._columns = slice(None) if everything else found

    def __call__(self, snapshot: Snapshot) -> None:
        """Keep one iteration."""
        row = self._keeper.count
        if snapshot.event is not None:
            kind, node, text = snapshot.event
            self.events.append(Event(max(0, row - 1), kind, node, text))
            if self._watcher is not None:
                self._watcher.event(self.events[-1])
            self._keeper.mark()
        beliefs = self._beliefs(snapshot)
        log_z, seconds = snapshot.log_z, time.perf_counter() - self._start
        kept = beliefs.astype(self._tracing.precision)
        self._keeper.offer(_Row(kept, snapshot.residual, log_z, seconds, snapshot.estimator))
        self._note_edges(row, snapshot)
        if self._watcher is not None:
            seen = Glimpse(row, snapshot.residual, log_z, snapshot.estimator, self._places, beliefs)
            self._watcher.glimpse(seen)

    def _beliefs(self, snapshot: Snapshot) -> FloatArray:
        beliefs = snapshot.messages.marginals()
        for variable, belief in snapshot.overrides.items():
            beliefs[self.compiled.graph.states_of(variable)] = belief
        joint = joint_of(snapshot.messages)
        full = self.compiled.full_beliefs(beliefs, joint, self._places)
        followed: FloatArray = full[self._columns]
        return followed

    def _note_edges(self, row: int, snapshot: Snapshot) -> None:
        values = snapshot.edge_residual
        self._edges[row] = values.copy()
        self._edges.pop(row - self._edge_rows, None)
        if snapshot.estimator == "flat" and values.size == self.edge_residual.size:
            self.flat = snapshot.messages
            self.edge_residual[:] = values

    def note_settled(self, tolerance: float) -> None:
        """Find the last iteration at which each message changed by more than the tolerance."""
        for row, values in self._edges.items():
            self.settled[np.nan_to_num(values, nan=0.0) > tolerance] = row

    def trace(self, damping: float) -> Trace:
        """Everything kept; messages are the slowest ones, slowest first."""
        rows = self._keeper.rows()
        iterations = np.array([iteration for iteration, _ in rows], dtype=np.int64)
        width = sum(len(variable.states) for variable in self._followed)
        beliefs = np.array([row.beliefs for _, row in rows], dtype=self._tracing.precision)
        shown, residuals = self._slowest(iterations)
        return Trace(
            iterations=iterations,
            nodes=tuple(v.name for v in self._followed),
            states=tuple(v.states for v in self._followed),
            beliefs=beliefs.reshape(len(rows), width),
            residual=np.array([row.residual for _, row in rows]),
            log_z=np.array([row.log_z for _, row in rows]),
            damping=np.full(len(rows), damping),
            seconds=np.array([row.seconds for _, row in rows]),
            estimator=tuple(row.estimator for _, row in rows),
            messages=shown,
            message_residual=residuals,
        )

    def _slowest(self, iterations: IntArray) -> tuple[tuple[str, ...], FloatArray]:
        edges = self.compiled.graph.arrays.edge_variable.size
        total, last = np.zeros(edges), np.zeros(edges)
        for row, values in self._edges.items():
            finite = np.where(np.isfinite(values), values, 0.0)
            total += finite
            # The slowest message is the one that still moved late: later iterations count more.
            last[finite > 0.0] = row + 1
        order = np.lexsort((-total, -last))[:MESSAGE_EDGES]
        shown = np.full((iterations.size, order.size), np.nan)
        for row, iteration in enumerate(iterations):
            if int(iteration) in self._edges:
                shown[row] = self._edges[int(iteration)][order]
        return tuple(self._label(int(edge)) for edge in order), shown

    def _label(self, edge: int) -> str:
        graph = self.compiled.graph
        factor = int(np.searchsorted(graph.arrays.factor_edges, edge, side="right")) - 1
        target = int(graph.arrays.edge_variable[edge])
        others = [graph.variables[v].name for v in graph.factors[factor].scope if v != target]
        return f"{', '.join(others)} → {graph.variables[target].name}"
