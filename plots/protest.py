"""Who supports each node in question and who protests: a bar for each, in nats."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mpnet.explanation import Explanation, Share
from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.shares import (
    LINE,
    Row,
    draw_bar,
    interesting,
    name_rows,
    rows_of,
    title_lines,
    write_key,
    write_number,
    write_title,
)
from mpnet.plots.style import place
from mpnet.record import Record

PANELS = 12
ROWS = 10
"""Bars of a panel, at most."""
COLUMNS = 3
STEP = 0.21
"""Inches from one bar to the next."""
ABOVE, BELOW, GAP = 0.08, 0.34, 0.22
"""Inches above a panel, below it for the nats, and between two panels."""
NAMES = 1.75
"""Inches for the names of the bars."""
ACROSS = 4.6
"""Width of a panel with its names, in inches."""
FORCED = 5.0
"""Nats that stand for infinitely many."""


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw diverging bars for each node that is explained; None where there are none."""
    shown = [f for f in interesting(record, len(record.explanations)) if _spoken(f)]
    if not has_content("protest", record) or not shown:
        return None
    left_out = len(shown) - PANELS
    shown = shown[:PANELS]
    columns = min(COLUMNS, len(shown)) if len(shown) != 4 else 2
    panels = [rows_of(_spoken(found), ROWS) for found in shown]
    lines = [title_lines(found, ACROSS - 0.2) for found in shown]
    grid = [range(i, min(i + columns, len(panels))) for i in range(0, len(panels), columns)]
    heights = [STEP * max(len(panels[i]) for i in row) for row in grid]
    heads = [ABOVE + LINE * max(len(lines[i]) for i in row) for row in grid]
    height = 1.32 + sum(heights) + sum(heads) + BELOW * len(grid) + GAP * (len(grid) - 1)
    width = max(7.4, 0.5 + columns * ACROSS)
    figure = style.new_figure(record, "protest", (width, height))
    limits = _limits([row for rows in panels for row in rows])
    top = height - 0.72
    for row, own, head in zip(grid, heights, heads, strict=True):
        for column, index in enumerate(row):
            mine = STEP * len(panels[index])
            left = 0.25 + column * ACROSS + NAMES
            axes = place(figure, left, top - head - mine, ACROSS - NAMES - 0.25, mine)
            _fill(axes, panels[index], limits)
            write_title(axes, lines[index], NAMES * 72, ABOVE, ACROSS - 0.1)
        top -= head + own + BELOW + GAP
    more = f" · {left_out} more node{'s' * (left_out > 1)} not shown" if left_out > 0 else ""
    write_key(figure, f" · in nats{more}")
    return figure


def _spoken(found: Explanation) -> list[Share]:
    """What others say and what was observed, from the largest support to the largest protest."""
    shares = [s for s in found.shares if s.kind not in ("prior", "estimator")]
    return sorted(shares, key=lambda s: -s.nats)


def _limits(rows: list[Row]) -> tuple[float, float]:
    """One scale for all panels, with room for the numbers."""
    ends = [_end(row) for row in rows]
    low, high = min(0.0, *ends), max(0.0, *ends)
    pad = 0.26 * max(high - low, 0.1)
    return low - pad, high + pad


def _end(row: Row) -> float:
    return row.nats if math.isfinite(row.nats) else math.copysign(FORCED, row.nats)


def _fill(axes: Axes, rows: list[Row], limits: tuple[float, float]) -> None:
    axes.set_xlim(*limits)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
    name_rows(axes, rows, NAMES * 72)
    for index, row in enumerate(rows):
        end = _end(row)
        draw_bar(axes, index, 0.0, end, row)
        write_number(axes, end, index, row, end < 0)
    axes.axvline(0, color="#555555", linewidth=0.8, zorder=3)
