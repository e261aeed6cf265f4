"""The scenario of a run as text, and what a page offers to take away."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from mpnet.errors import OutputError, dotted, shown
from mpnet.record import Record
from mpnet.runs import dump_json

SHOWN = 60_000
"""Characters of a scenario on a page, at most."""
LARGEST = 400_000
"""Bytes of one file to take away, at most."""
FILLED = 80
"""Settings in the list of defaults, at most."""
WALKED = 20_000
"""Values that are compared to find defaults, at most."""


@dataclass(frozen=True)
class Sources:
    """What was run: the text as written, and with every default filled in; may be empty."""

    written: str = ""
    resolved: str = ""


class Download(NamedTuple):
    """A file within the page."""

    name: str
    what: str
    uri: str


def read_sources(folder: Path) -> Sources:
    """Read the scenario of a run folder; what is missing is empty.

    Raises
    ------
    OutputError
        If a file is there and can't be read.

    """

    def read(name: str) -> str:
        path = folder / name
        try:
            return path.read_text(encoding="utf-8") if path.exists() else ""
        except (OSError, ValueError) as error:
            raise OutputError(f"{path} can't be read ({error})") from error

    return Sources(read("scenario.yaml"), read("resolved.yaml"))


def excerpt(text: str) -> tuple[str, bool]:
    """A text as a page shows it, line by line without control characters; and whether it was cut."""
    lines = (shown(line, 2000) for line in text[:SHOWN].splitlines())
    return "\n".join(lines), len(text) > SHOWN


def filled_in(sources: Sources) -> list[tuple[str, str]]:
    """Settings that the scenario leaves out, and the value that each has."""
    if not 0 < len(sources.resolved) <= SHOWN:
        return []
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        written = yaml.load(sources.written, Loader=loader)  # noqa: S506 - a safe loader
        resolved = yaml.load(sources.resolved, Loader=loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError):
        return []
    steps = islice(_compare(written, resolved, ()), WALKED)
    found = (step for step in steps if step is not None)
    return [(dotted(path), _short(value)) for path, value in islice(found, FILLED)]


def _compare(
    written: Any, resolved: Any, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any] | None]:
    """Each key of mappings: None where it was written, else its path and value."""
    if not isinstance(resolved, dict) or len(path) > 8:
        return
    known = written if isinstance(written, dict) else {}
    for key, value in resolved.items():
        if key in known:
            yield None
            yield from _compare(known[key], value, (*path, str(key)))
        elif value not in ({}, [], None, ""):
            yield (*path, str(key)), value


def _short(value: Any) -> str:
    return shown(json.dumps(value, default=str, ensure_ascii=False), 120)


def downloads(record: Record, sources: Sources) -> list[Download]:
    """Files that the page carries, each as a ``data:`` URI; too large ones are left out."""
    files = [
        ("beliefs.csv", "final beliefs", "text/csv", _beliefs_csv(record)),
        ("events.csv", "events", "text/csv", _events_csv(record)),
        ("summary.json", "everything but the arrays", "application/json", _summary(record)),
        ("resolved.yaml", "the scenario with its defaults", "text/yaml", sources.resolved),
    ]
    return [
        Download(name, what, _uri(kind, text))
        for name, what, kind, text in files
        if text and len(_bytes(text)) <= LARGEST
    ]


def _bytes(text: str) -> bytes:
    """UTF-8; half of a surrogate pair, which has none, is spelled out."""
    return text.encode(errors="backslashreplace")


def _uri(kind: str, text: str) -> str:
    encoded = base64.b64encode(_bytes(text)).decode("ascii")
    return f"data:{kind};charset=utf-8;base64,{encoded}"


def _summary(record: Record) -> str:
    """The summary as JSON; nothing where it would be far too large to carry."""
    pairs = len(record.compatibility.names) ** 2 * (1 + len(record.compatibility.by_target))
    if 8 * len(record.nodes) + 6 * len(record.predictions) + pairs > LARGEST / 4:
        return ""
    return dump_json(record.to_json())


def _beliefs_csv(record: Record) -> str:
    rows = (
        [node, state, repr(p), "" if not record.exact else record.exact.get(node, {}).get(state)]
        for node, beliefs in record.beliefs.items()
        for state, p in beliefs.items()
    )
    return _csv(("node", "state", "belief", "exact"), rows) if record.beliefs else ""


def _events_csv(record: Record) -> str:
    rows = ([e.iteration, e.kind, e.node, e.text, e.cause, e.effect] for e in record.events)
    head = ("iteration", "kind", "node", "text", "cause", "nats")
    return _csv(head, rows) if record.events else ""


def _csv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return buffer.getvalue()
