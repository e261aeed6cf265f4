"""How sure each node is over the iterations: winners rise, losers fall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mpnet.plots import panels, style
from mpnet.plots.columns import Columns, thinned
from mpnet.plots.contents import has_content
from mpnet.plots.lane import draw_lane, lane_height
from mpnet.plots.overtakes import with_overtakes
from mpnet.plots.series import Look, asked_nodes, top_movers
from mpnet.plots.style import EndLabel, place
from mpnet.plots.wording import middle, nats, short
from mpnet.record import NodeInfo, Record
from mpnet.trace import FloatArray

WIDTH, LEFT, COLUMN = 11.0, 1.0, 7.6
UPPER, RESIDUAL, GAP, LANE_GAP, TOP, BOTTOM = 3.7, 1.4, 0.24, 0.16, 0.72, 0.75


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
    record = thinned(with_overtakes(record))
    lane = lane_height(record)
    height = TOP + lane + LANE_GAP + UPPER + GAP + RESIDUAL + BOTTOM
    figure = style.new_figure(record, "confidence", (WIDTH, height))
    draw_lane(place(figure, LEFT, height - TOP - lane, COLUMN, lane), record)
    upper = place(figure, LEFT, BOTTOM + RESIDUAL + GAP, COLUMN, UPPER)
    lower = place(figure, LEFT, BOTTOM, COLUMN, RESIDUAL)
    for axes in (upper, lower):
        panels.iteration_axis(axes, record, last=axes is lower)
        panels.shade(axes, record)
    _lines(upper, record, confidences(record))
    panels.residual(lower, record)
    panels.side_label(upper, "confidence  1 − H / log K", 0.55)
    panels.side_label(lower, "undamped\nresidual (nats)", 0.55)
    return figure


def confidences(record: Record) -> list[Confidence]:
    """Return the confidence of the nodes in question, surest winner first.

    A node with K states and entropy H has confidence 1 - H / log K; it counts as negative
    while a node that may be active is more likely not to be.
    """
    columns = Columns(record.trace)
    found = [_confidence(columns, node) for node in asked_nodes(record) if len(node.states) > 1]
    return sorted(found, key=lambda item: -float(item.values[-1]))


def _confidence(columns: Columns, node: NodeInfo) -> Confidence:
    block, states = columns.of(node.name), columns.states(node.name)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(block > 0, block * np.log(block), 0.0)
    values = 1 + terms.sum(axis=0) / np.log(len(states))
    if "active" in states:
        values = np.where(block[states.index("active")] < 0.5, -values, values)
        return Confidence(middle(node.name, 24), values, bool(values[-1] > 0))
    best = states[int(np.argmax(block[:, -1]))]
    return Confidence(f"{middle(node.name, 16)} = {short(best, 12)}", values, True)


def _lines(axes: Axes, record: Record, lines: list[Confidence]) -> None:
    """Draw winners thick and solid, losers thin and dashed."""
    axes.set_ylim(-1.05 if any(np.any(line.values < 0) for line in lines) else -0.03, 1.05)
    axes.axhline(0, color="#8C8C8C", linewidth=0.9, zorder=1)
    named, rest = top_movers(lines)
    drawn = _looks(named)
    iterations = record.trace.iterations
    left_out = panels.draw_faint(axes, iterations, [line.values for line in rest])
    panels.draw_lines(axes, iterations, [(line.values, look) for line, look in zip(named, drawn)])
    labels = [
        EndLabel(
            float(line.values[-1]),
            f"{line.label}  {nats(float(line.values[-1]))}",
            style.INK[look.color],
            line.wins,
        )
        for line, look in zip(named, drawn)
    ]
    style.end_labels(axes, labels)
    notes = ["thick: wins", "thin dashed: loses", "+1 surely there, 0 undecided, −1 surely not"]
    if rest:
        notes.append(f"{len(named)} top movers of {len(lines)} labelled")
    panels.corner(axes, " · ".join([*notes, *([left_out] if left_out else [])]))


def _looks(lines: list[Confidence]) -> list[Look]:
    """Colours as the figure convergence has them; only winners are solid."""
    count = len(style.PALETTE)
    solid, dashes = style.DASHES[0], style.DASHES[1:]
    return [
        Look(
            style.PALETTE[index % count],
            solid if line.wins else dashes[(index + index // count) % len(dashes)],
            2.5 if line.wins else 1.2,
        )
        for index, line in enumerate(lines)
    ]
