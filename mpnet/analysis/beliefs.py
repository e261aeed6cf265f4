"""Beliefs of all factors at once: as messages tell them, and made to agree with the variables'."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mpnet.analysis.tables import Batch, batches, entry_beliefs
from mpnet.dense import logs_of
from mpnet.errors import InconsistentError, NumericalError, TooLargeError, UsageError
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.messages import Messages

ROUNDS = 5000
"""Rounds of fitting after which beliefs are taken not to agree at all."""

AGREED = 1e-12
"""Disagreement of beliefs at which fitting ends, in nats."""


class Fitted(NamedTuple):
    """Factor beliefs that agree with the variables' beliefs.

    Parameters
    ----------
    batch : Batch
        The factors.
    beliefs : float64[n, states, ...]
        Their log beliefs, in nats.
    multipliers : tuple of float64[n, states]
        For each axis: belief = potential times the exponentials of these, in nats. They are
        derivatives of the factor's share of the free energy by the variable's belief.

    """

    batch: Batch
    beliefs: FloatArray
    multipliers: tuple[FloatArray, ...]


def log_beliefs(messages: Messages) -> FloatArray:
    """Logs of the variables' beliefs, shape (B,), in nats.

    Parameters
    ----------
    messages : Messages
        Of sum-product; not modified.

    Raises
    ------
    InconsistentError
        If some variable has no possible state; names it.
    UsageError
        If the messages are those of max-product, whose beliefs are no probabilities.

    """
    if messages.maximise:
        raise UsageError("beliefs of max-product are no probabilities; use sum-product")
    beliefs = np.asarray(messages.beliefs, dtype=np.float64)
    logs = logs_of(beliefs) if messages.linear else beliefs.copy()
    if not logs.size:
        return logs
    starts = messages.graph.arrays.variable_states
    counts = np.diff(starts)
    best = np.maximum.reduceat(logs, starts[:-1])
    if (best == -np.inf).any():
        name = messages.graph.variables[int(np.argmin(best))].name
        raise InconsistentError(f"no state of {name!r} is possible; there are no beliefs")
    logs -= np.repeat(best, counts)
    totals = np.add.reduceat(np.exp(logs), starts[:-1])
    result: FloatArray = logs - np.repeat(np.log(totals), counts)
    return result


def log_heard(messages: Messages) -> FloatArray:
    """What factors hear, as logs up to a constant per message, shape (S,), in nats.

    Parameters
    ----------
    messages : Messages
        Not modified.

    """
    heard = np.asarray(messages.to_factor, dtype=np.float64)
    return logs_of(heard) if messages.linear else heard.copy()


def log_sum(values: FloatArray, axes: tuple[int, ...]) -> FloatArray:
    """Logs of sums over some axes, which stay with length one; ``-inf`` of nothing.

    Parameters
    ----------
    values : float64[...]
        Logs, in nats.
    axes : tuple of int
        What to sum over.

    """
    best = values.max(axis=axes, keepdims=True)
    best = np.where(best == -np.inf, 0.0, best)
    result: FloatArray = best + logs_of(np.exp(values - best).sum(axis=axes, keepdims=True))
    return result


def fitted(messages: Messages) -> Iterator[Fitted]:
    """Beliefs of factors, of least free energy among those that agree with the variables'.

    Potentials are scaled along each axis in turn until sums over the other axes are the
    variable's belief (iterative proportional fitting); messages at a fixed point are fitted
    from the beginning.

    Parameters
    ----------
    messages : Messages
        Of sum-product; not modified.

    Raises
    ------
    TooLargeError
        If some factor is too large to be written out; names it.
    NumericalError
        If no beliefs of some factor agree with those of its variables; names it.

    """
    graph = messages.graph
    targets = log_beliefs(messages)[entry_beliefs(graph)]
    heard = log_heard(messages)
    for batch in batches(graph):
        if batch.tables is None:
            name = graph.factors[int(batch.factors[0])].name
            raise TooLargeError(f"the table of factor {name!r} is too large to be looked into")
        beliefs, multipliers, missed = _fit(batch, batch.tables, heard, targets)
        if missed.any():
            name = graph.factors[int(batch.factors[np.argmax(missed)])].name
            raise NumericalError(
                f"no belief of factor {name!r} was found that agrees with those of its variables"
            )
        yield Fitted(batch, beliefs, multipliers)


def _fit(
    batch: Batch, tables: FloatArray, heard: FloatArray, targets: FloatArray
) -> tuple[FloatArray, tuple[FloatArray, ...], FloatArray]:
    """Log beliefs, their multipliers, and where they miss the targets."""
    axes = range(tables.ndim - 1)
    wanted = [batch.with_axes(targets, axis) for axis in axes]
    scales = [np.where(w == -np.inf, w, batch.with_axes(heard, a)) for a, w in zip(axes, wanted)]
    missed = np.ones(len(tables), dtype=bool)
    left = np.arange(len(tables))
    for _ in range(ROUNDS):
        worst = _round(tables[left], [w[left] for w in wanted], scales, left)
        missed[left] = ~(worst <= AGREED)
        left = left[(worst > AGREED) & np.isfinite(worst)]
        if not left.size:
            break
    multipliers = tuple(scale.reshape(len(tables), -1) for scale in scales)
    return tables + sum(scales), multipliers, missed


def _round(
    tables: FloatArray, wanted: list[FloatArray], scales: list[FloatArray], which: IntArray
) -> FloatArray:
    """Scale some tables along each axis once, in place; how far each one was off, in nats."""
    mine = [scale[which] for scale in scales]
    worst = np.zeros(len(tables))
    for axis, target in enumerate(wanted):
        others = tuple(a + 1 for a in range(len(wanted)) if a != axis)
        found = log_sum(tables + sum(mine), others)
        with np.errstate(invalid="ignore"):
            short = np.where(target == -np.inf, 0.0, target - found)
            mine[axis] = mine[axis] + short
            # A common shift takes out scales of messages, which mean nothing.
            worst = np.maximum(worst, np.ptp(short, axis=tuple(range(1, short.ndim))))
        scales[axis][which] = mine[axis]
    return worst
