"""Confusion matrix of a batch: who won against what was true."""

from __future__ import annotations

from typing import cast

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.style import place
from mpnet.plots.wording import probability, short
from mpnet.record import BatchResult, Record

LISTED = 24
WRITTEN = 20


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw the counts and list the errors; None where the run was no batch."""
    batch = record.batch
    if batch is None or not has_content("confusion", record):
        return None
    what = f"confusion · accuracy {100 * batch.accuracy:.1f} % of {batch.cases} cases"
    figure = style.new_figure(record, what, (10.6, 7.0))
    _matrix(place(figure, 1.5, 0.95, 5.2, 5.2), batch)
    _errors(place(figure, 7.2, 0.95, 3.2, 5.2), batch)
    return figure


def _matrix(axes: Axes, batch: BatchResult) -> None:
    counts = np.array(batch.confusion, dtype=np.float64)
    totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    share = counts / totals
    right = mpl.colormaps["Blues"](0.85 * share)
    wrong = mpl.colormaps["Oranges"](np.clip(0.25 + 3 * share, 0, 0.8))
    colors = np.where(np.eye(len(counts), dtype=bool)[:, :, None], right, wrong)
    colors[counts == 0] = 1.0
    axes.imshow(colors, interpolation="nearest", aspect="auto")
    size = len(counts)
    if size <= WRITTEN:
        for row, column in zip(*np.nonzero(counts)):
            ink = style.ink_on(colors[row, column])
            text = f"{int(counts[row, column])}"
            axes.text(column, row, text, color=ink, ha="center", va="center", size=8.5)
    edges = np.arange(-0.5, size)
    axes.hlines(edges, -0.5, size - 0.5, color=style.PALE, linewidth=0.7)
    axes.vlines(edges, -0.5, size - 0.5, color=style.PALE, linewidth=0.7)
    figure = cast("Figure", axes.figure)
    step = -(-size // 40)
    font = 8.5 if size <= 20 else 6.5
    labels = [style.fit(figure, short(name), font, 72) for name in batch.labels[::step]]
    axes.set_yticks(range(0, size, step), labels, fontsize=font)
    wide = max(style.text_width(figure, label, font) for label in labels) > 370 / size - 4
    axes.set_xticks(range(0, size, step), labels, fontsize=font, rotation=90 if wide else 0)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_xlabel("winner · blue: right, orange: wrong; shade: share of the row")
    axes.set_ylabel("truth")
    room = max(style.text_width(figure, label, font) for label in labels) + 16
    axes.yaxis.set_label_coords(-room / (5.2 * 72), 0.5)


def _errors(axes: Axes, batch: BatchResult) -> None:
    """List the errors, surest first."""
    style.bare(axes)
    wrong = int(sum(map(sum, batch.confusion)) - sum(r[i] for i, r in enumerate(batch.confusion)))
    axes.text(0, 1, f"{wrong} errors, worst first", weight="bold", va="top", size=9)
    step = 1 / (LISTED + 3)
    columns = (0.0, 0.40, 0.62, 0.84)
    for at, head in zip(columns, ("case", "truth", "winner", "belief")):
        axes.text(at, 1 - 1.4 * step, head, size=7.5, color=style.GREY, va="top")
    figure = cast("Figure", axes.figure)
    for line, (case, truth, winner, belief) in enumerate(batch.errors[:LISTED]):
        row = (short(case), short(truth), short(winner), probability(belief))
        rooms = (88, 48, 48, 40)
        for at, text, room in zip(columns, row, rooms):
            cell = style.fit(figure, text, 7.8, room)
            axes.text(at, 1 - (line + 2.5) * step, cell, size=7.8, va="top")
    shown = min(len(batch.errors), LISTED)
    if wrong > shown:
        axes.text(0, 0, f"and {wrong - shown} more", size=7.5, color=style.GREY)
    missed = batch.cases - batch.converged
    if missed:
        text = f"{missed} cases did not converge"
        axes.text(1, 0, text, size=7.5, color=style.VERMILLION, ha="right")
