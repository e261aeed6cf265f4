"""Naive mean field: the best distribution in which all variables are independent.

Its bound, expected log potentials plus entropies, is below log Z whatever the distribution, and
each update raises it or leaves it as it is (Jordan, Ghahramani, Jaakkola and Saul 1999).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from mpnet.dense import DenseTables, frozen, logs_of
from mpnet.errors import NumericalError
from mpnet.estimators.base import Estimate, Observer, Options, Problem, Snapshot
from mpnet.estimators.rounding import down
from mpnet.estimators.spelling import spell_out
from mpnet.estimators.support import VISITS, Support
from mpnet.estimators.trw import refuse_temperature
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray, TableArrays
from mpnet.kernels.mean_field import ascend, bound
from mpnet.messages import Messages
from mpnet.schedules.flooding import Flooding

GUESS_SWEEPS = 30
"""Damped sweeps of flat propagation that the first start comes from."""


@dataclass
class Fit:
    """One ascent: a distribution and its bound.

    ``q`` and ``log_q`` hold each variable's distribution, float64[B]; ``bound`` is in nats,
    constants included; ``residual`` is the last change, in nats.
    """

    q: FloatArray
    log_q: FloatArray
    bound: float
    residual: float = np.nan
    iterations: int = 0


def _ignore(_: Fit) -> None:
    """Nobody watches."""


class MeanField:
    """Coordinate ascent from ``options.starts`` starts; the one with the highest bound is kept."""

    def estimate(self, problem: Problem, options: Options, observe: Observer) -> Estimate:
        """Run; every bound is proven, whether the run has converged or not."""
        refuse_temperature("mean_field", options)
        graph = problem.graph
        field = Field(graph)
        best: Fit | None = None
        bounds = []
        for number, start in enumerate(field.starts(options)):
            watched = (lambda fit: observe(field.snapshot(fit))) if number == 0 else _ignore
            fit = field.ascent(start, options, watched)
            bounds.append(fit.bound)
            if best is None or fit.bound > best.bound:
                best = fit
        if best is None:
            return _without_start(graph, field)
        done = best.residual <= options.tolerance
        plural = "" if best.iterations == 1 else "s"
        reason = (
            f"{'' if done else 'not '}converged after {best.iterations} iteration{plural} "
            f"(residual {best.residual:.1e} nats, tolerance {options.tolerance:.0e})"
        )
        same = sum(best.bound - other <= 1e-6 * (1.0 + abs(best.bound)) for other in bounds)
        note = (
            f"log Z is at least {down(best.bound):.8g}: proven, whether the run has converged or not; "
            f"{same} of {len(bounds)} starts led there"
        )
        return Estimate(
            status="converged" if done else "max_iterations",
            reason=reason,
            iterations=best.iterations,
            residual=best.residual,
            log_z=best.bound if done else None,
            beliefs=best.q[: graph.unary.size],
            joint=lambda scope: product(graph, best.q, scope),
            bounds=(down(best.bound), None),
            notes=(note,),
            criterion="tolerance" if done else "max_iterations",
        )


class Field:
    """A graph made ready for mean field: tables of all factors, and where starts may be.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.

    Raises
    ------
    TooLargeError
        If a factor has neither a small table nor small parts.

    """

    def __init__(self, graph: FactorGraph) -> None:
        self.original = graph
        self.graph = spell_out(graph)
        self.tables = tables_of(self.graph)
        self.support = Support(self.graph, len(graph.variables))
        self.messages = Messages(graph)
        self._nothing = np.full(graph.arrays.edge_variable.size, np.nan)

    def snapshot(self, fit: Fit) -> Snapshot:
        """What an observer sees of one iteration."""
        rows = Rows(self.original, fit.q)
        return Snapshot(
            "mean_field",
            self.messages,
            fit.residual,
            self._nothing,
            lambda: self.value(fit.log_q),
            rows,
        )

    def starts(self, options: Options) -> Iterator[FloatArray]:
        """Log probabilities to start from, float64[B] each, all with a bound above ``-inf``."""
        draw = np.random.default_rng(options.seed)
        if self.graph.log_constant == -np.inf:
            self.support.exhausted = True
            return
        alive = self.support.possible()
        if alive is None:
            return
        guess = self._guess(alive)
        for number in range(options.starts):
            logs = guess if number == 0 else np.where(guess == -np.inf, guess, 0.0)
            if number > 1:
                logs = logs + draw.normal(size=logs.size) * 3.0
            logs = self._normalised(logs)
            if self.support.allowed and self.value(logs) == -np.inf:
                if number and self.support.spent > VISITS // 2:
                    return
                found = self.support.find(logs)
                if found is None:
                    return
                at = self.graph.arrays.variable_states[:-1] + found
                logs = np.full(logs.size, -np.inf)
                logs[at] = 0.0
            yield logs

    def _guess(self, alive: NDArray[np.bool_]) -> FloatArray:
        """What flat propagation believes after some damped sweeps, as logs, shape (B,)."""
        schedule = Flooding()
        for _ in range(GUESS_SWEEPS):
            sweep = schedule.sweep(self.messages, 0.5)
            if not sweep.consistent or sweep.residual < 1e-3:
                break
        guess = np.zeros(alive.size)
        known = np.nan_to_num(logs_of(self.messages.marginals()), nan=0.0)
        guess[: known.size] = known
        # No state that may be possible is ruled out on the word of messages.
        return np.where(alive, np.maximum(guess, -50.0), -np.inf)

    def _normalised(self, logs: FloatArray) -> FloatArray:
        starts = self.graph.arrays.variable_states
        sizes = np.diff(starts)
        best = np.maximum.reduceat(logs, starts[:-1]) if logs.size else logs
        best = np.where(best == -np.inf, 0.0, best)
        logs = logs - np.repeat(best, sizes)
        if not logs.size:
            return logs
        return logs - np.repeat(logs_of(np.add.reduceat(np.exp(logs), starts[:-1])), sizes)

    def value(self, log_q: FloatArray) -> float:
        """The bound of a distribution given as log probabilities, in nats."""
        graph = self.graph
        low = bound(graph.arrays, self.tables, graph.unary, log_q, np.exp(log_q))
        return graph.log_constant + float(low)

    def ascent(
        self, start: FloatArray, options: Options, watch: Callable[[Fit], None] = lambda _: None
    ) -> Fit:
        """Climb from a start until no probability changes by more than the tolerance.

        Parameters
        ----------
        start : float64[B]
            Log probabilities, with a bound above ``-inf``.
        options : Options
            Tolerance (nats), the most sweeps and seconds.
        watch : callable
            Called at the start and after each sweep with the fit, always the same object; its
            ``bound`` is that of the start until the end.

        Raises
        ------
        NumericalError
            If a probability becomes NaN.

        """
        graph, began = self.graph, time.monotonic()
        fit = Fit(np.exp(start), start.copy(), self.value(start))
        watch(fit)
        order = np.arange(len(graph.variables), dtype=np.int32)
        while fit.iterations < options.max_iterations:
            fit.residual, _ = ascend(
                graph.arrays,
                graph.edge_factor,
                self.tables,
                graph.unary,
                order,
                fit.log_q,
                fit.q,
            )
            fit.iterations += 1
            if np.isnan(fit.residual):
                raise NumericalError(f"a probability became NaN in iteration {fit.iterations}")
            watch(fit)
            late = time.monotonic() - began > options.time_limit
            if fit.residual <= options.tolerance or late:
                break
        fit.bound = self.value(fit.log_q)
        return fit


class Rows(Mapping[int, FloatArray]):
    """The slices of an array of beliefs by variable, made when asked for."""

    def __init__(self, graph: FactorGraph, beliefs: FloatArray) -> None:
        self._graph, self._beliefs = graph, beliefs

    def __getitem__(self, variable: int) -> FloatArray:
        """Belief of one variable."""
        return self._beliefs[self._graph.states_of(variable)]

    def __iter__(self) -> Iterator[int]:
        """Every variable."""
        return iter(range(len(self._graph.variables)))

    def __len__(self) -> int:
        """How many variables there are."""
        return len(self._graph.variables)


def tables_of(graph: FactorGraph) -> TableArrays:
    """Log tables of all factors as one family.

    Parameters
    ----------
    graph : FactorGraph
        All factors dense; not modified.

    """
    starts, parts, total = [np.empty(0, dtype=np.int64)], [np.empty(0)], 0
    for family in graph.families:
        content = cast(DenseTables, family.content)
        values = content.values if content.log else logs_of(content.values)
        starts.append(total + content.factor_table.astype(np.int64))
        parts.append(values)
        total += values.size
    return TableArrays(0, frozen(np.concatenate(starts), np.int32), frozen(np.concatenate(parts)))


def product(graph: FactorGraph, q: FloatArray, scope: tuple[int, ...]) -> FloatArray:
    """Joint belief over a scope: all variables are independent.

    Parameters
    ----------
    graph : FactorGraph
        The graph.
    q : float64[B]
        Probabilities.
    scope : tuple of int
        Variables; one axis each.

    """
    table: FloatArray = np.ones(())
    for variable in scope:
        table = np.multiply.outer(table, q[graph.states_of(variable)])
    return table


def _without_start(graph: FactorGraph, field: Field) -> Estimate:
    proven = field.support.exhausted
    reason = (
        "no assignment is possible: a search has been through all"
        if proven
        else "no possible assignment to start from was found; mean field needs one"
    )
    nothing = np.full(graph.unary.size, np.nan)
    return Estimate(
        status="inconsistent" if proven else "stalled",
        reason=reason,
        iterations=0,
        residual=np.inf,
        log_z=None,
        beliefs=nothing,
        joint=lambda scope: product(graph, nothing, scope),
        criterion="no_support",
    )
