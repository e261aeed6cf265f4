"""Join graphs: clusters kept small by splitting the buckets of an elimination order.

Eliminating a variable would multiply all functions that hold it. Where that table is too large,
the functions are split into mini-buckets, each eliminated by itself, and joined to each other by
the one variable that they share for sure (Dechter and Rish 2003; Mateescu, Kask, Gogate and
Dechter 2010). For each variable, the clusters and arcs that hold it form a tree.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from mpnet.regions.reduction import Scope
from mpnet.regions.trees import MOST_CHILDREN, Ranked


@dataclass(frozen=True, eq=False)
class JoinGraph:
    """Clusters joined by arcs, in the order in which a sweep passes through them.

    Parameters
    ----------
    scopes : list of tuple of int
        Ranks of each cluster, ascending.
    factors : list of list of int
        Factors that each cluster holds; each factor is in one.
    arcs : list of (int, int, tuple of int)
        Two clusters, the earlier first, and the ranks that they tell each other about.

    """

    scopes: list[Scope]
    factors: list[list[int]]
    arcs: list[tuple[int, int, Scope]]


@dataclass
class _Node:
    scope: frozenset[int]
    factors: list[int]
    place: float
    labels: dict[int, frozenset[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Function:
    """A factor, or what a mini-bucket passes on."""

    scope: frozenset[int]
    factor: int = -1
    sender: int = -1


def flat_graph(model: Ranked) -> JoinGraph:
    """A cluster for each factor and for each variable: belief propagation as it is."""
    nodes = [_Node(frozenset(scope), [number], number) for number, scope in enumerate(model.scopes)]
    at: list[list[int]] = [[] for _ in model.counts]
    for number, scope in enumerate(model.scopes):
        for rank in scope:
            at[rank].append(number)
    for rank, numbers in enumerate(at):
        middle = numbers[len(numbers) // 2] - 0.5
        nodes.append(_Node(frozenset([rank]), [], middle))
        for number in numbers:
            _join(nodes, len(nodes) - 1, number, frozenset([rank]))
    for number in range(len(nodes)):
        _share_out(model, nodes, number)
    return _finished(nodes)


def mini_bucket_graph(
    model: Ranked, most_variables: int | None = None, most_entries: float = math.inf
) -> JoinGraph:
    """Eliminate by rank, with clusters that stay within bounds.

    Parameters
    ----------
    model : Ranked
        The factors; one that exceeds the bounds by itself has a cluster of its own.
    most_variables : int, optional
        Variables of a cluster.
    most_entries : float
        Entries of the table over a cluster.

    """
    waiting: list[list[_Function]] = [[] for _ in model.counts]
    for number, ranks in enumerate(model.scopes):
        waiting[ranks[0]].append(_Function(frozenset(ranks), factor=number))
    nodes: list[_Node] = []
    for rank, functions in enumerate(waiting):
        group: list[int] = []
        for members in _split(model, functions, most_variables, most_entries):
            scope: frozenset[int] = frozenset(r for f in members for r in f.scope)
            number = len(nodes)
            nodes.append(_Node(scope, [f.factor for f in members if f.factor >= 0], number))
            for function in members:
                if function.sender >= 0:
                    _join(nodes, function.sender, number, function.scope)
            group.append(number)
            rest = scope - {rank}
            if rest:
                waiting[min(rest)].append(_Function(rest, sender=number))
        if len(group) == 2:
            _join(nodes, group[0], group[1], frozenset([rank]))
        elif len(group) > 2:
            # A star settles where a chain may not: news takes two steps between any of them.
            nodes.append(_Node(frozenset([rank]), [], len(nodes) - 0.5))
            for number in group:
                _join(nodes, number, len(nodes) - 1, frozenset([rank]))
    _merge(model, nodes)
    for number in range(len(nodes)):
        _share_out(model, nodes, number)
    return _finished(nodes)


def _split(
    model: Ranked,
    functions: Sequence[_Function],
    most_variables: int | None,
    most_entries: float,
) -> list[list[_Function]]:
    """Put functions into as few mini-buckets as fit, the largest first, each where it adds least."""
    logs = [math.log2(count) for count in model.counts.tolist()]
    most = math.log2(most_entries) + 1e-9
    groups: list[tuple[set[int], list[_Function]]] = []

    def bits(scope: set[int] | frozenset[int]) -> float:
        return math.fsum(logs[rank] for rank in scope)

    for function in sorted(functions, key=lambda f: (-bits(f.scope), sorted(f.scope))):
        best, chosen = math.inf, -1
        for place, (scope, _) in enumerate(groups):
            added = function.scope - scope
            count, size = len(scope) + len(added), bits(scope) + bits(added)
            fits = size <= most and (most_variables is None or count <= most_variables)
            if (fits or not added) and bits(added) < best:
                best, chosen = bits(added), place
        if chosen < 0:
            groups.append((set(function.scope), [function]))
        else:
            groups[chosen][0].update(function.scope)
            groups[chosen][1].append(function)
    return [members for _, members in groups]


def _join(nodes: list[_Node], one: int, two: int, label: frozenset[int]) -> None:
    nodes[one].labels[two] = label
    nodes[two].labels[one] = label


def _part(nodes: list[_Node], one: int, two: int) -> None:
    del nodes[one].labels[two], nodes[two].labels[one]


def _merge(model: Ranked, nodes: list[_Node]) -> None:
    """Let a neighbour take over each cluster that it contains, unless that costs more in passing."""
    size = [float(model.size(tuple(node.scope))) for node in nodes]
    for number, node in enumerate(nodes):
        for other, label in list(node.labels.items()):
            degree = len(node.labels)
            dear = (degree - 2) * size[other] > degree * size[number]
            if label != node.scope or dear:
                continue
            mine = [(o, la) for o, la in node.labels.items() if o != other]
            if any(o in nodes[other].labels for o, _ in mine):
                continue
            _part(nodes, number, other)
            for third, shared in mine:
                _part(nodes, number, third)
                _join(nodes, other, third, shared)
            nodes[other].factors += node.factors
            nodes[other].place = max(nodes[other].place, node.place)
            node.scope, node.factors = frozenset(), []
            break


def _share_out(model: Ranked, nodes: list[_Node], number: int) -> None:
    """Put helpers between a cluster and its neighbours until it has few."""
    node = nodes[number]
    if len(node.labels) <= MOST_CHILDREN + 1:
        return

    def entry(other: int) -> tuple[int, int]:
        return model.size(tuple(node.labels[other])), other

    for earlier in (True, False):
        side = [o for o in node.labels if (nodes[o].place < node.place) == earlier]
        waiting = [entry(other) for other in side]
        heapq.heapify(waiting)
        while len(waiting) > 2:
            (_, one), (_, two) = heapq.heappop(waiting), heapq.heappop(waiting)
            first, second = node.labels[one], node.labels[two]
            places = [nodes[one].place, nodes[two].place]
            nearest = max(places) if earlier else min(places)
            helper = len(nodes)
            nodes.append(_Node(first | second, [], 0.5 * (nearest + node.place)))
            for other, label in ((one, first), (two, second)):
                _part(nodes, number, other)
                _join(nodes, helper, other, label)
            _join(nodes, number, helper, first | second)
            heapq.heappush(waiting, entry(helper))


def _finished(nodes: list[_Node]) -> JoinGraph:
    """Number what is left by its place."""
    kept = [n for n, node in enumerate(nodes) if node.scope]
    kept.sort(key=lambda n: (nodes[n].place, n))
    place = {number: index for index, number in enumerate(kept)}
    arcs = [
        (place[one], place[two], tuple(sorted(label)))
        for one in kept
        for two, label in nodes[one].labels.items()
        if place[one] < place[two]
    ]
    return JoinGraph(
        scopes=[tuple(sorted(nodes[n].scope)) for n in kept],
        factors=[nodes[n].factors for n in kept],
        arcs=arcs,
    )
