"""The loop around a schedule: when to stop, and what to say about it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mpnet.errors import NumericalError
from mpnet.estimators.base import Options
from mpnet.estimators.verdicts import (
    LONGEST_PERIOD,
    Outcome,
    is_rounding,
    not_converged,
    period_of,
)
from mpnet.families.registering import origin_of
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages
from mpnet.schedules import make_schedule
from mpnet.schedules.base import Schedule, Settings, Sweep

EVERY = 100
"""Iterations between two looks for an exact repetition or a residual that is rounding alone."""

AfterSweep = Callable[[float], None]


def propagate(
    messages: Messages,
    options: Options,
    after_sweep: AfterSweep = lambda _: None,
    schedule: Schedule | None = None,
) -> Outcome:
    """Sweep until the undamped residual is within the tolerance, or it is clear it won't be.

    Parameters
    ----------
    messages : Messages
        Where to start; holds the final messages afterwards.
    options : Options
        Schedule, damping, tolerance (nats), the most sweeps and seconds.
    after_sweep : callable
        Called with the residual after each sweep.
    schedule : Schedule, optional
        Used instead of the one that the options name; damping must be a number then.

    Raises
    ------
    NumericalError
        If a message becomes NaN; names the factor and the iteration.

    """
    if options.damping == "auto":
        from mpnet.estimators.damping import propagate_auto

        return propagate_auto(messages, options, after_sweep)
    damping = float(options.damping)
    schedule = schedule or make_schedule(options.schedule, settings_of(options))
    recent: deque[FloatArray] = deque(maxlen=LONGEST_PERIOD + 1)
    residuals: list[float] = []
    updates = 0
    started = time.monotonic()
    if messages.graph.log_constant == -np.inf:
        reason = "a factor without variables is zero"
        return Outcome("inconsistent", reason, 0, np.inf, criterion="no_support")
    while len(residuals) < options.max_iterations:
        sweep = schedule.sweep(messages, damping)
        residual = sweep.residual
        residuals.append(residual)
        updates += sweep.updates
        iteration = len(residuals)
        if np.isnan(residual):
            raise NumericalError(_nan_message(messages, iteration))
        if not sweep.consistent:
            return replace(_inconsistent(messages.graph, sweep, iteration), updates=updates)
        after_sweep(residual)
        if residual <= options.tolerance:
            plural = "" if iteration == 1 else "s"
            reason = (
                f"converged after {iteration} iteration{plural} "
                f"(residual {residual:.1e} nats, tolerance {options.tolerance:.0e})"
            )
            return Outcome(
                "converged", reason, iteration, residual, criterion="tolerance", updates=updates
            )
        if time.monotonic() - started > options.time_limit:
            return not_converged(messages, options, damping, residuals, 0, "time_limit", updates)
        if _watched(iteration, options.max_iterations):
            recent.append(messages.log_messages())
        if iteration % EVERY == 0:
            period = period_of(recent, 1e-7)
            rounding = is_rounding(residuals, period, messages.dtype)
            if period or rounding:
                stop = "rounding" if rounding else "period"
                return not_converged(messages, options, damping, residuals, period, stop, updates)
    period = period_of(recent, 1e-3)
    stop = "rounding" if is_rounding(residuals, period, messages.dtype) else "max_iterations"
    return not_converged(messages, options, damping, residuals, period, stop, updates)


def settings_of(options: Options) -> Settings:
    """What the schedule of a run may want to know."""
    return Settings(options.tolerance, options.seed, options.loss, options.delay)


def _watched(iteration: int, most: int) -> bool:
    """Whether the messages of this iteration may be compared with later ones."""
    return most - iteration <= LONGEST_PERIOD or -iteration % EVERY <= LONGEST_PERIOD


def _inconsistent(graph: FactorGraph, sweep: Sweep, iteration: int) -> Outcome:
    if sweep.dead_variable >= 0:
        guilty: tuple[int, ...] = (sweep.dead_variable,)
        place = f"no state of {graph.variables[sweep.dead_variable].name!r} is possible"
    else:
        guilty = graph.factors[sweep.dead_factor].scope
        place = f"nothing that {graph.factors[sweep.dead_factor].name!r} allows is possible"
    reason = f"{place} (iteration {iteration})"
    return Outcome("inconsistent", reason, iteration, np.inf, guilty, "no_support")


def _nan_message(messages: Messages, iteration: int) -> str:
    edges = np.flatnonzero(np.isnan(messages.find_edge_residual()))
    starts = messages.graph.arrays.factor_edges
    factor = int(np.searchsorted(starts, edges[0], side="right")) - 1 if edges.size else 0
    name = messages.graph.factors[factor].name
    family = next((f for f in messages.graph.families if f.first <= factor < f.last), None)
    origin = origin_of(family.kind) if family else ""
    whose = f" (family {family.kind!r} of {origin})" if family and origin else ""
    return (
        f"a message of factor {name!r}{whose} became NaN in iteration {iteration}; "
        "nothing was concluded"
    )
