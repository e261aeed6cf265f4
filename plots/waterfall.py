"""Why a node is believed: its log-odds from the prior, up by support and down by protest."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from mpnet.explanation import Explanation
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
from mpnet.plots.wording import probability, short
from mpnet.record import Record

PANELS = 4
ROWS = {1: 30, 2: 16, 3: 12, 4: 12}
"""Bars of a panel, at most, by the number of panels."""
STEP = 0.21
"""Inches from one bar to the next."""
ABOVE, BELOW, GAP = 0.46, 0.52, 0.3
"""Inches above a panel for the belief, below it for the nats, and between two panels."""
NAMES = 2.3
"""Inches for the names of the bars."""
FORCED = 5.0
"""Nats that stand for infinitely many."""
BELIEFS = (1e-6, 1e-4, 0.01, 0.1, 0.5, 0.9, 0.99, 0.9999, 1 - 1e-6)


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw a waterfall for each explanation, at most four; None where there are none."""
    if not has_content("waterfall", record):
        return None
    shown = interesting(record, PANELS)
    columns = 1 if len(shown) == 1 else 2
    width = 9.0 if columns == 1 else 13.0
    across = (width - 0.5 - 0.5 * (columns - 1)) / columns
    panels = [(found, _rows(found, ROWS[len(shown)])) for found in shown]
    lines = [title_lines(found, across) for found in shown]
    grid = [range(i, min(i + columns, len(panels))) for i in range(0, len(panels), columns)]
    heights = [STEP * max(len(panels[i][1]) for i in row) for row in grid]
    tops = [ABOVE + LINE * max(len(lines[i]) for i in row) for row in grid]
    height = 1.2 + sum(heights) + sum(tops) + BELOW * len(grid) + GAP * (len(grid) - 1) + 0.1
    figure = style.new_figure(record, "waterfall", (width, height))
    top = height - 0.72
    for row, own, head in zip(grid, heights, tops, strict=True):
        for column, index in enumerate(row):
            left = 0.25 + column * (across + 0.5) + NAMES
            mine = STEP * len(panels[index][1])
            axes = place(figure, left, top - head - mine, across - NAMES, mine)
            _fill(axes, *panels[index])
            write_title(axes, lines[index], NAMES * 72, ABOVE, across + 0.2)
        top -= head + own + BELOW + GAP
    write_key(figure)
    return figure


def _rows(found: Explanation, most: int) -> list[Row]:
    total = "log-odds"
    return [*rows_of(list(found.shares), most), Row(total, found.log_odds, style.BLACK)]


def _fill(axes: Axes, found: Explanation, rows: list[Row]) -> None:
    spans = _spans(rows)
    low = min(0.0, *(min(span) for span in spans))
    high = max(0.0, *(max(span) for span in spans))
    pad = 0.2 * max(high - low, 0.1)
    axes.set_xlim(low - pad, high + pad)
    name_rows(axes, rows, NAMES * 72)
    for index, (row, (start, end)) in enumerate(zip(rows, spans, strict=True)):
        draw_bar(axes, index, start, end, row)
        if 0 < index < len(rows) - 1 or (index and spans[index - 1][1] == end):
            axes.vlines(start if index < len(rows) - 1 else end, index - 0.67, index - 0.33,
                        color="#888888", linewidth=0.8, zorder=1)  # fmt: skip
        write_number(axes, end, index, row, end < start)
    axes.axvline(0, color="#555555", linewidth=0.8, zorder=3)
    axes.get_yticklabels()[-1].set_fontweight("bold")
    state, against = short(found.state, 24), short(found.against, 24)
    axes.set_xlabel(f"log-odds of {state} against {against}, nats · shares {found.reference}")
    if found.forced:
        axes.set_xticks([])
    else:
        _probabilities(axes, found)


def _spans(rows: list[Row]) -> list[tuple[float, float]]:
    """Where each bar starts and ends; the last one starts at 0."""
    at, spans = 0.0, []
    for row in rows[:-1]:
        step = row.nats if math.isfinite(row.nats) else math.copysign(FORCED, row.nats)
        spans.append((at, at + step))
        at += step
    total = rows[-1].nats
    return [*spans, (0.0, total if math.isfinite(total) else at)]


def _probabilities(axes: Axes, found: Explanation) -> None:
    """The same axis in beliefs, above the panel: of the two states alone."""
    low, high = axes.get_xlim()
    marks = [(p, math.log(p) - math.log1p(-p)) for p in BELIEFS]
    inside = [(p, x) for p, x in marks if low <= x <= high]
    room = axes.get_position().width * float(axes.figure.get_figwidth())  # type: ignore[union-attr]
    kept: list[tuple[float, float]] = []
    for p, x in sorted(inside, key=lambda mark: abs(mark[1])):
        if all(abs(x - other) / (high - low) * room > 0.42 for _, other in kept):
            kept.append((p, x))
    kept.sort()
    upper = axes.secondary_xaxis("top")
    upper.xaxis.set_major_locator(FixedLocator([x for _, x in kept]))
    names = {x: _belief(p) for p, x in kept}
    upper.xaxis.set_major_formatter(FuncFormatter(lambda x, _: names.get(x, "")))
    upper.tick_params(length=3, labelsize=7.5, pad=1)
    two = math.exp(-max(found.log_odds, -700.0)) + 1.0
    axes.annotate(
        "belief" if abs(1.0 / two - found.belief) < 1e-6 else "of the two",
        (0.0, 1.0),
        xycoords="axes fraction",
        xytext=(-6, 5),
        textcoords="offset points",
        size=7.5,
        color="#444444",
        ha="right",
        va="bottom",
    )
    upper.spines["top"].set_visible(True)
    upper.spines["top"].set_color("#999999")


def _belief(p: float) -> str:
    if p > 0.99:
        return f"{p:.6f}".rstrip("0")
    return probability(p)
