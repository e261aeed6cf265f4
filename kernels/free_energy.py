"""The part of the Bethe free energy that does not depend on the kind of factor."""

import numpy as np

from mpnet.kernels.jit import kernel
from mpnet.kernels.layout import FloatArray, GraphArrays
from mpnet.kernels.semiring import Semiring, plus, times, to_log


@kernel
def variable_and_edge_terms(
    semiring: Semiring,
    graph: GraphArrays,
    beliefs: FloatArray,
    to_factor: FloatArray,
    to_variable: FloatArray,
) -> float:
    """Sum of log Z_i over variables minus the sum of log Z_ai over edges, in nats.

    With the sum of log Z_a over factors this is the Bethe log partition sum in message form
    (Mezard and Montanari, Information, Physics and Computation, chapter 14); how messages are
    scaled cancels. ``-inf`` if a variable has no possible state.

    Parameters
    ----------
    semiring : Semiring
        What the values mean.
    graph : GraphArrays
        The graph; not modified.
    beliefs : float[B]
        Unnormalised beliefs that belong to ``to_variable``; not modified.
    to_factor, to_variable : float[S]
        Messages both ways; not modified.

    """
    result = 0.0
    for variable in range(graph.variable_states.size - 1):
        total = semiring.zero
        for entry in range(graph.variable_states[variable], graph.variable_states[variable + 1]):
            total = plus(semiring, total, beliefs[entry])
        if total == semiring.zero:
            return -np.inf
        result += to_log(semiring, total)
    for edge in range(graph.edge_variable.size):
        total = semiring.zero
        for entry in range(graph.edge_states[edge], graph.edge_states[edge + 1]):
            total = plus(semiring, total, times(semiring, to_factor[entry], to_variable[entry]))
        result -= to_log(semiring, total)
    return result
