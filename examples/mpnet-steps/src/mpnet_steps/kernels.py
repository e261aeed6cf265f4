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
    in_logs,
    inlined,
    inverse,
    is_linear,
    is_small,
    kernel,
    larger,
    lifted,
    plus,
    register_family,
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
    count: np.uintp,
    rungs: np.uintp,
    family: StepArrays,
    said: FloatArray,
    fresh: FloatArray,
) -> None:
    """Overwrite ``fresh`` with what both variables hear, each from the other, without a switch.

    ``said`` holds what they say, one after the other; ``fresh`` likewise. Four running sums, two
    for each variable, go along together: they do not wait for one another.
    """
    up, down = family.up, family.down
    top = count - ONE
    low_first, low_second = said[count], said[0]
    high_first, high_second = semiring.zero, semiring.zero
    fresh[0], fresh[count] = low_first, low_second
    fresh[top], fresh[count + top] = high_first, high_second
    for state in range(ONE, count):
        below = np.uintp(rungs + state - ONE)
        low_first = plus(semiring, said[count + state], times(semiring, down[below], low_first))
        low_second = plus(semiring, said[state], times(semiring, up[below], low_second))
        fresh[state], fresh[count + state] = low_first, low_second
    for reverse in range(ONE, count):
        state = top - reverse
        above = np.uintp(rungs + state)
        high_first = times(semiring, up[above], plus(semiring, said[count + state + ONE], high_first))
        high_second = times(semiring, down[above], plus(semiring, said[state + ONE], high_second))
        fresh[state] = plus(semiring, fresh[state], high_first)
        fresh[count + state] = plus(semiring, fresh[count + state], high_second)


@inlined
def _hear(
    semiring: Semiring,
    count: np.uintp,
    start: np.uintp,
    to_factor: FloatArray,
    said: FloatArray,
    at: np.uintp,
) -> float:
    """Copy one message, divided by its total, and return the total of the copy: one or zero."""
    total = semiring.zero
    for state in range(count):
        total = plus(semiring, total, to_factor[start + state])
    scale = inverse(semiring, total)
    for state in range(count):
        said[at + state] = times(semiring, to_factor[start + state], scale)
    return times(semiring, total, scale)


@inlined
def _respond(
    semiring: Semiring,
    count: np.uintp,
    rungs: np.uintp,
    family: StepArrays,
    base: np.uintp,
    to_factor: FloatArray,
    said: FloatArray,
    fresh: FloatArray,
) -> None:
    """Overwrite ``fresh`` with all messages of one factor without a switch; ``said`` is scratch."""
    _hear(semiring, count, base, to_factor, said, np.uintp(0))
    _hear(semiring, count, base + count, to_factor, said, count)
    _climb(semiring, count, rungs, family, said, fresh)


@inlined
def _respond_switched(
    semiring: Semiring,
    count: np.uintp,
    rungs: np.uintp,
    family: StepArrays,
    base: np.uintp,
    to_factor: FloatArray,
    said: FloatArray,
    climbed: FloatArray,
    fresh: FloatArray,
) -> None:
    """Overwrite ``fresh`` with all messages of one factor; ``said`` and ``climbed`` are scratch."""
    first = _hear(semiring, count, base + TWO, to_factor, said, np.uintp(0))
    second = _hear(semiring, count, base + TWO + count, to_factor, said, count)
    _climb(semiring, count, rungs, family, said, climbed)
    scale = inverse(semiring, plus(semiring, to_factor[base], to_factor[base + ONE]))
    off = times(semiring, to_factor[base], scale)
    on = times(semiring, to_factor[base + ONE], scale)
    agree = semiring.zero
    for state in range(count):
        agree = plus(semiring, agree, times(semiring, said[state], climbed[state]))
        kept = times(semiring, off, second)
        fresh[TWO + state] = plus(semiring, kept, times(semiring, on, climbed[state]))
        there = count + state
        kept = times(semiring, off, first)
        fresh[TWO + there] = plus(semiring, kept, times(semiring, on, climbed[there]))
    fresh[0], fresh[ONE] = times(semiring, first, second), agree


@kernel
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
    status, worst = ALIVE, 0.0
    switch = np.uintp(family.switched)
    count = _states(graph, family, first)
    said = np.empty(TWO * count, dtype=out.dtype)
    climbed = np.empty(TWO * count, dtype=out.dtype)
    fresh = np.empty(TWO * (count + switch), dtype=out.dtype)
    small = smallest(out)
    boolean = Boolean(semiring.zero, semiring.one)
    for factor in range(first, last):
        base = np.uintp(graph.edge_states[graph.factor_edges[factor]])
        rungs = np.uintp(family.factor_ladder[factor - family.first])
        if switch == ONE:
            _respond_switched(
                semiring, count, rungs, family, base, to_factor, said, climbed, fresh
            )
        else:
            _respond(semiring, count, rungs, family, base, to_factor, said, fresh)
        unsure = is_linear(semiring) and not fresh.min() > small
        if unsure and _is_lost(boolean, count, rungs, family, base, to_factor, said, fresh):
            return worst, UNSAFE
        change, dead = finish(semiring, graph, factor, fresh, old, out, damping, edge_residual)
        if dead and status == ALIVE:
            status = factor
        worst = larger(worst, change)
    return worst, status


@inlined
def _states(graph: GraphArrays, family: StepArrays, factor: int) -> np.uintp:
    """States of the variables on the ladder; all factors of a family have the same shape."""
    edge = graph.factor_edges[factor] + family.switched
    return np.uintp(graph.edge_states[edge + 1] - graph.edge_states[edge])


@kernel
def _is_lost(
    boolean: Boolean,
    count: np.uintp,
    rungs: np.uintp,
    family: StepArrays,
    base: np.uintp,
    to_factor: FloatArray,
    said: FloatArray,
    fresh: FloatArray,
) -> bool:
    """Whether some entry of ``fresh`` is small though it is not a hard zero."""
    possible = np.empty_like(fresh)
    if family.switched == 1:
        climbed = np.empty_like(said)
        _respond_switched(
            boolean, count, rungs, family, base, to_factor, said, climbed, possible
        )
    else:
        _respond(boolean, count, rungs, family, base, to_factor, said, possible)
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
    rungs, count = family.factor_ladder[factor - family.first], _states(graph, family, factor)
    base = graph.edge_states[graph.factor_edges[factor]]
    one = np.uintp(base + 2 * family.switched)
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
    on = lifted(work, semiring, to_factor[base + 1])
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
