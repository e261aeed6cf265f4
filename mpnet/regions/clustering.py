"""How a graph is clustered: exactly where the tables fit, in mini-buckets where they don't."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpnet.errors import TooLargeError
from mpnet.kernels.layout import IntArray
from mpnet.regions.buckets import JoinGraph, flat_graph, mini_bucket_graph
from mpnet.regions.homes import variable_reads
from mpnet.regions.orders import Order, find_order
from mpnet.regions.passing import planned
from mpnet.regions.plans import Plan, Planner
from mpnet.regions.reduction import Reduced
from mpnet.regions.trees import Ranked, gather_factors, join_tree, rank_factors

KEPT = 2**28
"""Bytes up to which all messages of an exact run are kept, so that joints can be read off later."""

MOST_WORK = 1.2e10
"""Entries of all products up to which an exact run is attempted unasked."""

SWEEP_WORK = 2.0**24
"""Entries of all products of a sweep that an i-bound chosen by itself may lead to."""

LOOSEST, TIGHTEST = 30, 2
"""Log2 of the entries of a cluster between which the bound is searched for."""


@dataclass(frozen=True, eq=False)
class Exact:
    """Parts that are solved in one pass up and down."""

    planner: Planner
    plan: Plan
    kept: bool


@dataclass(frozen=True, eq=False)
class Loopy:
    """Parts on which tables are passed around until they settle.

    ``bound`` is the log2 of the entries that a cluster may have where that was chosen, else None.
    """

    model: Ranked
    graph: JoinGraph
    bound: float | None
    bytes: int


@dataclass(frozen=True, eq=False)
class Clustering:
    """What is solved how; either may be missing.

    Parameters
    ----------
    exact : Exact or None
        Parts whose junction tree fits.
    loopy : Loopy or None
        The others.
    width : int
        Induced width of the order that was found, over all parts.

    """

    exact: Exact | None
    loopy: Loopy | None
    width: int


def cluster(
    reduced: Reduced, i_bound: int | None, memory: int, seed: int = 0, *, upward: bool = False
) -> Clustering:
    """Find an elimination order and cluster by it.

    Parameters
    ----------
    reduced : Reduced
        The model; not merged.
    i_bound : int or None
        Most variables of a message; a cluster may have one more. 1 is belief propagation on
        the factors as they are. None takes as many as fit.
    memory : int
        Bytes that may be planned for.
    seed : int
        For the search for an order.
    upward : bool
        Whether only messages to the root are wanted, all of them kept.

    Raises
    ------
    TooLargeError
        If an i-bound was given and its tables need more memory; says how much.

    """
    merged = reduced.merged()
    order = find_order(merged.counts, merged.scopes, seed)
    used = np.zeros(merged.counts.size, dtype=np.bool_)
    for scope in merged.scopes:
        used[list(scope)] = True
    wide = _widths(merged, order, used)
    if i_bound is None:
        fitting = np.ones(wide.size, dtype=np.bool_)
    else:
        fitting = _forests(reduced, order) if i_bound == 1 else wide <= i_bound
    chosen = used & fitting[order.part]
    exact = _exact(merged, order, chosen, memory, i_bound is not None, upward)
    largest = np.full(wide.size, -np.inf)
    np.maximum.at(largest, order.part[order.variables], order.bits)
    while exact is None and chosen.any():
        # The part with the largest table is the one that does not fit.
        fitting[int(np.argmax(np.where(fitting, largest, -np.inf)))] = False
        chosen = used & fitting[order.part]
        exact = _exact(merged, order, chosen, memory, False, upward)
    rest = used & ~chosen
    loopy = None
    if rest.any():
        loopy = _loopy(reduced if i_bound == 1 else merged, order, rest, i_bound, memory)
    return Clustering(exact, loopy, int(wide.max(initial=0)))


def _widths(reduced: Reduced, order: Order, used: NDArray[np.bool_]) -> IntArray:
    """Induced width of each connected part."""
    model = _ranked(reduced, order, used)
    wide = np.zeros(int(order.part.max(initial=-1)) + 1, dtype=np.int64)
    for scope in join_tree(model).scopes:
        part = order.part[model.variables[scope[0]]]
        wide[part] = max(wide[part], len(scope) - 1)
    return wide


def _forests(reduced: Reduced, order: Order) -> NDArray[np.bool_]:
    """Connected parts in which no two paths of factors join any two variables."""
    loose = np.bincount(order.part)
    for scope in reduced.scopes:
        loose[order.part[scope[0]]] += 1 - len(scope)
    forests: NDArray[np.bool_] = loose == 1
    return forests


def _ranked(reduced: Reduced, order: Order, chosen: NDArray[np.bool_]) -> Ranked:
    """The factors over chosen variables (whole parts), by rank."""
    here = [n for n, scope in enumerate(reduced.scopes) if chosen[scope[0]]]
    return rank_factors(
        order.variables[chosen[order.variables]],
        reduced.counts,
        [reduced.scopes[n] for n in here],
        [reduced.tables[n] for n in here],
    )


def _exact(
    reduced: Reduced,
    order: Order,
    chosen: NDArray[np.bool_],
    memory: int,
    insist: bool,
    upward: bool,
) -> Exact | None:
    """A plan for an exact run that fits, or None."""
    if not chosen.any():
        return None
    model = _ranked(reduced, order, chosen)
    tree = join_tree(model)
    if not insist and 2.0 * sum(float(model.size(s)) for s in tree.scopes) > MOST_WORK:
        return None
    model, tree = gather_factors(model, tree)
    planner = Planner(model, tree, () if upward else variable_reads(model, tree))
    kept = planner.plan(keep=True)
    if kept.bytes <= (memory if upward else min(KEPT, memory)):
        return Exact(planner, kept, True)
    plan = kept if upward else planner.plan()
    segment = max(planner.sizes)
    while not upward and plan.bytes > memory and segment < plan.entries:
        other = planner.plan(segment=segment)
        plan = min(plan, other, key=lambda p: p.bytes)
        segment *= 2
    if plan.bytes > memory or plan.work > MOST_WORK:
        if insist and plan.bytes > memory:
            raise TooLargeError(
                f"an exact run needs {plan.bytes} bytes for its tables; memory allows {memory}; "
                "try a smaller i_bound, or None"
            )
        if not insist:
            return None
    return Exact(planner, plan, False)


def _loopy(
    reduced: Reduced,
    order: Order,
    chosen: NDArray[np.bool_],
    i_bound: int | None,
    memory: int,
) -> Loopy:
    model = _ranked(reduced, order, chosen)
    if i_bound is not None:
        graph = flat_graph(model) if i_bound == 1 else mini_bucket_graph(model, i_bound + 1)
        needed, _ = planned(model, graph)
        if needed > memory:
            raise TooLargeError(
                f"i_bound {i_bound} needs {needed} bytes for its tables; memory allows {memory}; "
                "try a smaller i_bound, or None"
            )
        return Loopy(model, graph, None, needed)
    best: Loopy | None = None
    low, high = TIGHTEST, LOOSEST
    while low <= high:
        bits = (low + high) // 2
        graph = mini_bucket_graph(model, most_entries=2.0**bits)
        needed, work = planned(model, graph)
        if needed <= memory and work <= SWEEP_WORK:
            best, low = Loopy(model, graph, float(bits), needed), bits + 1
        else:
            high = bits - 1
    if best is None:
        graph = flat_graph(model)
        best = Loopy(model, graph, math.log2(TIGHTEST), planned(model, graph)[0])
        if best.bytes > memory:
            raise TooLargeError(
                f"even belief propagation needs {best.bytes} bytes here; memory allows {memory}"
            )
    return best
