"""What the figures of the benchmark share: mpnet's look, a title, both file types."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from mpnet.plots.style import DPI, GREY, INK, TEXT, EndLabel, end_labels, place

FOLDER = Path(__file__).resolve().parent / "figures"


def new(
    title: str, subtitle: str, width: float = 7.2, height: float = 4.2, room: float = 1.8
) -> tuple[Figure, Axes]:
    """A figure with room for labels at the right end of its lines.

    Parameters
    ----------
    title, subtitle : str
        What is shown, and on what.
    width, height : float
        Inches.
    room : float
        Inches for labels right of the axes.

    """
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.25 / width, 1 - 0.14 / height, title, size=12, weight="bold", va="top")
    figure.text(0.25 / width, 1 - 0.42 / height, subtitle, size=8.5, va="top", color=GREY)
    return figure, place(figure, 0.8, 0.62, width - 0.8 - room, height - 1.4)


def decades(axis: Axis, low: int, high: int, step: int = 1) -> None:
    """Ticks at powers of ten, in plain letters, on a logarithmic axis."""
    powers = range(low, high + 1, step)
    axis.set_major_locator(FixedLocator([10.0**power for power in powers]))
    axis.set_major_formatter(FixedFormatter([_power(power) for power in powers]))
    axis.set_minor_locator(NullLocator())


def _power(power: int) -> str:
    return {0: "1", 1: "10", 2: "100"}.get(power, f"1e{power}")


def label_ends(axes: Axes, labels: Sequence[tuple[float, str, str]]) -> None:
    """Name each line at its end: height, text and the line's colour."""
    end_labels(axes, [EndLabel(y, text, INK.get(color, TEXT)) for y, text, color in labels])


def save(figure: Figure, name: str, folder: Path | None = None) -> list[Path]:
    """Write ``name.png`` and ``name.svg``."""
    folder = folder or FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.{kind}" for kind in ("png", "svg")]
    for path in paths:
        dated = {"Date": None} if path.suffix == ".svg" else None
        figure.savefig(path, dpi=150, metadata=dated)
    return paths


def slope(x: np.ndarray, y: np.ndarray) -> float:
    """Slope of a straight line through the logs."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])
