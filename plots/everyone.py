"""A library that sleeps: the free energy falls as models wake, and what it saves to let the others be."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.style import place
from mpnet.record import Findings, Record

SMALL = 0.04
"""A step that is a smaller share of the whole fall is not named."""

LABELLED = 8
"""Steps that are named, at most: the largest ones."""


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw the staircase, who made each step, and what both runs took."""
    found = record.findings
    if found is None or not has_content("everyone", record):
        return None
    figure = style.new_figure(record, "everyone", (10.6, 5.4))
    _staircase(place(figure, 0.95, 0.85, 5.6, 3.7), record, found)
    _bars(place(figure, 8.15, 3.05, 2.1, 1.15), found)
    _differences(place(figure, 8.15, 0.95, 2.1, 1.05), found)
    return figure


def _staircase(axes: Axes, record: Record, found: Findings) -> None:
    energy = -record.trace.log_z
    rows = np.arange(energy.size)
    axes.step(rows, energy, where="post", color=style.BLUE, linewidth=2.2, zorder=3)
    level = -float(found.curves["log Z awake"][0])
    if np.isfinite(level):
        axes.axhline(level, color=style.VERMILLION, linestyle=style.DOTTED, linewidth=1.6, zorder=2)
        axes.annotate(
            f"everybody awake {level:.2f}",
            (1.0, level),
            xycoords=("axes fraction", "data"),
            xytext=(-4, -4),
            textcoords="offset points",
            ha="right",
            va="top",
            size=8,
            color=style.INK[style.VERMILLION],
        )
    span = float(np.ptp(energy[np.isfinite(energy)])) or 1.0
    axes.set_ylim(
        min(level, float(np.nanmin(energy))) - 0.12 * span, float(np.nanmax(energy)) + 0.08 * span
    )
    axes.set_xlim(-0.5, max(1, energy.size) - 0.5)
    _steps(axes, record, energy)
    axes.set_xlabel("iteration")
    axes.set_ylabel("Bethe free energy, −log Z (nats)")


def _steps(axes: Axes, record: Record, energy: np.ndarray) -> None:
    """Name the models that woke, beside the steps they made."""
    woken = [event for event in record.events if event.kind == "awaken" and event.effect]
    least = SMALL * float(np.ptp(energy[np.isfinite(energy)]))
    visible = [event for event in woken if float(event.effect or 0.0) > least]
    largest = sorted(visible, key=lambda event: -float(event.effect or 0.0))[:LABELLED]
    for event in largest:
        before = energy[min(event.iteration, energy.size - 1)]
        moved = np.abs(energy[event.iteration :] - before) > 0.5 * float(event.effect or 0.0)
        row = event.iteration + int(np.argmax(moved))
        after = float(energy[min(row, energy.size - 1)])
        axes.annotate(
            f"{event.node}  {event.effect:+.1f}",
            (row, 0.5 * (float(before) + after)),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            size=8,
            color=style.TEXT,
            gid="event-label",
        )
    if len(woken) > len(largest):
        count = len(woken) - len(largest)
        said = "step is" if count == 1 else "steps are"
        axes.set_title(
            f"{count} smaller {said} not named", fontsize=8, color=style.GREY, loc="right"
        )


def _bars(axes: Axes, found: Findings) -> None:
    names = ("everybody awake", "few awake")
    values = (found.numbers["messages awake"], found.numbers["messages asleep"])
    axes.barh([1, 0], values, color=(style.VERMILLION, style.BLUE), height=0.55)
    axes.set_xscale("log")
    axes.set_xlim(1, max(values) * 300)
    axes.set_xticks([])
    axes.minorticks_off()
    axes.set_yticks([1, 0], names)
    for level, value in zip((1, 0), values, strict=True):
        axes.annotate(
            f"{value:,.0f}",
            (value, level),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            size=8,
        )
    axes.set_title(f"messages: {found.numbers['times fewer messages']:,.0f} times fewer", pad=6)


def _differences(axes: Axes, found: Findings) -> None:
    names = ("bound printed", "largest difference")
    values = (found.numbers["bound printed"], found.numbers["worst difference"])
    axes.barh([1, 0], values, color=(style.FAINT, style.BLUE), height=0.55)
    axes.set_yticks([1, 0], names)
    top = max((v for v in values if np.isfinite(v)), default=1.0) or 1.0
    axes.set_xlim(0, 1.45 * top)
    axes.set_xticks([])
    for level, value in zip((1, 0), values, strict=True):
        axes.annotate(
            f"{value:.2g}",
            (min(value, top), level),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            size=8,
        )
    axes.set_title("belief, from the full run", pad=6)
