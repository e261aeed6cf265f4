"""One page from one record: its parts are made, fitted into a number of bytes, and put together."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from mpnet.errors import UsageError, shown
from mpnet.record import Record
from mpnet.report import advice, figures, tables
from mpnet.report.choosing import NODES, Chosen, choose
from mpnet.report.data import page_data, said_of_rows
from mpnet.report.packing import script_json, words
from mpnet.report.sources import Sources, downloads, excerpt, filled_in

MEGABYTE = 1_000_000
SCRIPTS = ("core.js", "charts.js", "heat.js", "panels.js", "player.js")
ABOUT = 2000
"""Characters of the description, at most."""
ROWS = 2000
"""Iterations on a page, at most, however much room there is."""
FIGURES = 0.35
"""Share of the room for pictures, beside scrubbing."""


@dataclass(frozen=True)
class Page:
    """A page, and what was left out of it for lack of room, a sentence each."""

    html: str
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class _Parts:
    """What does not change while a page is fitted."""

    record: Record
    sources: Sources
    pictures: list[figures.Picture]
    plain: list[figures.Picture]
    unpictured: list[str]


def build_page(record: Record, sources: Sources, max_bytes: int) -> Page:
    """Build a page of at most ``max_bytes`` bytes.

    Parameters
    ----------
    record : Record
        The run.
    sources : Sources
        Its scenario.
    max_bytes : int
        Largest size. Iterations, then nodes, are left out until the page fits, and it says so.

    Raises
    ------
    UsageError
        If not even a page of a few nodes fits; the message says what would.

    """
    room = max_bytes - len(_library()) - len(_script()) - len(_style())
    drawn, unpictured = figures.pictures(record, int(max(0, room) * FIGURES))
    plain = figures.plain_pictures(record, int(max(0, room) * FIGURES / 2))
    parts = _Parts(record, sources, drawn, plain, unpictured)
    nodes, rows, needed = NODES, ROWS, 0
    while nodes >= 10:
        page = _render(parts, choose(record, nodes), rows)
        size = needed = len(page.html.encode())
        if size <= max_bytes:
            return page
        rows, nodes = (rows // 2, nodes) if rows > 40 else (ROWS, nodes // 2)
        rows = min(rows, max(2, record.trace.iterations.size))
    raise UsageError(
        f"a page of this run needs {needed / MEGABYTE:.1f} MB, more than "
        f"{max_bytes / MEGABYTE:g} MB; give --max-size {needed / MEGABYTE + 0.5:.0f}"
    )


def _render(parts: _Parts, chosen: Chosen, most_rows: int) -> Page:
    record = parts.record
    data = page_data(record, chosen, most_rows)
    left_out = [
        text for text in (chosen.text, said_of_rows(record, len(data["iterations"]))) if text
    ]
    if parts.unpictured:
        names = ", ".join(parts.unpictured)
        left_out.append(f"there was no room for the figures {names} (mpnet plot draws them)")
    html = _template().render(
        **_context(parts, chosen),
        data=Markup(script_json(data)),  # noqa: S704 - JSON without <, > and &
        library=Markup(_library()),  # noqa: S704 - plotly.js, held to have no end of script
        script=Markup(_script()),  # noqa: S704 - this package's own
        style=Markup(_style()),  # noqa: S704 - this package's own
        policy=_policy(),
        left_out=[text[0].upper() + text[1:] for text in left_out],
    )
    return Page(html, tuple(left_out))


def _context(parts: _Parts, chosen: Chosen) -> dict[str, Any]:
    record, found = parts.record, parts.record.findings
    written, written_cut = excerpt(parts.sources.written)
    resolved, resolved_cut = excerpt(parts.sources.resolved)
    return {
        "title": words(record.scenario),
        "about": shown(record.description, ABOUT),
        "summary": tables.summary(record),
        "description": figures.description(record),
        "followed": record.trace.iterations.size > 0 and bool(record.trace.nodes),
        "beliefs": tables.belief_rows(record, chosen),
        "believed": len(record.beliefs),
        "events": tables.event_rows(record),
        "event_count": len(record.events),
        "phases": tables.phase_rows(record),
        "advice": advice.findings(record),
        "met": [(words(e.text), e.met, words(e.got)) for e in record.expectations],
        "notes": [words(note) for note in found.notes] if found else [],
        "measured": tables.measured({**(found.numbers if found else {}), **record.numbers}),
        "batch": record.batch,
        "errors": [
            (words(case), words(truth), words(winner), f"{belief:.3f}")
            for case, truth, winner, belief in (record.batch.errors[:20] if record.batch else ())
        ],
        "predictions": tables.prediction_rows(record),
        "prediction_count": len(record.predictions),
        "compiled": [words(text) for text in record.compiled],
        "pictures": parts.pictures,
        "plain": parts.plain,
        "written": written,
        "written_cut": written_cut,
        "resolved": resolved,
        "resolved_cut": resolved_cut,
        "filled": filled_in(parts.sources),
        "environment": {"seed": record.seed, **dict(sorted(record.environment.items()))},
        "downloads": downloads(record, parts.sources),
    }


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mpnet.report", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")


@cache
def _library() -> str:
    """Plotly's script, as its package ships it."""
    from plotly.offline import get_plotlyjs

    return _sealed(str(get_plotlyjs()))


@cache
def _script() -> str:
    parts = (files("mpnet.report").joinpath(name).read_text(encoding="utf-8") for name in SCRIPTS)
    return _sealed('"use strict";\n(() => {\n' + "\n".join(parts) + "\n})();\n")


@cache
def _style() -> str:
    return files("mpnet.report").joinpath("page.css").read_text(encoding="utf-8")


def _sealed(script: str) -> str:
    """A script that can stand within a page: it must not hold the end of its own element.

    Browsers read every end of line as one character, and hash what they read.
    """
    script = script.replace("\r\n", "\n").replace("\r", "\n")
    lowered = script.lower()
    if "</script" in lowered or "<!--" in lowered:
        raise ValueError("a script that ends its own element can't be put into a page")
    return script


def _policy() -> str:
    """What the page may do: run these two scripts, style itself, show pictures that it carries."""
    hashes = " ".join(_hash(script) for script in (_library(), _script()))
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
