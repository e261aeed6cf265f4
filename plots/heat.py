"""Beliefs of all nodes by iteration, as one heat map: who rises, who falls, and who waits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from mpnet.plots import panels, style
from mpnet.plots.columns import Columns, row_edges, thinned
from mpnet.plots.contents import has_content
from mpnet.plots.lane import draw_lane, lane_height
from mpnet.plots.layout import LAYERS
from mpnet.plots.overtakes import with_overtakes
from mpnet.plots.series import settled_row
from mpnet.plots.style import place
from mpnet.plots.wording import probability, state_label
from mpnet.record import NodeInfo, Record
from mpnet.trace import FloatArray

WIDTH, LEFT, COLUMN = 11.0, 2.45, 6.6
TALL, ROW, LEAST = 6.2, 0.155, 1.5
TOP, LANE_GAP, BOTTOM = 0.72, 0.3, 0.75
CELLS = 600
"""Columns of the map, at most."""
ROWS = 300
"""Rows of the map, at most."""
TICKED = 80
"""Rows up to which the map marks when each settled."""
RARE = 0.1
"""Where nobody asked about is believed more, colours go by log-odds."""
MARKED = (1e-8, 1e-6, 1e-4, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999)
"""Beliefs that the key names then."""
SIZE = 7.2


@dataclass(frozen=True)
class Row:
    """Belief of one node over the iterations: of active, or of the state that leads at the end."""

    label: str
    kind: str
    values: FloatArray
    asked: bool
    settled: int


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw a row for each node, grouped by kind, the most believed on top."""
    if not has_content("heat", record):
        return None
    record = thinned(with_overtakes(record), CELLS)
    every = belief_rows(record)
    rows, remark = binned(every)
    lane = lane_height(record)
    tall = float(np.clip(ROW * len(rows), LEAST, TALL))
    height = TOP + lane + LANE_GAP + tall + BOTTOM
    figure = style.new_figure(record, f"heat · {len(every)} nodes", (WIDTH, height))
    draw_lane(place(figure, LEFT, height - TOP - lane, COLUMN, lane), record)
    axes = place(figure, LEFT, BOTTOM, COLUMN, tall)
    panels.iteration_axis(axes, record, last=True)
    _map(axes, record, rows)
    _names(axes, rows)
    notes = ["bold: in question", *(["tick: settled"] if len(rows) <= TICKED else []), remark]
    panels.corner(axes, " · ".join(note for note in notes if note))
    return figure


def belief_rows(record: Record) -> list[Row]:
    """Return a row for each node that was followed, by kind from the top, highest first."""
    columns, known = Columns(record.trace), set(record.trace.nodes)
    rows = [_row(columns, node) for node in record.nodes if node.name in known and node.states]
    return sorted(rows, key=lambda row: (-LAYERS.get(row.kind, 2), -row.values[-1], row.settled))


def _row(columns: Columns, node: NodeInfo) -> Row:
    block, states = columns.of(node.name), columns.states(node.name)
    leading = int(np.argmax(np.nan_to_num(block[:, -1])))
    best = states.index("active") if "active" in states else leading
    values = block[best]
    label = state_label(node.name, states[best], 26)
    return Row(label, node.kind, values, node.in_question, settled_row(values))


