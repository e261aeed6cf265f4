"""Slow and obvious answers: the whole joint distribution, and messages as sums over tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages

MOST_STATES = 2**21
MOST_VARIABLES = 50


def joint_states(graph: FactorGraph) -> float:
    """Number of joint states of all variables."""
    return float(np.prod(graph.cardinalities.astype(float)))


def is_small(graph: FactorGraph) -> bool:
    """Whether ``joint`` fits."""
    return joint_states(graph) <= MOST_STATES and len(graph.variables) <= MOST_VARIABLES


def joint(graph: FactorGraph) -> FloatArray:
    """Log of the unnormalised joint distribution, in nats, one axis per variable."""
    counts = [int(count) for count in graph.cardinalities]
    total = np.full(counts, graph.log_constant)
    for variable in range(len(counts)):
        total = total + _spread(graph.unary_of(variable), [variable], len(counts))
    for number, factor in enumerate(graph.factors):
        total = total + _spread(graph.table_of(number), factor.scope, len(counts))
    return total


def _spread(table: FloatArray, scope: Sequence[int], count: int) -> FloatArray:
    """A table over some variables as one that adds to a table over all."""
    order = np.argsort(scope)
    shape = [1] * count
    for axis in order:
        shape[scope[axis]] = table.shape[axis]
    return np.transpose(table, order).reshape(shape)


def log_z(graph: FactorGraph) -> float:
    """Log partition sum, in nats; ``-inf`` where nothing is possible."""
    return float(np.logaddexp.reduce(joint(graph), axis=None))


def beliefs(graph: FactorGraph) -> dict[str, FloatArray]:
    """Marginals by name of variable, probabilities; nothing where no assignment is possible."""
    logs = joint(graph)
    top = logs.max(initial=-np.inf)
    if top == -np.inf:
        return {}
    weights = np.exp(logs - top)
    weights /= weights.sum()
    axes = range(weights.ndim)
    return {
        variable.name: weights.sum(axis=tuple(a for a in axes if a != number))
        for number, variable in enumerate(graph.variables)
    }


def said_by_variables(messages: Messages) -> FloatArray:
    """Variable-to-factor messages as logs, in nats, shape (S,)."""
    said = messages.to_factor.astype(np.float64)
    if not messages.linear:
        return said
    with np.errstate(divide="ignore"):
        logs: FloatArray = np.log(said)
    return logs


def factor_messages(graph: FactorGraph, said: FloatArray, maximise: bool = False) -> FloatArray:
    """What each factor says when variables say ``said``: one sum over its table per state.

    Parameters
    ----------
    graph : FactorGraph
        The graph.
    said : float64[S]
        Variable-to-factor messages, in nats.
    maximise : bool
        Take the largest term instead of the sum.

    Returns
    -------
    float64[S]
        Factor-to-variable messages, largest entry 0, in nats.

    """
    edge_states, out = graph.arrays.edge_states, np.zeros(said.size)
    for number in range(len(graph.factors)):
        table = graph.table_of(number)
        first = int(graph.arrays.factor_edges[number])
        slices = [slice(*edge_states[first + a : first + a + 2]) for a in range(table.ndim)]
        for axis, own in enumerate(slices):
            terms = table
            for other, place in enumerate(slices):
                if other != axis:
                    terms = terms + _spread(said[place], [other], table.ndim)
            rest = tuple(a for a in range(table.ndim) if a != axis)
            add = np.maximum if maximise else np.logaddexp
            message = add.reduce(terms, axis=rest) if rest else terms
            top = message.max()
            out[own] = message - (0.0 if top == -np.inf else top)
    return out


def apart(found: FloatArray, expected: FloatArray) -> float:
    """Largest difference of two arrays of logs, in nats; infinite where only one is ``-inf``."""
    with np.errstate(invalid="ignore"):
        return float(
            np.max(np.where(found == expected, 0.0, np.abs(found - expected)), initial=0.0)
        )
