"""The parts of a page that need no script: rows of tables, as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpnet.plots.wording import nats, probability
from mpnet.record import NodeInfo, Record
from mpnet.report.choosing import Chosen
from mpnet.report.packing import words
from mpnet.story import sentences

BELIEFS = 60
"""Nodes in the table of beliefs, at most."""
STATES = 4
"""States of a node in that table, at most: the likeliest."""
PREDICTIONS = 200
EVENTS = 300
NUMBERS = 60
BADGES = {
    "converged": ("good", "converged"),
    "oscillating": ("bad", "oscillating"),
    "max_iterations": ("bad", "not converged"),
    "stalled": ("bad", "stalled"),
    "inconsistent": ("bad", "contradiction"),
}


def summary(record: Record) -> dict[str, Any]:
    """Headline, badge and the figures beside it."""
    level, label = BADGES.get(record.status, ("bad", record.status))
    told = [words(text) for text in sentences(record)]
    models = sum(node.kind in ("model", "composite") for node in record.nodes)
    facts = [
        ("nodes", f"{len(record.nodes):,} ({models:,} models)"),
        ("predictions", f"{sum(not p.hard for p in record.predictions):,}"),
        ("iterations", f"{record.iterations:,}"),
        ("residual", "–" if record.residual is None else f"{record.residual:.2g} nats"),
        ("log Z", "–" if record.log_z is None else f"{nats(record.log_z, 4)} nats"),
        ("exact log Z", "" if record.exact_log_z is None else nats(record.exact_log_z, 4)),
        ("estimator", words(record.estimator)),
        ("schedule", words(record.schedule)),
        ("damping", f"{record.damping:g}"),
        ("time", f"{record.seconds.get('inference', 0.0):.2g} s"),
    ]
    return {
        "level": level,
        "label": label,
        "told": told,
        "verdict": words(record.verdict),
        "facts": [(name, value) for name, value in facts if value],
    }


def belief_rows(record: Record, chosen: Chosen) -> list[dict[str, Any]]:
    """Final beliefs: nodes in question first, then models, then features."""
    owners = [(i, node) for i, node in enumerate(chosen.nodes) if node.name in record.beliefs]
    order = ("choice", "composite", "model")

    def rank(item: tuple[int, NodeInfo]) -> tuple[bool, int, int]:
        kind = item[1].kind
        return (not item[1].in_question, order.index(kind) if kind in order else 9, item[0])

    ranked = sorted(owners, key=rank)[:BELIEFS]
    return [row for index, node in ranked for row in _node_rows(record, index, node)]


def _node_rows(record: Record, index: int, node: NodeInfo) -> list[dict[str, Any]]:
    beliefs, exact = record.beliefs[node.name], (record.exact or {}).get(node.name, {})
    prior = dict(zip(node.states, node.prior))
    binary = len(beliefs) == 2 and "active" in beliefs
    states = ["active"] if binary else sorted(beliefs, key=lambda s: -beliefs[s])[:STATES]
    left_out = 0 if binary else len(beliefs) - len(states)
    return [
        {
            "index": index,
            "name": words(node.name) if number == 0 else "",
            "rows": len(states) if number == 0 else 0,
            "kind": node.kind,
            "asked": node.in_question,
            "evidence": words(node.evidence) if number == 0 else "",
            "more": left_out if number == 0 else 0,
            "state": words(state),
            "percent": f"{100 * beliefs[state]:.2f}",
            "belief": probability(beliefs[state]),
            "prior": probability(prior[state]) if state in prior else "–",
            "exact": probability(exact[state]) if state in exact else "",
            "exact_percent": f"{100 * exact[state]:.2f}" if state in exact else "",
            "off": _off(beliefs[state] - exact[state]) if state in exact else "",
        }
        for number, state in enumerate(states)
    ]


def _off(difference: float) -> str:
    return nats(difference, 3) if abs(difference) >= 0.0005 else "≈0"


def event_rows(record: Record) -> list[dict[str, Any]]:
    """Events as the list shows them, in order of time."""
    return [
        {
            "number": number,
            "iteration": event.iteration,
            "kind": words(event.kind).replace("_", " "),
            "text": words(event.text),
            "cause": words(event.cause),
            "effect": "" if event.effect is None else f"{nats(event.effect)} nats",
        }
        for number, event in enumerate(record.events[:EVENTS])
    ]


def prediction_rows(record: Record) -> list[dict[str, str]]:
    """Who predicts what, strongest first."""
    ranked = sorted(record.predictions, key=lambda p: (p.hard, -abs(p.strength)))
    return [
        {
            "source": words(edge.source),
            "verb": _verb(edge.hard, edge.explains, edge.strength),
            "target": words(edge.target),
            "state": words(edge.state),
            "strength": "" if edge.hard else f"{nats(edge.strength)} nats",
            "confidence": "" if edge.hard else f"{edge.confidence:g}",
        }
        for edge in ranked[:PREDICTIONS]
    ]


def _verb(hard: bool, explains: bool, strength: float) -> str:
    if hard:
        return "rule"
    if explains:
        return "explains"
    return "will" if strength >= 0 else "won't"


def phase_rows(record: Record) -> list[dict[str, Any]]:
    """Phases of a timeline."""
    return [
        {
            "label": words(phase.label),
            "first": phase.first,
            "last": phase.last,
            "status": words(phase.status).replace("_", " "),
            "log_z": "–" if phase.log_z is None else nats(phase.log_z, 3),
            "awake": f"{phase.awake:,}",
            "updates": f"{phase.updates:,}",
        }
        for phase in record.phases[:EVENTS]
    ]


def measured(numbers: Mapping[str, float]) -> list[tuple[str, str]]:
    """Numbers by name."""
    return [(words(name), f"{value:.4g}") for name, value in list(numbers.items())[:NUMBERS]]
