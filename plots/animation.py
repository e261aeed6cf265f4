"""The society over the iterations, as a moving picture: GIF always, MP4 where ffmpeg is there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mpnet.errors import UsageError, shown
from mpnet.plots import panels, style
from mpnet.plots.contents import has_content
from mpnet.plots.files import write_whole
from mpnet.plots.film import Pixels, encode_gif, encode_mp4
from mpnet.plots.moment import has_happened, moment_at
from mpnet.plots.society import (
    WIDTH,
    draw_edges,
    draw_nodes,
    new_page,
    society_layout,
    spots_of,
)
from mpnet.plots.style import place
from mpnet.plots.wording import power, short
from mpnet.record import Record
from mpnet.trace import Event

KINDS = ("gif", "mp4")
FRAMES = 120
"""Pictures, at most."""
STRIP, CAPTION = 0.62, 0.3
SHOW, PAUSE, END = 120, 700, 2500
"""How long a frame is shown, one with events, and the last, in milliseconds."""
BYTES = 3_000_000
"""Size of a file that fewer frames are chosen for."""


@dataclass(frozen=True)
class _Shot:
    """One picture: a row of the trace, what happened since the one before, and for how long."""

    row: int
    events: tuple[Event, ...]
    milliseconds: int


def save_animation(
    record: Record, path_stem: Path, kind: str = "gif", node: str | None = None
) -> Path | None:
    """Write ``path_stem.gif`` or ``path_stem.mp4`` and return its path.

    Parameters
    ----------
    record : Record
        The run; not modified.
    path_stem : Path
        Where, without the extension.
    kind : str
        ``gif`` or ``mp4``.
    node : str, optional
        Of a large society, show the nodes nearest to this one.

    Returns
    -------
    Path or None
        None where the run has no iterations to show.

    Raises
    ------
    UsageError
        If the kind is neither.
    PluginError
        If ffmpeg is needed and missing.
    OutputError
        If the file can't be written.

    """
    if kind not in KINDS:
        raise UsageError(f"unknown animation {shown(kind)!r} (known: {', '.join(KINDS)})")
    program = shutil.which("ffmpeg")
    if kind == "mp4":
        from mpnet.errors import PluginError

        if program is None:
            raise PluginError(
                "an mp4 needs the program ffmpeg, which is not on the PATH; "
                "install it, or ask for a gif"
            )
    if not has_content("society", record) or not record.trace.iterations.size:
        return None
    path = path_stem.with_name(f"{path_stem.name}.{kind}")
    limit = FRAMES
    content = _encode(record, kind, node, limit, program)
    while len(content) > BYTES and limit > 15:
        limit //= 2
        content = _encode(record, kind, node, limit, program)
    write_whole(path, content)
    return path


def _encode(record: Record, kind: str, node: str | None, limit: int, program: str | None) -> bytes:
    shots = choose(record, limit)
    with style.context():
        pictures = list(_render(record, shots, node))
    times = [shot.milliseconds for shot in shots]
    if kind == "mp4" and program is not None:
        return encode_mp4(pictures, times, program)
    return encode_gif(pictures, times)


def choose(record: Record, limit: int = FRAMES) -> list[_Shot]:
    """Rows to show: the first, the last and those of events, then others evenly between.

    Parameters
    ----------
    record : Record
        The run.
    limit : int
        Rows, at most.

    """
    trace = record.trace
    rows = trace.iterations.size
    kept = {0, rows - 1}
    told = sorted({_seen_from(record, event) for event in record.events} - kept)
    kept |= set(_evenly(told, limit - len(kept)))
    others = [row for row in range(rows) if row not in kept]
    kept |= set(_evenly(others, limit - len(kept)))
    chosen = sorted(kept)
    return [_shot(record, before, row) for before, row in zip([-1, *chosen[:-1]], chosen)]


def _evenly(rows: Sequence[int], count: int) -> list[int]:
    if count <= 0 or not rows:
        return []
    if len(rows) <= count:
        return list(rows)
    return [rows[int(i)] for i in np.linspace(0, len(rows) - 1, count).round()]


def _seen_from(record: Record, event: Event) -> int:
    """The first row that an event shows in."""
    trace = record.trace
    row = trace.row_of(event.iteration)
    now = int(trace.iterations[row])
    if has_happened(record, event.iteration, now):
        return row
    return min(row + 1, trace.iterations.size - 1)


def _shot(record: Record, before: int, row: int) -> _Shot:
    events = tuple(e for e in record.events if before < _seen_from(record, e) <= row)
    last = row == record.trace.iterations.size - 1
    return _Shot(row, events, END if last else PAUSE if events else SHOW)


def _render(record: Record, shots: Sequence[_Shot], node: str | None) -> Iterator[Pixels]:
    """Draw what stays once, and what moves once for each shot."""
    layout = society_layout(record, node)
    moments = [moment_at(record, int(record.trace.iterations[shot.row])) for shot in shots]
    absent = any(moment.absent for moment in moments)
    foot = STRIP + CAPTION + 0.15
    figure, axes = new_page(record, layout, "society", foot, absent)
    draw_edges(axes, spots_of(figure, moments[-1], layout), layout.predictions)
    strip = place(figure, 0.75, 0.42, WIDTH - 1.0, STRIP - 0.12)
    _draw_strip(strip, record)
    _say_what_is_shown(figure, record, len(shots))
    canvas = cast("Any", figure.canvas)
    canvas.draw()
    background = canvas.copy_from_bbox(figure.bbox)
    for shot, moment in zip(shots, moments):
        canvas.restore_region(background)
        fresh = _moving(figure, (axes, strip), record, shot)
        old = _children(axes)
        draw_nodes(axes, list(spots_of(figure, moment, layout).values()))
        fresh += [artist for artist in _children(axes) if artist not in old]
        for artist in sorted(fresh, key=lambda a: a.get_zorder()):
            figure.draw_artist(artist)
        yield np.asarray(canvas.buffer_rgba())[..., :3].copy()
        for artist in fresh:
            artist.remove()


def _children(axes: Axes) -> list[Artist]:
    return [*axes.collections, *axes.texts]


def _draw_strip(axes: Axes, record: Record) -> None:
    """The residual over the iterations, along which a mark moves; ticks where events are."""
    trace = record.trace
    limits = panels.log_limits(trace.residual, record.tolerance) or (-6.0, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        levels = np.log10(trace.residual)
    levels = np.where(np.isnan(levels), np.nan, np.clip(levels, *limits))
    axes.plot(trace.iterations, levels, color="#555555", linewidth=1.0)
    axes.set_xlim(-0.5, trace.last + 0.5)
    axes.set_ylim(limits[0] - 0.3, limits[1] + 0.3)
    axes.set_yticks(list(limits), [power(limit) for limit in limits], fontsize=6.5)
    axes.set_ylabel("residual", fontsize=6.5)
    axes.tick_params(axis="x", labelsize=6.5, length=2, pad=1)
    for iteration in sorted({event.iteration for event in record.events}):
        axes.plot(
            [iteration], [limits[1] + 0.3], "v", color=style.VERMILLION, ms=3.5, clip_on=False
        )


def _moving(figure: Figure, axes: tuple[Axes, Axes], record: Record, shot: _Shot) -> list[Artist]:
    """The caption and the mark on the strip."""
    now = int(record.trace.iterations[shot.row])
    low, high = axes[1].get_ylim()
    (line,) = axes[1].plot([now, now], [low, high], color=style.BLUE, linewidth=2.0, zorder=5)
    texts = [short(event.text or event.kind, 90) for event in shot.events]
    more = f" (+{len(texts) - 2} more)" if len(texts) > 2 else ""
    said = " · ".join([f"iteration {now} of {record.trace.last}", *texts[:2]]) + more
    height = float(figure.get_figheight())
    text = figure.text(
        0.25 / WIDTH,
        (0.42 + STRIP) / height,
        style.fit(figure, said, 9.0, (WIDTH - 0.5) * 72),
        size=9.0,
        weight="bold" if texts else "normal",
        va="bottom",
    )
    return [line, text]


def _say_what_is_shown(figure: Figure, record: Record, frames: int) -> None:
    """Say how many of the iterations have a picture, where not all of them do."""
    every = record.trace.last + 1
    if frames < every:
        text = f"{frames} of {every} iterations: the first, the last, those of events, and others"
        height = float(figure.get_figheight())
        right, up = 1 - 0.25 / WIDTH, 1 - 0.16 / height
        figure.text(right, up, text, ha="right", va="top", size=8, color=style.GREY)
