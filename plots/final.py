"""Final beliefs as bars, with the exact value as a tick and the prior as a hollow mark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.wording import probability, short, state_label
from mpnet.record import NodeInfo, Record

ROWS = 36


@dataclass(frozen=True)
class _Bar:
    label: str
    belief: float
    prior: float | None
    exact: float | None
    observed: bool
    asked: bool
    leads: bool


def draw_final(axes: Axes, record: Record) -> None:
    """Draw one bar per binary node and one per leading state of the others."""
    every = _bars(record)
    bars = _most_believed(every)
    places = np.arange(len(bars))
    slots = max(len(bars), 14)
    axes.set_ylim(slots - 0.4, -0.6)
    axes.set_xlim(0, 1)
    colors = ["#9A9A9A" if bar.observed else style.BLUE if bar.leads else "#A9CBE3" for bar in bars]
    axes.barh(places, [bar.belief for bar in bars], height=0.62, color=colors, zorder=2)
    _marks(axes, bars)
    figure = cast("Figure", axes.figure)
    axes.set_yticks(places, [style.fit(figure, bar.label, 7.5, 106) for bar in bars], fontsize=7.5)
    for text, bar in zip(axes.get_yticklabels(), bars):
        text.set_fontweight("bold" if bar.asked else "normal")
    for row, bar in enumerate(bars):
        axes.text(1.04, row, probability(bar.belief), size=7.5, va="center_baseline")
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.tick_params(axis="y", length=0)
    axes.xaxis.grid(True, color=style.PALE, zorder=0)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    note = f" ({len(bars)} highest of {len(every)})" if len(every) > len(bars) else ""
    axes.set_xlabel("belief at the end")
    _heading(axes, bars, note)


def _heading(axes: Axes, bars: list[_Bar], note: str) -> None:
    """Write the title and the key, at the same distance above a panel of any height."""
    key = [
        "bold: in question · grey: observed",
        *(["│ exact"] if any(bar.exact is not None for bar in bars) else []),
        "○ prior",
    ]
    for text, up, look in (
        (f"final beliefs{note}", 17, {"weight": "bold"}),
        (" · ".join(key), 4, {"size": 6.8, "color": style.GREY}),
    ):
        axes.annotate(
            text,
            (1.2, 1.0),
            xycoords="axes fraction",
            xytext=(0, up),
            textcoords="offset points",
            ha="right",
            va="bottom",
            **look,
        )


def _marks(axes: Axes, bars: list[_Bar]) -> None:
    exact = [(bar.exact, row) for row, bar in enumerate(bars) if bar.exact is not None]
    prior = [(bar.prior, row) for row, bar in enumerate(bars) if bar.prior is not None]
    if exact:
        at, rows = zip(*exact)
        low, high = [row - 0.43 for row in rows], [row + 0.43 for row in rows]
        axes.vlines(at, low, high, color="white", linewidth=2.8, zorder=3)
        axes.vlines(at, low, high, color="black", linewidth=1.6, zorder=3.5, clip_on=False)
    if prior:
        at, rows = zip(*prior)
        axes.plot(
            at,
            rows,
            "o",
            markerfacecolor="white",
            markeredgecolor="#333333",
            markeredgewidth=0.9,
            markersize=4.2,
            zorder=4,
            clip_on=False,
        )


def _bars(record: Record) -> list[_Bar]:
    """Bars of the nodes in question, then of the others, in the order of the scenario."""
    nodes = [node for node in record.nodes if record.beliefs.get(node.name)]
    nodes.sort(key=lambda node: (not node.in_question, bool(node.evidence)))
    return [bar for node in nodes for bar in _of_node(record, node)]


def _most_believed(bars: list[_Bar]) -> list[_Bar]:
    """All bars in their order, or the highest where there are too many: those asked about first."""
    if len(bars) <= ROWS:
        return bars
    return sorted(bars, key=lambda bar: (not bar.asked, bar.observed, -bar.belief))[:ROWS]


def _of_node(record: Record, node: NodeInfo) -> list[_Bar]:
    beliefs = record.beliefs[node.name]
    ranked = sorted(beliefs, key=lambda state: -beliefs[state])
    binary = len(beliefs) <= 2
    limit = 10 if node.kind == "choice" else 3
    states = ["active"] if binary and "active" in beliefs else ranked[: 1 if binary else limit]
    if node.evidence:
        states = states[:1]
    exact = (record.exact or {}).get(node.name, {})
    priors = dict(zip(node.states, node.prior))
    return [
        _Bar(
            label=state_label(node.name, short(state, 14), 22),
            belief=beliefs[state],
            prior=priors.get(state),
            exact=exact.get(state),
            observed=bool(node.evidence),
            asked=node.in_question,
            leads=beliefs[state] == beliefs[ranked[0]],
        )
        for state in states
    ]
