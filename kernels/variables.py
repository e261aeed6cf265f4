"""What variables say: messages to factors, and beliefs."""

import numpy as np

from mpnet.kernels.jit import kernel
from mpnet.kernels.layout import (
    ALIVE,
    ONE,
    TWO,
    UNSAFE,
    FloatArray,
    GraphArrays,
    IndexArray,
    Limits,
    States,
)
from mpnet.kernels.semiring import Semiring, is_linear, times, to_log


@kernel
def send_from_variables(
    semiring: Semiring,
    states: States,
    graph: GraphArrays,
    unary: FloatArray,
    first: int,
    last: int,
    limits: Limits,
    to_variable: FloatArray,
    to_factor: FloatArray,
    beliefs: FloatArray,
) -> int:
    """Multiply, for each edge of some variables, what all other edges of its variable say.

    Parameters
    ----------
    semiring : Semiring
        What the values mean.
    states : States
        As long as each variable has states, or empty where cardinalities differ.
    graph : GraphArrays
        The graph; not modified.
    unary : float[B]
        Unary potentials, at most one; not modified.
    first, last : int
        Range of variables.
    limits : Limits
        Where linear space ends; unread in log space.
    to_variable : float[S]
        Factor-to-variable messages, at most one; not modified.
    to_factor : float[S]
        Overwritten with variable-to-factor messages, of any scale.
    beliefs : float[B]
        Overwritten with beliefs, of any scale.

    Returns
    -------
    int
        The first variable that has no possible state left, ``ALIVE`` or ``UNSAFE``.

    """
    if len(states) == 2:
        safe, dead = _send_binary(
            semiring, graph, unary, first, last, limits, to_variable, to_factor, beliefs
        )
    else:
        safe, dead = _send(
            semiring, states, graph, unary, first, last, limits, to_variable, to_factor, beliefs
        )
    if safe:
        return dead
    return _look_closer(graph, unary, first, last, limits, to_variable, to_factor, beliefs)


@kernel
def _send_binary(
    semiring: Semiring,
    graph: GraphArrays,
    unary: FloatArray,
    first: int,
    last: int,
    limits: Limits,
    to_variable: FloatArray,
    to_factor: FloatArray,
    beliefs: FloatArray,
) -> tuple[bool, int]:
    """Whether all products are surely exact, and the first variable without a state."""
    safe, dead = True, ALIVE
    for variable in range(first, last):
        begin, end = graph.variable_edges[variable], graph.variable_edges[variable + 1]
        here = TWO * np.uintp(variable)
        # A running product from either side leaves each edge out without dividing: a hard
        # zero can't be taken back out of a product.
        off, on = unary[here], unary[here + ONE]
        for slot in range(begin, end):
            entry = TWO * np.uintp(graph.slot_edge[slot])
            to_factor[entry], to_factor[entry + ONE] = off, on
            off = times(semiring, off, to_variable[entry])
            on = times(semiring, on, to_variable[entry + ONE])
        beliefs[here], beliefs[here + ONE] = off, on
        if is_linear(semiring):
            safe = safe and off > limits.floor and on > limits.floor
        elif off == semiring.zero and on == semiring.zero and dead == ALIVE:
            dead = variable
        off, on = semiring.one, semiring.one
        for slot in range(end - 1, begin - 1, -1):
            entry = TWO * np.uintp(graph.slot_edge[slot])
            to_factor[entry] = times(semiring, to_factor[entry], off)
            to_factor[entry + ONE] = times(semiring, to_factor[entry + ONE], on)
            off = times(semiring, off, to_variable[entry])
            on = times(semiring, on, to_variable[entry + ONE])
    return safe, dead


