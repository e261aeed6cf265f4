"""Beliefs as boxes: a bar for each state of each node, in the layers of the society."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.belief_box import Box, box_height, draw_box, draw_key
from mpnet.plots.contents import has_content
from mpnet.plots.layout import Layout, lay_out
from mpnet.plots.moment import Moment, moment_at
from mpnet.plots.style import place
from mpnet.record import Record

LIMIT, PER_ROW, LINKS = 40, 6, 70
"""Boxes, boxes in a row, and links, at most."""
WIDTH, SIDE, HEAD, FOOT = 11.0, 0.2, 0.95, 0.3
GAP, WIDEST = 24.0, 150.0
"""Height between rows and width of a box, in points."""


@dataclass(frozen=True)
class _Page:
    """Rows of boxes from the bottom, and the height of all, in points."""

    rows: tuple[tuple[Box, ...], ...]
    height: float


@style.context()
def draw(record: Record, node: str | None = None, at: int | None = None) -> Figure | None:
    """Draw at most 40 boxes: nodes in question, evidence and their neighbours first.

    Parameters
    ----------
    record : Record
        The run; not modified.
    node : str, optional
        Draw this node and those near it first.
    at : int, optional
        Beliefs of this iteration; those at the end where it is left out.

    """
    if not has_content("beliefs", record):
        return None
    moment = moment_at(record, at)
    order = ranked(record, node)
    chosen = order[:LIMIT]
    layout = lay_out(record, LIMIT, chosen, PER_ROW)
    page = _page(moment, layout)
    height = HEAD + page.height / 72 + FOOT
    what = "beliefs" if at is None else f"beliefs at iteration {moment.iteration}"
    figure = style.new_figure(record, what, (WIDTH, height))
    axes = place(figure, SIDE, FOOT, WIDTH - 2 * SIDE, page.height / 72)
    style.bare(axes)
    axes.set_xlim(0, (WIDTH - 2 * SIDE) * 72)
    axes.set_ylim(0, page.height)
    linked = _links(axes, page, layout)
    boxes = [box for row in page.rows for box in row]
    for box in boxes:
        draw_box(axes, box)
    draw_key(figure, boxes, (WIDTH, height))
    _remark(figure, len(order), len(chosen), linked, height)
    return figure


def ranked(record: Record, node: str | None = None) -> list[str]:
    """Names of all nodes with beliefs, the most wanted first.

    Parameters
    ----------
    record : Record
        The run.
    node : str, optional
        The node to start from; nodes in question and evidence where it is left out.

    """
    from mpnet.plots.chosen import known_node

    nodes = [info for info in record.nodes if record.beliefs.get(info.name)]
    names = [info.name for info in nodes]
    if node is not None:
        known_node(record, node, names)
    asked = [info.name for info in nodes if info.in_question]
    seen = [info.name for info in nodes if info.evidence]
    first = [node] if node is not None else asked
    beside = [*_neighbours(record, first), *seen, *_neighbours(record, seen)]
    wanted = dict.fromkeys([*first, *beside, *asked, *names])
    return [name for name in wanted if name in set(names)]


def _neighbours(record: Record, names: Collection[str]) -> list[str]:
    inside = set(names)
    ends = [(p.source, p.target) for p in record.predictions]
    return [
        far
        for near, far in [*ends, *((target, source) for source, target in ends)]
        if near in inside
    ]


def _page(moment: Moment, layout: Layout) -> _Page:
    """Stack the rows from the bottom; boxes of a row hang from one line."""
    nodes = {info.name: info for info in moment.record.nodes}
    page = (WIDTH - 2 * SIDE) * 72
    level, rows = 4.0, []
    for names in layout.rows:
        slot = page / len(names)
        width = min(WIDEST, slot - 10)
        high = max(box_height(moment.record, nodes[name]) for name in names)
        top = level + high
        rows.append(
            tuple(
                Box(
                    moment.record,
                    nodes[name],
                    (number + 0.5) * slot - width / 2,
                    top,
                    width,
                    name in moment.absent,
                )
                for number, name in enumerate(names)
            )
        )
        level = top + GAP
    return _Page(tuple(rows), level - GAP + 4.0)


def _links(axes: Axes, page: _Page, layout: Layout) -> bool:
    """Draw who predicts what, faint and behind the boxes; whether they were few enough."""
    ends = {(p.source, p.target) for p in layout.predictions if p.source != p.target}
    if len(ends) > LINKS:
        return False
    boxes = {box.node.name: (level, box) for level, row in enumerate(page.rows) for box in row}
    lines = []
    for source, target in sorted(ends):
        (upper, above), (lower, below) = sorted(
            (boxes[source], boxes[target]), key=lambda item: -item[0]
        )
        middles = [box.left + box.width / 2 for box in (above, below)]
        if upper == lower:
            arc = max(above.top, below.top) + 8
            lines.append(_path((middles[0], above.top), (middles[1], below.top), arc))
        else:
            lines.append([(middles[0], above.bottom), (middles[1], below.top)])
    axes.add_collection(LineCollection(lines, colors=style.FAINT, linewidths=0.8, zorder=1))
    return True


def _path(
    start: tuple[float, float], end: tuple[float, float], height: float
) -> list[tuple[float, float]]:
    return [start, (start[0], height), (end[0], height), end]


def _remark(figure: Figure, every: int, drawn: int, linked: bool, height: float) -> None:
    remarks: Sequence[str] = [
        *([f"{drawn} of {every} nodes: those in question first"] if drawn < every else []),
        *([] if linked else ["links left out, for there are too many"]),
    ]
    if remarks:
        text = " · ".join(remarks)
        right, up = 1 - 0.25 / WIDTH, 1 - 0.16 / height
        figure.text(right, up, text, ha="right", va="top", weight="bold", gid="remark")
