"""Links of a society by how far their messages have come to rest, and where their nodes stand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mpnet.plots.edges import ends, split_names
from mpnet.plots.layout import lay_out
from mpnet.record import PredictionInfo, Record
from mpnet.trace import FloatArray

Place = tuple[float, float]
ROUND = 24
"""Nodes of a ring, at most."""


@dataclass(frozen=True)
class Link:
    """The messages from one node to another: the largest residual in nats, the latest to settle."""

    source: str
    target: str
    residual: float
    settled: int


def links(record: Record) -> list[Link]:
    """Every pair of nodes that a message was sent between, the slowest first."""
    found: dict[tuple[str, str], Link] = {}
    for sources, target, residual, settled in _messages(record):
        for source in sources:
            old = found.get((source, target))
            worst = residual if old is None else max(old.residual, residual)
            late = settled if old is None else max(old.settled, settled)
            found[source, target] = Link(source, target, worst, late)
    return sorted(found.values(), key=lambda link: (-link.residual, -link.settled))


def _messages(record: Record) -> Iterator[tuple[tuple[str, ...], str, float, int]]:
    """Sources, target, residual and settled iteration of the messages that were sent."""
    names = {node.name for node in record.nodes}
    table = record.messages
    if table is not None:
        for number, target in enumerate(table.targets):
            residual = float(table.residual[number])
            if not math.isnan(residual):
                sources = split_names(table.sources[number], names)
                yield sources, target, residual, int(table.settled[number])
    final = last_residuals(record)
    for column, label in enumerate(record.trace.messages):
        told = ends(label, names)
        if told is not None and not math.isnan(final[column]):
            yield *told, float(final[column]), _settled(record, column)


def last_residuals(record: Record) -> FloatArray:
    """Residual of each message of the trace at the end, in nats; NaN where it was never sent.

    While a run swings, messages take turns in moving: the larger of the last two rows counts.
    """
    values, swings = record.trace.message_residual.astype(np.float64), record.trace.residual
    moving = bool(swings.size) and bool(swings[-1] > record.tolerance)
    latest = values[-2:] if moving else values[-1:]
    found: FloatArray = np.fmax.reduce(latest, axis=0, initial=np.nan)
    return found


def _settled(record: Record, column: int) -> int:
    values = np.nan_to_num(record.trace.message_residual[:, column].astype(np.float64))
    late = np.flatnonzero(values > record.tolerance)
    return int(record.trace.iterations[late[-1]]) if late.size else 0


def stand(
    record: Record, names: Sequence[str], drawn: Sequence[Link], per_row: int
) -> tuple[dict[str, Place], int]:
    """Place nodes in a unit square; in a ring where most links would lie within one layer.

    Returns
    -------
    dict of str to (float, float)
        Places across and up, in 0 to 1.
    int
        Rows of the layers; 0 for a ring.

    """
    linked = [PredictionInfo(link.source, link.target, "", 0.0) for link in drawn]
    layout = lay_out(_with_predictions(record, linked), len(names), names, per_row)
    layer = _layers(layout.rows, {node.name: node.kind for node in record.nodes})
    level = sum(layer[link.source] == layer[link.target] for link in drawn)
    if drawn and 2 * level > len(drawn) and len(names) <= ROUND:
        return _ring(_walk(names, drawn)), 0
    rows = len(layout.rows)
    places = {
        name: ((column + 0.5 + _shift(number, row)) / len(row), (number + 0.5) / rows)
        for number, row in enumerate(layout.rows)
        for column, name in enumerate(row)
    }
    return places, rows


def _shift(number: int, row: Sequence[str]) -> float:
    """Rows above one another are moved a little apart, so that links pass between nodes."""
    return (0.12 if number % 2 else -0.12) if len(row) > 1 else 0.0


def _with_predictions(record: Record, predictions: Sequence[PredictionInfo]) -> Record:
    return replace(record, predictions=tuple(predictions))


def _layers(rows: Sequence[Sequence[str]], kinds: Mapping[str, str]) -> dict[str, str]:
    return {name: kinds[name] for row in rows for name in row}


def _walk(names: Sequence[str], drawn: Sequence[Link]) -> list[str]:
    """Nodes in an order in which neighbours follow one another where they can."""
    beside: dict[str, list[str]] = {name: [] for name in names}
    for link in drawn:
        beside[link.source].append(link.target)
        beside[link.target].append(link.source)
    found: dict[str, None] = {}
    for start in sorted(names, key=lambda name: len(set(beside[name]))):
        here: str | None = start
        while here is not None and here not in found:
            found[here] = None
            here = next((name for name in beside[here] if name not in found), None)
    return list(found)


def _ring(names: Sequence[str]) -> dict[str, Place]:
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(names)) / max(1, len(names))
    return {
        name: (0.5 + 0.4 * math.cos(angle), 0.5 + 0.4 * math.sin(angle))
        for name, angle in zip(names, map(float, angles))
    }
