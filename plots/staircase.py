"""Log Z along a timeline as a staircase: what each event was worth, in nats, and who was awake."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from mpnet.plots import style
from mpnet.plots.awake import awake_counts
from mpnet.plots.contents import has_content
from mpnet.plots.style import place
from mpnet.plots.wording import nats, short
from mpnet.record import PhaseInfo, Record
from mpnet.trace import Event, FloatArray

WIDTH, LEFT, RIGHT = 11.0, 0.85, 0.95
STAIRS, AWAKE, FOOT, HEAD, BETWEEN = 2.5, 0.62, 0.84, 0.66, 0.14
STRIP, ROW, ROWS = 0.2, 0.165, 8
SIZE = 7.2
RISES, FALLS = style.BLUE, style.VERMILLION


@dataclass(frozen=True)
class _Label:
    """What is written in the lane: ``at`` an iteration, from ``start`` points on, in a row."""

    at: int
    text: str
    color: str
    start: float = 0.0
    row: int = 0


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw the staircase with its phases above and the models awake below."""
    if not has_content("staircase", record):
        return None
    wide = WIDTH - LEFT - RIGHT
    strip = _fit_strip(record, wide * 72)
    wanted = [label for label in strip if label.row < 0] + _event_labels(record)
    labels = _placed(record, wanted, wide * 72)
    lane = STRIP + 0.1 + ROW * max((label.row + 1 for label in labels), default=0)
    height = FOOT + AWAKE + BETWEEN + STAIRS + lane + HEAD
    figure = style.new_figure(record, "log Z along the timeline", (WIDTH, height))
    awake = place(figure, LEFT, FOOT, wide, AWAKE)
    stairs = place(figure, LEFT, FOOT + AWAKE + BETWEEN, wide, STAIRS)
    above = place(figure, LEFT, FOOT + AWAKE + BETWEEN + STAIRS, wide, lane)
    for axes in (awake, stairs, above):
        _span(axes, record)
    _draw_stairs(stairs, record)
    _draw_awake(awake, record)
    style.bare(above)
    above.set_ylim(0, lane * 72)
    _draw_strip(above, record, [label for label in strip if label.row == 0])
    _draw_labels(above, stairs, record, labels)
    _draw_marks(stairs, record)
    _draw_key(figure, len(wanted) - len(labels))
    return figure


def _span(axes: Axes, record: Record) -> None:
    axes.set_xlim(-0.5, record.trace.last + 0.5)


def _events(record: Record) -> list[Event]:
    """Events that were worth something, in nats, but for what is said of others as well."""
    return [
        event
        for event in record.events
        if event.effect is not None and event.kind not in ("feed_forward", "refuse")
    ]


def _draw_stairs(axes: Axes, record: Record) -> None:
    """Log Z over the iterations, and the level that each phase settled at."""
    trace = record.trace
    values = np.where(np.isfinite(trace.log_z), trace.log_z, np.nan)
    axes.plot(trace.iterations, values, drawstyle="steps-post", color=style.BLACK, lw=1.5, zorder=3)
    if trace.iterations.size == 1:
        axes.plot(trace.iterations, values, "o", color=style.BLACK, ms=4, zorder=3)
    for number, phase in enumerate(record.phases):
        if number % 2:
            axes.axvspan(phase.first, phase.last, color="#EDF3F8", linewidth=0, zorder=0)
        if phase.log_z is not None and math.isfinite(phase.log_z):
            span, level = (_rest(values, record, phase), phase.last), (phase.log_z, phase.log_z)
            axes.plot(span, level, color=style.GREEN, lw=5, alpha=0.35, zorder=2)
    axes.tick_params(labelbottom=False)
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.set_ylabel("log Z (nats)")
    axes.yaxis.set_label_coords(-0.62 / (WIDTH - LEFT - RIGHT), 0.5)
    _pad(axes, values)
    ends = [p.log_z for p in record.phases if p.log_z is not None and math.isfinite(p.log_z)]
    if ends:
        text = f"{nats(ends[-1], sign=False)}"
        label = style.EndLabel(ends[-1], text, style.INK[style.GREEN], True)
        style.end_labels(axes, [label])


def _rest(values: FloatArray, record: Record, phase: PhaseInfo) -> int:
    """Iteration from which log Z stays at the level that its phase settles at."""
    assert phase.log_z is not None  # noqa: S101 - by the caller
    trace = record.trace
    first, last = trace.row_of(phase.first), trace.row_of(phase.last)
    near = 0.01 * max(float(np.nan_to_num(np.nanmax(values) - np.nanmin(values))), 1e-6)
    off = np.flatnonzero(np.abs(values[first : last + 1] - phase.log_z) > near)
    row = min(first + int(off[-1]) + 1, last) if off.size else first
    return int(trace.iterations[row])


def _pad(axes: Axes, values: FloatArray) -> None:
    good = values[np.isfinite(values)]
    low, high = (float(good.min()), float(good.max())) if good.size else (0.0, 1.0)
    room = max(0.08 * (high - low), 0.02)
    axes.set_ylim(low - room, high + room)


def _draw_awake(axes: Axes, record: Record) -> None:
    """How many models were awake."""
    iterations, counts = awake_counts(record)
    axes.plot(iterations, counts, drawstyle="steps-post", color=style.BLUE, lw=1.6)
    axes.fill_between(iterations, counts, step="post", color=style.SKY, alpha=0.25, linewidth=0)
    axes.set_ylim(0, max(1.0, 1.2 * float(counts.max())))
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.xaxis.set_major_locator(MaxNLocator(12, integer=True, min_n_ticks=1))
    axes.set_ylabel("awake")
    axes.yaxis.set_label_coords(-0.62 / (WIDTH - LEFT - RIGHT), 0.5)
    axes.set_xlabel("iteration")
    label = style.EndLabel(float(counts[-1]), f"{counts[-1]:.0f} models", style.INK[style.BLUE])
    style.end_labels(axes, [label])


