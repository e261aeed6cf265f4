"""The family of chains: a weighted automaton that reads the variables of a factor one by one.

Between two variables the automaton is in one of a few hidden states. A *link* lists the arcs of
one variable: state before, state of the variable, state after, weight. The potential of an
assignment is the product of weights along the arcs that it takes, summed (or maximised) over
paths where there are several. It starts and ends in state 0. One pass forward and one back give
all messages, in time proportional to the number of arcs: thresholds, counts, regular languages.
"""

from typing import NamedTuple

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
from mpnet.kernels.layout import ALIVE, ONE, UNSAFE, FloatArray, GraphArrays, IndexArray, IntArray
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


class ChainArrays(NamedTuple):
    """Chains of one arity, read-only."""

    first: int
    """The first factor of the family."""
    width: int
    """Most hidden states between two variables."""
    edge_link: IndexArray
    """Link that each variable is read by, shape (edges of the family,)."""
    link_arcs: IndexArray
    """Start of each link's arcs, shape (links + 1,)."""
    arc_before: IndexArray
    """Hidden state before, shape (arcs,)."""
    arc_state: IndexArray
    """State of the variable, shape (arcs,)."""
    arc_after: IndexArray
    """Hidden state after, shape (arcs,)."""
    weights: FloatArray
    """Weights, at most one, shape (arcs,)."""


@inlined
def _respond(
    semiring: Semiring,
    graph: GraphArrays,
    family: ChainArrays,
    factor: int,
    to_factor: FloatArray,
    hidden: FloatArray,
    back: FloatArray,
    said: FloatArray,
    fresh: FloatArray,
) -> None:
    """Overwrite ``fresh`` with all messages of one factor; the other arrays are scratch."""
    width = np.uintp(family.width)
    edge = np.uintp(graph.factor_edges[factor])
    arity = np.uintp(graph.factor_edges[factor + 1]) - edge
    base = np.uintp(graph.edge_states[edge])
    place = np.uintp(factor - family.first) * arity
    link_arcs, arc_before, arc_state = family.link_arcs, family.arc_before, family.arc_state
    arc_after, weights = family.arc_after, family.weights
    for state in range(width):
        hidden[state], back[state] = semiring.zero, semiring.zero
    hidden[0], back[0] = semiring.one, semiring.one
    for number in range(arity):
        start = np.uintp(graph.edge_states[edge + number])
        stop = np.uintp(graph.edge_states[edge + number + ONE])
        total = semiring.zero
        for entry in range(start, stop):
            total = plus(semiring, total, to_factor[entry])
        scale = inverse(semiring, total)
        for entry in range(start, stop):
            said[entry - base] = times(semiring, to_factor[entry], scale)
        here, there = number * width, (number + ONE) * width
        for state in range(width):
            hidden[there + state] = semiring.zero
        link = np.uintp(family.edge_link[place + number])
        for arc in range(np.uintp(link_arcs[link]), np.uintp(link_arcs[link + ONE])):
            after = there + np.uintp(arc_after[arc])
            value = times(semiring, hidden[here + np.uintp(arc_before[arc])], weights[arc])
            value = times(semiring, value, said[start - base + np.uintp(arc_state[arc])])
            hidden[after] = plus(semiring, hidden[after], value)
        scale_up(semiring, hidden, there, width)
    for slot in range(fresh.size):
        fresh[slot] = semiring.zero
    for reverse in range(arity):
        axis = arity - ONE - reverse
        start = np.uintp(graph.edge_states[edge + axis]) - base
        here, after = axis * width, (reverse & ONE) * width
        before = width - after
        for state in range(width):
            back[before + state] = semiring.zero
        link = np.uintp(family.edge_link[place + axis])
        for arc in range(np.uintp(link_arcs[link]), np.uintp(link_arcs[link + ONE])):
            from_state, at = np.uintp(arc_before[arc]), start + np.uintp(arc_state[arc])
            value = times(semiring, weights[arc], back[after + np.uintp(arc_after[arc])])
            fresh[at] = plus(semiring, fresh[at], times(semiring, hidden[here + from_state], value))
            value = times(semiring, value, said[at])
            back[before + from_state] = plus(semiring, back[before + from_state], value)
        scale_up(semiring, back, before, width)


