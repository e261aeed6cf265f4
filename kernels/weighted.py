"""What variables say where each message counts to a power of its own.

With power one everywhere this is loopy belief propagation. Other powers make convex free
energies: tree-reweighted and fractional propagation (the factor's weight) and the inner loop of
the double loop (one over the number of factors).
"""

import numpy as np

from mpnet.kernels.dispatch import send_one
from mpnet.kernels.jit import kernel
from mpnet.kernels.layout import ALIVE, UNSAFE, FloatArray, GraphArrays, IndexArray, Limits
from mpnet.kernels.residuals import larger
from mpnet.kernels.semiring import Semiring, from_log, is_linear, to_log


@kernel
def weigh_from_variables(
    semiring: Semiring,
    graph: GraphArrays,
    unary: FloatArray,
    power: FloatArray,
    first: int,
    last: int,
    limits: Limits,
    to_variable: FloatArray,
    to_factor: FloatArray,
    beliefs: FloatArray,
) -> int:
    """Multiply powers of messages into beliefs; to each factor, less what it said itself.

    The belief is the unary potential times each message to its power, and what goes to a
    factor is the belief over that factor's message (Wainwright, Jaakkola and Willsky 2005,
    A new class of upper bounds on the log partition function). Logs are added up in either
    space: powers need them, and a division by a small number does no harm. A state that is
    impossible is told as impossible, also to the factor that found it so; the beliefs are the
    same, for what that factor allows there is impossible, too.

    Parameters
    ----------
    semiring : Semiring
        What messages mean; sums only.
    graph : GraphArrays
        The graph; not modified.
    unary : float64[B]
        Log unary potentials, in nats; not modified.
    power : float64[E]
        Power of each edge's message, > 0; not modified.
    first, last : int
        Range of variables.
    limits : Limits
        Where linear space ends; unread in log space.
    to_variable : float[S]
        Factor-to-variable messages, of any scale; not modified.
    to_factor : float[S]
        Overwritten with variable-to-factor messages, largest entry one.
    beliefs : float64[B]
        Overwritten with log beliefs, in nats, in either space; not scaled.

    Returns
    -------
    int
        The first variable that has no possible state left, ``ALIVE`` or ``UNSAFE``.

    """
    dead = ALIVE
    lowest = np.log(limits.floor) if is_linear(semiring) else -np.inf
    for variable in range(first, last):
        start, stop = graph.variable_states[variable], graph.variable_states[variable + 1]
        for entry in range(start, stop):
            beliefs[entry] = unary[entry]
        begin, end = graph.variable_edges[variable], graph.variable_edges[variable + 1]
        for slot in range(begin, end):
            edge = graph.slot_edge[slot]
            base = graph.edge_states[edge]
            for state in range(stop - start):
                said = to_log(semiring, to_variable[base + state])
                # Kept for the division below: a logarithm costs more than the rest.
                to_factor[base + state] = said
                beliefs[start + state] += power[edge] * said
        alive = False
        for entry in range(start, stop):
            alive = alive or beliefs[entry] != -np.inf
        if not alive and dead == ALIVE:
            dead = variable
        for slot in range(begin, end):
            base = graph.edge_states[graph.slot_edge[slot]]
            best = -np.inf
            for state in range(stop - start):
                belief = beliefs[start + state]
                rest = belief - to_factor[base + state] if belief != -np.inf else belief
                to_factor[base + state] = rest
                if rest > best or rest != rest:
                    best = rest
            for state in range(stop - start):
                rest = to_factor[base + state]
                if rest == -np.inf:
                    to_factor[base + state] = semiring.zero
                    continue
                if rest - best < lowest:
                    return UNSAFE
                to_factor[base + state] = from_log(semiring, rest - best)
    return dead


@kernel
def weigh_in_turn(
    semiring: Semiring,
    graph: GraphArrays,
    edge_factor: IndexArray,
    families: tuple,  # type: ignore[type-arg]
    unary: FloatArray,
    power: FloatArray,
    order: IndexArray,
    limits: Limits,
    damping: float,
    to_variable: FloatArray,
    to_factor: FloatArray,
    beliefs: FloatArray,
    scratch: FloatArray,
    edge_residual: FloatArray,
) -> tuple[float, int, int]:
    """Update variables one after another; each uses what those before it have said.

    Parameters
    ----------
    edge_factor : int32[E]
        Factor at the end of each edge.
    families : tuple
        The arrays of all families.
    order : int32[...]
        Variables in the order in which they are updated.
    to_variable, to_factor : float[S]
        Messages both ways; overwritten.
    scratch : float[S]
        Overwritten.
    edge_residual : float[E]
        Overwritten for the edges of these variables with undamped residuals, in nats.
    semiring, graph, unary, power, limits, damping, beliefs
        As for ``weigh_from_variables`` and ``send``.

    Returns
    -------
    float
        The largest undamped residual, in nats.
    int, int
        The first factor and the first variable without a possible state, or ``ALIVE``;
        ``UNSAFE`` as either ends the sweep at once.

    """
    worst, dead_factor, dead_variable = 0.0, ALIVE, ALIVE
    changes = np.empty(edge_residual.size)
    for place in range(order.size):
        variable = int(np.int64(order[place]))
        for slot in range(graph.variable_edges[variable], graph.variable_edges[variable + 1]):
            edge = graph.slot_edge[slot]
            _, status = send_one(
                semiring,
                graph,
                families,
                edge_factor[edge],
                to_factor,
                to_variable,
                scratch,
                damping,
                changes,
            )
            if status < ALIVE:
                return worst, status, dead_variable
            if status != ALIVE and dead_factor == ALIVE:
                dead_factor = status
            for entry in range(graph.edge_states[edge], graph.edge_states[edge + 1]):
                to_variable[entry] = scratch[entry]
            edge_residual[edge] = changes[edge]
            worst = larger(worst, changes[edge])
        status = weigh_from_variables(
            semiring,
            graph,
            unary,
            power,
            variable,
            variable + 1,
            limits,
            to_variable,
            to_factor,
            beliefs,
        )
        if status < ALIVE:
            return worst, dead_factor, status
        if status != ALIVE and dead_variable == ALIVE:
            dead_variable = status
    return worst, dead_factor, dead_variable
