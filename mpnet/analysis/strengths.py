"""How much of a change of one message a factor can hand on to another.

A factor's message to i, seen as log-ratios, moves by at most N(i, j) times the span of what j's
message moves, whatever all messages are: Mooij and Kappen, Sufficient Conditions for Convergence
of the Sum-Product Algorithm, IEEE Transactions on Information Theory 53 (2007), section IV.
N is tanh of a quarter of the largest log odds ratio between states of i and of j; for a pair of
spins it is tanh abs J. The odds ratio of a sum over the other variables is at most the largest
one of its terms; taken over pairs of terms, which is sharper than the paper's bound and equal
to it for two variables, wherever that is not too much work.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from mpnet.kernels.layout import FloatArray

SHARP_WORK = 2**23
"""Terms (four logarithms of sums each) up to which odds ratios are taken over pairs of terms."""

WORK = 2**28
"""Subtractions up to which odds ratios are looked at one by one."""


def strengths(tables: FloatArray) -> FloatArray:
    """N(i, j) of factors of one shape.

    Parameters
    ----------
    tables : float64[n, states, ...]
        Log potentials with one axis per variable, in nats. ``-inf`` excludes an assignment;
        states that a factor excludes altogether are not compared.

    Returns
    -------
    float64[n, arity, arity]
        How much of a change at variable j reaches variable i, in [0, 1]; 0 on the diagonal.

    """
    arity = tables.ndim - 1
    out = np.zeros((len(tables), arity, arity))
    for i, j in itertools.permutations(range(arity), 2):
        if out[:, j, i].any() and _is_sharp(tables, i, j):
            out[:, i, j] = out[:, j, i]
            continue
        moved = np.moveaxis(tables, (i + 1, j + 1), (1, 2))
        parts = moved.reshape(*moved.shape[:3], -1)
        out[:, i, j] = np.tanh(0.25 * _log_odds(parts, _is_sharp(tables, i, j)))
    return out


def _is_sharp(tables: FloatArray, i: int, j: int) -> bool:
    """Whether pairs of terms can be afforded; always for two variables, where there is one term."""
    shape: tuple[int, ...] = tables.shape[1:]
    rest = math.prod(shape) // (shape[i] * shape[j])
    pairs = math.comb(shape[i], 2) * math.comb(shape[j], 2)
    work = len(tables) * pairs * rest**2 * math.comb(len(shape), 2)
    return rest > 1 and work <= SHARP_WORK


def _log_odds(parts: FloatArray, sharp: bool) -> FloatArray:
    """Largest log odds ratio, shape (n,); parts have axes (n, i, j, all others)."""
    with np.errstate(invalid="ignore"):
        if sharp:
            return _over_pairs(parts)
        if parts.size * parts.shape[1] * parts.ndim > WORK:
            high, low = parts.max(axis=(1, 2, 3)), parts.min(axis=(1, 2, 3))
            return np.where(low == -np.inf, np.inf, 2.0 * (high - low))
        return _over_terms(parts)


def _over_terms(parts: FloatArray) -> FloatArray:
    """The paper's bound: ratios between two states of i, compared between different states of j."""
    result = np.zeros(len(parts))
    alone = parts.shape[3] == 1
    same = np.eye(parts.shape[2], dtype=bool)
    for one, other in itertools.combinations(range(parts.shape[1]), 2):
        # Impossible over impossible is no ratio: NaN, which fmax and fmin pass over.
        ratio = parts[:, one] - parts[:, other]
        high, low = np.fmax.reduce(ratio, axis=2), np.fmin.reduce(ratio, axis=2)
        if alone:
            found = np.fmax.reduce(high, axis=1) - np.fmin.reduce(low, axis=1)
        else:
            apart = np.where(same, np.nan, high[:, :, None] - low[:, None, :])
            found = np.fmax.reduce(apart, axis=(1, 2))
        result = np.fmax(result, found)
    return result


def _over_pairs(parts: FloatArray) -> FloatArray:
    """Odds ratios of pairs of terms: those of any mixture of terms lie between them."""
    result = np.zeros(len(parts))
    for one, other in itertools.combinations(range(parts.shape[1]), 2):
        for here, there in itertools.combinations(range(parts.shape[2]), 2):
            together = _products(parts[:, one, here], parts[:, other, there])
            crossed = _products(parts[:, other, here], parts[:, one, there])
            found = np.abs(together - crossed)
            result = np.fmax(result, np.fmax.reduce(found, axis=(1, 2)))
    return result


def _products(left: FloatArray, right: FloatArray) -> FloatArray:
    """Logs of l_g r_h + l_h r_g for all pairs (g, h) of terms."""
    outer = left[:, :, None] + right[:, None, :]
    result: FloatArray = np.logaddexp(outer, outer.swapaxes(1, 2))
    return result
