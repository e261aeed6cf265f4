"""Messages that count to powers, and the bound of log Z that they prove at any time.

Notation: factor a appears with probability rho_a in a random forest of factors; beliefs of any
messages m are

    b_i(x)   proportional to psi_i(x) prod_a m_ai(x)^rho_a
    b_a(x_a) proportional to psi_a(x_a)^(1/rho_a) prod_i b_i(x_i) / m_ai(x_i)

and always, converged or not, there is a constant C with

    log p(x) = C + sum_i log b_i(x_i) + sum_a rho_a log [b_a(x_a) / prod_i b_i(x_i)].

Averaging over forests T by Hoelder's inequality, log Z <= C + sum_T w_T log Z_T, where Z_T is the
sum over x of prod_i b_i prod_{a in T} b_a / prod_i b_i. Summing variables out from the leaves,
each factor gives at most delta_a = max over i in a and x of log [b_a(x_i) / b_i(x_i)]; hence

    log Z <= C + sum_a rho_a delta_a.

At a fixed point all delta_a are zero and C is the tree-reweighted free energy (Wainwright,
Jaakkola and Willsky 2005, A new class of upper bounds on the log partition function).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from mpnet.dense import frozen, logs_of
from mpnet.estimators.factor_beliefs import (
    Chunk,
    chunks,
    log_partitions,
    segment_log_sums,
    states_of_edges,
)
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import UNSAFE, FloatArray, IndexArray
from mpnet.kernels.semiring import LogSum
from mpnet.kernels.variables import marginals
from mpnet.kernels.weighted import weigh_from_variables, weigh_in_turn
from mpnet.messages import Messages
from mpnet.schedules.base import Settings, Sweep


class WeightedMessages(Messages):
    """The messages of a run in which each counts to a power; ``beliefs`` holds logs (nats).

    Letters of shapes are those of ``mpnet.kernels.layout``. *Evolving.*

    Parameters
    ----------
    graph : FactorGraph
        The graph whose factors are as they act in messages: tempered by one over their weight.
    edge_power : float64[E]
        Power of each factor-to-variable message.
    unary : float64[B], optional
        Log unary potentials used instead of the graph's.
    start : float64[S], optional
        Factor-to-variable log messages to start from (copied); uniform where not given.
    space : str
        ``auto``, ``linear`` or ``log``.

    """

    def __init__(
        self,
        graph: FactorGraph,
        edge_power: FloatArray,
        unary: FloatArray | None = None,
        start: FloatArray | None = None,
        *,
        space: str = "auto",
    ) -> None:
        self.edge_power: FloatArray = frozen(edge_power)
        super().__init__(graph, unary, start, space=space)

    def _send_from_variables(self) -> int:
        arrays = self.graph.arrays
        return weigh_from_variables(
            self.semiring,
            arrays,
            self.unary,
            self.edge_power,
            0,
            arrays.variable_states.size - 1,
            self.limits,
            self.to_variable,
            self.to_factor,
            self.beliefs,
        )

    def take_turns(self, order: IndexArray, damping: float) -> Sweep:
        """Let variables take turns; each hears all its factors and then speaks to all.

        Parameters
        ----------
        order : int32[...]
            Variables.
        damping : float
            Weight of the old message, in the log domain, in [0, 1).

        """
        if not self.graph.families:
            return Sweep(0.0, -1, self.refresh())
        while True:
            residual, factor, variable = weigh_in_turn(
                self.semiring,
                self.graph.arrays,
                self.graph.edge_factor,
                self.family_arrays,
                self.unary,
                self.edge_power,
                order,
                self.limits,
                float(damping),
                self.to_variable,
                self.to_factor,
                self.beliefs,
                np.empty_like(self.to_variable),
                self.edge_residual,
            )
            if UNSAFE not in (factor, variable):
                break
            self.use_logs()
        return Sweep(residual, factor, variable, self.edge_residual.size)

    def said(self) -> FloatArray:
        """Variable-to-factor messages as logs, in nats, shape (S,); a copy."""
        return logs_of(self.to_factor) if self.linear else self.to_factor.copy()

    def heard(self) -> FloatArray:
        """Factor-to-variable messages as logs, in nats, shape (S,), scaled as they are; a copy."""
        return logs_of(self.to_variable) if self.linear else self.to_variable.copy()

    def marginals(self) -> FloatArray:
        """Beliefs as probabilities, shape (B,); NaN for a variable that is left impossible."""
        out = np.empty(self.beliefs.size)
        marginals(LogSum(), self.graph.arrays.variable_states, self.beliefs, out)
        return out

    def log_z(self) -> float:
        """The constant C of the reparameterisation, in nats: the free energy at a fixed point."""
        said = self.said()
        weights = self.edge_power[self.graph.arrays.factor_edges[:-1]]
        local = log_partitions(self.graph, said)
        return constant_of_variables(self, said) + float(weights @ local)

    def fresh(self) -> FloatArray:
        """What factors would say to what variables say, as logs, in nats, shape (S,)."""
        out, changes = np.empty_like(self.to_variable), np.empty_like(self.edge_residual)
        if self.ask_factors(0.0, out, changes)[1] == UNSAFE:
            self.use_logs()
            out = np.empty_like(self.to_variable)
            self.ask_factors(0.0, out, changes)
        return logs_of(out) if self.linear else out


class InTurn:
    """A schedule for weighted messages: variables in the order of their indices, or at random."""

    def __init__(self, settings: Settings | None = None, random: bool = False) -> None:
        self._draw = np.random.default_rng((settings or Settings()).seed) if random else None

    def sweep(self, messages: Messages, damping: float) -> Sweep:
        """Update every message once."""
        order = np.arange(len(messages.graph.variables))
        if self._draw is not None:
            order = self._draw.permutation(order)
        weighted = cast(WeightedMessages, messages)
        return weighted.take_turns(order.astype(np.int32), damping)


@dataclass(frozen=True)
class Reparameterised:
    """What messages say about the whole distribution.

    Parameters
    ----------
    constant : float
        C, in nats: the free energy at a fixed point.
    above, below : float
        Sum over factors of rho times the largest and the smallest log [b_a(x_i) / b_i(x_i)],
        in nats; both are 0 at a fixed point.
    information : float64[F]
        Mutual (multi-) information of each factor's belief, in nats; NaN unless asked for, and
        for factors that are no tables.

    """

    constant: float
    above: float
    below: float
    information: FloatArray

    @property
    def upper(self) -> float:
        """Upper bound of log Z if the powers are appearance probabilities in forests, in nats."""
        return self.constant + self.above


def constant_of_variables(messages: WeightedMessages, said: FloatArray) -> float:
    """The part of C that variables and edges make, in nats; ``-inf`` if one has no possible state.

    Parameters
    ----------
    messages : WeightedMessages
        With one power for all edges of a factor.
    said : float64[S]
        What its variables say, as logs.

    """
    arrays = messages.graph.arrays
    overlaps = segment_log_sums(said + messages.heard(), arrays.edge_states)
    totals = segment_log_sums(messages.beliefs, arrays.variable_states)
    if (totals == -np.inf).any():
        return -np.inf
    edges = float(messages.edge_power @ overlaps)
    return float(messages.graph.log_constant + totals.sum() - edges)


def reparameterise(messages: WeightedMessages, information: bool = False) -> Reparameterised:
    """Take present messages as a reparameterisation of the distribution.

    Parameters
    ----------
    messages : WeightedMessages
        With one power for all edges of a factor.
    information : bool
        Whether to compute mutual informations, too.

    """
    graph = messages.graph
    informations = np.full(len(graph.factors), np.nan)
    fresh = messages.fresh()
    said = messages.said()
    constant = constant_of_variables(messages, said)
    if constant == -np.inf:
        return Reparameterised(-np.inf, 0.0, 0.0, informations)
    weights = messages.edge_power[graph.arrays.factor_edges[:-1]]
    constant += float(weights @ log_partitions(graph, said))
    high, low = _mismatch(messages, said, fresh)
    if information:
        for chunk in chunks(graph, said):
            informations[chunk.first : chunk.last] = _information(chunk)
    return Reparameterised(constant, float(weights @ high), float(weights @ low), informations)


def _mismatch(
    messages: WeightedMessages, said: FloatArray, fresh: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Largest and smallest log ratio of factors' marginals to their variables' beliefs, (F,) each.

    A factor's marginal is what its variable says times what the factor would answer.
    """
    arrays = messages.graph.arrays
    if not said.size:
        return np.zeros(0), np.zeros(0)
    totals = segment_log_sums(messages.beliefs, arrays.variable_states)
    logs = messages.beliefs - np.repeat(totals, np.diff(arrays.variable_states))
    marginals = said + fresh
    sums = segment_log_sums(marginals, arrays.edge_states)
    here = logs[states_of_edges(messages.graph)]
    possible = here != -np.inf
    ratio = marginals - np.repeat(sums, np.diff(arrays.edge_states)) - np.where(possible, here, 0.0)
    high = np.maximum.reduceat(np.where(possible, ratio, -np.inf), arrays.edge_states[:-1])
    low = np.minimum.reduceat(np.where(possible, ratio, np.inf), arrays.edge_states[:-1])
    starts = arrays.factor_edges[:-1]
    return np.maximum.reduceat(high, starts), np.minimum.reduceat(low, starts)


def _information(chunk: Chunk) -> FloatArray:
    """Sum of the entropies of a factor's marginals less that of its belief, in nats, (n,)."""
    beliefs = chunk.beliefs()
    result = -_entropies(beliefs.reshape(len(beliefs), -1))
    for axis in range(beliefs.ndim - 1):
        result += _entropies(chunk.marginal(beliefs, axis))
    return result


def _entropies(rows: FloatArray) -> FloatArray:
    logs = np.log(np.where(rows > 0.0, rows, 1.0))
    result: FloatArray = -(rows * logs).sum(axis=1)
    return result
