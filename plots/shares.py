"""Shares of log-odds as rows of a figure: which explanations, which rows, in what words and colours."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mpnet.explanation import Explanation, Share
from mpnet.plots import style
from mpnet.plots.wording import nats, short
from mpnet.record import Record

SUPPORT, PROTEST = style.BLUE, style.ORANGE
NAMED = 3
"""Names in a row, at most."""
HATCH = "////"
SMALL = 0.005
"""Nats that can't be seen."""
TITLE = 8.8
BOLD = 1.14
"""Width of bold letters, by that of others."""
LINE = 0.155
"""Inches from one line of a panel's title to the next."""


@dataclass(frozen=True)
class Row:
    """One bar: its name, nats, colour, and whether it is hatched."""

    name: str
    nats: float
    color: str
    hatched: bool = False

    @property
    def ink(self) -> str:
        """The colour of its number."""
        return style.INK.get(self.color, style.TEXT)


def row_of(share: Share) -> Row:
    """A share as a bar."""
    color = SUPPORT if share.nats >= 0 else PROTEST
    if share.kind == "estimator":
        color = style.FAINT
    return Row(_name(share), share.nats, color, share.kind == "together")


def rows_of(shares: list[Share], most: int) -> list[Row]:
    """Shares as bars; those too small to see, and the smallest of too many, as one."""
    ranked = sorted(
        range(len(shares)), key=lambda i: (shares[i].kind != "prior", -abs(shares[i].nats), i)
    )
    seen = [i for i in ranked if abs(shares[i].nats) >= SMALL or shares[i].kind == "prior"]
    kept = ranked if len(ranked) <= min(most, len(seen) + 1) else seen[: most - 1]
    rows = [row_of(shares[i]) for i in sorted(kept)]
    if len(kept) == len(ranked):
        return rows
    rest = math.fsum(shares[i].nats for i in ranked if i not in set(kept))
    color = SUPPORT if rest >= 0 else PROTEST
    lump = Row(f"{len(ranked) - len(kept)} smaller shares", rest, color, True)
    return [*rows, lump]


def interesting(record: Record, most: int) -> list[Explanation]:
    """Explanations in which others have most to say, in the order of the record."""
    found = [e for e in record.explanations if e.shares]
    ranked = sorted(range(len(found)), key=lambda i: (-_interest(found[i]), i))
    return [found[i] for i in sorted(ranked[:most])]


def title_lines(found: Explanation, inches: float) -> list[str]:
    """The headline of a panel in at most two lines."""
    width = max(20, int(inches * 72 / (0.56 * TITLE)))
    text = short(found.headline, 2 * width - 6).replace(" nats", "\N{NO-BREAK SPACE}nats")
    return textwrap.wrap(text, width, max_lines=2, placeholder=" …", break_long_words=True)


def write_title(axes: Axes, lines: list[str], room: float, above: float, inches: float) -> None:
    """Write the title of a panel from the left end of its row names.

    Parameters
    ----------
    axes : Axes
        The panel.
    lines : list of str
        Of the title.
    room : float
        Width of the row names, in points.
    above : float
        Inches from the axes to the lowest line.
    inches : float
        Width that a line may have.

    """
    figure = cast("Figure", axes.figure)
    for number, line in enumerate(reversed(lines)):
        axes.annotate(
            style.fit(figure, line, BOLD * TITLE, 72 * inches),
            (0.0, 1.0),
            xycoords="axes fraction",
            xytext=(-room, 72 * (above + LINE * number)),
            textcoords="offset points",
            size=TITLE,
            weight="bold",
            va="bottom",
            annotation_clip=False,
            gid="shares-title",
        )


def name_rows(axes: Axes, rows: list[Row], room: float) -> None:
    """Rows from the top, with the names of the bars on the left."""
    figure = cast("Figure", axes.figure)
    axes.set_ylim(len(rows) - 0.45, -0.55)
    axes.set_yticks(range(len(rows)), [style.fit(figure, r.name, 8, room - 8) for r in rows])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def write_number(axes: Axes, at: float, row: int, about: Row, left: bool) -> None:
    """Write the nats of a bar at its end."""
    small = 0.0 < abs(about.nats) < SMALL
    axes.annotate(
        "≈0" if small else nats(about.nats),
        (at, row),
        xytext=(-4 if left else 4, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center_baseline",
        size=7.8,
        color=about.ink,
        gid="shares-number",
        zorder=5,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3},
    )


def draw_bar(axes: Axes, row: int, start: float, end: float, about: Row) -> None:
    """One bar, hatched where several speak together."""
    axes.barh(
        row,
        end - start,
        left=start,
        height=0.66,
        facecolor="white" if about.hatched else about.color,
        edgecolor=about.color,
        hatch=HATCH if about.hatched else None,
        linewidth=0.8,
        zorder=2,
    )


def write_key(figure: Figure, more: str = "") -> None:
    """What the bars mean, above the footer."""
    width, height = (float(v) for v in figure.get_size_inches())
    text = f"blue supports, orange protests, hatched: several together{more}"
    figure.text(
        0.25 / width, 0.3 / height, text, size=8, color=style.TEXT, va="bottom", gid="shares-key"
    )


def _name(share: Share) -> str:
    if share.kind in ("prior", "estimator"):
        return share.kind
    if share.kind == "evidence" and share.text:
        return short(share.text, 80)
    if share.text.endswith(" others"):
        return short(share.text, 80)
    names = [short(name, 40) for name in share.names[:NAMED]]
    more = len(share.names) - len(names)
    return " + ".join(names) + (f" + {more} more" if more else "")


def _interest(found: Explanation) -> float:
    """How much is said besides the prior, in nats; what is forced comes last."""
    spoken = [abs(s.nats) for s in found.shares if s.kind not in ("prior", "estimator")]
    return math.fsum(spoken) if all(map(math.isfinite, spoken)) else -1.0
