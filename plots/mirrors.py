"""A relation in an image: its places, its box as a dilation, and its log-odds when mirrored."""

from __future__ import annotations

from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.style import place
from mpnet.plots.wording import nats, short
from mpnet.record import Findings, Record
from mpnet.trace import FloatArray

COLORS = (style.BLUE, style.VERMILLION)


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw what there is; None where no images were mirrored."""
    found = record.findings
    if found is None or not has_content("mirrors", record):
        return None
    whole = "image" in found.curves
    figure = style.new_figure(
        record, "a relation and its mirror image", (10.2, 6.2 if whole else 3.9)
    )
    if not whole:
        _odds(place(figure, 0.8, 0.9, 8.8, 2.0), found)
        return figure
    names = [short(name, 24) for name in found.labels["places"]]
    _image(place(figure, 0.5, 3.45, 4.2, 1.85), found, names)
    _field(
        place(figure, 5.4, 3.45, 4.2, 1.85), found.curves["first fit"], f"how well {names[0]} fits"
    )
    title = f"what {names[1]} hears through the box of {short(found.labels['relation'][0], 20)}"
    _field(place(figure, 5.4, 0.75, 4.2, 1.85), found.curves["message"], title)
    _odds(place(figure, 0.8, 0.9, 3.9, 1.7), found)
    return figure


def _image(axes: Axes, found: Findings, names: list[str]) -> None:
    """The image, with a frame where each place fits best."""
    image = found.curves["image"]
    grey = np.where(np.isnan(image), 0.85, 1.0 - 0.75 * image)
    axes.imshow(grey, cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest", aspect="equal")
    for number, key in enumerate(("first", "second")):
        fit = found.curves[f"{key} fit"]
        y, x = np.unravel_index(int(np.argmax(fit)), fit.shape)
        height, width = found.curves[f"{key} size"]
        color = COLORS[number]
        dash = style.DASHES[3 * number]
        corner = (float(x) - 0.5, float(y) - 0.5)
        frame = Rectangle(corner, float(width), float(height), fill=False, ec=color, ls=dash, lw=2)
        axes.add_patch(frame)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set(visible=True, color=style.FAINT)
    figure = cast("Figure", axes.figure)
    axes.set_title("the image; frames: where each shape fits best", x=0.0)
    box = axes.get_position()
    for number, name in enumerate(names):
        at = box.x0 + number * box.width / 2
        text = f"{('solid', 'dashed')[number]}: {name}"
        figure.text(at, box.y0 - 0.028, text, size=8, color=style.INK[COLORS[number]])


def _field(axes: Axes, values: FloatArray, title: str) -> None:
    """Log-likelihoods of cells, impossible ones white."""
    finite = np.isfinite(values)
    best = values[finite].max() if finite.any() else 0.0
    shown = np.where(finite, values - best, np.nan)
    low = min(float(np.nanmin(shown)) if finite.any() else -1.0, -1e-9)
    picture = axes.imshow(shown, cmap="cividis", vmin=low, vmax=0.0, interpolation="nearest")
    axes.set_title(title, x=0.0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
    figure = cast("Figure", axes.figure)
    bar = figure.colorbar(picture, ax=axes, fraction=0.025, pad=0.02)
    bar.set_label("nats below the best", size=7.5)
    bar.ax.tick_params(labelsize=7)


def _odds(axes: Axes, found: Findings) -> None:
    """Log-odds of the relation in images and in mirror images."""
    odds = found.curves["odds"][:, :, 0]
    clipped = np.clip(np.where(np.isfinite(odds), odds, np.sign(odds) * 1e3), -20.0, 20.0)
    edges = np.linspace(min(clipped.min(), -0.5) - 0.3, max(clipped.max(), 0.5) + 0.3, 34)
    for side, (name, hatch) in enumerate((("as drawn", ""), ("mirrored", "////"))):
        counts, _ = np.histogram(clipped[side], edges)
        label = f"{name}: mean {nats(float(clipped[side].mean()))}"
        axes.bar(
            edges[:-1],
            counts,
            np.diff(edges),
            align="edge",
            color=COLORS[side],
            hatch=hatch,
            edgecolor="white",
            linewidth=0.5,
            label=label,
        )
    axes.axvline(0.0, color=style.GREY, linestyle=style.DOTTED, linewidth=1.2)
    axes.set_xlabel(f"log-odds of {short(found.labels['relation'][0], 24)}, nats")
    axes.set_ylabel("images")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.22), ncols=2, frameon=False, fontsize=8)
