"""The Bethe free energy of beliefs, and whether they are a stationary point of it.

J. S. Yedidia, W. T. Freeman and Y. Weiss, Constructing Free-Energy Approximations and Generalized
Belief Propagation Algorithms, IEEE Transactions on Information Theory 51 (2005): fixed points of
sum-product are the stationary points of this function of beliefs that agree with each other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mpnet.analysis.beliefs import fitted, log_beliefs, log_heard, log_sum
from mpnet.analysis.sweeps import next_messages
from mpnet.analysis.tables import Batch, batches, entry_beliefs
from mpnet.graph import FactorGraph
from mpnet.kernels.families import FAMILIES
from mpnet.kernels.layout import FloatArray
from mpnet.kernels.semiring import LogSum
from mpnet.messages import Messages


class FreeEnergy(NamedTuple):
    """Bethe free energy of some beliefs, in nats.

    Parameters
    ----------
    energy : float or None
        Average of minus the log potentials; None where a factor is too large to be written out.
    entropy : float or None
        Bethe's approximation of the entropy; None where the energy is.
    value : float
        Energy less entropy; at a fixed point minus the Bethe log partition sum.

    """

    energy: float | None
    entropy: float | None
    value: float


def free_energy(messages: Messages) -> FreeEnergy:
    """The Bethe free energy of the beliefs that some messages tell.

    Parameters
    ----------
    messages : Messages
        Of sum-product; not modified.

    Raises
    ------
    InconsistentError
        If some variable has no possible state; names it.

    """
    graph = messages.graph
    beliefs = log_beliefs(messages)
    heard = log_heard(messages)
    degrees = np.diff(graph.arrays.variable_edges)
    counting = np.repeat(degrees - 1, np.diff(graph.arrays.variable_states))
    energy = -graph.log_constant - _average(beliefs, messages.unary)
    entropy = float((counting * _weighted(beliefs, beliefs)).sum())
    rest, known = 0.0, True
    for batch in batches(graph):
        if batch.tables is None:
            known = False
            rest += _untold(messages, batch, heard)
            continue
        scores = batch.tables
        for axis in range(scores.ndim - 1):
            scores = scores + batch.with_axes(heard, axis)
        scores = scores - log_sum(scores, tuple(range(1, scores.ndim)))
        energy -= _average(scores, batch.tables)
        entropy -= _average(scores, scores)
    value = energy - entropy + rest
    return FreeEnergy(energy, entropy, value) if known else FreeEnergy(None, None, value)


def _weighted(logs: FloatArray, values: FloatArray) -> FloatArray:
    """Probabilities times values, 0 where the probability is."""
    probabilities = np.exp(logs)
    return probabilities * np.where(probabilities > 0.0, values, 0.0)


def _average(logs: FloatArray, values: FloatArray) -> float:
    return float(_weighted(logs, values).sum())


def _untold(messages: Messages, batch: Batch, heard: FloatArray) -> float:
    """Average of log (belief / potential) over factors without tables.

    The belief is the potential times what the factor hears over a sum Z, so that this is the
    average of the logs of what it hears, less log Z; sums come from the factors' kernels.
    """
    graph = messages.graph
    first, last = int(batch.factors[0]), int(batch.factors[-1]) + 1
    family = next(f for f in graph.families if f.first <= first < f.last)
    arrays, scale = family.arrays(False)
    semiring = LogSum(np.float64(-np.inf), np.float64(0.0))
    said = np.zeros_like(heard)
    kernels = FAMILIES[family.kind]
    kernels.send(
        semiring, graph.arrays, arrays, first, last, heard, said.copy(), said, 0.0, np.empty(0)
    )
    total = kernels.log_partition(semiring, graph.arrays, arrays, first, last, heard)
    result = -float(total) - scale * (last - first) / (family.last - family.first)
    for entries in batch.entries:
        scores = heard[entries] + said[entries]
        result += _average(scores - log_sum(scores, (1,)), heard[entries])
    return result


def bethe_gradient(messages: Messages) -> FloatArray:
    """How the Bethe free energy changes with the beliefs of variables, factors following.

    Beliefs of factors are those of least free energy that agree with the variables'. The
    derivative is the sum of their Lagrange multipliers, less what the variable counts too much.

    Parameters
    ----------
    messages : Messages
        Of sum-product; not modified.

    Returns
    -------
    float64[B]
        Derivatives in nats, of average 0 under each variable's belief; 0 for impossible states.

    Raises
    ------
    TooLargeError
        If some factor is too large to be written out; names it.
    NumericalError
        If no beliefs of some factor agree with those of its variables; names it.

    """
    graph = messages.graph
    beliefs = log_beliefs(messages)
    where = entry_beliefs(graph)
    possible = beliefs != -np.inf
    degrees = np.diff(graph.arrays.variable_edges)
    counting = np.repeat(degrees - 1, np.diff(graph.arrays.variable_states))
    slope = np.zeros(beliefs.size)
    slope[possible] = -counting[possible] * beliefs[possible] - messages.unary[possible]
    for found in fitted(messages):
        for entries, multipliers in zip(found.batch.entries, found.multipliers, strict=True):
            here = where[entries]
            told = np.where(possible[here], multipliers, 0.0)
            np.add.at(slope, here.reshape(-1), told.reshape(-1))
    return np.where(possible, slope - _averages(graph, beliefs, slope), 0.0)


def _averages(graph: FactorGraph, beliefs: FloatArray, values: FloatArray) -> FloatArray:
    """Average of values under each variable's belief, repeated for each of its states."""
    starts = graph.arrays.variable_states
    if not values.size:
        return values
    sums = np.add.reduceat(np.exp(beliefs) * values, starts[:-1])
    result: FloatArray = np.repeat(sums, np.diff(starts))
    return result


class Stationarity(NamedTuple):
    """How far beliefs are from a stationary point of the Bethe free energy, in nats.

    Parameters
    ----------
    gradient : float
        Largest span, over a variable's possible states, of the derivative of the free energy.
    disagreement : float
        Largest span of the log of a factor's belief about a variable over the variable's own:
        the undamped residual of the messages.

    """

    gradient: float
    disagreement: float


def gradient_check(messages: Messages) -> Stationarity:
    """Whether messages are at a stationary point of the Bethe free energy: both numbers are 0.

    Parameters
    ----------
    messages : Messages
        Of sum-product; not modified.

    Raises
    ------
    TooLargeError
        If some factor is too large to be written out; names it.
    NumericalError
        If no beliefs of some factor agree with those of its variables; names it.

    """
    slope = bethe_gradient(messages)
    possible = log_beliefs(messages) != -np.inf
    starts = messages.graph.arrays.variable_states[:-1]
    disagreement, _ = next_messages(messages)
    if not slope.size:
        return Stationarity(0.0, disagreement)
    high = np.maximum.reduceat(np.where(possible, slope, -np.inf), starts)
    low = np.minimum.reduceat(np.where(possible, slope, np.inf), starts)
    return Stationarity(float((high - low).max()), disagreement)
