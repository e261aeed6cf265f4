"""The family of dense tables, of any arity and any cardinalities."""

import numpy as np

from mpnet.kernels.jit import kernel
from mpnet.kernels.layout import ALIVE, FloatArray, GraphArrays, IntArray, TableArrays
from mpnet.kernels.residuals import larger, settle
from mpnet.kernels.semiring import Semiring, is_linear, is_linear_sum, plus, times, to_log


@kernel
def send(
    semiring: Semiring,
    graph: GraphArrays,
    family: TableArrays,
    first: int,
    last: int,
    to_factor: FloatArray,
    old: FloatArray,
    out: FloatArray,
    damping: float,
    edge_residual: FloatArray,
) -> tuple[float, int]:
    """Messages of the factors ``first`` to ``last - 1`` to all their variables.

    One pass over each table serves all directions, a row (the last variable's states) at a
    time.

    Parameters
    ----------
    semiring : Semiring
        What the values mean.
    graph : GraphArrays
        The graph; not modified.
    family : TableArrays
        The tables; not modified.
    first, last : int
        Range of factors.
    to_factor : float[S]
        Variable-to-factor messages, of any scale; not modified.
    old : float[S]
        What the factors said before, of any scale; not modified unless it is ``out``.
    out : float[S]
        Overwritten, for the edges of these factors, with messages, no entry above one.
    damping : float
        Weight of the old message, in the log domain, in [0, 1).
    edge_residual : float[E] or float[0]
        Overwritten for these edges with each message's undamped residual, in nats; an empty
        array where nobody wants to know.

    Returns
    -------
    float
        The largest undamped residual, in nats; NaN if any message holds a NaN. A message
        without a possible state counts as settled: the status tells.
    int
        The first factor that allows nothing, ``ALIVE``, or ``UNSAFE``.

    """
    status, worst = ALIVE, 0.0
    assignment = np.zeros(64, dtype=np.int64)
    prefix = np.empty(64, dtype=out.dtype)
    fresh = np.empty(64, dtype=out.dtype)
    for factor in range(first, last):
        edge, stop = graph.factor_edges[factor], graph.factor_edges[factor + 1]
        base = graph.edge_states[edge]
        width = graph.edge_states[stop] - base
        if fresh.size < width:
            fresh = np.empty(width, dtype=out.dtype)
        if assignment.size < stop - edge:
            assignment = np.zeros(stop - edge, dtype=np.int64)
            prefix = np.empty(stop - edge, dtype=out.dtype)
        table = family.factor_table[factor - family.first]
        _contract(semiring, graph, family, edge, stop, table, to_factor, assignment, prefix, fresh)
        for target in range(edge, stop):
            start = graph.edge_states[target]
            count = graph.edge_states[target + 1] - start
            change = settle(semiring, count, fresh, start - base, old, out, start, damping)
            if change < 0.0:
                status = factor if status == ALIVE else status
                change = 0.0
            if edge_residual.size > 0:
                edge_residual[target] = change
            worst = larger(worst, change)
    return worst, status


@kernel
def _contract(
    semiring: Semiring,
    graph: GraphArrays,
    family: TableArrays,
    edge: int,
    stop: int,
    entry: int,
    to_factor: FloatArray,
    assignment: IntArray,
    prefix: FloatArray,
    fresh: FloatArray,
) -> None:
    """Fill ``fresh`` with one factor's messages; ``assignment`` and ``prefix`` are scratch."""
    tail = stop - 1 - edge
    base = graph.edge_states[edge]
    final = graph.edge_states[stop - 1]
    count = graph.edge_states[stop] - final
    fresh[: graph.edge_states[stop] - base] = semiring.zero
    assignment[: tail + 1] = 0
    prefix[0] = semiring.one
    changed = 0
    running = True
    while running:
        for axis in range(changed, tail):
            slot = graph.edge_states[edge + axis] + assignment[axis]
            prefix[axis + 1] = times(semiring, prefix[axis], to_factor[slot])
        before = prefix[tail]
        row = semiring.zero
        for state in range(count):
            potential = family.tables[entry + state]
            row = plus(semiring, row, times(semiring, potential, to_factor[final + state]))
            slot = final - base + state
            fresh[slot] = plus(semiring, fresh[slot], times(semiring, before, potential))
        entry += count
        for axis in range(tail - 1, -1, -1):
            slot = graph.edge_states[edge + axis] + assignment[axis]
            here = slot - base
            fresh[here] = plus(semiring, fresh[here], times(semiring, prefix[axis], row))
            row = times(semiring, row, to_factor[slot])
        changed = _next_row(graph, edge, tail, assignment)
        running = changed >= 0


