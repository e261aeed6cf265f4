"""Double loop: downhill on the Bethe free energy, so that it ends where flat propagation swings.

The Bethe free energy has a concave part, (d_i - 1) times the entropy of each variable, d_i its
factors. The outer loop replaces what of it convexity does not cover by its tangent at the present
beliefs, which lies above it; the inner loop minimises the convex rest, by messages. So each outer
step lowers the free energy, and where it no longer does, messages are a fixed point of loopy
belief propagation (Yuille 2002, CCCP algorithms; Heskes, Albers and Kappen 2003, Approximate
inference and constrained optimization).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from mpnet.dense import frozen, logs_of
from mpnet.errors import NumericalError
from mpnet.estimators.base import Estimate, Observer, Options, Problem, Snapshot
from mpnet.estimators.factor_beliefs import log_partitions, segment_log_sums, states_of_edges
from mpnet.estimators.flat import flat_estimate
from mpnet.estimators.trw import refuse_temperature
from mpnet.estimators.verdicts import Outcome, contraction, iterations_needed
from mpnet.estimators.weighted import WeightedMessages
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import ALIVE, UNSAFE, FloatArray
from mpnet.messages import Messages

KEPT = 0.9
"""Share of what convexity allows of the concave part that the inner loop keeps; 1 is its limit."""

INNER_SWEEPS = 500
"""Sweeps of one inner loop, at most."""

COARSE, SHARE = 1e-6, 0.1
"""The inner loop stops at this residual (nats), or this share of the outer one, if that is less."""

ROUNDING = 1e-10
"""Relative rise of the free energy that rounding may feign."""


class DoubleLoop:
    """Provably convergent Bethe: an outer step is an iteration, each some sweeps of messages."""

    def estimate(self, problem: Problem, options: Options, observe: Observer) -> Estimate:
        """Run from uniform messages until flat propagation would move none by the tolerance."""
        refuse_temperature("double_loop", options)
        descent = Descent(problem.graph)
        outcome = descend(descent, options, observe)
        found = flat_estimate(descent.plain, outcome)
        fell = descent.values[0] - descent.values[-1] if descent.values else 0.0
        note = f"the Bethe free energy fell by {fell:.6g} nats in {descent.sweeps} sweeps"
        return replace(found, notes=(note,)) if descent.values else found


@dataclass(frozen=True)
class Split:
    """How the concave part is split: ``tangent`` weights and inner powers.

    Parameters
    ----------
    tangent : float64[B]
        Weight of each variable's entropy that is replaced by its tangent, for each state.
    power : float64[V]
        Power of beliefs in the inner loop.

    """

    tangent: FloatArray
    power: FloatArray


def split(graph: FactorGraph, kept: float) -> Split:
    """Let each factor cover a unit of its variables' concave entropies, most where most is needed.

    Minus the entropy of a factor plus a weighted mean of its variables' is convex, as it is a
    mean of conditional entropies.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.
    kept : float
        Share of that unit that is used, in [0, 1]. With 0, the inner loop is coordinate ascent
        on a concave dual, which is sure to converge.

    """
    arrays = graph.arrays
    degree = np.diff(arrays.variable_edges).astype(np.float64)
    need = degree[arrays.edge_variable] - 1.0
    total = np.bincount(graph.edge_factor, weights=need, minlength=len(graph.factors))
    share = need / np.maximum(total, 1.0)[graph.edge_factor]
    covered = kept * np.bincount(arrays.edge_variable, weights=share, minlength=degree.size)
    covered = np.minimum(covered, np.maximum(degree - 1.0, 0.0))
    tangent = np.maximum(degree - 1.0 - covered, 0.0)
    sizes = np.diff(arrays.variable_states)
    return Split(np.repeat(tangent, sizes), 1.0 / np.maximum(degree - covered, 1.0))


class Descent:
    """The state of a double loop.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.
    start : float64[S], optional
        Factor-to-variable log messages to start from; uniform where not given.

    """

    def __init__(self, graph: FactorGraph, start: FloatArray | None = None) -> None:
        self.graph = graph
        self.plain = Messages(graph, start=start)
        self.values: list[float] = []
        """The Bethe free energy after each outer step, in nats."""
        self.sweeps = 0
        self.dead_factor = self.dead_variable = -1
        sizes = np.diff(graph.arrays.variable_states)
        self.log_beliefs: FloatArray = -np.repeat(np.log(sizes), sizes)
        self._sizes = sizes
        self._order = np.arange(sizes.size, dtype=np.int32)
        self._where = states_of_edges(graph)
        self._begin(KEPT, start)

    def _begin(self, kept: float, start: FloatArray | None) -> None:
        self.kept, self.split = kept, split(self.graph, kept)
        power = self.split.power[self.graph.arrays.edge_variable]
        self.inner = WeightedMessages(self.graph, power, start=start)

    @property
    def consistent(self) -> bool:
        """Whether every factor and variable still has a possible state."""
        return self.dead_factor < 0 and self.dead_variable < 0

    def step(self, residual: float, tolerance: float) -> float:
        """One outer step; the residual that flat propagation then has, in nats.

        Parameters
        ----------
        residual : float
            That before the step, in nats.
        tolerance : float
            What the residual is to reach in the end, in nats.

        """
        before = self.log_beliefs
        while True:
            finest = 0.1 * tolerance
            target = max(finest, min(COARSE, SHARE * residual))
            self._set_tangent(before)
            while True:
                settled = self._settle(target)
                value = self._value(before) if self.consistent else np.nan
                risen = bool(self.values) and value > self.values[-1] + ROUNDING * (1 + abs(value))
                if not (risen and settled) or target <= finest:
                    break
                target = max(finest, 0.1 * target)
            if self.kept == 0.0 or not self.consistent or (settled and not risen):
                break
            # Keeping less is slower, but sure.
            self._begin(0.0, self.inner.log_messages())
        if not self.consistent:
            return np.inf
        self.values.append(value)
        return self._flat_residual()

    def _set_tangent(self, log_beliefs: FloatArray) -> None:
        """Take the tangent of what is concave at some beliefs."""
        possible = log_beliefs != -np.inf
        slopes = self.split.tangent * np.where(possible, log_beliefs, 0.0)
        power = np.repeat(self.split.power, self._sizes)
        linear = power * (np.where(possible, self.graph.unary, 0.0) + slopes)
        self.inner.unary = frozen(np.where(possible, linear, -np.inf))
        self.inner.refresh()

    def _settle(self, target: float) -> bool:
        """Sweep the inner loop until its residual is within the target; whether it got there."""
        for _ in range(INNER_SWEEPS):
            sweep = self.inner.take_turns(self._order, 0.0)
            self.sweeps += 1
            if np.isnan(sweep.residual):
                raise NumericalError(
                    f"a message of the inner loop became NaN in sweep {self.sweeps}"
                )
            if not sweep.consistent:
                self.dead_factor, self.dead_variable = sweep.dead_factor, sweep.dead_variable
                return False
            if sweep.residual <= target:
                return True
        return False

    def _value(self, before: FloatArray) -> float:
        """The Bethe free energy of the inner loop's beliefs, in nats; overwrites ``log_beliefs``.

        The inner minimum in its dual form, whose error is of second order in the residual, less
        what the tangent at the beliefs ``before`` lies above: a weighted Kullback-Leibler
        divergence.
        """
        arrays, inner = self.graph.arrays, self.inner
        totals = segment_log_sums(inner.beliefs, arrays.variable_states)
        self.log_beliefs = inner.beliefs - np.repeat(totals, self._sizes)
        said = inner.said()
        value = -self.graph.log_constant - float((totals / self.split.power).sum())
        value += float(segment_log_sums(said + inner.heard(), arrays.edge_states).sum())
        value -= float(log_partitions(self.graph, said).sum())
        beliefs = np.exp(self.log_beliefs)
        here = beliefs > 0.0
        moved = np.where(here, self.log_beliefs, 0.0) - np.where(here, before, 0.0)
        return value - float((self.split.tangent * beliefs * moved).sum())

    def _flat_residual(self) -> float:
        """What one sweep of flat propagation would change, in nats; overwrites ``plain``.

        Of states that are possible only: what is told about others has no effect.
        """
        plain = self.plain
        logs = self.inner.log_messages()
        plain.to_variable[:] = np.exp(logs) if plain.linear else logs
        plain.refresh()
        out = np.empty_like(plain.to_variable)
        _, status = plain.ask_factors(0.0, out, plain.edge_residual)
        if status == UNSAFE:
            plain.use_logs()
            _, status = plain.ask_factors(0.0, out, plain.edge_residual)
        if status != ALIVE:
            self.dead_factor = status
            return np.inf
        after = logs_of(out) if plain.linear else out
        possible = self.log_beliefs[self._where] != -np.inf
        change = np.where(possible, after, 0.0) - np.where(possible, logs, 0.0)
        if not change.size:
            return 0.0
        starts = self.graph.arrays.edge_states[:-1]
        high = np.maximum.reduceat(np.where(possible, change, -np.inf), starts)
        low = np.minimum.reduceat(np.where(possible, change, np.inf), starts)
        plain.edge_residual[:] = high - low
        return float(plain.edge_residual.max())


def descend(descent: Descent, options: Options, observe: Observer) -> Outcome:
    """Take outer steps until the residual is within the tolerance.

    Parameters
    ----------
    descent : Descent
        Where to start; holds the final messages afterwards.
    options : Options
        Tolerance (nats), the most outer steps and seconds.
    observe : callable
        Called before the first step and after each.

    Raises
    ------
    NumericalError
        If a message becomes NaN.

    """
    plain, started = descent.plain, time.monotonic()

    def show(residual: float) -> None:
        observe(Snapshot("double_loop", plain, residual, plain.edge_residual, plain.log_z))

    show(np.nan)
    if descent.graph.log_constant == -np.inf:
        reason = "a factor without variables is zero"
        return Outcome("inconsistent", reason, 0, np.inf, criterion="no_support")
    residual, residuals = np.inf, list[float]()
    while len(residuals) < options.max_iterations:
        residual = descent.step(residual, options.tolerance)
        residuals.append(residual)
        if not descent.consistent:
            return _inconsistent(descent, len(residuals))
        show(residual)
        if residual <= options.tolerance:
            break
        if time.monotonic() - started > options.time_limit:
            return _not_converged(descent, options, residuals, "time_limit")
    else:
        return _not_converged(descent, options, residuals, "max_iterations")
    reason = (
        f"converged after {_steps(len(residuals))} of {descent.sweeps} sweeps in all "
        f"(residual {residual:.1e} nats, tolerance {options.tolerance:.0e})"
    )
    return Outcome(
        "converged",
        reason,
        len(residuals),
        residual,
        criterion="tolerance",
        updates=descent.sweeps * plain.edge_residual.size,
    )


def _steps(count: int) -> str:
    return f"{count} outer step{'' if count == 1 else 's'}"


def _inconsistent(descent: Descent, count: int) -> Outcome:
    graph = descent.graph
    if descent.dead_variable >= 0:
        guilty: tuple[int, ...] = (descent.dead_variable,)
        place = f"no state of {graph.variables[descent.dead_variable].name!r} is possible"
    else:
        guilty = graph.factors[descent.dead_factor].scope
        place = f"nothing that {graph.factors[descent.dead_factor].name!r} allows is possible"
    reason = f"{place} (outer step {count})"
    return Outcome("inconsistent", reason, count, np.inf, guilty, "no_support")


def _not_converged(
    descent: Descent, options: Options, residuals: list[float], criterion: str
) -> Outcome:
    residual, rate = residuals[-1], contraction(residuals)
    needed = iterations_needed(residual, options.tolerance, rate)
    cause = "the free energy still falls"
    if needed is not None:
        cause += f", about {needed} more are needed; try max_iterations {len(residuals) + needed}"
    reason = (
        f"not converged after {_steps(len(residuals))} of {descent.sweeps} sweeps in all: residual "
        f"{residual:.1e} nats, tolerance {options.tolerance:.0e}; {cause}"
    )
    updates = descent.sweeps * descent.plain.edge_residual.size
    return Outcome(
        "max_iterations",
        reason,
        len(residuals),
        residual,
        criterion=criterion,
        rate=rate,
        needed=needed,
        updates=updates,
    )
