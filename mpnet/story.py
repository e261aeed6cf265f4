"""The result of a run in a few plain sentences."""

from __future__ import annotations

import math

from mpnet.record import NodeInfo, Record


def sentences(record: Record) -> list[str]:
    """Who won, how sure, and why; one sentence per node in question, at most ten."""
    if record.batch is not None:
        return [_batch_sentence(record)]
    if not record.beliefs or record.status != "converged":
        return []
    asked = [node for node in record.nodes if node.in_question and node.states]
    asked.sort(key=lambda node: node.kind not in ("choice", "composite"))
    told = [_node_sentence(record, node) for node in asked[:10]]
    if not asked:
        told = [_leader_sentence(record)]
    return [text for text in told if text]


def _batch_sentence(record: Record) -> str:
    batch = record.batch
    assert batch is not None  # noqa: S101 - narrowed by the caller
    wrong = sum(sum(row) for row in batch.confusion) - sum(
        row[i] for i, row in enumerate(batch.confusion)
    )
    return f"{batch.cases} cases, {wrong} wrong: accuracy {batch.accuracy:.2%}"


def _node_sentence(record: Record, node: NodeInfo) -> str:
    if node.kind == "composite":
        return _composite_sentence(record, node)
    if len(node.states) > 2 or node.kind in ("choice", "feature"):
        return _winner_sentence(record, node)
    belief = record.beliefs[node.name].get("active", 0.0)
    prior = node.prior[1]
    verb = "is active" if belief >= 0.5 else "stays asleep"
    return f"{node.name} {verb}: belief {belief:.3g}, prior {prior:.3g}"


def _composite_sentence(record: Record, node: NodeInfo) -> str:
    row = next((r for r in record.estimates if r.node == node.name), None)
    gain = (
        None
        if row is None
        else next((g for g in (row.clamped, row.flat, row.exact) if g is not None), None)
    )
    parts = [p.target for p in record.predictions if p.source == node.name and p.state == "active"]
    why = _why_parts(record, parts)
    if gain is None:
        return f"{node.name}: {why}"
    verb = "is ruled out" if gain < -2.0 else "is held back" if gain < -0.5 else "can live"
    verb = "is favoured" if gain > 0.5 else verb
    return f"{node.name} {verb} ({gain + 0.0:+.2f} nats): {why}"


def _why_parts(record: Record, parts: list[str]) -> str:
    names = record.compatibility.names
    worst: tuple[float, str, str] | None = None
    for i, a in enumerate(parts):
        for b in parts[i + 1 :]:
            if a in names and b in names:
                c = record.compatibility.matrix[names.index(a)][names.index(b)]
                if worst is None or abs(c) > abs(worst[0]):
                    worst = (c, a, b)
    if worst is None or abs(worst[0]) < 0.05:
        return (
            f"{' and '.join(parts)} speak of different things (C = {worst[0] if worst else 0:.2f})"
        )
    c, a, b = worst
    where = [
        target
        for target, matrix in record.compatibility.by_target.items()
        if abs(matrix[names.index(a)][names.index(b)]) > 0.05
    ]
    verb = "contradict each other" if c < 0 else "agree"
    return f"{a} and {b} {verb} about {' and '.join(where)} (C = {c:+.2f})"


def _winner_sentence(record: Record, node: NodeInfo) -> str:
    belief = record.beliefs[node.name]
    ranked = sorted(belief, key=lambda s: -belief[s])
    first = f"{node.name}: {ranked[0]} wins with {belief[ranked[0]]:.3g}"
    if len(ranked) < 2:
        return first
    second = ranked[1]
    if belief[second] <= 0.0:
        return f"{first}, nothing else is possible"
    margin = math.log(belief[ranked[0]]) - math.log(belief[second])
    return f"{first}, {second} has {belief[second]:.3g}: a margin of {margin:.1f} nats"


def _leader_sentence(record: Record) -> str:
    active = {n: b["active"] for n, b in record.beliefs.items() if "active" in b}
    if not active:
        return ""
    best = max(active, key=lambda n: active[n])
    return f"{best} leads: belief {active[best]:.3g} in being active"
