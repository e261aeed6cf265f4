"""Confusion noticed: how unusual log Z is, by kind of scene, and how well that tells them apart."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.style import place
from mpnet.plots.wording import MINUS
from mpnet.record import Findings, Record
from mpnet.trace import FloatArray

LOOKS = {
    "explained": (style.BLUE, "explained by who is awake"),
    "unexplained": (style.VERMILLION, "of models that sleep"),
    "random": (style.FAINT, "of random states"),
    "mended": (style.GREEN, "the flagged ones of models that sleep, after the search"),
}
LOWEST = -12.0
"""Scores below this many deviations are drawn in the first bar."""


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw the scores of all kinds one above the other, the threshold, and the ROC beside."""
    found = record.findings
    if found is None or not has_content("surprise", record):
        return None
    figure = style.new_figure(record, "surprise", (10.6, 6.2))
    edges = _edges(found)
    for row, kind in enumerate(LOOKS):
        axes = place(figure, 0.75, 4.45 - row * 1.2, 5.6, 0.82)
        _bars(axes, found, kind, edges)
        axes.tick_params(labelbottom=row == len(LOOKS) - 1)
        if row == len(LOOKS) - 1:
            axes.set_xlabel("log Z, in deviations from its mean under the winning explanation")
    _curve(place(figure, 7.35, 2.75, 2.55, 2.55), found)
    _numbers(place(figure, 6.85, 0.8, 3.4, 1.35), found)
    return figure


def _edges(found: Findings) -> FloatArray:
    values = np.concatenate([found.curves[kind] for kind in LOOKS])
    values = values[np.isfinite(values)]
    low = max(LOWEST, float(np.floor(values.min(initial=-4.0))))
    high = float(np.ceil(values.max(initial=2.0)))
    return np.arange(low, high + 0.25, 0.5)


def _bars(axes: Axes, found: Findings, kind: str, edges: FloatArray) -> None:
    color, text = LOOKS[kind]
    values = np.clip(found.curves[kind], edges[0], edges[-1] - 1e-9)
    threshold = float(found.curves["threshold"][0])
    axes.axvspan(edges[0], threshold, color="#F6F1E8", linewidth=0, zorder=0)
    axes.hist(values, bins=edges.tolist(), color=color, edgecolor="white", linewidth=0.6, zorder=2)
    axes.axvline(threshold, color=style.BLACK, linestyle=style.DASHES[3], linewidth=1, zorder=3)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(0, max(1.1 * axes.get_ylim()[1], 1.0))
    axes.locator_params(axis="y", nbins=3, integer=True)
    axes.set_ylabel("scenes")
    heading = f"{values.size} scenes {text}" if kind != "mended" else f"{values.size}: {text}"
    axes.set_title(heading, color=style.INK[color], weight="bold", fontsize=8.5, pad=3)
    if kind == "explained":
        words = f"search below {threshold:g}".replace("-", MINUS)
        axes.annotate(
            words,
            (threshold, 0.9),
            xycoords=axes.get_xaxis_transform(),
            xytext=(-5, 0),
            textcoords="offset points",
            size=8,
            ha="right",
            va="top",
        )
    below = int(np.sum(found.curves[kind] < edges[0]))
    if below:
        axes.annotate(
            f"{below} further left", (0.01, 0.97), xycoords="axes fraction", size=7, va="top"
        )


def _curve(axes: Axes, found: Findings) -> None:
    """Share of unexplained scenes flagged against the share of explained ones."""
    false, hits = found.curves["false alarms"], found.curves["hits"]
    axes.plot([0, 1], [0, 1], color=style.FAINT, linewidth=0.8)
    axes.plot(false, hits, color=style.VERMILLION, linewidth=1.8, zorder=3, clip_on=False)
    at = (found.numbers["false alarms"], found.numbers["flagged"])
    axes.plot(*at, "o", color=style.BLACK, markersize=6, zorder=4, clip_on=False)
    axes.annotate("at the threshold", at, xytext=(9, -11), textcoords="offset points", size=8)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel("explained scenes flagged")
    axes.set_ylabel("unexplained scenes flagged")
    axes.set_title(f"AUROC {found.numbers['auroc']:.3f}", pad=8)


def _numbers(axes: Axes, found: Findings) -> None:
    """What the search did, in words."""
    style.bare(axes)
    numbers = found.numbers
    lines = (
        ("scenes looked at", f"{numbers['scenes']:.0f}"),
        ("searches of the library", f"{numbers['searches']:.0f}"),
        ("of these, for explained scenes", f"{numbers['needless searches']:.0f}"),
        ("flagged scenes of sleeping models mended", _percent(numbers["mended"])),
        ("flagged random scenes mended", _percent(numbers["mended random"])),
    )
    for row, (text, number) in enumerate(lines):
        level = 1 - (row + 0.5) / len(lines)
        axes.text(0, level, text, size=8, va="center")
        axes.text(1, level, number, size=8, va="center", ha="right", weight="bold")


def _percent(share: float) -> str:
    return f"{share:.0%}" if np.isfinite(share) else "none flagged"
