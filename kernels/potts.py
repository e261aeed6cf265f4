"""The family of Potts factors: one weight where two variables agree, another where they do not.

With as many as q states a message costs O(q): it is the weight of disagreement times the sum (or
maximum) over all other states, plus the weight of agreement times the own one. Where agreement
weighs more, nothing is subtracted; where it weighs less, the sum without one state is a
difference only for states that hold at most half of the sum.
"""

from typing import NamedTuple

import numpy as np

from mpnet.kernels.answers import finish, finish_wide
from mpnet.kernels.jit import inlined, kernel, reordering_kernel
from mpnet.kernels.layout import ALIVE, ONE, TWO, FloatArray, GraphArrays, IntArray
from mpnet.kernels.residuals import larger
from mpnet.kernels.semiring import Semiring, is_linear, is_linear_sum, plus, times, to_log


class PottsArrays(NamedTuple):
    """Potts factors over two variables with equally many states, read-only."""

    first: int
    """The first factor of the family."""
    same: FloatArray
    """Weight of agreement, shape (factors of the family,)."""
    other: FloatArray
    """Weight of disagreement, shape (factors of the family,)."""


@inlined
def _answer_sum(
    count: np.uintp,
    same: float,
    other: float,
    to_factor: FloatArray,
    said: np.uintp,
    fresh: FloatArray,
    at: np.uintp,
) -> None:
    """One message, by plain arithmetic."""
    total = 0.0
    for state in range(count):
        total += to_factor[said + state]
    every, own = other * total, same - other
    for state in range(count):
        fresh[at + state] = every + own * to_factor[said + state]
    if own < 0.0:
        top = np.uintp(0)
        for state in range(count):
            if to_factor[said + state] > to_factor[said + top]:
                top = np.uintp(state)
        rest = 0.0
        for state in range(count):
            rest += to_factor[said + state] if state != top else 0.0
        fresh[at + top] = other * rest + same * to_factor[said + top]


@inlined
def _answer(
    semiring: Semiring,
    count: np.uintp,
    same: float,
    other: float,
    to_factor: FloatArray,
    said: np.uintp,
    fresh: FloatArray,
    at: np.uintp,
) -> None:
    """One message, of any scale, in any semiring but plain arithmetic."""
    top, best, second = np.uintp(0), semiring.zero, semiring.zero
    for state in range(count):
        value = to_factor[said + state]
        if value > best or value != value:
            top, best, second = np.uintp(state), value, best
        elif value > second:
            second = value
    rest, runner = best, second
    if plus(semiring, semiring.one, semiring.one) != semiring.one and best != semiring.zero:
        # Logs that are summed: relative to the largest, so that nothing underflows that counts.
        total, without = 0.0, 0.0
        for state in range(count):
            value = to_factor[said + state]
            total += np.exp(value - best)
            if state != top and second != semiring.zero:
                without += np.exp(value - second)
        if second != semiring.zero:
            runner = second + np.log(without)
        for state in range(count):
            value = to_factor[said + state]
            rest = best + np.log(total - np.exp(value - best)) if state != top else runner
            fresh[at + state] = plus(semiring, other + rest, same + value)
    else:
        for state in range(count):
            rest = best if state != top else runner
            agree = times(semiring, same, to_factor[said + state])
            fresh[at + state] = plus(semiring, times(semiring, other, rest), agree)


