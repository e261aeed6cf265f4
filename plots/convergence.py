"""How a run came to rest: one run over its iterations, and where it ended."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mpnet.plots import panels, style
from mpnet.plots.columns import row_edges, thinned
from mpnet.plots.contents import has_content
from mpnet.plots.final import draw_final
from mpnet.plots.lane import draw_lane, lane_height
from mpnet.plots.log_z import draw_log_z
from mpnet.plots.overtakes import with_overtakes
from mpnet.plots.series import belief_series, converged_at
from mpnet.plots.style import place
from mpnet.plots.wording import ordinal, power, short, short_edge
from mpnet.record import Record
from mpnet.trace import FloatArray

WIDTH = 12.0
LEFT, COLUMN = 1.45, 5.2
BELIEFS, RESIDUAL, LOG_Z, MESSAGES = 2.55, 1.2, 1.0, 2.0
GAP, LANE_GAP, TOP, BOTTOM = 0.22, 0.16, 0.72, 0.75


@style.context()
def draw(record: Record) -> Figure | None:
    """Draw the beliefs, the residual, log Z and the messages over the iterations."""
    if not has_content("convergence", record):
        return None
    record = thinned(with_overtakes(record))
    messages = MESSAGES if record.trace.messages else 0.0
    lane = lane_height(record)
    heights = [BELIEFS, RESIDUAL, LOG_Z, *([messages] if messages else [])]
    height = TOP + lane + LANE_GAP + sum(heights) + GAP * (len(heights) - 1) + BOTTOM
    figure = style.new_figure(record, " · ".join(_title(record)), (WIDTH, height))
    bottom = height - TOP - lane
    draw_lane(place(figure, LEFT, bottom, COLUMN, lane), record)
    bottom += GAP - LANE_GAP
    column = []
    for size in heights:
        bottom -= size + GAP
        column.append(place(figure, LEFT, bottom, COLUMN, size))
    _fill(column, record)
    draw_final(place(figure, 9.85, BOTTOM, 1.45, height - TOP - BOTTOM - 0.36), record)
    return figure


def _title(record: Record) -> list[str]:
    """The figure's name, the estimator, and how the run ended."""
    done = converged_at(record)
    if done is not None:
        ended = f"converged at {done}"
    else:
        ended = f"{record.status.replace('_', ' ')} after {record.iterations}"
    return ["convergence", short(record.estimator), ended]


def _fill(column: list[Axes], record: Record) -> None:
    """Fill the panels of the left column."""
    for axes in column:
        panels.iteration_axis(axes, record, last=axes is column[-1])
    for axes in column[:3]:
        panels.shade(axes, record)
    name = panels.beliefs(column[0], record, belief_series(record))
    panels.residual(column[1], record)
    draw_log_z(column[2], record)
    names = (name, "undamped\nresidual (nats)", "Bethe log Z\n(nats)")
    for axes, label in zip(column, names):
        panels.side_label(axes, label, 0.5)
    if len(column) == 4:
        _messages(column[3], record)


def _messages(axes: Axes, record: Record) -> None:
    """Residual of each message at each iteration, slowest first."""
    values = record.trace.message_residual.astype(np.float64).T
    low, high = panels.log_limits(values, record.tolerance) or (-6.0, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        levels = np.log10(values)
    levels = np.ma.masked_invalid(np.where(np.isinf(levels), np.clip(levels, low, high), levels))
    count = len(values)
    edges = np.arange(count + 1) - 0.5
    image = axes.pcolormesh(
        row_edges(record),
        edges,
        levels,
        cmap="cividis",
        vmin=low,
        vmax=high,
        zorder=1,
        rasterized=True,
        linewidth=0,
    )
    axes.set_ylim(count - 0.5, -0.5)
    for at in panels.event_marks(record):
        line = axes.axvline(at, color="white", linewidth=0.8, linestyle=(0, (4, 3)), zorder=2)
        style.keep_colors(line)
    step = max(1, -(-count * 8 // int(MESSAGES * 72)))
    labels = [short_edge(name, 22) for name in record.trace.messages[::step]]
    axes.set_yticks(range(0, count, step), labels, fontsize=6.2)
    axes.tick_params(axis="y", length=2, pad=2)
    named = f", every {ordinal(step)} named" if step > 1 else ""
    if np.ma.getmaskarray(levels).any():
        named += "; blank: not sent"
    panels.corner(axes, f"{count} messages, slowest first{named}")
    _color_bar(axes, image.get_cmap()(np.linspace(0, 1, 128)), (low, high))


def _color_bar(axes: Axes, colors: FloatArray, limits: tuple[float, float]) -> None:
    box = axes.get_position()
    figure = axes.figure
    bar = figure.add_axes((box.x1 + 0.012, box.y0, 0.011, box.height))
    bar.imshow(colors[:, None, :], aspect="auto", origin="lower", extent=(0, 1, *limits))
    bar.set_xticks([])
    ticks = panels.decades(*limits)
    bar.set_yticks(ticks, [power(tick) for tick in ticks], fontsize=7)
    bar.yaxis.tick_right()
    bar.yaxis.set_label_position("right")
    bar.set_ylabel("residual of a message (nats)", fontsize=7.5)
