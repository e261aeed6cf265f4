"""What each class of predictions contributes: the society, and what is lost when a class is cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.style import place
from mpnet.plots.wording import nats, probability, short
from mpnet.record import Findings, NodeInfo, Record
from mpnet.trace import FloatArray

CLASSES = (style.BLUE, style.VERMILLION, style.GREEN, style.PINK, style.ORANGE, style.SKY)
FILLS = ("#FFFFFF", "#8A8A8A", "#D5D5D5", "#5A5A5A")
"""Bars of the exact answer and of the estimators, in the order of the findings."""
WHOLE = "whole"
WIDTH, PANEL = 12.8, 5.8


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw the layered society, if layers are named, and bars for each class that was cut."""
    found = record.findings
    if found is None or not has_content("ablation", record):
        return None
    layered = bool(found.labels["layers"])
    left = WIDTH - PANEL if layered else 0.0
    figure = style.new_figure(record, "ablation", (left + PANEL, 6.6))
    if layered:
        _society(place(figure, 0.25, 0.5, left - 0.5, 5.2), record, found)
    wide = PANEL - 1.75
    beliefs = place(figure, left + 0.85, 4.25, wide, 1.45)
    _belief_bars(beliefs, found, found.curves["watched"].mean(axis=2))
    watched = " and ".join(short(text, 18) for text in found.labels["watch"][:2])
    watched += f" and {len(found.labels['watch']) - 2} more" if found.labels["watch"][2:] else ""
    beliefs.set_title(f"belief in what is hidden: {watched}", pad=20)
    _levels(beliefs, found)
    _key(beliefs, found)
    known = place(figure, left + 0.85, 2.35, wide, 1.15)
    _belief_bars(known, found, found.curves["recognised"])
    known.set_title(f"belief in {short(found.labels['recognise'][0], 24)}", pad=6)
    _evidence(place(figure, left + 0.85, 0.95, wide, 0.75), found)
    return figure


def _names(axes: Axes, found: Findings, shown: bool) -> None:
    """Name the groups below: the whole, then each class in its colour."""
    names = [WHOLE, *found.labels["classes"]]
    axes.set_xlim(-0.55, len(names) - 0.45)
    figure = cast("Figure", axes.figure)
    room = axes.get_position().width * float(figure.get_figwidth()) * 72 / len(names) - 4
    axes.set_xticks(
        range(len(names)), [style.fit(figure, short(n), 7.5, room) for n in names], fontsize=7.5
    )
    axes.tick_params(axis="x", length=0, labelbottom=shown)
    for text, color in zip(axes.get_xticklabels(), _colors(found)):
        text.set_color(style.INK.get(color, color))
        text.set_fontweight("bold")


def _colors(found: Findings) -> list[str]:
    """Black for the whole, then one colour per class."""
    count = len(found.labels["classes"])
    return [style.BLACK, *(CLASSES[i % len(CLASSES)] for i in range(count))]


def _belief_bars(axes: Axes, found: Findings, values: FloatArray) -> None:
    """One group per cut, one bar per estimator; the exact one in the colour of its class."""
    count = values.shape[1]
    width = 0.8 / count
    for column in range(count):
        places = np.arange(len(values)) + (column - (count - 1) / 2) * width
        fill: str | list[str] = FILLS[column % len(FILLS)] if column else _colors(found)
        heights = np.nan_to_num(values[:, column])
        axes.bar(places, heights, width * 0.9, color=fill, edgecolor="#444444", linewidth=0.5)
        for x, value in zip(places, values[:, column]):
            if np.isnan(value):
                axes.text(x, 0.02, "no answer", rotation=90, ha="center", va="bottom", size=6.5)
            elif column == 0:
                text = probability(float(value))
                axes.text(x, value + 0.02, text, ha="center", va="bottom", size=7)
    axes.set_ylim(0, 1.12)
    axes.set_yticks([0, 0.5, 1])
    axes.set_ylabel("belief")
    _names(axes, found, shown=False)


def _levels(axes: Axes, found: Findings) -> None:
    """Lines of the base rate, and of the belief with nothing seen."""
    marks = (("base", "base rate"), ("unseen", "with nothing seen"))
    levels = [float(found.curves[key].mean()) for key, _ in marks]
    labels = []
    for (_, text), level, dash in zip(marks, levels, (style.DOTTED, style.DASHES[3])):
        axes.axhline(level, color=style.BLACK, linewidth=1, linestyle=dash, zorder=3)
        labels.append(style.EndLabel(level, text, style.TEXT))
    for label in labels:
        axes.annotate(
            label.text,
            (1.0, label.y),
            xycoords=axes.get_yaxis_transform(),
            xytext=(3, 0),
            textcoords="offset points",
            va="bottom" if label.y == max(levels) else "top",
            size=6.5,
            annotation_clip=False,
        )


def _key(axes: Axes, found: Findings) -> None:
    """Name the bars of a group above the panel."""
    names = found.labels["estimators"]
    at = 0.0
    for number, name in enumerate(names):
        text = f"{short(name, 12)} (coloured)" if number == 0 else short(name, 12)
        fill = style.BLACK if number == 0 else FILLS[number % len(FILLS)]
        axes.plot(
            [at + 0.012],
            [1.08],
            "s",
            color=fill,
            markeredgecolor="#444444",
            markersize=6,
            transform=axes.transAxes,
            clip_on=False,
        )
        axes.text(at + 0.035, 1.08, text, transform=axes.transAxes, va="center_baseline", size=7.5)
        at += 0.26 if number == 0 else 0.18


