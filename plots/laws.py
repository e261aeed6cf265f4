"""Rivals under several laws of competition: their beliefs in each context, side by side."""

from __future__ import annotations

import math
from typing import cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.style import place
from mpnet.plots.wording import probability, short
from mpnet.record import Findings, Record

COLUMNS = 4
RIVALS = 8
STEP = 0.2
"""Inches from one bar to the next."""


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw a column of bars per context, grouped by law; None where no laws were compared."""
    found = record.findings
    if found is None or not has_content("laws", record):
        return None
    contexts = found.labels["contexts"][:COLUMNS]
    rows = (len(found.labels["rivals"][:RIVALS]) + 2) * len(found.labels["laws"])
    height = STEP * rows
    figure = style.new_figure(record, "laws of competition", (11.0, height + 2.0))
    pitch = 9.0 / len(contexts)
    for column, context in enumerate(contexts):
        axes = place(figure, 1.75 + column * pitch, 0.9, pitch - 0.75, height)
        _panel(axes, found, column, rows)
        room = (pitch - 0.3) * 72
        axes.set_title(style.fit(figure, short(context, 60), 9, room), weight="bold", pad=8)
    hidden = len(found.labels["contexts"]) - len(contexts)
    if hidden:
        text = f"{hidden} more contexts not shown"
        figure.text(0.98, 1 - 0.16 / (height + 2.0), text, ha="right", va="top", color=style.GREY)
    return figure


def _panel(axes: Axes, found: Findings, column: int, rows: int) -> None:
    rivals = found.labels["rivals"][:RIVALS]
    figure = cast("Figure", axes.figure)
    ticks, names = [], []
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(rows - 1.0, -0.6)
    for number, law in enumerate(found.labels["laws"]):
        top = number * (len(rivals) + 2)
        if column == 0:
            _heading(axes, law, top)
        for index, rival in enumerate(rivals):
            level = top + 1 + index
            belief = float(found.curves["beliefs"][number, column, index])
            _bar(axes, level, belief, style.PALETTE[index % len(style.PALETTE)])
            ticks.append(level)
            names.append(style.fit(figure, short(rival, 40), 8, 104))
    axes.set_yticks(ticks, names if column == 0 else [])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("belief")


def _heading(axes: Axes, law: str, level: float) -> None:
    axes.annotate(
        short(law, 30),
        (0.0, level),
        xycoords=("axes fraction", "data"),
        xytext=(-108, 0),
        textcoords="offset points",
        weight="bold",
        va="center_baseline",
        size=8.5,
        gid="laws-heading",
    )


def _bar(axes: Axes, level: float, belief: float, color: str) -> None:
    known = not math.isnan(belief)
    axes.barh(level, 1.0, height=0.72, color="#F1F1F1", zorder=1)
    axes.barh(level, belief if known else 0.0, height=0.72, color=color, zorder=2)
    axes.annotate(
        probability(belief) if known else "none",
        (1.0, level),
        xytext=(4, 0),
        textcoords="offset points",
        va="center_baseline",
        size=7.8,
        color=style.TEXT if known else style.VERMILLION,
        gid="laws-number",
    )
