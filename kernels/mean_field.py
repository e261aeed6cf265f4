"""Naive mean field: one variable at a time, given what is expected of all others."""

import numpy as np

from mpnet.kernels.jit import inlined, kernel
from mpnet.kernels.layout import ALIVE, FloatArray, GraphArrays, IndexArray, IntArray, TableArrays


@kernel
def ascend(
    graph: GraphArrays,
    edge_factor: IndexArray,
    tables: TableArrays,
    unary: FloatArray,
    order: IndexArray,
    log_q: FloatArray,
    q: FloatArray,
) -> tuple[float, int]:
    """Set each variable in turn to the best it can be given the others.

    No step lowers the bound: each is the maximum over one variable's distribution.

    Parameters
    ----------
    graph : GraphArrays
        The graph; not modified.
    edge_factor : int32[E]
        Factor at the end of each edge.
    tables : TableArrays
        Log potentials of all factors, in nats; ``-inf`` for hard zeros.
    unary : float64[B]
        Log unary potentials, in nats; not modified.
    order : int32[...]
        Variables, in the order in which they are set.
    log_q, q : float64[B]
        Distribution of each variable as logs (nats) and as probabilities; overwritten.

    Returns
    -------
    float
        The largest change of a log probability, less the smallest, over all variables;
        ``inf`` where a state gained or lost support, NaN if an entry is NaN.
    int
        The first variable that no state is possible for, whose distribution is left as it
        was, or ``ALIVE``.

    """
    worst, dead, widest = 0.0, ALIVE, 1
    for variable in range(graph.variable_states.size - 1):
        width = graph.variable_states[variable + 1] - graph.variable_states[variable]
        widest = max(widest, width)
    scores = np.empty(widest)
    assignment = np.zeros(64, dtype=np.int64)
    for place in range(order.size):
        variable = order[place]
        start, stop = graph.variable_states[variable], graph.variable_states[variable + 1]
        count = stop - start
        for state in range(count):
            scores[state] = unary[start + state]
        for slot in range(graph.variable_edges[variable], graph.variable_edges[variable + 1]):
            edge = graph.slot_edge[slot]
            arity = (
                graph.factor_edges[edge_factor[edge] + 1] - graph.factor_edges[edge_factor[edge]]
            )
            if arity == 2:
                _expect_pair(graph, edge_factor[edge], edge, count, tables, q, scores)
                continue
            if assignment.size < arity:
                assignment = np.zeros(arity, dtype=np.int64)
            _expect(graph, edge_factor[edge], edge, tables, q, assignment, scores)
        change = _settle(count, scores, start, log_q, q)
        if change < 0.0:
            dead = variable if dead == ALIVE else dead
        elif change > worst or change != change:
            worst = change
    return worst, dead


@kernel
def _expect(
    graph: GraphArrays,
    factor: int,
    target: int,
    tables: TableArrays,
    q: FloatArray,
    assignment: IntArray,
    scores: FloatArray,
) -> None:
    """Add a factor's log potential, expected over its other variables, to each state's score.

    With a target that is no edge of the factor, the expectation over all goes to ``scores[0]``.
    """
    first, last = graph.factor_edges[factor], graph.factor_edges[factor + 1]
    assignment[: last - first] = 0
    entry = tables.factor_table[factor - tables.first]
    running = True
    while running:
        weight, state = 1.0, 0
        for edge in range(first, last):
            here = assignment[edge - first]
            if edge == target:
                state = here
            else:
                weight *= q[graph.variable_states[graph.edge_variable[edge]] + here]
        # What never happens costs nothing, even where it is impossible.
        if weight != 0.0:
            scores[state] += weight * tables.tables[entry]
        entry += 1
        running = False
        for edge in range(last - 1, first - 1, -1):
            assignment[edge - first] += 1
            if assignment[edge - first] < graph.edge_states[edge + 1] - graph.edge_states[edge]:
                running = True
                break
            assignment[edge - first] = 0


@inlined
def _expect_pair(
    graph: GraphArrays,
    factor: int,
    target: int,
    count: int,
    tables: TableArrays,
    q: FloatArray,
    scores: FloatArray,
) -> None:
    """As ``_expect``, for a factor over two variables and a target that has ``count`` states."""
    first = graph.factor_edges[factor]
    other = first + 1 if target == first else first
    start = graph.variable_states[graph.edge_variable[other]]
    width = graph.edge_states[other + 1] - graph.edge_states[other]
    # Steps through the table, along the target's axis and along the other one.
    here, there = (width, 1) if target == first else (1, count)
    entry = tables.factor_table[factor - tables.first]
    for state in range(count):
        total = 0.0
        for others in range(width):
            weight = q[start + others]
            if weight != 0.0:
                total += weight * tables.tables[entry + state * here + others * there]
        scores[state] += total


@inlined
def _settle(count: int, scores: FloatArray, start: int, log_q: FloatArray, q: FloatArray) -> float:
    """Normalise scores into one variable's distribution; how far it moved, or -1 if it can't be."""
    best = -np.inf
    for state in range(count):
        if scores[state] > best or scores[state] != scores[state]:
            best = scores[state]
    if best == -np.inf:
        return -1.0
    total = 0.0
    for state in range(count):
        total += np.exp(scores[state] - best)
    shift = best + np.log(total)
    high, low, gained = -np.inf, np.inf, False
    for state in range(count):
        new, before = scores[state] - shift, log_q[start + state]
        if new != -np.inf and before != -np.inf:
            high, low = max(high, new - before), min(low, new - before)
        else:
            gained = gained or new != before
        log_q[start + state] = new
        q[start + state] = np.exp(new)
    if total != total:
        return np.nan
    if gained:
        return np.inf
    return high - low if high > low else 0.0


@kernel
def bound(
    graph: GraphArrays,
    tables: TableArrays,
    unary: FloatArray,
    log_q: FloatArray,
    q: FloatArray,
) -> float:
    """Expected log potentials plus entropies, in nats: never above log Z, constant left out.

    ``-inf`` where something impossible has a positive probability. Arguments as for ``ascend``;
    nothing is modified.
    """
    result = 0.0
    for entry in range(q.size):
        if q[entry] != 0.0:
            result += q[entry] * (unary[entry] - log_q[entry])
    assignment = np.zeros(64, dtype=np.int64)
    total = np.zeros(1)
    for factor in range(graph.factor_edges.size - 1):
        arity = graph.factor_edges[factor + 1] - graph.factor_edges[factor]
        if assignment.size < arity:
            assignment = np.zeros(arity, dtype=np.int64)
        total[0] = 0.0
        _expect(graph, factor, -1, tables, q, assignment, total)
        result += total[0]
    return result