def _fit_strip(record: Record, width: float) -> list[_Label]:
    """A label for each phase, fitted to its part of the strip; row -1 where it has no room."""
    figure = style.blank(width / 72)
    found = []
    for phase in record.phases:
        start, end = _at(phase.first, record, width), _at(phase.last, record, width)
        text = short(phase.label, 40)
        if phase.status != "converged":
            text = f"{text} ({phase.status})"
        fitted = style.fit(figure, text, SIZE, end - start - 4)
        size = style.text_width(figure, fitted, SIZE)
        if size > end - start - 2 or len(fitted) < min(6, len(text)):
            found.append(_Label(phase.first, f"■ {text}", "#555555", row=-1))
        else:
            found.append(_Label(phase.first, fitted, style.TEXT, (start + end - size) / 2))
    return found


def _draw_strip(axes: Axes, record: Record, labels: list[_Label]) -> None:
    """Phases as a strip along the top."""
    thick, top = (STRIP - 0.03) * 72, axes.get_ylim()[1]
    for number, phase in enumerate(record.phases):
        color = "#C9DFF0" if number % 2 else "#E2E2E2"
        corner = (phase.first, top - thick)
        axes.add_patch(Rectangle(corner, phase.last - phase.first, thick, color=color, linewidth=0))
    for label in labels:
        place = (_across(label.start, record), top - thick / 2)
        axes.text(*place, label.text, size=SIZE, va="center_baseline", gid="event-label")


def _at(iteration: float, record: Record, width: float) -> float:
    return (iteration + 0.5) / (record.trace.last + 1) * width


def _across(points: float, record: Record) -> float:
    return points / ((WIDTH - LEFT - RIGHT) * 72) * (record.trace.last + 1) - 0.5


def _event_labels(record: Record) -> list[_Label]:
    """Labels of events, the largest effects first."""
    return [
        _Label(event.iteration, _text(event), style.INK[RISES if event.effect >= 0 else FALLS])
        for event in sorted(_events(record), key=lambda e: (-abs(e.effect or 0.0), e.iteration))
        if event.effect is not None
    ]


def _placed(record: Record, wanted: list[_Label], width: float) -> list[_Label]:
    """Those labels that find room in the lane, in the order of what is wanted most."""
    figure = style.blank(width / 72)
    taken: list[list[tuple[float, float]]] = [[] for _ in range(ROWS)]
    found = []
    for label in wanted:
        text = style.fit(figure, label.text, SIZE, 0.4 * width)
        size = style.text_width(figure, text, SIZE)
        start = max(0.0, min(_at(label.at, record, width) - 3, width - size))
        row = _free_row(taken, start, start + size)
        if row is not None:
            taken[row].append((start, start + size))
            found.append(replace(label, text=text, start=start, row=row))
    return found


def _free_row(taken: list[list[tuple[float, float]]], start: float, end: float) -> int | None:
    """First row from the top where nothing is within 8 points."""
    for number, row in enumerate(taken):
        if all(end + 8 <= first or last + 8 <= start for first, last in row):
            return number
    return None


def _text(event: Event) -> str:
    assert event.effect is not None  # noqa: S101 - by _events
    text = event.text or event.kind
    cuts = {"fight": " contradict", "awaken": " (", "retire": ":", "together": " moves log Z"}
    words = text.partition(cuts[event.kind])[0] if event.kind in cuts else text
    if event.kind == "fight":
        words = f"fight: {words}"
    return f"{nats(event.effect)} {short(words, 34)}"


def _draw_labels(axes: Axes, stairs: Axes, record: Record, labels: list[_Label]) -> None:
    """Write the labels, each joined to its step by a dashed line."""
    top = axes.get_ylim()[1] - STRIP * 72
    dash: dict[str, Any] = {"lw": 0.6, "linestyle": (0, (4, 3)), "zorder": 1}
    for label in labels:
        level = top - (label.row + 0.62) * ROW * 72
        axes.plot([label.at, label.at], [0, level], color="#A5A5A5", **dash)
        stairs.axvline(label.at, color="#C9C9C9", **dash)
        axes.text(
            _across(label.start, record),
            level,
            label.text,
            size=SIZE,
            color=label.color,
            va="center_baseline",
            gid="event-label",
            zorder=3,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )


def _draw_marks(stairs: Axes, record: Record) -> None:
    """Mark every event that was worth something on the staircase."""
    trace = record.trace
    for event in _events(record):
        value = float(trace.log_z[trace.row_of(event.iteration)])
        rises = event.effect is not None and event.effect >= 0
        if math.isfinite(value):
            mark, color = ("^", RISES) if rises else ("v", FALLS)
            stairs.plot([event.iteration], [value], mark, color=color, ms=5.5, zorder=5)


def _draw_key(figure: Figure, left_out: int) -> None:
    height = float(figure.get_figheight())
    words = [
        ("▲ adds to log Z, or won by it", style.INK[RISES]),
        ("▼ takes from it", style.INK[FALLS]),
        ("▬ settled level of a phase", style.INK[style.GREEN]),
    ]
    if left_out:
        words.append((f"without a label: {left_out} of the smallest effects", style.GREY))
    at = LEFT
    for text, color in words:
        figure.text(at / WIDTH, 0.29 / height, text, size=7.5, color=color, va="center", gid="key")
        at += (style.text_width(figure, text, 7.5) + 18) / 72
