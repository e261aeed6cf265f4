"""Binary pairwise models that are attractive after relabelling: there Bethe bounds log Z from below.

A factor over two binary variables is attractive if equal states are favoured, psi(0,0) psi(1,1)
>= psi(0,1) psi(1,0). Where renaming the states of some variables makes all factors so (a
balanced signed graph, Harary 1953), the Bethe free energy of *any* consistent beliefs is at least
-log Z (Ruozzi 2012, The Bethe partition function of log-supermodular graphical models).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from mpnet.estimators.factor_beliefs import log_tables
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray

ROUNDING = 1e-12
"""Couplings below this are none, in nats: the bound errs by no more than they add up to."""


def is_attractive(graph: FactorGraph) -> bool:
    """Whether the model is binary, pairwise, without hard zeros in factors, and balanced.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.

    """
    pairs = np.diff(graph.arrays.factor_edges) == 2
    if not (pairs.all() and (graph.cardinalities == 2).all()):
        return False
    tables = _tables(graph)
    if not np.isfinite(tables).all():
        return False
    return is_balanced(graph, _couplings(tables))


def is_balanced(graph: FactorGraph, couplings: FloatArray) -> bool:
    """Whether renaming states can make all couplings positive: no cycle with an odd number below 0.

    Parameters
    ----------
    graph : FactorGraph
        All factors over two binary variables.
    couplings : float64[F]
        Positive where equal states are favoured, in nats.

    """
    # Two copies of each variable; a negative coupling leads from one copy to the other. A part
    # is balanced if no variable is joined to its own copy.
    count = len(graph.variables)
    some = np.abs(couplings) > ROUNDING
    here, there = graph.arrays.edge_variable.reshape(-1, 2)[some].T.astype(np.int64)
    across = np.where(couplings[some] < 0.0, count, 0)
    rows = np.concatenate([here, here + count])
    columns = np.concatenate([there + across, there + count - across])
    links = sparse.coo_array((np.ones(rows.size), (rows, columns)), shape=(2 * count, 2 * count))
    _, labels = sparse.csgraph.connected_components(links, directed=False)
    return bool((labels[:count] != labels[count:]).all())


def bethe_bound(graph: FactorGraph, beliefs: FloatArray) -> float:
    """Minus the Bethe free energy, in nats, of beliefs and the best joints that agree with them.

    Given two marginals, the best joint of a factor is known in closed form (Welling and Teh
    2001), so the beliefs are consistent whether they come from a converged run or not.

    Parameters
    ----------
    graph : FactorGraph
        All factors over two binary variables, without hard zeros.
    beliefs : float64[B]
        Probabilities.

    """
    on = np.clip(beliefs.reshape(-1, 2)[:, 1], 1e-300, 1.0 - 1e-16)
    marginals = np.stack([1.0 - on, on], axis=1)
    tables = _tables(graph)
    ends = graph.arrays.edge_variable.reshape(-1, 2)
    p, q = on[ends[:, 0]], on[ends[:, 1]]
    both = _joint(_couplings(tables), p, q)
    joints = np.stack([1.0 - p - q + both, q - both, p - both, both], axis=1)
    joints = np.maximum(joints, 0.0)
    score = float((joints * tables.reshape(-1, 4)).sum()) + _entropy(joints)
    degrees = np.bincount(ends.reshape(-1), minlength=on.size)
    alone = marginals.reshape(-1)
    unary = np.where(alone > 0.0, graph.unary, 0.0)
    score += float(alone @ unary)
    entropies = -_x_log_x(marginals).sum(axis=1)
    return graph.log_constant + score - float((degrees - 1.0) @ entropies)


def _tables(graph: FactorGraph) -> FloatArray:
    parts = [log_tables(family.content, 0, family.last - family.first) for family in graph.families]
    result: FloatArray = np.concatenate([*parts, np.empty((0, 2, 2))])
    return result


def _couplings(tables: FloatArray) -> FloatArray:
    result: FloatArray = tables[:, 0, 0] + tables[:, 1, 1] - tables[:, 0, 1] - tables[:, 1, 0]
    return result


def _joint(couplings: FloatArray, p: FloatArray, q: FloatArray) -> FloatArray:
    """Probability that both are on: the root at which the joint has that log odds ratio."""
    # For a negative coupling, one variable's states are swapped: the formula then has no
    # difference of large numbers.
    negative = couplings < 0.0
    r = np.where(negative, 1.0 - q, q)
    alpha = np.expm1(np.minimum(np.abs(couplings), 300.0))
    total = 1.0 + alpha * (p + r)
    under = np.maximum(total * total - 4.0 * alpha * (1.0 + alpha) * p * r, 0.0)
    both = 2.0 * (1.0 + alpha) * p * r / (total + np.sqrt(under))
    both = np.clip(both, np.maximum(0.0, p + r - 1.0), np.minimum(p, r))
    return np.where(negative, p - both, both)


def _x_log_x(x: FloatArray) -> FloatArray:
    result: FloatArray = x * np.log(np.where(x > 0.0, x, 1.0))
    return result


def _entropy(rows: FloatArray) -> float:
    return -float(_x_log_x(rows).sum())
