"""Variables that wake by clocks of their own and talk over links that delay and lose messages."""

import numpy as np

from mpnet.kernels.dispatch import send_one
from mpnet.kernels.jit import kernel
from mpnet.kernels.layout import ALIVE, FloatArray, GraphArrays, IndexArray, Limits, States
from mpnet.kernels.semiring import Semiring
from mpnet.kernels.variables import send_from_variables


@kernel
def deliver(
    graph: GraphArrays,
    edge: int,
    now: float,
    arrival: FloatArray,
    lost: FloatArray,
    moving: FloatArray,
    waiting: FloatArray,
    held: FloatArray,
) -> None:
    """Let what has arrived over one link by ``now`` be heard, and send off what waits.

    Parameters
    ----------
    edge : int
        The link.
    now : float
        Time, in iterations.
    arrival : float64[2, E]
        When the message on the link arrives, ``inf`` if there is none; and how long the one
        that waits will take, ``inf`` if none waits. Overwritten.
    lost : float64[2, E]
        1 if the message on the link, or the one that waits, gets lost. Overwritten.
    moving, waiting, held : float[S]
        Messages on their way, waiting, and heard last. Overwritten.
    graph : GraphArrays
        The graph; not modified.

    """
    first, last = graph.edge_states[edge], graph.edge_states[edge + 1]
    while arrival[0, edge] <= now:
        if lost[0, edge] == 0.0:
            for entry in range(first, last):
                held[entry] = moving[entry]
        # The next message sets off when the link is free again.
        arrival[0, edge] += arrival[1, edge]
        lost[0, edge] = lost[1, edge]
        arrival[1, edge] = np.inf
        for entry in range(first, last):
            moving[entry] = waiting[entry]


@kernel
def run_clocks(
    semiring: Semiring,
    states: States,
    graph: GraphArrays,
    edge_factor: IndexArray,
    families: tuple,  # type: ignore[type-arg]
    unary: FloatArray,
    order: IndexArray,
    times: FloatArray,
    pauses: FloatArray,
    losses: FloatArray,
    limits: Limits,
    damping: float,
    to_variable: FloatArray,
    to_factor: FloatArray,
    beliefs: FloatArray,
    arrival: FloatArray,
    lost: FloatArray,
    moving: FloatArray,
    waiting: FloatArray,
    held: FloatArray,
    scratch: FloatArray,
    edge_residual: FloatArray,
) -> tuple[int, int]:
    """Let variables wake one after another; each hears what has reached its factors by then.

    A link carries one message at a time; one more may wait, and a newer one replaces it.

    Parameters
    ----------
    order : int32[n]
        Variables as they wake.
    times : float64[n]
        When, in iterations, in ascending order.
    pauses : float64[m]
        How long each message that is sent takes, in iterations, in the order of sending.
    losses : float64[m]
        1 if that message gets lost, else 0.
    to_variable : float[S]
        Factor-to-variable messages as each variable heard them last; overwritten.
    to_factor : float[S]
        Overwritten with what variables have said last, whether it has arrived or not.
    arrival, lost, moving, waiting, held
        The links, as for ``deliver``; overwritten.
    scratch, edge_residual : float[S], float64[E]
        Overwritten.
    semiring, states, graph, edge_factor, families, unary, limits, damping, beliefs
        As for ``mpnet.kernels.serial.update_in_turn``.

    Returns
    -------
    int, int
        The first factor and the first variable without a possible state, or ``ALIVE``;
        ``UNSAFE`` as either ends the run at once.

    """
    dead_factor, dead_variable, sent = ALIVE, ALIVE, 0
    for wake in range(order.size):
        variable, now = int(np.int64(order[wake])), times[wake]
        for slot in range(graph.variable_edges[variable], graph.variable_edges[variable + 1]):
            edge = graph.slot_edge[slot]
            factor = edge_factor[edge]
            for near in range(graph.factor_edges[factor], graph.factor_edges[factor + 1]):
                deliver(graph, near, now, arrival, lost, moving, waiting, held)
            _, status = send_one(
                semiring,
                graph,
                families,
                factor,
                held,
                to_variable,
                scratch,
                damping,
                edge_residual,
            )
            if status < ALIVE:
                return status, dead_variable
            if status != ALIVE and dead_factor == ALIVE:
                dead_factor = status
            for entry in range(graph.edge_states[edge], graph.edge_states[edge + 1]):
                to_variable[entry] = scratch[entry]
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
            return dead_factor, status
        if status != ALIVE and dead_variable == ALIVE:
            dead_variable = status
        for slot in range(graph.variable_edges[variable], graph.variable_edges[variable + 1]):
            edge = graph.slot_edge[slot]
            free = arrival[0, edge] == np.inf
            place = moving if free else waiting
            for entry in range(graph.edge_states[edge], graph.edge_states[edge + 1]):
                place[entry] = to_factor[entry]
            line = 0 if free else 1
            arrival[line, edge] = now + pauses[sent] if free else pauses[sent]
            lost[line, edge] = losses[sent]
            sent += 1
    return dead_factor, dead_variable
