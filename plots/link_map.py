"""A graph whose links are coloured and thickened by a share in 0 to 1."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Colormap
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.links import Link, Place
from mpnet.plots.wording import short
from mpnet.record import Record
from mpnet.trace import FloatArray

SIZE, MARK, LINE = 7.8, 8.0, 12.0
"""Text, marker and room of a label, in points."""


def draw_links(
    axes: Axes,
    record: Record,
    places: Mapping[str, Place],
    shares: Sequence[tuple[Link, float]],
    colors: Colormap,
    ring: bool,
) -> None:
    """Draw links as bent lines, each direction on its own side, the slowest on top.

    Parameters
    ----------
    axes : Axes
        Overwritten limits: points.
    record : Record
        For what is known of the nodes.
    places : mapping of str to (float, float)
        Places of nodes in the unit square.
    shares : sequence of (Link, float)
        Each link with its share between fast and slow.
    colors : Colormap
        Colour of each share.
    ring : bool
        Whether the nodes stand in a ring, with their names outside.

    """
    width, height = _size(axes)
    style.bare(axes)
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    at = {name: (x * width, 8 + y * (height - 16)) for name, (x, y) in places.items()}
    lines = [
        (share, _bend(at[link.source], at[link.target], ring))
        for link, share in shares
        if link.source != link.target
    ]
    lines.sort(key=lambda item: item[0])
    drawn = LineCollection(
        [line for _, line in lines],
        colors=[colors(share) for share, _ in lines],
        linewidths=[0.8 + 3.4 * share for share, _ in lines],
        capstyle="round",
        zorder=1,
    )
    axes.add_collection(drawn)
    outside = {name for name in at if ring and places[name][1] > 0.45}
    _nodes(axes, record, at, _room(at, width), outside)


def _size(axes: Axes) -> tuple[float, float]:
    figure, box = cast("Figure", axes.figure), axes.get_position()
    across, up = (float(v) * 72 for v in figure.get_size_inches())
    return box.width * across, box.height * up


def _bend(start: Place, end: Place, ring: bool) -> FloatArray:
    """A curve to the right of its direction, so that both directions show; shape (13, 2).

    Within a row of layers, both pass above the nodes between.
    """
    t = np.linspace(0, 1, 13)[:, None]
    a, b = np.array(start), np.array(end)
    along = b - a
    side = np.array([along[1], -along[0]])
    length = max(float(np.hypot(*along)), 1e-9)
    middle = (a + b) / 2 + side / length * min(0.14 * length, 16.0)
    if abs(along[1]) < 1.0 and not ring:
        rise = min(8 + 0.16 * length, 44.0)
        middle = (a + b) / 2 + np.array([0.0, rise if along[0] > 0 else rise + 14.0])
    curve: FloatArray = (1 - t) ** 2 * a + 2 * (1 - t) * t * middle + t**2 * b
    return curve


def _room(at: Mapping[str, Place], width: float) -> dict[str, float]:
    """Room for each label across, in points: to the nearest label beside it, or the edge."""
    found = {}
    for name, (x, y) in at.items():
        level = [
            abs(x - u) for other, (u, v) in at.items() if other != name and abs(v - y) < 2 * LINE
        ]
        edge = 2 * min(x, width - x)
        found[name] = max(14.0, min([edge, *level]) - 6)
    return found


def _nodes(
    axes: Axes,
    record: Record,
    at: Mapping[str, Place],
    room: Mapping[str, float],
    above: Collection[str],
) -> None:
    figure = cast("Figure", axes.figure)
    nodes = {node.name: node for node in record.nodes}
    x, y = [place[0] for place in at.values()], [place[1] for place in at.values()]
    axes.scatter(x, y, s=MARK**2, c="white", ec="#333333", lw=1.1, zorder=3)
    for name, (across, up) in at.items():
        asked = nodes[name].in_question
        axes.text(
            across,
            up + (MARK / 2 + 2) * (1 if name in above else -1),
            style.fit(figure, short(name, 60), SIZE * (1.1 if asked else 1.0), room[name]),
            size=SIZE,
            ha="center",
            va="bottom" if name in above else "top",
            weight="bold" if asked else "normal",
            gid="node-label",
            zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.8},
        )