def binned(rows: Sequence[Row]) -> tuple[list[Row], str]:
    """Take one row out of several where there are too many, whichever moved most; and say so."""
    if len(rows) <= ROWS:
        return list(rows), ""
    size = -(-len(rows) // ROWS)
    kept = []
    for _, group in groupby(rows, key=lambda row: row.kind):
        mine = list(group)
        for first in range(0, len(mine), size):
            kept.append(max(mine[first : first + size], key=lambda row: np.ptp(row.values)))
    return kept, f"one row for {size} nodes, whichever of them moved most"


def _map(axes: Axes, record: Record, rows: Sequence[Row]) -> None:
    values = np.ma.masked_invalid(np.array([row.values for row in rows]))
    limits = (0.0, 1.0)
    rare = _all_rare(rows)
    if rare:
        values = _log_odds(values)
        limits = (min(float(values.min()), -1.0), max(float(values.max()), 0.0))
    axes.pcolormesh(
        row_edges(record),
        np.arange(len(rows) + 1) - 0.5,
        values,
        cmap="cividis",
        vmin=limits[0],
        vmax=limits[1],
        rasterized=True,
        linewidth=0,
    )
    axes.set_ylim(len(rows) - 0.5, -0.5)
    for at in panels.event_marks(record):
        line = axes.axvline(at, color="white", linewidth=0.8, linestyle=(0, (4, 3)), zorder=2)
        style.keep_colors(line)
    if len(rows) <= TICKED:
        _ticks(axes, record, rows)
    _kinds(axes, rows)
    _color_bar(axes, limits, rare)


def _all_rare(rows: Sequence[Row]) -> bool:
    """Whether whoever the run asks about is hardly believed, so that log-odds show more."""
    asked = [row.values for row in rows if row.asked] or [row.values for row in rows]
    return float(np.nan_to_num(np.array(asked)).max()) < RARE


def _log_odds(values: Any) -> Any:
    clipped = np.ma.clip(values, 1e-9, 1 - 1e-9)
    return np.ma.log(clipped) - np.ma.log(1 - clipped)


def _ticks(axes: Axes, record: Record, rows: Sequence[Row]) -> None:
    """Mark in each row from when on its belief stayed within a hundredth of the last one."""
    at = record.trace.iterations
    marks = [[(at[r.settled], i - 0.38), (at[r.settled], i + 0.38)] for i, r in enumerate(rows)]
    for color, width in (("black", 3.0), ("white", 1.4)):
        lines = LineCollection(marks, colors=color, linewidths=width, zorder=3)
        axes.add_collection(style.keep_colors(lines))


def _kinds(axes: Axes, rows: Sequence[Row]) -> None:
    """Part the kinds by lines, and name those that have room for it on the left."""
    figure = cast("Figure", axes.figure)
    height = axes.get_position().height * figure.get_figheight() * 72
    first = 0
    for kind, group in groupby(rows, key=lambda row: row.kind):
        count = len(list(group))
        if first:
            style.keep_colors(axes.axhline(first - 0.5, color="white", linewidth=1.6, zorder=4))
        if count / len(rows) * height > style.text_width(figure, kind, SIZE + 0.8) + 4:
            middle = 1 - (first + count / 2) / len(rows)
            axes.text(
                -(LEFT - 0.42) / COLUMN,
                middle,
                kind,
                transform=axes.transAxes,
                rotation=90,
                va="center",
                ha="center",
                size=SIZE + 0.8,
                color=style.GREY,
            )
        first += count


def _names(axes: Axes, rows: Sequence[Row]) -> None:
    """Name every n-th row on the left and write its last belief on the right."""
    figure = cast("Figure", axes.figure)
    height = axes.get_position().height * figure.get_figheight() * 72
    step = max(1, math.ceil((SIZE + 2.2) * len(rows) / height))
    places = list(range(0, len(rows), step))
    room = (LEFT - 0.62) * 72
    labels = [style.fit(figure, rows[i].label, SIZE * 1.06, room) for i in places]
    axes.set_yticks(places, labels, fontsize=SIZE)
    axes.tick_params(axis="y", length=2, pad=2)
    for text, index in zip(axes.get_yticklabels(), places):
        text.set_fontweight("bold" if rows[index].asked else "normal")
    for index in places:
        axes.text(
            1.008,
            1 - (index + 0.5) / len(rows),
            probability(float(rows[index].values[-1])),
            transform=axes.transAxes,
            size=SIZE,
            va="center_baseline",
            color="#444444",
        )


def _color_bar(axes: Axes, limits: tuple[float, float], rare: bool) -> None:
    box = axes.get_position()
    figure: Any = axes.figure
    bar = figure.add_axes((box.x1 + 0.062, box.y0, 0.014, box.height))
    ramp = np.linspace(0, 1, 128)[:, None]
    bar.imshow(ramp, aspect="auto", origin="lower", extent=(0, 1, *limits), cmap="cividis")
    bar.set_xticks([])
    marks = [p for p in MARKED if limits[0] <= _log_odds(p) <= limits[1]] if rare else [0, 0.5, 1]
    places = [float(_log_odds(p)) for p in marks] if rare else marks
    bar.set_yticks(places, [f"{p:g}" for p in marks], fontsize=7)
    bar.yaxis.tick_right()
    bar.yaxis.set_label_position("right")
    bar.set_ylabel("belief, by log-odds" if rare else "belief", fontsize=7.5)
