"""The lane above the panels: which estimator the rows come from, and what happened when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mpnet.plots import style
from mpnet.plots.series import spans
from mpnet.plots.wording import short
from mpnet.record import Record
from mpnet.trace import Event

ROW = 0.165
STRIP = 0.19
ROWS = 5
SIZE = 7.2
_KINDS = {
    "clamp": ("◆", style.INK[style.BLUE]),
    "overtake": ("▲", style.INK[style.ORANGE]),
    "converged": ("●", style.INK[style.GREEN]),
    "inconsistent": ("✕", style.INK[style.VERMILLION]),
    "feed_forward": ("»", style.INK[style.BLUE]),
    "awaken": ("▲", style.INK[style.GREEN]),
    "compose": ("▲", style.INK[style.BLUE]),
    "retire": ("▼", style.INK[style.VERMILLION]),
    "fight": ("◆", style.INK[style.VERMILLION]),
    "walk": ("→", style.INK[style.BLUE]),
    "evidence": ("◇", style.INK[style.PINK]),
    "step": ("◇", style.INK[style.PINK]),
    "oscillating": ("✕", style.INK[style.VERMILLION]),
    "max_iterations": ("✕", style.INK[style.VERMILLION]),
    "stalled": ("✕", style.INK[style.VERMILLION]),
}
_CUTS = {"feed_forward": ":", "fight": " each other", "awaken": " (", "retire": ":", "refuse": ":"}
"""Where the text of an event is cut off, for lack of room."""


@dataclass(frozen=True)
class _Label:
    """What is written of an event; minor ones take the room that others leave."""

    iteration: int
    text: str
    color: str
    minor: bool


def lane_height(record: Record) -> float:
    """Height of the lane, in inches; at most one row per event."""
    return STRIP + 0.06 + ROW * min(ROWS, len(_labels(record)))


def draw_lane(axes: Axes, record: Record) -> None:
    """Draw the stages as a strip and the events as labels in rows, so that none collide."""
    figure = cast("Figure", axes.figure)
    count = record.trace.last + 1
    style.bare(axes)
    axes.set_xlim(-0.5, count - 0.5)
    box = axes.get_position()
    across, up = (float(v) * 72 for v in figure.get_size_inches())
    width, height = box.width * across, box.height * up
    axes.set_ylim(0, height)
    _strip(axes, record, width)
    labels = _labels(record)
    taken: list[list[tuple[float, float]]] = [[] for _ in range(min(ROWS, len(labels)))]
    left_out = 0
    for label in sorted(labels, key=lambda label: label.minor):
        point = (label.iteration + 0.5) / count * width
        text = style.fit(figure, label.text, SIZE, 0.9 * width)
        size = style.text_width(figure, text, SIZE)
        start = max(0.0, min(point - 4, width - size))
        free = [
            index
            for index, row in enumerate(taken)
            if all(end + 8 <= start or start + size + 8 <= begin for begin, end in row)
        ]
        if not free:
            left_out += 1
            continue
        taken[free[0]].append((start, start + size))
        level = height - STRIP * 72 - (free[0] + 0.62) * ROW * 72
        _write(axes, label, text, (start / width * count - 0.5, level))
    if left_out:
        axes.text(
            1.01,
            0.1,
            f"+{left_out} more events",
            transform=axes.transAxes,
            size=SIZE,
            color=style.GREY,
        )


def _write(axes: Axes, label: _Label, text: str, at: tuple[float, float]) -> None:
    axes.plot(
        [label.iteration, label.iteration],
        [0, at[1]],
        color="#8C8C8C",
        linewidth=0.7,
        linestyle=(0, (4, 3)),
        zorder=1,
    )
    axes.text(
        *at,
        text,
        size=SIZE,
        color=label.color,
        va="center_baseline",
        gid="event-label",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
    )


def _labels(record: Record) -> list[_Label]:
    """One label per iteration and kind; further events of the same are counted."""
    last = record.trace.last
    groups: dict[tuple[int, str], list[Event]] = {}
    for event in record.events:
        groups.setdefault((max(0, min(event.iteration, last)), event.kind), []).append(event)
    labels = []
    for (iteration, kind), events in sorted(groups.items(), key=lambda item: item[0][0]):
        mark, color = _KINDS.get(kind, ("■", "#444444"))
        more = f" (+{len(events) - 1} more)" if len(events) > 1 else ""
        text = events[0].text or kind
        words = short(text.partition(_CUTS[kind])[0] if kind in _CUTS else text, 44)
        labels.append(
            _Label(iteration, f"{mark} {iteration}: {words}{more}", color, kind == "overtake")
        )
    return labels


def _strip(axes: Axes, record: Record, width: float) -> None:
    """Draw the strip of stages along the top."""
    figure = cast("Figure", axes.figure)
    count = record.trace.last + 1
    high = axes.get_ylim()[1]
    thick = (STRIP - 0.04) * 72
    free = 0.0
    for index, (name, left, right) in enumerate(spans(record)):
        color = "#C9DFF0" if index % 2 else "#E2E2E2"
        patch = Rectangle((left, high - thick), right - left, thick, color=color, linewidth=0)
        axes.add_patch(patch)
        size = style.text_width(figure, short(name), 7.5) + 6
        start, end = ((edge + 0.5) / count * width for edge in (left, right))
        middle = min(max((start + end) / 2, size / 2), width - size / 2)
        if middle - size / 2 < free:
            continue
        free = middle + size / 2
        at = middle / width * count - 0.5
        axes.text(at, high - thick / 2, short(name), size=7.5, ha="center", va="center_baseline")
