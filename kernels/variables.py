"""What variables say: messages to factors and beliefs, in the log domain."""

import numpy as np

from mpnet.kernels.jit import kernel
from mpnet.kernels.layout import FloatArray, GraphArrays, IntArray


@kernel
def send_from_variables(
    graph: GraphArrays,
    unary: FloatArray,
    to_variable: FloatArray,
    to_factor: FloatArray,
    beliefs: FloatArray,
) -> int:
    """Add up, for each edge, what all other edges of its variable say.

    Parameters
    ----------
    graph : GraphArrays
        The graph; not modified.
    unary : float64[B]
        Log unary potentials, in nats; not modified.
    to_variable : float64[S]
        Factor-to-variable log messages, in nats; not modified.
    to_factor : float64[S]
        Overwritten with variable-to-factor log messages, largest entry 0.
    beliefs : float64[B]
        Overwritten with unnormalised log beliefs, in nats.

    Returns
    -------
    int
        The first variable that has no possible state left, or -1.

    """
    dead = -1
    for variable in range(graph.variable_states.size - 1):
        first = graph.variable_edges[variable]
        last = graph.variable_edges[variable + 1]
        start = graph.variable_states[variable]
        best = -np.inf
        # A running sum from either side leaves each edge out without subtracting: -inf, a hard
        # zero, can't be taken back out of a sum.
        for state in range(graph.variable_states[variable + 1] - start):
            running = unary[start + state]
            for slot in range(first, last):
                entry = graph.edge_states[graph.slot_edge[slot]] + state
                to_factor[entry] = running
                running += to_variable[entry]
            beliefs[start + state] = running
            # A variable whose messages are NaN is not one that is left without a state.
            if running > best or running != running:
                best = running
            running = 0.0
            for slot in range(last - 1, first - 1, -1):
                entry = graph.edge_states[graph.slot_edge[slot]] + state
                to_factor[entry] += running
                running += to_variable[entry]
        if best == -np.inf and dead < 0:
            dead = variable
    for edge in range(graph.edge_variable.size):
        shift_to_zero(to_factor, graph.edge_states[edge], graph.edge_states[edge + 1])
    return dead


@kernel
def shift_to_zero(message: FloatArray, start: int, stop: int) -> float:
    """Shift a slice so that its largest entry is 0 and return the shift; leave ``-inf`` alone."""
    best = -np.inf
    for entry in range(start, stop):
        # A NaN must survive: comparing with it is always false, so it is taken on purpose.
        if message[entry] > best or message[entry] != message[entry]:
            best = message[entry]
    if best != -np.inf:
        for entry in range(start, stop):
            message[entry] -= best
    return best


@kernel
def log_sum_exp(values: FloatArray, start: int, stop: int) -> float:
    """Log of the sum of exponentials of a slice, in nats; ``-inf`` if all are."""
    best = -np.inf
    for entry in range(start, stop):
        if values[entry] > best or values[entry] != values[entry]:
            best = values[entry]
    if best == -np.inf:
        return best
    total = 0.0
    for entry in range(start, stop):
        total += np.exp(values[entry] - best)
    return best + np.log(total)


@kernel
def marginals(variable_states: IntArray, beliefs: FloatArray, out: FloatArray) -> int:
    """Turn log beliefs into probabilities, variable by variable.

    Parameters
    ----------
    variable_states : int64[V + 1]
        Start of each variable's states.
    beliefs : float64[B]
        Log beliefs up to a constant per variable, in nats; not modified.
    out : float64[B]
        Overwritten with probabilities; each variable's slice sums to 1.

    Returns
    -------
    int
        The first variable without a possible state, whose slice is left NaN, or -1.

    """
    dead = -1
    for variable in range(variable_states.size - 1):
        start, stop = variable_states[variable], variable_states[variable + 1]
        total = log_sum_exp(beliefs, start, stop)
        if total == -np.inf:
            if dead < 0:
                dead = variable
            out[start:stop] = np.nan
        else:
            for entry in range(start, stop):
                out[entry] = np.exp(beliefs[entry] - total)
    return dead
