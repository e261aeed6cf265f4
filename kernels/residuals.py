"""How far a message would still move, and the damped step that moves it."""

import numpy as np

from mpnet.kernels.jit import inlined, kernel
from mpnet.kernels.layout import FloatArray
from mpnet.kernels.semiring import Semiring, is_linear


@kernel
def larger(a: float, b: float) -> float:
    """The larger of two residuals; NaN if one is, which ``max`` would drop."""
    return b if b > a or b != b else a


@kernel
def excess(gap: float, least: float) -> float:
    """Residual as odds less one, from two cross products: their gap over the smaller one."""
    if least > 0.0:
        return gap / least
    return gap if gap != gap else (np.inf if gap > 0.0 else 0.0)


@inlined
def settle(
    semiring: Semiring,
    count: int,
    fresh: FloatArray,
    at: int,
    old: FloatArray,
    out: FloatArray,
    start: int,
    damping: float,
) -> float:
    """Scale a new message, measure how far it is from the old one, damp it and store it.

    The residual is measured before damping, so that damping can't feign convergence. It is the
    span (largest less smallest) of the change of the log message over the states, which does
    not depend on how messages are scaled: for two states, the change of the log-odds.

    Parameters
    ----------
    semiring : Semiring
        What the values mean.
    count : int
        States of the message.
    fresh : float[...]
        Holds the new message, of any scale; overwritten with its scaled form.
    at : int
        Where the message begins in ``fresh``.
    old : float[S]
        Holds the old message; not modified unless it is ``out``.
    out : float[S]
        Overwritten with the damped step, largest entry one.
    start : int
        Where the message begins in ``old`` and ``out``.
    damping : float
        Weight of the old message, in the log domain, in [0, 1).

    Returns
    -------
    float
        The residual in nats, ``inf`` where a state gained or lost support, NaN if an entry is
        NaN; -1 if the new message has no possible state.

    """
    best = semiring.zero
    for state in range(count):
        value = fresh[at + state]
        # A NaN must survive: comparing with it is always false, so it is taken on purpose.
        if value > best or value != value:
            best = value
    if best == semiring.zero:
        for state in range(count):
            out[start + state] = semiring.zero
        return -1.0
    if is_linear(semiring):
        change = _linear_change(count, fresh, at, old, start, best)
    else:
        change = _log_change(count, fresh, at, old, start, best)
    if damping > 0.0:
        _damp(semiring, count, fresh, at, old, start, damping)
    for state in range(count):
        out[start + state] = fresh[at + state]
    return change


@inlined
def span(
    count: np.uintp, fresh: FloatArray, at: np.uintp, old: FloatArray, start: np.uintp
) -> float:
    """Residual in linear space as odds less one: how far new over old varies over the states."""
    high, low, gained = 0.0, 0.0, False
    for state in range(count):
        value, before = fresh[at + state], old[start + state]
        if value != 0.0 and before != 0.0:
            ratio = value / before
            high = ratio if ratio > high or ratio != ratio else high
            low = ratio if low == 0.0 else min(low, ratio)
        else:
            gained = gained or value != before
    change = (high - low) / low if low != 0.0 else 0.0
    return np.inf if gained and change == change else change


@inlined
def _linear_change(
    count: int, fresh: FloatArray, at: int, old: FloatArray, start: int, best: float
) -> float:
    scale = 1.0 / best
    high, low = 0.0, np.inf
    moved = 0.0
    for state in range(count):
        new = fresh[at + state] * scale
        before = old[start + state]
        fresh[at + state] = new
        if new != 0.0 and before != 0.0:
            ratio = new / before
            high = ratio if ratio > high or ratio != ratio else high
            low = min(low, ratio)
        elif new != before:
            moved = new + before
    if moved != 0.0:
        return np.inf if moved == moved else moved
    return np.log1p((high - low) / low) if high > low or high != high else 0.0


@inlined
def _log_change(
    count: int, fresh: FloatArray, at: int, old: FloatArray, start: int, best: float
) -> float:
    high, low = -np.inf, np.inf
    gained = False
    for state in range(count):
        new = fresh[at + state] - best
        before = old[start + state]
        fresh[at + state] = new
        if new != before or new != -np.inf:
            change = new - before
            if change != change:
                return change
            high, low = max(high, change), min(low, change)
            gained = gained or new == -np.inf or before == -np.inf
    if gained:
        return np.inf
    return high - low


@kernel
def _damp(
    semiring: Semiring,
    count: int,
    fresh: FloatArray,
    at: int,
    old: FloatArray,
    start: int,
    damping: float,
) -> None:
    """Weighted geometric mean; an entry that is or becomes impossible is taken as it is new."""
    best = semiring.zero
    for state in range(count):
        new, before = fresh[at + state], old[start + state]
        if new != semiring.zero and before != semiring.zero:
            if is_linear(semiring):
                new = np.exp(damping * np.log(before) + (1.0 - damping) * np.log(new))
            else:
                new = damping * before + (1.0 - damping) * new
            fresh[at + state] = new
        if new > best or new != new:
            best = new
    for state in range(count):
        if is_linear(semiring):
            fresh[at + state] /= best
        else:
            fresh[at + state] -= best
