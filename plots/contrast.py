"""How well colours stand apart, and what lies behind the texts of a figure.

Contrast is that of WCAG 2: 1 for equal colours, 21 for black on white; texts need 4.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

RGB = tuple[float, float, float]

READABLE = 4.5
"""Contrast that a text needs."""

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
"""Matrices of Oklab, in which equal steps look equal."""
_FROM_LAB, _FROM_LMS = np.linalg.inv(_TO_LAB), np.linalg.inv(_TO_LMS)


def _linear(colors: Any) -> Any:
    values = np.asarray(colors, dtype=np.float64)[..., :3]
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def luminance(color: Sequence[float]) -> float:
    """Relative luminance of a colour (red, green, blue in 0 to 1): 0 black, 1 white."""
    return float(_linear(color) @ (0.2126, 0.7152, 0.0722))


def contrast(one: Sequence[float], other: Sequence[float]) -> float:
    """Contrast of two colours, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def to_oklab(colors: Any) -> Any:
    """Lightness in 0 to 1 and two axes of hue, shape (..., 3), of colours of that shape."""
    return np.cbrt(_linear(colors) @ _TO_LMS.T) @ _TO_LAB.T


def from_oklab(lab: Any) -> Any:
    """Colours of lightness and hue, shape (..., 3), clipped to what a screen can show."""
    linear = (np.asarray(lab) @ _FROM_LAB.T) ** 3 @ _FROM_LMS.T
    linear = np.clip(linear, 0.0, 1.0)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def as_rgb(lab: Sequence[float]) -> RGB:
    """One colour of a lightness and a hue."""
    red, green, blue = (float(v) for v in np.clip(from_oklab(lab), 0.0, 1.0))
    return red, green, blue


@lru_cache(maxsize=4096)
def apart(color: RGB, background: RGB, least: float) -> RGB:
    """Return the colour, made lighter or darker until it stands out from a background."""
    if contrast(color, background) >= least:
        return color
    light, red, yellow = (float(v) for v in to_oklab(color))
    end = 1.0 if luminance(background) < 0.18 else 0.0
    for share in np.linspace(0.05, 1.0, 20):
        fade = 1 - share**2
        changed = as_rgb((light + (end - light) * share, red * fade, yellow * fade))
        if contrast(changed, background) >= least:
            return changed
    return (end, end, end)


def visible_texts(figure: Figure) -> list[tuple[Text, Bbox]]:
    """Draw a figure; return the texts that show, those of ticks included, and their boxes."""
    cast("Any", figure.canvas).draw()
    unseen = {id(label) for axes in figure.axes for label in _outside(axes)}
    return [
        (text, _box(text))
        for text in cast("list[Text]", figure.findobj(Text))
        if text.get_visible() and text.get_text().strip() and id(text) not in unseen
    ]


def _outside(axes: Axes) -> list[Text]:
    """Labels of ticks beyond the limits: they are there, but are not drawn."""
    found = []
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(float(v) for v in axis.get_view_interval())
        slack = 1e-9 * max(high - low, abs(high), abs(low))
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            if not low - slack <= float(tick.get_loc()) <= high + slack:
                found += [tick.label1, tick.label2]
    return found


def backgrounds(figure: Figure) -> list[tuple[Text, RGB]]:
    """What lies behind each text that shows: the middle colour of its box with no texts drawn."""
    texts = visible_texts(figure)
    for text, _ in texts:
        text.set_visible(False)
    canvas = cast("Any", figure.canvas)
    try:
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[..., :3] / 255.0
    finally:
        for text, _ in texts:
            text.set_visible(True)
    return [(text, _behind(text, box, pixels)) for text, box in texts]


def _box(text: Text) -> Bbox:
    """Extent of the words alone: that of an annotation takes in its arrow too."""
    return (
        Text.get_window_extent(text) if isinstance(text, Annotation) else text.get_window_extent()
    )


def _behind(text: Text, box: Bbox, pixels: Any) -> RGB:
    patch = cast("Patch | None", text.get_bbox_patch())
    if patch is not None:
        red, green, blue, alpha = to_rgba(patch.get_facecolor())
        if alpha > 0.75:
            return red, green, blue
    height, width = pixels.shape[:2]
    left, right = (int(np.clip(v, 0, width - 1)) for v in (box.x0, box.x1))
    top, bottom = (int(np.clip(height - v, 0, height - 1)) for v in (box.y1, box.y0))
    part = pixels[top : bottom + 1, left : right + 1].reshape(-1, 3)
    red, green, blue = (float(v) for v in np.median(part, axis=0))
    return red, green, blue


def text_color(text: Text) -> RGB:
    """Colour of a text, without its opacity."""
    red, green, blue = to_rgb(cast("Any", text.get_color()))
    return red, green, blue
