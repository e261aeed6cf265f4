"""When one rival passed another: the moments that a fight is about."""

from __future__ import annotations

import numpy as np

from mpnet.nodes.base import ACTIVATION
from mpnet.simulation.loading import Scenario
from mpnet.trace import Event, Trace

SHOWN = 6
"""Overtakings reported, at most: the last ones."""


def overtakings(trace: Trace, scenario: Scenario) -> list[Event]:
    """Changes of leader among the states of each choice, and among models in question."""
    events = []
    asked = scenario.in_question
    domains = scenario.society.domains
    models = [n for n in asked if domains[n] == ACTIVATION and n in trace.nodes]
    for name in asked:
        states = scenario.society.domains[name]
        if states != ACTIVATION and name in trace.nodes:
            curves = np.array([trace.belief(name, state) for state in states])
            events += _changes(curves, states, name)
    if len(models) > 1:
        curves = np.array([trace.belief(name, "active") for name in models])
        events += _changes(curves, tuple(models), "")
    return sorted(events, key=lambda e: e.iteration)[-SHOWN:]


def _changes(
    curves: np.ndarray[tuple[int, ...], np.dtype[np.float64]], labels: tuple[str, ...], node: str
) -> list[Event]:
    """Events where another curve becomes the highest; the first iteration is no overtaking."""
    if curves.shape[1] < 2 or np.isnan(curves).any():
        return []
    leaders = curves.argmax(axis=0)
    events = []
    for row in range(2, curves.shape[1]):
        before, now = leaders[row - 1], leaders[row]
        if before != now and curves[now, row] - curves[before, row] > 1e-6:
            text = f"{labels[now]} overtakes {labels[before]}"
            events.append(Event(row, "overtake", node or labels[now], text))
    return events
