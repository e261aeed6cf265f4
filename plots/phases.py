"""Phase by step: where each multi-step model is along a stream, as a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.chosen import known_node
from mpnet.plots.contents import has_content
from mpnet.plots.moment import Moment, moment_at
from mpnet.plots.phase_map import PHASES, draw_inputs, draw_phases, room_below
from mpnet.plots.steps import Walk, inputs, walks
from mpnet.plots.style import place
from mpnet.plots.wording import probability, short
from mpnet.record import Record
from mpnet.trace import FloatArray

ROWS = 48
"""Phases, at most; sequences that are in question come first."""
WIDTH, LEFT, RIGHT, HEAD, FOOT, ROW = 10.0, 2.3, 0.5, 1.0, 0.62, 0.2
WIDEST = 0.9
"""Width of a step, at most, in inches."""
SIZE = 7.6


@dataclass(frozen=True)
class _Map:
    """Beliefs by phase and step, and the names of both; ``exact`` is NaN where it is unknown."""

    labels: tuple[str, ...]
    owners: tuple[str, ...]
    steps: tuple[int, ...]
    beliefs: FloatArray
    exact: FloatArray


@style.context()
def draw(record: Record, node: str | None = None, at: int | None = None) -> Figure | None:
    """Draw a row for each phase and a column for each step, with what arrived below.

    Parameters
    ----------
    record : Record
        The run; not modified.
    node : str, optional
        Only this sequence, by its name with or without a step.
    at : int, optional
        Beliefs of this iteration; those at the end where it is left out.

    """
    if not has_content("phases", record):
        return None
    moment, every = moment_at(record, at), walks(record)
    shown = _chosen(record, every, node)
    found = _map(moment, shown)
    wide = min(WIDTH - LEFT - RIGHT, WIDEST * len(found.steps))
    arrived = _arrived(moment.record, found.steps)
    below = room_below(arrived, wide * 72)
    high = ROW * len(found.labels)
    height = HEAD + high + below + FOOT
    what = "phases along the stream"
    what += "" if at is None else f" at iteration {moment.iteration}"
    figure = style.new_figure(record, what, (WIDTH, height))
    axes = place(figure, LEFT, FOOT + below, wide, high)
    draw_phases(axes, found.beliefs, found.owners)
    axes.set_xlim(0.5, len(found.steps) + 0.5)
    fitted = [style.fit(figure, label, SIZE, (LEFT - 0.4) * 72) for label in found.labels]
    axes.set_yticks(range(len(fitted)), fitted, fontsize=SIZE)
    draw_inputs(axes, arrived, below)
    _path(axes, found)
    text = f"step {found.steps[0]} to {found.steps[-1]} and what was observed at it"
    figure.text(LEFT / WIDTH, 0.33 / height, text, size=8, va="center", gid="key")
    _key(figure, height, found)
    left_out = len(every) - len(shown)
    if left_out and node is None:
        said = f"{len(shown)} of {len(every)} sequences"
        up = 1 - 0.16 / height
        figure.text(1 - 0.25 / WIDTH, up, said, ha="right", va="top", weight="bold")
    return figure


def _chosen(record: Record, every: Sequence[Walk], node: str | None) -> list[Walk]:
    """The sequence that was named; else as many as there is room for."""
    if node is not None:
        names = {walk.name: walk.name for walk in every}
        names |= {info.name: walk.name for walk in every for info in walk.nodes}
        name = names[known_node(record, node, names, "it has no phases")]
        return [walk for walk in every if walk.name == name]
    ranked = sorted(every, key=lambda walk: not any(info.in_question for info in walk.nodes))
    found: list[Walk] = []
    for walk in ranked:
        if not found or sum(len(w.states) for w in [*found, walk]) <= ROWS:
            found.append(walk)
    return [walk for walk in every if walk in found]


def _map(moment: Moment, shown: Sequence[Walk]) -> _Map:
    steps = tuple(sorted({step for walk in shown for step in walk.steps}))
    rows = [(walk, state) for walk in shown for state in walk.states]
    tables = [moment.record.beliefs, moment.record.exact or {}]
    values = np.full((2, len(rows), len(steps)), np.nan)
    for row, (walk, state) in enumerate(rows):
        for step, info in zip(walk.steps, walk.nodes):
            for kind, table in enumerate(tables):
                if info.name in table:
                    values[kind, row, steps.index(step)] = table[info.name].get(state, np.nan)
    labels = tuple(f"{short(walk.name, 40)} · {short(state, 40)}" for walk, state in rows)
    return _Map(labels, tuple(walk.name for walk, _ in rows), steps, values[0], values[1])


def _arrived(record: Record, steps: Sequence[int]) -> list[str]:
    """What was observed at each step, in words."""
    seen = inputs(record)
    found = []
    for step in steps:
        parts = [
            info.evidence
            for walk in seen
            for number, info in zip(walk.steps, walk.nodes)
            if number == step and info.evidence
        ]
        found.append(", ".join(parts) or "–")
    return found


def _path(axes: Axes, found: _Map) -> None:
    """Mark the phase that leads at each step, sequence by sequence."""
    for owner in dict.fromkeys(found.owners):
        rows = [row for row, name in enumerate(found.owners) if name == owner]
        block = found.beliefs[rows]
        known = np.flatnonzero(~np.isnan(block).any(axis=0))
        if known.size:
            leads = block[:, known].argmax(axis=0) + rows[0]
            axes.plot(known + 1, leads, color=style.ORANGE, lw=1.1, zorder=3)
            axes.plot(known + 1, leads, "o", color=style.ORANGE, mec="white", ms=4.2, zorder=4)


def _key(figure: Figure, height: float, found: _Map) -> None:
    """Say what the colours and marks mean, in the line below the verdict."""
    level = height - 0.7
    bar = place(figure, LEFT, level - 0.05, 1.1, 0.1)
    ramp = np.linspace(0, 1, 64)[None, :]
    style.mirror_colors(bar.imshow(ramp, aspect="auto", cmap=PHASES, extent=(0, 1, 0, 1)))
    style.bare(bar)
    words = [("1  belief in a phase", style.TEXT), ("● leading phase", style.INK[style.ORANGE])]
    off = np.abs(found.beliefs - found.exact)
    if np.isfinite(off).any():
        worst = float(np.nanmax(off))
        far = f"furthest from exact by {probability(worst)}" if worst > 1e-6 else "as exact"
        words.append((far, style.INK[style.BLUE]))
    figure.text((LEFT - 0.12) / WIDTH, level / height, "0", size=7.8, va="center")
    across = LEFT + 1.16
    for text, color in words:
        up = level / height
        figure.text(across / WIDTH, up, text, size=7.8, color=color, va="center", gid="key")
        across += (style.text_width(figure, text, 7.8) + 16) / 72
