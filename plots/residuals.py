"""Which links keep a run from converging: on the graph, and message by message over iterations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mpnet.plots import panels, style
from mpnet.plots.contents import has_content
from mpnet.plots.link_map import draw_links
from mpnet.plots.links import Link, last_residuals, links, stand
from mpnet.plots.style import place
from mpnet.plots.wording import power, short_edge
from mpnet.record import Record
from mpnet.trace import FloatArray

NODES, PER_ROW = 30, 5
WIDTH, GRAPH, LEFT, MAP = 12.0, 5.3, 1.65, 3.75
ROW, FOOT, HEAD = 0.15, 0.78, 1.02
SLOW = LinearSegmentedColormap.from_list(
    "slow", ["#E9E9E9", "#F3D29B", "#E69F00", "#D55E00", "#5A1E00"]
)
"""From messages at rest to the slowest; darker is slower, for every eye."""


@dataclass(frozen=True)
class Scale:
    """How values become colours: decades of residuals, or iterations until rest."""

    low: float
    high: float
    settled: bool

    def share(self, link: Link) -> float:
        """Where a link lies between fast (0) and slow (1)."""
        if self.settled:
            return _share(float(link.settled), self.low, self.high)
        return _share(_decade(link.residual), self.low, self.high)


def _share(value: float, low: float, high: float) -> float:
    if math.isnan(value):
        return 0.0
    return min(max((value - low) / max(high - low, 1e-9), 0.0), 1.0)


def _decade(value: float) -> float:
    return math.log10(value) if value > 0 else -math.inf


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw links by residual at the end; by when they settled where all of them are at rest."""
    if not has_content("residuals", record):
        return None
    every = links(record)
    names = _slowest_nodes(record, every)
    kept = [link for link in every if link.source in names and link.target in names]
    places, rows = stand(record, names, kept, PER_ROW)
    count = len(record.trace.messages)
    high = max(3.0, ROW * count, 0.95 * rows)
    figure = style.new_figure(record, "residuals of messages", (WIDTH, HEAD + high + FOOT))
    limits = _limits(record)
    scale = _scale(record, every, limits)
    graph = place(figure, 0.2, FOOT - 0.25, GRAPH - 0.2, high + 0.25)
    shares = [(link, scale.share(link)) for link in kept]
    draw_links(graph, record, places, shares, SLOW, ring=not rows)
    _graph_key(figure, record, scale, every)
    left_out = len({n for link in every for n in (link.source, link.target)}) - len(names)
    if left_out > 0:
        text = f"{len(names)} nodes with the slowest links of {len(names) + left_out}"
        right = 1 - 0.25 / WIDTH
        up = 1 - 0.16 / (HEAD + high + FOOT)
        figure.text(right, up, text, ha="right", va="top", weight="bold")
    heat = place(figure, GRAPH + LEFT, FOOT, MAP, high)
    _heat(heat, record, limits)
    return figure


def _limits(record: Record) -> tuple[float, float]:
    """Decades of the map: those far below the tolerance are one."""
    values = record.trace.message_residual.astype(np.float64)
    low, high = panels.log_limits(values, record.tolerance) or (-6.0, 0.0)
    if record.tolerance > 0:
        low = max(low, math.floor(_decade(record.tolerance)) - 2.0)
    return low, max(high, low + 1.0)


def _slowest_nodes(record: Record, every: Sequence[Link]) -> list[str]:
    """Nodes at the ends of the slowest links; all of them where there is room."""
    found = dict.fromkeys(n for link in every for n in (link.source, link.target))
    if not found:
        return [node.name for node in record.nodes][:NODES]
    return list(found)[:NODES]


def _scale(record: Record, every: Sequence[Link], limits: tuple[float, float]) -> Scale:
    resting = all(link.residual <= record.tolerance for link in every)
    if resting:
        last = max((link.settled for link in every), default=0)
        return Scale(0.0, float(max(last, 1)), True)
    floor = _decade(record.tolerance) if record.tolerance > 0 else limits[0]
    top = max((_decade(link.residual) for link in every), default=0.0)
    top = top if math.isfinite(top) else limits[1]
    return Scale(min(floor, top - 1.0), top, False)


