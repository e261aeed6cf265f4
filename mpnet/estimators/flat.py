"""Flat: one run of loopy belief propagation, taken at its word."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mpnet.estimators.base import Estimate, Observer, Options, Problem, Snapshot, ignore
from mpnet.estimators.joints import joint_of
from mpnet.estimators.loop import propagate
from mpnet.estimators.verdicts import Outcome
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages


class Flat:
    """One run of loopy belief propagation; exact on trees, too sure of itself on loops.

    At temperature 0 it is max-product: beliefs are max-marginals, scaled to sum to one, and
    log Z is the log score of the best state as far as messages tell. Between 0 and 1 sums are
    power means, (sum of x^(1/T))^T, so that both ends are reached without a jump.
    """

    def estimate(self, problem: Problem, options: Options, observe: Observer) -> Estimate:
        """Run from uniform messages until the residual is within the tolerance."""
        watched = observe is not ignore or options.schedule != "flooding"
        messages = start_messages(problem.graph, options, edge_residuals=watched)
        outcome = run_flat(messages, options, observe)
        return flat_estimate(messages, outcome, options.temperature)


def start_messages(
    graph: FactorGraph,
    options: Options,
    start: FloatArray | None = None,
    *,
    edge_residuals: bool = True,
) -> Messages:
    """Uniform messages for the temperature, number type and threads that were asked for.

    Parameters
    ----------
    graph : FactorGraph
        The graph.
    options : Options
        ``temperature``, ``dtype`` and ``threads`` are looked at.
    start : float64[S], optional
        Factor-to-variable log messages to start from.
    edge_residuals : bool
        Whether the residual of each message is kept.

    """
    if 0.0 < options.temperature < 1.0:
        power = 1.0 / options.temperature
        graph = graph.tempered(power, power)
    return Messages(
        graph,
        start=start,
        maximise=options.temperature == 0.0,
        dtype=options.dtype,
        threads=options.threads,
        edge_residuals=edge_residuals,
    )


def run_flat(messages: Messages, options: Options, observe: Observer) -> Outcome:
    """Propagate from the messages as they are, showing every iteration to ``observe``."""
    if observe is ignore:
        return propagate(messages, options)

    def show(residual: float) -> None:
        observe(Snapshot("flat", messages, residual, messages.edge_residual, messages.log_z))

    show(np.nan)
    return propagate(messages, options, show)


def flat_estimate(messages: Messages, outcome: Outcome, temperature: float = 1.0) -> Estimate:
    """The estimate that final messages stand for."""
    done = outcome.status == "converged"
    found = Estimate(
        status=outcome.status,
        reason=outcome.reason,
        iterations=outcome.iterations,
        residual=outcome.residual,
        log_z=messages.log_z() if done else None,
        beliefs=messages.marginals(),
        joint=joint_of(messages),
        guilty=outcome.guilty,
        exact=done and messages.graph.is_forest(),
        criterion=outcome.criterion,
        period=outcome.period,
        rate=outcome.rate,
        needed=outcome.needed,
        updates=outcome.updates,
        damping=outcome.damping,
        notes=outcome.notes,
    )
    return found if temperature in (0.0, 1.0) else cooled(messages.graph, found, temperature)


def cooled(graph: FactorGraph, found: Estimate, temperature: float) -> Estimate:
    """Bring power means back to the scale of the potentials."""

    def raised(table: FloatArray) -> FloatArray:
        powers: FloatArray = table**temperature
        powers /= powers.sum()
        return powers

    starts = graph.arrays.variable_states
    powers = found.beliefs**temperature
    totals = np.add.reduceat(powers, starts[:-1]) if powers.size else powers
    log_z = None if found.log_z is None else temperature * found.log_z
    return replace(
        found,
        log_z=log_z,
        beliefs=powers / np.repeat(totals, np.diff(starts)),
        joint=lambda scope: raised(found.joint(scope)),
    )
