"""Flat: one run of loopy belief propagation, taken at its word."""

from __future__ import annotations

import numpy as np

from mpnet.estimators.base import Estimate, Observer, Options, Problem, Snapshot
from mpnet.estimators.loop import Outcome, joint_of, propagate
from mpnet.messages import Messages


class Flat:
    """One run of loopy belief propagation; exact on trees, too sure of itself on loops."""

    def estimate(self, problem: Problem, options: Options, observe: Observer) -> Estimate:
        """Run from uniform messages until the residual is within the tolerance."""
        messages = Messages(problem.graph)
        outcome = run_flat(messages, options, observe)
        return flat_estimate(messages, outcome)


def run_flat(messages: Messages, options: Options, observe: Observer) -> Outcome:
    """Propagate from the messages as they are, showing every iteration to ``observe``."""

    def show(residual: float) -> None:
        observe(Snapshot("flat", messages, residual, messages.edge_residual, messages.log_z()))

    show(np.nan)
    return propagate(messages, options, show)


def flat_estimate(messages: Messages, outcome: Outcome) -> Estimate:
    """The estimate that final messages stand for."""
    return Estimate(
        status=outcome.status,
        reason=outcome.reason,
        iterations=outcome.iterations,
        residual=outcome.residual,
        log_z=messages.log_z() if outcome.status == "converged" else None,
        beliefs=messages.marginals(),
        joint=joint_of(messages),
        guilty=outcome.guilty,
    )