@kernel
def _next_row(graph: GraphArrays, edge: int, tail: int, assignment: IntArray) -> int:
    """Step to the next row; the first axis that changed, or -1 after the last row."""
    for axis in range(tail - 1, -1, -1):
        assignment[axis] += 1
        if assignment[axis] < graph.edge_states[edge + axis + 1] - graph.edge_states[edge + axis]:
            return axis
        assignment[axis] = 0
    return -1


@kernel
def log_partition(
    semiring: Semiring,
    graph: GraphArrays,
    family: TableArrays,
    first: int,
    last: int,
    to_factor: FloatArray,
) -> float:
    """Sum over the factors of the log of each one's local partition sum, in nats.

    The local partition sum of a factor is its table times all incoming messages, summed (or
    maximised) over every assignment. Arguments as for ``send``.
    """
    assignment = np.zeros(64, dtype=np.int64)
    prefix = np.empty(64, dtype=to_factor.dtype)
    # Above this, what has underflowed is lost in the rounding.
    lowest = np.sqrt(np.finfo(to_factor.dtype).tiny)
    result = 0.0
    for factor in range(first, last):
        edge, stop = graph.factor_edges[factor], graph.factor_edges[factor + 1]
        tail = stop - 1 - edge
        if assignment.size < tail + 1:
            assignment = np.zeros(tail + 1, dtype=np.int64)
            prefix = np.empty(tail + 1, dtype=to_factor.dtype)
        assignment[: tail + 1] = 0
        prefix[0] = semiring.one
        entry = family.factor_table[factor - family.first]
        final = graph.edge_states[stop - 1]
        total = semiring.zero
        changed = 0
        while changed >= 0:
            for axis in range(changed, tail):
                slot = graph.edge_states[edge + axis] + assignment[axis]
                prefix[axis + 1] = times(semiring, prefix[axis], to_factor[slot])
            row = semiring.zero
            for slot in range(final, graph.edge_states[stop]):
                row = plus(semiring, row, times(semiring, family.tables[entry], to_factor[slot]))
                entry += 1
            total = plus(semiring, total, times(semiring, prefix[tail], row))
            changed = _next_row(graph, edge, tail, assignment)
        if is_linear(semiring) and total < lowest:
            start = family.factor_table[factor - family.first]
            result += _careful_total(
                semiring, graph, family, edge, stop, start, to_factor, assignment
            )
        else:
            result += to_log(semiring, total)
    return result


@kernel
def _careful_total(
    semiring: Semiring,
    graph: GraphArrays,
    family: TableArrays,
    edge: int,
    stop: int,
    entry: int,
    to_factor: FloatArray,
    assignment: IntArray,
) -> float:
    """Log partition sum of one factor in linear space, term by term in logs.

    A message to a factor may be as small as linear space allows, so that the product of all,
    which no message needs, may be smaller.
    """
    best, total = -np.inf, 0.0
    assignment[: stop - edge] = 0
    running = True
    while running:
        score = to_log(semiring, family.tables[entry]) + 0.0
        for axis in range(stop - edge):
            slot = graph.edge_states[edge + axis] + assignment[axis]
            score += to_log(semiring, to_factor[slot])
        if score > best:
            total = 1.0 + (total * np.exp(best - score) if total > 0.0 else 0.0)
            best = score
        elif score > -np.inf:
            total += np.exp(score - best)
        entry += 1
        running = _next_row(graph, edge, stop - edge, assignment) >= 0
    if is_linear_sum(semiring) and total > 0.0:
        return best + np.log(total)
    return best


@kernel
def log_potential(
    semiring: Semiring,
    graph: GraphArrays,
    family: TableArrays,
    first: int,
    last: int,
    assignment: IntArray,
) -> float:
    """Log potential of one assignment of all variables, summed over the factors, in nats.

    Parameters
    ----------
    semiring, graph, family, first, last
        As for ``send``.
    assignment : int64[V]
        State of each variable; not modified.

    """
    result = 0.0
    for factor in range(first, last):
        offset = 0
        for edge in range(graph.factor_edges[factor], graph.factor_edges[factor + 1]):
            count = graph.edge_states[edge + 1] - graph.edge_states[edge]
            offset = offset * count + assignment[graph.edge_variable[edge]]
        table = family.factor_table[factor - family.first]
        result += to_log(semiring, family.tables[table + offset])
    return result
