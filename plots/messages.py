"""The messages that reach one node, in nats, and what they add up to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.heard import Heard, chosen_node, heard_by, log_ratio, probabilities, total
from mpnet.plots.message_columns import draw_columns, draw_remark
from mpnet.plots.message_map import draw_map, map_height
from mpnet.plots.style import place
from mpnet.plots.wording import nats, probability, short
from mpnet.record import NodeInfo, Record

ROWS = 28
"""Messages with a bar of their own, at most."""
WIDTH, LEFT, RIGHT, ROW = 9.5, 2.0, 1.95, 0.235
SIZE = 7.8
RAISES, LOWERS, SUM = style.BLUE, style.VERMILLION, "#333333"


@dataclass(frozen=True)
class _Bar:
    """One bar: log ratio in nats, and how far the message has come to rest."""

    label: str
    ratio: float
    residual: float = math.nan
    settled: int = 0
    bold: bool = False


@style.context()
def draw(record: Record, node: str | None = None) -> Figure | None:
    """Draw bars for a node of two states, a map of messages by states for others.

    Parameters
    ----------
    record : Record
        The run; not modified.
    node : str, optional
        The node; the one in question with the most messages where it is left out.

    """
    if not has_content("messages", record):
        return None
    chosen = chosen_node(record, node)
    heard = heard_by(record, chosen)
    if len(chosen.states) == 2:
        return _draw_bars(record, chosen, heard)
    height = map_height(chosen, heard)
    figure = style.new_figure(record, _title(chosen), (WIDTH, height))
    draw_map(figure, record, chosen, heard)
    return figure


def _title(node: NodeInfo) -> str:
    return f"messages that reach {short(node.name, 30)}"


def _draw_bars(record: Record, node: NodeInfo, heard: Sequence[Heard]) -> Figure:
    state = _for_state(record, node)
    bars = _bars(heard, state)
    high = ROW * len(bars)
    figure = style.new_figure(record, _title(node), (WIDTH, 1.0 + high + 0.72))
    axes = place(figure, LEFT, 0.72, WIDTH - LEFT - RIGHT, high)
    edge = _limits(axes, bars)
    levels = np.arange(len(bars))
    colors = [RAISES if bar.ratio >= 0 else LOWERS for bar in bars[:-1]]
    shown = [math.copysign(min(abs(bar.ratio), edge), bar.ratio) for bar in bars]
    axes.barh(levels, shown, height=0.64, color=[*colors, SUM], zorder=2)
    axes.axvline(0, color="#555555", linewidth=0.8, zorder=3)
    axes.axhline(len(bars) - 1.5, color="#555555", linewidth=0.8, clip_on=False)
    axes.spines["left"].set_visible(False)
    axes.set_yticks(levels, _names(figure, bars), fontsize=SIZE)
    for text, bar in zip(axes.get_yticklabels(), bars):
        text.set_fontweight("bold" if bar.bold else "normal")
    axes.tick_params(axis="y", length=0)
    against = node.states[1 - state]
    words = f"{short(node.states[state], 24)} : {short(against, 24)}"
    axes.set_xlabel(f"log ratio {words}, in nats  (← lowers · raises →)")
    for level, (bar, value) in enumerate(zip(bars, shown)):
        _number(axes, level, bar, value, edge)
    rests = [(bar.residual, bar.settled) for bar in bars[:-1]]
    draw_columns(axes, levels[:-1].tolist(), rests, record.tolerance)
    draw_remark(figure, record, node, total(heard), rests)
    return figure


def _for_state(record: Record, node: NodeInfo) -> int:
    """The state whose support is drawn: ``active``, else the one that leads."""
    if "active" in node.states:
        return node.states.index("active")
    beliefs = record.beliefs.get(node.name, {})
    return max(range(2), key=lambda state: beliefs.get(node.states[state], 0.0))


def _bars(heard: Sequence[Heard], state: int) -> list[_Bar]:
    """A bar for each message, one for the small ones together, and the sum."""
    bars = [
        _Bar(one.source, log_ratio(one.logs, state, 1 - state), one.residual, one.settled)
        for one in heard
    ]
    if len(bars) > ROWS:
        rest = bars[ROWS - 1 :]
        bars = bars[: ROWS - 1]
        with np.errstate(invalid="ignore"):
            small = float(np.sum([bar.ratio for bar in rest]))
        worst = max((b.residual for b in rest if not math.isnan(b.residual)), default=math.nan)
        late = max(bar.settled for bar in rest)
        bars.append(_Bar(f"{len(rest)} smaller ones", small, worst, late))
    logs = total(heard)
    label = f"sum: belief {probability(float(probabilities(logs)[state]))}"
    return [*bars, _Bar(label, log_ratio(logs, state, 1 - state), bold=True)]


def _names(figure: Figure, bars: Sequence[_Bar]) -> list[str]:
    return [style.fit(figure, short(bar.label, 80), SIZE, (LEFT - 0.35) * 72) for bar in bars]


def _limits(axes: Axes, bars: Sequence[_Bar]) -> float:
    """Set the limits so that numbers have room beside the bars; return the longest bar."""
    finite = [abs(bar.ratio) for bar in bars if math.isfinite(bar.ratio)]
    edge = max(finite, default=0.0) or 1.0
    if any(math.isinf(bar.ratio) for bar in bars):
        edge *= 1.15
    signs = [bar.ratio for bar in bars]
    low = -1.3 * edge if min(signs) < 0 else -0.12 * edge
    high = 1.3 * edge if max(signs) > 0 else 0.12 * edge
    axes.set_xlim(low, high)
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.xaxis.set_major_locator(MaxNLocator(7))
    axes.xaxis.grid(True, color=style.PALE, zorder=0)
    axes.set_axisbelow(True)
    return edge


def _number(axes: Axes, level: int, bar: _Bar, value: float, edge: float) -> None:
    """Write the log ratio beside its bar; an arrow head where the bar has no end."""
    right = bar.ratio >= 0
    if math.isinf(bar.ratio):
        color = SUM if bar.bold else RAISES if right else LOWERS
        axes.plot([value], [level], ">" if right else "<", color=color, ms=9, zorder=3)
    axes.annotate(
        nats(bar.ratio),
        (value, level),
        xytext=((10 if math.isinf(bar.ratio) else 4) * (1 if right else -1), 0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="center_baseline",
        size=SIZE,
        weight="bold" if bar.bold else "normal",
        gid="number",
    )
