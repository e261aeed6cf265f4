"""The part of the Bethe free energy that does not depend on the kind of factor."""

import numpy as np

from mpnet.kernels.jit import kernel
from mpnet.kernels.layout import FloatArray, GraphArrays
from mpnet.kernels.variables import log_sum_exp


@kernel
def variable_and_edge_terms(
    graph: GraphArrays, beliefs: FloatArray, to_factor: FloatArray, to_variable: FloatArray
) -> float:
    """Sum of log Z_i over variables minus the sum of log Z_ai over edges, in nats.

    With the sum of log Z_a over factors this is the Bethe log partition sum in message form
    (Mezard and Montanari, Information, Physics and Computation, chapter 14); how messages are
    scaled cancels. ``-inf`` if a variable has no possible state.

    Parameters
    ----------
    graph : GraphArrays
        The graph; not modified.
    beliefs : float64[B]
        Unnormalised log beliefs that belong to ``to_variable``; not modified.
    to_factor, to_variable : float64[S]
        Log messages both ways; not modified.

    """
    result = 0.0
    for variable in range(graph.variable_states.size - 1):
        start, stop = graph.variable_states[variable], graph.variable_states[variable + 1]
        term = log_sum_exp(beliefs, start, stop)
        if term == -np.inf:
            return term
        result += term
    for edge in range(graph.edge_variable.size):
        best, total = -np.inf, 0.0
        for entry in range(graph.edge_states[edge], graph.edge_states[edge + 1]):
            score = to_factor[entry] + to_variable[entry]
            if score > best or score != score:
                total = total * np.exp(best - score) + 1.0
                best = score
            elif score != -np.inf:
                total += np.exp(score - best)
        result -= best + np.log(total) if best != -np.inf else best
    return result
