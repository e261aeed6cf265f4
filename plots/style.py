"""The look that all figures share: colours, settings, titles, and labels that never collide."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar, cast

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D

from mpnet.errors import shown
from mpnet.plots.wording import footer, headline
from mpnet.record import Record

ArtistLike = TypeVar("ArtistLike", bound=Artist)

DPI = 100
BLUE, VERMILLION, GREEN, PINK, ORANGE, SKY, BLACK = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
)
PALETTE = (BLUE, GREEN, VERMILLION, PINK, SKY, ORANGE, BLACK)
"""Okabe-Ito without yellow, which does not show on white: at most seven series."""
GREY, FAINT, PALE = "#767676", "#B5B5B5", "#EDEDED"
TEXT = "#222222"
INK = {
    BLUE: "#00639B",
    GREEN: "#007A59",
    VERMILLION: "#B84F00",
    PINK: "#A34F7D",
    SKY: "#22749F",
    ORANGE: "#8F6500",
    BLACK: BLACK,
    FAINT: GREY,
}
"""Darker shades of the same colours, for text on white."""
DASHES: tuple[tuple[float, tuple[float, ...]], ...] = (
    (0, ()),
    (0, (6, 1.5)),
    (0, (7, 1.5, 1.5, 1.5)),
    (0, (3.5, 1.2)),
    (0, (10, 2)),
    (0, (5, 1.2, 1.2, 1.2, 1.2, 1.2)),
    (0, (2, 1)),
)
"""One dash pattern per colour; dotted is kept for exact values."""
DOTTED = (0, (1, 1.6))

_SETTINGS: dict[Any, Any] = {
    "text.parse_math": False,
    "text.usetex": False,
    "text.hinting": "no_hinting",
    "text.color": TEXT,
    "font.family": ["DejaVu Sans"],
    "font.size": 8.5,
    "svg.hashsalt": "mpnet",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "savefig.bbox": None,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.labelcolor": TEXT,
    "axes.linewidth": 0.8,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.formatter.useoffset": False,
    "axes.formatter.use_mathtext": False,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "figure.dpi": DPI,
}


@contextmanager
def context() -> Iterator[None]:
    """Draw in mpnet's style, whatever the user's own settings; also works as a decorator.

    Text is never typeset as mathematics, and a character that the font lacks is no warning.
    """
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+", category=UserWarning)
        warnings.filterwarnings("ignore", message=r"Matplotlib currently does not support")
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def new_figure(record: Record, what: str, size: tuple[float, float]) -> Figure:
    """Make a figure of ``size`` inches with its title, the verdict and the footer."""
    figure = Figure(figsize=size, dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    figure.set_label(what)
    failed = record.status != "converged"
    width, height = size
    left = 0.25 / width
    figure.text(
        left,
        1 - 0.14 / height,
        headline(record, what),
        size=12,
        weight="bold",
        va="top",
        color=INK[VERMILLION] if failed else TEXT,
    )
    verdict = record.verdict if not failed else f"{record.status}: {record.verdict}"
    room = int((width - 0.5) * 72 / 4.8)
    tint = INK[VERMILLION] if failed else "#444444"
    figure.text(left, 1 - 0.42 / height, shown(verdict, room), va="top", color=tint)
    figure.text(left, 0.09 / height, footer(record), size=6.5, color=GREY, va="bottom")
    return figure


def blank(width: float) -> Figure:
    """An empty figure, to measure texts with before the size of the real one is known."""
    figure = Figure(figsize=(width, 1.0), dpi=DPI)
    FigureCanvasAgg(figure)
    return figure


def place(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Add axes at a place in inches from the lower left corner."""
    across, up = (float(v) for v in figure.get_size_inches())
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def bare(axes: Axes) -> None:
    """Hide the ticks and the frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def text_width(figure: Figure, text: str, size: float, weight: str = "normal") -> float:
    """Width of a text, in points."""
    canvas: Any = figure.canvas
    renderer = canvas.get_renderer()
    font = FontProperties(family=["DejaVu Sans"], size=size, weight=weight)
    pixels = renderer.get_text_width_height_descent(text, font, False)[0]
    return float(pixels) * 72 / DPI


def fit(figure: Figure, text: str, size: float, room: float) -> str:
    """Cut the middle out of a text so that it is at most ``room`` points wide.

    The end stays, because names that begin alike often differ there.
    """
    whole, keep = text, len(text)
    width = text_width(figure, text, size)
    while width > room and keep > 1:
        keep = max(1, min(keep - 1, int(keep * room / width)))
        tail = (keep - 1) // 3
        text = whole[: keep - 1 - tail] + "…" + whole[len(whole) - tail :]
        width = text_width(figure, text, size)
    return text


def spread(values: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move values apart until neighbours are ``gap`` apart, as little as possible.

    Keeps the order; the result lies in ``[low, high]`` if there is room for that.
    """
    order = sorted(range(len(values)), key=lambda i: (values[i], i))
    blocks: list[list[float]] = []
    for rank, index in enumerate(order):
        blocks.append([values[index] - rank * gap, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, count = blocks.pop()
            previous, size = blocks[-1]
            blocks[-1] = [(mean * count + previous * size) / (count + size), count + size]
    flat = [mean for mean, count in blocks for _ in range(int(count))]
    top = max(low, high - (len(values) - 1) * gap)
    result = [0.0] * len(values)
    for rank, index in enumerate(order):
        result[index] = min(max(flat[rank], low), top) + rank * gap
    return result


class EndLabel(NamedTuple):
    """A label at the right end of a line that ends at height ``y``, in data units."""

    y: float
    text: str
    color: str
    bold: bool = False


def end_labels(axes: Axes, labels: Sequence[EndLabel], size: float = 8) -> None:
    """Write labels right of the axes, pushed apart, each joined to its line by a leader.

    Call it when the limits of the axes are final.
    """
    if not labels:
        return
    figure = cast("Figure", axes.figure)
    box = axes.get_position()
    across, up = (float(v) * 72 for v in figure.get_size_inches())
    points = np.array([(0.0, label.y) for label in labels])
    ends = (axes.transData + axes.transAxes.inverted()).transform(points)[:, 1]
    gap = 1.32 * size / (box.height * up)
    heights = spread([float(v) for v in np.clip(ends, 0, 1)], gap, 0.0, 1.0)
    lead = 9 / (box.width * across)
    for label, end, height in zip(labels, ends, heights):
        leader = Line2D(
            [1 + 0.1 * lead, 1 + 0.9 * lead],
            [min(max(float(end), 0.0), 1.0), height],
            transform=axes.transAxes,
            color=label.color,
            linewidth=0.7,
            clip_on=False,
        )
        axes.add_artist(leader)
        axes.text(
            1 + 1.15 * lead,
            height,
            label.text,
            transform=axes.transAxes,
            va="center_baseline",
            color=label.color,
            size=size,
            weight="bold" if label.bold else "normal",
            gid="end-label",
        )


KEEP, MIRROR = "_keeps its colours", "_is mirrored"
"""Labels of artists that a dark theme treats in their own way."""


def keep_colors(artist: ArtistLike) -> ArtistLike:
    """Let an artist have the same colours in every theme, and return it."""
    artist.set_label(KEEP)
    return artist


def mirror_colors(artist: ArtistLike) -> ArtistLike:
    """Let an artist's scale of colours begin at the paper in a dark theme too, and return it."""
    artist.set_label(MIRROR)
    return artist


def ink_on(color: Sequence[float]) -> str:
    """Black or white, whichever reads better on a colour (red, green, blue in 0 to 1)."""
    red, green, blue = (float(v) for v in color[:3])
    return "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.52 else "#1A1A1A"
