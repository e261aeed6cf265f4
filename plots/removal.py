"""What the society loses with each of its models: explained tokens against the product of experts."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.style import place
from mpnet.plots.wording import nats, short
from mpnet.record import Findings, Record

ROWS = 16
BAR = 0.3
RULES = (
    ("", "explains: noisy-OR", style.BLUE),
    (" as predictions", "predicts: product", style.ORANGE),
)
MARKS = "ovs^DP*X"


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw a group of bars per model, in nats; None where nothing was removed."""
    found = record.findings
    if found is None or not has_content("removal", record):
        return None
    models = found.labels["models"][:ROWS]
    height = max(0.72 * len(models), 1.4)
    what = "removal · what it costs to do without each model"
    figure = style.new_figure(record, what, (11.0, height + 2.05))
    axes = place(figure, 1.7, 0.95, 8.9, height)
    _bars(axes, found, len(models))
    axes.set_yticks(range(len(models)), [style.fit(figure, short(n, 28), 9, 104) for n in models])
    axes.tick_params(axis="y", length=0, labelsize=9)
    axes.set_xlabel("log Z − log Z without the model (nats)")
    handles, names = axes.get_legend_handles_labels()
    # Bars first, though lines are collected before them.
    order = sorted(range(len(names)), key=lambda i: names[i].startswith("by "))
    axes.legend(
        [handles[i] for i in order],
        [names[i] for i in order],
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=6,
        frameon=False,
        fontsize=8,
        borderaxespad=0.2,
        columnspacing=1.4,
        handletextpad=0.5,
    )
    if len(models) < len(found.labels["models"]):
        text = f"the first {len(models)} of {len(found.labels['models'])} models"
        axes.text(1, -0.1, text, transform=axes.transAxes, ha="right", color=style.GREY, size=7.5)
    return figure


def _bars(axes: Axes, found: Findings, count: int) -> None:
    curves = found.curves
    every = [v for curve in curves.values() for v in curve[:count] if math.isfinite(v)]
    low, high = min([0.0, *every]), max([0.1, *every])
    axes.set_xlim(low - 0.04 * (high - low), high * 1.12)
    axes.set_ylim(count - 0.45, -0.55)
    for row in range(count):
        for index, (rule, name, color) in enumerate(RULES):
            level = row + (index - 0.5) * BAR * 1.1
            cost, alone = (float(curves[key + rule][row]) for key in ("cost", "cost alone"))
            named = row == 0
            axes.barh(
                level,
                min(alone, high),
                height=BAR,
                facecolor="none",
                edgecolor="#777777",
                linestyle=(0, (2, 2)),
                linewidth=0.9,
                label="if it were alone" if named and index == 1 else None,
                zorder=2,
            )
            drawn = min(cost, high)
            axes.barh(
                level, drawn, height=BAR, color=color, label=name if named else None, zorder=3
            )
            _number(axes, max(drawn, min(alone, high)), level, cost, color)
        _marks(axes, found, row)
        if row:
            axes.axhline(row - 0.5, color=style.PALE, linewidth=0.8, zorder=0)
    axes.axvline(0, color="#555555", linewidth=1, zorder=4)
    axes.spines["left"].set_visible(False)


def _number(axes: Axes, at: float, level: float, cost: float, color: str) -> None:
    axes.annotate(
        nats(cost, sign=False),
        (at, level),
        xytext=(6, 0),
        textcoords="offset points",
        va="center_baseline",
        size=8.5,
        color=style.INK[color],
        weight="bold",
        gid="removal-number",
    )


def _marks(axes: Axes, found: Findings, row: int) -> None:
    """What each estimator answers, just above the bar of the explanations."""
    level = row - 0.5 * BAR * 1.1
    for index, way in enumerate(found.labels["ways"]):
        value = float(found.curves[way][row])
        if math.isnan(value):
            continue
        axes.plot(
            [value],
            [level + 0.33 * BAR * (index % 3 - 1)],
            MARKS[index % len(MARKS)],
            markerfacecolor="white",
            markeredgecolor="black",
            markeredgewidth=1.0,
            markersize=5.5,
            linestyle="none",
            label=f"by {way}" if row == 0 else None,
            zorder=5,
        )
