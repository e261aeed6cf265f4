"""Kernels of the family "steps": a ladder whose rungs cost something to climb up or down.

Both variables have the same states, in an order. The potential of two states is the product of
the weights of all rungs between them: ``up`` where the second is above the first, ``down`` where
it is below. Sums over one of them are two running sums along the ladder, so a message costs
O(states), where a table costs O(states^2); nothing is subtracted. A third variable, if there is
one, is a switch in front: off, all assignments weigh one.
"""

from typing import NamedTuple

import numpy as np

from mpnet.families import (
    ALIVE,
    ONE,
    TWO,
    UNSAFE,
    Boolean,
    FamilyKernels,
    FloatArray,
    GraphArrays,
    IndexArray,
    IntArray,
    Semiring,
    finish,
    finish_wide,
    in_logs,
    inlined,
    is_linear,
    is_linear_sum,
    is_small,
    kernel,
    larger,
    lifted,
    plus,
    register_family,
    reordering_kernel,
    smallest,
    times,
    to_log,
)

NAME = "steps"


class StepArrays(NamedTuple):
    """Ladders of as many rungs, read-only; factors with equal rungs share a ladder."""

    first: int
    """The first factor of the family."""
    switched: int
    """One where the first variable of each factor is a switch, else zero."""
    factor_ladder: IndexArray
    """Start of each factor's rungs, shape (factors of the family,)."""
    up: FloatArray
    """Weight of each rung on the way up, at most one, shape (ladders * (states - 1),)."""
    down: FloatArray
    """Weight of each rung on the way down, as ``up``."""


@inlined
def _climb(
    semiring: Semiring,
    family: StepArrays,
    rungs: np.uintp,
    count: np.uintp,
    first: np.uintp,
    to_factor: FloatArray,
    high: FloatArray,
    fresh: FloatArray,
    at: np.uintp,
) -> None:
    """Overwrite ``fresh`` from ``at`` on with what both variables hear, each from the other.

    What they say begins at ``first`` in ``to_factor``; ``high`` is scratch. Four running sums, up
    and down the ladder for each variable, go along together: they do not wait for one another.
    """
    up, down, second, top = family.up, family.down, first + count, count - ONE
    low_first, low_second = to_factor[second], to_factor[first]
    high_first, high_second = to_factor[second + top], to_factor[first + top]
    fresh[at], fresh[at + count] = low_first, low_second
    high[top], high[count + top] = semiring.zero, semiring.zero
    for step in range(ONE, count):
        here, rung = at + step, rungs + step - ONE
        low_first = plus(semiring, to_factor[second + step], times(semiring, down[rung], low_first))
        low_second = plus(semiring, to_factor[first + step], times(semiring, up[rung], low_second))
        fresh[here], fresh[here + count] = low_first, low_second
        state = top - step
        high[state] = times(semiring, up[rungs + state], high_first)
        high[count + state] = times(semiring, down[rungs + state], high_second)
        high_first = plus(semiring, to_factor[second + state], high[state])
        high_second = plus(semiring, to_factor[first + state], high[count + state])
    for entry in range(TWO * count):
        fresh[at + entry] = plus(semiring, fresh[at + entry], high[entry])


@inlined
def _climb_numbers(
    family: StepArrays,
    rungs: np.uintp,
    count: np.uintp,
    first: np.uintp,
    to_factor: FloatArray,
    high: FloatArray,
    fresh: FloatArray,
    at: np.uintp,
) -> None:
    """As ``_climb`` by plain arithmetic: a product and a sum are one instruction, half the wait."""
    up, down, second, top = family.up, family.down, first + count, count - ONE
    low_first, low_second = to_factor[second], to_factor[first]
    high_first, high_second = to_factor[second + top], to_factor[first + top]
    fresh[at], fresh[at + count] = low_first, low_second
    high[top], high[count + top] = 0.0, 0.0
    for step in range(ONE, count):
        here, rung = at + step, rungs + step - ONE
        low_first = to_factor[second + step] + down[rung] * low_first
        low_second = to_factor[first + step] + up[rung] * low_second
        fresh[here], fresh[here + count] = low_first, low_second
        state = top - step
        above_first, above_second = (
            up[rungs + state] * high_first,
            down[rungs + state] * high_second,
        )
        high[state], high[count + state] = above_first, above_second
        high_first = to_factor[second + state] + above_first
        high_second = to_factor[first + state] + above_second
    for entry in range(TWO * count):
        fresh[at + entry] += high[entry]


@inlined
def _respond(
    semiring: Semiring,
    family: StepArrays,
    rungs: np.uintp,
    count: np.uintp,
    base: np.uintp,
    to_factor: FloatArray,
    high: FloatArray,
    fresh: FloatArray,
) -> None:
    """Overwrite ``fresh`` with all messages of one factor; ``high`` is scratch."""
    at = TWO * np.uintp(family.switched)
    first = base + at
    if is_linear_sum(semiring):
        _climb_numbers(family, rungs, count, first, to_factor, high, fresh, at)
    else:
        _climb(semiring, family, rungs, count, first, to_factor, high, fresh, at)
    if family.switched == 1:
        off, on = to_factor[base], to_factor[base + ONE]
        all_first, all_second, agree = semiring.zero, semiring.zero, semiring.zero
        for state in range(count):
            said = to_factor[first + state]
            all_first = plus(semiring, all_first, said)
            all_second = plus(semiring, all_second, to_factor[first + count + state])
            agree = plus(semiring, agree, times(semiring, said, fresh[TWO + state]))
        for entry in range(TWO * count):
            other = all_second if entry < count else all_first
            climbed = times(semiring, on, fresh[TWO + entry])
            fresh[TWO + entry] = plus(semiring, times(semiring, off, other), climbed)
        fresh[0], fresh[ONE] = times(semiring, all_first, all_second), agree


