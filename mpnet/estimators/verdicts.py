"""How a run that did not converge is told: what the messages do, where, and what would help."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mpnet.estimators.base import Options
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages

LONGEST_PERIOD = 8
"""Longest oscillation that is recognised, in iterations."""

WINDOW = 50
"""Iterations over which contraction is measured, at most."""

ROUNDING = 2000.0
"""Residuals below this many units of the arithmetic may be rounding alone."""


@dataclass(frozen=True)
class Outcome:
    """How a loop ended; the fields are those of ``Estimate``."""

    status: str
    reason: str
    iterations: int
    residual: float
    guilty: tuple[int, ...] = ()
    criterion: str = ""
    period: int = 0
    rate: float | None = None
    needed: int | None = None
    updates: int = 0
    damping: float | None = None
    notes: tuple[str, ...] = ()


def contraction(residuals: Sequence[float]) -> float | None:
    """Factor by which the residual shrinks per iteration, or None where it can't be told.

    The slope of a straight line through the logs of the last residuals (least squares), so that
    one jump or a beat between two modes counts little.

    Parameters
    ----------
    residuals : sequence of float
        Undamped residuals in nats, one per iteration.

    """
    count = min(WINDOW, max(3, len(residuals) // 2))
    tail = np.array(residuals[-count:], dtype=np.float64)
    if tail.size < 3 or not (np.isfinite(tail).all() and (tail > 0.0).all()):
        return None
    slope = float(np.polyfit(np.arange(tail.size), np.log(tail), 1)[0])
    return math.exp(slope)


def iterations_needed(residual: float, tolerance: float, rate: float | None) -> int | None:
    """Iterations still needed at a rate of contraction; None if it does not contract."""
    if rate is None or not 0.0 < rate < 1.0 - 1e-6 or not math.isfinite(residual):
        return None
    return max(1, math.ceil(math.log(tolerance / residual) / math.log(rate)))


def period_of(recent: Sequence[FloatArray], closeness: float) -> int:
    """Smallest period with which the latest messages come back, or 0.

    Parameters
    ----------
    recent : sequence of float64[S]
        Log messages of the last iterations, the newest last.
    closeness : float
        How near they must come, as a share of what they moved in the last iteration.

    """
    if len(recent) < 3:
        return 0
    step = _moved(recent[-1], recent[-2])
    if not 0.0 < step < np.inf:
        return 0
    periods = range(2, len(recent))
    return next((p for p in periods if _moved(recent[-1], recent[-1 - p]) <= closeness * step), 0)


def _moved(now: FloatArray, then: FloatArray) -> float:
    """Largest change of an entry; ``-inf`` that stays is no change."""
    moved = now != then
    with np.errstate(invalid="ignore"):
        return float(np.abs(now[moved] - then[moved]).max(initial=0.0))


def is_rounding(residuals: Sequence[float], period: int, dtype: np.dtype[Any]) -> bool:
    """Whether the residual has gone as low as the arithmetic lets it.

    Parameters
    ----------
    residuals : sequence of float
        Undamped residuals in nats, one per iteration.
    period : int
        With which the messages repeat, or 0.
    dtype : dtype
        Of the messages.

    """
    if not residuals[-1] < ROUNDING * float(np.finfo(dtype).eps):
        return False
    if period:
        return True
    if len(residuals) < 2 * WINDOW:
        return False
    return min(residuals[-WINDOW:]) >= 0.9 * min(residuals[-2 * WINDOW : -WINDOW])


def not_converged(
    messages: Messages,
    options: Options,
    damping: float,
    residuals: Sequence[float],
    period: int,
    criterion: str,
    updates: int,
) -> Outcome:
    """Say what the messages do and which variables keep them from settling.

    Parameters
    ----------
    messages : Messages
        As the run left them.
    options : Options
        What was asked.
    damping : float
        Weight of the old message in this run.
    residuals : sequence of float
        Undamped residuals in nats, one per iteration.
    period : int
        With which the messages repeat, or 0.
    criterion : str
        What stopped the run: ``max_iterations``, ``time_limit``, ``period`` or ``rounding``.
    updates : int
        Factor-to-variable messages moved.

    """
    residual, count = residuals[-1], len(residuals)
    guilty = _guilty(messages)
    rate = contraction(residuals)
    needed = iterations_needed(residual, options.tolerance, rate)
    status, cause, advice = "max_iterations", "", ""
    damped = (1.0 - damping) * residual
    if criterion == "rounding":
        status = "stalled"
        cause = f"as near as {messages.dtype.name} gets"
        advice = f"a tolerance of {3.0 * residual:.0e} would be met"
        advice += " or use float64" if messages.dtype == np.float32 else ""
    elif period:
        status, needed = "oscillating", None
        cause = f"the messages repeat with period {period}"
        advice = _damping_advice(damping)
    elif damping > 0.0 and damped <= options.tolerance:
        status = "stalled"
        cause = (
            f"damping {damping:g} lets messages move by {damped:.0e} nats per iteration only, "
            "which is less than the tolerance, while the undamped step is not"
        )
        advice = "try less damping"
    elif needed is not None and rate is not None:
        cause = f"shrinking by {rate:.4g} per iteration, about {needed} more are needed"
        if needed > 20 * count:
            advice = "try the schedule residual"
        else:
            advice = f"try max_iterations {count + needed + needed // 10 + 1}"
    else:
        cause = "still moving" if rate is None else f"growing by {rate:.4g} per iteration"
        if rate is not None and rate < 1.0:
            cause = "still moving and hardly shrinking"
        advice = _damping_advice(damping)
        if count < WINDOW:
            advice += f", or more iterations (now {count})"
    reason = (
        f"not converged after {count} iterations{_stopped(criterion, options)}: residual "
        f"{residual:.1e} nats, tolerance {options.tolerance:.0e}; {cause}, most at "
        f"{_names(messages, guilty)}; {advice}"
    )
    return Outcome(
        status, reason, count, residual, guilty, criterion, period, rate, needed, updates
    )


def _stopped(criterion: str, options: Options) -> str:
    if criterion == "time_limit":
        return f" and {options.time_limit:g} s, the time limit"
    return " (all that were allowed)" if criterion == "max_iterations" else ""


def _damping_advice(damping: float) -> str:
    return f"try damping {0.5 if damping < 0.5 else 0.9} (now {damping:g}) or auto"


def _guilty(messages: Messages) -> tuple[int, ...]:
    """Variables at which the residual is at least half of the largest."""
    with np.errstate(invalid="ignore"):
        residuals = messages.find_edge_residual()
        worst = residuals >= 0.5 * np.nanmax(residuals, initial=0.0)
    return tuple(int(v) for v in np.unique(messages.graph.arrays.edge_variable[worst]))


def _names(messages: Messages, guilty: tuple[int, ...]) -> str:
    names = ", ".join(messages.graph.variables[v].name for v in guilty[:5])
    return names + (f" and {len(guilty) - 5} more" if len(guilty) > 5 else "")
