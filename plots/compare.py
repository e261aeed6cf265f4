"""Runs side by side: the beliefs that differ most, over the iterations and in the end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator, ScalarFormatter

from mpnet.comparing import Comparison, Side
from mpnet.plots import panels, style
from mpnet.plots.files import save_described
from mpnet.plots.series import Dash, asked_nodes
from mpnet.plots.wording import power, probability, short, state_label
from mpnet.record import Record
from mpnet.trace import FloatArray

PANELS, ROWS, KEYS = 6, 20, 7
"""Nodes whose curves are drawn, nodes in the list, and runs with a colour of their own."""
WIDTH, LEFT, CELL, TALL, ACROSS, DOWN = 12.0, 0.75, 2.75, 1.35, 0.5, 0.42
RESIDUAL, BOTTOM, LINE = 1.35, 0.72, 0.2
LIST, LIST_WIDTH = 8.5, 2.65
MARKERS = "osD^vPX"
COLORS = (
    style.BLUE,
    style.ORANGE,
    style.GREEN,
    style.PINK,
    style.SKY,
    style.VERMILLION,
    style.BLACK,
)


@dataclass(frozen=True)
class Hand:
    """One run as it is drawn everywhere."""

    side: Side
    color: str
    dash: Dash
    marker: str

    @property
    def record(self) -> Record:
        """Its record."""
        return self.side.record


@style.context()
def draw(sides: Sequence[Side], comparisons: Sequence[Comparison]) -> Figure:
    """Draw at least two runs beside each other.

    Parameters
    ----------
    sides : sequence of Side
        The runs, the first of which the others are compared with.
    comparisons : sequence of Comparison
        What differs in each of the others.

    """
    hands = [_hand(side, number) for number, side in enumerate(sides)]
    rows = _rows(sides, comparisons)
    cells = min(PANELS, len(rows))
    tiers = max(1, math.ceil(cells / 2))
    top = 0.5 + LINE * (len(hands) + 1)
    height = max(
        top + tiers * (TALL + DOWN) + 0.2 + RESIDUAL + BOTTOM, top + 0.9 + 0.26 * len(rows)
    )
    figure = _sheet(sides, (WIDTH, height))
    _key(figure, hands, height)
    last = max(hand.record.trace.last for hand in hands)
    for number, (node, state) in enumerate(rows[:cells]):
        across, down = number % 2, number // 2
        bottom = height - top - (down + 1) * TALL - down * DOWN
        axes = style.place(figure, LEFT + across * (CELL + ACROSS), bottom, CELL, TALL)
        _curves(axes, hands, node, state)
        axes.tick_params(labelleft=across == 0 or axes.get_yscale() == "logit")
        _iterations(axes, hands, last)
    _residuals(style.place(figure, LEFT, BOTTOM, 2 * CELL + ACROSS, RESIDUAL), hands, last)
    size = min(0.26 * max(len(rows), 1) + 0.2, height - top - BOTTOM)
    _list(
        style.place(figure, LIST, height - top - size, LIST_WIDTH, size), hands, rows, comparisons
    )
    return figure


def save(
    figure: Figure, path_stem: Path, comparisons: Sequence[Comparison], formats: Sequence[str]
) -> list[Path]:
    """Write the figure as ``path_stem.png``, ... with a description in words; see ``plots.save``."""
    title = str(figure.get_label())
    return save_described(figure, path_stem, (title, alt_text(comparisons)), formats)


def alt_text(comparisons: Sequence[Comparison]) -> str:
    """What the figure shows, in words."""
    return " ".join(_sentence(comparison) for comparison in comparisons)


def _sentence(found: Comparison) -> str:
    pair = f"{short(found.before, 60)} and {short(found.after, 60)}"
    if found.silent:
        return f"{pair}: {short(found.silent[0], 60)} has no beliefs."
    if not found.differing:
        return f"{pair}: no belief differs by more than {found.tolerance:g}."
    said = []
    for belief in found.differing[:5]:
        before, after = (b.get(belief.moved, 0.0) for b in (belief.before, belief.after))
        name = state_label(belief.node, belief.moved, 40)
        said.append(f"{name} {probability(before)} to {probability(after)}")
    count = len(found.differing)
    return (
        f"{pair}: {count} belief{'s differ' if count > 1 else ' differs'}, most {'; '.join(said)}."
    )


def _hand(side: Side, number: int) -> Hand:
    if number < KEYS:
        return Hand(side, COLORS[number], style.DASHES[number], MARKERS[number])
    return Hand(side, style.FAINT, style.DASHES[0], ".")


def _rows(sides: Sequence[Side], comparisons: Sequence[Comparison]) -> list[tuple[str, str]]:
    """Nodes and the state of each to show: those that differ most, else those in question."""
    found: dict[str, tuple[float, str]] = {}
    for comparison in comparisons:
        for belief in comparison.differing:
            if belief.total_variation > found.get(belief.node, (0.0, ""))[0]:
                found[belief.node] = belief.total_variation, belief.moved
    if not found:
        believing = next((s.record for s in sides if s.record.beliefs), sides[0].record)
        return _asked(believing)[:PANELS]
    ranked = sorted(found, key=lambda node: (-found[node][0], node))
    return [(node, found[node][1]) for node in ranked[:ROWS]]


def _asked(record: Record) -> list[tuple[str, str]]:
    nodes = [node for node in asked_nodes(record) if node.name in record.beliefs]
    beliefs = record.beliefs
    return [
        (
            n.name,
            "active" if "active" in n.states else max(n.states, key=beliefs[n.name].__getitem__),
        )
        for n in nodes
    ]


def _sheet(sides: Sequence[Side], size: tuple[float, float]) -> Figure:
    figure = Figure(figsize=size, dpi=style.DPI, facecolor="white")
    FigureCanvasAgg(figure)
    names = [short(side.label, 40) for side in sides]
    title = " vs ".join(names) if len(names) <= 3 else f"{names[0]} vs {len(names) - 1} others"
    figure.set_label(f"{title} · compare")
    room = (size[0] - 0.5) * 72
    figure.text(
        0.25 / size[0],
        1 - 0.14 / size[1],
        style.fit(figure, f"{title} · what differs", 12, room * 0.92),
        size=12,
        weight="bold",
        va="top",
    )
    marks = [
        f"{short(s.label, 24)} sha256 {s.record.environment.get('scenario_sha256', '')[:12]}"
        for s in sides
    ]
    footer = style.fit(figure, " · ".join(marks), 6.5, room)
    figure.text(0.25 / size[0], 0.09 / size[1], footer, size=6.5, color=style.GREY, va="bottom")
    return figure


def _key(figure: Figure, hands: Sequence[Hand], height: float) -> None:
    """One line a run: its colour, dash and marker, and how it ended."""
    axes = style.place(
        figure, 0.25, height - 0.42 - LINE * len(hands), WIDTH - 0.5, LINE * len(hands)
    )
    style.bare(axes)
    axes.set(xlim=(0, WIDTH - 0.5), ylim=(len(hands) - 0.5, -0.5))
    for row, hand in enumerate(hands):
        axes.plot([0, 0.5], [row, row], color=hand.color, linestyle=hand.dash, linewidth=2)
        axes.plot([0.25], [row], hand.marker, color=hand.color, markersize=6)
        record = hand.record
        log_z = "" if record.log_z is None else f", log Z {record.log_z:.4f} nats"
        damping = f"damping {record.damping:g}"
        how = " · ".join([short(record.estimator), short(record.schedule), damping])
        end = f"{record.status} after {record.iterations} iterations{log_z}"
        text = style.fit(figure, f"{short(hand.side.label, 60)}   {how}   {end}", 8.5, 640)
        ink = style.INK.get(hand.color, style.TEXT)
        axes.text(0.62, row, text, color=ink, va="center_baseline", gid="key")

    remark = "dotted: exact · ×: not converged"
    axes.text(WIDTH - 0.5, 0, remark, size=7, color=style.GREY, ha="right", va="center", gid="key")


def _curves(axes: Axes, hands: Sequence[Hand], node: str, state: str) -> None:
    """Belief in one state over the iterations, one line a run; its marker is the final belief."""
    shown: list[FloatArray] = []
    for rank, hand in enumerate(hands):
        values = _belief(hand.record, node, state)
        if values is None:
            continue
        where, final = hand.record.trace.iterations, hand.record.beliefs.get(node, {}).get(state)
        end = float(values[-1]) if final is None else final
        look: dict[str, Any] = {"color": hand.color, "zorder": 3 + rank / 99}
        axes.plot(where, values, linestyle=hand.dash, linewidth=1.6, **look)
        axes.plot([where[-1]] * 2, [values[-1], end], linewidth=0.8, **look)
        mark = hand.marker if hand.record.status == "converged" else "x"
        axes.plot(where[-1:], [end], mark, markersize=5, clip_on=False, **look)
        shown += [values, np.array([end])]
    known = [(hand.record.exact or {}).get(node, {}).get(state) for hand in hands]
    for exact, color in _distinct(known, hands):
        axes.axhline(exact, color=color, linestyle=style.DOTTED, linewidth=1.2, zorder=2)
        shown.append(np.array([exact]))
    axes.set_ylim(-0.03, 1.03)
    _stretch(axes, "y", shown)
    axes.set_title(state_label(node, state, 44), pad=4)


def _distinct(known: Sequence[float | None], hands: Sequence[Hand]) -> list[tuple[float, str]]:
    """Each exact value with the colour of its run; black where several runs share it."""
    found: dict[float, str] = {}
    for value, hand in zip(known, hands):
        if value is not None:
            key = round(value, 9)
            found[key] = style.BLACK if key in found else hand.color
    return list(found.items())


def _stretch(axes: Axes, which: Literal["x", "y"], shown: Sequence[FloatArray]) -> None:
    """Show log-odds where all probabilities are rare, or all near certain."""
    every = np.concatenate(shown) if shown else np.zeros(0)
    every = every[np.isfinite(every)]
    if not every.size or every.min() <= 0.0 or every.max() >= 1.0:
        return
    if every.max() >= 0.1 and every.min() <= 0.9:
        return
    low, high = np.log(every.min() / (1 - every.min())), np.log(every.max() / (1 - every.max()))
    pad = max(0.15 * (high - low), 0.3)
    ends = [float(1 / (1 + np.exp(-v))) for v in (low - pad, high + pad)]
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xscale if which == "x" else axes.set_yscale)("logit")
    (axes.set_xlim if which == "x" else axes.set_ylim)(*ends)
    inside = [tick for tick in _TICKS if ends[0] <= tick <= ends[1]]
    axis.set_major_locator(FixedLocator(inside[:: max(1, -(-len(inside) // 6))]))
    axis.set_major_formatter(FuncFormatter(_tick))
    axis.set_minor_locator(NullLocator())
    axes.tick_params(axis=which, labelsize=6.5)


_RARE = [digit * 10.0**-power for power in range(14, 0, -1) for digit in (1, 2, 5)]
_TICKS = [*_RARE, *(1 - rare for rare in reversed(_RARE))]


def _tick(value: float, _: object) -> str:
    return f"{value:.2g}" if value < 0.5 else f"{value:.12g}"


def _belief(record: Record, node: str, state: str) -> FloatArray | None:
    trace = record.trace
    if node not in trace.nodes or not trace.iterations.size:
        return None
    if state not in trace.states[trace.nodes.index(node)]:
        return None
    return trace.belief(node, state)


def _iterations(axes: Axes, hands: Sequence[Hand], last: int) -> None:
    """The axis of iterations; logarithmic after the first where one run is much longer."""
    shortest = min((n for n in (hand.record.trace.last for hand in hands) if n > 0), default=0)
    if last > 10 * max(shortest, 10):
        axes.set_xscale("symlog", linthresh=max(shortest, 10), linscale=2)
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7, min_n_ticks=1))
    axes.set_xlim(-0.02 * max(last, 1), 1.02 * max(last, 1))


def _residuals(axes: Axes, hands: Sequence[Hand], last: int) -> None:
    """Undamped residual of every run on one logarithmic axis."""
    every = [hand.record.trace.residual for hand in hands]
    tolerances = [hand.record.tolerance for hand in hands]
    limits = panels.log_limits(np.concatenate(every), *tolerances) or (-6.0, 0.0)
    axes.set_ylim(limits[0] - 0.3, limits[1] + 0.3)
    axes.yaxis.set_major_locator(FixedLocator(panels.decades(*limits)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: power(value)))
    for hand, values in zip(hands, every):
        with np.errstate(divide="ignore", invalid="ignore"):
            levels = np.clip(np.log10(values), *axes.get_ylim())
        where = hand.record.trace.iterations
        axes.plot(where, levels, color=hand.color, linestyle=hand.dash, linewidth=1.4, zorder=3)
        mark = hand.marker if hand.record.status == "converged" else "x"
        axes.plot(
            where[-1:], levels[-1:], mark, color=hand.color, markersize=5, zorder=4, clip_on=False
        )
    for tolerance in sorted(set(tolerances)):
        if tolerance > 0:
            axes.axhline(math.log10(tolerance), color=style.GREY, linewidth=0.8, zorder=1)
    axes.set_title("undamped residual (nats); grey: tolerance", pad=4)
    axes.set_xlabel("iteration")
    _iterations(axes, hands, last)


def _list(
    axes: Axes,
    hands: Sequence[Hand],
    rows: Sequence[tuple[str, str]],
    comparisons: Sequence[Comparison],
) -> None:
    """Final beliefs as dots on one line a node, and the total variation beside."""
    figure = cast("Figure", axes.figure)
    apart = _apart(comparisons)
    axes.set(xlim=(-0.03, 1.03), ylim=(max(len(rows), 1) - 0.5, -0.5))
    for row, (node, state) in enumerate(rows):
        values = [hand.record.beliefs.get(node, {}).get(state) for hand in hands]
        known = [value for value in values if value is not None]
        if known:
            axes.plot(
                [min(known), max(known)], [row, row], color=style.FAINT, linewidth=2.5, zorder=1
            )
        for rank, (hand, value) in enumerate(zip(hands, values)):
            if value is not None:
                axes.plot(
                    value,
                    row,
                    hand.marker,
                    color=hand.color,
                    markersize=max(4, 8 - 1.5 * rank),
                    zorder=3 + rank / 99,
                )
        text = "" if node not in apart else f"{apart[node]:.2g}"
        place: dict[str, Any] = {"va": "center", "transform": axes.get_yaxis_transform()}
        axes.text(1.06, row, text, size=7.5, color=style.GREY, gid="apart", **place)
    names = [style.fit(figure, state_label(n, s, 40), 8, 110) for n, s in rows]
    axes.set_yticks(range(len(rows)), names)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    ends = [hand.record.beliefs.get(node, {}).get(state) for node, state in rows for hand in hands]
    _stretch(axes, "x", [np.array([end]) for end in ends if end is not None])
    stretched = " (log-odds scale)" if axes.get_xscale() == "logit" else ""
    axes.set_xlabel(f"belief in the end{stretched}")
    axes.set_title(_list_title(comparisons, len(rows)), pad=6, loc="right", size=8)


def _list_title(comparisons: Sequence[Comparison], rows: int) -> str:
    count = len({belief.node for c in comparisons for belief in c.differing})
    if not count and comparisons[0].silent:
        return f"{short(comparisons[0].silent[0], 40)} has no beliefs"
    if not count:
        return f"no belief differs by more than {comparisons[0].tolerance:g}"
    more = f", the {rows} that differ most" if count > rows else ""
    said = "1 node differs" if count == 1 else f"{count} nodes differ"
    return f"{said}{more}; right: total variation"


def _apart(comparisons: Sequence[Comparison]) -> dict[str, float]:
    found: dict[str, float] = {}
    for comparison in comparisons:
        for belief in comparison.differing:
            found[belief.node] = max(belief.total_variation, found.get(belief.node, 0.0))
    return found
