"""Moments of overtaking: where another curve becomes the highest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from mpnet.plots.columns import Columns
from mpnet.plots.series import Look, Series, asked_nodes
from mpnet.plots.wording import middle, short
from mpnet.record import Record
from mpnet.trace import Event, FloatArray

LEAD = 1e-6
"""A lead by less is a tie."""
SEEN = 0.05
"""Belief below which nobody counts as a leader."""
NAMED = 6
"""Overtakings named in the lane, at most: the last ones."""
MARKED = 40
"""Overtakings marked on the curves, at most: the last ones."""


@dataclass(frozen=True)
class Overtake:
    """A node and state that becomes the most believed of its rivals at a row of the trace."""

    row: int
    node: str
    state: str
    before: tuple[str, str]
    belief: float


def overtakes(record: Record) -> list[Overtake]:
    """All changes of leader among models in question, and among the states of each other node."""
    columns = Columns(record.trace)
    names, curves, found = [], [], []
    for node in asked_nodes(record):
        block = columns.of(node.name)
        states = columns.states(node.name)
        if "active" in states and len(states) == 2:
            names.append((node.name, "active"))
            curves.append(block[states.index("active")])
        elif len(states) > 2:
            found += _changes([(node.name, state) for state in states], block)
    if len(curves) > 1:
        found += _changes(names, np.array(curves))
    return sorted(found, key=lambda change: change.row)


def _changes(names: list[tuple[str, str]], curves: FloatArray) -> list[Overtake]:
    """Rows where another curve leads; the first iteration is no overtaking."""
    known = np.where(np.isfinite(curves), curves, -1.0)
    leaders = known.argmax(axis=0)
    found = []
    for row in np.flatnonzero(leaders[2:] != leaders[1:-1]) + 2:
        now, before = leaders[row], leaders[row - 1]
        node, state = names[now]
        if known[now, row] > max(known[before, row] + LEAD, SEEN) and known[before, row] >= 0:
            found.append(Overtake(int(row), node, state, names[before], float(known[now, row])))
    return found


def with_overtakes(record: Record) -> Record:
    """Return the record with the last overtakings among its events, where they are not yet."""
    known = {event.iteration for event in record.events if event.kind == "overtake"}
    events = []
    for change in overtakes(record)[-NAMED:]:
        iteration = int(record.trace.iterations[change.row])
        if iteration not in known:
            events.append(Event(iteration, "overtake", change.node, _text(change)))
    return replace(record, events=(*record.events, *events))


def _text(change: Overtake) -> str:
    """Say who passed whom: two models, or two states of one node."""
    node, state = change.before
    if state == "active":
        return f"{middle(change.node, 18)} overtakes {middle(node, 18)}"
    return f"{middle(node, 14)}: {short(change.state, 12)} overtakes {short(state, 12)}"


def mark_overtakes(
    axes: Axes,
    record: Record,
    drawn: Iterable[tuple[Series, Look]],
    scale: Callable[[Any], Any],
) -> bool:
    """Put a small triangle on each curve where it becomes the highest; whether there are any."""
    colors = {(line.node, line.state): look.color for line, look in drawn}
    marks = [c for c in overtakes(record) if (c.node, c.state) in colors][-MARKED:]
    for change in marks:
        axes.plot(
            [record.trace.iterations[change.row]],
            [float(scale(np.array(change.belief)))],
            "^",
            color=colors[change.node, change.state],
            markeredgecolor="white",
            markeredgewidth=0.7,
            markersize=6.5,
            zorder=5,
            gid="overtake-mark",
        )
    return bool(marks)