@kernel
def send(
    semiring: Semiring,
    graph: GraphArrays,
    family: ChainArrays,
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
    hidden = np.empty((end - begin + 1) * family.width, dtype=out.dtype)
    back = np.empty(2 * family.width, dtype=out.dtype)
    said, fresh = np.empty(size, dtype=out.dtype), np.empty(size, dtype=out.dtype)
    small = smallest(out)
    boolean = Boolean(semiring.zero, semiring.one)
    for factor in range(first, last):
        _respond(semiring, graph, family, factor, to_factor, hidden, back, said, fresh)
        if is_linear(semiring):
            least = fresh.min()
            if not least > small and _is_lost(
                boolean, graph, family, factor, to_factor, hidden, back, said, fresh
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
    family: ChainArrays,
    factor: int,
    to_factor: FloatArray,
    hidden: FloatArray,
    back: FloatArray,
    said: FloatArray,
    fresh: FloatArray,
) -> bool:
    """Whether some entry of ``fresh`` is small though it is not a hard zero."""
    possible = np.empty_like(fresh)
    _respond(boolean, graph, family, factor, to_factor, hidden, back, said, possible)
    return is_small(fresh, possible)


@kernel
def _total(
    work: Semiring,
    semiring: Semiring,
    graph: GraphArrays,
    family: ChainArrays,
    factor: int,
    to_factor: FloatArray,
) -> tuple[float, float]:
    """The local partition sum of a chain in the semiring ``work``, and the log of its scale."""
    width = family.width
    edge = graph.factor_edges[factor]
    arity = graph.factor_edges[factor + 1] - edge
    place = (factor - family.first) * arity
    hidden = np.full(2 * width, work.zero)
    hidden[0] = work.one
    logs, scale = 0.0, 1.0
    for number in range(arity):
        start = graph.edge_states[edge + number]
        here = (number & 1) * width
        there = width - here
        hidden[there : there + width] = work.zero
        link = family.edge_link[place + number]
        for arc in range(family.link_arcs[link], family.link_arcs[link + 1]):
            after = there + family.arc_after[arc]
            value = times(
                work,
                hidden[here + family.arc_before[arc]],
                lifted(work, semiring, family.weights[arc]),
            )
            said = lifted(work, semiring, to_factor[start + family.arc_state[arc]])
            hidden[after] = plus(work, hidden[after], times(work, value, said))
        if is_linear(work):
            total = hidden[there : there + width].sum()
            if 0.0 < total < LEAST_TOTAL or total > 1.0 / LEAST_TOTAL:
                hidden[there : there + width] /= total
                scale *= total
                if out_of_range(scale):
                    logs, scale = logs + np.log(scale), 1.0
    return hidden[(arity & 1) * width], logs + np.log(scale)


@kernel
def log_partition(
    semiring: Semiring,
    graph: GraphArrays,
    family: ChainArrays,
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
        total, scale = _total(semiring, semiring, graph, family, factor, to_factor)
        if is_linear(semiring) and total <= small:
            total, _ = _total(in_logs(semiring), semiring, graph, family, factor, to_factor)
            result += total
        else:
            result += to_log(semiring, total) + scale
    return result


@kernel
def log_potential(
    semiring: Semiring,
    graph: GraphArrays,
    family: ChainArrays,
    first: int,
    last: int,
    assignment: IntArray,
) -> float:
    """Log potential of one assignment of all variables, summed over the factors, in nats.

    Paths are summed, whatever the semiring. Arguments as for
    ``mpnet.kernels.tables.log_potential``.
    """
    result = 0.0
    width = family.width
    hidden = np.empty(2 * width)
    for factor in range(first, last):
        edge = graph.factor_edges[factor]
        arity = graph.factor_edges[factor + 1] - edge
        place = (factor - family.first) * arity
        hidden[:] = -np.inf
        hidden[0] = 0.0
        for number in range(arity):
            here = (number & 1) * width
            there = width - here
            hidden[there : there + width] = -np.inf
            state = assignment[graph.edge_variable[edge + number]]
            link = family.edge_link[place + number]
            for arc in range(family.link_arcs[link], family.link_arcs[link + 1]):
                if family.arc_state[arc] == state:
                    after = there + family.arc_after[arc]
                    weight = to_log(semiring, family.weights[arc])
                    value = hidden[here + family.arc_before[arc]] + weight
                    hidden[after] = plus(LogSum(-np.inf, 0.0), hidden[after], value)
        result += hidden[(arity & 1) * width]
    return result
