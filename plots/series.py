"""Which beliefs a figure over the iterations shows, and how each line looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mpnet.plots import style
from mpnet.plots.wording import short, state_label
from mpnet.record import NodeInfo, Record
from mpnet.trace import FloatArray

Dash = tuple[float, tuple[float, ...]]


@dataclass(frozen=True)
class Series:
    """One belief over the iterations; ``states`` counts the states of its node."""

    label: str
    values: FloatArray
    exact: float | None
    winner: bool
    states: int

    @property
    def final(self) -> float:
        """Last value."""
        return float(self.values[-1])


@dataclass(frozen=True)
class Look:
    """Colour, dash pattern and width of one line."""

    color: str
    dash: Dash
    width: float


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
    found = [series for node in nodes for series in _of_node(record, node, limit, len(nodes) == 1)]
    return sorted(found, key=lambda series: -series.final)


def _of_node(record: Record, node: NodeInfo, limit: int, alone: bool) -> list[Series]:
    values = {state: record.trace.belief(node.name, state) for state in node.states}
    ranked = sorted(node.states, key=lambda state: -float(values[state][-1]))
    binary = len(node.states) <= 2
    shown = ["active"] if binary and "active" in node.states else ranked[: 1 if binary else limit]
    exact = (record.exact or {}).get(node.name, {})
    return [
        Series(
            label=short(state, 18) if alone and not binary else state_label(node.name, state, 18),
            values=values[state],
            exact=exact.get(state),
            winner=state == ranked[0],
            states=len(node.states),
        )
        for state in shown
    ]


def looks(winners: Sequence[bool]) -> list[Look]:
    """Give the first seven lines a colour and a dash pattern each, the rest grey; winners thick."""
    return [
        Look(style.PALETTE[index], style.DASHES[index], 2.4 if winner else 1.1)
        if index < len(style.PALETTE)
        else Look(style.FAINT, style.DASHES[0], 0.8)
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


def converged_row(record: Record) -> int | None:
    """Row at which the run converged; None if it did not."""
    rows = len(record.trace.residual)
    if record.status != "converged" or rows == 0:
        return None
    marks = [event.iteration for event in record.events if event.kind == "converged"]
    return int(np.clip(marks[-1] if marks else record.iterations, 0, rows - 1))
