"""The family of sparse tables: a list of the assignments that are possible, with their weights.

A message costs the length of the list times the arity, whatever the size of the table.
"""

from typing import NamedTuple

import numpy as np

from mpnet.kernels.answers import finish, inverse, is_small, lifted, smallest
from mpnet.kernels.jit import inlined, kernel
from mpnet.kernels.layout import (
    ALIVE,
    ONE,
    UNSAFE,
    FloatArray,
    GraphArrays,
    IndexArray,
    IntArray,
)
from mpnet.kernels.residuals import larger
from mpnet.kernels.semiring import (
    Boolean,
    Semiring,
    in_logs,
    is_linear,
    plus,
    times,
    to_log,
)


class SparseArrays(NamedTuple):
    """Sparse tables of one shape, read-only; factors with equal lists share one."""

    first: int
    """The first factor of the family."""
    factor_list: IndexArray
    """Which list each factor uses, shape (factors of the family,)."""
    list_rows: IndexArray
    """Start of each list's rows, shape (lists + 1,)."""
    rows: IndexArray
    """Assignments: a state for each variable of a scope, shape (rows * arity,)."""
    weights: FloatArray
    """Weights, at most one, shape (rows,)."""


@inlined
def _respond(
    semiring: Semiring,
    graph: GraphArrays,
    family: SparseArrays,
    factor: int,
    to_factor: FloatArray,
    said: FloatArray,
    before: FloatArray,
    fresh: FloatArray,
) -> None:
    """Overwrite ``fresh`` with all messages of one factor; the other arrays are scratch."""
    edge = np.uintp(graph.factor_edges[factor])
    arity = np.uintp(graph.factor_edges[factor + 1]) - edge
    base = np.uintp(graph.edge_states[edge])
    edge_states, rows = graph.edge_states, family.rows
    for number in range(arity):
        start = np.uintp(edge_states[edge + number])
        stop = np.uintp(edge_states[edge + number + ONE])
        total = semiring.zero
        for entry in range(start, stop):
            total = plus(semiring, total, to_factor[entry])
        scale = inverse(semiring, total)
        for entry in range(start, stop):
            said[entry - base] = times(semiring, to_factor[entry], scale)
            fresh[entry - base] = semiring.zero
    number_of_list = family.factor_list[factor - family.first]
    first, last = family.list_rows[number_of_list], family.list_rows[number_of_list + 1]
    for row in range(np.uintp(first), np.uintp(last)):
        at = row * arity
        running = family.weights[row]
        for number in range(arity):
            slot = np.uintp(edge_states[edge + number]) - base + np.uintp(rows[at + number])
            before[number] = running
            running = times(semiring, running, said[slot])
        running = semiring.one
        for reverse in range(arity):
            axis = arity - ONE - reverse
            slot = np.uintp(edge_states[edge + axis]) - base + np.uintp(rows[at + axis])
            value = times(semiring, before[axis], running)
            fresh[slot] = plus(semiring, fresh[slot], value)
            running = times(semiring, running, said[slot])


@kernel
def send(
    semiring: Semiring,
    graph: GraphArrays,
    family: SparseArrays,
    first: int,
    last: int,
    to_factor: FloatArray,
    old: FloatArray,
    out: FloatArray,
    damping: float,
    edge_residual: FloatArray,
) -> tuple[float, int]:
    """Messages of a range of factors to all their variables.

    Arguments as for ``mpnet.kernels.tables.send``.
    """
    status, worst = ALIVE, 0.0
    begin, end = graph.factor_edges[first], graph.factor_edges[first + 1]
    size = graph.edge_states[end] - graph.edge_states[begin]
    said, fresh = np.empty(size, dtype=out.dtype), np.empty(size, dtype=out.dtype)
    before = np.empty(end - begin, dtype=out.dtype)
    small = smallest(out)
    boolean = Boolean(semiring.zero, semiring.one)
    for factor in range(first, last):
        _respond(semiring, graph, family, factor, to_factor, said, before, fresh)
        unsure = is_linear(semiring) and not fresh.min() > small
        if unsure and _is_lost(boolean, graph, family, factor, to_factor, said, before, fresh):
            return worst, UNSAFE
        change, dead = finish(semiring, graph, factor, fresh, old, out, damping, edge_residual)
        if dead and status == ALIVE:
            status = factor
        worst = larger(worst, change)
    return worst, status


@kernel
def _is_lost(
    boolean: Boolean,
    graph: GraphArrays,
    family: SparseArrays,
    factor: int,
    to_factor: FloatArray,
    said: FloatArray,
    before: FloatArray,
    fresh: FloatArray,
) -> bool:
    """Whether some entry of ``fresh`` is small though it is not a hard zero."""
    possible = np.empty_like(fresh)
    _respond(boolean, graph, family, factor, to_factor, said, before, possible)
    return is_small(fresh, possible)


@kernel
def _total(
    work: Semiring,
    semiring: Semiring,
    graph: GraphArrays,
    family: SparseArrays,
    factor: int,
    to_factor: FloatArray,
) -> float:
    """The local partition sum of a table in the semiring ``work``."""
    edge = graph.factor_edges[factor]
    arity = graph.factor_edges[factor + 1] - edge
    number_of_list = family.factor_list[factor - family.first]
    result = work.zero
    for row in range(family.list_rows[number_of_list], family.list_rows[number_of_list + 1]):
        value = lifted(work, semiring, family.weights[row])
        for number in range(arity):
            slot = graph.edge_states[edge + number] + family.rows[row * arity + number]
            value = times(work, value, lifted(work, semiring, to_factor[slot]))
        result = plus(work, result, value)
    return result


@kernel
def log_partition(
    semiring: Semiring,
    graph: GraphArrays,
    family: SparseArrays,
    first: int,
    last: int,
    to_factor: FloatArray,
) -> float:
    """Sum over the factors of the log of each one's local partition sum, in nats.

    Arguments as for ``mpnet.kernels.tables.log_partition``.
    """
    result = 0.0
    small = smallest(to_factor)
    for factor in range(first, last):
        total = _total(semiring, semiring, graph, family, factor, to_factor)
        if is_linear(semiring) and total <= small:
            result += _total(in_logs(semiring), semiring, graph, family, factor, to_factor)
        else:
            result += to_log(semiring, total)
    return result


@kernel
def log_potential(
    semiring: Semiring,
    graph: GraphArrays,
    family: SparseArrays,
    first: int,
    last: int,
    assignment: IntArray,
) -> float:
    """Log potential of one assignment of all variables, summed over the factors, in nats.

    Arguments as for ``mpnet.kernels.tables.log_potential``.
    """
    result = 0.0
    for factor in range(first, last):
        edge = graph.factor_edges[factor]
        arity = graph.factor_edges[factor + 1] - edge
        number_of_list = family.factor_list[factor - family.first]
        found = -np.inf
        for row in range(family.list_rows[number_of_list], family.list_rows[number_of_list + 1]):
            same = True
            for number in range(arity):
                state = assignment[graph.edge_variable[edge + number]]
                same = same and family.rows[row * arity + number] == state
            if same:
                found = to_log(semiring, family.weights[row])
        result += found
    return result
