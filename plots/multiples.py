"""Small multiples: one panel for each node, all with the same axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from mpnet.plots import panels, style
from mpnet.plots.columns import Columns, thinned
from mpnet.plots.contents import has_content
from mpnet.plots.series import asked_nodes, judged_from, settled_row, spread_of
from mpnet.plots.style import place
from mpnet.plots.wording import probability, state_label
from mpnet.record import NodeInfo, Record
from mpnet.trace import FloatArray

WIDTH, SIDE, TOP, BOTTOM = 11.0, 0.45, 0.95, 0.72
PANELS, ACROSS = 40, 5
PITCH, TALL = 1.12, 0.72
"""Distance of two rows of panels and height of a panel, in inches."""
GUTTER = 0.22
SIZE = 7.4
POINTS = 400
"""Points of a curve, at most."""
MARKS = 6
"""Dashed lines of events in each panel, at most."""


@dataclass(frozen=True)
class Course:
    """What one panel shows: the state that leads at the end, and the node's other states."""

    label: str
    values: FloatArray
    others: tuple[FloatArray, ...]
    exact: float | None
    wins: bool
    settled: int


@dataclass(frozen=True)
class _Cell:
    """Where a panel is, in points from the lower left corner of the drawing."""

    left: float
    bottom: float
    width: float
    height: float
    last: int

    def points(self, iterations: Any, values: Any) -> FloatArray:
        """Places of values over iterations, shape (n, 2)."""
        x = self.left + np.asarray(iterations, dtype=np.float64) / max(self.last, 1) * self.width
        return np.column_stack([x, self.bottom + np.asarray(values) * self.height])


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw a panel for each node in question, those that move most if there are many."""
    if not has_content("multiples", record):
        return None
    record = thinned(record, POINTS)
    every = courses(record)
    shown = most_moving(every)
    rows = -(-len(shown) // ACROSS)
    height = TOP + rows * PITCH + BOTTOM
    figure = style.new_figure(record, "multiples", (WIDTH, height))
    axes = place(figure, SIDE, BOTTOM, WIDTH - 2 * SIDE, rows * PITCH)
    style.bare(axes)
    axes.set_xlim(0, (WIDTH - 2 * SIDE) * 72)
    axes.set_ylim(0, rows * PITCH * 72)
    cells = [_cell(i, rows, record.trace.last) for i in range(len(shown))]
    _frames(axes, record, cells)
    _curves(axes, record, list(zip(cells, shown)))
    _words(axes, list(zip(cells, shown)))
    _scales(axes, record, cells)
    _remarks(figure, every, shown)
    return figure


def courses(record: Record) -> list[Course]:
    """Return the course of each node in question, highest last belief first."""
    columns, exact = Columns(record.trace), record.exact or {}
    found = [_course(columns, node, exact.get(node.name, {})) for node in asked_nodes(record)]
    return sorted(found, key=lambda course: -float(np.nan_to_num(course.values[-1])))


def _course(columns: Columns, node: NodeInfo, exact: Any) -> Course:
    block, states = columns.of(node.name), columns.states(node.name)
    leading = int(np.argmax(np.nan_to_num(block[:, -1])))
    best = states.index("active") if "active" in states else leading
    others = [block[i] for i in np.argsort(-block[:, -1]) if i != best] if len(states) > 2 else []
    values = block[best]
    label = state_label(node.name, states[best], 28)
    known = exact.get(states[best])
    return Course(label, values, tuple(others[:4]), known, best == leading, settled_row(values))


def most_moving(every: Sequence[Course]) -> list[Course]:
    """Return those that move most, up to forty, in the order they come in."""
    ranked = sorted(range(len(every)), key=lambda i: (-spread_of(every[i].values), i))
    return [every[i] for i in sorted(ranked[:PANELS])]


def _cell(index: int, rows: int, last: int) -> _Cell:
    pitch = (WIDTH - 2 * SIDE) * 72 / ACROSS
    row, column = divmod(index, ACROSS)
    bottom = (rows - 1 - row) * PITCH * 72
    left = column * pitch + GUTTER * 36
    return _Cell(left, bottom, pitch - GUTTER * 72, TALL * 72, last)


def _frames(axes: Axes, record: Record, cells: Sequence[_Cell]) -> None:
    """Draw the axes of each panel, its middle line, and when something happened."""
    corners = [cell.points([0, 0, cell.last], [1, 0, 0]) for cell in cells]
    axes.add_collection(LineCollection(corners, colors="#555555", linewidths=0.7, zorder=1))
    halves = [cell.points([0, cell.last], [0.5, 0.5]) for cell in cells]
    axes.add_collection(LineCollection(halves, colors=style.PALE, linewidths=0.8, zorder=0))
    marks = panels.event_marks(record)[:MARKS]
    lines = [cell.points([at, at], [0, 1]) for cell in cells for at in marks]
    axes.add_collection(
        LineCollection(
            lines, colors="#8C8C8C", linewidths=0.6, linestyles=[(0, (4, 3))], zorder=0.5
        )
    )


def _curves(axes: Axes, record: Record, pairs: Sequence[tuple[_Cell, Course]]) -> None:
    at, last = record.trace.iterations, record.trace.last
    others = [cell.points(at, line) for cell, course in pairs for line in course.others]
    axes.add_collection(LineCollection(others, colors=style.FAINT, linewidths=0.8, zorder=2))
    for wins, color, width in ((False, style.VERMILLION, 1.2), (True, style.BLUE, 2.0)):
        lines = [cell.points(at, c.values) for cell, c in pairs if c.wins == wins]
        axes.add_collection(LineCollection(lines, colors=color, linewidths=width, zorder=3))
    span = [judged_from(record) if record.phases else 0, last]
    exact = [cell.points(span, [c.exact] * 2) for cell, c in pairs if c.exact is not None]
    axes.add_collection(
        LineCollection(
            exact, colors=style.BLACK, linewidths=1.2, linestyles=[style.DOTTED], zorder=4
        )
    )
    ticks = [cell.points([at[c.settled]], [0])[0] for cell, c in pairs]
    axes.plot(*zip(*ticks), "^", color=style.GREEN, markersize=4.5, zorder=5, clip_on=False)


def _words(axes: Axes, pairs: Sequence[tuple[_Cell, Course]]) -> None:
    """Write the name and the last belief above each panel."""
    figure = cast("Figure", axes.figure)
    for cell, course in pairs:
        number = probability(float(course.values[-1]))
        taken = style.text_width(figure, number, SIZE, "bold") + 6
        size = SIZE * (1.12 if course.wins else 1.0)
        label = style.fit(figure, course.label, size, cell.width - taken)
        color = style.INK[style.BLUE if course.wins else style.VERMILLION]
        weight = "bold" if course.wins else "normal"
        for x, text, side in (
            (cell.left, label, "left"),
            (cell.left + cell.width, number, "right"),
        ):
            axes.text(
                x,
                cell.bottom + cell.height + 4,
                text,
                size=SIZE,
                ha=side,
                va="bottom",
                weight=weight,
                color=color,
                gid="panel-label",
            )


def _scales(axes: Axes, record: Record, cells: Sequence[_Cell]) -> None:
    """Write the ends of the belief axis on the left and of the iterations below each column."""
    look: dict[str, Any] = {"size": 6.6, "color": "#444444"}
    for cell in cells[::ACROSS]:
        for level in (0, 1):
            y = cell.bottom + level * cell.height
            axes.text(cell.left - 3, y, f"{level}", ha="right", va="center_baseline", **look)
    for cell in cells[-ACROSS:]:
        axes.text(cell.left, cell.bottom - 4, "0", ha="center", va="top", **look)
        end = cell.left + cell.width
        axes.text(end, cell.bottom - 4, f"{record.trace.last}", ha="center", va="top", **look)
    first = cells[-1 - (len(cells) - 1) % ACROSS]
    middle = first.left + first.width / 2
    axes.text(middle, first.bottom - 4, "iteration", ha="center", va="top", **look)


def _remarks(figure: Figure, every: Sequence[Course], shown: Sequence[Course]) -> None:
    notes = ["belief by iteration", "thick: wins", "▲ settled (within 0.01 of the end)"]
    notes += ["dotted: exact"] if any(course.exact is not None for course in shown) else []
    notes += ["grey: other states"] if any(course.others for course in shown) else []
    if len(shown) < len(every):
        notes.append(f"the {len(shown)} of {len(every)} that move most")
    height = figure.get_figheight()
    figure.text(
        0.25 / WIDTH, 1 - 0.68 / height, " · ".join(notes), size=7, color=style.GREY, va="top"
    )