@kernel
def _send(
    semiring: Semiring,
    states: States,
    graph: GraphArrays,
    unary: FloatArray,
    first: int,
    last: int,
    limits: Limits,
    to_variable: FloatArray,
    to_factor: FloatArray,
    beliefs: FloatArray,
) -> tuple[bool, int]:
    """As ``_send_binary``, for any number of states."""
    safe, dead = True, ALIVE
    widest = len(states)
    if len(states) == 0:
        for variable in range(first, last):
            width = graph.variable_states[variable + 1] - graph.variable_states[variable]
            widest = max(widest, width)
    running = np.empty(widest, dtype=beliefs.dtype)
    for variable in range(first, last):
        begin, end = graph.variable_edges[variable], graph.variable_edges[variable + 1]
        start = np.uintp(graph.variable_states[variable])
        if len(states) > 0:
            count = np.uintp(len(states))
        else:
            count = np.uintp(graph.variable_states[variable + 1]) - start
        for state in range(count):
            running[state] = unary[start + state]
        for slot in range(begin, end):
            base = np.uintp(graph.edge_states[graph.slot_edge[slot]])
            for state in range(count):
                value = running[state]
                to_factor[base + state] = value
                running[state] = times(semiring, value, to_variable[base + state])
        impossible, low = True, False
        for state in range(count):
            value = running[state]
            beliefs[start + state] = value
            running[state] = semiring.one
            low = low or not value > limits.floor
            impossible = impossible and value == semiring.zero
        if is_linear(semiring):
            safe = safe and not low
        if impossible and dead == ALIVE:
            dead = variable
        for slot in range(end - 1, begin - 1, -1):
            base = np.uintp(graph.edge_states[graph.slot_edge[slot]])
            for state in range(count):
                value = running[state]
                to_factor[base + state] = times(semiring, to_factor[base + state], value)
                running[state] = times(semiring, value, to_variable[base + state])
    return safe, dead


@kernel
def _look_closer(
    graph: GraphArrays,
    unary: FloatArray,
    first: int,
    last: int,
    limits: Limits,
    to_variable: FloatArray,
    to_factor: FloatArray,
    beliefs: FloatArray,
) -> int:
    """Tell hard zeros from numbers that have become too small, and rescale where that helps.

    Linear space only. A product is exact while the product of its factors that are not zero
    stays above ``tiny``; a message may be used while its possible entries, relative to the
    largest, stay above ``floor``.
    """
    dead = ALIVE
    for variable in range(first, last):
        start, stop = graph.variable_states[variable], graph.variable_states[variable + 1]
        least, best = np.inf, 0.0
        for entry in range(start, stop):
            least, best = min(least, beliefs[entry]), max(best, beliefs[entry])
        if least > limits.floor:
            continue
        if best == 0.0 and dead == ALIVE:
            dead = variable
        begin, end = graph.variable_edges[variable], graph.variable_edges[variable + 1]
        for state in range(stop - start):
            rest = unary[start + state] if unary[start + state] != 0.0 else 1.0
            for slot in range(begin, end):
                value = to_variable[graph.edge_states[graph.slot_edge[slot]] + state]
                rest *= value if value != 0.0 else 1.0
            if rest < limits.tiny:
                return UNSAFE
        for slot in range(begin, end):
            base = graph.edge_states[graph.slot_edge[slot]]
            best = 0.0
            for state in range(stop - start):
                best = max(best, to_factor[base + state])
            if best == 0.0:
                continue
            for state in range(stop - start):
                value = to_factor[base + state] / best
                to_factor[base + state] = value
                if 0.0 < value < limits.floor:
                    return UNSAFE
    return dead


@kernel
def log_total(semiring: Semiring, values: FloatArray, start: int, stop: int) -> float:
    """Log of the sum of what a slice stands for, in nats; ``-inf`` if nothing is possible."""
    best = -np.inf
    for entry in range(start, stop):
        value = to_log(semiring, values[entry])
        if value > best or value != value:
            best = value
    if best == -np.inf:
        return best
    total = 0.0
    for entry in range(start, stop):
        total += np.exp(to_log(semiring, values[entry]) - best)
    return best + np.log(total)


@kernel
def marginals(
    semiring: Semiring, variable_states: IndexArray, beliefs: FloatArray, out: FloatArray
) -> int:
    """Turn beliefs into probabilities, variable by variable.

    Parameters
    ----------
    semiring : Semiring
        What the values mean.
    variable_states : int32[V + 1]
        Start of each variable's states.
    beliefs : float[B]
        Beliefs of any scale; not modified.
    out : float64[B]
        Overwritten with probabilities; each variable's slice sums to 1.

    Returns
    -------
    int
        The first variable without a possible state, whose slice is left NaN, or ``ALIVE``.

    """
    status = ALIVE
    for variable in range(variable_states.size - 1):
        start, stop = variable_states[variable], variable_states[variable + 1]
        best = semiring.zero
        for entry in range(start, stop):
            value = beliefs[entry]
            if value > best or value != value:
                best = value
        if best == semiring.zero:
            status = variable if status == ALIVE else status
            out[start:stop] = np.nan
            continue
        total = 0.0
        for entry in range(start, stop):
            odds = beliefs[entry] / best if is_linear(semiring) else np.exp(beliefs[entry] - best)
            out[entry] = odds
            total += odds
        for entry in range(start, stop):
            out[entry] /= total
    return status
