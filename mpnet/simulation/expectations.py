"""Compares a result with what its scenario expects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mpnet.record import BatchResult, EstimateRow, ExpectationResult, Findings
from mpnet.scenario.spec import OF_NODES, Expectation
from mpnet.simulation.living import Lived
from mpnet.trace import Event

Beliefs = Mapping[str, Mapping[str, float]]


def check_expectations(
    claims: Sequence[Expectation],
    status: str,
    beliefs: Beliefs,
    estimates: Sequence[EstimateRow],
    batch: BatchResult | None,
    findings: Findings | None = None,
    lived: Lived | None = None,
) -> tuple[ExpectationResult, ...]:
    """One result per claim, in order; a claim about something that was not computed is not met."""
    rows = {row.node: row for row in estimates}
    numbers: dict[str, float] = dict(findings.numbers) if findings else {}
    if batch is not None:
        numbers["accuracy"] = batch.accuracy
    if lived is not None:
        numbers |= lived.numbers
    results = []
    for claim in claims:
        if claim.events is not None:
            results.append(_in_order(claim.events, lived.events if lived else ()))
            continue
        there = beliefs
        if claim.after is not None and lived is not None:
            there = lived.beliefs_after(claim.after)
        found = _check(claim, status, there, rows, numbers)
        when = f" after {claim.after}" if claim.after is not None else ""
        results.append(replace(found, text=found.text + when))
    return tuple(results)


def _in_order(wanted: Sequence[str], events: Sequence[Event]) -> ExpectationResult:
    """Whether events of these kinds (and nodes, where named) happened one after another."""
    left = list(wanted)
    for event in events:
        if left and left[0] in (event.kind, f"{event.kind} {event.node}"):
            left.pop(0)
    text = f"events {', '.join(wanted)} in this order"
    return ExpectationResult(
        text, not left, "all" if not left else f"no {left[0]} after the others"
    )


def _check(
    claim: Expectation,
    status: str,
    beliefs: Beliefs,
    rows: Mapping[str, EstimateRow],
    numbers: Mapping[str, float],
) -> ExpectationResult:
    if claim.status is not None:
        return ExpectationResult(f"status {claim.status}", status == claim.status, status)
    if claim.winner is not None:
        winner = _winner(claim, beliefs)
        text = f"{claim.winner} wins {claim.node or 'among ' + ', '.join(claim.among or ())}"
        return ExpectationResult(text, winner == claim.winner, winner or "no belief")
    number, what = _measured(claim, beliefs, rows, numbers)
    text = f"{what} {_bounds(claim)}"
    if number is None:
        return ExpectationResult(text, False, "not computed")
    return ExpectationResult(text, _within(claim, number), f"{number:.6g}")


def _winner(claim: Expectation, beliefs: Beliefs) -> str | None:
    if claim.node is not None:
        ranked = beliefs.get(claim.node, {})
    else:
        ranked = {n: beliefs[n]["active"] for n in claim.among or () if n in beliefs}
    best = sorted(ranked, key=lambda s: -ranked[s])
    if len(best) > 1 and ranked[best[0]] == ranked[best[1]]:
        return f"a tie of {best[0]} and {best[1]}"
    return best[0] if best else None


def _measured(
    claim: Expectation,
    beliefs: Beliefs,
    rows: Mapping[str, EstimateRow],
    numbers: Mapping[str, float],
) -> tuple[float | None, str]:
    if claim.measure not in OF_NODES:
        return numbers.get(claim.measure), claim.measure
    node, state = str(claim.node), claim.state or "active"
    if claim.measure == "belief":
        return beliefs.get(node, {}).get(state), f"belief {node}={state}"
    row = rows.get(node)
    whose = f" ({claim.estimator})" if claim.estimator else ""
    text = f"gain of {node}{whose} in nats"
    if row is None:
        return None, text
    if claim.estimator is not None:
        found: float | None = getattr(row, claim.estimator)
        return found, text
    found = next((g for g in (row.clamped, row.flat, row.exact) if g is not None), None)
    return found, text


def _bounds(claim: Expectation) -> str:
    said = [f"above {claim.above:g}"] if claim.above is not None else []
    said += [f"below {claim.below:g}"] if claim.below is not None else []
    said += [f"near {claim.near:g} ± {claim.tolerance:g}"] if claim.near is not None else []
    return " and ".join(said)


def _within(claim: Expectation, number: float) -> bool:
    return (
        (claim.above is None or number > claim.above)
        and (claim.below is None or number < claim.below)
        and (claim.near is None or abs(number - claim.near) <= claim.tolerance)
    )
