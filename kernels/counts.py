"""The family of weighted counts over variables with two states: cardinalities and thresholds.

Each variable that is on adds its step, a whole number, to a count that starts at zero, and the
count at the end has a weight. Counting stops at a cap: what would go beyond stays there or is
impossible. One pass forward and one back over the counts give all messages, in time
proportional to the number of variables times the cap; no term is ever subtracted.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mpnet.kernels.answers import (
    LEAST_TOTAL,
    finish,
    finish_binary,
    inverse,
    is_small,
    lifted,
    out_of_range,
    scale_up,
    smallest,
)
from mpnet.kernels.jit import inlined, reordering_kernel
from mpnet.kernels.layout import (
    ALIVE,
    ONE,
    TWO,
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


class CountArrays(NamedTuple):
    """Weighted counts of one arity and one cap, read-only."""

    first: int
    """The first factor of the family."""
    width: int
    """Counts that are told apart: the cap and one more."""
    stays: int
    """One where a count that would go beyond the cap stays there, zero where it is impossible."""
    flips: NDArray[np.uint8]
    """One for each negated variable, shape (edges of the family,)."""
    steps: IndexArray
    """What each variable adds, from 0 to the cap, shape (edges of the family,)."""
    weights: FloatArray
    """Weights of counts, at most one, shape (factors * width,)."""


@inlined
def _forward(
    semiring: Semiring,
    family: CountArrays,
    place: np.uintp,
    arity: np.uintp,
    base: np.uintp,
    to_factor: FloatArray,
    counts: FloatArray,
    said: FloatArray,
) -> None:
    """Fill ``counts`` with the weight of each count before each variable, and after the last."""
    width, stays = np.uintp(family.width), family.stays != 0
    flips, steps = family.flips, family.steps
    for count in range(width):
        counts[count] = semiring.zero
    counts[0] = semiring.one
    for number in range(arity):
        entry = base + TWO * number
        flip = np.uintp(flips[place * arity + number])
        off, on = to_factor[entry + flip], to_factor[entry + (flip ^ ONE)]
        scale = inverse(semiring, plus(semiring, off, on))
        off, on = times(semiring, off, scale), times(semiring, on, scale)
        said[TWO * number], said[TWO * number + ONE] = off, on
        step = np.uintp(steps[place * arity + number])
        here, there = number * width, (number + ONE) * width
        for count in range(step):
            counts[there + count] = times(semiring, counts[here + count], off)
        for count in range(step, width):
            kept = times(semiring, counts[here + count], off)
            moved = times(semiring, counts[here + count - step], on)
            counts[there + count] = plus(semiring, kept, moved)
        if stays:
            beyond = semiring.zero
            for count in range(width - step, width):
                beyond = plus(semiring, beyond, counts[here + count])
            top = there + width - ONE
            counts[top] = plus(semiring, counts[top], times(semiring, beyond, on))
        scale_up(semiring, counts, there, width)


@inlined
def _respond(
    semiring: Semiring,
    family: CountArrays,
    place: np.uintp,
    arity: np.uintp,
    base: np.uintp,
    to_factor: FloatArray,
    counts: FloatArray,
    back: FloatArray,
    said: FloatArray,
    fresh: FloatArray,
) -> None:
    """Overwrite ``fresh`` with all messages of one factor; the other arrays are scratch."""
    width, stays = np.uintp(family.width), family.stays != 0
    _forward(semiring, family, place, arity, base, to_factor, counts, said)
    for count in range(width):
        back[count] = family.weights[place * width + count]
    for reverse in range(arity):
        number = arity - ONE - reverse
        step = np.uintp(family.steps[place * arity + number])
        off, on = said[TWO * number], said[TWO * number + ONE]
        here = number * width
        top = back[width - ONE]
        said_off, said_on = semiring.zero, semiring.zero
        for count in range(width):
            term = times(semiring, counts[here + count], back[count])
            said_off = plus(semiring, said_off, term)
        for count in range(width - step):
            term = times(semiring, counts[here + count], back[count + step])
            said_on = plus(semiring, said_on, term)
        if stays:
            beyond = semiring.zero
            for count in range(width - step, width):
                beyond = plus(semiring, beyond, counts[here + count])
            said_on = plus(semiring, said_on, times(semiring, beyond, top))
        flip = np.uintp(family.flips[place * arity + number])
        at = TWO * number
        fresh[at + flip], fresh[at + (flip ^ ONE)] = said_off, said_on
        # A count reads those above it, which have not been overwritten yet.
        for count in range(width - step):
            moved = times(semiring, back[count + step], on)
            back[count] = plus(semiring, times(semiring, back[count], off), moved)
        over = times(semiring, top, on) if stays else semiring.zero
        for count in range(width - step, width):
            back[count] = plus(semiring, times(semiring, back[count], off), over)
        scale_up(semiring, back, np.uintp(0), width)


@reordering_kernel
def send(
    semiring: Semiring,
    graph: GraphArrays,
    family: CountArrays,
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
    status, worst, worst_odds = ALIVE, 0.0, 0.0
    edge = np.uintp(graph.factor_edges[first])
    arity = np.uintp(graph.factor_edges[first + 1]) - edge
    base = np.uintp(graph.edge_states[edge])
    place = np.uintp(first - family.first)
    counts = np.empty((arity + ONE) * np.uintp(family.width), dtype=out.dtype)
    back = np.empty(family.width, dtype=out.dtype)
    said, fresh = np.empty(TWO * arity, dtype=out.dtype), np.empty(TWO * arity, dtype=out.dtype)
    small = smallest(out)
    boolean = Boolean(semiring.zero, semiring.one)
    for factor in range(first, last):
        _respond(semiring, family, place, arity, base, to_factor, counts, back, said, fresh)
        unsure = is_linear(semiring) and not fresh.min() > small
        if unsure and _is_lost(boolean, family, place, base, to_factor, counts, back, said, fresh):
            return worst, UNSAFE
        if is_linear(semiring) and damping == 0.0:
            worst_odds, dead = finish_binary(
                arity, edge, base, fresh, old, out, edge_residual, worst_odds
            )
        else:
            change, dead = finish(semiring, graph, factor, fresh, old, out, damping, edge_residual)
            worst = larger(worst, change)
        if dead and status == ALIVE:
            status = factor
        place += ONE
        edge += arity
        base += TWO * arity
    return larger(worst, np.log1p(worst_odds)), status


@reordering_kernel
def _is_lost(
    boolean: Boolean,
    family: CountArrays,
    place: np.uintp,
    base: np.uintp,
    to_factor: FloatArray,
    counts: FloatArray,
    back: FloatArray,
    said: FloatArray,
    fresh: FloatArray,
) -> bool:
    """Whether some entry of ``fresh`` is small though it is not a hard zero."""
    possible = np.empty_like(fresh)
    arity = np.uintp(fresh.size) // TWO
    _respond(boolean, family, place, arity, base, to_factor, counts, back, said, possible)
    return is_small(fresh, possible)


@reordering_kernel
def _total(
    work: Semiring,
    semiring: Semiring,
    family: CountArrays,
    place: int,
    arity: int,
    base: int,
    to_factor: FloatArray,
) -> tuple[float, float]:
    """The local partition sum of a count in the semiring ``work``, and the log of its scale."""
    width, stays = family.width, family.stays != 0
    counts = np.full(width, work.zero)
    counts[0] = work.one
    logs, scale = 0.0, 1.0
    for number in range(arity):
        flip = family.flips[place * arity + number]
        step = family.steps[place * arity + number]
        off = lifted(work, semiring, to_factor[base + 2 * number + flip])
        on = lifted(work, semiring, to_factor[base + 2 * number + 1 - flip])
        beyond = work.zero
        if stays:
            for count in range(width - step, width):
                beyond = plus(work, beyond, counts[count])
        for count in range(width - 1, -1, -1):
            value = times(work, counts[count], off)
            if count >= step:
                value = plus(work, value, times(work, counts[count - step], on))
            counts[count] = value
        counts[width - 1] = plus(work, counts[width - 1], times(work, beyond, on))
        if is_linear(work):
            total = counts.sum()
            if 0.0 < total < LEAST_TOTAL or total > 1.0 / LEAST_TOTAL:
                counts /= total
                scale *= total
                if out_of_range(scale):
                    logs, scale = logs + np.log(scale), 1.0
    result = work.zero
    for count in range(width):
        weight = lifted(work, semiring, family.weights[place * width + count])
        result = plus(work, result, times(work, counts[count], weight))
    return result, logs + np.log(scale)


@reordering_kernel
def log_partition(
    semiring: Semiring,
    graph: GraphArrays,
    family: CountArrays,
    first: int,
    last: int,
    to_factor: FloatArray,
) -> float:
    """Sum over the factors of the log of each one's local partition sum, in nats.

    Arguments as for ``mpnet.kernels.tables.log_partition``.
    """
    result = 0.0
    small = smallest(to_factor)
    arity = graph.factor_edges[first + 1] - graph.factor_edges[first]
    for factor in range(first, last):
        base = graph.edge_states[graph.factor_edges[factor]]
        place = factor - family.first
        total, scale = _total(semiring, semiring, family, place, arity, base, to_factor)
        if is_linear(semiring) and total <= small:
            total, _ = _total(in_logs(semiring), semiring, family, place, arity, base, to_factor)
            result += total
        else:
            result += to_log(semiring, total) + scale
    return result


@reordering_kernel
def log_potential(
    semiring: Semiring,
    graph: GraphArrays,
    family: CountArrays,
    first: int,
    last: int,
    assignment: IntArray,
) -> float:
    """Log potential of one assignment of all variables, summed over the factors, in nats.

    Arguments as for ``mpnet.kernels.tables.log_potential``.
    """
    result = 0.0
    arity = graph.factor_edges[first + 1] - graph.factor_edges[first]
    for factor in range(first, last):
        edge, place = graph.factor_edges[factor], factor - family.first
        count = 0
        for number in range(arity):
            state = assignment[graph.edge_variable[edge + number]]
            if state != family.flips[place * arity + number]:
                count += family.steps[place * arity + number]
        if count < family.width:
            result += to_log(semiring, family.weights[place * family.width + count])
        elif family.stays != 0:
            result += to_log(semiring, family.weights[(place + 1) * family.width - 1])
        else:
            result -= np.inf
    return result
