"""A stream step by step: phases when it came and looking back, and the loss of each input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.phase_map import PHASES, SIZE, draw_inputs, draw_phases, room_below
from mpnet.plots.style import place
from mpnet.plots.wording import INFINITY, short
from mpnet.record import Findings, Record
from mpnet.trace import FloatArray

TRIALS = 4
WIDTH, LEFT, RIGHT, BETWEEN = 11.0, 1.55, 0.55, 0.28
ROW, LOSS, HEAD = 0.17, 1.35, 1.12


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw a column for each trial, at most four; None where nothing was streamed."""
    found = record.findings
    if found is None or not has_content("prediction", record):
        return None
    trials = found.labels["trials"][:TRIALS]
    rows = len(found.labels["rows"])
    high = max(0.75, ROW * rows)
    wide = (WIDTH - LEFT - RIGHT - BETWEEN * (len(trials) - 1)) / len(trials)
    inputs = _room_for_inputs(found, len(trials), wide * 72)
    height = HEAD + 2 * (high + 0.3) + LOSS + inputs + 0.35
    figure = style.new_figure(record, "prediction of a stream", (WIDTH, height))
    top = _highest_loss(found, len(trials))
    for number, trial in enumerate(trials):
        left = LEFT + number * (wide + BETWEEN)
        low = 0.35 + inputs
        loss = place(figure, left, low, wide, LOSS)
        smoothed = place(figure, left, low + LOSS + 0.3, wide, high)
        filtered = place(figure, left, low + LOSS + high + 0.6, wide, high)
        _map(filtered, found, found.curves[f"filtered {number}"], number == 0, "as it came")
        _map(smoothed, found, found.curves[f"smoothed {number}"], number == 0, "looking back")
        _losses(loss, found, number, top, inputs)
        _heading(filtered, found, number, trial)
    _key(figure, height, "exact loss 0" in found.curves)
    left_out = len(found.labels["trials"]) - len(trials)
    if left_out:
        text = f"{left_out} more trials are not shown"
        figure.text(0.98, 1 - 0.16 / height, text, ha="right", va="top", color=style.GREY)
    return figure


def _heading(axes: Axes, found: Findings, number: int, trial: str) -> None:
    """Name the trial and say what an input cost, above its column."""
    figure = axes.get_figure()
    assert isinstance(figure, Figure)  # noqa: S101 - for the type checker
    room = axes.get_position().width * WIDTH * 72
    losses = [
        _mean(found.curves[f"{kind} {number}"], found.labels[f"inputs {number}"])
        for kind in ("loss", "base loss")
    ]
    said = f"{losses[0]} nats per step; by base rates {losses[1]}"
    for text, size, up, weight in ((trial, 9.0, 19, "bold"), (said, 7.5, 8, "normal")):
        fitted = style.fit(figure, short(text, 80), size, room)
        axes.annotate(
            fitted,
            (0, 1),
            xytext=(0, up),
            xycoords="axes fraction",
            textcoords="offset points",
            size=size,
            weight=weight,
            gid="heading",
        )


def _mean(losses: FloatArray, inputs: Sequence[str]) -> str:
    known = losses[~np.isnan(losses)]
    if not known.size or not any(inputs):
        return "–"
    return f"{known.mean():.2f}" if np.isfinite(known).all() else INFINITY


def _map(axes: Axes, found: Findings, beliefs: FloatArray, first: bool, what: str) -> None:
    """Phases by time, and in the first column their names."""
    rows = beliefs.shape[0]
    draw_phases(axes, beliefs, found.labels["owners"])
    axes.set_yticks(range(rows), _row_labels(axes, found) if first else [""] * rows, fontsize=SIZE)
    if first:
        axes.text(
            -(LEFT - 0.25) / (axes.get_position().width * WIDTH),
            0.5,
            what,
            transform=axes.transAxes,
            rotation=90,
            va="center",
            size=8.5,
        )


def _row_labels(axes: Axes, found: Findings) -> list[str]:
    figure = axes.get_figure()
    assert isinstance(figure, Figure)  # noqa: S101 - for the type checker
    return [
        style.fit(figure, short(row, 60), SIZE, (LEFT - 0.5) * 72) for row in found.labels["rows"]
    ]


def _highest_loss(found: Findings, trials: int) -> float:
    kinds = ("loss", "base loss")
    every = np.concatenate([found.curves[f"{k} {n}"] for n in range(trials) for k in kinds])
    known = every[np.isfinite(every)]
    return float(known.max()) if known.size and known.max() > 0.0 else 1.0


def _losses(axes: Axes, found: Findings, number: int, top: float, room: float) -> None:
    """Loss of each step's input before it arrived, by the society, exactly and by base rates."""
    loss, base = found.curves[f"loss {number}"], found.curves[f"base loss {number}"]
    steps = np.arange(1, len(loss) + 1)
    axes.set_xlim(0.5, len(loss) + 0.5)
    axes.set_ylim(0.0, 1.12 * top)
    axes.plot(steps, base, color=style.ORANGE, linewidth=1.2, drawstyle="steps-mid", zorder=2)
    exact = found.curves.get(f"exact loss {number}")
    if exact is not None:
        shown = np.where(np.isfinite(exact), exact, np.nan)
        axes.plot(
            steps, shown, "o", markerfacecolor="none", color=style.BLUE, markersize=6, zorder=3
        )
    fine = np.where(np.isfinite(loss), loss, np.nan)
    axes.plot(steps, fine, color=style.BLACK, linewidth=1.4, marker="o", markersize=3, zorder=4)
    endless = steps[np.isposinf(loss)]
    axes.plot(
        endless, np.full(endless.size, 1.08 * top), "^", color=style.VERMILLION, clip_on=False
    )
    axes.yaxis.set_major_locator(MaxNLocator(4))
    if number == 0:
        axes.set_ylabel("log-loss (nats)")
        axes.yaxis.set_label_coords(-0.42 / (axes.get_position().width * WIDTH), 0.5)
    else:
        axes.set_yticklabels([])
    draw_inputs(axes, found.labels[f"inputs {number}"], room)


def _room_for_inputs(found: Findings, trials: int, width: float) -> float:
    """Height of the labels in inches: lying where all fit into ``width`` points, else upright."""
    return max(room_below(found.labels[f"inputs {number}"], width) for number in range(trials))


def _key(figure: Figure, height: float, exact: bool) -> None:
    """Say what the colours and marks mean, in the line below the verdict."""
    level = 1 - 0.66 / height
    bar = place(figure, LEFT, height - 0.72, 1.1, 0.1)
    ramp = np.linspace(0, 1, 64)[None, :]
    style.mirror_colors(bar.imshow(ramp, aspect="auto", cmap=PHASES, extent=(0, 1, 0, 1)))
    style.bare(bar)
    entries = (
        (LEFT - 0.12, "0", style.TEXT),
        (LEFT + 1.16, "1  belief in a phase", style.TEXT),
        (LEFT + 2.75, "● loss of the next input", style.BLACK),
        (LEFT + 4.55, "— by base rates", style.INK[style.ORANGE]),
        (LEFT + 5.75, "○ exact" if exact else "", style.INK[style.BLUE]),
    )
    for at, text, color in entries:
        figure.text(at / WIDTH, level, text, size=7.8, color=color, va="center")
