"""Panels over the iterations, shared by the figures that have such an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from mpnet.plots import style
from mpnet.plots.overtakes import mark_overtakes
from mpnet.plots.series import (
    Look,
    Series,
    converged_at,
    converged_row,
    judged_from,
    looks,
    spans,
    stages,
    top_movers,
)
from mpnet.plots.style import EndLabel
from mpnet.plots.wording import INFINITY, ordinal, power, probability
from mpnet.record import Record
from mpnet.trace import FloatArray, IntArray

MARKS = 20
"""Dashed lines of events, at most."""
FAINT_LINES = 400
"""Lines that are drawn without a name, at most."""
FAINT_POINTS = 300
"""Points of such a line, at most."""


def iteration_axis(axes: Axes, record: Record, last: bool) -> None:
    """Set the shared axis; where rows are missing its name says so."""
    trace = record.trace
    axes.set_xlim(-0.5, trace.last + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12, min_n_ticks=1))
    axes.tick_params(labelbottom=last)
    if last:
        axes.set_xlabel(f"iteration{gaps(record)}")


def gaps(record: Record) -> str:
    """Say which iterations are shown: nothing where all are."""
    every = record.trace.every
    return f" (every {ordinal(every)} iteration shown)" if every > 1 else ""


def shade(axes: Axes, record: Record) -> None:
    """Tint every second stage, dash the events, and grey what comes after convergence."""
    last = record.trace.last
    for index, (_, left, right) in enumerate(spans(record)):
        if index % 2:
            axes.axvspan(left, right, color="#E3EEF7", linewidth=0, zorder=0)
    done = converged_at(record)
    if done is not None and done < last:
        axes.axvspan(done, last + 0.5, color="#E4E4E4", linewidth=0, zorder=0.1)
    for at in event_marks(record):
        axes.axvline(at, color="#8C8C8C", linewidth=0.7, linestyle=(0, (4, 3)), zorder=0.5)


def event_marks(record: Record) -> list[int]:
    """Iterations that something happened at, the first ``MARKS``."""
    return sorted({min(event.iteration, record.trace.last) for event in record.events})[:MARKS]


def side_label(axes: Axes, text: str, inches: float) -> None:
    """Write the name of a vertical axis, at the same distance for all panels."""
    width = axes.get_position().width * float(axes.figure.get_figwidth())  # type: ignore[union-attr]
    axes.set_ylabel(text)
    axes.yaxis.set_label_coords(-inches / width, 0.5)


def draw_lines(axes: Axes, iterations: IntArray, lines: Sequence[tuple[FloatArray, Look]]) -> None:
    """Draw lines over the iterations, the first on top."""
    for rank, (values, look) in enumerate(lines):
        axes.plot(
            iterations,
            values,
            color=look.color,
            linestyle=look.dash,
            linewidth=look.width,
            alpha=look.alpha,
            zorder=4 - rank / 100,
            marker="o" if len(iterations) <= 4 else None,
            markersize=3,
        )


def level_line(axes: Axes, record: Record, level: float, **look: Any) -> None:
    """Draw a value that holds for the run as it ended."""
    axes.plot([judged_from(record), record.trace.last + 0.5], [level, level], zorder=2, **look)


def draw_faint(axes: Axes, iterations: IntArray, lines: Sequence[FloatArray]) -> str:
    """Draw lines that have no name, in grey, as one picture; return a remark on those left out."""
    if not lines:
        return ""
    kept = lines[:: -(-len(lines) // FAINT_LINES)]
    at = np.unique(np.linspace(0, len(iterations) - 1, FAINT_POINTS).astype(np.int64))
    points = [np.column_stack([iterations[at], values[at]]) for values in kept]
    many = len(kept) > 60
    axes.add_collection(
        LineCollection(
            points,
            colors=style.FAINT,
            linewidths=0.6,
            alpha=0.45 if many else 0.8,
            zorder=1.5,
            rasterized=many,
        ),
        autolim=True,
    )
    return f"{len(kept)} of the other {len(lines)} drawn" if len(kept) < len(lines) else ""


def beliefs(axes: Axes, record: Record, series: Sequence[Series]) -> str:
    """Draw beliefs in question with their exact values, and return the name of the axis.

    Where all of them are rare or all near certain, log-odds take the place of probabilities.
    """
    named, rest = top_movers(series)
    in_odds = bool(series) and _is_extreme(series)
    scale = _log_odds if in_odds else np.asarray
    drawn = looks([line.winner for line in named])
    iterations = record.trace.iterations
    left_out = draw_faint(axes, iterations, [scale(line.values) for line in rest])
    draw_lines(axes, iterations, [(scale(line.values), look) for line, look in zip(named, drawn)])
    exact = [(line.exact, look) for line, look in zip(named, drawn) if line.exact is not None]
    for value, look in exact:
        level = float(scale(np.array(value)))
        level_line(axes, record, level, color=look.color, linestyle=style.DOTTED, linewidth=1.3)
    if in_odds:
        axes.margins(y=0.08)
        axes.set_ylim(axes.get_ylim())
    else:
        axes.set_ylim(-0.02, 1.02)
    passed = mark_overtakes(axes, record, zip(named, drawn), scale)
    labels = [
        EndLabel(
            float(scale(np.array(line.final))),
            f"{line.label}  {probability(line.final)}",
            style.INK[look.color],
            line.winner,
        )
        for line, look in zip(named, drawn)
    ]
    style.end_labels(axes, labels + ([] if in_odds else _uniform(axes, series)))
    notes = ["thick: wins", *(["dotted: exact"] if exact else [])]
    notes += ["▲ overtakes"] if passed else []
    if rest:
        notes.append(f"{len(named)} top movers of {len(series)} labelled")
    corner(axes, " · ".join([*notes, *([left_out] if left_out else [])]))
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
    at = record.trace.iterations
    fine = np.where(np.isfinite(values), np.clip(levels, low, high), np.nan)
    dots = "o" if len(at) <= 150 else None
    axes.plot(at, fine, color=style.BLACK, linewidth=1.5, marker=dots, markersize=2.4, zorder=3)
    endless = at[np.isposinf(values)]
    notes = []
    if endless.size:
        axes.plot(endless, np.full(endless.size, high), "^", color=style.PINK, clip_on=False)
        notes.append(f"▲ {INFINITY}: a message lost or gained support")
    if draw_prediction(axes, record, fine):
        notes.append(f"dashed: predicted ×{record.rate:.2g} per iteration")
    corner(axes, " · ".join(notes))
    style.end_labels(axes, _tolerance(axes, record) + _outcome(axes, record, fine))


def draw_prediction(axes: Axes, record: Record, levels: FloatArray) -> bool:
    """Draw the predicted slope through the end of the first stage; whether there is one.

    The rate is of the messages where plain propagation ended, so that is where it is told from.
    """
    if record.rate is None or not 0 < record.rate < math.inf or not levels.size:
        return False
    done = converged_row(record)
    end = min(stages(record)[0][2], len(levels) - 1 if done is None else done)
    good = np.flatnonzero(np.isfinite(levels[: end + 1]) & (record.trace.residual[: end + 1] > 0))
    if not good.size:
        return False
    at, slope = record.trace.iterations, math.log10(record.rate)
    row = int(good[-1])
    first = max(float(at[row]) - max(0.5 * float(at[row]), 4.0), 0.0)
    ends = np.array([first, float(at[row])])
    line = float(levels[row]) + (ends - ends[1]) * slope
    (drawn,) = axes.plot(ends, line, color=style.PINK, linewidth=1.7, zorder=3.5)
    drawn.set_linestyle((0, (4, 2)))
    drawn.set_gid("predicted-slope")
    return True


def _tolerance(axes: Axes, record: Record) -> list[EndLabel]:
    """Draw the tolerance and return its label."""
    if record.tolerance <= 0:
        return []
    level = math.log10(record.tolerance)
    axes.axhline(level, color=style.VERMILLION, linewidth=1, zorder=2)
    return [EndLabel(level, f"tolerance {record.tolerance:g}", style.INK[style.VERMILLION])]


def _outcome(axes: Axes, record: Record, levels: FloatArray) -> list[EndLabel]:
    """Mark where what is shown converged and return its label, or say that it did not."""
    row, done = converged_row(record), converged_at(record)
    if row is not None and done is not None:
        level = float(levels[row]) if np.isfinite(levels[row]) else axes.get_ylim()[0]
        axes.plot([done], [level], "o", color=style.GREEN, markersize=6.5, zorder=5, clip_on=False)
        return [EndLabel(level, f"● converged at {done}", style.INK[style.GREEN], True)]
    text = f"NOT CONVERGED after {record.iterations} iterations"
    if record.status == "converged":
        text = "other starts converged, this one did NOT"
    box = {"facecolor": "white", "edgecolor": style.VERMILLION, "pad": 2.5}
    axes.text(
        0.99,
        _free_level(axes, levels),
        text,
        transform=axes.transAxes,
        ha="right",
        va="center",
        color=style.INK[style.VERMILLION],
        weight="bold",
        bbox=box,
        zorder=6,
    )
    return []


def _free_level(axes: Axes, levels: FloatArray) -> float:
    """Height in the panel, a share of it, that is farthest from the end of the curve."""
    low, high = axes.get_ylim()
    tail = (levels[len(levels) // 2 :] - low) / (high - low)
    tail = tail[np.isfinite(tail)]
    choices = (0.86, 0.5, 0.18)
    return max(choices, key=lambda at: float(np.abs(tail - at).min(initial=1.0)))
