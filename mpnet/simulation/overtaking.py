"""When one rival passed another: the moments that a fight is about."""

from __future__ import annotations

import numpy as np

from mpnet.nodes.base import ACTIVATION
from mpnet.simulation.loading import Scenario
from mpnet.trace import Event, FloatArray, Trace

SHOWN = 6
"""Overtakings reported, at most: the last ones."""


LEAD = 1e-6
"""A lead by less is a tie."""

SEEN = 0.05
"""Belief below which models are no rivals for the first place."""


def ties(trace: Trace, scenario: Scenario) -> list[Event]:
    """Rivals that end side by side: states of a choice, or models in question."""
    if not len(trace.residual):
        return []
    domains, asked = scenario.society.domains, scenario.in_question
    groups = [
        (name, {state: float(trace.belief(name, state)[-1]) for state in domains[name]})
        for name in asked
        if domains[name] != ACTIVATION and name in trace.nodes
    ]
    models = [n for n in asked if domains[n] == ACTIVATION and n in trace.nodes]
    groups.append(("", {name: float(trace.belief(name, "active")[-1]) for name in models}))
    found = []
    for node, beliefs in groups:
        ranked = sorted(beliefs, key=lambda rival: -beliefs[rival])[:2]
        if len(ranked) < 2 or beliefs[ranked[1]] <= SEEN:
            continue
        if beliefs[ranked[0]] - beliefs[ranked[1]] < LEAD:
            text = f"{ranked[0]} and {ranked[1]} end in a tie at {beliefs[ranked[0]]:.3g}"
            found.append(Event(trace.last, "tie", node or ranked[0], text))
    return found


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
            events += _changes(trace, curves, states, name)
    if len(models) > 1:
        curves = np.array([trace.belief(name, "active") for name in models])
        events += _changes(trace, curves, tuple(models), "")
    return sorted(events, key=lambda e: e.iteration)[-SHOWN:]


def _changes(trace: Trace, curves: FloatArray, labels: tuple[str, ...], node: str) -> list[Event]:
    """Events where another curve becomes the highest; the first iteration is no overtaking."""
    if curves.shape[1] < 2 or np.isnan(curves).any():
        return []
    leaders = curves.argmax(axis=0)
    events = []
    for row in range(2, curves.shape[1]):
        before, now = leaders[row - 1], leaders[row]
        if before != now and curves[now, row] - curves[before, row] > 1e-6:
            text = f"{labels[now]} overtakes {labels[before]}"
            iteration = int(trace.iterations[row])
            events.append(Event(iteration, "overtake", node or labels[now], text))
    return events
