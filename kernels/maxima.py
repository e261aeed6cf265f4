"""The family of maxima: the child's grade is the highest that any parent brings about.

Grades are the states of the child in their order. A parent brings its own state about, or, in
noisy maxima, a grade by chance; so may something else (a leak). With noise, two states and grade
zero for "off" this is the noisy OR. Sums over lower grades run along, so that a message costs as
much as reading it (with noise: as reading the parent's table of chances).

F. J. Diez, "Parameter adjustment in Bayes networks: the generalized noisy OR-gate", UAI 1993.
"""

from typing import Any, NamedTuple

import numpy as np

from mpnet.kernels.answers import (
    LEAST_TOTAL,
    finish,
    inverse,
    is_small,
    lifted,
    out_of_range,
    scale_up,
    smallest,
)
from mpnet.kernels.jit import inlined, kernel
from mpnet.kernels.layout import ALIVE, UNSAFE, FloatArray, GraphArrays, IntArray
from mpnet.kernels.residuals import larger
from mpnet.kernels.semiring import (
    Boolean,
    LogSum,
    Semiring,
    in_logs,
    is_linear,
    plus,
    times,
    to_log,
)


class MaximaArrays(NamedTuple):
    """Maxima of one shape, read-only."""

    first: int
    """The first factor of the family."""
    noisy: Any
    """A tuple of length one where parents bring grades about by chance, else empty."""
    chances: FloatArray
    """Probability of each grade given each state of each parent, in a row for each factor."""
    leaks: FloatArray
    """Probability of each grade without any parent, shape (factors * grades,)."""


@inlined
def _heard(
    work: Semiring,
    semiring: Semiring,
    family: MaximaArrays,
    chance: int,
    grades: int,
    start: int,
    count: int,
    to_factor: FloatArray,
    grade: FloatArray,
) -> None:
    """Fill ``grade`` with how much weight a parent gives to bringing each grade about."""
    for state in range(grades):
        grade[state] = work.zero
    for state in range(count):
        said = lifted(work, semiring, to_factor[start + state])
        if len(family.noisy) > 0:
            for other in range(grades):
                value = lifted(work, semiring, family.chances[chance + state * grades + other])
                grade[other] = plus(work, grade[other], times(work, said, value))
        else:
            grade[state] = said


@inlined
def _forward(
    semiring: Semiring,
    graph: GraphArrays,
    family: MaximaArrays,
    factor: int,
    to_factor: FloatArray,
    highest: FloatArray,
    brought: FloatArray,
    back: FloatArray,
) -> None:
    """Fill ``brought`` with what each parent brings about, ``highest`` with the maximum before it.

    ``highest`` has one more row, for the maximum of all; ``back`` is scratch.
    """
    edge, stop = graph.factor_edges[factor], graph.factor_edges[factor + 1]
    base, child = graph.edge_states[edge], graph.edge_states[stop - 1]
    grades = graph.edge_states[stop] - child
    place = factor - family.first
    chance = place * (child - base) * grades
    for state in range(grades):
        highest[state] = family.leaks[place * grades + state]
    for number in range(stop - 1 - edge):
        start = graph.edge_states[edge + number]
        count = graph.edge_states[edge + number + 1] - start
        here, there = number * grades, (number + 1) * grades
        _heard(semiring, semiring, family, chance, grades, start, count, to_factor, back)
        chance += count * grades
        total = semiring.zero
        for state in range(grades):
            total = plus(semiring, total, back[state])
        scale = inverse(semiring, total)
        up_to, below = semiring.zero, semiring.zero
        for state in range(grades):
            value = times(semiring, back[state], scale)
            brought[here + state] = value
            up_to = plus(semiring, up_to, value)
            both = times(semiring, highest[here + state], up_to)
            highest[there + state] = plus(semiring, both, times(semiring, below, value))
            below = plus(semiring, below, highest[here + state])
        scale_up(semiring, highest, np.uintp(there), np.uintp(grades))


@inlined
def _respond(
    semiring: Semiring,
    graph: GraphArrays,
    family: MaximaArrays,
    factor: int,
    to_factor: FloatArray,
    highest: FloatArray,
    brought: FloatArray,
    back: FloatArray,
    fresh: FloatArray,
) -> None:
    """Overwrite ``fresh`` with all messages of one factor; the other arrays are scratch."""
    edge, stop = graph.factor_edges[factor], graph.factor_edges[factor + 1]
    base, child = graph.edge_states[edge], graph.edge_states[stop - 1]
    grades = graph.edge_states[stop] - child
    parents = stop - 1 - edge
    chance = (factor - family.first + 1) * (child - base) * grades
    _forward(semiring, graph, family, factor, to_factor, highest, brought, back)
    total = semiring.zero
    for state in range(grades):
        fresh[child - base + state] = highest[parents * grades + state]
        total = plus(semiring, total, to_factor[child + state])
    scale = inverse(semiring, total)
    for state in range(grades):
        back[state] = times(semiring, to_factor[child + state], scale)
    for number in range(parents - 1, -1, -1):
        start = graph.edge_states[edge + number]
        count = graph.edge_states[edge + number + 1] - start
        here = number * grades
        chance -= count * grades
        # The message to the grade that the parent brings about takes this step's place.
        below = semiring.zero
        for state in range(grades):
            below = plus(semiring, below, highest[here + state])
            highest[here + grades + state] = times(semiring, below, back[state])
        above, later, up_to = semiring.zero, semiring.zero, semiring.zero
        for state in range(grades):
            up_to = plus(semiring, up_to, brought[here + state])
            highest[here + 2 * grades + state] = up_to
        for reverse in range(grades):
            state = grades - 1 - reverse
            reply = plus(semiring, highest[here + grades + state], above)
            above = plus(semiring, above, times(semiring, highest[here + state], back[state]))
            highest[here + grades + state] = reply
            passed = times(semiring, brought[here + state], back[state])
            back[state] = plus(
                semiring, times(semiring, highest[here + 2 * grades + state], back[state]), later
            )
            later = plus(semiring, later, passed)
        for state in range(count):
            if len(family.noisy) > 0:
                value = semiring.zero
                for other in range(grades):
                    share = family.chances[chance + state * grades + other]
                    reply = highest[here + grades + other]
                    value = plus(semiring, value, times(semiring, share, reply))
                fresh[start - base + state] = value
            else:
                fresh[start - base + state] = highest[here + grades + state]
        scale_up(semiring, back, np.uintp(0), np.uintp(grades))


