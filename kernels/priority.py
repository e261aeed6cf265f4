"""Residual belief propagation: the message that would change most moves first.

Elidan, McGraw and Koller, "Residual belief propagation", UAI 2006. The change that every
message would make is always known exactly: whatever a move touches is computed again.
"""

import numpy as np

from mpnet.kernels import heap
from mpnet.kernels.dispatch import send_one
from mpnet.kernels.jit import kernel
from mpnet.kernels.layout import (
    ALIVE,
    ONE,
    THREE,
    TWO,
    UNSAFE,
    FloatArray,
    GraphArrays,
    IndexArray,
    Limits,
    PairArrays,
    States,
)
from mpnet.kernels.residuals import excess
from mpnet.kernels.semiring import Semiring, plus
from mpnet.kernels.variables import send_from_variables


@kernel
def update_most_urgent(
    semiring: Semiring,
    states: States,
    graph: GraphArrays,
    edge_factor: IndexArray,
    families: tuple,  # type: ignore[type-arg]
    unary: FloatArray,
    limits: Limits,
    damping: float,
    tolerance: float,
    most: int,
    to_variable: FloatArray,
    to_factor: FloatArray,
    beliefs: FloatArray,
    candidate: FloatArray,
    edge_residual: FloatArray,
    items: IndexArray,
    keys: FloatArray,
    where: IndexArray,
) -> tuple[int, int, int]:
    """Move up to ``most`` messages, always the one with the largest residual.

    Parameters
    ----------
    tolerance : float
        Stop once no residual is larger, in nats.
    most : int
        Messages to move.
    to_variable, to_factor : float[S]
        Messages both ways, in step with each other; overwritten.
    candidate : float[S]
        What each factor would say now; kept up to date.
    edge_residual : float64[E]
        How far each message is from that, undamped, in nats; kept up to date.
    items, keys, where
        The heap of ``mpnet.kernels.heap`` over ``edge_residual``; kept up to date.
    semiring, states, graph, edge_factor, families, unary, limits, damping, beliefs
        As for ``mpnet.kernels.serial.update_in_turn``.

    Returns
    -------
    int
        Messages moved.
    int, int
        The first factor and the first variable without a possible state, or ``ALIVE``;
        ``UNSAFE`` as either means that the run must go on in log space.

    """
    for moved in range(most):
        edge = items[0]
        if not keys[0] > tolerance:
            return moved, ALIVE, ALIVE
        for entry in range(graph.edge_states[edge], graph.edge_states[edge + 1]):
            to_variable[entry] = candidate[entry]
        variable = graph.edge_variable[edge]
        status = send_from_variables(
            semiring,
            states,
            graph,
            unary,
            variable,
            variable + 1,
            limits,
            to_variable,
            to_factor,
            beliefs,
        )
        if status != ALIVE:
            return moved + 1, ALIVE, status
        edge_residual[edge] = 0.0
        heap.change(edge, 0.0, items, keys, where)
        for slot in range(graph.variable_edges[variable], graph.variable_edges[variable + 1]):
            near = graph.slot_edge[slot]
            factor = edge_factor[near]
            if near == edge and damping == 0.0:
                continue
            _, status = send_one(
                semiring,
                graph,
                families,
                factor,
                to_factor,
                to_variable,
                candidate,
                damping,
                edge_residual,
            )
            if status != ALIVE:
                return moved + 1, status, ALIVE
            for far in range(graph.factor_edges[factor], graph.factor_edges[factor + 1]):
                heap.change(far, edge_residual[far], items, keys, where)
    return most, ALIVE, ALIVE


@kernel
def update_most_urgent_binary(
    semiring: Semiring,
    graph: GraphArrays,
    family: PairArrays,
    unary: FloatArray,
    limits: Limits,
    tolerance: float,
    most: int,
    to_variable: FloatArray,
    to_factor: FloatArray,
    beliefs: FloatArray,
    candidate: FloatArray,
    items: IndexArray,
    keys: FloatArray,
    where: IndexArray,
) -> tuple[int, int]:
    """As ``update_most_urgent`` for two states, pairs and linear space, undamped.

    Keys are residuals as odds less one, and so is ``tolerance``: no logarithm per message. Only
    the message that changes is computed again, not its factor's other one. Returns the messages
    moved and ``ALIVE``, ``UNSAFE`` or the variable without a possible state.
    """
    for moved in range(most):
        edge = np.uintp(items[0])
        if not keys[0] > tolerance:
            return moved, ALIVE
        here = TWO * edge
        to_variable[here], to_variable[here + ONE] = candidate[here], candidate[here + ONE]
        heap.change(edge, 0.0, items, keys, where)
        variable = np.uintp(graph.edge_variable[edge])
        begin = np.uintp(graph.variable_edges[variable])
        end = np.uintp(graph.variable_edges[variable + ONE])
        off, on = unary[TWO * variable], unary[TWO * variable + ONE]
        for slot in range(begin, end):
            entry = TWO * np.uintp(graph.slot_edge[slot])
            to_factor[entry], to_factor[entry + ONE] = off, on
            off *= to_variable[entry]
            on *= to_variable[entry + ONE]
        beliefs[TWO * variable], beliefs[TWO * variable + ONE] = off, on
        if not (off > limits.floor and on > limits.floor):
            return moved + 1, UNSAFE
        off, on = semiring.one, semiring.one
        for back in range(end - begin):
            near = np.uintp(graph.slot_edge[end - ONE - back])
            entry = TWO * near
            from_off, from_on = to_factor[entry] * off, to_factor[entry + ONE] * on
            to_factor[entry], to_factor[entry + ONE] = from_off, from_on
            off *= to_variable[entry]
            on *= to_variable[entry + ONE]
            if near == edge:
                continue
            # The pair's two edges are neighbours, the first one even.
            far = near ^ ONE
            table = np.uintp(family.factor_table[near // TWO])
            both_off, both_on = family.tables[table], family.tables[table + THREE]
            first_on, second_on = family.tables[table + TWO], family.tables[table + ONE]
            if near > far:
                first_on, second_on = second_on, first_on
            said_0 = plus(semiring, both_off * from_off, first_on * from_on)
            said_1 = plus(semiring, second_on * from_off, both_on * from_on)
            best = said_0 if said_0 > said_1 else said_1
            if not (said_0 > 0.0 and said_1 > 0.0):
                return moved + 1, UNSAFE
            scale = semiring.one / best
            said_0, said_1 = said_0 * scale, said_1 * scale
            there = TWO * far
            candidate[there], candidate[there + ONE] = said_0, said_1
            one, other = said_1 * to_variable[there], said_0 * to_variable[there + ONE]
            key = excess(abs(one - other), min(one, other))
            heap.change(far, key, items, keys, where)
    return most, ALIVE
