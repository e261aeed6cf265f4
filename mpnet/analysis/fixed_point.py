"""Where flooding would come to rest, found even where it does not: by damping, then by Newton."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator, gmres

from mpnet.analysis.jacobian import Jacobian, jacobian
from mpnet.analysis.sweeps import next_messages
from mpnet.errors import InconsistentError, NumericalError
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import ALIVE, FloatArray
from mpnet.messages import Messages

DAMPINGS = (0.5, 0.9, 0.99)
"""Dampings that are tried in turn."""

STEPS = 50
"""Most steps of Newton's method."""

DENSE = 1500
"""Coordinates up to which Newton's equations are solved directly."""

LONGEST = 5.0
"""Longest step of Newton's method in any log-ratio, in nats."""

HALVINGS = 8
"""Times that a step may be halved before it is given up."""


def find_fixed_point(
    graph: FactorGraph,
    unary: FloatArray | None = None,
    start: FloatArray | None = None,
    *,
    tolerance: float = 1e-10,
    iterations: int = 500,
    dampings: Sequence[float] = DAMPINGS,
) -> Messages:
    """Messages at a fixed point of sum-product, stable or not.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.
    unary : float64[B], optional
        Log unary potentials used instead of the graph's, in nats: other evidence.
    start : float64[S], optional
        Log messages to start from; uniform where not given. With no dampings, Newton's method
        goes to a fixed point near them.
    tolerance : float
        Undamped residual of the result, in nats.
    iterations : int
        Sweeps of flooding with each damping.
    dampings : sequence of float
        Weights of the old message, in [0, 1), tried one after the other.

    Raises
    ------
    NumericalError
        If none is found; names the smallest residual that was reached.
    InconsistentError
        If messages rule everything out.

    """
    messages = Messages(graph, unary, start)
    best = math.inf
    for damping in dampings:
        residual = _flood(messages, damping, tolerance, iterations)
        if residual <= tolerance:
            return messages
        best = min(best, residual)
    found, residual = _newton(messages, tolerance)
    if residual <= tolerance:
        return found
    best = min(best, residual)
    raise NumericalError(
        f"no fixed point was found: damped flooding and Newton's method came to a residual of "
        f"{best:.1e} nats, wanted {tolerance:.0e}; try other messages to start from"
    )


def _flood(messages: Messages, damping: float, tolerance: float, iterations: int) -> float:
    """Sweep in place; the undamped residual of the messages as they then are."""
    for _ in range(iterations):
        residual, dead = messages.send_from_factors(damping)
        if dead != ALIVE or messages.refresh() != ALIVE:
            raise InconsistentError(
                "messages leave some factor or variable nothing that is possible"
            )
        if residual <= tolerance and next_messages(messages)[0] <= tolerance:
            break
    return next_messages(messages)[0]


def _newton(messages: Messages, tolerance: float) -> tuple[Messages, float]:
    """Solve for messages that a sweep leaves alone; the best ones, and their residual in nats."""
    graph, unary = messages.graph, messages.unary
    residual, answer = next_messages(messages)
    for _ in range(STEPS):
        if residual <= tolerance or not math.isfinite(residual):
            break
        update = jacobian(messages)
        now = messages.log_messages()
        ahead = update.log_ratios(answer) - update.log_ratios(now)
        step = _solve(update, ahead)
        step *= min(1.0, LONGEST / max(float(np.abs(step).max(initial=0.0)), 1e-300))
        height = float(np.linalg.norm(ahead))
        for halving in range(HALVINGS):
            # Entries that nobody listens to, and the scale of each message, are a sweep's.
            proposed = answer.copy()
            moved = update.log_ratios(now) + step * 0.5**halving
            proposed[update.entries] = proposed[update.reference] + moved
            there = Messages(graph, unary, proposed, space="log")
            worst, further = next_messages(there)
            left = np.linalg.norm(update.log_ratios(further - there.log_messages()))
            if left <= height * (1.0 - 1e-4 * 0.5**halving):
                break
        else:
            break
        messages, residual, answer = there, worst, further
    return messages, residual


def _solve(update: Jacobian, ahead: FloatArray) -> FloatArray:
    """Newton's step d, from (1 - Jacobian) d = how far a sweep would move."""
    if update.size <= DENSE:
        dense = np.eye(update.size) - update.toarray()
        return np.asarray(np.linalg.lstsq(dense, ahead)[0])

    def matvec(vector: FloatArray) -> FloatArray:
        return vector.reshape(-1) - update.apply(vector.reshape(-1))

    left: Any = LinearOperator((update.size, update.size), matvec=matvec, dtype=np.float64)
    step, _ = gmres(left, ahead, rtol=1e-4, restart=60, maxiter=5)
    return np.asarray(step)
