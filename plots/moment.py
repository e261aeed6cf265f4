"""A record as it was at one iteration: beliefs of then, what was observed, and who took part."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mpnet.errors import UsageError
from mpnet.record import NodeInfo, Record

COMING, GOING = ("awaken", "compose", "add"), ("retire", "remove")
"""Kinds of events after which a node takes part, and no longer does."""


@dataclass(frozen=True)
class Moment:
    """A record with the beliefs of one of its iterations.

    ``absent`` are the nodes that did not take part: not yet awake or joined, or gone.
    """

    record: Record
    iteration: int
    absent: frozenset[str]


def moment_at(record: Record, at: int | None) -> Moment:
    """Take a record back to an iteration; to the first row at or after it where it has none.

    Parameters
    ----------
    record : Record
        The run; not modified.
    at : int or None
        Iteration; None is the end, with the beliefs that the run ended with.

    Raises
    ------
    UsageError
        If the run has no such iteration.

    """
    last = record.trace.last
    if at is None:
        return Moment(record, last, _absent(record, last))
    if not record.trace.iterations.size or not 0 <= at <= last:
        raise UsageError(f"there is no iteration {at}; this run has 0 to {last}")
    row = record.trace.row_of(at)
    now = int(record.trace.iterations[row])
    nodes = tuple(_observed_then(record, node, now) for node in record.nodes)
    then = replace(record, nodes=nodes, beliefs={**record.beliefs, **_beliefs(record, row)})
    if row < record.trace.iterations.size - 1:
        then = replace(then, exact=None)  # what is exact is so of all evidence, seen by the end
    return Moment(then, now, _absent(record, now))


def _beliefs(record: Record, row: int) -> dict[str, dict[str, float]]:
    trace = record.trace
    offsets, values = trace.offsets, trace.beliefs[row].astype(np.float64)
    return {
        name: dict(zip(states, map(float, values[offsets[i] : offsets[i + 1]]), strict=True))
        for i, (name, states) in enumerate(zip(trace.nodes, trace.states, strict=True))
    }


def has_happened(record: Record, iteration: int, now: int) -> bool:
    """Whether an event after ``iteration`` shows in the row of ``now``."""
    return iteration < now or iteration == 0 or now >= record.trace.last


def _observed_then(record: Record, node: NodeInfo, now: int) -> NodeInfo:
    """The node with what was observed of it by then."""
    own = [e for e in record.events if e.node == node.name and e.kind in ("evidence", "withdraw")]
    if not own:
        return node
    past = [event for event in own if has_happened(record, event.iteration, now)]
    if not past or past[-1].kind == "withdraw":
        return replace(node, evidence="")
    return replace(node, evidence=past[-1].text.removeprefix(f"{node.name}: "))


def _absent(record: Record, now: int) -> frozenset[str]:
    found = set()
    for node in record.nodes:
        own = [e for e in record.events if e.node == node.name and e.kind in COMING + GOING]
        if not own:
            continue
        past = [event for event in own if has_happened(record, event.iteration, now)]
        latest = past[-1].kind in GOING if past else own[0].kind in COMING
        if latest:
            found.add(node.name)
    return frozenset(found)
