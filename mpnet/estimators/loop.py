"""The loop around a schedule: when to stop, and what to say about it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mpnet.errors import NumericalError
from mpnet.estimators.base import Joint, Options
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages
from mpnet.schedules import make_schedule
from mpnet.schedules.base import Settings, Sweep

LONGEST_PERIOD = 8
"""Longest oscillation that is recognised, in iterations."""


@dataclass(frozen=True)
class Outcome:
    """How a loop ended; the fields are those of ``Estimate``."""

    status: str
    reason: str
    iterations: int
    residual: float
    guilty: tuple[int, ...] = ()


def propagate(
    messages: Messages, options: Options, after_sweep: Callable[[float], None] = lambda _: None
) -> Outcome:
    """Sweep until the undamped residual is within the tolerance, or it is clear it won't be.

    Parameters
    ----------
    messages : Messages
        Where to start; holds the final messages afterwards.
    options : Options
        Schedule, damping, tolerance (nats) and the most sweeps.
    after_sweep : callable
        Called with the residual after each sweep.

    Raises
    ------
    NumericalError
        If a message becomes NaN; names the factor and the iteration.

    """
    schedule = make_schedule(options.schedule, settings_of(options))
    recent: deque[FloatArray] = deque(maxlen=LONGEST_PERIOD + 1)
    residual, iteration = np.nan, 0
    if messages.graph.log_constant == -np.inf:
        return Outcome("inconsistent", "a factor without variables is zero", 0, np.inf)
    while iteration < options.max_iterations:
        sweep = schedule.sweep(messages, options.damping)
        residual, iteration = sweep.residual, iteration + 1
        if np.isnan(residual):
            raise NumericalError(_nan_message(messages, iteration))
        if not sweep.consistent:
            return _inconsistent(messages.graph, sweep, iteration)
        after_sweep(residual)
        if residual <= options.tolerance:
            plural = "" if iteration == 1 else "s"
            reason = (
                f"converged after {iteration} iteration{plural} "
                f"(residual {residual:.1e} nats, tolerance {options.tolerance:.0e})"
            )
            return Outcome("converged", reason, iteration, residual)
        if options.max_iterations - iteration <= LONGEST_PERIOD:
            recent.append(messages.log_messages())
    return _not_converged(messages, options, iteration, residual, list(recent))


def settings_of(options: Options) -> Settings:
    """What the schedule of a run may want to know."""
    return Settings(options.tolerance, options.seed, options.loss, options.delay)


def joint_of(messages: Messages) -> Joint:
    """Joint beliefs of the present messages: a factor's, or independent where none joins them."""
    graph = messages.graph
    marginals = messages.marginals()

    def joint(scope: tuple[int, ...]) -> FloatArray:
        if len(scope) == 1:
            return marginals[graph.states_of(scope[0])]
        for number in graph.factors_at[scope[0]]:
            around = graph.factors[number].scope
            if set(scope) <= set(around):
                return marginalise(messages.factor_belief(number), around, scope)
        # No factor is left between them: the compile pass dropped one that said nothing.
        table = np.ones(())
        for variable in scope:
            table = np.multiply.outer(table, marginals[graph.states_of(variable)])
        return table

    return joint


def marginalise(table: FloatArray, scope: tuple[int, ...], onto: tuple[int, ...]) -> FloatArray:
    """Sum a table over the variables of ``scope`` that are not in ``onto``, in the latter's order."""
    gone = tuple(axis for axis, variable in enumerate(scope) if variable not in onto)
    left = [variable for variable in scope if variable in onto]
    result: FloatArray = table.sum(axis=gone).transpose([left.index(v) for v in onto])
    return result


def _inconsistent(graph: FactorGraph, sweep: Sweep, iteration: int) -> Outcome:
    if sweep.dead_variable >= 0:
        guilty: tuple[int, ...] = (sweep.dead_variable,)
        place = f"no state of {graph.variables[sweep.dead_variable].name!r} is possible"
    else:
        guilty = graph.factors[sweep.dead_factor].scope
        place = f"nothing that {graph.factors[sweep.dead_factor].name!r} allows is possible"
    return Outcome("inconsistent", f"{place} (iteration {iteration})", iteration, np.inf, guilty)


def _nan_message(messages: Messages, iteration: int) -> str:
    edges = np.flatnonzero(np.isnan(messages.edge_residual))
    starts = messages.graph.arrays.factor_edges
    factor = int(np.searchsorted(starts, edges[0], side="right")) - 1 if edges.size else 0
    name = messages.graph.factors[factor].name
    return (
        f"a message of factor {name!r} became NaN in iteration {iteration}; nothing was concluded"
    )


def _not_converged(
    messages: Messages,
    options: Options,
    iteration: int,
    residual: float,
    recent: list[FloatArray],
) -> Outcome:
    graph = messages.graph
    worst = messages.edge_residual >= 0.5 * np.nanmax(messages.edge_residual)
    guilty = tuple(int(v) for v in np.unique(graph.arrays.edge_variable[worst]))
    names = ", ".join(graph.variables[v].name for v in guilty[:5])
    names += f" and {len(guilty) - 5} more" if len(guilty) > 5 else ""
    period = _period(recent, residual)
    cause = f"the messages repeat with period {period}" if period else "still moving"
    advice = f"try damping {0.5 if options.damping < 0.5 else 0.9} (now {options.damping:g})"
    if not period and options.max_iterations < 1000:
        advice += f" or more iterations (now {options.max_iterations})"
    reason = (
        f"not converged after {iteration} iterations: residual {residual:.1e} nats, "
        f"tolerance {options.tolerance:.0e}; {cause}, most at {names}; {advice}"
    )
    status = "oscillating" if period else "max_iterations"
    return Outcome(status, reason, iteration, residual, guilty)


def _period(recent: list[FloatArray], residual: float) -> int:
    """Smallest period with which the latest messages come back, or 0."""
    if not np.isfinite(residual):
        return 0
    for period in range(2, len(recent)):
        now, then = recent[-1], recent[-1 - period]
        moved = now != then
        with np.errstate(invalid="ignore"):
            change = np.abs(now[moved] - then[moved])
        if not change.size or change.max() <= 1e-3 * residual:
            return period
    return 0
