"""How far messages would still move, and the damped step that moves them."""

import numpy as np

from mpnet.kernels.jit import kernel
from mpnet.kernels.layout import FloatArray, GraphArrays


@kernel
def accept(
    graph: GraphArrays,
    proposed: FloatArray,
    damping: float,
    messages: FloatArray,
    edge_residual: FloatArray,
) -> float:
    """Move the messages towards the proposed ones and return the undamped residual.

    The residual is measured before damping, so that damping can't feign convergence: comparing
    it with a tolerance is comparing the step made with tolerance * (1 - damping).

    Parameters
    ----------
    graph : GraphArrays
        The graph; not modified.
    proposed : float64[S]
        Log messages that an undamped update would send, largest entry 0; not modified.
    damping : float
        Weight of the old message in the log domain, in [0, 1).
    messages : float64[S]
        Log messages as they were; overwritten with the damped step, largest entry 0.
    edge_residual : float64[E]
        Overwritten with the largest change of each message, in nats; ``inf`` where a state
        gained or lost support.

    Returns
    -------
    float
        The largest of them; NaN if any message holds a NaN.

    """
    worst = 0.0
    for edge in range(graph.edge_variable.size):
        start, stop = graph.edge_states[edge], graph.edge_states[edge + 1]
        largest, best = 0.0, -np.inf
        for entry in range(start, stop):
            old, new = messages[entry], proposed[entry]
            if old != new:
                change = abs(new - old)
                # `change != change` finds a NaN, which a plain comparison would skip.
                if change > largest or change != change:
                    largest = change
                if damping > 0.0 and old != -np.inf and new != -np.inf:
                    new = damping * old + (1.0 - damping) * new
                messages[entry] = new
            best = max(best, new)
        if best != 0.0 and best != -np.inf:
            for entry in range(start, stop):
                messages[entry] -= best
        edge_residual[edge] = largest
        if largest > worst or largest != largest:
            worst = largest
    return worst