@reordering_kernel
def send(
    semiring: Semiring,
    graph: GraphArrays,
    family: StepArrays,
    first: int,
    last: int,
    to_factor: FloatArray,
    old: FloatArray,
    out: FloatArray,
    damping: float,
    edge_residual: FloatArray,
) -> tuple[float, int]:
    """Messages of a range of factors to all their variables; see ``mpnet.families``."""
    status, worst, odds = ALIVE, 0.0, 0.0
    slack = float(64.0 * np.finfo(out.dtype).eps)
    count, small = _states(graph, family, first), smallest(out)
    switched = np.uintp(family.switched)
    size = TWO * (count + switched)
    high, fresh = np.empty(TWO * count, dtype=out.dtype), np.empty(size, dtype=out.dtype)
    for factor in range(first, last):
        edge = np.uintp(graph.factor_edges[factor])
        base = np.uintp(graph.edge_states[edge])
        rungs = np.uintp(family.factor_ladder[factor - family.first])
        _respond(semiring, family, rungs, count, base, to_factor, high, fresh)
        if is_linear(semiring):
            unsure = 0
            for entry in range(size):
                unsure |= not fresh[entry] > small
            if unsure != 0 and _is_lost(family, rungs, count, base, to_factor, high, fresh):
                return worst, UNSAFE
        if is_linear(semiring) and damping == 0.0:
            dead = False
            if switched == ONE:
                odds, slack, dead = finish_wide(
                    TWO, fresh, np.uintp(0), old, out, base, edge, edge_residual, odds, slack
                )
            for side in range(TWO):
                at = TWO * switched + side * count
                odds, slack, empty = finish_wide(
                    count, fresh, at, old, out, base + at, edge + switched + side, edge_residual,
                    odds, slack,
                )  # fmt: skip
                dead = dead or empty
        else:
            change, dead = finish(semiring, graph, factor, fresh, old, out, damping, edge_residual)
            worst = larger(worst, change)
        if dead and status == ALIVE:
            status = factor
    return larger(worst, np.log1p(odds)), status


@inlined
def _states(graph: GraphArrays, family: StepArrays, factor: int) -> np.uintp:
    """States of the variables on the ladder; all factors of a family have the same shape."""
    edge = graph.factor_edges[factor] + family.switched
    return np.uintp(graph.edge_states[edge + 1] - graph.edge_states[edge])


@kernel
def _is_lost(
    family: StepArrays,
    rungs: np.uintp,
    count: np.uintp,
    base: np.uintp,
    to_factor: FloatArray,
    high: FloatArray,
    fresh: FloatArray,
) -> bool:
    """Whether some entry of ``fresh`` is small though it is not a hard zero."""
    possible = np.empty_like(fresh)
    boolean = Boolean(0.0, 1.0)
    _respond(boolean, family, rungs, count, base, to_factor, high, possible)
    return is_small(fresh, possible)


@kernel
def _total(
    work: Semiring,
    semiring: Semiring,
    graph: GraphArrays,
    family: StepArrays,
    factor: int,
    to_factor: FloatArray,
) -> float:
    """The local partition sum of one factor in the semiring ``work``, in one walk up the ladder."""
    rungs = np.uintp(family.factor_ladder[factor - family.first])
    count = _states(graph, family, factor)
    base = np.uintp(graph.edge_states[graph.factor_edges[factor]])
    one = base + TWO * np.uintp(family.switched)
    two = one + count
    climbed, all_first, all_second = work.zero, work.zero, work.zero
    rising, falling = work.zero, work.zero
    for state in range(count):
        here = lifted(work, semiring, to_factor[one + state])
        there = lifted(work, semiring, to_factor[two + state])
        if state > 0:
            below = rungs + state - ONE
            rising = times(work, rising, lifted(work, semiring, family.up[below]))
            falling = times(work, falling, lifted(work, semiring, family.down[below]))
        climbed = plus(work, climbed, times(work, falling, here))
        rising, falling = plus(work, rising, here), plus(work, falling, there)
        climbed = plus(work, climbed, times(work, rising, there))
        all_first, all_second = plus(work, all_first, here), plus(work, all_second, there)
    if family.switched == 0:
        return climbed
    off = lifted(work, semiring, to_factor[base])
    on = lifted(work, semiring, to_factor[base + ONE])
    free = times(work, all_first, all_second)
    return plus(work, times(work, off, free), times(work, on, climbed))


@kernel
def log_partition(
    semiring: Semiring,
    graph: GraphArrays,
    family: StepArrays,
    first: int,
    last: int,
    to_factor: FloatArray,
) -> float:
    """Sum over the factors of the log of each one's local partition sum, in nats."""
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
    family: StepArrays,
    first: int,
    last: int,
    assignment: IntArray,
) -> float:
    """Log potential of one assignment of all variables, summed over the factors, in nats."""
    result = 0.0
    for factor in range(first, last):
        edge = graph.factor_edges[factor]
        if family.switched == 1 and assignment[graph.edge_variable[edge]] == 0:
            continue
        edge += family.switched
        one = assignment[graph.edge_variable[edge]]
        two = assignment[graph.edge_variable[edge + 1]]
        rungs = family.factor_ladder[factor - family.first]
        weights = family.up if two > one else family.down
        for rung in range(min(one, two), max(one, two)):
            result += to_log(semiring, weights[rungs + rung])
    return result


register_family(NAME, FamilyKernels(StepArrays, send, log_partition, log_potential))
