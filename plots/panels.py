"""Panels over the iterations, shared by the figures that have such an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from mpnet.plots import style
from mpnet.plots.series import Look, Series, converged_row, looks, stages
from mpnet.plots.style import EndLabel
from mpnet.plots.wording import INFINITY, nats, power, probability
from mpnet.record import Record
from mpnet.trace import FloatArray

MARKS = 20
"""Dashed lines of events, at most."""
LABELS = 16
"""Labelled lines, at most."""


def iteration_axis(axes: Axes, record: Record, last: bool) -> None:
    """Set the shared axis: stages shaded, events dashed, grey after convergence."""
    rows = len(record.trace.residual)
    axes.set_xlim(-0.5, rows - 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12, min_n_ticks=1))
    axes.tick_params(labelbottom=last)
    if last:
        axes.set_xlabel("iteration")


def shade(axes: Axes, record: Record) -> None:
    """Tint every second stage, dash the events, and grey what comes after convergence."""
    rows = len(record.trace.residual)
    for index, (_, first, end) in enumerate(stages(record)):
        if index % 2:
            axes.axvspan(first - 0.5, end + 0.5, color="#E3EEF7", linewidth=0, zorder=0)
    done = converged_row(record)
    if done is not None and done < rows - 1:
        axes.axvspan(done, rows - 0.5, color="#E4E4E4", linewidth=0, zorder=0.1)
    for row in sorted({min(event.iteration, rows - 1) for event in record.events})[:MARKS]:
        axes.axvline(row, color="#8C8C8C", linewidth=0.7, linestyle=(0, (4, 3)), zorder=0.5)


def side_label(axes: Axes, text: str, inches: float) -> None:
    """Write the name of a vertical axis, at the same distance for all panels."""
    width = axes.get_position().width * float(axes.figure.get_figwidth())  # type: ignore[union-attr]
    axes.set_ylabel(text)
    axes.yaxis.set_label_coords(-inches / width, 0.5)


def draw_lines(axes: Axes, lines: Sequence[tuple[FloatArray, Look]]) -> None:
    """Draw lines over the iterations, the first on top."""
    rows = np.arange(len(lines[0][0])) if lines else np.arange(0)
    for rank, (values, look) in enumerate(lines):
        axes.plot(
            rows,
            values,
            color=look.color,
            linestyle=look.dash,
            linewidth=look.width,
            zorder=4 - rank / 100,
            marker="o" if len(rows) <= 4 else None,
            markersize=3,
        )


def beliefs(axes: Axes, record: Record, series: Sequence[Series]) -> str:
    """Draw beliefs in question with their exact values, and return the name of the axis.

    Where all of them are rare or all near certain, log-odds take the place of probabilities.
    """
    in_odds = bool(series) and _is_extreme(series)
    scale = _log_odds if in_odds else np.asarray
    drawn = looks([line.winner for line in series])
    draw_lines(axes, [(scale(line.values), look) for line, look in zip(series, drawn)])
    exact = [(line.exact, look) for line, look in zip(series, drawn) if line.exact is not None][
        : len(style.PALETTE)
    ]
    for value, look in exact:
        level = float(scale(np.array(value)))
        axes.axhline(level, color=look.color, linestyle=style.DOTTED, linewidth=1.3, zorder=2)
    if in_odds:
        axes.margins(y=0.08)
        axes.set_ylim(axes.get_ylim())
    else:
        axes.set_ylim(-0.02, 1.02)
    labelled = [
        EndLabel(
            float(scale(np.array(line.final))),
            f"{line.label}  {probability(line.final)}",
            style.INK[look.color],
            line.winner,
        )
        for line, look in zip(series, drawn)
    ]
    uniform = [] if in_odds else _uniform(axes, series)
    style.end_labels(axes, labelled[:LABELS] + uniform)
    notes = ["thick: wins", *(["dotted: exact"] if exact else [])]
    if len(labelled) > LABELS:
        notes.append(f"{len(labelled) - LABELS} lowest lines not labelled")
    corner(axes, " · ".join(notes))
    return "belief, log-odds\n(nats)" if in_odds else "belief"


def _is_extreme(series: Sequence[Series]) -> bool:
    """Whether every line lies in the lowest or highest tenth, where a probability shows nothing."""
    values = np.concatenate([line.values[np.isfinite(line.values)] for line in series])
    if not values.size or values.min() <= 0.0 or values.max() >= 1.0:
        return False
    return bool(values.max() < 0.1 or values.min() > 0.9)


def _log_odds(values: FloatArray) -> FloatArray:
    odds: FloatArray = np.log(values) - np.log1p(-values)
    return odds


def _uniform(axes: Axes, series: Sequence[Series]) -> list[EndLabel]:
    """Draw the line of no opinion where all nodes share it, and return its label."""
    counts = {line.states for line in series}
    if len(counts) != 1:
        return []
    level = 1 / counts.pop()
    axes.axhline(level, color=style.FAINT, linewidth=0.8, zorder=1)
    return [EndLabel(level, f"uniform {level:.2g}", style.GREY)]


def corner(axes: Axes, text: str) -> None:
    """Write a remark just above the upper right corner."""
    axes.text(
        1.0, 1.01, text, transform=axes.transAxes, size=7, color=style.GREY, ha="right", va="bottom"
    )


def log_limits(values: FloatArray, *more: float) -> tuple[float, float] | None:
    """Decades that hold all finite positive values, or None if there are none."""
    every = np.concatenate([np.ravel(values), np.array(more, dtype=np.float64)])
    good = every[np.isfinite(every) & (every > 0)]
    if good.size == 0:
        return None
    low, high = math.floor(math.log10(good.min())), math.ceil(math.log10(good.max()))
    return float(max(low, high - 16)), float(max(high, low + 1))


def decades(low: float, high: float, count: int = 6) -> list[float]:
    """At most ``count`` whole exponents between two of them."""
    step = max(1, math.ceil((high - low) / (count - 1)))
    return [float(v) for v in np.arange(low, high + 0.5, step)]


def residual(axes: Axes, record: Record) -> None:
    """Undamped residual on a logarithmic axis, with the tolerance and where it was reached."""
    values = record.trace.residual
    limits = log_limits(values, record.tolerance) or (-6.0, 0.0)
    low, high = limits[0] - 0.3, limits[1] + 0.3
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(FixedLocator(decades(*limits)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: power(value)))
    axes.yaxis.set_minor_locator(NullLocator())
    with np.errstate(divide="ignore", invalid="ignore"):
        levels = np.log10(values)
    rows = np.arange(len(values))
    fine = np.where(np.isfinite(values), np.clip(levels, low, high), np.nan)
    axes.plot(rows, fine, color=style.BLACK, linewidth=1.5, marker="o", markersize=2.4, zorder=3)
    endless = rows[np.isposinf(values)]
    if endless.size:
        axes.plot(endless, np.full(endless.size, high), "^", color=style.PINK, clip_on=False)
        corner(axes, f"▲ {INFINITY}: a message lost or gained support")
    style.end_labels(axes, _tolerance(axes, record) + _outcome(axes, record, fine))


def _tolerance(axes: Axes, record: Record) -> list[EndLabel]:
    """Draw the tolerance and return its label."""
    if record.tolerance <= 0:
        return []
    level = math.log10(record.tolerance)
    axes.axhline(level, color=style.VERMILLION, linewidth=1, zorder=2)
    return [EndLabel(level, f"tolerance {record.tolerance:g}", style.VERMILLION)]


def _outcome(axes: Axes, record: Record, levels: FloatArray) -> list[EndLabel]:
    """Mark where the run converged and return its label, or say that it did not."""
    row = converged_row(record)
    if row is not None:
        level = float(levels[row]) if np.isfinite(levels[row]) else axes.get_ylim()[0]
        axes.plot([row], [level], "o", color=style.GREEN, markersize=6.5, zorder=5, clip_on=False)
        return [EndLabel(level, f"● converged at {row}", style.INK[style.GREEN], True)]
    text = f"NOT CONVERGED after {record.iterations} iterations"
    box = {"facecolor": "white", "edgecolor": style.VERMILLION, "pad": 2.5}
    axes.text(
        0.99,
        0.95,
        text,
        transform=axes.transAxes,
        ha="right",
        va="top",
        color=style.VERMILLION,
        weight="bold",
        bbox=box,
        zorder=6,
    )
    return []


def energy(axes: Axes, record: Record) -> None:
    """Bethe free energy, and the exact value where it is known."""
    values = -record.trace.log_z
    fine = np.where(np.isfinite(values), values, np.nan)
    exact = record.exact_log_z
    known = [float(v) for v in fine[np.isfinite(fine)]]
    if exact is not None and math.isfinite(exact):
        known.append(-exact)
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    pad = max(0.12 * (high - low), 0.02)
    axes.set_ylim(low - pad, high + pad)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    marker = "o" if len(fine) <= 4 else None
    axes.plot(fine, color=style.BLACK, linewidth=1.5, marker=marker, markersize=3, zorder=3)
    labels = []
    final = fine[np.isfinite(fine)]
    if final.size:
        labels.append(EndLabel(float(final[-1]), f"Bethe  {_plain(final[-1])}", style.BLACK, True))
    if exact is not None and math.isfinite(exact):
        axes.axhline(-exact, color=style.BLUE, linestyle=style.DOTTED, linewidth=1.5, zorder=2)
        labels.append(EndLabel(-exact, f"exact  {_plain(-exact)}", style.BLUE))
    style.end_labels(axes, labels)


def _plain(value: float) -> str:
    return nats(float(value), digits=3, sign=False)
