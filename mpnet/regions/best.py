"""The likeliest assignment by clusters: exact where they fit, a good one elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray, IndexArray, IntArray
from mpnet.kernels.semiring import LogMax
from mpnet.regions.calibration import Calibrated, calibrate, contract_once
from mpnet.regions.clustering import Clustering, Exact, Loopy, cluster
from mpnet.regions.passing import Passing
from mpnet.regions.reduction import Reduced, Scope, reduce_graph
from mpnet.regions.settling import settle

AT_ONCE = 2**20
"""Entries of a table in which the largest is looked for at once; larger ones are narrowed first."""


@dataclass(frozen=True, eq=False)
class Best:
    """A likely assignment.

    Parameters
    ----------
    states : int64[V] or None
        A state for each variable; None if nothing is possible.
    log_score : float
        Log of the product of all factors there, in nats; ``-inf`` if that is zero.
    exact : bool
        Whether no assignment has a higher score.
    guilty : tuple of int
        Variables at which nothing is possible.

    """

    states: IntArray | None
    log_score: float
    exact: bool
    guilty: tuple[int, ...] = ()


def best_assignment(
    graph: FactorGraph,
    *,
    i_bound: int | None = None,
    memory: int = 2 * 10**9,
    seed: int = 0,
    tolerance: float = 1e-6,
    max_iterations: int = 300,
) -> Best:
    """Find a state for each variable such that the product of all factors is largest.

    Where the junction tree fits: one pass of maxima up, and the states traced back. Elsewhere
    max-product on a join graph, decoded cluster by cluster.

    Parameters
    ----------
    graph : FactorGraph
        With evidence as unary potentials; not modified.
    i_bound : int or None
        Most variables of a message, as for the estimator region.
    memory : int
        Bytes that may be planned for.
    seed : int
        For the search for an elimination order.
    tolerance : float
        Residual at which passing on a join graph ends, in nats.
    max_iterations : int
        Sweeps after which it ends in any case.

    Raises
    ------
    TooLargeError
        If an i-bound was given and its tables need more memory.

    """
    reduced = reduce_graph(graph, maximise=True)
    if reduced.log_constant == -math.inf:
        return Best(None, -math.inf, True, reduced.guilty)
    clustering = cluster(reduced, i_bound, memory, seed, upward=True)
    states = np.array([int(np.argmax(u)) for u in reduced.unary], dtype=np.int64)
    if clustering.exact is not None:
        part = clustering.exact
        found = calibrate(part.planner, part.plan, maximise=True, keep=True)
        if found.log_z == -math.inf:
            model = part.planner.model
            return Best(None, -math.inf, True, _variables(graph, model.variables, found.guilty))
        _trace_tree(part, found, states)
    if clustering.loopy is not None:
        loopy = clustering.loopy
        passing = Passing(loopy.model, loopy.graph, maximise=True)
        ended = settle(passing, 0.0, tolerance, max_iterations)
        if ended.dead:
            guilty = _variables(graph, loopy.model.variables, ended.dead)
            return Best(None, -math.inf, True, guilty)
        _trace_graph(loopy, passing, states)
    return _told(reduced, clustering, states)


def _variables(
    graph: FactorGraph, variables: Sequence[int] | IndexArray, ranks: Scope
) -> tuple[int, ...]:
    found = {int(variables[rank]) for rank in ranks}
    return tuple(sorted(v for v in found if v < len(graph.variables)))


def _told(reduced: Reduced, clustering: Clustering, states: IntArray) -> Best:
    """Score an assignment of possible states and name them as the graph does."""
    score = reduced.log_constant
    score += math.fsum(float(u[s]) for u, s in zip(reduced.unary, states, strict=True))
    for scope, table in zip(reduced.scopes, reduced.tables, strict=True):
        score += float(table[tuple(states[v] for v in scope)])
    count = len(reduced.graph.variables)
    named = [reduced.states(v)[states[v]] for v in range(count)]
    return Best(np.array(named, dtype=np.int64), score, clustering.loopy is None)


def _trace_tree(part: Exact, found: Calibrated, states: IntArray) -> None:
    """From the roots down: the best states of each cluster given those of its parent."""
    planner, plan, tables = part.planner, part.plan, found.tables
    if tables is None:
        return
    chosen: dict[int, int] = {}
    for cluster_number in range(len(planner.tree.scopes) - 1, -1, -1):
        read = planner.tree.factors[cluster_number] + [
            planner.up + child for child in planner.children[cluster_number]
        ]
        held = [
            (planner.scopes[n], tables.arena[plan.last[n] : plan.last[n] + planner.sizes[n]])
            for n in read
        ]
        _choose(planner.model.counts, planner.tree.scopes[cluster_number], held, chosen)
    for rank, state in chosen.items():
        states[planner.model.variables[rank]] = state


def _trace_graph(part: Loopy, passing: Passing, states: IntArray) -> None:
    """From the last cluster to the first: the best states given those that are chosen."""
    chosen: dict[int, int] = {}
    for number in range(len(part.graph.scopes) - 1, -1, -1):
        held = passing.tables_at(number)
        _choose(part.model.counts, part.graph.scopes[number], held, chosen)
    for rank, state in chosen.items():
        states[part.model.variables[rank]] = state


def _choose(
    counts: IntArray,
    scope: Scope,
    held: Sequence[tuple[Scope, FloatArray]],
    chosen: dict[int, int],
) -> None:
    """Add the best states of what is not chosen yet in a cluster; ``held`` are logs."""
    left = [rank for rank in scope if rank not in chosen]
    while left:
        sliced = [_given(counts, ranks, table, chosen) for ranks, table in held]
        if math.prod(int(counts[rank]) for rank in left) > AT_ONCE:
            scopes = [ranks for ranks, _ in sliced]
            best = contract_once(LogMax(), counts, scopes, [t for _, t in sliced], (left[0],))
            chosen[left.pop(0)] = int(np.argmax(best))
            continue
        total = np.zeros([int(counts[rank]) for rank in left])
        for ranks, table in sliced:
            shape = [int(counts[rank]) if rank in ranks else 1 for rank in left]
            total = total + table.reshape(shape)
        places = np.unravel_index(int(np.argmax(total)), total.shape)
        chosen.update(zip(left, map(int, places), strict=True))
        return


def _given(
    counts: IntArray, ranks: Scope, table: FloatArray, chosen: dict[int, int]
) -> tuple[Scope, FloatArray]:
    """A table at the chosen states, and the ranks that are left."""
    shaped = table.reshape([int(counts[rank]) for rank in ranks])
    where = tuple(chosen.get(rank, slice(None)) for rank in ranks)
    return tuple(rank for rank in ranks if rank not in chosen), shaped[where]
