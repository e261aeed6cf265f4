"""A fight: fixed points of a belief as a number moves, and its loop under moving evidence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.style import EndLabel, place
from mpnet.plots.wording import nats, short
from mpnet.record import Findings, Record
from mpnet.trace import FloatArray

COLORS = (style.BLUE, style.VERMILLION, style.GREEN, style.PINK, style.SKY, style.ORANGE)
TICKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw the fixed points, stable ones solid, and the hysteresis beside if it was measured."""
    found = record.findings
    if found is None or not has_content("bifurcation", record):
        return None
    loop = "evidence" in found.curves
    figure = style.new_figure(record, "bifurcation", (11.6 if loop else 7.2, 5.0))
    _fork(place(figure, 0.75, 0.85, 4.9, 2.95), found)
    if loop:
        _loop(place(figure, 7.2, 0.85, 2.9, 2.95), found)
    return figure


def _fork(axes: Axes, found: Findings) -> None:
    """One fork per variant, its measured threshold as a thin line."""
    variants = found.labels["variants"]
    if found.labels["spacing"][0] == "log":
        axes.set_xscale("log")
    for name, color in zip(variants, COLORS):
        values = found.curves[f"value {name}"]
        beliefs, stable = found.curves[f"belief {name}"], found.curves[f"stable {name}"]
        for points, solid in _branches(values, beliefs, stable):
            axes.plot(
                *zip(*points),
                color=color,
                linewidth=2.0 if solid else 1.1,
                linestyle="-" if solid else (0, (2, 1.2)),
                alpha=1.0 if solid else 0.8,
                zorder=3 if solid else 2,
                snap=False,
            )
        threshold = found.numbers[f"threshold {name}"]
        if np.isfinite(threshold):
            axes.axvline(threshold, color=color, linewidth=0.8, linestyle=style.DOTTED, zorder=1)
    edges = [found.curves[f"value {name}"] for name in variants]
    axes.set_xlim(min(v[0] for v in edges), max(v[-1] for v in edges))
    axes.set_ylim(-0.02, 1.02)
    _ticks(axes)
    _name_variants(axes, found)
    watch, state = found.labels["watch"]
    axes.set_xlabel(f"{_varied(found)} (thresholds dotted)")
    axes.set_ylabel(f"belief in {short(watch)} {short(state)}")
    axes.set_title("fixed points: stable solid, unstable dashed", pad=26)


def _varied(found: Findings) -> str:
    label, *keys = found.labels["vary"]
    if label:
        return short(label, 44)
    return "value of " + short(keys[0], 34) + (f" and {len(keys) - 1} more" if keys[1:] else "")


