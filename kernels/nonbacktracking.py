"""Walks over edges that do not turn back: what bounds how far a change of messages goes."""

import numpy as np

from mpnet.kernels.jit import kernel
from mpnet.kernels.layout import FloatArray, GraphArrays, IndexArray, IntArray


@kernel
def hand_on(
    graph: GraphArrays,
    factor_strength: IntArray,
    strengths: FloatArray,
    live: IntArray,
    change: FloatArray,
    arriving: FloatArray,
    out: FloatArray,
) -> None:
    """Bound the next change of all messages by the present one.

    ``out[I, i]`` is the sum over the other variables j of I of the strength (I, i, j) times the
    sum of ``change[J, j]`` over the other factors J of j: the non-backtracking matrix of Mooij
    and Kappen (2007) times a vector. Only sums of numbers >= 0 are taken, so that each result
    is exact to a few roundings and zero only where it must be.

    Parameters
    ----------
    graph : GraphArrays
        The graph; not modified.
    factor_strength : int64[F]
        Where each factor's matrix begins in ``strengths``; -1 for one that is all ones.
    strengths : float64[...]
        Matrices, receiver by row and sender by column, in [0, 1], zero where both are one.
    live : int64[E]
        1 for edges over which a factor listens to a variable, 0 for edges that are cut.
    change : float64[E]
        Numbers >= 0, one per message; not modified.
    arriving : float64[E]
        Overwritten with what reaches each factor.
    out : float64[E]
        Overwritten with the product.

    """
    for variable in range(graph.variable_states.size - 1):
        begin, end = graph.variable_edges[variable], graph.variable_edges[variable + 1]
        total = 0.0
        for slot in range(begin, end):
            edge = graph.slot_edge[slot]
            arriving[edge] = total
            total += change[edge]
        total = 0.0
        for slot in range(end - 1, begin - 1, -1):
            edge = graph.slot_edge[slot]
            arriving[edge] = live[edge] * (arriving[edge] + total)
            total += change[edge]
    for factor in range(graph.factor_edges.size - 1):
        first, last = graph.factor_edges[factor], graph.factor_edges[factor + 1]
        start = factor_strength[factor]
        if start < 0:
            total = 0.0
            for edge in range(first, last):
                out[edge] = total
                total += arriving[edge]
            total = 0.0
            for edge in range(last - 1, first - 1, -1):
                out[edge] += total
                total += arriving[edge]
            continue
        for receiver in range(first, last):
            total = 0.0
            for sender in range(first, last):
                total += strengths[start] * arriving[sender]
                start += 1
            out[receiver] = total


@kernel
def depths(
    graph: GraphArrays, edge_factor: IndexArray, live: IntArray, up: IntArray, down: IntArray
) -> None:
    """How many factors lie behind each message, at most; endless where a loop does.

    Parameters
    ----------
    graph : GraphArrays
        The graph; not modified.
    edge_factor : int32[E]
        Factor at the end of each edge; not modified.
    live : int64[E]
        1 for edges over which a factor listens to a variable, 0 for edges that are cut.
    up : int64[E]
        Overwritten with the depth of each message to a variable, 1 or more, or -1 if endless.
    down : int64[E]
        Overwritten with the depth of each message to a factor, 0 or more, or -1 if endless.

    """
    edges, factors = up.size, graph.factor_edges.size - 1
    variables = graph.variable_states.size - 1
    pending = np.zeros(variables + factors, dtype=np.int64)
    queue = np.empty(2 * edges, dtype=np.int64)
    count, done = 0, 0
    up[:] = -1
    down[:] = -1
    for edge in range(edges):
        pending[graph.edge_variable[edge]] += 1
        pending[variables + edge_factor[edge]] += live[edge]
    for variable in range(variables):
        if pending[variable] == 1:
            count = _tell_factors(graph, variable, up, down, queue, count)
    for factor in range(factors):
        if pending[variables + factor] <= 1:
            count = _tell_variables(graph, factor, live, up, down, queue, count)
    while done < count:
        message = queue[done]
        done += 1
        if message < edges:
            variable = graph.edge_variable[message]
            pending[variable] -= 1
            if pending[variable] <= 1:
                count = _tell_factors(graph, variable, up, down, queue, count)
        elif live[message - edges] == 1:
            factor = edge_factor[message - edges]
            pending[variables + factor] -= 1
            if pending[variables + factor] <= 1:
                count = _tell_variables(graph, factor, live, up, down, queue, count)


@kernel
def _tell_factors(
    graph: GraphArrays, variable: int, up: IntArray, down: IntArray, queue: IntArray, count: int
) -> int:
    """Set what a variable can say by now, at most one message unknown; the queue's new length."""
    first, last = graph.variable_edges[variable], graph.variable_edges[variable + 1]
    unknown, highest, second = -1, 0, 0
    for slot in range(first, last):
        edge = graph.slot_edge[slot]
        if up[edge] < 0:
            unknown = edge
        second = max(second, min(highest, up[edge]))
        highest = max(highest, up[edge])
    for slot in range(first, last):
        edge = graph.slot_edge[slot]
        if down[edge] < 0 and (unknown < 0 or edge == unknown):
            down[edge] = second if up[edge] == highest else highest
            queue[count] = down.size + edge
            count += 1
    return count


@kernel
def _tell_variables(
    graph: GraphArrays,
    factor: int,
    live: IntArray,
    up: IntArray,
    down: IntArray,
    queue: IntArray,
    count: int,
) -> int:
    """Set what a factor can say by now, at most one live message unknown; the new length."""
    first, last = graph.factor_edges[factor], graph.factor_edges[factor + 1]
    unknown, highest, second = -1, 0, 0
    for edge in range(first, last):
        if live[edge] == 1:
            if down[edge] < 0:
                unknown = edge
            second = max(second, min(highest, down[edge]))
            highest = max(highest, down[edge])
    for edge in range(first, last):
        if up[edge] < 0 and (unknown < 0 or edge == unknown):
            own = live[edge] == 1 and down[edge] == highest
            up[edge] = 1 + (second if own else highest)
            queue[count] = edge
            count += 1
    return count
