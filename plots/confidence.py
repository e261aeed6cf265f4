"""How sure each node is over the iterations: winners rise, losers fall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mpnet.plots import panels, style
from mpnet.plots.contents import has_content
from mpnet.plots.lane import draw_lane, lane_height
from mpnet.plots.series import Look, asked_nodes
from mpnet.plots.style import EndLabel, place
from mpnet.plots.wording import nats, short
from mpnet.record import NodeInfo, Record
from mpnet.trace import FloatArray

WIDTH, LEFT, COLUMN = 11.0, 1.0, 7.6
UPPER, RESIDUAL, GAP, LANE_GAP, TOP, BOTTOM = 3.7, 1.4, 0.24, 0.16, 0.72, 0.75
LABELS = 24


@dataclass(frozen=True)
class Confidence:
    """Signed confidence of one node: ``values`` in -1 to 1, shape (T,)."""

    label: str
    values: FloatArray
    wins: bool


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw the confidence of each node in question, and the residual below."""
    if not has_content("confidence", record):
        return None
    lane = lane_height(record)
    height = TOP + lane + LANE_GAP + UPPER + GAP + RESIDUAL + BOTTOM
    figure = style.new_figure(record, "confidence", (WIDTH, height))
    draw_lane(place(figure, LEFT, height - TOP - lane, COLUMN, lane), record)
    upper = place(figure, LEFT, BOTTOM + RESIDUAL + GAP, COLUMN, UPPER)
    lower = place(figure, LEFT, BOTTOM, COLUMN, RESIDUAL)
    for axes in (upper, lower):
        panels.iteration_axis(axes, record, last=axes is lower)
        panels.shade(axes, record)
    _lines(upper, confidences(record))
    panels.residual(lower, record)
    panels.side_label(upper, "confidence  1 − H / log K", 0.55)
    panels.side_label(lower, "undamped\nresidual (nats)", 0.55)
    return figure


def confidences(record: Record) -> list[Confidence]:
    """Return the confidence of the nodes in question, surest winner first.

    A node with K states and entropy H has confidence 1 - H / log K; it counts as negative
    while a node that may be active is more likely not to be.
    """
    found = [_confidence(record, node) for node in asked_nodes(record) if len(node.states) > 1]
    return sorted(found, key=lambda item: -float(item.values[-1]))


def _confidence(record: Record, node: NodeInfo) -> Confidence:
    columns = np.stack([record.trace.belief(node.name, state) for state in node.states])
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(columns > 0, columns * np.log(columns), 0.0)
    values = 1 + terms.sum(axis=0) / np.log(len(node.states))
    if "active" in node.states:
        values = np.where(record.trace.belief(node.name, "active") < 0.5, -values, values)
        return Confidence(short(node.name, 24), values, bool(values[-1] > 0))
    best = node.states[int(np.argmax(columns[:, -1]))]
    return Confidence(f"{short(node.name, 16)} = {short(best, 12)}", values, True)


def _lines(axes: Axes, lines: list[Confidence]) -> None:
    """Draw winners thick and solid, losers thin and dashed."""
    axes.set_ylim(-1.05 if any(np.any(line.values < 0) for line in lines) else -0.03, 1.05)
    axes.axhline(0, color="#8C8C8C", linewidth=0.9, zorder=1)
    drawn = _looks(lines)
    panels.draw_lines(axes, [(line.values, look) for line, look in zip(lines, drawn)])
    labels = [
        EndLabel(
            float(line.values[-1]),
            f"{line.label}  {nats(float(line.values[-1]))}",
            style.INK[look.color],
            line.wins,
        )
        for line, look in zip(lines, drawn)
    ]
    kept = labels if len(labels) <= LABELS else labels[: LABELS // 2] + labels[-LABELS // 2 :]
    style.end_labels(axes, kept)
    notes = ["thick: wins", "thin dashed: loses", "+1 surely there, 0 undecided, −1 surely not"]
    if len(kept) < len(labels):
        notes.append(f"{len(labels) - len(kept)} lines not labelled")
    panels.corner(axes, " · ".join(notes))


def _looks(lines: list[Confidence]) -> list[Look]:
    """Colour the first seven, as the figure convergence does; the rest are grey."""
    colors = dict(enumerate(style.PALETTE))
    solid, dashes = style.DASHES[0], style.DASHES[1:]
    return [
        Look(
            colors.get(index, style.FAINT),
            solid if line.wins else dashes[index % len(dashes)],
            2.5 if line.wins else 1.2,
        )
        for index, line in enumerate(lines)
    ]
