"""The image seen, and what each model thought it saw, in the order of belief."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.style import place
from mpnet.plots.wording import INFINITY, probability, short
from mpnet.record import SEEN, Record

COLUMNS, SHOWN = 6, 23
SIDE, STEP_X, STEP_Y = 1.45, 1.7, 1.95


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw the images on one grey scale; None where the record has none."""
    if not has_content("reconstructions", record):
        return None
    every = ranked(record)
    models = every[:SHOWN]
    tiles = ([SEEN] if SEEN in record.views else []) + [name for name, _ in models]
    columns = min(COLUMNS, len(tiles))
    lines = -(-len(tiles) // columns)
    height = 0.85 + lines * STEP_Y + 0.45
    what = f"reconstructions{_margin(every)}"
    figure = style.new_figure(record, what, (0.4 + COLUMNS * STEP_X, height))
    low, high = _range(record, tiles)
    beliefs = dict(models)
    for index, name in enumerate(tiles):
        line, column = divmod(index, columns)
        top = height - 0.85 - line * STEP_Y
        axes = place(figure, 0.3 + column * STEP_X, top - 0.32 - SIDE, SIDE, SIDE)
        image = np.atleast_2d(record.views[name])
        axes.imshow(image, cmap="gray_r", vmin=low, vmax=high, interpolation="nearest")
        winner = bool(models) and name == models[0][0]
        _caption(figure, axes, name, beliefs.get(name) if name in beliefs else None, winner)
    if len(every) > len(models):
        text = f"{len(every) - len(models)} models with less belief not shown"
        figure.text(0.99, 0.09 / height, text, ha="right", size=7, color=style.GREY)
    return figure


def ranked(record: Record) -> list[tuple[str, float]]:
    """Models with an image and the belief in each, highest first; NaN where it is unknown."""
    names = [name for name in record.views if name != SEEN]
    found = [(name, _belief(record, name)) for name in names]
    return sorted(found, key=lambda item: math.inf if math.isnan(item[1]) else -item[1])


def _belief(record: Record, name: str) -> float:
    """Belief in a model: of the choice that it belongs to, else in its own activation."""
    for node in record.nodes:
        if node.kind == "choice" and name in record.beliefs.get(node.name, {}):
            return record.beliefs[node.name][name]
    own = record.beliefs.get(name, {})
    return own.get("active", math.nan)


def _margin(models: list[tuple[str, float]]) -> str:
    """Distance of the best two, as the end of the title."""
    if len(models) < 2 or math.isnan(models[0][1]) or math.isnan(models[1][1]):
        return ""
    (best, first), (second, other) = models[0], models[1]
    if first <= 0:
        return ""
    gap = f"{math.log(first / other):.2f}" if other > 0 else INFINITY
    return f" · {short(best, 14)} leads {short(second, 14)} by {gap} nats"


def _range(record: Record, names: list[str]) -> tuple[float, float]:
    """One grey scale for all images, set by the image seen where there is one."""
    shown = [SEEN] if SEEN in names else names
    values = np.concatenate([np.ravel(record.views[name]) for name in shown])
    values = values[np.isfinite(values)]
    if values.size == 0:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    return low, high if high > low else low + 1.0


def _caption(figure: Figure, axes: Axes, name: str, belief: float | None, winner: bool) -> None:
    """Title one image and frame it: the winner thick and blue, the image seen black."""
    axes.set_xticks([])
    axes.set_yticks([])
    color, width = (style.BLUE, 3.5) if winner else (style.FAINT, 0.8)
    if belief is None:
        color, width = style.BLACK, 1.6
    for spine in axes.spines.values():
        spine.set(visible=True, color=color, linewidth=width)
    value = "" if belief is None or math.isnan(belief) else f"  {probability(belief)}"
    label = "seen" if belief is None else name
    text = style.fit(figure, short(label, 24), 9.5, SIDE * 72 - 34) + value
    axes.set_title(text, fontsize=9.5, fontweight="bold" if winner else "normal", pad=6)
