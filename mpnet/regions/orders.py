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

EFFORT = 4e8
"""Innermost steps that the search for an order may take: some ten seconds."""

SHARE = 0.3
"""Steps of the search per entry of the tables that the best order so far leads to."""

HOPELESS = 2.0**44
"""Entries beyond which a tenth of the effort has to do."""

SMALL = 2.0**18
"""Entries of a part below which no better order is looked for."""

PLANS = tuple(
    itertools.product(
        (0.0, 0.3, 1.0, 0.1), (regions_order.BOTH, regions_order.FILL, regions_order.WEIGHT)
    )
)
"""Noise and method of the orders that are tried first."""

NOISES = (0.1, 0.3, 1.0, 3.0)
"""Noise of orders that are tried as changes of the best one."""

ANEW = 0.15
"""Share of them that change it from the beginning."""

PATIENCE = 100
"""Changes in a row without success after which the search ends, and half of those before."""

NEAR = 3.0
"""Changes begin before the last table whose log2 is this near to that of the largest."""


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
    """Search for an order with small tables: greedily, then by changing the end of the best one.

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
    drawn = coo_array(
        (np.ones(around.size), (rows, around)), shape=(counts.size, counts.size)
    ).tocsr()
    parts, part = connected_components(drawn, directed=False)
    best = np.full(parts, np.inf)
    chosen: list[tuple[IndexArray, FloatArray]] = [(np.empty(0, np.int32), np.empty(0))] * parts
    order, bits = np.empty(counts.size, dtype=np.int32), np.empty(counts.size)
    for number, (noise, method) in enumerate(PLANS):
        most = 4.0 * best.sum()
        found, spent = regions_order.eliminate(
            sizes, starts, around, method, noise, seed + number, most, 0, order, bits
        )
        effort -= spent
        if found < np.inf:
            _keep_better(part, order, bits, best, chosen)
        if best.max(initial=0.0) < SMALL or effort < 0.0:
            break
    for number in np.flatnonzero(best >= SMALL)[np.argsort(-best[best >= SMALL])].tolist():
        members = np.flatnonzero(part == number)
        inside = drawn[members][:, members]
        inside.sort_indices()
        search = _Search(
            sizes[members], inside.indptr.astype(np.int64), inside.indices.astype(np.int32), seed
        )
        place = np.empty(counts.size, dtype=np.int32)
        place[members] = np.arange(members.size)
        search.improve(place[chosen[number][0]], chosen[number][1], effort)
        effort -= search.spent
        chosen[number] = members[search.order].astype(np.int32), search.bits
    return Order(
        np.concatenate([o for o, _ in chosen]) if parts else order,
        np.concatenate([b for _, b in chosen]) if parts else bits,
        part.astype(np.int32),
    )


class _Search:
    """The best order so far of one connected part, and how it gets better."""

    def __init__(self, sizes: FloatArray, starts: IntArray, around: IndexArray, seed: int) -> None:
        self.graph = sizes, starts, around
        self.random = np.random.default_rng(seed)
        self.spent = 0.0

    def improve(self, order: IndexArray, bits: FloatArray, effort: float) -> None:
        """Keep a beginning of the best order and choose the rest anew, again and again."""
        self.order, self.bits = order, bits
        entries = float(np.exp2(bits).sum())
        tried, widths = np.empty_like(order), np.empty_like(bits)
        number, success = 0, 0
        while number - success <= PATIENCE + success // 2 and self.spent < min(
            effort * (0.1 if entries > HOPELESS else 1.0), SHARE * entries
        ):
            number += 1
            kept = 0
            if self.random.random() >= ANEW:
                last = np.flatnonzero(self.bits > self.bits.max() - NEAR)[-1]
                kept = int(self.random.integers(0, last + 1))
            tried[:] = self.order
            method = (regions_order.BOTH, regions_order.FILL)[self.random.integers(2)]
            noise = NOISES[self.random.integers(len(NOISES))]
            seed = int(self.random.integers(2**31))
            found, spent = regions_order.eliminate(
                *self.graph, method, noise, seed, entries, kept, tried, widths
            )
            self.spent += spent
            if found < entries:
                entries, self.order, self.bits = found, tried.copy(), widths.copy()
                success = number


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
