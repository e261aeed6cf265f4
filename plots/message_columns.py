"""How far each message has come to rest: two columns beside the messages, and a remark above."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mpnet.plots import style
from mpnet.plots.heard import probabilities
from mpnet.plots.wording import nats, power, probability, short
from mpnet.record import NodeInfo, Record
from mpnet.trace import FloatArray

Rest = tuple[float, int]
"""Residual of a message in nats, NaN where it was not sent, and when it settled."""
FIRST, SECOND = 0.6, 1.43
"""Middle of each column, in inches right of the axes."""


def draw_columns(
    axes: Axes, levels: Sequence[float], rests: Sequence[Rest], tolerance: float
) -> None:
    """Write the residual of each message and the iteration at which it settled."""
    figure = axes.get_figure()
    assert isinstance(figure, Figure)  # noqa: S101 - for the type checker
    inches = axes.get_position().width * float(figure.get_figwidth())
    for inch, head in ((FIRST, "residual (nats)"), (SECOND, "settled at")):
        axes.annotate(
            head,
            (1 + inch / inches, 1),
            xytext=(0, 3),
            xycoords="axes fraction",
            textcoords="offset points",
            size=7,
            ha="center",
            color=style.GREY,
            gid="number",
        )
    for level, rest in zip(levels, rests):
        color = style.INK[style.VERMILLION] if rest[0] > tolerance else style.TEXT
        for inch, text in ((FIRST, _residual(rest[0])), (SECOND, _settled(rest, tolerance))):
            axes.text(
                1 + inch / inches,
                level,
                text,
                transform=axes.get_yaxis_transform(),
                size=7.2,
                ha="center",
                va="center_baseline",
                color=color,
                gid="number",
            )


def _residual(value: float) -> str:
    if math.isnan(value):
        return "–"
    if value < 1e-300 or math.isinf(value):
        return nats(value, sign=False)
    if 0.01 <= value < 1000:
        return f"{value:.2g}"
    digit, exponent = f"{value:.0e}".split("e")
    return f"{digit}·{power(int(exponent))}"


def _settled(rest: Rest, tolerance: float) -> str:
    if math.isnan(rest[0]):
        return "–"
    return "not yet" if rest[0] > tolerance else str(rest[1])


def draw_remark(
    figure: Figure, record: Record, node: NodeInfo, logs: FloatArray, rests: Sequence[Rest]
) -> None:
    """Say what a dash means, and where the run believes otherwise than its messages."""
    said = ["–: known from the start, not sent"] if any(np.isnan(r[0]) for r in rests) else []
    beliefs = record.beliefs.get(node.name, {})
    ran = np.array([beliefs.get(state, math.nan) for state in node.states])
    off = np.abs(ran - probabilities(logs))
    if np.isfinite(off).all() and off.max(initial=0.0) > 0.005:
        state = int(off.argmax())
        said.append(
            f"the estimator {short(record.estimator)} believes "
            f"{short(node.states[state], 24)} {probability(float(ran[state]))}, "
            f"these messages {probability(float(probabilities(logs)[state]))}"
        )
    width, height = (float(v) for v in figure.get_size_inches())
    text = style.fit(figure, " · ".join(said), 7.5, (width - 0.5) * 72)
    figure.text(0.25 / width, 1 - 0.68 / height, text, size=7.5, color=style.GREY, va="center")
