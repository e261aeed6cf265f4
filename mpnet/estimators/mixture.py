"""Mixture: all fixed points that several starts lead to, each weighted by its Bethe log Z.

Where models fight, belief propagation has several fixed points, each with one winner; one run
tells only the one that it fell into. Unstable fixed points (a draw that the least push ends)
are left out: they are no minima of the Bethe free energy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mpnet.estimators.base import (
    Estimate,
    FixedPoint,
    Observer,
    Options,
    Problem,
)
from mpnet.estimators.flat import flat_estimate, run_flat, start_messages
from mpnet.estimators.loop import propagate
from mpnet.estimators.verdicts import Outcome
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages

SAME = 1e-4
"""Fixed points whose beliefs differ by less are one."""

BRIEF = 200
"""Iterations after which a start is run again with damping."""

CALM = 0.5
"""That damping, at least."""

SPREADS = (1.0, 4.0)
"""Standard deviations of the random log messages, in nats, in turn."""

PUSH = 1e-3
"""Standard deviation of the push that an unstable fixed point does not survive, in nats."""


@dataclass
class _Found:
    """A fixed point, its messages as a start for others, and how often it was reached."""

    estimate: Estimate
    log_messages: FloatArray
    starts: int = 1


class Mixture:
    """Runs from a uniform start and from random ones; beliefs are the weighted mean."""

    def estimate(self, problem: Problem, options: Options, observe: Observer) -> Estimate:
        """Run from ``options.starts`` starts; the first is uniform and is shown to ``observe``."""
        graph, draw = problem.graph, np.random.default_rng(options.seed)
        messages = start_messages(graph, options)
        outcome = run_flat(messages, options, observe)
        first = flat_estimate(messages, outcome, options.temperature)
        if outcome.status == "inconsistent" or graph.is_forest():
            return first
        found: list[_Found] = []
        failed, iterations = 0, first.iterations
        for number in range(options.starts):
            if number:
                spread = SPREADS[number % len(SPREADS)]
                messages = _start(graph, options, draw, spread)
            elif outcome.status != "converged":
                # Messages that an observer was shown stay as they were.
                messages = start_messages(graph, options, messages.log_messages())
            if number or outcome.status != "converged":
                outcome = _settle(messages, options)
                iterations += outcome.iterations
            if outcome.status == "converged":
                _keep(found, messages, flat_estimate(messages, outcome, options.temperature))
            else:
                failed += 1
        if not found:
            return replace(first, iterations=iterations)
        stable = [f for f in found if _is_stable(f, graph, options, draw)] or found
        return _mix(stable, len(found) - len(stable), failed, first, iterations, options)


def _settle(messages: Messages, options: Options) -> Outcome:
    """Propagate; where messages swing, again from the same start with damping.

    Rivals that all speak at once swing together: damping breaks no fixed point, only that.
    """
    start = messages.log_messages()
    outcome = propagate(
        messages, replace(options, max_iterations=min(BRIEF, options.max_iterations))
    )
    if outcome.status in ("converged", "inconsistent"):
        return outcome
    damping = max(CALM, options.damping) if isinstance(options.damping, float) else CALM
    messages.restart(start)
    calm = propagate(messages, replace(options, damping=damping))
    return replace(calm, iterations=outcome.iterations + calm.iterations)


def _start(
    graph: FactorGraph, options: Options, draw: np.random.Generator, spread: float
) -> Messages:
    size = int(graph.arrays.edge_states[-1])
    return start_messages(graph, options, draw.normal(scale=spread, size=size))


def _keep(found: list[_Found], messages: Messages, estimate: Estimate) -> None:
    """Count an estimate as a fixed point that is there already, or as a new one."""
    for other in found:
        if np.abs(other.estimate.beliefs - estimate.beliefs).max(initial=0.0) < SAME:
            other.starts += 1
            return
    found.append(_Found(estimate, messages.log_messages()))


def _is_stable(
    found: _Found, graph: FactorGraph, options: Options, draw: np.random.Generator
) -> bool:
    """Whether a run that starts a little beside a fixed point comes back to it."""
    push = draw.normal(scale=PUSH, size=found.log_messages.size)
    messages = start_messages(graph, options, found.log_messages + push)
    outcome = _settle(messages, options)
    if outcome.status != "converged":
        return False
    back = flat_estimate(messages, outcome, options.temperature).beliefs
    return bool(np.abs(back - found.estimate.beliefs).max(initial=0.0) < SAME)


def _mix(
    found: list[_Found],
    unstable: int,
    failed: int,
    first: Estimate,
    iterations: int,
    options: Options,
) -> Estimate:
    scores = np.array([f.estimate.log_z for f in found], dtype=np.float64)
    weights = np.exp(scores - scores.max())
    log_z = float(scores.max() + np.log(weights.sum()))
    weights /= weights.sum()
    order = np.argsort(-weights, kind="stable").tolist()
    points = tuple(
        FixedPoint(float(scores[i]), float(weights[i]), found[i].starts, found[i].estimate.beliefs)
        for i in order
    )

    def joint(scope: tuple[int, ...]) -> FloatArray:
        parts = [w * f.estimate.joint(scope) for w, f in zip(weights, found, strict=True)]
        return np.asarray(sum(parts), dtype=np.float64)

    beliefs = np.asarray(sum(p.weight * p.beliefs for p in points), dtype=np.float64)
    worst = max(f.estimate.residual for f in found)
    count = f"{len(found)} fixed point{'s' if len(found) > 1 else ''}"
    reason = (
        f"converged: {count} from {options.starts} starts, {iterations} iterations in all "
        f"(residual {worst:.1e} nats, tolerance {options.tolerance:.0e})"
    )
    reason += f"; {failed} starts did not converge" if failed else ""
    reason += f"; {unstable} unstable left out" if unstable else ""
    notes = tuple(
        f"fixed point {i + 1}: log Z {p.log_z:.6g} nats, weight {p.weight:.4f}, "
        f"reached from {p.starts} starts"
        for i, p in enumerate(points[:10])
    )
    return replace(
        found[0].estimate,
        reason=reason,
        iterations=iterations,
        residual=worst,
        log_z=log_z,
        beliefs=beliefs,
        joint=joint,
        flat=first.beliefs,
        fixed_points=points,
        notes=notes,
    )
