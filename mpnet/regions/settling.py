"""When passing on a join graph has settled, and how it is damped on the way."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mpnet.kernels.layout import ALIVE, FloatArray
from mpnet.regions.passing import Passing
from mpnet.regions.reduction import Scope

LADDER = (0.0, 0.3, 0.5, 0.7, 0.85, 0.95)
"""Damping that is tried in turn while residuals don't shrink."""

PATIENCE = 30
"""Sweeps after which more damping is tried, longer at each rung."""

LONGEST_PERIOD = 8
"""Longest oscillation that is recognised, in sweeps."""


@dataclass(frozen=True, eq=False)
class Settled:
    """How passing ended.

    Parameters
    ----------
    residuals : list of float
        Undamped residual of each sweep, in nats.
    damping : float
        Of the last sweep.
    raised : tuple of int
        Sweeps after which the damping was raised.
    period : int
        Sweeps after which the messages repeat, or 0.
    dead : tuple of int
        Ranks of a cluster that allows nothing, if one does.
    timed_out : bool
        Whether time ran out.

    """

    residuals: list[float]
    damping: float
    raised: tuple[int, ...] = ()
    period: int = 0
    dead: Scope = ()
    timed_out: bool = False

    @property
    def residual(self) -> float:
        """The last one, in nats."""
        return self.residuals[-1] if self.residuals else np.nan


def settle(
    passing: Passing,
    damping: float,
    tolerance: float,
    most_sweeps: int,
    *,
    adapt: bool = True,
    seconds: float = np.inf,
    after_sweep: Callable[[float], None] = lambda _: None,
) -> Settled:
    """Sweep until the undamped residual is within the tolerance.

    Parameters
    ----------
    passing : Passing
        Where to start; holds the final messages afterwards.
    damping : float
        Weight of the old message, in the log domain, in [0, 1).
    tolerance : float
        Residual to reach, in nats.
    most_sweeps : int
        Sweeps after which it is given up.
    adapt : bool
        Whether the damping is raised while residuals don't shrink.
    seconds : float
        Time after which it is given up.
    after_sweep : callable
        Called with the residual after each sweep.

    """
    started = time.monotonic()
    residuals: list[float] = []
    recent: deque[FloatArray] = deque(maxlen=LONGEST_PERIOD + 1)
    raised: list[int] = []
    rungs = [rung for rung in LADDER if rung > damping] if adapt else []
    while len(residuals) < most_sweeps:
        residual, dead = passing.sweep(damping)
        residuals.append(residual)
        if dead != ALIVE:
            return Settled(residuals, damping, tuple(raised), dead=passing.graph.scopes[dead])
        after_sweep(residual)
        if residual <= tolerance:
            return Settled(residuals, damping, tuple(raised))
        if time.monotonic() - started > seconds:
            return Settled(residuals, damping, tuple(raised), timed_out=True)
        if most_sweeps - len(residuals) <= LONGEST_PERIOD:
            recent.append(passing.log_messages())
        since = len(residuals) - (raised[-1] if raised else 0)
        patience = PATIENCE * (1 + len(raised))
        look = since >= patience and since % PATIENCE == 0
        if rungs and look and not _shrinks(residuals, tolerance, most_sweeps):
            damping = rungs.pop(0)
            raised.append(len(residuals))
    return Settled(residuals, damping, tuple(raised), _period(recent, residuals[-1]))


def _shrinks(residuals: list[float], tolerance: float, most_sweeps: int) -> bool:
    """Whether residuals shrink fast enough to be done within the sweeps that are left."""
    tail = np.array(residuals[-PATIENCE:])
    if not np.isfinite(tail).all() or not (tail > 0.0).all():
        return False
    slope = float(np.polyfit(np.arange(tail.size), np.log(tail), 1)[0])
    left = most_sweeps - len(residuals)
    return bool(slope < 0.0 and np.log(tolerance / tail[-1]) / slope < left)


def _period(recent: deque[FloatArray], residual: float) -> int:
    """Smallest number of sweeps after which the latest messages come back, or 0."""
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
