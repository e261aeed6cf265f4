"""The dark theme: a finished figure with its colours turned.

White becomes nearly black, greys are mirrored, pale tints become dark ones, and colours that
would not show are made lighter. Colour maps stay, for their order is what they say.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

import numpy as np
from matplotlib.artist import Artist
from matplotlib.cm import ScalarMappable
from matplotlib.collections import Collection
from matplotlib.colors import ListedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Annotation, Text

from mpnet.plots import style
from mpnet.plots.contrast import (
    READABLE,
    RGB,
    apart,
    as_rgb,
    backgrounds,
    from_oklab,
    text_color,
    to_oklab,
)

RGBA = tuple[float, float, float, float]

PAPER, PRINT = "#14171A", "#ECEEF0"
"""What white and black become."""
_PAPER: RGB = to_rgba(PAPER)[:3]
_PRINT: RGB = to_rgba(PRINT)[:3]
_PAPER_LAB, _PRINT_LAB = to_oklab(_PAPER), to_oklab(_PRINT)
_GROUND, _INK = float(_PAPER_LAB[0]), float(_PRINT_LAB[0])
GREY, PALE, VIVID = 0.012, 0.78, 0.1
"""Chroma below which a colour is grey; lightness and chroma that make a colour a pale tint."""
SHOWN = 3.0
"""Contrast that lines and areas in colour need."""


@style.context()
def darken(figure: Figure) -> Figure:
    """Turn the colours of a finished figure, in place, and return it."""
    cast("Any", figure.canvas).draw()  # makes the ticks, which would come in their old colours
    artists = list(dict.fromkeys([figure.patch, *figure.findobj(), *_hidden(figure)]))
    for change in [_turned(artist) for artist in artists if artist.get_label() != style.KEEP]:
        change()
    for text, behind in backgrounds(figure):
        text.set_color(apart(text_color(text), behind, READABLE + 0.7))
    return figure


def _hidden(figure: Figure) -> list[Artist]:
    """Parts of texts that a figure does not list: boxes behind them, arrows of annotations."""
    found: list[Artist | None] = []
    for text in cast("list[Text]", figure.findobj(Text)):
        found.append(text.get_bbox_patch())
        found.append(text.arrow_patch if isinstance(text, Annotation) else None)
    return [artist for artist in found if artist is not None]


@lru_cache(maxsize=4096)
def turned(color: RGBA) -> RGBA:
    """Return what a colour becomes; its opacity stays."""
    light, red, yellow = (float(v) for v in to_oklab(color))
    chroma = float(np.hypot(red, yellow))
    if chroma < GREY:
        # Greys are mirrored between print and paper, the dark ones of texts less far.
        shade = as_rgb(_PRINT_LAB + (_PAPER_LAB - _PRINT_LAB) * light**1.6)
    elif light > PALE and chroma < VIVID:
        shade = as_rgb((_GROUND + 0.06 + 1.1 * (1 - light), 1.1 * red, 1.1 * yellow))
    else:
        shade = apart(color[:3], _PAPER, SHOWN)
    return (*shade, color[3])


def mirrored(colors: Any) -> Any:
    """Turn a scale of colours, shape (..., 4), so that its light end is the paper."""
    lab = to_oklab(colors)
    lab[..., 0] = _INK + (_GROUND - _INK) * lab[..., 0]
    turned_over = np.array(colors, dtype=np.float64)
    turned_over[..., :3] = np.clip(from_oklab(lab), 0.0, 1.0)
    return turned_over


def _new(color: Any) -> Any:
    """Turn a colour as artists have it; what stands for a colour, such as none, stays."""
    if isinstance(color, str) and color.lower() in ("none", "auto", "inherit"):
        return color
    red, green, blue, alpha = to_rgba(color)
    return turned((red, green, blue, alpha)) if alpha > 0 else "none"


def _turned(artist: Artist) -> Callable[[], None]:
    """Prepare what is to be done to one artist, by its colours as they still are."""
    if isinstance(artist, Text):
        return _text(artist)
    if isinstance(artist, Line2D):
        return _line(artist)
    if isinstance(artist, Patch):
        return _patch(artist)
    if artist.get_label() == style.MIRROR and isinstance(artist, ScalarMappable):
        found = _scale(artist)
        if found is not None:
            return found
    if isinstance(artist, Collection) and artist.get_array() is None:
        return _collection(artist)
    return lambda: None


def _text(text: Text) -> Callable[[], None]:
    color = _new(text.get_color())
    return lambda: text.set_color(color)


def _line(line: Line2D) -> Callable[[], None]:
    color = _new(line.get_color())
    face, edge = _new(line.get_markerfacecolor()), _new(line.get_markeredgecolor())

    def change() -> None:
        line.set_color(color)
        line.set_markerfacecolor(face)
        line.set_markeredgecolor(edge)

    return change


def _patch(patch: Patch) -> Callable[[], None]:
    face, edge = _new(patch.get_facecolor()), _new(patch.get_edgecolor())

    def change() -> None:
        patch.set_facecolor(face)
        patch.set_edgecolor(edge)

    return change


def _scale(artist: ScalarMappable) -> Callable[[], None] | None:
    """Mirror the colours of an image, or the scale that colours numbers; None without either."""
    values = artist.get_array()
    if values is None:
        return None
    if isinstance(artist, AxesImage) and values.ndim == 3:
        colors = mirrored(values)
        return lambda: artist.set_data(colors)
    scale = ListedColormap(mirrored(artist.get_cmap()(np.linspace(0, 1, 256))))
    lines: Any = np.atleast_2d(artist.get_edgecolor()) if isinstance(artist, Collection) else []
    edges = [_new(color) for color in lines if len(color)]

    def change() -> None:
        artist.set_cmap(scale)
        if isinstance(artist, Collection) and len(edges) == 1:  # the lines between all cells
            artist.set_edgecolor(edges)

    return change


def _collection(collection: Collection) -> Callable[[], None]:
    old = np.atleast_2d(collection.get_facecolor())
    scale = collection.get_label() == style.MIRROR
    faces = list(mirrored(old)) if scale else [_new(color) for color in old if len(color)]
    edges = [_new(color) for color in np.atleast_2d(collection.get_edgecolor()) if len(color)]

    def change() -> None:
        if len(faces):
            collection.set_facecolor(faces)
        if len(edges):
            collection.set_edgecolor(edges)

    return change
