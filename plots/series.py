"""Which beliefs a figure over the iterations shows, and how each line looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from mpnet.plots import style
from mpnet.plots.columns import Columns
from mpnet.plots.wording import short, state_label
from mpnet.record import NodeInfo, Record
from mpnet.trace import FloatArray

Dash = tuple[float, tuple[float, ...]]


class HasValues(Protocol):
    """Something with a value for each row of a trace."""

    @property
    def values(self) -> FloatArray:
        """The values, shape (T,)."""
        ...


Line = TypeVar("Line", bound=HasValues)

CHANGES = frozenset({"evidence", "do", "awaken", "compose", "retire"})
"""Events after which a run is about another graph, or other evidence."""
SETTLED = 0.01
"""Distance from its last value within which a belief counts as settled."""
LABELLED = 12
"""Lines of a panel that get a colour and a label of their own, at most."""
LEADERS = 4
"""Of these, those that end highest; the others are the ones that moved most."""


@dataclass(frozen=True)
class Series:
    """One belief over the iterations; ``states`` counts the states of its node."""

    label: str
    values: FloatArray
    exact: float | None
    winner: bool
    states: int
    node: str
    state: str

    @property
    def final(self) -> float:
        """Last value."""
        return float(self.values[-1])


@dataclass(frozen=True)
class Look:
    """Colour, dash pattern, width and opacity of one line."""

    color: str
    dash: Dash
    width: float
    alpha: float = 1.0


def asked_nodes(record: Record) -> list[NodeInfo]:
    """Nodes in question; if a run asks about none, the models; if there are none, all."""
    known = set(record.trace.nodes)
    nodes = [node for node in record.nodes if node.name in known and node.states]
    asked = [node for node in nodes if node.in_question]
    models = [node for node in nodes if node.kind != "feature" and not node.evidence]
    return asked or models or nodes


def belief_series(record: Record) -> list[Series]:
    """Return the beliefs in question, highest final belief first."""
    nodes = asked_nodes(record)
    wide = sum(len(node.states) > 2 for node in nodes)
    limit = 12 if wide == 1 else 3
    columns, alone = Columns(record.trace), len(nodes) == 1
    exact = record.exact or {}
    found = [
        series
        for node in nodes
        for series in _of_node(node, columns, exact.get(node.name, {}), limit, alone)
    ]
    return sorted(found, key=lambda series: -series.final)


def top_movers(lines: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """Split lines, highest first, into those to name and those to draw faintly.

    All are named while there are few; else the leaders at the end and whoever moved most.
    """
    moved = [spread_of(line.values) for line in lines]
    ranked = sorted(range(LEADERS, len(lines)), key=lambda i: (-moved[i], i))
    named = {*range(LEADERS), *ranked[: LABELLED - LEADERS]}
    if len(lines) <= LABELLED:
        return list(lines), []
    return (
        [line for i, line in enumerate(lines) if i in named],
        [line for i, line in enumerate(lines) if i not in named],
    )


def spread_of(values: FloatArray) -> float:
    """How far the highest value is above the lowest; 0 where there is none."""
    good = values[np.isfinite(values)]
    return float(np.ptp(good)) if good.size else 0.0


def _of_node(
    node: NodeInfo, columns: Columns, exact: Mapping[str, float], limit: int, alone: bool
) -> list[Series]:
    values = dict(zip(columns.states(node.name), columns.of(node.name), strict=True))
    ranked = sorted(node.states, key=lambda state: -float(values[state][-1]))
    binary = len(node.states) <= 2
    shown = ["active"] if binary and "active" in node.states else ranked[: 1 if binary else limit]
    return [
        Series(
            label=short(state, 18) if alone and not binary else state_label(node.name, state, 18),
            values=values[state],
            exact=exact.get(state),
            winner=state == ranked[0],
            states=len(node.states),
            node=node.name,
            state=state,
        )
        for state in shown
    ]


def looks(winners: Sequence[bool]) -> list[Look]:
    """Give every line a colour and a dash pattern; winners are thick, losers thin and faint.

    The first seven differ in both; lines after that take a colour again with another pattern.
    """
    count = len(style.PALETTE)
    return [
        Look(
            style.PALETTE[index % count],
            style.DASHES[(index + index // count * 3) % count],
            2.4 if winner else 1.1,
            1.0 if winner else 0.7,
        )
        for index, winner in enumerate(winners)
    ]


def stages(record: Record) -> list[tuple[str, int, int]]:
    """Runs of equal estimator: name, first row, last row."""
    found: list[tuple[str, int, int]] = []
    for row, name in enumerate(record.trace.estimator):
        if found and found[-1][0] == name:
            found[-1] = (name, found[-1][1], row)
        else:
            found.append((name, row, row))
    return found


def spans(record: Record) -> list[tuple[str, float, float]]:
    """Runs of equal estimator along an axis of iterations: name, left end, right end."""
    found = stages(record)
    iterations = record.trace.iterations
    starts = [float(iterations[first]) - 0.5 for _, first, _ in found]
    ends = [*starts[1:], record.trace.last + 0.5]
    return [(name, start, end) for (name, _, _), start, end in zip(found, starts, ends)]


def judged_from(record: Record) -> float:
    """Where on the axis exact values and bounds begin to hold: after the last change of a life."""
    if not record.phases:
        return -0.5
    rows = record.trace.iterations
    moment = int(rows[min(max(record.phases[-1].first, 0), rows.size - 1)])
    changes = [event.iteration for event in record.events if event.kind in CHANGES]
    return float(max([moment, *changes]))


def converged_row(record: Record) -> int | None:
    """Row at which the run converged; None if it did not, or if another start did than is shown."""
    if not record.trace.at_rest(record.tolerance):
        return None
    if record.status != "converged" or record.trace.iterations.size == 0:
        return None
    marks = [event.iteration for event in record.events if event.kind == "converged"]
    return record.trace.row_of(marks[-1] if marks else record.iterations)


def converged_at(record: Record) -> int | None:
    """Iteration at which the run converged; None where ``converged_row`` is."""
    row = converged_row(record)
    return None if row is None else int(record.trace.iterations[row])


def settled_row(values: FloatArray) -> int:
    """First row from which on all values are within a hundredth of the last one."""
    far = np.flatnonzero(~(np.abs(values - values[-1]) <= SETTLED))
    return min(int(far[-1]) + 1, values.size - 1) if far.size else 0
