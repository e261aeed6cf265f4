"""Accuracy against the share of features seen: the society, naive Bayes and the nearest neighbour."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.style import EndLabel, place
from mpnet.record import Findings, Record

COLORS = (style.BLUE, style.VERMILLION, style.GREEN)
MARKS = ("o", "s", "^")


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw one panel per share of wrong features; None where nothing was recognised."""
    found = record.findings
    if found is None or not has_content("recognition", record):
        return None
    wrong = found.curves["wrong"]
    count = len(wrong)
    figure = style.new_figure(record, "recognition of what was never met", (0.5 + 4.8 * count, 4.6))
    for number in range(count):
        axes = place(figure, 0.75 + 4.8 * number, 0.95, 2.75, 2.55)
        _panel(axes, found, number)
        if number == 0:
            axes.set_ylabel("held-out concepts given their kind")
    cases = int(found.curves["cases"][0])
    text = f"{cases} held-out concepts at each point · band: ± one standard error of the society"
    figure.text(0.75 / figure.get_figwidth(), 0.36 / 4.6, text, size=7, color=style.GREY)
    return figure


def _panel(axes: Axes, found: Findings, number: int) -> None:
    seen, cases = found.curves["seen"], float(found.curves["cases"][0])
    accuracy = found.curves["accuracy"][:, number]
    order = np.argsort(seen)
    labels = []
    for who, name in enumerate(found.labels["who"]):
        values = accuracy[who][order]
        axes.plot(
            seen[order],
            values,
            color=COLORS[who],
            linestyle=style.DASHES[who],
            linewidth=2.0 if who == 0 else 1.3,
            marker=MARKS[who],
            markersize=4,
            zorder=4 - who,
        )
        end = f"{name}  {values[-1]:.2f}"
        labels.append(EndLabel(float(values[-1]), end, style.INK[COLORS[who]], who == 0))
    error = np.sqrt(accuracy[0] * (1.0 - accuracy[0]) / cases)[order]
    own = accuracy[0][order]
    axes.fill_between(seen[order], own - error, own + error, color=style.BLUE, alpha=0.15, lw=0)
    axes.set_xscale("log")
    axes.set_xticks(seen)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}"))
    axes.set_ylim(0.0, 1.03)
    axes.yaxis.grid(True, color=style.PALE)
    axes.set_axisbelow(True)
    axes.set_xlabel("features seen, per cent (log axis)")
    share = found.curves["wrong"][number]
    axes.set_title(f"{share:.0%} of them wrong" if share else "none of them wrong")
    style.end_labels(axes, labels)
