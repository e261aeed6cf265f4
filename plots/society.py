"""The society as a graph: who predicts what, who is believed, and what was observed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.layout import Layout, lay_out, nearest
from mpnet.plots.moment import Moment, moment_at
from mpnet.plots.society_key import DASH, draw_key
from mpnet.plots.style import place
from mpnet.plots.wording import leading, probability, short
from mpnet.record import NodeInfo, PredictionInfo, Record
from mpnet.trace import FloatArray

LIMIT = 40
WIDTH, ROW_HEIGHT, KEY = 11.0, 1.32, 0.62
RADIUS = 10.5
SIZE, LINE = 8.0, 10.5
MARKERS = {"feature": "o", "model": "s", "composite": "h", "choice": "D", "data": "v"}
BELIEF = LinearSegmentedColormap.from_list("belief", ["#FFFFFF", "#BFE5D8", "#009E73", "#004D38"])
WILL, WONT, RULE, EXPLAINS = style.BLUE, style.ORANGE, "#A8A8A8", style.PINK


@dataclass(frozen=True)
class _Spot:
    """One node on the page; lengths in points. Edges leave at ``top`` and ``bottom``."""

    node: NodeInfo
    x: float
    y: float
    row: int
    lines: tuple[str, ...]
    belief: float | None
    absent: bool = False

    @property
    def top(self) -> float:
        return self.y + RADIUS + (5 if self.node.evidence else 2)

    @property
    def bottom(self) -> float:
        return self.y - RADIUS - 3 - LINE * len(self.lines)


@style.context()
def draw(record: Record, node: str | None = None, at: int | None = None) -> Figure | None:
    """Draw the nodes in layers and their predictions as arrows; at most 40 nodes.

    Parameters
    ----------
    record : Record
        The run; not modified.
    node : str, optional
        Of a large society, draw the 40 nodes nearest to this one.
    at : int, optional
        Beliefs of this iteration, and what was observed and who took part by then; the end where
        it is left out. Nodes stand in the same places at every iteration.

    """
    if not has_content("society", record):
        return None
    moment = moment_at(record, at)
    layout = society_layout(record, node)
    what = "society" if at is None else f"society at iteration {moment.iteration}"
    figure, axes = new_page(moment.record, layout, what, absent=bool(moment.absent))
    spots = spots_of(figure, moment, layout)
    draw_edges(axes, spots, layout.predictions)
    draw_nodes(axes, list(spots.values()))
    if layout.left_out:
        total = len(record.nodes)
        which = "most connected" if node is None else f"nearest to {short(node, 24)}"
        text = f"the {total - layout.left_out} {which} of {total} nodes"
        right, up = 1 - 0.25 / WIDTH, 1 - 0.16 / float(figure.get_figheight())
        figure.text(right, up, text, ha="right", va="top", weight="bold", gid="remark")
    return figure


def society_layout(record: Record, node: str | None = None) -> Layout:
    """Where the nodes of a society stand; around one of them if it is named."""
    if node is None:
        return lay_out(record, LIMIT)
    return lay_out(record, LIMIT, nearest(record, node, LIMIT))


def new_page(
    record: Record, layout: Layout, what: str, foot: float = 0.0, absent: bool = False
) -> tuple[Figure, Axes]:
    """Make the figure with its key, and room for the graph; ``foot`` inches stay free below."""
    body = ROW_HEIGHT * len(layout.rows)
    height = 0.75 + body + KEY + 0.3 + foot
    figure = style.new_figure(record, what, (WIDTH, height))
    axes = place(figure, 0.15, KEY + 0.3 + foot, WIDTH - 0.3, body)
    style.bare(axes)
    axes.set_xlim(0, (WIDTH - 0.3) * 72)
    axes.set_ylim(0, body * 72)
    key = place(figure, 0.25, 0.3 + foot, WIDTH - 0.5, KEY)
    draw_key(key, record, BELIEF, MARKERS, (WILL, WONT, EXPLAINS, RULE), absent)
    return figure, axes


def spots_of(figure: Figure, moment: Moment, layout: Layout) -> dict[str, _Spot]:
    """Where each node stands on the page, with its label."""
    record = moment.record
    nodes = {node.name: node for node in record.nodes}
    width, pitch = (WIDTH - 0.3) * 72, ROW_HEIGHT * 72
    kinds = [nodes[row[0]].kind for row in layout.rows]
    crowded = len(set(kinds)) < len(kinds) or max(len(row) for row in layout.rows) > 6
    found = {}
    for level, row in enumerate(layout.rows):
        # Crowded rows are staggered, so that edges pass between the nodes.
        stagger = crowded and len(row) > 3
        slot = width / (len(row) + (0.5 if stagger else 0.0))
        first = 1.0 if stagger and level % 2 else 0.5
        for index, name in enumerate(row):
            lines, belief = _words(figure, record, nodes[name], slot - 8)
            x, y = (index + first) * slot, (level + 0.66) * pitch
            absent = name in moment.absent
            found[name] = _Spot(nodes[name], x, y, level, lines, belief, absent)
    return found


def _words(
    figure: Figure, record: Record, node: NodeInfo, room: float
) -> tuple[tuple[str, ...], float | None]:
    """Label of a node, fitted to its slot, and the belief that fills it."""
    lines = [style.fit(figure, short(node.name, 28), SIZE * 1.1, room)]
    belief: float | None = None
    beliefs = record.beliefs.get(node.name)
    if beliefs:
        state, belief = leading(record, node.name)
        if "active" in beliefs:
            belief = beliefs["active"]
            lines.append(probability(belief))
        else:
            number = probability(belief)
            space = room - style.text_width(figure, f" {number}", SIZE)
            lines.append(f"{style.fit(figure, short(state, 20), SIZE, space)} {number}")
    elif node.evidence:
        lines.append(style.fit(figure, short(node.evidence, 28), SIZE, room))
    return tuple(lines), belief


def draw_nodes(axes: Axes, spots: Sequence[_Spot]) -> None:
    """Draw markers filled by belief, rings around what is observed, and labels."""
    for kind in dict.fromkeys(spot.node.kind for spot in spots):
        for absent in (False, True):
            mine = [s for s in spots if s.node.kind == kind and s.absent == absent]
            if mine:
                _markers(axes, mine, MARKERS.get(kind, "s"))
    for spot in spots:
        for index, line in enumerate(spot.lines):
            _label(axes, spot, index, line)


def _markers(axes: Axes, spots: Sequence[_Spot], marker: str) -> None:
    """Markers of one kind; of nodes that take no part the outline is dotted."""
    x, y = [spot.x for spot in spots], [spot.y for spot in spots]
    fill = [BELIEF(spot.belief) if spot.belief is not None else "#D9D9D9" for spot in spots]
    size = (1.7 * RADIUS) ** 2 * (0.8 if marker == "D" else 1.1 if marker == "h" else 1.0)
    seen = [spot for spot in spots if spot.node.evidence]
    if seen:
        ring = ([spot.x for spot in seen], [spot.y for spot in seen])
        axes.scatter(*ring, s=size * 1.75, marker=marker, c="white", ec="black", lw=1.8, zorder=3)
    if spots[0].absent:
        looks: dict[str, Any] = {"c": "white", "ec": "#9A9A9A", "linestyle": (0, (1.2, 1.2))}
    else:
        looks = {"c": fill, "ec": "#333333"}
    drawn = axes.scatter(x, y, s=size, marker=marker, lw=1.0, zorder=4, **looks)
    style.mirror_colors(drawn)


def _label(axes: Axes, spot: _Spot, index: int, line: str) -> None:
    axes.text(
        spot.x,
        spot.y - RADIUS - 3 - LINE * (index + 0.5),
        line,
        size=SIZE,
        ha="center",
        va="center",
        weight="bold" if index == 0 and spot.node.in_question else "normal",
        color=style.GREY if spot.absent else style.TEXT if index == 0 else "#444444",
        gid="node-label",
        zorder=6,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.85},
    )


def draw_edges(
    axes: Axes, spots: Mapping[str, _Spot], predictions: Sequence[PredictionInfo]
) -> None:
    """Draw every prediction as a curve with an arrow head, explanations dashed; rules without."""
    strongest = max((_size(p) for p in predictions if not p.hard), default=0.0)
    curves, heads, colors, widths, tints = [], [], [], [], []
    dashes: list[tuple[float, tuple[float, ...]]] = []
    drawn = [edge for edge in predictions if edge.source != edge.target]
    for edge, ports in zip(drawn, _ports(spots, drawn)):
        curve = _curve(spots[edge.source], spots[edge.target], ports)
        share = _size(edge) / strongest if strongest > 0 else 0.0
        color = RULE if edge.hard else WILL if edge.strength >= 0 else WONT
        color = EXPLAINS if edge.explains else color
        width = 1.0 if edge.hard else 0.7 + 3.3 * share
        if not edge.hard:
            head, curve = _head(curve, 6 + 1.4 * width)
            heads.append(head)
            tints.append(color)
        curves.append(curve)
        colors.append(color)
        widths.append(width)
        dashes.append((0.0, DASH if edge.explains else ()))
    lines = LineCollection(
        curves, colors=colors, linewidths=widths, alpha=0.75, zorder=1, clip_on=False
    )
    lines.set_linestyle(dashes)
    axes.add_collection(lines)
    axes.add_collection(PolyCollection(heads, facecolors=tints, linewidths=0, zorder=2))


def _size(edge: PredictionInfo) -> float:
    size = abs(edge.strength)
    return 0.0 if math.isnan(size) else min(size, 20.0)


def _ports(
    spots: Mapping[str, _Spot], edges: Sequence[PredictionInfo]
) -> list[tuple[float, float]]:
    """Where each edge leaves and arrives, across: side by side, in the order of the far ends."""
    sides: dict[tuple[str, bool], list[tuple[float, int, int]]] = {}
    for index, edge in enumerate(edges):
        source, target = spots[edge.source], spots[edge.target]
        downward, level = source.row > target.row, source.row == target.row
        sides.setdefault((edge.source, not downward), []).append((target.x, index, 0))
        sides.setdefault((edge.target, downward or level), []).append((source.x, index, 1))
    places = [[0.0, 0.0] for _ in edges]
    for (name, _), ends in sides.items():
        pitch = min(8.0, 3.4 * RADIUS / max(len(ends) - 1, 1))
        for rank, (_, index, end) in enumerate(sorted(ends)):
            places[index][end] = spots[name].x + (rank - (len(ends) - 1) / 2) * pitch
    return [(first, second) for first, second in places]


def _curve(source: _Spot, target: _Spot, ports: tuple[float, float]) -> FloatArray:
    """Bend from port to port, shape (17, 2): vertical at its ends, an arc within one row."""
    t = np.linspace(0, 1, 17)[:, None]
    leave, arrive = ports
    if source.row == target.row:
        start, end = (leave, source.top), (arrive, target.top)
        rise = min(30.0, 10 + 0.06 * abs(leave - arrive))
        first, second = (leave, start[1] + rise), (arrive, end[1] + rise)
    else:
        down = source.row > target.row
        start = (leave, source.bottom if down else source.top)
        end = (arrive, target.top if down else target.bottom)
        lift = 0.35 * (start[1] - end[1])
        first, second = (leave, start[1] - lift), (arrive, end[1] + lift)
    points = [np.array(point) for point in (start, first, second, end)]
    a, b, c, d = points
    curve: FloatArray = (
        (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
    )
    return curve


def _head(curve: FloatArray, length: float) -> tuple[FloatArray, FloatArray]:
    """Arrow head at the end of a curve, and the curve cut where the head begins."""
    tip = curve[-1]
    away = np.hypot(*(curve - tip).T)
    body = curve[away > 0.7 * length]
    body = body if len(body) else curve[:1]
    along = tip - body[-1]
    along = along / max(float(np.hypot(*along)), 1e-9)
    across = np.array([-along[1], along[0]])
    base = tip - length * along
    head = np.array([tip, base + 0.42 * length * across, base - 0.42 * length * across])
    return head, np.vstack([body, tip - 0.7 * length * along])


def spot_boxes(axes: Axes) -> list[tuple[float, float, float, float]]:
    """Return the box of each node's marker as drawn, in points: x0, y0, x1, y1."""
    found = []
    for collection in axes.collections:
        if isinstance(collection, LineCollection | PolyCollection):
            continue
        for x, y in cast("FloatArray", collection.get_offsets()):
            found.append((x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS))
    return found
