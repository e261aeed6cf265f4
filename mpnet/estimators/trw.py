"""Tree-reweighted propagation: a convex free energy, beliefs, and a proven upper bound of log Z.

Each factor counts with the probability that it appears in a random forest of factors. The free
energy is then convex, so there is one fixed point, and it is an upper bound (Wainwright, Jaakkola
and Willsky 2005). The bound is taken from the messages as a reparameterisation, which holds
whether they have converged or not: see ``mpnet.estimators.weighted``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mpnet.errors import UsageError
from mpnet.estimators.absorbing import absorb
from mpnet.estimators.base import Estimate, Observer, Options, Problem, Snapshot
from mpnet.estimators.joints import joint_of
from mpnet.estimators.loop import propagate, settings_of
from mpnet.estimators.rounding import down, up
from mpnet.estimators.trees import edge_appearance
from mpnet.estimators.verdicts import Outcome
from mpnet.estimators.weighted import InTurn, WeightedMessages, reparameterise
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages
from mpnet.schedules.base import Schedule, Sweep
from mpnet.schedules.flooding import Flooding

SCHEDULES = ("flooding", "sequential", "random")
"""Schedules that weighted messages know."""

DAMPINGS = (0.5, 0.8, 0.95)
"""What a run that does not settle goes on with, one after another."""

WATCHED = 20
"""Sweeps whose smallest residual is compared with that of as many before them."""


class Trw:
    """Tree-reweighted propagation; ``log_z`` is the bound, above the true one on loops."""

    def estimate(self, problem: Problem, options: Options, observe: Observer) -> Estimate:
        """Run from uniform messages until the residual is within the tolerance."""
        check_options("trw", options)
        smaller = absorb(problem.graph)
        messages = weigh(smaller.graph, edge_appearance(smaller.graph, options.seed))
        outcome = run_weighted("trw", messages, options, observe, smaller.spread)
        return proven_estimate(messages, outcome)


def check_options(name: str, options: Options) -> None:
    """Refuse what weighted messages can't do.

    Parameters
    ----------
    name : str
        Of the estimator, for the message.
    options : Options
        Schedule and temperature are looked at.

    Raises
    ------
    UsageError
        If the schedule is none of ``SCHEDULES``, or the temperature is not 1.

    """
    if options.schedule not in SCHEDULES:
        raise UsageError(
            f"the estimator {name} knows the schedules {', '.join(SCHEDULES)}, "
            f"got {options.schedule!r}"
        )
    refuse_temperature(name, options)


def refuse_temperature(name: str, options: Options) -> None:
    """Refuse a temperature that is not 1, in the name of an estimator.

    Raises
    ------
    UsageError
        If it is not.

    """
    if options.temperature != 1.0:
        raise UsageError(
            f"the estimator {name} works at temperature 1 only, got {options.temperature:g}"
        )


def weigh(
    graph: FactorGraph, weights: FloatArray, start: FloatArray | None = None
) -> WeightedMessages:
    """Messages in which each factor counts with a weight, uniform unless told otherwise.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.
    weights : float64[F]
        Weight of each factor, > 0.
    start : float64[S], optional
        Factor-to-variable log messages to start from.

    Raises
    ------
    TooLargeError
        If a factor can't be raised to a power without writing its table out.

    """
    tempered = graph if (weights == 1.0).all() else graph.tempered(1.0 / weights)
    return WeightedMessages(tempered, weights[graph.edge_factor], start=start)


def run_weighted(
    name: str,
    messages: WeightedMessages,
    options: Options,
    observe: Observer,
    spread: Callable[[FloatArray], FloatArray] = lambda values: values,
) -> Outcome:
    """Propagate from the messages as they are, showing every iteration to ``observe``.

    Parameters
    ----------
    name : str
        Of the estimator, for the snapshots.
    messages : WeightedMessages
        Where to start; holds the final messages afterwards.
    options : Options
        How to run; ``damping`` is the least, and more is used where the run does not settle.
    observe : callable
        Called before the first sweep and after each.
    spread : callable
        Makes what ``observe`` sees for each edge of what there is for each edge here.

    """

    def show(residual: float) -> None:
        edges = spread(messages.edge_residual)
        observe(Snapshot(name, messages, residual, edges, messages.log_z))

    show(np.nan)
    least = 0.0 if options.damping == "auto" else float(options.damping)
    steadied = Steadied(_schedule(options), least)
    outcome = propagate(messages, replace(options, damping=least), show, steadied)
    reason = outcome.reason.replace("try the schedule residual", "try a larger tolerance")
    if steadied.damping > least and outcome.status == "converged":
        reason += f", at last with damping {steadied.damping:g}"
    return replace(outcome, reason=reason)


class Steadied:
    """A schedule that takes more damping whenever messages swing or have stopped to settle.

    A message counts to a power below one in its own update, so that messages swing where
    couplings are strong; the free energy is convex, so enough damping always helps.
    """

    def __init__(self, schedule: Schedule, damping: float) -> None:
        self.schedule, self.damping = schedule, damping
        self._residuals: list[float] = []
        self._latest: list[FloatArray] = []

    def sweep(self, messages: Messages, damping: float) -> Sweep:
        """Sweep with at least the damping asked for."""
        self.damping = max(damping, self.damping)
        sweep = self.schedule.sweep(messages, self.damping)
        self._residuals.append(sweep.residual)
        if len(self._residuals) > 2 * WATCHED - 3:
            self._latest.append(messages.log_messages())
        if len(self._residuals) == 2 * WATCHED:
            before = min(self._residuals[:WATCHED])
            now = min(self._residuals[WATCHED:])
            still = 0.98 * before < now < np.inf
            if still or (0.2 * before < now < np.inf and _swings(self._latest)):
                self.damping = next((d for d in DAMPINGS if d > self.damping), self.damping)
                self._residuals = []
            self._residuals = self._residuals[WATCHED:]
            self._latest = []
        return sweep


def _swings(latest: list[FloatArray]) -> bool:
    """Whether the last step of some messages took back the step before."""
    with np.errstate(invalid="ignore"):
        first, second = np.nan_to_num(np.diff(latest, axis=0), posinf=0.0, neginf=0.0)
    return bool(first @ second < 0.0)


def _schedule(options: Options) -> Schedule:
    if options.schedule == "flooding":
        return Flooding()
    return InTurn(settings_of(options), random=options.schedule == "random")


def proven_estimate(messages: WeightedMessages, outcome: Outcome) -> Estimate:
    """The estimate of messages whose weights are appearance probabilities in forests.

    Parameters
    ----------
    messages : WeightedMessages
        Converged or not.
    outcome : Outcome
        How their run ended.

    """
    found = weighted_estimate(messages, outcome)
    if outcome.status == "inconsistent":
        return found
    stand = reparameterise(messages)
    high = up(stand.upper)
    if (messages.edge_power == 1.0).all() and messages.graph.is_forest():
        low = down(stand.constant + stand.below)
        return replace(found, bounds=(low, high), exact=outcome.status == "converged")
    note = f"log Z is at most {high:.8g}: proven, whether the run has converged or not"
    return replace(found, bounds=(None, high), notes=(note,))


def weighted_estimate(messages: WeightedMessages, outcome: Outcome) -> Estimate:
    """The estimate of any weighted messages, without bounds.

    Parameters
    ----------
    messages : WeightedMessages
        Converged or not.
    outcome : Outcome
        How their run ended.

    """
    return Estimate(
        status=outcome.status,
        reason=outcome.reason,
        iterations=outcome.iterations,
        residual=outcome.residual,
        log_z=messages.log_z() if outcome.status == "converged" else None,
        beliefs=messages.marginals(),
        joint=joint_of(messages),
        guilty=outcome.guilty,
        criterion=outcome.criterion,
        period=outcome.period,
        rate=outcome.rate,
        needed=outcome.needed,
        updates=outcome.updates,
    )
