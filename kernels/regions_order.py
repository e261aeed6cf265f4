"""Greedy elimination orders of an undirected graph."""

import numpy as np

from mpnet.kernels import heap
from mpnet.kernels.jit import kernel
from mpnet.kernels.layout import FloatArray, IndexArray, IntArray

FILL = 0
"""Eliminate where the fewest edges are missing between neighbours, weighed by their states."""

WEIGHT = 1
"""Eliminate where the table over a variable and its neighbours is smallest."""

BOTH = 2
"""The missing edges first, and the table's size among equals."""


@kernel
def eliminate(  # noqa: PLR0912, PLR0915
    sizes: FloatArray,
    starts: IntArray,
    neighbours: IndexArray,
    method: int,
    noise: float,
    seed: int,
    most: float,
    kept: int,
    order: IndexArray,
    bits: FloatArray,
) -> tuple[float, float]:
    """Choose the next variable again and again, and join its neighbours to each other.

    Fill-ins are kept up to date edge by edge, so that a sparse graph of any size costs about
    the edges that are added times their degree.

    Parameters
    ----------
    sizes : float64[V]
        Log2 of the number of states of each variable.
    starts : int64[V + 1]
        Start of each variable's neighbours.
    neighbours : int32[starts[V]]
        Variables that share a factor with each; no variable twice, none with itself.
    method : int
        ``FILL``, ``WEIGHT`` or ``BOTH``.
    noise : float
        How far a score is moved at random, as a share of it.
    seed : int
        For ties and noise.
    most : float
        Total entries at which the search is given up.
    kept : int
        How many variables go first as ``order`` has them.
    order : int32[V]
        Overwritten from there on with the variables, first eliminated first.
    bits : float64[V]
        Overwritten with the log2 of the entries of each step's table: over a variable and the
        neighbours that it has when it goes.

    Returns
    -------
    float
        Entries of all tables together; ``inf`` if given up.
    float
        Effort: the innermost steps that were done.

    """
    count = sizes.size
    np.random.seed(seed)
    first, length, room, pool, used = _lists(starts, neighbours)
    mark = np.full(count, -1, dtype=np.int64)
    stamp = 0
    around = np.zeros(count)  # sum of the sizes of all neighbours
    total, effort = 0.0, 0.0
    missing = np.zeros(count)  # weight of the edges missing between neighbours
    for v in range(count):
        for place in range(first[v], first[v] + length[v]):
            around[v] += sizes[pool[place]]
    if method != WEIGHT:
        for v in range(count):
            for place in range(first[v], first[v] + length[v]):
                mark[pool[place]] = v
            for place in range(first[v], first[v] + length[v]):
                a = pool[place]
                effort += length[a]
                absent = around[v] - sizes[a]
                for other in range(first[a], first[a] + length[a]):
                    if mark[pool[other]] == v:
                        absent -= sizes[pool[other]]
                missing[v] += 0.5 * sizes[a] * absent
        mark[:] = -1
    score = np.empty(count)
    for v in range(count):
        score[v] = -_score(method, noise, missing[v], around[v] + sizes[v])
    items, where = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.int32)
    keys = np.empty(count)
    heap.build(score, items, keys, where)
    touched = np.empty(count, dtype=np.int32)
    for step in range(count):
        v = int(order[step]) if step < kept else int(items[0])
        order[step] = v
        bits[step] = sizes[v] + around[v]
        total += 2.0 ** bits[step]
        if total > most:
            return np.inf, effort
        _change(v, -np.inf, items, keys, where)
        stamp += 1
        changed = 0
        begin, end = first[v], first[v] + length[v]
        effort += 20.0 + length[v] * length[v]
        for place in range(begin, end):
            mark[pool[place]] = stamp
        # Take v out of its neighbours' lists.
        for place in range(begin, end):
            a = int(pool[place])
            touched[changed] = a
            changed += 1
            absent = around[a] - sizes[v]
            effort += length[a]
            at = first[a]
            for other in range(first[a], first[a] + length[a]):
                b = pool[other]
                if b == v:
                    at = other
                elif mark[b] == stamp:
                    absent -= sizes[b]
            missing[a] -= sizes[v] * absent
            around[a] -= sizes[v]
            length[a] -= 1
            pool[at] = pool[first[a] + length[a]]
        # Join the neighbours.
        for place in range(begin, end):
            a = int(pool[place])
            stamp += 1
            for other in range(first[a], first[a] + length[a]):
                mark[pool[other]] = stamp
            for last in range(place + 1, end):
                b = int(pool[last])
                if mark[b] == stamp:
                    continue
                common = 0.0
                weight = sizes[a] * sizes[b]
                effort += length[b]
                if method != WEIGHT:
                    for other in range(first[b], first[b] + length[b]):
                        c = int(pool[other])
                        if mark[c] == stamp:
                            common += sizes[c]
                            missing[c] -= weight
                            touched[changed % count] = c
                            changed += 1
                    missing[a] += sizes[b] * (around[a] - common)
                    missing[b] += sizes[a] * (around[b] - common)
                around[a] += sizes[b]
                around[b] += sizes[a]
                mark[b] = stamp
                pool, used = _append(a, b, first, length, room, pool, used)
                pool, used = _append(b, a, first, length, room, pool, used)
        if changed > count:
            # Too many to remember: whoever is left.
            effort += 5.0 * count
            for a in range(count):
                if keys[where[a]] > -np.inf:
                    key = -_score(method, noise, missing[a], around[a] + sizes[a])
                    _change(a, key, items, keys, where)
        else:
            stamp += 1
            for number in range(changed):
                a = int(touched[number])
                if mark[a] != stamp:
                    mark[a] = stamp
                    key = -_score(method, noise, missing[a], around[a] + sizes[a])
                    _change(a, key, items, keys, where)
    return total, effort