@kernel
def send(
    semiring: Semiring,
    graph: GraphArrays,
    family: PottsArrays,
    first: int,
    last: int,
    to_factor: FloatArray,
    old: FloatArray,
    out: FloatArray,
    damping: float,
    edge_residual: FloatArray,
) -> tuple[float, int]:
    """Messages of a range of factors both ways.

    Arguments as for ``mpnet.kernels.tables.send``.
    """
    if is_linear_sum(semiring) and damping == 0.0:
        return _send_sums(graph, family, first, last, to_factor, old, out, edge_residual)
    status, worst = ALIVE, 0.0
    left = np.uintp(graph.edge_states[graph.factor_edges[first]])
    count = np.uintp(graph.edge_states[graph.factor_edges[first] + 1]) - left
    fresh = np.empty(TWO * count, dtype=out.dtype)
    for factor in range(first, last):
        same, other = family.same[factor - family.first], family.other[factor - family.first]
        for side in range(TWO):
            said, at = left + (ONE - side) * count, side * count
            if is_linear_sum(semiring):
                _answer_sum(count, same, other, to_factor, said, fresh, at)
            else:
                _answer(semiring, count, same, other, to_factor, said, fresh, at)
        change, dead = finish(semiring, graph, factor, fresh, old, out, damping, edge_residual)
        if dead and status == ALIVE:
            status = factor
        worst = larger(worst, change)
        left += TWO * count
    return worst, status


@reordering_kernel
def _send_sums(
    graph: GraphArrays,
    family: PottsArrays,
    first: int,
    last: int,
    to_factor: FloatArray,
    old: FloatArray,
    out: FloatArray,
    edge_residual: FloatArray,
) -> tuple[float, int]:
    """Plain arithmetic, undamped: free to add up in the order that is quickest."""
    status, worst = ALIVE, 0.0
    slack = float(64.0 * np.finfo(out.dtype).eps)
    edge = np.uintp(graph.factor_edges[first])
    left = np.uintp(graph.edge_states[edge])
    count = np.uintp(graph.edge_states[edge + ONE]) - left
    place = np.uintp(first - family.first)
    fresh = np.empty(TWO * count, dtype=out.dtype)
    for factor in range(first, last):
        same, other = family.same[place], family.other[place]
        for side in range(TWO):
            said, at = left + (ONE - side) * count, side * count
            _answer_sum(count, same, other, to_factor, said, fresh, at)
        for side in range(TWO):
            at = side * count
            worst, slack, dead = finish_wide(
                count, fresh, at, old, out, left + at, edge + side, edge_residual, worst, slack
            )
            if dead and status == ALIVE:
                status = factor
        place += ONE
        edge += TWO
        left += TWO * count
    return np.log1p(worst), status


@kernel
def log_partition(
    semiring: Semiring,
    graph: GraphArrays,
    family: PottsArrays,
    first: int,
    last: int,
    to_factor: FloatArray,
) -> float:
    """Sum over the factors of the log of each one's local partition sum, in nats.

    Arguments as for ``mpnet.kernels.tables.log_partition``.
    """
    result = 0.0
    left = np.uintp(graph.edge_states[graph.factor_edges[first]])
    count = np.uintp(graph.edge_states[graph.factor_edges[first] + 1]) - left
    fresh = np.empty(count, dtype=to_factor.dtype)
    none = np.uintp(0)
    for factor in range(first, last):
        same, other = family.same[factor - family.first], family.other[factor - family.first]
        if is_linear_sum(semiring):
            _answer_sum(count, same, other, to_factor, left + count, fresh, none)
        else:
            _answer(semiring, count, same, other, to_factor, left + count, fresh, none)
        logs, total = 0.0, semiring.zero
        if is_linear(semiring):
            # Each of three numbers may be as small as a number gets: not their product.
            best, most = 0.0, 0.0
            for state in range(count):
                best, most = max(best, fresh[state]), max(most, to_factor[left + state])
            if best > 0.0 and most > 0.0:
                logs = float(np.log(best) + np.log(most))
                for state in range(count):
                    one = to_factor[left + state] / most
                    total = plus(semiring, total, one * (fresh[state] / best))
        else:
            for state in range(count):
                one = times(semiring, to_factor[left + state], fresh[state])
                total = plus(semiring, total, one)
        result += to_log(semiring, total) + logs
        left += TWO * count
    return result


@kernel
def log_potential(
    semiring: Semiring,
    graph: GraphArrays,
    family: PottsArrays,
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
        one, two = graph.edge_variable[edge], graph.edge_variable[edge + 1]
        weights = family.same if assignment[one] == assignment[two] else family.other
        result += to_log(semiring, weights[factor - family.first])
    return result
