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
    FloatArray,
    GraphArrays,
    IndexArray,
    Limits,
    States,
)
from mpnet.kernels.semiring import Semiring
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
        variable = int(np.int64(graph.edge_variable[edge]))
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
