"""Join trees: the clusters that an elimination order makes, and how they hang together.

From here on variables go by their rank: their place in the elimination order. Scopes and the
axes of tables ascend by rank.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mpnet.kernels.layout import FloatArray, IndexArray, IntArray
from mpnet.regions.reduction import Scope, aligned

MOST_CHILDREN = 3
"""A cluster with more children gets helpers that gather what they say, two at a time."""

GATHERED = 2**12
"""Entries up to which the product of a cluster's factors is always made."""

PART = 64
"""In a larger cluster a product may have one entry for so many of the cluster's."""

MOST_GATHERED = 2**18
"""Entries of a product of factors at most."""


@dataclass(frozen=True, eq=False)
class Ranked:
    """Factors over variables by rank.

    Parameters
    ----------
    counts : int64[R]
        States of the variable of each rank.
    variables : int32[R]
        The variable of each rank.
    scopes : list of tuple of int
        Ranks of each factor, ascending.
    tables : list of float64[...]
        Log potentials, in nats, axes as in the scope.

    """

    counts: IntArray
    variables: IndexArray
    scopes: list[Scope]
    tables: list[FloatArray]

    def size(self, scope: Scope) -> int:
        """Entries of a table over a scope."""
        return math.prod(int(self.counts[rank]) for rank in scope)


def rank_factors(
    variables: IndexArray,
    counts: IntArray,
    scopes: Sequence[Scope],
    tables: Sequence[FloatArray],
) -> Ranked:
    """Name variables by their place in ``variables`` and sort the axes of tables by it.

    Parameters
    ----------
    variables : int32[R]
        First eliminated first; factors over others must not be given.
    counts : int64[V]
        States of each variable.
    scopes : sequence of tuple of int
        Variables of each factor.
    tables : sequence of float64[...]
        Log potentials, in nats, axes as in the scope.

    """
    rank = np.full(counts.size, -1)
    rank[variables] = np.arange(variables.size)
    found_scopes: list[Scope] = []
    found_tables: list[FloatArray] = []
    for scope, table in zip(scopes, tables, strict=True):
        ranks = [int(rank[v]) for v in scope]
        axes = sorted(range(len(ranks)), key=ranks.__getitem__)
        found_scopes.append(tuple(ranks[axis] for axis in axes))
        found_tables.append(table.transpose(axes))
    return Ranked(counts[variables], variables, found_scopes, found_tables)


@dataclass(frozen=True, eq=False)
class JoinTree:
    """Clusters as a forest; children come before their parents.

    Parameters
    ----------
    scopes : list of tuple of int
        Ranks of each cluster, ascending.
    separators : list of tuple of int
        What each cluster shares with its parent; empty for roots.
    parents : list of int
        Parent of each cluster; -1 for roots.
    factors : list of list of int
        Factors that each cluster holds; each factor is in one.

    """

    scopes: list[Scope]
    separators: list[Scope]
    parents: list[int]
    factors: list[list[int]]

    def children(self) -> list[list[int]]:
        """Children of each cluster."""
        found: list[list[int]] = [[] for _ in self.scopes]
        for cluster, parent in enumerate(self.parents):
            if parent >= 0:
                found[parent].append(cluster)
        return found

    @property
    def width(self) -> int:
        """Variables of the largest cluster, less one: the induced width of the order."""
        return max((len(scope) for scope in self.scopes), default=1) - 1


@dataclass
class _Node:
    """A cluster while the tree is put together."""

    scope: set[int]
    factors: list[int]
    children: list[int]
    separator: frozenset[int] = frozenset()
    parent: int = -1


def join_tree(model: Ranked) -> JoinTree:
    """The clusters that eliminating by rank makes.

    A cluster that a child contains is merged with it where that saves work, and clusters with
    many children get helpers in between.
    """
    nodes = [_Node({rank}, [], []) for rank in range(model.counts.size)]
    for number, scope in enumerate(model.scopes):
        nodes[scope[0]].factors.append(number)
        nodes[scope[0]].scope.update(scope)
    merged = list(range(len(nodes)))
    for rank, node in enumerate(nodes):
        node.separator = frozenset(node.scope - {rank})
        if node.separator:
            node.parent = min(node.separator)
            nodes[node.parent].scope |= node.separator
            nodes[node.parent].children.append(rank)
        child = _taker(model, nodes, rank, merged)
        if child >= 0:
            nodes[child].separator, nodes[child].parent = node.separator, node.parent
            nodes[child].factors += node.factors
            nodes[child].children += [c for c in node.children if merged[c] != child]
            merged[rank] = child
    for rank, node in enumerate(nodes):
        node.children = [merged[child] for child in node.children] if merged[rank] == rank else []
    kept = [rank for rank in range(len(nodes)) if merged[rank] == rank]
    for rank in kept:
        _share_out(model, nodes, rank)
    return _sorted(nodes, [*kept, *range(model.counts.size, len(nodes))])


