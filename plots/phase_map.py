"""Phases of multi-step models by time, and what arrived at each step below them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.wording import short
from mpnet.trace import FloatArray

SIZE = 7.2
FLAT = 0.22
PHASES = LinearSegmentedColormap.from_list("phases", ["#FFFFFF", "#9FCBE6", "#0072B2", "#00253D"])


def draw_phases(axes: Axes, beliefs: FloatArray, owners: Sequence[str]) -> None:
    """Draw beliefs in phases, shape (phases, steps), with a line between sequences.

    Grey where nothing is known. ``owners`` names the sequence of each row.
    """
    axes.set_facecolor(style.PALE)
    rows, steps = beliefs.shape
    cells = axes.pcolormesh(
        np.arange(steps + 1) + 0.5,
        np.arange(rows + 1) - 0.5,
        np.ma.masked_invalid(beliefs),
        cmap=PHASES,
        vmin=0.0,
        vmax=1.0,
        edgecolors=style.PALE,
        linewidth=0.4 if steps <= 200 else 0.0,
    )
    style.mirror_colors(cells)
    axes.set_ylim(rows - 0.5, -0.5)
    for row in range(1, rows):
        if owners[row] != owners[row - 1]:
            axes.axhline(row - 0.5, color="#555555", linewidth=0.9)
    axes.tick_params(length=0, labelbottom=False)
    axes.set_xticks([])


def draw_inputs(axes: Axes, inputs: Sequence[str], room: float) -> None:
    """What arrived, below its step, in ``room`` inches; every n-th where not all fit."""
    figure = axes.get_figure()
    assert isinstance(figure, Figure)  # noqa: S101 - for the type checker
    pitch = axes.get_position().width * float(figure.get_figwidth()) * 72 / max(1, len(inputs))
    every = max(1, math.ceil(1.1 * SIZE / pitch))
    across = room == FLAT
    width = pitch * every - 2 if across else (room - 0.12) * 72
    labels = [
        style.fit(figure, short(text or "–", 60), SIZE, width) if number % every == 0 else ""
        for number, text in enumerate(inputs)
    ]
    axes.set_xticks(range(1, len(inputs) + 1), labels, fontsize=SIZE, rotation=0 if across else 90)
    axes.tick_params(axis="x", length=2, labelbottom=True)


def room_below(inputs: Sequence[str], width: float) -> float:
    """Height of the labels in inches: lying where all fit into ``width`` points, else upright."""
    longest = max((0.62 * SIZE * len(text) for text in inputs), default=0.0)
    upright = longest > width / max(1, len(inputs)) - 2
    return min(1.2, 0.15 + longest / 72) if upright else FLAT
