"""Asynchronous: no centre; each variable wakes by its own clock, messages are late or get lost.

A wake-up is one event of a Poisson process. A variable then hears what has reached its factors
by that time, and speaks to all of them. What it says takes an exponential time to arrive, and
may get lost; nothing is sent again but by the next wake-up. Wherever the fixed point is unique,
delays and losses change only how long it takes to get there.
"""

from __future__ import annotations

import numpy as np

from mpnet.kernels.clocks import run_clocks
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages
from mpnet.schedules.base import Settings, Sweep

SLOWEST, FASTEST = 0.5, 1.5
"""Wake-ups of a variable per iteration: each variable draws a rate between these."""


class Asynchronous:
    """Clocks, links and what is on them; one sweep is one unit of time.

    The residual is that of all messages, as if everything said had been heard: a sweep in
    which messages got lost can't look settled.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or Settings()
        self._draw = np.random.default_rng(self._settings.seed)
        self._now = 0.0
        self._links: _Links | None = None
        self._rates: FloatArray = np.empty(0)

    def sweep(self, messages: Messages, damping: float) -> Sweep:
        """Let one unit of time pass: on average, each variable wakes once."""
        graph = messages.graph
        if not graph.families:
            return Sweep(0.0, -1, messages.refresh())
        if messages.linear:
            messages.use_logs()
        if self._links is None:
            self._rates = self._draw.uniform(SLOWEST, FASTEST, size=len(graph.variables))
            self._links = _Links(messages)
        order, times = self._wakes()
        starts = graph.arrays.variable_edges
        sent = int((starts[order + 1] - starts[order]).sum())
        pauses = self._draw.exponential(self._settings.delay or 1.0, size=sent)
        if self._settings.delay == 0.0:
            pauses[:] = 0.0
        losses = (self._draw.uniform(size=sent) < self._settings.loss).astype(np.float64)
        links = self._links
        factor, variable = run_clocks(
            messages.semiring,
            messages.states,
            graph.arrays,
            graph.edge_factor,
            messages.family_arrays,
            messages.potentials,
            order,
            times,
            pauses,
            losses,
            messages.limits,
            float(damping),
            messages.to_variable,
            messages.to_factor,
            messages.beliefs,
            links.arrival,
            links.lost,
            links.moving,
            links.waiting,
            links.held,
            links.scratch,
            messages.edge_residual,
        )
        last = messages.refresh()
        residual, dead = messages.ask_factors(0.0, links.scratch, messages.edge_residual)
        return Sweep(
            residual,
            factor if factor >= 0 else dead,
            variable if variable >= 0 else last,
            sent,
        )

    def _wakes(self) -> tuple[np.ndarray[tuple[int], np.dtype[np.int32]], FloatArray]:
        """Who wakes within the next unit of time, and when."""
        total = float(self._rates.sum())
        count = int(self._draw.poisson(total))
        order = self._draw.choice(self._rates.size, size=count, p=self._rates / total)
        times = self._now + np.sort(self._draw.uniform(size=count))
        self._now += 1.0
        return order.astype(np.int32), times


class _Links:
    """What is on the way, one link per edge; at first everything said has been heard."""

    def __init__(self, messages: Messages) -> None:
        edges = messages.edge_residual.size
        self.arrival = np.full((2, edges), np.inf)
        self.lost = np.zeros((2, edges))
        self.held = messages.to_factor.copy()
        self.moving = self.held.copy()
        self.waiting = self.held.copy()
        self.scratch = self.held.copy()
