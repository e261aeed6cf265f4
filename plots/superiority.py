"""Letters in words, alone and among others: choices by context, and beliefs over the iterations."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.style import EndLabel, place
from mpnet.plots.wording import probability
from mpnet.record import Findings, Record

COLORS = (style.BLUE, style.ORANGE, style.GREEN)
HATCHES = ("", "///", "...")


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw the bars and the course; None where no letters were shown in contexts."""
    found = record.findings
    if found is None or not has_content("superiority", record):
        return None
    figure = style.new_figure(record, "letters in context", (10.2, 4.6))
    bars = place(figure, 0.75, 1.0, 4.1, 2.55)
    _bars(bars, found)
    course = place(figure, 6.05, 1.0, 2.55, 2.55)
    _course(course, found)
    count = found.curves["choice"].shape[1]
    text = (
        f"{count} words at each share, the same lines in all contexts · whisker: ± standard error"
    )
    figure.text(0.75 / 10.2, 0.36 / 4.6, text, size=7, color=style.GREY)
    return figure


def _bars(axes: Axes, found: Findings) -> None:
    choice, seen = found.curves["choice"], found.curves["seen"]
    mean = choice.mean(axis=1)
    error = choice.std(axis=1, ddof=1) / np.sqrt(choice.shape[1])
    groups = np.arange(len(seen))
    for number, context in enumerate(found.labels["contexts"]):
        at = groups + 0.27 * (number - 1)
        axes.bar(
            at,
            mean[:, number],
            0.25,
            yerr=error[:, number],
            color=COLORS[number],
            hatch=HATCHES[number],
            edgecolor="white",
            error_kw={"elinewidth": 1.1, "ecolor": "#333333"},
            label=f"in a {context}" if context == "word" else context,
        )
        for x, height, up in zip(at, mean[:, number], error[:, number], strict=True):
            text = f"{height:.2f}"
            axes.text(x, height + up + 0.008, text, ha="center", va="bottom", size=7)
    axes.axhline(0.5, color=style.GREY, linestyle=style.DOTTED, linewidth=1.1)
    axes.text(
        len(seen) - 0.55, 0.505, "0.5: chance", size=7, color=style.GREY, ha="left", va="bottom"
    )
    axes.set_xlim(-0.5, len(seen) - 0.1)
    axes.set_ylim(0.5, 1.09)
    axes.set_yticks([0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    axes.set_xticks(groups, [f"{100 * share:g} %" for share in seen])
    axes.tick_params(axis="x", length=0)
    axes.set_xlabel("lines of each letter that are seen")
    axes.set_ylabel("right forced choices")
    axes.legend(loc="upper left", bbox_to_anchor=(0, 1.17), ncols=3, frameon=False, fontsize=8)


def _course(axes: Axes, found: Findings) -> None:
    inside, alone = found.curves["watched in word"], found.curves["watched alone"]
    names = found.labels["letters"][:2]
    labels = []
    for number, name in enumerate(names):
        color = (style.BLUE, style.VERMILLION)[number]
        for course, dash, width, where in (
            (inside, style.DASHES[0], 2.0, "as displayed"),
            (alone, style.DASHES[3], 1.2, "alone"),
        ):
            values = course[:, number]
            rows = np.arange(len(values))
            axes.plot(rows, values, color=color, linestyle=dash, linewidth=width, marker="o", ms=3)
            text = f"{name} {where}  {probability(float(values[-1]))}"
            labels.append(EndLabel(float(values[-1]), text, style.INK[color], width > 1.5))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    longest = max(len(inside), len(alone))
    axes.set_xlim(-0.1, longest - 0.9)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("iteration")
    axes.set_ylabel("belief in the letter")
    axes.set_title("what could be either, with and without its word", x=-0.12)
    style.end_labels(axes, labels)