def _graph_key(figure: Figure, record: Record, scale: Scale, every: Sequence[Link]) -> None:
    """Say what the colours of the links mean, above the graph."""
    height = float(figure.get_figheight())
    level = height - 0.78
    bar = place(figure, 0.25, level - 0.05, 1.3, 0.1)
    bar.imshow(np.linspace(0, 1, 64)[None, :], aspect="auto", cmap=SLOW, extent=(0, 1, 0, 1))
    style.bare(bar)
    if scale.settled:
        text = f"settled at iteration 0 to {scale.high:.0f}: all links are at rest"
    else:
        moving = sum(link.residual > record.tolerance for link in every)
        ends = f"{power(scale.low)} to {power(scale.high)} nats"
        text = f"residual at the end {ends}: {moving} of {len(every)} links still move"
    fitted = style.fit(figure, text, 7.8, (GRAPH - 1.7) * 72)
    figure.text(1.65 / WIDTH, level / height, fitted, size=7.8, va="center", gid="key")


def _heat(axes: Axes, record: Record, limits: tuple[float, float]) -> None:
    """Residual of each message at each iteration, slowest first."""
    values = record.trace.message_residual.astype(np.float64)
    order = _slowest_first(values, last_residuals(record))
    values = values[:, order].T
    low, high = limits
    with np.errstate(divide="ignore", invalid="ignore"):
        levels = np.clip(np.log10(values), low, high)
    axes.set_facecolor("white")
    count = values.shape[0]
    axes.pcolormesh(
        _bounds(record.trace.iterations),
        np.arange(count + 1) - 0.5,
        np.ma.masked_invalid(levels),
        cmap=SLOW,
        vmin=low,
        vmax=high,
        rasterized=True,
    )
    axes.set_ylim(count - 0.5, -0.5)
    step = max(1, math.ceil(count * 9.0 / (axes.get_position().height * _height(axes) * 72)))
    figure = axes.get_figure()
    assert isinstance(figure, Figure)  # noqa: S101 - for the type checker
    room = (LEFT - 0.3) * 72
    labels = [_edge_label(figure, record.trace.messages[i], room) for i in order[::step]]
    axes.set_yticks(range(0, count, step), labels, fontsize=6.8)
    axes.tick_params(axis="y", length=2, pad=2)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7, min_n_ticks=1))
    axes.set_xlabel("iteration")
    blank = "; blank: not sent" if np.isnan(values).any() else ""
    named = f", every {step}. named" if step > 1 else ""
    panels.corner(axes, f"{count} messages, slowest first{named}{blank}")
    _color_bar(axes, record, limits)


def _edge_label(figure: Figure, name: str, room: float) -> str:
    """The label of a message in ``room`` points, with something of both ends."""
    text = short_edge(name, 400)
    source, arrow, target = text.partition("→")
    if not arrow or style.text_width(figure, text, 6.8) <= room:
        return style.fit(figure, text, 6.8, room)
    half = (room - style.text_width(figure, arrow, 6.8)) / 2
    left = max(half, 2 * half - style.text_width(figure, target, 6.8))
    right = max(half, 2 * half - style.text_width(figure, source, 6.8))
    return style.fit(figure, source, 6.8, left) + arrow + style.fit(figure, target, 6.8, right)


def _height(axes: Axes) -> float:
    return float(axes.figure.get_figheight())  # type: ignore[union-attr]


def _slowest_first(values: FloatArray, last: FloatArray) -> list[int]:
    """Columns by the residual they end with, then by what they add up to."""
    total = np.nan_to_num(values, posinf=1e9).sum(axis=0)
    return [int(i) for i in np.lexsort((-total, -np.nan_to_num(last, posinf=1e9)))]


def _bounds(iterations: np.ndarray[tuple[int], np.dtype[np.int64]]) -> FloatArray:
    """Edges of the columns: half-way between iterations, shape (T + 1,)."""
    middle = (iterations[1:] + iterations[:-1]) / 2
    bounds: FloatArray = np.concatenate([[iterations[0] - 0.5], middle, [iterations[-1] + 0.5]])
    return bounds


def _color_bar(axes: Axes, record: Record, limits: tuple[float, float]) -> None:
    """The colour bar right of the map, with the tolerance marked."""
    box = axes.get_position()
    figure = axes.get_figure()
    assert isinstance(figure, Figure)  # noqa: S101 - for the type checker
    bar = figure.add_axes((box.x1 + 0.012, box.y0, 0.011, box.height))
    colors = SLOW(np.linspace(0, 1, 128))
    bar.imshow(colors[:, None, :], aspect="auto", origin="lower", extent=(0, 1, *limits))
    bar.set_xticks([])
    ticks = panels.decades(*limits)
    bar.set_yticks(ticks, [power(tick) for tick in ticks], fontsize=7)
    bar.yaxis.tick_right()
    bar.yaxis.set_label_position("right")
    bar.set_ylabel("residual (nats)  ▬ tolerance", fontsize=7.5)
    level = _decade(record.tolerance)
    if limits[0] <= level <= limits[1]:
        bar.axhline(level, color=style.BLACK, linewidth=1.8)
