"""The fallback ladder: when a run does not converge, dearer means one after another.

Undamped, with computed damping, by residual, by regions, by a scheme that provably converges,
exact. Each rung is reported, those that failed as well; the first that converges answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from mpnet.errors import NumericalError, TooLargeError
from mpnet.estimators import make_estimator
from mpnet.estimators.base import Estimate, Observer, Options, Problem, Step, ignore


@dataclass(frozen=True)
class Rung:
    """A name, an estimator, and what it changes of the options."""

    name: str
    estimator: str
    change: Callable[[Options], Options] = lambda options: options


RUNGS = (
    Rung("undamped", "flat", lambda o: replace(o, damping=0.0)),
    Rung("computed damping", "flat", lambda o: replace(o, damping="auto")),
    Rung("residual", "flat", lambda o: replace(o, damping=0.0, schedule="residual")),
    Rung("region", "region"),
    Rung("double loop", "double_loop", lambda o: replace(o, damping=0.0)),
    Rung("exact", "exact", lambda o: replace(o, junction=True)),
)
"""What is tried, the cheapest first."""


def climb(problem: Problem, options: Options, observe: Observer = ignore) -> Estimate:
    """Try rung after rung until one converges or finds a contradiction.

    Parameters
    ----------
    problem : Problem
        The graph, with its evidence.
    options : Options
        As for one run; damping and schedule are chosen by the ladder.
    observe : callable
        Sees every iteration of every rung.

    Returns
    -------
    Estimate
        Of the rung that converged, or of the last that could run; ``steps`` tells all of them.

    Raises
    ------
    NumericalError
        If no rung could run at all.

    """
    steps: list[Step] = []
    found: list[Estimate] = []
    for rung in RUNGS:
        used = rung.change(options)
        started = time.perf_counter()
        try:
            estimate = make_estimator(rung.estimator).estimate(problem, used, observe)
        except (TooLargeError, NumericalError) as error:
            seconds = time.perf_counter() - started
            steps.append(Step(rung.name, None, "refused", 0, None, seconds, str(error)))
            continue
        seconds = time.perf_counter() - started
        damping = used.damping if estimate.damping is None else estimate.damping
        steps.append(
            Step(
                rung.name,
                damping if isinstance(damping, float) else None,
                estimate.status,
                estimate.iterations,
                float(estimate.residual),
                seconds,
                estimate.reason,
            )
        )
        found.append(estimate)
        if estimate.status in ("converged", "inconsistent"):
            break
    if not found:
        raise NumericalError(f"no rung of the ladder could run; the last: {steps[-1].reason}")
    told = tuple(
        f"ladder {i}, {s.name}: {s.status.replace('_', ' ')} ({s.reason})"
        for i, s in enumerate(steps, 1)
    )
    return replace(found[-1], steps=tuple(steps), notes=(*told, *found[-1].notes))
