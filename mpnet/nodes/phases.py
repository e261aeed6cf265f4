"""Phases over time: how one follows another, and how often each occurs in the long run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpnet.kernels.layout import FloatArray
from mpnet.nodes.base import fault

OFF = "off"
"""The state of a sequence that is in none of its phases."""


def transition_table(
    follows: FloatArray, start: float, begins: FloatArray, rates: FloatArray
) -> FloatArray:
    """Probability of each state at the next step given the state at this one.

    With L phases, state 0 is off and state k is phase k.

    Parameters
    ----------
    follows : float64[L, L + 1]
        Where an advance leads from each phase, probabilities.
    start : float
        Probability that a step off is followed by one that is not.
    begins : float64[L + 1]
        Which phase that is, probabilities; 0 for off.
    rates : float64[L, 3]
        Probabilities of staying, of skipping (two advances at once) and of breaking off in each
        phase; what is missing to 1 is the probability to advance.

    Returns
    -------
    float64[L + 1, L + 1]
        Rows sum to 1.

    """
    off = np.eye(follows.shape[1])[0]
    advance = np.vstack([off, follows])
    dwell, skip, abort = rates.T[:, :, None]
    phases = dwell * np.eye(follows.shape[1])[1:] + abort * off
    phases = phases + skip * (follows @ advance)
    phases = phases + np.maximum(0.0, 1.0 - dwell - skip - abort) * follows
    return np.vstack([(1.0 - start) * off + start * begins, phases])


def reachable(table: FloatArray) -> NDArray[np.bool_]:
    """Which states can follow which, sooner or later, or are the same; shape (states, states)."""
    found = (table > 0.0) | np.eye(len(table), dtype=bool)
    for _ in range(len(table).bit_length()):
        found = found @ found
    return found


def long_run(table: FloatArray) -> FloatArray | None:
    """Share of steps spent in each state, in the long run; None where it depends on the start.

    Parameters
    ----------
    table : float64[states, states]
        Transition probabilities; rows sum to 1.

    Returns
    -------
    float64[states] or None
        Probabilities; exactly 0 for states that are left for ever.

    """
    reach = reachable(table)
    # A state is recurrent if whatever it leads to leads back.
    recurrent = np.flatnonzero((~reach | reach.T).all(axis=1))
    if not reach[np.ix_(recurrent, recurrent)].all():
        return None
    inside = table[np.ix_(recurrent, recurrent)]
    # The shares are the left eigenvector of 1; one equation is replaced by their sum.
    system = inside.T - np.eye(recurrent.size)
    system[-1] = 1.0
    wanted = np.zeros(recurrent.size)
    wanted[-1] = 1.0
    shares = np.zeros(len(table))
    shares[recurrent] = np.linalg.solve(system, wanted)
    shares /= shares.sum()
    return shares


def log_ratios(table: FloatArray, rates: FloatArray) -> FloatArray:
    """Log of transition probability over base rate, in nats; 0 for states that never occur."""
    possible = rates > 0.0
    found = np.zeros_like(table)
    with np.errstate(divide="ignore"):
        found[:, possible] = np.log(table[:, possible]) - np.log(rates[possible])
    return found


def read_awake(written: Any, rates: FloatArray, sure: float) -> Any:
    """What is predicted of a sequence as a whole, in terms of its state off.

    Parameters
    ----------
    written : object
        ``active``, ``inactive``, ``{active: p}``, ``{inactive: p}``, ``{will: p}`` or
        ``{wont: p}``; anything else is handed back.
    rates : float64[states]
        The sequence's base rates.
    sure : float
        Probability of a state that is predicted by its name alone.

    Raises
    ------
    NodeFaults
        If a number is no probability, or ``will`` or ``wont`` changes nothing for the better.

    """
    if written in ("active", "inactive"):
        written = {written: sure}
    if not (isinstance(written, Mapping) and len(written) == 1):
        return written
    word, number = next(iter(written.items()))
    if word not in ("active", "inactive", "will", "wont"):
        return written
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1:
        raise fault((word,), f"must be a probability in [0, 1], got {number!r}")
    awake = word in ("active", "will")
    before = float(1.0 - rates[0] if awake else rates[0])
    if word in ("will", "wont") and number <= before:
        what = (
            f"{word}: {number:g} makes it no more {'' if awake else 'in'}active than it is anyway"
        )
        raise fault((word,), what, f"write a number above {before:.3g}")
    return {OFF: 1.0 - number if awake else float(number)}
