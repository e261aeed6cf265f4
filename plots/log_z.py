"""The panel of log Z: the Bethe estimate over the iterations, its proven bounds, the exact value."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mpnet.plots import panels, style
from mpnet.plots.series import judged_from
from mpnet.plots.style import EndLabel
from mpnet.plots.wording import nats
from mpnet.record import Record
from mpnet.trace import FloatArray

STRETCH = 4.0
"""How many times as high the axis may become to take in a bound."""
MEET = 5e-4
"""Bounds closer than this, in nats, share a label."""
BAND = "#FBE9C8"


def draw_log_z(axes: Axes, record: Record) -> None:
    """Draw log Z, in nats, between its bounds; a bound that would squash the curve is only told."""
    values = record.trace.log_z
    fine = np.where(np.isfinite(values), values, np.nan)
    exact = record.exact_log_z if math.isfinite(record.exact_log_z or math.nan) else None
    bounds = dict(zip(("lower", "upper"), record.bracket or (None, None)))
    low, high = _limits(fine, exact)
    shown, far = _within(bounds, low, high)
    low, high = min([low, *shown.values()]), max([high, *shown.values()])
    pad = max(0.14 * (high - low), 0.02)
    axes.set_ylim(low - pad, high + pad)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    marker = "o" if len(fine) <= 4 else None
    at = record.trace.iterations
    axes.plot(at, fine, color=style.BLACK, linewidth=1.5, marker=marker, markersize=3, zorder=3)
    style.end_labels(
        axes, [*_curve(fine), *_exact(axes, record, exact), *_band(axes, record, bounds, shown)]
    )
    panels.corner(axes, " · ".join(_remarks(bounds, far)))


def _limits(values: FloatArray, exact: float | None) -> tuple[float, float]:
    known = [float(v) for v in values[np.isfinite(values)]]
    known += [exact] if exact is not None else []
    return (min(known), max(known)) if known else (0.0, 1.0)


def _within(
    bounds: dict[str, float | None], low: float, high: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Split the bounds that are known into those near enough to draw and the others."""
    reach = STRETCH * max(high - low, 0.05)
    known = {name: value for name, value in bounds.items() if value is not None}
    shown = {n: v for n, v in known.items() if low - reach <= v <= high + reach}
    return shown, {n: v for n, v in known.items() if n not in shown}


def _curve(values: FloatArray) -> list[EndLabel]:
    final = values[np.isfinite(values)]
    if not final.size:
        return []
    return [EndLabel(float(final[-1]), f"Bethe  {_plain(final[-1])}", style.BLACK, True)]


def _exact(axes: Axes, record: Record, exact: float | None) -> list[EndLabel]:
    if exact is None:
        return []
    look = {"color": style.BLUE, "linestyle": style.DOTTED, "linewidth": 1.5}
    panels.level_line(axes, record, exact, **look)
    return [EndLabel(exact, f"exact  {_plain(exact)}", style.INK[style.BLUE])]


def _band(
    axes: Axes, record: Record, bounds: dict[str, float | None], shown: dict[str, float]
) -> list[EndLabel]:
    """Shade between the bounds, as far as the axis goes, and return their labels."""
    if any(value is not None for value in bounds.values()):
        low, high = axes.get_ylim()
        lower, upper = bounds["lower"], bounds["upper"]
        axes.fill_between(
            [judged_from(record), record.trace.last + 0.5],
            low if lower is None else min(max(lower, low), high),
            high if upper is None else max(min(upper, high), low),
            color=BAND,
            linewidth=0,
            zorder=0.2,
            gid="bracket",
        )
    for level in shown.values():
        panels.level_line(axes, record, level, color=style.ORANGE, linewidth=0.9)
    ink = style.INK[style.ORANGE]
    if len(shown) == 2 and shown["upper"] - shown["lower"] < MEET:
        return [EndLabel(shown["lower"], f"both bounds  {_plain(shown['lower'])}", ink)]
    return [EndLabel(v, f"{name} bound  {_plain(v)}", ink) for name, v in shown.items()]


def _remarks(bounds: dict[str, float | None], far: dict[str, float]) -> list[str]:
    remarks = []
    if any(value is not None for value in bounds.values()):
        remarks.append("shaded: between proven bounds")
    if far:
        told = " and ".join(f"{name} {_plain(value)}" for name, value in far.items())
        remarks.append(f"{told} off scale")
    return remarks


def _plain(value: float) -> str:
    return "≈ 0.000" if 0 < abs(value) < 0.0005 else nats(float(value), digits=3)
