"""Who wins how often over many runs, and after how many cycles."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.style import place
from mpnet.plots.wording import short
from mpnet.record import Findings, Record


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw the shares of the rivals, their reaction times, and the basins."""
    found = record.findings
    if found is None or not has_content("sampling", record):
        return None
    figure = style.new_figure(record, "sampling", (10.4, 4.9))
    _shares(place(figure, 1.35, 2.7, 2.6, 1.15), found)
    _basins(place(figure, 1.35, 0.85, 2.6, 1.05), found)
    _times(place(figure, 5.2, 0.85, 3.4, 3.0), found)
    return figure


def _colors(found: Findings) -> list[str]:
    count = len(found.labels["among"])
    return [style.PALETTE[i] if i < len(style.PALETTE) else style.FAINT for i in range(count)]


def _shares(axes: Axes, found: Findings) -> None:
    names = [*found.labels["among"], "tie"]
    values = [found.numbers[f"share {name}"] for name in names[:-1]] + [found.numbers["ties"]]
    rows = np.arange(len(names))[::-1]
    axes.barh(rows, values, color=[*_colors(found), style.FAINT], height=0.6)
    axes.set_yticks(rows, [short(name, 16) for name in names])
    axes.set_xlim(0, 1.18)
    axes.set_xticks([0, 0.5, 1])
    for row, value in zip(rows, values, strict=True):
        axes.annotate(
            f"{value:.0%}",
            (value, row),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            size=8,
        )
    axes.set_title("share of the runs won", pad=6)


def _basins(axes: Axes, found: Findings) -> None:
    sizes = found.curves["basins"][:12]
    axes.bar(np.arange(1, sizes.size + 1), sizes, color=style.SKY, width=0.7)
    axes.set_ylim(0, 1)
    axes.set_xlim(0.3, max(3, sizes.size) + 0.7)
    axes.set_xticks(np.arange(1, sizes.size + 1))
    axes.set_xlabel("fixed point")
    axes.set_title("size of its basin", pad=6)


def _times(axes: Axes, found: Findings) -> None:
    cycles, winner = found.curves["cycles"], found.curves["winner"]
    known = cycles[np.isfinite(cycles)]
    most = int(known.max()) if known.size else 1
    edges = np.linspace(0.5, most + 0.5, min(most, 40) + 1)
    labels = []
    top = 0.0
    for number, (name, color) in enumerate(zip(found.labels["among"], _colors(found), strict=True)):
        own = cycles[(winner == number) & np.isfinite(cycles)]
        counts, _ = np.histogram(own, edges)
        axes.stairs(counts, edges, color=color, linewidth=1.8, zorder=3)
        mean = found.numbers[f"cycles {name}"]
        if own.size:
            axes.axvline(mean, color=color, linestyle=style.DOTTED, linewidth=1.4)
            labels.append((f"{short(name, 16)}: mean {mean:.1f}", style.INK.get(color, style.TEXT)))
        top = max(top, float(counts.max(initial=0)))
    axes.set_ylim(0, 1.1 * top or 1)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_xlabel("cycles until past the threshold")
    axes.set_ylabel("runs")
    for row, (text, color) in enumerate(labels):
        axes.text(
            1.03, 0.95 - 0.07 * row, text, transform=axes.transAxes, color=color, size=8.5, va="top"
        )
    axes.set_title("reaction times", pad=6)
