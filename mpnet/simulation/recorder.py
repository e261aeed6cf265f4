"""Collects a trace while an estimator runs."""

from __future__ import annotations

import time

import numpy as np

from mpnet.estimators.base import Snapshot
from mpnet.estimators.compiling import Compiled
from mpnet.estimators.joints import joint_of
from mpnet.kernels.layout import FloatArray
from mpnet.trace import MESSAGE_EDGES, Event, Trace

EDGE_NUMBERS = 4_000_000
"""Edge residuals kept while running, at most, in numbers; the latest iterations win."""


class Recorder:
    """An observer that keeps every iteration of one run on one compiled graph."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.events: list[Event] = []
        self._start = time.perf_counter()
        self._beliefs: list[FloatArray] = []
        self._rows: list[tuple[float, float, float, str]] = []
        self._edges: dict[int, FloatArray] = {}
        edges = compiled.graph.arrays.edge_variable.size
        self._edge_rows = max(1, EDGE_NUMBERS // max(1, edges))

    def __call__(self, snapshot: Snapshot) -> None:
        """Keep one iteration."""
        row = len(self._rows)
        if snapshot.event is not None:
            kind, node, text = snapshot.event
            self.events.append(Event(max(0, row - 1), kind, node, text))
        beliefs = snapshot.messages.marginals()
        for variable, belief in snapshot.overrides.items():
            beliefs[self.compiled.graph.states_of(variable)] = belief
        joint = joint_of(snapshot.messages)
        self._beliefs.append(self.compiled.full_beliefs(beliefs, joint))
        seconds = time.perf_counter() - self._start
        self._rows.append((snapshot.residual, snapshot.log_z, seconds, snapshot.estimator))
        self._edges[row] = snapshot.edge_residual.copy()
        self._edges.pop(row - self._edge_rows, None)

    def trace(self, damping: float) -> Trace:
        """Everything kept; messages are the slowest ones, slowest first."""
        graph = self.compiled.original
        rows = len(self._rows)
        shown, residuals = self._slowest(rows)
        return Trace(
            iterations=np.arange(rows, dtype=np.int64),
            nodes=tuple(v.name for v in graph.variables),
            states=tuple(v.states for v in graph.variables),
            beliefs=np.array(self._beliefs).reshape(rows, graph.unary.size),
            residual=np.array([r[0] for r in self._rows]),
            log_z=np.array([r[1] for r in self._rows]),
            damping=np.full(rows, damping),
            seconds=np.array([r[2] for r in self._rows]),
            estimator=tuple(r[3] for r in self._rows),
            messages=shown,
            message_residual=residuals,
        )

    def _slowest(self, rows: int) -> tuple[tuple[str, ...], FloatArray]:
        edges = self.compiled.graph.arrays.edge_variable.size
        total, last = np.zeros(edges), np.zeros(edges)
        for row, values in self._edges.items():
            finite = np.where(np.isfinite(values), values, 0.0)
            total += finite
            # The slowest message is the one that still moved late: later iterations count more.
            last[finite > 0.0] = row + 1
        order = np.lexsort((-total, -last))[:MESSAGE_EDGES]
        shown = np.full((rows, order.size), np.nan)
        for row, values in self._edges.items():
            shown[row] = values[order]
        return tuple(self._label(int(edge)) for edge in order), shown

    def _label(self, edge: int) -> str:
        graph = self.compiled.graph
        factor = int(np.searchsorted(graph.arrays.factor_edges, edge, side="right")) - 1
        target = int(graph.arrays.edge_variable[edge])
        others = [graph.variables[v].name for v in graph.factors[factor].scope if v != target]
        return f"{', '.join(others)} → {graph.variables[target].name}"
