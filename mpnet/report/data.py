"""What a page can be scrubbed through, as JSON data: nodes, predictions, beliefs, messages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mpnet.explanation import Explanation
from mpnet.record import NodeInfo, PredictionInfo, Record
from mpnet.report.choosing import Chosen, lined, places
from mpnet.report.packing import (
    HIGHEST,
    LOWEST,
    WHOLE,
    kept_rows,
    magnitudes,
    number,
    numbers,
    probabilities,
    words,
)
from mpnet.trace import AnyFloats, IntArray

EVENTS = 1000
"""Events on a page, at most."""
EDGES = 6000
"""Predictions on a page, at most: the strongest."""
MESSAGES = 20_000
"""Final messages on a page, at most."""


def page_data(record: Record, chosen: Chosen, most_rows: int) -> dict[str, Any]:
    """Everything that the page's script reads.

    Parameters
    ----------
    record : Record
        The run.
    chosen : Chosen
        The nodes to show.
    most_rows : int
        Rows of the trace that there is room for.

    Returns
    -------
    dict
        Plain JSON data without NaN and infinity; nodes are known by their index.

    """
    rows = kept_rows(record.trace, [event.iteration for event in record.events], most_rows)
    index = {node.name: number for number, node in enumerate(chosen.nodes)}
    first, columns = _columns(record, chosen.nodes)
    return {
        "scenario": words(record.scenario),
        "status": record.status,
        **_series(record, rows),
        "nodes": _nodes(record, chosen, first),
        "edges": _edges(record.predictions, index),
        "events": _events(record, index, rows),
        "columns": len(columns),
        "whole": WHOLE,
        "beliefs": probabilities(_beliefs(record, rows, columns)),
        "messages": _messages(record, index),
        "explanations": _explanations(record.explanations, index),
        "slow": _slow(record, rows),
        "lines": lined(chosen),
    }


def said_of_rows(record: Record, rows: int) -> str:
    """Which rows are shown, where not every iteration is; empty where all are."""
    trace = record.trace
    if rows == trace.iterations.size == trace.last + 1 or rows == 0:
        return ""
    return (
        f"{rows:,} of {trace.last + 1:,} iterations are shown: the first, the last, "
        "those of events, and an even choice of the others"
    )


def _columns(record: Record, nodes: Sequence[NodeInfo]) -> tuple[dict[str, int], list[int]]:
    """First column of each node on the page, and the columns of the trace that are kept.

    A node of two states needs only the second one.
    """
    trace = record.trace
    starts = dict(zip(trace.nodes, trace.offsets.tolist()))
    first: dict[str, int] = {}
    kept: list[int] = []
    for node in nodes:
        if node.name not in starts or not node.states:
            continue
        first[node.name] = len(kept)
        start, count = starts[node.name], len(node.states)
        kept += [start + 1] if count == 2 else range(start, start + count)
    return first, kept


def _beliefs(record: Record, rows: IntArray, columns: Sequence[int]) -> AnyFloats:
    return record.trace.beliefs[np.ix_(rows, np.array(columns, dtype=np.int64))]


def _series(record: Record, rows: IntArray) -> dict[str, Any]:
    trace = record.trace
    return {
        "iterations": trace.iterations[rows].tolist(),
        "residual": numbers(trace.residual[rows], 4),
        "logZ": numbers(trace.log_z[rows], 8),
        "stages": _stages([trace.estimator[row] for row in rows]),
        "tolerance": number(record.tolerance),
        "exactLogZ": number(record.exact_log_z, 8),
        "bracket": None if record.bracket is None else numbers(record.bracket, 8),
    }


def _stages(estimators: Sequence[str]) -> list[list[Any]]:
    """Runs of equal estimator: name, first row, last row."""
    found: list[list[Any]] = []
    for row, name in enumerate(estimators):
        if found and found[-1][0] == name:
            found[-1][2] = row
        else:
            found.append([name, row, row])
    return found


def _nodes(record: Record, chosen: Chosen, first: Mapping[str, int]) -> list[dict[str, Any]]:
    toggles = _toggles(record)
    found = []
    for node, (x, y) in zip(chosen.nodes, places(record, chosen), strict=True):
        final, exact = record.beliefs.get(node.name), (record.exact or {}).get(node.name)
        item: dict[str, Any] = {
            "name": words(node.name),
            "kind": node.kind,
            "type": node.type,
            "states": [words(state) for state in node.states],
            "prior": numbers(node.prior, 5),
            "column": first.get(node.name, -1),
            "x": x,
            "y": y,
        }
        if final:
            item["final"] = numbers([final.get(state) for state in node.states], 6)
        if exact:
            item["exact"] = numbers([exact.get(state) for state in node.states], 6)
        if node.evidence:
            item["evidence"] = words(node.evidence)
        if node.in_question:
            item["asked"] = 1
        if node.name in toggles:
            item["toggles"] = toggles[node.name]
        found.append(item)
    return found


def _toggles(record: Record) -> dict[str, list[list[int]]]:
    """When each model woke (1) and went (0), as [iteration, 0 or 1]."""
    found: dict[str, list[list[int]]] = {}
    for event in record.events:
        if event.node and event.kind in ("awaken", "retire"):
            found.setdefault(event.node, []).append([event.iteration, int(event.kind == "awaken")])
    return found


def _edges(predictions: Sequence[PredictionInfo], index: Mapping[str, int]) -> list[list[Any]]:
    """Source, target, state, strength in nats, confidence, and what kind each prediction is."""
    known = [e for e in predictions if e.source in index and e.target in index]
    order = sorted(range(len(known)), key=lambda i: (not known[i].hard, -_size(known[i]), i))
    kept = sorted(order[:EDGES])
    return [
        [
            index[edge.source],
            index[edge.target],
            words(edge.state),
            number(edge.strength, 5),
            number(edge.confidence, 4),
            "rule" if edge.hard else "explains" if edge.explains else "will",
        ]
        for edge in (known[i] for i in kept)
    ]


def _size(edge: PredictionInfo) -> float:
    return 0.0 if math.isnan(edge.strength) else abs(edge.strength)


def _events(record: Record, index: Mapping[str, int], rows: IntArray) -> list[list[Any]]:
    """Iteration, row on the page, kind, node, text, cause and effect in nats of each event."""
    shown = record.trace.iterations[rows]
    last = max(0, shown.size - 1)
    return [
        [
            event.iteration,
            min(int(np.searchsorted(shown, event.iteration)), last),
            words(event.kind),
            index.get(event.node, -1),
            words(event.text),
            words(event.cause),
            number(event.effect, 4),
        ]
        for event in record.events[:EVENTS]
    ]


def _messages(record: Record, index: Mapping[str, int]) -> list[list[Any]]:
    """Source, target, log message in nats, residual and last change of each final message."""
    table = record.messages
    if table is None:
        return []
    found: list[list[Any]] = []
    for i, target in enumerate(table.targets):
        if target in index and len(found) < MESSAGES:
            values = table.values[table.offsets[i] : table.offsets[i + 1]]
            last = [number(float(table.residual[i]), 3), int(table.settled[i])]
            found.append([words(table.sources[i]), index[target], numbers(values, 4), *last])
    return found


def _explanations(
    explanations: Sequence[Explanation], index: Mapping[str, int]
) -> dict[str, dict[str, Any]]:
    return {
        str(index[found.node]): {
            "state": words(found.state),
            "against": words(found.against),
            "logOdds": number(found.log_odds),
            "headline": words(found.headline),
            "reference": found.reference,
            "notes": [words(note) for note in found.notes],
            "shares": [
                [
                    share.kind,
                    [words(name) for name in share.names],
                    number(share.nats, 5),
                    number(share.left_out, 5),
                    words(share.text),
                    number(share.without, 4),
                ]
                for share in found.shares
            ],
        }
        for found in explanations
        if found.node in index
    }


def _slow(record: Record, rows: IntArray) -> dict[str, Any] | None:
    """Residuals of the slowest messages, those that still move at the last row first."""
    trace = record.trace
    if not trace.messages or not rows.size:
        return None
    return {
        "labels": [words(label) for label in trace.messages],
        "values": magnitudes(trace.message_residual[rows]),
        "lowest": LOWEST,
        "highest": HIGHEST,
    }
