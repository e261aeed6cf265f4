"""One society in several contexts: beliefs side by side, and what each log-odds is the sum of."""

from __future__ import annotations

import math
from typing import cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.style import place
from mpnet.plots.wording import nats, probability, short
from mpnet.record import Findings, Record

ROWS = 44
STEP = 0.2
"""Inches from one bar to the next."""
LEFT = 2.55
"""Width of the panel of beliefs, in inches."""
RIGHT = 4.2


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw beliefs as bars by context, and log-odds as waterfalls; None where there are none."""
    found = record.findings
    if found is None or not has_content("contexts", record):
        return None
    beliefs, falls = _beliefs(found), _waterfalls(found)
    height = STEP * max(len(beliefs), len(falls), 8)
    figure = style.new_figure(record, "contexts", (11.0, height + 1.95))
    for rows, left, width, fill in (
        (beliefs, 1.75, LEFT if falls else 8.5, _draw_beliefs),
        (falls, 6.45, RIGHT, _draw_falls),
    ):
        if rows:
            own = STEP * max(len(rows), 8)
            fill(place(figure, left, 0.95 + height - own, width, own), rows)
    return figure


Row = tuple[str, float, float] | str | None
"""A bar (its name, where it starts, where it ends), a heading, or a gap."""


def _beliefs(found: Findings) -> list[Row]:
    rows: list[Row] = []
    for column, context in enumerate(found.labels["contexts"]):
        rows += [context]
        for row, watched in enumerate(found.labels["watch"]):
            rows.append((watched, 0.0, float(found.curves["beliefs"][row, column])))
        rows.append(None)
    return rows[:ROWS]


def _waterfalls(found: Findings) -> list[Row]:
    rows: list[Row] = []
    for case in found.labels["split"]:
        rows += [f"why {case}"]
        at = 0.0
        shares = found.curves[f"shares {case}"]
        for name, share in zip(found.labels[f"shares {case}"], shares, strict=True):
            rows.append((name, at, at + float(share)))
            at += float(share)
        rows += [("log-odds", 0.0, at), None]
    return rows[:ROWS]


def _prepare(axes: Axes, rows: list[Row], room: float) -> None:
    """Rows from the top, with the names of the bars on the left and the headings above them."""
    axes.set_ylim(max(len(rows), 8) - 0.5, -0.5)
    figure = cast("Figure", axes.figure)
    bars = [i for i, row in enumerate(rows) if isinstance(row, tuple)]
    names = [row[0] for row in rows if isinstance(row, tuple)]
    axes.set_yticks(bars, [style.fit(figure, short(n, 40), 8, room) for n in names])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    width = axes.get_position().width * figure.get_figwidth() * 72
    for index, row in enumerate(rows):
        if isinstance(row, str):
            axes.annotate(
                style.fit(figure, short(row, 60), 8.5, room + width),
                (0.0, index),
                xycoords=("axes fraction", "data"),
                xytext=(-room, 0),
                textcoords="offset points",
                weight="bold",
                va="center_baseline",
                size=8.5,
                gid="contexts-heading",
            )


def _draw_beliefs(axes: Axes, rows: list[Row]) -> None:
    axes.set_xlim(0.0, 1.0)
    _prepare(axes, rows, 108)
    watched = list(dict.fromkeys(row[0] for row in rows if isinstance(row, tuple)))
    for index, row in enumerate(rows):
        if not isinstance(row, tuple):
            continue
        name, _, belief = row
        known = not math.isnan(belief)
        color = style.PALETTE[watched.index(name) % len(style.PALETTE)]
        axes.barh(index, 1.0, height=0.72, color="#F1F1F1", zorder=1)
        axes.barh(index, belief if known else 0.0, height=0.72, color=color, zorder=2)
        text = probability(belief) if known else "not converged"
        _write(axes, 1.0, index, text, style.TEXT if known else style.VERMILLION, 4)
    axes.set_xlabel("belief")


def _draw_falls(axes: Axes, rows: list[Row]) -> None:
    ends = [v for row in rows if isinstance(row, tuple) for v in row[1:] if math.isfinite(v)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    pad = 0.19 * max(high - low, 0.1)
    axes.set_xlim(low - pad, high + pad)
    _prepare(axes, rows, 108)
    before: float | None = None
    for index, row in enumerate(rows):
        if not isinstance(row, tuple):
            before = None
            continue
        name, start, end = row
        total = name == "log-odds" and (index + 1 == len(rows) or rows[index + 1] is None)
        color = style.BLACK if total else style.BLUE if end >= start else style.ORANGE
        first, last = (min(max(v, low), high) for v in (start, end))
        axes.barh(index, last - first, left=first, height=0.66, color=color, zorder=2)
        if before is not None:
            axes.vlines(
                before, index - 0.67, index - 0.33, color="#888888", linewidth=0.8, zorder=1
            )
        before = last
        side = -4 if end < start else 4
        ink = style.TEXT if total else style.INK[color]
        _write(axes, last, index, nats(end - start), ink, side, bold=total)
    axes.axvline(0, color="#555555", linewidth=0.8, zorder=3)
    axes.set_xlabel("nats · blue speaks for it, orange against, black is the sum")


def _write(
    axes: Axes, at: float, row: int, text: str, color: str, shift: float, bold: bool = False
) -> None:
    axes.annotate(
        text,
        (at, row),
        xytext=(shift, 0),
        textcoords="offset points",
        ha="right" if shift < 0 else "left",
        va="center_baseline",
        size=7.8,
        color=color,
        weight="bold" if bold else "normal",
        gid="contexts-number",
        zorder=5,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3},
    )
