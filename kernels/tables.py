"""The family of dense tables, of any arity and any cardinalities, in the log domain."""

import numpy as np

from mpnet.kernels.jit import kernel
from mpnet.kernels.layout import FloatArray, GraphArrays, IntArray, TableArrays
from mpnet.kernels.variables import shift_to_zero


@kernel
def send(
    graph: GraphArrays,
    family: TableArrays,
    first: int,
    last: int,
    to_factor: FloatArray,
    out: FloatArray,
) -> int:
    """Sum-product messages of the factors ``first`` to ``last - 1`` to all their variables.

    One pass over each table serves all directions. Sums are kept relative to the largest term
    so far, so potentials of any size neither overflow nor vanish.

    Parameters
    ----------
    graph : GraphArrays
        The graph; not modified.
    family : TableArrays
        The tables; not modified.
    first, last : int
        Range of factors.
    to_factor : float64[S]
        Variable-to-factor log messages, in nats; not modified.
    out : float64[S]
        Overwritten, for the edges of these factors, with log messages, largest entry 0.

    Returns
    -------
    int
        The first factor that allows nothing, or -1.

    """
    dead = -1
    assignment = np.zeros(64, dtype=np.int64)
    others = np.zeros(64)
    sums = np.zeros(1)
    for factor in range(first, last):
        edge, stop = graph.factor_edges[factor], graph.factor_edges[factor + 1]
        arity = stop - edge
        base = graph.edge_states[edge]
        width = graph.edge_states[stop] - base
        if sums.size < width:
            sums = np.zeros(width)
        if others.size < arity + 1:
            assignment = np.zeros(arity + 1, dtype=np.int64)
            others = np.zeros(arity + 1)
        out[base : base + width] = -np.inf
        sums[:width] = 0.0
        assignment[:arity] = 0
        entry = family.factor_table[factor]
        running = True
        while running:
            potential = family.tables[entry]
            entry += 1
            if potential != -np.inf:
                _add_term(graph, edge, arity, assignment, others, potential, to_factor, out, sums)
            running = _next_assignment(graph, edge, arity, assignment)
        for slot in range(width):
            out[base + slot] += np.log(sums[slot]) if sums[slot] != 0.0 else 0.0
        for target in range(edge, stop):
            shift = shift_to_zero(out, graph.edge_states[target], graph.edge_states[target + 1])
            if shift == -np.inf and dead < 0:
                dead = factor
    return dead


@kernel
def _add_term(
    graph: GraphArrays,
    edge: int,
    arity: int,
    assignment: IntArray,
    others: FloatArray,
    potential: float,
    to_factor: FloatArray,
    out: FloatArray,
    sums: FloatArray,
) -> None:
    """Add one table entry to every direction; ``others`` is scratch, shape (arity + 1,)."""
    base = graph.edge_states[edge]
    others[arity] = 0.0
    for axis in range(arity - 1, -1, -1):
        slot = graph.edge_states[edge + axis] + assignment[axis]
        others[axis] = others[axis + 1] + to_factor[slot]
    before = potential
    for axis in range(arity):
        slot = graph.edge_states[edge + axis] + assignment[axis]
        score = before + others[axis + 1]
        before += to_factor[slot]
        if score > out[slot] or score != score:
            sums[slot - base] = sums[slot - base] * np.exp(out[slot] - score) + 1.0
            out[slot] = score
        elif score != -np.inf:
            sums[slot - base] += np.exp(score - out[slot])


@kernel
def _next_assignment(graph: GraphArrays, edge: int, arity: int, assignment: IntArray) -> bool:
    """Step to the next assignment, the last variable fastest; False after the last one."""
    for axis in range(arity - 1, -1, -1):
        assignment[axis] += 1
        if assignment[axis] < graph.edge_states[edge + axis + 1] - graph.edge_states[edge + axis]:
            return True
        assignment[axis] = 0
    return False


@kernel
def log_partition(
    graph: GraphArrays, family: TableArrays, first: int, last: int, to_factor: FloatArray
) -> float:
    """Sum over the factors of the log of each one's local partition sum, in nats.

    The local partition sum of a factor is its table times all incoming messages, summed over
    every assignment. Arguments as for ``send``.
    """
    assignment = np.zeros(64, dtype=np.int64)
    result = 0.0
    for factor in range(first, last):
        edge, stop = graph.factor_edges[factor], graph.factor_edges[factor + 1]
        arity = stop - edge
        if assignment.size < arity:
            assignment = np.zeros(arity, dtype=np.int64)
        assignment[:arity] = 0
        entry = family.factor_table[factor]
        best, total = -np.inf, 0.0
        running = True
        while running:
            score = family.tables[entry]
            entry += 1
            for axis in range(arity):
                score += to_factor[graph.edge_states[edge + axis] + assignment[axis]]
            if score > best or score != score:
                total = total * np.exp(best - score) + 1.0
                best = score
            elif score != -np.inf:
                total += np.exp(score - best)
            running = _next_assignment(graph, edge, arity, assignment)
        result += best + np.log(total) if best != -np.inf else best
    return result


@kernel
def log_potential(
    graph: GraphArrays, family: TableArrays, first: int, last: int, assignment: IntArray
) -> float:
    """Log potential of one assignment of all variables, summed over the factors, in nats.

    Parameters
    ----------
    graph, family, first, last
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
        result += family.tables[family.factor_table[factor] + offset]
    return result
