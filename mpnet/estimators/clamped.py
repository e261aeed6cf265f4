"""Clamped: awaken a model, let the others settle, and see whether it survives.

The belief in state s of a node is proportional to the Bethe partition sum with the node held at s:
log-odds(i) = log Z_Bethe(i=1) - log Z_Bethe(i=0). Holding a node cuts the loops through it, which
flat propagation counts twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mpnet.estimators.base import Estimate, Observer, Options, Problem, Snapshot
from mpnet.estimators.flat import flat_estimate, run_flat
from mpnet.estimators.loop import propagate
from mpnet.estimators.verdicts import Outcome
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages

KEPT_RESIDUALS = 10**6
"""Edge residuals of branches kept for the trace, at most, in numbers."""


@dataclass(frozen=True)
class Branch:
    """One node held at one state: how its run went, iteration by iteration."""

    variable: int
    state: int
    outcome: Outcome
    log_z: FloatArray
    residual: FloatArray
    edge_residual: tuple[FloatArray, ...]

    def at(self, step: int) -> int:
        """Index of an iteration, or of the last one where the branch has ended before."""
        return min(step, self.log_z.size - 1)


class Clamped:
    """Flat first, then each node in question held at each of its states, warm-started."""

    def estimate(self, problem: Problem, options: Options, observe: Observer) -> Estimate:
        """Run flat, then the branches; nodes not in question keep their flat belief."""
        base = Messages(problem.graph)
        outcome = run_flat(base, options, observe)
        flat = flat_estimate(base, outcome)
        if outcome.status != "converged" or not problem.query:
            return flat
        if problem.graph.is_forest():
            return replace(flat, reason=f"{flat.reason}; exact, for the compiled graph has no loop")
        branches = {v: _branches(base, v, options) for v in problem.query}
        steps = max(b.log_z.size for group in branches.values() for b in group)
        _show_side_by_side(base, branches, steps, observe)
        final = {v: _belief(group, steps) for v, group in branches.items()}
        return _combine(base, flat, branches, final, steps)


def _branches(base: Messages, variable: int, options: Options) -> list[Branch]:
    states = len(base.graph.variables[variable].states)
    return [_branch(base, variable, state, options) for state in range(states)]


def _branch(base: Messages, variable: int, state: int, options: Options) -> Branch:
    if base.graph.unary_of(variable)[state] == -np.inf:
        impossible = Outcome("inconsistent", "this state has no support", 0, 0.0)
        none = np.array([-np.inf])
        return Branch(variable, state, impossible, none, np.zeros(1), ())
    messages = Messages(base.graph, base.graph.clamped(variable, state), base.log_messages())
    log_z: list[float] = []
    residuals: list[float] = []
    edges: list[FloatArray] = []
    budget = KEPT_RESIDUALS // max(1, messages.edge_residual.size)

    def note(residual: float) -> None:
        log_z.append(messages.log_z())
        residuals.append(residual)
        if len(edges) < budget:
            edges.append(messages.edge_residual.copy())

    outcome = propagate(messages, options, note)
    if outcome.status == "inconsistent":
        log_z.append(-np.inf)
        residuals.append(0.0)
    return Branch(variable, state, outcome, np.array(log_z), np.array(residuals), tuple(edges))


def _belief(group: list[Branch], step: int) -> FloatArray:
    scores = np.array([branch.log_z[branch.at(step)] for branch in group])
    if np.all(scores == -np.inf):
        return np.full(scores.size, np.nan)
    odds: FloatArray = np.exp(scores - scores.max())
    odds /= odds.sum()
    return odds


def _show_side_by_side(
    base: Messages, branches: dict[int, list[Branch]], steps: int, observe: Observer
) -> None:
    """Show the branches as if all had run at the same time, one iteration after another."""
    everyone = [branch for group in branches.values() for branch in group]
    names = ", ".join(base.graph.variables[v].name for v in list(branches)[:3])
    names += f" and {len(branches) - 3} more" if len(branches) > 3 else ""
    log_z = base.log_z()
    for step in range(steps):
        running = [b for b in everyone if step < b.residual.size]
        edges = [b.edge_residual[step] for b in running if step < len(b.edge_residual)]
        worst = np.max(edges, axis=0) if edges else np.full(base.edge_residual.size, np.nan)
        observe(
            Snapshot(
                estimator="clamped",
                messages=base,
                residual=max(b.residual[step] for b in running),
                edge_residual=worst,
                find_log_z=lambda: log_z,
                overrides={v: _belief(group, step) for v, group in branches.items()},
                event=("clamp", "", f"clamp {names}") if step == 0 else None,
            )
        )


def _combine(
    base: Messages,
    flat: Estimate,
    branches: dict[int, list[Branch]],
    final: dict[int, FloatArray],
    steps: int,
) -> Estimate:
    everyone = [branch for group in branches.values() for branch in group]
    failed = [b for b in everyone if b.outcome.status not in ("converged", "inconsistent")]
    beliefs = flat.beliefs.copy()
    for variable, belief in final.items():
        beliefs[base.graph.states_of(variable)] = belief
    residual = max(branch.residual[-1] for branch in everyone)
    found = replace(
        flat,
        iterations=flat.iterations + steps,
        residual=float(residual),
        beliefs=beliefs,
        flat=flat.beliefs,
        clamped=tuple(branches),
    )
    for variable in branches:
        if np.isnan(final[variable]).any():
            name = base.graph.variables[variable].name
            reason = f"no state of {name!r} survives being awakened"
            return replace(
                found, status="inconsistent", reason=reason, log_z=None, guilty=(variable,)
            )
    if failed:
        first = failed[0]
        node = base.graph.variables[first.variable]
        reason = f"with {node.name}={node.states[first.state]}: {first.outcome.reason}"
        status, guilty = first.outcome.status, first.outcome.guilty
        return replace(found, status=status, reason=reason, log_z=None, guilty=guilty)
    reason = (
        f"converged after {flat.iterations} flat and {steps} clamped iterations "
        f"(residual {residual:.1e} nats)"
    )
    return replace(found, reason=reason)
