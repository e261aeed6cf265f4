"""Combinations seen and unseen, recognised by separate models and by one model per combination."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.style import place
from mpnet.record import Findings, Record

COLORS = (style.BLUE, style.ORANGE)
HATCHES = ("", "///")


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw four bars; None where nothing was generalised."""
    found = record.findings
    if found is None or not has_content("generalisation", record):
        return None
    figure = style.new_figure(record, "combinations never met", (7.0, 4.6))
    _bars(place(figure, 0.8, 1.0, 5.8, 2.55), found)
    text = "whisker: ± standard error · chance: one of all combinations"
    figure.text(0.8 / 7.0, 0.36 / 4.6, text, size=7, color=style.GREY)
    return figure


def _bars(axes: Axes, found: Findings) -> None:
    accuracy, error = found.curves["accuracy"], found.curves["error"]
    groups = np.arange(2)
    counts = found.curves["combinations"]
    for which, name in enumerate(found.labels["which"]):
        at = groups + 0.36 * (which - 0.5)
        axes.bar(
            at,
            accuracy[:2, which],
            0.33,
            yerr=error[:2, which],
            color=COLORS[which],
            hatch=HATCHES[which],
            edgecolor="white",
            error_kw={"elinewidth": 1.1, "ecolor": "#333333"},
            label=f"{name} pairs ({counts[which]:.0f} combinations)",
        )
        for x, height in zip(at, accuracy[:2, which], strict=True):
            where = max(0.5 * float(height), 0.075)
            box = {"facecolor": "white", "edgecolor": "none", "boxstyle": "round,pad=0.2"}
            text = f"{height:.2f}"
            axes.text(x, where, text, ha="center", va="center", size=8.5, bbox=box, zorder=6)
        best = accuracy[2, which]
        axes.hlines([best, best], at - 0.17, at + 0.17, color=style.BLACK, linewidth=1.6, zorder=4)
    axes.plot([], [], color=style.BLACK, linewidth=1.6, label="whoever knows the world")
    chance = float(found.curves["chance"][0])
    axes.axhline(chance, color=style.GREY, linestyle=style.DOTTED, linewidth=1.3, zorder=5)
    axes.text(1.68, chance + 0.01, "chance", size=7, color=style.GREY, ha="right", va="bottom")
    axes.set_xlim(-0.5, 1.7)
    axes.set_ylim(0.0, min(1.12, float(accuracy.max()) + 0.2))
    axes.set_xticks(groups, found.labels["who"][:2])
    axes.tick_params(axis="x", length=0)
    axes.set_ylabel("episodes recognised in all parts")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=3, frameon=False, fontsize=7.5)
