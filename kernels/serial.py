"""Updates of one variable at a time: it hears all its factors, and then speaks to all."""

import numpy as np

from mpnet.kernels.dispatch import send_one
from mpnet.kernels.jit import kernel
from mpnet.kernels.layout import ALIVE, FloatArray, GraphArrays, IndexArray, Limits, States
from mpnet.kernels.residuals import larger
from mpnet.kernels.semiring import Semiring
from mpnet.kernels.variables import send_from_variables


@kernel
def update_in_turn(
    semiring: Semiring,
    states: States,
    graph: GraphArrays,
    edge_factor: IndexArray,
    families: tuple,  # type: ignore[type-arg]
    unary: FloatArray,
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
        Variables in the order in which they are updated; one may come several times.
    to_variable, to_factor : float[S]
        Messages both ways; overwritten.
    scratch : float[S]
        Overwritten.
    edge_residual : float[E]
        Overwritten for the edges of these variables with undamped residuals, in nats.
    semiring, states, graph, unary, limits, damping, beliefs
        As for ``send_from_variables`` and ``send``.

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
        if status < ALIVE:
            return worst, dead_factor, status
        if status != ALIVE and dead_variable == ALIVE:
            dead_variable = status
    return worst, dead_factor, dead_variable
