"""Derived compatibility of every pair of models as a heat map around a white zero."""

from __future__ import annotations

from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.style import place
from mpnet.plots.wording import nats, short
from mpnet.record import Record
from mpnet.trace import FloatArray

WRITTEN = 14
"""Models whose pairs are written out, at most."""
NAMED = 45
_PUOR = LinearSegmentedColormap.from_list(
    "PuOrWhite",
    [
        "#7F3B08",
        "#B35806",
        "#E08214",
        "#FDB863",
        "#FEE0B6",
        "#FFFFFF",
        "#D8DAEB",
        "#B2ABD2",
        "#8073AC",
        "#542788",
        "#2D004B",
    ],
    N=257,
)
"""PuOr with exact white in its middle; an odd number of colours, so that there is a middle."""


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw the compatibility matrix; None where no two models speak of the same thing."""
    if not has_content("compatibility", record):
        return None
    names = record.compatibility.names
    matrix = np.array(record.compatibility.matrix, dtype=np.float64)
    count = len(names)
    side = float(np.clip(0.75 * count, 3.6, 6.2))
    left, top, bottom = 1.95, 0.95, 1.0 if count <= 5 else 1.65
    figure = style.new_figure(record, "compatibility", (10.6, top + side + bottom))
    axes = place(figure, left, bottom, side, side)
    cells = axes.imshow(cell_colors(matrix), interpolation="nearest", aspect="auto")
    style.mirror_colors(cells)
    _names(axes, names)
    if count <= WRITTEN:
        _numbers(axes, matrix, min(9.0, side * 72 / count / 4.2))
    if count <= 30:
        edges = np.arange(-0.5, count)
        axes.hlines(edges, -0.5, count - 0.5, color="#D9D9D9", linewidth=0.6)
        axes.vlines(edges, -0.5, count - 0.5, color="#D9D9D9", linewidth=0.6)
    _key(place(figure, left + side + 0.45, bottom, 0.2, side), matrix)
    figure.text(
        0.025,
        0.38 / figure.get_figheight(),
        "purple: the two support each other · orange: they compete · blank: nothing shared or no "
        "effect · the diagonal means nothing",
        size=7.5,
        color=style.GREY,
    )
    return figure


def limit(matrix: FloatArray) -> float:
    """Largest finite size off the diagonal, at least a small number."""
    off = matrix[~np.eye(len(matrix), dtype=bool)]
    finite = np.abs(off[np.isfinite(off)])
    return max(float(finite.max(initial=0.0)), 1e-3)


def cell_colors(matrix: FloatArray) -> FloatArray:
    """Colour of each cell, shape (n, n, 4): exactly white at 0, the extreme colours at infinity."""
    high = limit(matrix)
    scaled = np.nan_to_num(matrix / high, nan=0.0, posinf=1.0, neginf=-1.0)
    colors: FloatArray = np.asarray(_PUOR((np.clip(scaled, -1, 1) + 1) / 2), dtype=np.float64)
    colors[matrix == 0] = 1.0
    colors[np.eye(len(matrix), dtype=bool)] = (0.9, 0.9, 0.9, 1.0)
    return colors


def _names(axes: Axes, names: tuple[str, ...]) -> None:
    count = len(names)
    step = -(-count // NAMED)
    figure = cast("Figure", axes.figure)
    size = 8.5 if count <= 14 else 6.5
    labels = [style.fit(figure, short(name, 26), size, 130) for name in names[::step]]
    places = range(0, count, step)
    axes.set_yticks(places, labels, fontsize=size)
    cut = [style.fit(figure, label, size, 75) for label in labels]
    rotated = count > 5 or max(style.text_width(figure, label, size) for label in cut) > 50
    axes.set_xticks(places, cut, fontsize=size, rotation=90 if rotated else 0)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _numbers(axes: Axes, matrix: FloatArray, size: float) -> None:
    colors = cell_colors(matrix)
    for row, line in enumerate(matrix):
        for column, value in enumerate(line):
            if row != column:
                ink = style.ink_on(colors[row, column])
                axes.text(
                    column,
                    row,
                    nats(float(value)),
                    color=style.GREY if value == 0 else ink,
                    size=size,
                    ha="center",
                    va="center",
                )


def _key(axes: Axes, matrix: FloatArray) -> None:
    """Draw the colour bar, with infinity named if it occurs."""
    high = limit(matrix)
    ramp = _PUOR(np.linspace(0, 1, 257))[:, None, :]
    bar = axes.imshow(ramp, aspect="auto", origin="lower", extent=(0, 1, -high, high))
    style.mirror_colors(bar)
    axes.set_xticks([])
    ticks = [-high, -high / 2, 0.0, high / 2, high]
    labels = [nats(tick) for tick in ticks]
    if np.isneginf(matrix).any():
        labels[0] = f"{labels[0]} and less, to −∞"
    axes.set_yticks(ticks, labels)
    axes.yaxis.tick_right()
    axes.set_title("compatibility (nats)", pad=8)
    for spine in axes.spines.values():
        spine.set_visible(False)
