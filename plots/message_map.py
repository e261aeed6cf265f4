"""Messages to a node of many states: a row for each message, a column for each state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.heard import Heard, probabilities, total
from mpnet.plots.message_columns import SECOND, Rest, draw_columns, draw_remark
from mpnet.plots.panels import corner
from mpnet.plots.style import place
from mpnet.plots.wording import nats, probability, short
from mpnet.record import NodeInfo, Record
from mpnet.trace import FloatArray

ROWS, STATES, NUMBERS = 28, 24, 14
"""Rows and columns at most, and columns up to which numbers are written."""
WIDTH, LEFT, RIGHT, ROW = 9.5, 2.0, 2.75, 0.26
LYING, UPRIGHT = 0.52, 1.0
"""Room under the map for names of states, in inches."""
SIZE = 7.4
SIGNED = LinearSegmentedColormap.from_list(
    "signed", ["#8A3A00", "#D55E00", "#F4C79F", "#FFFFFF", "#A9CBE3", "#0072B2", "#00304D"]
)


@dataclass(frozen=True)
class _Cells:
    """Log messages about their mean, in nats, shape (rows, states); the last row is the sum."""

    labels: tuple[str, ...]
    values: FloatArray
    states: tuple[int, ...]
    rests: tuple[Rest, ...]


def map_height(node: NodeInfo, heard: Sequence[Heard]) -> float:
    """Height of the figure, in inches."""
    return 1.0 + ROW * (min(len(heard), ROWS) + 2) + 0.1 + _under(node)


def _under(node: NodeInfo) -> float:
    """Room under the map: names of states stand upright where they could not lie."""
    pitch = (WIDTH - LEFT - RIGHT) * 72 / min(len(node.states), STATES)
    lying = all(0.7 * SIZE * len(short(state, 60)) < pitch - 3 for state in node.states)
    return LYING if lying else UPRIGHT


def draw_map(figure: Figure, record: Record, node: NodeInfo, heard: Sequence[Heard]) -> None:
    """Draw the map with the sum and the beliefs below it, and its colour bar."""
    cells = _cells(node, heard)
    rows = len(cells.labels)
    axes = place(figure, LEFT, _under(node), WIDTH - LEFT - RIGHT, ROW * (rows + 1) + 0.1)
    finite = cells.values[np.isfinite(cells.values)]
    edge = float(np.abs(finite).max()) if finite.size else 1.0
    edge = edge or 1.0
    levels = [*range(rows - 1), rows - 0.6]
    for row, level in enumerate(levels):
        _draw_row(axes, cells.values[row], level, edge)
    belief = probabilities(total(heard))[list(cells.states)]
    _beliefs(axes, belief, rows + 0.4)
    axes.set_xlim(-0.5, len(cells.states) - 0.5)
    axes.set_ylim(rows + 1.0, -0.5)
    names = [*cells.labels, "belief"]
    fitted = [style.fit(figure, short(name, 80), SIZE, (LEFT - 0.35) * 72) for name in names]
    axes.set_yticks([*levels, rows + 0.4], fitted, fontsize=SIZE)
    for text in axes.get_yticklabels()[-2:]:
        text.set_fontweight("bold")
    _state_names(axes, node, cells)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    _bar(figure, axes, edge)
    draw_columns(axes, levels[:-1], cells.rests, record.tolerance)
    draw_remark(figure, record, node, total(heard), cells.rests)
    left_out = len(node.states) - len(cells.states)
    said = f"; {left_out} states with less belief left out" if left_out else ""
    corner(axes, f"log message about its mean, in nats{said}")


def _cells(node: NodeInfo, heard: Sequence[Heard]) -> _Cells:
    logs = total(heard)
    order = np.argsort(-logs, kind="stable")[:STATES]
    chosen = tuple(sorted(int(state) for state in order))
    shown = list(heard)[: ROWS if len(heard) <= ROWS else ROWS - 1]
    rows = [one.logs for one in shown]
    labels = [one.source for one in shown]
    rests = [(one.residual, one.settled) for one in shown]
    rest = list(heard)[len(shown) :]
    if rest:
        rows.append(total(rest))
        labels.append(f"{len(rest)} smaller ones")
        worst = max((one.residual for one in rest if one.sent), default=math.nan)
        rests.append((worst, max(one.settled for one in rest)))
    centred = np.array([_about_mean(row[list(chosen)]) for row in [*rows, logs]])
    return _Cells((*labels, "sum"), centred, chosen, tuple(rests))


def _about_mean(logs: FloatArray) -> FloatArray:
    """Subtract the mean of what is possible."""
    finite = logs[np.isfinite(logs)]
    centred: FloatArray = logs - (finite.mean() if finite.size else 0.0)
    return centred


def _draw_row(axes: Axes, values: FloatArray, level: float, edge: float) -> None:
    """One message as coloured cells; numbers where there is room for them."""
    shares = np.clip(np.nan_to_num(values, neginf=-edge) / edge, -1, 1)
    # Roots, so that small messages show beside large ones.
    colors = SIGNED(0.5 + 0.5 * np.sign(shares) * np.sqrt(np.abs(shares)))
    axes.imshow(
        colors[None],
        extent=(-0.5, values.size - 0.5, level + 0.46, level - 0.46),
        aspect="auto",
        interpolation="nearest",
    )
    if values.size > NUMBERS:
        return
    for state, value in enumerate(values):
        axes.text(
            state,
            level,
            nats(float(value), 1 if abs(value) >= 10 else 2),
            size=6.8,
            ha="center",
            va="center_baseline",
            color=style.ink_on(colors[state]),
            gid="cell",
        )


def _beliefs(axes: Axes, beliefs: FloatArray, level: float) -> None:
    """The beliefs that the sum stands for, as bars that grow upwards from one line."""
    good = np.nan_to_num(beliefs)
    axes.bar(
        np.arange(good.size),
        -0.8 * good,
        bottom=level + 0.45,
        width=0.8,
        color=style.BLUE,
        alpha=0.35,
    )
    if good.size > NUMBERS:
        return
    for state, value in enumerate(beliefs):
        text = "–" if math.isnan(value) else probability(float(value))
        axes.text(state, level, text, size=6.8, ha="center", va="center_baseline", gid="cell")


def _state_names(axes: Axes, node: NodeInfo, cells: _Cells) -> None:
    """Names of the states under the columns; upright where they do not fit lying."""
    figure = axes.get_figure()
    assert isinstance(figure, Figure)  # noqa: S101 - for the type checker
    names = [short(node.states[state], 60) for state in cells.states]
    pitch = axes.get_position().width * WIDTH * 72 / len(names)
    lying = _under(node) == LYING
    room = pitch if lying else (UPRIGHT - 0.4) * 72
    fitted = [style.fit(figure, name, SIZE, room) for name in names]
    axes.set_xticks(range(len(names)), fitted, fontsize=SIZE, rotation=0 if lying else 90)


def _bar(figure: Figure, axes: Axes, edge: float) -> None:
    """The colour bar right of the map."""
    box = axes.get_position()
    bar = figure.add_axes((box.x1 + (SECOND + 0.36) / WIDTH, box.y0, 0.013, box.height))
    bar.imshow(
        SIGNED(np.linspace(0, 1, 128))[:, None, :],
        aspect="auto",
        origin="lower",
        extent=(0, 1, -1, 1),
    )
    bar.set_xticks([])
    ticks = [-1.0, -0.5, 0.0, 0.5, 1.0]
    values = [nats(math.copysign(edge * tick**2, tick) if tick else 0.0, 1) for tick in ticks]
    bar.set_yticks(ticks, values, fontsize=7)
    bar.yaxis.tick_right()
    bar.set_ylabel("← against · for →", fontsize=7)
    bar.yaxis.set_label_position("right")
