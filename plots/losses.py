"""Losing messages: how long a run with no centre takes to settle, against theory."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.style import place
from mpnet.record import Record


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw every run, the means, and 1 / (1 - loss)."""
    found = record.findings
    if found is None or not has_content("losses", record):
        return None
    figure = style.new_figure(record, "losses", (8.2, 4.9))
    axes = place(figure, 0.95, 0.85, 5.0, 3.0)
    loss, times = found.curves["loss"], found.curves["iterations"]
    base = float(np.nanmean(times[0]))
    spread = np.linspace(-0.008, 0.008, times.shape[1])
    for share, row in zip(loss, times, strict=True):
        axes.plot(share + spread, row, "o", color=style.SKY, markersize=3, alpha=0.6, zorder=2)
    means = np.nanmean(times, axis=1)
    axes.plot(loss, means, "o-", color=style.BLUE, linewidth=2, markersize=6, zorder=4)
    grid = np.linspace(float(loss.min()), float(loss.max()), 100)
    theory = base / (1.0 - grid)
    axes.plot(grid, theory, color=style.VERMILLION, linestyle=style.DASHES[1], zorder=3)
    axes.set_ylim(0, None)
    axes.set_xlabel("share of messages lost")
    axes.set_ylabel("iterations until settled")
    labels = [
        style.EndLabel(float(means[-1]), "mean of the runs", style.INK[style.BLUE], True),
        style.EndLabel(float(theory[-1]), "1 / (1 − loss)", style.INK[style.VERMILLION], False),
    ]
    style.end_labels(axes, labels)
    axes.set_title(
        f"no belief differs from flooding's by more than {found.numbers['worst difference']:.1e}",
        fontsize=9,
        pad=8,
    )
    return figure
