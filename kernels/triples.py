"""The family of dense tables over three variables with equally many states, a known number."""

import numpy as np

from mpnet.kernels import tables
from mpnet.kernels.jit import kernel, reordering_kernel
from mpnet.kernels.layout import (
    ALIVE,
    THREE,
    TWO,
    FloatArray,
    GraphArrays,
    TableArrays,
    TripleArrays,
)
from mpnet.kernels.residuals import larger, span
from mpnet.kernels.semiring import Semiring, is_linear_sum


@kernel
def send(
    semiring: Semiring,
    graph: GraphArrays,
    family: TripleArrays,
    first: int,
    last: int,
    to_factor: FloatArray,
    old: FloatArray,
    out: FloatArray,
    damping: float,
    edge_residual: FloatArray,
) -> tuple[float, int]:
    """Messages of a range of factors to all three variables, from one read of each table.

    Arguments as for ``mpnet.kernels.tables.send``.
    """
    if is_linear_sum(semiring) and damping == 0.0:
        return _send_sums(graph, family, first, last, to_factor, old, out, edge_residual)
    # Compiled once, and not for each number of states.
    plain = TableArrays(family.first, family.factor_table, family.tables)
    return tables.send(
        semiring, graph, plain, first, last, to_factor, old, out, damping, edge_residual
    )


@reordering_kernel
def _send_sums(
    graph: GraphArrays,
    family: TripleArrays,
    first: int,
    last: int,
    to_factor: FloatArray,
    old: FloatArray,
    out: FloatArray,
    edge_residual: FloatArray,
) -> tuple[float, int]:
    """Plain arithmetic, undamped: free to add up in the order that is quickest."""
    status, worst = ALIVE, 0.0
    count = np.uintp(len(family.states))
    wanted = edge_residual.size > 0
    rounding = 64.0 * np.finfo(out.dtype).eps
    slack = rounding
    fresh = np.empty(THREE * count, dtype=out.dtype)
    edge = np.uintp(graph.factor_edges[first])
    left = np.uintp(graph.edge_states[edge])
    for place in range(np.uintp(first - family.first), np.uintp(last - family.first)):
        entry = np.uintp(family.factor_table[place])
        for state in range(THREE * count):
            fresh[state] = 0.0
        for one in range(count):
            first_said = to_factor[left + one]
            gathered = 0.0
            for two in range(count):
                second_said = to_factor[left + count + two]
                said = first_said * second_said
                row = 0.0
                for three in range(count):
                    potential = family.tables[entry + three]
                    row += potential * to_factor[left + TWO * count + three]
                    fresh[TWO * count + three] += potential * said
                gathered += row * second_said
                fresh[count + two] += row * first_said
                entry += count
            fresh[one] = gathered
        for side in range(THREE):
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
        edge += THREE
        left += THREE * count
    return np.log1p(worst), status