@kernel
def _change(item: int, key: float, items: IndexArray, keys: FloatArray, where: IndexArray) -> None:
    """``heap.change``, not copied into each place that uses it: that takes long to compile."""
    heap.change(item, key, items, keys, where)


@kernel
def _score(method: int, noise: float, missing: float, weight: float) -> float:
    if method == FILL:
        score = missing
    elif method == WEIGHT:
        score = weight
    else:
        score = missing + 1e-3 * weight
    return (score + 1e-9) * (1.0 + noise * np.random.random()) + 1e-6 * np.random.random()


@kernel
def _lists(
    starts: IntArray, neighbours: IndexArray
) -> tuple[IntArray, IntArray, IntArray, IndexArray, int]:
    """Neighbours as lists that can grow, in one pool."""
    count = starts.size - 1
    first = np.empty(count, dtype=np.int64)
    length = np.empty(count, dtype=np.int64)
    room = np.empty(count, dtype=np.int64)
    used = 0
    for v in range(count):
        first[v], length[v] = used, starts[v + 1] - starts[v]
        room[v] = 2 * length[v] + 4
        used += room[v]
    pool = np.empty(2 * used + 16, dtype=np.int32)
    for v in range(count):
        for place in range(length[v]):
            pool[first[v] + place] = neighbours[starts[v] + place]
    return first, length, room, pool, used


@kernel
def _append(
    a: int,
    b: int,
    first: IntArray,
    length: IntArray,
    room: IntArray,
    pool: IndexArray,
    used: int,
) -> tuple[IndexArray, int]:
    """Add ``b`` to the neighbours of ``a``, moving its list where it is full."""
    if length[a] == room[a]:
        wanted = 2 * room[a]
        if used + wanted > pool.size:
            wider = np.empty(2 * (used + wanted), dtype=np.int32)
            wider[:used] = pool[:used]
            pool = wider
        for place in range(length[a]):
            pool[used + place] = pool[first[a] + place]
        first[a], room[a] = used, wanted
        used += wanted
    pool[first[a] + length[a]] = b
    length[a] += 1
    return pool, used
