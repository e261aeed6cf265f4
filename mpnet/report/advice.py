"""What to make of a run: how far it can be trusted, and what to try next, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mpnet.plots.wording import nats
from mpnet.record import Record
from mpnet.report.packing import words

SERIOUS = 0.05
"""Error of a belief from which it is a warning."""
SLOW_RATE = 0.95
"""Predicted factor per iteration from which convergence is called slow."""


class Finding(NamedTuple):
    """One sentence; ``level`` is ``good``, ``note`` or ``warning``."""

    level: str
    text: str


def findings(record: Record) -> list[Finding]:
    """Everything worth saying about a run, warnings first."""
    found = [
        *_status(record),
        *_unmet(record),
        *_accuracy(record),
        *_bounds(record),
        *_speed(record),
        *_certainty(record),
        *(Finding("note", words(note)) for note in record.notes),
    ]
    order = ("warning", "note", "good")
    return sorted(found, key=lambda finding: order.index(finding.level))


def _status(record: Record) -> Iterator[Finding]:
    if record.status == "converged":
        return
    yield Finding("warning", words(record.verdict))
    if record.status == "inconsistent":
        yield Finding(
            "warning",
            "Nothing can be believed: take back one of the observations named above, "
            "or soften a rule with a probability.",
        )
        return
    slow = [words(label) for label in record.trace.messages[:3]]
    if slow:
        yield Finding("note", f"Slowest messages: {'; '.join(slow)}.")
    text = "Beliefs are those of the last iteration, not of a fixed point"
    yield Finding("warning", f"{text}; --on-failure ladder tries gentler estimators.")


def _unmet(record: Record) -> Iterator[Finding]:
    for claim in record.expectations:
        if not claim.met:
            yield Finding("warning", f"Expected {words(claim.text)}, got {words(claim.got)}.")


def _accuracy(record: Record) -> Iterator[Finding]:
    """How far beliefs are from exact ones, and whether they err towards certainty."""
    errors = [
        (abs(p - exact[state]), abs(p - 0.5) > abs(exact[state] - 0.5), node, state)
        for node, exact in (record.exact or {}).items()
        for state, p in record.beliefs.get(node, {}).items()
        if state in exact
    ]
    if not errors:
        return
    worst, sure, node, state = max(errors, key=lambda error: error[0])
    mean = sum(error[0] for error in errors) / len(errors)
    where = words(node if state == "active" else f"{node} = {state}")
    text = f"Against exact answers, beliefs are off by {mean:.2g} on average"
    text += f", at worst by {worst:.2g} ({where}"
    text += ", which is believed too strongly)." if sure and worst >= 0.001 else ")."
    yield Finding("warning" if worst >= SERIOUS else "good", text)


def _bounds(record: Record) -> Iterator[Finding]:
    low, high = record.bracket or (None, None)
    if low is not None and high is not None:
        text = f"Log Z is proven to lie between {nats(low, 4)} and {nats(high, 4)} nats"
        if record.log_z is None:
            yield Finding("note", text + ".")
            return
        inside = low - 1e-6 <= record.log_z <= high + 1e-6
        level = "good" if inside else "warning"
        place = "inside" if inside else "outside, so the beliefs can't all be right"
        yield Finding(level, f"{text}; the run's {nats(record.log_z, 4)} is {place}.")
    elif low is not None or high is not None:
        side, value = ("at least", low) if low is not None else ("at most", high)
        yield Finding("note", f"Log Z is proven to be {side} {nats(value or 0.0, 4)} nats.")


def _speed(record: Record) -> Iterator[Finding]:
    if record.rate is None:
        return
    text = f"Near its end the residual is predicted to shrink by a factor {record.rate:.3g} "
    text += "per iteration"
    if record.rate >= SLOW_RATE:
        yield Finding("note", f"{text}: slow; a sequential or residual schedule may help.")
    else:
        yield Finding("good", f"{text}.")


def _certainty(record: Record) -> Iterator[Finding]:
    """Nodes in question that are certain although nobody observed them."""
    asked = {node.name for node in record.nodes if node.in_question and not node.evidence}
    sure = [
        f"{words(node)} = {words(state)}"
        for node, beliefs in record.beliefs.items()
        if node in asked
        for state, belief in beliefs.items()
        if belief > 1 - 1e-9
    ]
    if sure:
        more = f" and {len(sure) - 5} more" if len(sure) > 5 else ""
        text = f"Certain without being observed: {', '.join(sure[:5])}{more}."
        yield Finding("note", text)
