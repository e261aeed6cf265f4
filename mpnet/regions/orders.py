"""Elimination orders: several greedy ones by seed, and the best of them for each connected part."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mpnet.kernels import regions_order
from mpnet.kernels.layout import FloatArray, IndexArray, IntArray

EFFORT = 1.5e9
"""Innermost steps that the search for an order may take: a few seconds."""

TRIES = 400
"""Orders that are tried at most."""

HOPELESS = 2.0**44
"""Entries beyond which a tenth of the effort has to do."""

SMALL = 2.0**18
"""Entries of all tables together below which the search for a better order ends."""

PLANS = tuple(
    itertools.product(
        (0.0, 0.3, 1.0, 0.1), (regions_order.BOTH, regions_order.FILL, regions_order.WEIGHT)
    )
)
"""Noise and method of the orders that are tried, again and again with other seeds."""

NOISY = tuple((noise, method) for noise, method in PLANS if method != regions_order.WEIGHT)
"""What is tried once each plan had its turn: the least table alone seldom wins twice."""


@dataclass(frozen=True, eq=False)
class Order:
    """In which order variables are eliminated, connected part by connected part.

    Parameters
    ----------
    variables : int32[V]
        First eliminated first.
    bits : float64[V]
        Log2 of the entries of each one's table: the variable and the neighbours it then has.
    part : int32[V]
        Number of the connected part of each variable (by variable, not by place).

    """

    variables: IndexArray
    bits: FloatArray
    part: IndexArray

    @property
    def width(self) -> float:
        """Log2 of the entries of the largest table."""
        return float(self.bits.max(initial=0.0))

    @property
    def entries(self) -> float:
        """Entries of all tables together."""
        return float(np.exp2(self.bits).sum())


def neighbours(count: int, scopes: Sequence[tuple[int, ...]]) -> tuple[IntArray, IndexArray]:
    """Who shares a factor with whom, as starts (int64[V + 1]) and neighbours in a row."""
    pairs = [np.empty((0, 2), dtype=np.int64)]
    by_arity: dict[int, list[tuple[int, ...]]] = {}
    for scope in scopes:
        by_arity.setdefault(len(scope), []).append(scope)
    for arity, members in by_arity.items():
        table = np.array(members, dtype=np.int64)
        for a, b in itertools.combinations(range(arity), 2):
            pairs += [table[:, [a, b]], table[:, [b, a]]]
    keys = np.unique(np.concatenate(pairs) @ np.array([count, 1]))
    starts = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(keys // max(count, 1), minlength=count), out=starts[1:])
    return starts, (keys % max(count, 1)).astype(np.int32)


def find_order(
    counts: IntArray, scopes: Sequence[tuple[int, ...]], seed: int = 0, effort: float = EFFORT
) -> Order:
    """Search for an order with small tables.

    Parameters
    ----------
    counts : int64[V]
        States of each variable.
    scopes : sequence of tuple of int
        Variables of each factor.
    seed : int
        For ties and noise; the same seed gives the same order.
    effort : float
        Innermost steps that the search may take.

    """
    starts, around = neighbours(counts.size, scopes)
    sizes = np.log2(counts.astype(np.float64))
    rows = np.repeat(np.arange(counts.size), np.diff(starts))
    drawn = coo_array((np.ones(around.size), (rows, around)), shape=(counts.size, counts.size))
    parts, part = connected_components(drawn, directed=False)
    best = np.full(parts, np.inf)
    chosen: list[tuple[IndexArray, FloatArray]] = [(np.empty(0, np.int32), np.empty(0))] * parts
    order, bits = np.empty(counts.size, dtype=np.int32), np.empty(counts.size)
    spent = 0.0
    for number in range(TRIES):
        plans = PLANS if number < len(PLANS) else NOISY
        noise, method = plans[number % len(plans)]
        most = 2.0 * best.sum()
        found, cost = regions_order.eliminate(
            sizes, starts, around, method, noise, seed + number, most, order, bits
        )
        spent += cost
        if found < np.inf:
            _keep_better(part, order, bits, best, chosen)
        if best.sum() < SMALL or spent > effort * (0.1 if best.sum() > HOPELESS else 1.0):
            break
    return Order(
        np.concatenate([o for o, _ in chosen]) if parts else order,
        np.concatenate([b for _, b in chosen]) if parts else bits,
        part.astype(np.int32),
    )


def _keep_better(
    part: IndexArray,
    order: IndexArray,
    bits: FloatArray,
    best: FloatArray,
    chosen: list[tuple[IndexArray, FloatArray]],
) -> None:
    """Take over, for each part, an order that is better; ``best`` and ``chosen`` are overwritten."""
    where = part[order]
    entries = np.bincount(where, weights=np.exp2(bits), minlength=best.size)
    better = np.flatnonzero(entries < best)
    if not better.size:
        return
    by_part = np.argsort(where, kind="stable")
    ends = np.searchsorted(where[by_part], np.arange(best.size + 1))
    for number in better.tolist():
        members = by_part[ends[number] : ends[number + 1]]
        best[number] = entries[number]
        chosen[number] = order[members].copy(), bits[members].copy()
