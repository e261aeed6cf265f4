"""What each estimator answers for the nodes in question, and how far that is from exact."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.style import place
from mpnet.plots.wording import nats, state_label
from mpnet.record import EstimateRow, Record

ROWS = 20
BAR = 0.26
LOOKS = {"flat": ("#BDBDBD", ""), "clamped": (style.BLUE, ""), "exact": ("#FFFFFF", "")}


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw grouped bars in nats, and the errors where the exact value is known."""
    if not has_content("estimators", record):
        return None
    rows = _largest(record.estimates)
    answered = _answered(rows)
    known = "exact" in answered
    size = max(0.55 * len(rows), 1.1)
    figure = style.new_figure(record, "estimators", (11.0, size + 1.95))
    left = place(figure, 2.0, 0.8, 5.1 if known else 8.3, size)
    _panel(figure, left, rows, _answers, 1)
    left.set_title("evidence for the state, log-odds minus prior log-odds (nats)", pad=18)
    label = [state_label(row.node, row.state, 26) for row in rows]
    left.set_yticks(range(len(rows)), [style.fit(figure, text, 8.5, 122) for text in label])
    if known:
        right = place(figure, 7.7, 0.8, 2.9, size)
        _panel(figure, right, rows, _errors, 0)
        right.set_yticks([])
        right.set_title("error against exact (nats)", pad=18)
    _key(left, answered)
    if len(rows) < len(record.estimates):
        note = f"the {len(rows)} strongest of {len(record.estimates)}"
        left.set_ylabel(note, color=style.GREY, fontsize=7.5)
        left.yaxis.set_label_coords(-0.34, 0.5)
    return figure


def _largest(rows: Sequence[EstimateRow]) -> list[EstimateRow]:
    """Return the rows with the strongest answers, in their given order."""

    def strength(row: EstimateRow) -> float:
        return max((abs(v) for v in (row.flat, row.clamped, row.exact) if v is not None), default=0)

    kept = sorted(range(len(rows)), key=lambda i: (-strength(rows[i]), i))[:ROWS]
    return [rows[i] for i in sorted(kept)]


def _answered(rows: Sequence[EstimateRow]) -> list[str]:
    """Estimators that answer for any of the rows."""
    return [name for name in LOOKS if any(getattr(row, name) is not None for row in rows)]


def _answers(row: EstimateRow) -> dict[str, float | None]:
    return {"flat": row.flat, "clamped": row.clamped, "exact": row.exact}


def _errors(row: EstimateRow) -> dict[str, float | None]:
    return {"flat": _error(row.flat, row.exact), "clamped": _error(row.clamped, row.exact)}


def _error(value: float | None, exact: float | None) -> float | None:
    if value is None or exact is None:
        return None
    return 0.0 if value == exact else value - exact


def _panel(figure: Figure, axes: Axes, rows: Sequence[EstimateRow], of: object, ticks: int) -> None:
    """Draw one group of bars per row; ``ticks`` adds the exact value as a line over the group."""
    answered = _answered(rows)
    groups = [
        {name: value for name, value in found.items() if name in answered}
        for found in (cast("dict[str, float | None]", of(row)) for row in rows)  # type: ignore[operator]
    ]
    every = [v for group in groups for v in group.values() if v is not None and math.isfinite(v)]
    low, high = min([0.0, *every]), max([0.0, *every])
    pad = 0.2 * max(high - low, 0.05)
    axes.set_xlim(low - pad, high + pad)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    for row, group in enumerate(groups):
        for index, (name, value) in enumerate(group.items()):
            level = row + (index - (len(group) - 1) / 2) * BAR
            _bar(axes, level, (name, value), group.get("exact") if ticks else None)
        exact = group.get("exact")
        if ticks and exact is not None and math.isfinite(exact):
            axes.vlines(exact, row - 0.42, row + 0.42, color="black", linewidth=1.2, zorder=4)
        if row:
            axes.axhline(row - 0.5, color=style.PALE, linewidth=0.8, zorder=0)
    axes.axvline(0, color="#555555", linewidth=1, zorder=3)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _bar(axes: Axes, level: float, named: tuple[str, float | None], tick: float | None) -> None:
    """Draw one bar with its number at the end, clear of the tick of the exact value."""
    name, value = named
    low, high = axes.get_xlim()
    if value is None or math.isnan(value):
        drawn, text = 0.0, f"no {name} answer"
    else:
        drawn, text = min(max(value, 0.94 * low), 0.94 * high), nats(value)
        color = LOOKS[name][0]
        axes.barh(
            level,
            drawn,
            height=BAR * 0.92,
            color=color,
            edgecolor="#444444",
            linewidth=0.6,
            zorder=2,
        )
    left = drawn < 0
    inches = axes.get_position().width * cast("Figure", axes.figure).get_figwidth()
    room = (high - low) * 38 / (72 * inches) * (-1 if left else 1)
    if tick is not None and min(drawn, drawn + room) < tick < max(drawn, drawn + room):
        drawn = tick
    axes.annotate(
        text,
        (drawn, level),
        xytext=(-4 if left else 4, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center_baseline",
        size=7,
        color=style.GREY if value is None else style.TEXT,
        zorder=5,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4, "alpha": 0.8},
    )


def _key(axes: Axes, answered: Sequence[str]) -> None:
    """Name the bars above the panel."""
    box = axes.get_position()
    across, up = (float(v) * 72 for v in cast("Figure", axes.figure).get_size_inches())
    width, height = box.width * across, box.height * up
    at = 0.0
    for name in answered:
        color = LOOKS[name][0]
        axes.plot(
            [at / width],
            [1 + 9 / height],
            "s",
            color=color,
            markeredgecolor="#444444",
            markersize=7,
            transform=axes.transAxes,
            clip_on=False,
        )
        line = " (also the line across)" if name == "exact" else ""
        axes.text(
            (at + 8) / width,
            1 + 9 / height,
            name + line,
            transform=axes.transAxes,
            va="center_baseline",
            size=8,
        )
        at += 60
