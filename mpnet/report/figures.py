"""Figures of a run as pictures within a page: those it has no interactive form of."""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path
from typing import NamedTuple

from mpnet.plots import FIGURES, default_figures, draw, save
from mpnet.plots.wording import alt_text
from mpnet.record import Record

INTERACTIVE = frozenset(
    {
        *("convergence", "confidence", "heat", "multiples", "society"),
        *("beliefs", "messages", "residuals", "waterfall"),
    }
)
"""Figures whose content the page shows by itself."""
PLAIN = ("convergence", "society")
"""Figures for readers without scripts."""
HUGE = 3000
"""Nodes from which drawing every line would take long."""
LARGE = 300_000
"""Bytes from which a figure is a PNG rather than an SVG."""


class Picture(NamedTuple):
    """One figure: its name, what it shows, and itself as a ``data:`` URI."""

    name: str
    title: str
    uri: str


def pictures(record: Record, room: int) -> tuple[list[Picture], list[str]]:
    """Draw the figures that the page does not show by itself.

    Parameters
    ----------
    record : Record
        The run.
    room : int
        Bytes for all of them.

    Returns
    -------
    list of Picture, list of str
        What was drawn, and the names of those that there was no room for.

    """
    names = [name for name in default_figures(record) if name not in INTERACTIVE]
    return _within(record, names, room)


def plain_pictures(record: Record, room: int) -> list[Picture]:
    """Draw convergence and society for readers without scripts."""
    names = [name for name in PLAIN if name in default_figures(record)]
    if len(record.nodes) > HUGE:
        names = [name for name in names if name == "society"]
    return _within(record, names, room)[0]


def _within(record: Record, names: list[str], room: int) -> tuple[list[Picture], list[str]]:
    found, left_out = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            picture = _picture(record, name, Path(folder))
            if picture is None:
                continue
            if len(picture.uri) <= room:
                found.append(picture)
                room -= len(picture.uri)
            else:
                left_out.append(name)
    return found, left_out


def _picture(record: Record, name: str, folder: Path) -> Picture | None:
    figure = draw(name, record)
    if figure is None:
        return None
    png, svg = save(figure, folder / name, record)
    path, kind = (svg, "svg+xml") if svg.stat().st_size <= LARGE else (png, "png")
    content = base64.b64encode(path.read_bytes()).decode("ascii")
    title = FIGURES[name].rstrip(".")
    return Picture(name, title, f"data:image/{kind};base64,{content}")


def description(record: Record) -> str:
    """The run in words, for readers who can't see its pictures."""
    return alt_text(record)
