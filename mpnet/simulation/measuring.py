"""What is measured of an answered run besides beliefs: bounds of log Z, and how fast it contracts."""

from __future__ import annotations

import numpy as np

from mpnet.analysis.stability import stability
from mpnet.errors import MpnetError
from mpnet.estimators.base import Options
from mpnet.estimators.bounds import bracket
from mpnet.scenario.spec import Inference
from mpnet.simulation.answering import Answer

BOUNDED = 300
"""Edges of a graph up to which log Z is bracketed without being asked to."""

SWEEPS = 300
"""Sweeps of each bound, at most; a bound holds after any."""

LINEARISED = 4000
"""Message entries up to which the rate at a fixed point is predicted."""

Bracket = tuple[float | None, float | None]


def bracket_of(answer: Answer) -> Bracket | None:
    """Proven lower and upper bound of log Z, in nats; None where the graph is large."""
    graph = answer.compiled.graph
    if answer.compiled.impossible or graph.arrays.edge_variable.size > BOUNDED:
        return None
    try:
        found = bracket(graph, Options(max_iterations=SWEEPS))
    except MpnetError:
        return None
    finite = tuple(v if v is not None and np.isfinite(v) else None for v in found)
    return None if finite == (None, None) else (finite[0], finite[1])


def rate_of(answer: Answer, inference: Inference, damping: float) -> float | None:
    """Factor by which flooding is predicted to shrink the residual per iteration, in the end.

    The largest eigenvalue of the damped update at the messages where flat propagation came to rest;
    None where it did not, for elsewhere an eigenvalue predicts nothing.

    Parameters
    ----------
    answer : Answer
        A run.
    inference : Inference
        ``schedule`` and ``tolerance`` are looked at.
    damping : float
        Weight of the old message, in the log domain.

    """
    messages = answer.recorder.flat
    if (
        messages is None
        or inference.schedule != "flooding"
        or answer.estimate.status != "converged"
    ):
        return None
    if messages.graph.arrays.edge_states[-1] > LINEARISED:
        return None
    try:
        found = stability(messages)
        rate = found.rate(damping)
    except MpnetError:
        return None
    if not found.residual <= inference.tolerance:
        return None
    # On a forest nothing is left after as many sweeps as it is deep.
    return float(rate) if np.isfinite(rate) and rate > 0.0 else None