def _evidence(axes: Axes, found: Findings) -> None:
    """Log probability of all that is seen, lost by each cut."""
    evidence = found.curves["evidence"]
    lost = evidence - evidence[0]
    axes.bar(
        np.arange(lost.size), lost, 0.5, color=_colors(found), edgecolor="#444444", linewidth=0.5
    )
    low, high = min(0.0, float(lost.min())), max(0.0, float(lost.max()))
    pad = 0.3 * max(high - low, 0.1)
    axes.set_ylim(low - pad, high + 0.4 * pad if high <= 0 else high + pad)
    for x, value in enumerate(lost[1:], start=1):
        axes.annotate(
            nats(float(value)),
            (x, value),
            xytext=(0, -2 if value < 0 else 2),
            textcoords="offset points",
            ha="center",
            va="top" if value < 0 else "bottom",
            size=7,
        )
    axes.axhline(0, color="#555555", linewidth=0.8)
    axes.spines["bottom"].set_visible(False)
    axes.set_title("log probability of what is seen, against the whole (nats)", pad=6)
    axes.locator_params(axis="y", nbins=3)
    axes.set_ylabel("nats")
    _names(axes, found, shown=True)
    axes.set_xlabel("class of predictions that is cut")


def _society(axes: Axes, record: Record, found: Findings) -> None:
    """Nodes by layer, and the predictions of each class as arrows in its colour."""
    style.bare(axes)
    figure = cast("Figure", axes.figure)
    across, up = (float(v) for v in figure.get_size_inches())
    box = axes.get_position()
    width, height = box.width * across * 72, box.height * up * 72
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    layers = found.labels["layers"]
    spots: dict[str, tuple[float, float]] = {}
    for row, layer in enumerate(layers):
        y = (row + 0.5) * (height - 14) / len(layers)
        names = found.labels[f"layer {layer}"]
        axes.text(0, y, short(layer, 14), size=8, color=style.GREY, va="center")
        for column, name in enumerate(names):
            spots[name] = (50 + (column + 0.5) * (width - 60) / len(names), y)
    rooms = {
        n: (width - 60) / len(found.labels[f"layer {x}"]) - 3
        for x in layers
        for n in found.labels[f"layer {x}"]
    }
    _arrows(axes, record, found, spots)
    nodes = {node.name: node for node in record.nodes}
    for name, (x, y) in spots.items():
        _node(axes, record, nodes[name], (x, y, rooms[name]), name in found.labels["watched nodes"])
    for number, name in enumerate(found.labels["classes"]):
        axes.text(
            50 + number * (width - 60) / len(found.labels["classes"]),
            height - 4,
            f"→ {short(name, 14)}",
            color=style.INK[CLASSES[number % len(CLASSES)]],
            weight="bold",
            va="center",
            size=8.5,
        )


def _arrows(
    axes: Axes, record: Record, found: Findings, spots: dict[str, tuple[float, float]]
) -> None:
    """One arrow per prediction, grey where no class has it."""
    colors = {(edge.source, edge.target): style.FAINT for edge in record.predictions}
    for number, name in enumerate(found.labels["classes"]):
        pairs = zip(found.labels[f"sources {name}"], found.labels[f"targets {name}"])
        colors |= dict.fromkeys(pairs, CLASSES[number % len(CLASSES)])
    for (source, target), color in colors.items():
        if source not in spots or target not in spots:
            continue
        bend = -0.3 if spots[source][1] == spots[target][1] else 0.12
        axes.add_patch(
            FancyArrowPatch(
                spots[source],
                spots[target],
                arrowstyle="-|>",
                mutation_scale=10,
                shrinkA=10,
                shrinkB=11,
                linewidth=1.3,
                alpha=0.85,
                color=color,
                connectionstyle=f"arc3,rad={bend}",
                zorder=1,
            )
        )


def _node(
    axes: Axes, record: Record, node: NodeInfo, spot: tuple[float, float, float], watched: bool
) -> None:
    """A disc filled by belief; observed nodes ringed, watched ones dashed."""
    x, y, room = spot
    beliefs = record.beliefs.get(node.name, {})
    states: Sequence[str] = list(beliefs)
    believed = beliefs.get("active", beliefs[states[-1]] if states else 0.0)
    shade = 1.0 - 0.75 * believed
    axes.plot(
        x,
        y,
        "o" if node.kind == "feature" else "s",
        markersize=15,
        color=(shade, shade, shade),
        markeredgecolor=style.BLACK,
        markeredgewidth=2.2 if node.evidence else 0.9,
        zorder=3,
    )
    if watched:
        axes.plot(x, y, "o", markersize=22, markerfacecolor="none", markeredgecolor=style.BLACK)
        axes.lines[-1].set_linestyle("none")
    figure = cast("Figure", axes.figure)
    axes.text(
        x,
        y - 17,
        style.fit(figure, short(node.name, 24), 7.5, max(room, 30)),
        ha="center",
        va="center",
        size=7.5,
        weight="bold" if watched else "normal",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
        zorder=4,
        gid="node-label",
    )
    axes.text(
        x,
        y,
        probability(believed),
        ha="center",
        va="center",
        size=5.5,
        color=style.ink_on((shade,) * 3),
        zorder=5,
    )
