"""One node as a box: its name, and a bar with name and percentage for each state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mpnet.plots import style
from mpnet.plots.wording import short
from mpnet.record import NodeInfo, Record

STATES = 6
"""Bars of a node, at most; the rest is added up."""
TITLE, SEEN_LINE, ROW, PAD = 14.0, 10.0, 10.5, 3.0
NAME_SIZE, SIZE = 8.0, 7.2
SEEN, SEEN_BAR, EDGE = "#FBE7C6", "#F6CF8B", "#8A8A8A"
LEADS, TRAILS, OBSERVED = style.BLUE, "#A9CBE3", "#9A9A9A"


@dataclass(frozen=True)
class Box:
    """Where a node's box stands; lengths in points, ``top`` and ``left`` its upper left corner."""

    record: Record
    node: NodeInfo
    left: float
    top: float
    width: float
    absent: bool = False

    @property
    def bottom(self) -> float:
        """Lower edge."""
        return self.top - box_height(self.record, self.node)


@dataclass(frozen=True)
class _Bar:
    label: str
    belief: float
    prior: float | None
    exact: float | None
    leads: bool


def percent(value: float) -> str:
    """Write a probability as a percentage, never rounded to impossible or certain."""
    if 0.0 < value < 0.001:
        return "<0.1 %"
    if 0.999 < value < 1.0:
        return ">99.9 %"
    return "–" if value != value else f"{100 * value:.1f} %"  # noqa: PLR0124 - NaN


def box_height(record: Record, node: NodeInfo) -> float:
    """Height of a node's box, in points."""
    rows = min(len(record.beliefs[node.name]), STATES + 1)
    return TITLE + (SEEN_LINE if node.evidence else 0.0) + ROW * rows + 2 * PAD


def draw_box(axes: Axes, box: Box) -> None:
    """Draw the frame, the name, what was observed and the bars."""
    figure = cast("Figure", axes.figure)
    seen, high = bool(box.node.evidence), box.top - box.bottom
    head = TITLE + (SEEN_LINE if seen else 0.0)
    _fill(axes, (box.left, box.bottom, box.width, high), SEEN if seen else "white")
    _fill(axes, (box.left, box.top - head, box.width, head), SEEN_BAR if seen else style.PALE)
    frame = Rectangle(
        (box.left, box.bottom),
        box.width,
        high,
        fill=False,
        edgecolor=EDGE,
        linewidth=1.6 if box.node.in_question else 0.8,
        linestyle=(0, (3, 2)) if box.absent else "solid",
        zorder=2.5,
    )
    axes.add_patch(frame)
    weight = "bold" if box.node.in_question else "normal"
    mark = "◆ " if seen else ""
    room = box.width - 8
    title = style.fit(figure, mark + short(box.node.name, 60), NAME_SIZE * 1.08, room)
    _write(axes, (box.left + 4, box.top - TITLE / 2 - 0.5), title, NAME_SIZE, weight)
    if seen:
        said = style.fit(figure, f"observed: {short(box.node.evidence, 60)}", SIZE, room)
        _write(axes, (box.left + 4, box.top - TITLE - SEEN_LINE / 2 + 1), said, SIZE)
    for number, bar in enumerate(_bars(box.record, box.node)):
        _draw_bar(axes, box, bar, box.top - head - PAD - ROW * (number + 0.5))


def _fill(axes: Axes, place: tuple[float, float, float, float], color: str) -> None:
    left, bottom, width, height = place
    axes.add_patch(Rectangle((left, bottom), width, height, color=color, linewidth=0, zorder=2))


def _write(
    axes: Axes, at: tuple[float, float], text: str, size: float, weight: str = "normal"
) -> None:
    axes.text(*at, text, size=size, weight=weight, va="center_baseline", gid="box", zorder=5)


def _draw_bar(axes: Axes, box: Box, bar: _Bar, level: float) -> None:
    """Name, bar and percentage of one state, at a height."""
    figure = cast("Figure", axes.figure)
    number = 34.0
    name = max(0.38 * (box.width - number), min(36.0, 0.55 * (box.width - number)))
    start, length = box.left + 5 + name + 2, box.width - number - name - 14
    label = style.fit(figure, bar.label, SIZE, name)
    _write(axes, (box.left + 4, level), label, SIZE)
    axes.text(
        box.left + box.width - 3,
        level,
        percent(bar.belief),
        size=SIZE,
        ha="right",
        va="center_baseline",
        weight="bold" if bar.leads else "normal",
        gid="box",
        zorder=5,
    )
    trough = Rectangle(
        (start, level - 3.2), length, 6.4, fc="white", ec="#D0D0D0", lw=0.5, zorder=3
    )
    axes.add_patch(trough)
    color = OBSERVED if box.node.evidence else LEADS if bar.leads else TRAILS
    share = min(max(bar.belief, 0.0), 1.0) if bar.belief == bar.belief else 0.0
    axes.add_patch(
        Rectangle((start, level - 3.2), length * share, 6.4, color=color, linewidth=0, zorder=3.2)
    )
    if bar.exact is not None:
        at = start + length * bar.exact
        axes.plot([at, at], [level - 4.6, level + 4.6], color="white", lw=2.6, zorder=3.6)
        axes.plot([at, at], [level - 4.6, level + 4.6], color="black", lw=1.3, zorder=3.8)
    if bar.prior is not None:
        axes.plot(
            [start + length * bar.prior],
            [level],
            "o",
            mfc="white",
            mec="#333333",
            mew=0.8,
            ms=3.6,
            zorder=4,
        )


def _bars(record: Record, node: NodeInfo) -> list[_Bar]:
    """All states in their own order, or the most believed ones and the others together."""
    beliefs = record.beliefs[node.name]
    exact = (record.exact or {}).get(node.name, {})
    priors = dict(zip(node.states, node.prior))
    top = max(beliefs.values(), default=0.0)
    bars = [
        _Bar(short(state, 40), p, priors.get(state), exact.get(state), p == top)
        for state, p in beliefs.items()
    ]
    if len(bars) <= STATES + 1:
        return bars
    bars.sort(key=lambda bar: -bar.belief)
    kept, rest = bars[:STATES], bars[STATES:]
    known = [bar.exact for bar in rest if bar.exact is not None]
    prior = [bar.prior for bar in rest if bar.prior is not None]
    others = _Bar(
        f"{len(rest)} others",
        sum(bar.belief for bar in rest),
        sum(prior) if len(prior) == len(rest) else None,
        sum(known) if len(known) == len(rest) else None,
        False,
    )
    return [*kept, others]


def draw_key(figure: Figure, boxes: Sequence[Box], size: tuple[float, float]) -> None:
    """Say what the marks that occur mean, in the line below the verdict."""
    width, height = size
    seen = any(box.node.evidence for box in boxes)
    words = [
        ("■ leading state", style.INK[LEADS]),
        ("■ other states", "#44769B"),
        *([("■ observed (◆ and tinted)", "#6E6E6E")] if seen else []),
        *([("│ exact", style.BLACK)] if any(box.record.exact for box in boxes) else []),
        ("○ prior", "#333333"),
        ("bold name, thick frame: in question", style.TEXT),
        *([("dashed frame: takes no part", style.TEXT)] if any(b.absent for b in boxes) else []),
    ]
    at = 0.25
    for text, color in words:
        figure.text(at / width, 1 - 0.7 / height, text, size=7.5, color=color, va="center")
        at += (style.text_width(figure, text, 7.5) + 16) / 72
