"""The key below the graph of a society."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.layout import LAYERS
from mpnet.record import Record

SIZE = 7.8
DASH = (3.0, 1.3)
"""Dashes of an explanation, in line widths: on and off."""


def draw_key(
    axes: Axes,
    record: Record,
    belief: Colormap,
    markers: Mapping[str, str],
    edges: tuple[str, str, str, str],
    absent: bool = False,
) -> None:
    """Explain shapes, colours and lines; only kinds that occur are listed."""
    figure = cast("Figure", axes.figure)
    box = axes.get_position()
    width, height = (
        float(v) * 72 * part for v, part in zip(figure.get_size_inches(), (box.width, box.height))
    )
    style.bare(axes)
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    upper, lower = height * 0.72, height * 0.32
    present = {node.kind for node in record.nodes}
    at = 6.0
    for kind in sorted(present, key=lambda k: LAYERS.get(k, 2)):
        marker = markers.get(kind, "s")
        axes.plot([at], [upper], marker, color="white", mec="#333333", ms=8)
        at = _words(axes, figure, (at + 9, upper), kind)
    axes.plot([at], [upper], "o", color="white", mec="black", mew=1.8, ms=11)
    axes.plot([at], [upper], "o", color="#BFE5D8", mec="#333333", ms=6.5)
    at = _words(axes, figure, (at + 11, upper), "ring: observed")
    at = _words(axes, figure, (at - 6, upper), "bold: in question")
    ramp = belief(np.linspace(0, 1, 64))[None, :, :]
    at = _words(axes, figure, (at, upper), "belief 0") - 8
    drawn = axes.imshow(ramp, extent=(at, at + 70, upper - 4, upper + 4), aspect="auto")
    style.mirror_colors(drawn)
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    _words(axes, figure, (at + 76, upper), "1  (of active, else of the leading state)")
    explained = any(edge.explains for edge in record.predictions)
    at = _lines(axes, figure, lower, dict(zip(EDGES, edges)), explained)
    if absent:
        _words(axes, figure, (at, lower), "dotted: takes no part")


EDGES = (
    "will: raises the state",
    "won't: lowers the state",
    "explains: may turn it on (noisy-OR)",
    "rule",
)


def _lines(
    axes: Axes, figure: Figure, level: float, edges: Mapping[str, str], explained: bool
) -> float:
    at = 2.0
    for name, color in edges.items():
        dashed = name.startswith("explains")
        if dashed and not explained:
            continue
        axes.plot(
            [at, at + 20],
            [level, level],
            color=color,
            lw=1.0 if name == "rule" else 2.5,
            linestyle=(0, DASH) if dashed else "solid",
        )
        if name != "rule":
            axes.plot([at + 21], [level], ">", color=color, ms=6, mec="none")
        at = _words(axes, figure, (at + 29, level), name)
    return _words(axes, figure, (at, level), "width: strength × confidence (nats)")


def _words(axes: Axes, figure: Figure, at: tuple[float, float], text: str) -> float:
    """Write a text and return where the next entry starts."""
    axes.text(*at, text, size=SIZE, va="center_baseline", color="#444444")
    return at[0] + style.text_width(figure, text, SIZE) + 18
