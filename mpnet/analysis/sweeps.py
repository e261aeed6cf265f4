"""One sweep ahead, without moving anything."""

from __future__ import annotations

import numpy as np

from mpnet.kernels.layout import UNSAFE, FloatArray
from mpnet.messages import Messages


def next_messages(messages: Messages) -> tuple[float, FloatArray]:
    """What an undamped sweep of flooding would make of some messages.

    Parameters
    ----------
    messages : Messages
        Not modified.

    Returns
    -------
    float
        The undamped residual of the messages as they are, in nats.
    float64[S]
        The next factor-to-variable messages as logs, largest entry 0, in nats.

    """
    answer = np.empty_like(messages.to_variable)
    residual, status = messages.ask_factors(0.0, answer, np.empty(messages.edge_residual.size))
    if status == UNSAFE:
        return next_messages(_in_logs(messages, messages.log_messages()))
    logs = np.array(answer, dtype=np.float64)
    if messages.linear:
        with np.errstate(divide="ignore"):
            logs = np.log(logs)
    return residual, scaled(messages, logs)


def scaled(messages: Messages, logs: FloatArray) -> FloatArray:
    """Log messages shifted so that the largest entry of each is 0, shape (S,), in nats."""
    starts = messages.graph.arrays.edge_states
    if not logs.size:
        return logs
    best = np.maximum.reduceat(logs, starts[:-1])
    shifts: FloatArray = np.repeat(np.where(best == -np.inf, 0.0, best), np.diff(starts))
    return logs - shifts


def _in_logs(messages: Messages, logs: FloatArray) -> Messages:
    return Messages(messages.graph, messages.unary, logs, space="log", maximise=messages.maximise)
