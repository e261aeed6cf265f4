"""The family of dense tables over two variables with equally many states, a known number."""

import numpy as np

from mpnet.kernels import tables
from mpnet.kernels.jit import kernel, reordering_kernel
from mpnet.kernels.layout import (
    ALIVE,
    ONE,
    THREE,
    TWO,
    FloatArray,
    GraphArrays,
    PairArrays,
    TableArrays,
)
from mpnet.kernels.residuals import excess, larger, span
from mpnet.kernels.semiring import Semiring, is_linear, is_linear_sum, plus


@kernel
def send(
    semiring: Semiring,
    graph: GraphArrays,
    family: PairArrays,
    first: int,
    last: int,
    to_factor: FloatArray,
    old: FloatArray,
    out: FloatArray,
    damping: float,
    edge_residual: FloatArray,
) -> tuple[float, int]:
    """Messages of a range of factors both ways, from one read of each table.

    Arguments as for ``mpnet.kernels.tables.send``.
    """
    # What does not depend on the number of states is compiled once for all of them.
    plain = TableArrays(family.first, family.factor_table, family.tables)
    if is_linear(semiring) and len(family.states) == 2 and damping == 0.0:
        return _send_binary(semiring, graph, plain, first, last, to_factor, old, out, edge_residual)
    if is_linear_sum(semiring) and damping == 0.0:
        return _send_sums(
            semiring.zero, graph, family, first, last, to_factor, old, out, edge_residual
        )
    return tables.send(
        semiring, graph, plain, first, last, to_factor, old, out, damping, edge_residual
    )


@reordering_kernel
def _send_sums(
    zero: float,
    graph: GraphArrays,
    family: PairArrays,
    first: int,
    last: int,
    to_factor: FloatArray,
    old: FloatArray,
    out: FloatArray,
    edge_residual: FloatArray,
) -> tuple[float, int]:
    """Plain arithmetic, undamped: free to add up in the order that is quickest.

    Sums start at ``zero``, in the precision of the messages.
    """
    status, worst = ALIVE, 0.0
    count = np.uintp(len(family.states))
    wanted = edge_residual.size > 0
    rounding = 64.0 * np.finfo(out.dtype).eps
    slack = rounding
    fresh = np.empty(TWO * count, dtype=out.dtype)
    edge = np.uintp(graph.factor_edges[first])
    left = np.uintp(graph.edge_states[edge])
    for place in range(np.uintp(first - family.first), np.uintp(last - family.first)):
        right = left + count
        entry = np.uintp(family.factor_table[place])
        for column in range(count):
            fresh[count + column] = zero
        for row in range(count):
            said = to_factor[left + row]
            total = zero
            for column in range(count):
                potential = family.tables[entry + column]
                total += potential * to_factor[right + column]
                fresh[count + column] += potential * said
            fresh[row] = total
            entry += count
        for side in range(TWO):
            at, start = side * count, left + side * count
            total = 0.0
            for state in range(count):
                total += fresh[at + state]
            if total == 0.0:
                if status == ALIVE:
                    status = int(family.first + np.int64(place))
                total = np.inf
            total = 1.0 / total
            if wanted:
                edge_residual[edge + side] = 0.0
            far = 0
            for state in range(count):
                value = fresh[at + state] * total
                before = old[start + state]
                fresh[at + state] = value
                least = value if value < before else before
                far |= not abs(value - before) <= slack * least
            if far != 0:
                # A message of nothing has no residual: the status tells.
                change = span(count, fresh, at, old, start) if total != 0.0 else 0.0
                if wanted:
                    edge_residual[edge + side] = np.log1p(change)
                if not change <= worst:
                    worst = larger(worst, change)
                    # Ratios within the root of a span can't make a larger span.
                    slack = rounding if wanted else max(rounding, np.sqrt(1.0 + worst) - 1.0)
            for state in range(count):
                out[start + state] = fresh[at + state]
        edge += TWO
        left += TWO * count
    return np.log1p(worst), status


@kernel
def _send_binary(
    semiring: Semiring,
    graph: GraphArrays,
    family: TableArrays,
    first: int,
    last: int,
    to_factor: FloatArray,
    old: FloatArray,
    out: FloatArray,
    edge_residual: FloatArray,
) -> tuple[float, int]:
    """Two states, undamped: everything in registers, and no logarithm per message."""
    status, worst = ALIVE, 0.0
    edge = np.uintp(graph.factor_edges[first])
    left = np.uintp(graph.edge_states[edge])
    wanted = edge_residual.size > 0
    for place in range(np.uintp(first - family.first), np.uintp(last - family.first)):
        right = left + TWO
        table = np.uintp(family.factor_table[place])
        both_off, right_on = family.tables[table], family.tables[table + ONE]
        left_on, both_on = family.tables[table + TWO], family.tables[table + THREE]
        off, on = to_factor[right], to_factor[right + ONE]
        left_0 = plus(semiring, both_off * off, right_on * on)
        left_1 = plus(semiring, left_on * off, both_on * on)
        off, on = to_factor[left], to_factor[left + ONE]
        right_0 = plus(semiring, both_off * off, left_on * on)
        right_1 = plus(semiring, right_on * off, both_on * on)
        left_best = left_0 if left_0 > left_1 else left_1
        right_best = right_0 if right_0 > right_1 else right_1
        if left_best == 0.0 or right_best == 0.0:
            if status == ALIVE:
                status = int(family.first + np.int64(place))
            left_best = right_best = 1.0
        scale = 1.0 / left_best
        left_0, left_1 = left_0 * scale, left_1 * scale
        scale = 1.0 / right_best
        right_0, right_1 = right_0 * scale, right_1 * scale
        # Residual as odds: |x - y| / min(x, y) for the cross products of new and old, divided
        # only where it is a new maximum, or where somebody wants every edge's own.
        one, other = left_1 * old[left], left_0 * old[left + ONE]
        gap, least = abs(one - other), min(one, other)
        if wanted:
            edge_residual[edge] = np.log1p(excess(gap, least))
        if not gap <= worst * least:
            worst = larger(worst, excess(gap, least))
        one, other = right_1 * old[right], right_0 * old[right + ONE]
        gap, least = abs(one - other), min(one, other)
        if wanted:
            edge_residual[edge + ONE] = np.log1p(excess(gap, least))
        if not gap <= worst * least:
            worst = larger(worst, excess(gap, least))
        out[left], out[left + ONE] = left_0, left_1
        out[right], out[right + ONE] = right_0, right_1
        edge += TWO
        left = right + TWO
    return np.log1p(worst), status