def _ticks(axes: Axes) -> None:
    low, high = axes.get_xlim()
    if axes.get_xscale() == "log":
        axes.xaxis.set_major_locator(FixedLocator([t for t in TICKS if low <= t <= high]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_locator(NullLocator())


def _name_variants(axes: Axes, found: Findings) -> None:
    """Write each variant and its threshold over its line, pushed apart across."""
    variants = found.labels["variants"][: len(COLORS)]
    to_axes = axes.transData + axes.transAxes.inverted()
    ends = [found.numbers[f"threshold {name}"] for name in variants]
    spots = [float(to_axes.transform((e, 0.0))[0]) if np.isfinite(e) else 0.5 for e in ends]
    for at, name, end, color in zip(
        style.spread(spots, 0.2, 0.1, 0.9), variants, ends, COLORS, strict=False
    ):
        text = f"{short(name, 16)}: {end:.4f}" if np.isfinite(end) else f"{short(name, 16)}: none"
        axes.text(
            at,
            1.03,
            text,
            transform=axes.transAxes,
            color=style.INK[color],
            ha="center",
            size=8,
            weight="bold",
            gid="variant-label",
        )


def _branches(
    values: FloatArray, beliefs: FloatArray, stable: FloatArray
) -> list[tuple[list[tuple[float, float]], bool]]:
    """Lines of points (value, belief) with whether they are stable, as far as they go on."""
    done: list[tuple[list[tuple[float, float]], bool]] = []
    growing: dict[tuple[float, float, bool], list[tuple[float, float]]] = {}
    for first, second, solid in _strokes(values, beliefs, stable):
        line = growing.pop((*first, solid), None)
        if line is None:
            line = [first]
            done.append((line, solid))
        line.append(second)
        growing[(*second, solid)] = line
    return done


def _strokes(
    values: FloatArray, beliefs: FloatArray, stable: FloatArray
) -> Iterator[tuple[tuple[float, float], tuple[float, float], bool]]:
    """Join every fixed point to the nearest one at the next value, and the other way round.

    Where the number of points changes, the side that has more of them says what the stroke is.
    """
    for row in range(values.size - 1):
        here, there = _points(beliefs, stable, row), _points(beliefs, stable, row + 1)
        more, fewer, flip = (here, there, False) if len(here) >= len(there) else (there, here, True)
        for belief, solid in more:
            if not fewer:
                continue
            near = min(fewer, key=lambda p: abs(p[0] - belief))[0]
            ends = (values[row], belief), (values[row + 1], near)
            if flip:
                ends = (values[row], near), (values[row + 1], belief)
            yield ends[0], ends[1], solid


def _points(beliefs: FloatArray, stable: FloatArray, row: int) -> list[tuple[float, bool]]:
    return [
        (float(belief), bool(kind))
        for belief, kind in zip(beliefs[row], stable[row])
        if np.isfinite(belief)
    ]


def _loop(axes: Axes, found: Findings) -> None:
    """Beliefs on the way up and down, with the exact belief, which has no memory."""
    evidence = found.curves["evidence"]
    up, down = found.curves["belief up"], found.curves["belief down"]
    axes.plot(evidence, up, color=style.BLUE, linewidth=1.8, zorder=3)
    axes.plot(evidence, down, color=style.VERMILLION, linewidth=1.8, linestyle=style.DASHES[1])
    axes.plot(evidence, found.curves["exact"], color=style.BLACK, linestyle=style.DOTTED)
    axes.fill_between(evidence, up, down, color=style.PALE, zorder=0)
    axes.set_xlim(evidence[0], evidence[-1])
    axes.set_ylim(-0.02, 1.02)
    axes.axvline(0.0, color=style.FAINT, linewidth=0.7, zorder=1)
    for key, color in (("jump up", style.BLUE), ("jump down", style.VERMILLION)):
        jump = found.numbers[key]
        if np.isfinite(jump):
            _arrow(axes, jump, key == "jump up", color)
            end = "left" if key == "jump up" else "right"
            shift = 5 if end == "left" else -5
            axes.annotate(
                nats(jump),
                (jump, 0.18 if key == "jump up" else 0.82),
                xytext=(shift, 0),
                textcoords="offset points",
                ha=end,
                va="center",
                color=style.INK[color],
                weight="bold",
                size=8,
            )
    axes.set_xlabel("evidence for one rival, in nats, beyond the balance")
    axes.set_title("moving evidence, messages carried over", pad=8)
    watch, state = found.labels["watch"]
    axes.set_ylabel(f"belief in {short(watch)} {short(state)}")
    _key(axes)


def _arrow(axes: Axes, at: float, up: bool, color: str) -> None:
    low, high = (0.4, 0.6) if up else (0.6, 0.4)
    axes.annotate(
        "",
        (at, high),
        xytext=(at, low),
        arrowprops={"arrowstyle": "-|>", "color": color, "linewidth": 1.6},
        zorder=5,
    )


def _key(axes: Axes) -> None:
    """Name the three lines right of the panel."""
    style.end_labels(
        axes,
        [
            EndLabel(0.98, "going up", style.INK[style.BLUE], True),
            EndLabel(0.9, "going down (dashed)", style.INK[style.VERMILLION], True),
            EndLabel(0.8, "exact (dotted)", style.BLACK),
        ],
    )