@kernel
def send(
    semiring: Semiring,
    graph: GraphArrays,
    family: MaximaArrays,
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
    grades = graph.edge_states[end] - graph.edge_states[end - 1]
    highest = np.empty((end - begin + 2) * grades, dtype=out.dtype)
    brought = np.empty((end - begin) * grades, dtype=out.dtype)
    back = np.empty(grades, dtype=out.dtype)
    fresh = np.empty(graph.edge_states[end] - graph.edge_states[begin], dtype=out.dtype)
    small = smallest(out)
    boolean = Boolean(semiring.zero, semiring.one)
    for factor in range(first, last):
        _respond(semiring, graph, family, factor, to_factor, highest, brought, back, fresh)
        unsure = is_linear(semiring) and not fresh.min() > small
        if unsure and _is_lost(
            boolean, graph, family, factor, to_factor, highest, brought, back, fresh
        ):
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
    family: MaximaArrays,
    factor: int,
    to_factor: FloatArray,
    highest: FloatArray,
    brought: FloatArray,
    back: FloatArray,
    fresh: FloatArray,
) -> bool:
    """Whether some entry of ``fresh`` is small though it is not a hard zero."""
    possible = np.empty_like(fresh)
    _respond(boolean, graph, family, factor, to_factor, highest, brought, back, possible)
    return is_small(fresh, possible)


@kernel
def _total(
    work: Semiring,
    semiring: Semiring,
    graph: GraphArrays,
    family: MaximaArrays,
    factor: int,
    to_factor: FloatArray,
    shift: int,
) -> tuple[float, float]:
    """The local partition sum of a maximum in the semiring ``work``, and the log of its scale.

    Messages of the factor are found at ``shift`` less than where they are in the graph's.
    """
    edge, stop = graph.factor_edges[factor], graph.factor_edges[factor + 1]
    base, child = graph.edge_states[edge], graph.edge_states[stop - 1]
    grades = graph.edge_states[stop] - child
    place = factor - family.first
    chance = place * (child - base) * grades
    highest, brought = np.empty(grades), np.empty(grades)
    for state in range(grades):
        highest[state] = lifted(work, semiring, family.leaks[place * grades + state])
    logs, scale = 0.0, 1.0
    for number in range(stop - 1 - edge):
        start = graph.edge_states[edge + number]
        count = graph.edge_states[edge + number + 1] - start
        _heard(work, semiring, family, chance, grades, start - shift, count, to_factor, brought)
        chance += count * grades
        up_to, below = work.zero, work.zero
        for state in range(grades):
            up_to = plus(work, up_to, brought[state])
            value = highest[state]
            turned = times(work, below, brought[state])
            highest[state] = plus(work, times(work, value, up_to), turned)
            below = plus(work, below, value)
        if is_linear(work):
            total = highest.sum()
            if 0.0 < total < LEAST_TOTAL or total > 1.0 / LEAST_TOTAL:
                highest /= total
                scale *= total
                if out_of_range(scale):
                    logs, scale = logs + np.log(scale), 1.0
    result = work.zero
    for state in range(grades):
        said = lifted(work, semiring, to_factor[child - shift + state])
        result = plus(work, result, times(work, highest[state], said))
    return result, logs + np.log(scale)


@kernel
def log_partition(
    semiring: Semiring,
    graph: GraphArrays,
    family: MaximaArrays,
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
        total, scale = _total(semiring, semiring, graph, family, factor, to_factor, 0)
        if is_linear(semiring) and total <= small:
            total, _ = _total(in_logs(semiring), semiring, graph, family, factor, to_factor, 0)
            result += total
        else:
            result += to_log(semiring, total) + scale
    return result


@kernel
def log_potential(
    semiring: Semiring,
    graph: GraphArrays,
    family: MaximaArrays,
    first: int,
    last: int,
    assignment: IntArray,
) -> float:
    """Log potential of one assignment of all variables, summed over the factors, in nats.

    What brings a grade about is summed over, whatever the semiring. Arguments as for
    ``mpnet.kernels.tables.log_potential``.
    """
    result = 0.0
    for factor in range(first, last):
        edge, stop = graph.factor_edges[factor], graph.factor_edges[factor + 1]
        base = graph.edge_states[edge]
        chosen = np.full(graph.edge_states[stop] - base, semiring.zero)
        for number in range(edge, stop):
            state = assignment[graph.edge_variable[number]]
            chosen[graph.edge_states[number] - base + state] = semiring.one
        total, _ = _total(LogSum(-np.inf, 0.0), semiring, graph, family, factor, chosen, base)
        result += total
    return result
