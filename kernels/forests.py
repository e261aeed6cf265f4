"""Subsets of factors without a loop."""

from typing import Any

from mpnet.kernels.jit import kernel
from mpnet.kernels.layout import GraphArrays, IndexArray


@kernel
def grow_forest(
    graph: GraphArrays, order: IndexArray, leader: IndexArray, counts: IndexArray
) -> int:
    """Take factors in an order, each if it closes no loop with those taken before.

    A factor closes no loop if its variables are in as many different trees. For pairwise
    factors this is Kruskal's algorithm: an order by falling weight gives a heaviest forest.

    Parameters
    ----------
    graph : GraphArrays
        The graph; not modified.
    order : int32[...]
        Factors, in the order in which they are tried.
    leader : int32[V]
        Overwritten: a variable that leads on to the one that stands for the tree.
    counts : int32[F]
        One is added for each factor that is taken.

    Returns
    -------
    int
        How many factors were taken.

    """
    taken = 0
    for variable in range(leader.size):
        leader[variable] = variable
    for place in range(order.size):
        factor = order[place]
        first, last = graph.factor_edges[factor], graph.factor_edges[factor + 1]
        free = True
        for edge in range(first, last):
            root = find(leader, graph.edge_variable[edge])
            for other in range(first, edge):
                free = free and find(leader, graph.edge_variable[other]) != root
        if free:
            root = find(leader, graph.edge_variable[first])
            for edge in range(first + 1, last):
                leader[find(leader, graph.edge_variable[edge])] = root
            counts[factor] += 1
            taken += 1
    return taken


@kernel
def find(leader: IndexArray, variable: int) -> int:
    """The variable that stands for the tree of ``variable``; paths in ``leader`` are halved."""
    while leader[variable] != variable:
        leader[variable] = leader[leader[variable]]
        variable = leader[variable]
    return variable


@kernel
def walk_tree(
    graph: GraphArrays,
    edge_factor: IndexArray,
    rng: Any,
    joined: IndexArray,
    way: IndexArray,
    counts: IndexArray,
) -> None:
    """Draw a spanning tree of each part uniformly from all there are (Wilson 1996).

    Each variable walks at random until it meets the tree; of its walk, the last step out of
    each variable counts. All factors are over two variables.

    Parameters
    ----------
    graph : GraphArrays
        The graph; not modified.
    edge_factor : int32[E]
        Factor at the end of each edge.
    rng : numpy.random.Generator
        Where steps come from.
    joined : int32[V]
        One for one variable of each part, zero for the others; overwritten with ones.
    way : int32[V]
        Overwritten: the edge by which the walk left each variable last.
    counts : int32[F]
        One is added for each factor in the tree.

    """
    for start in range(joined.size):
        variable = start
        while joined[variable] == 0:
            begin, end = graph.variable_edges[variable], graph.variable_edges[variable + 1]
            edge = graph.slot_edge[begin + int(rng.random() * (end - begin))]
            way[variable] = edge
            variable = across(graph, edge_factor, edge, variable)
        variable = start
        while joined[variable] == 0:
            joined[variable] = 1
            edge = way[variable]
            counts[edge_factor[edge]] += 1
            variable = across(graph, edge_factor, edge, variable)


@kernel
def across(graph: GraphArrays, edge_factor: IndexArray, edge: int, variable: int) -> int:
    """The other variable of a factor over two."""
    first = graph.factor_edges[edge_factor[edge]]
    there = graph.edge_variable[first]
    return there if there != variable else graph.edge_variable[first + 1]