def _taker(model: Ranked, nodes: list[_Node], rank: int, merged: list[int]) -> int:
    """The child that should take a cluster over, or -1.

    That saves the passes over the cluster, but messages to its other children are then made from
    the child's larger one.
    """
    node = nodes[rank]
    fitting = [c for c in node.children if nodes[merged[c]].separator == node.scope]
    if not fitting:
        return -1
    sizes = [model.size(tuple(nodes[merged[c]].scope)) for c in fitting]
    count, least = len(node.children), min(sizes)
    if (count - 1) * least > (count + 1) * model.size(tuple(node.scope)):
        return -1
    return merged[fitting[sizes.index(least)]]


def _share_out(model: Ranked, nodes: list[_Node], rank: int) -> None:
    """Put helpers between a cluster and its children until it has few."""
    children = nodes[rank].children
    if len(children) <= MOST_CHILDREN:
        return

    def entry(child: int) -> tuple[int, list[int], int]:
        separator = sorted(nodes[child].separator)
        return model.size(tuple(separator)), separator, child

    waiting = [entry(child) for child in children]
    heapq.heapify(waiting)
    while len(waiting) > MOST_CHILDREN:
        (_, first, one), (_, second, two) = heapq.heappop(waiting), heapq.heappop(waiting)
        both = frozenset(first) | frozenset(second)
        nodes.append(_Node(set(both), [], [one, two], both))
        heapq.heappush(waiting, entry(len(nodes) - 1))
    nodes[rank].children = [child for _, _, child in waiting]


def _sorted(nodes: list[_Node], kept: list[int]) -> JoinTree:
    """Number the clusters so that children come before their parents, subtree by subtree."""
    parent = {child: number for number in kept for child in nodes[number].children}
    order: list[int] = []
    waiting = [number for number in reversed(kept) if number not in parent]
    while waiting:
        number = waiting.pop()
        order.append(number)
        waiting += nodes[number].children
    order.reverse()
    place = {number: index for index, number in enumerate(order)}
    return JoinTree(
        scopes=[tuple(sorted(nodes[number].scope)) for number in order],
        separators=[
            tuple(sorted(nodes[number].separator)) if number in parent else () for number in order
        ],
        parents=[place[parent[number]] if number in parent else -1 for number in order],
        factors=[nodes[number].factors for number in order],
    )


def gather_factors(model: Ranked, tree: JoinTree) -> tuple[Ranked, JoinTree]:
    """The same with the factors of each cluster multiplied into few tables.

    A product may be as large as a small cluster, or a small part of a large one: it is made
    once, and then takes the place of many in every pass over the cluster.
    """
    scopes: list[Scope] = []
    tables: list[FloatArray] = []
    factors: list[list[int]] = []
    for scope, numbers in zip(tree.scopes, tree.factors, strict=True):
        entries = model.size(scope)
        most = max(min(entries, GATHERED), min(entries // PART, MOST_GATHERED))
        groups = _grouped(model, numbers, most)
        factors.append(list(range(len(scopes), len(scopes) + len(groups))))
        for union, members in groups:
            table: FloatArray = np.zeros([int(model.counts[rank]) for rank in union])
            for number in members:
                table += aligned(model.tables[number], model.scopes[number], union)
            scopes.append(union)
            tables.append(table)
    return replace(model, scopes=scopes, tables=tables), replace(tree, factors=factors)


def _grouped(model: Ranked, numbers: list[int], most: int) -> list[tuple[Scope, list[int]]]:
    """Put factors together, each where it widens a product least, up to ``most`` entries."""
    groups: list[tuple[Scope, list[int]]] = []
    for number in sorted(numbers, key=lambda n: (-model.tables[n].size, model.scopes[n])):
        best = most + 1, -1
        for place, (union, _) in enumerate(groups):
            size = model.size(tuple({*union, *model.scopes[number]}))
            best = min(best, (size, place))
        if best[1] < 0:
            groups.append((model.scopes[number], [number]))
        else:
            union, members = groups[best[1]]
            both = tuple(sorted({*union, *model.scopes[number]}))
            groups[best[1]] = both, [*members, number]
    return groups
