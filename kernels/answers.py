"""What the families with cheap messages share: scaling, support, and the last step of ``send``.

Their messages are products along a chain of up to 10^5 variables. Incoming messages are divided
by their sum (or maximum), so that products only shrink, and what comes out is looked at: an
entry below ``smallest`` is either a hard zero, which yes-and-no arithmetic can tell, or a number
that linear space has lost, and then the run goes on in logs.
"""

import numpy as np

from mpnet.kernels.jit import inlined, kernel
from mpnet.kernels.layout import ONE, TWO, FloatArray, GraphArrays
from mpnet.kernels.residuals import larger, settle, span
from mpnet.kernels.semiring import Semiring, is_linear, to_log

LEAST_TOTAL = 2.0**-30
"""Partial results whose total falls below this are scaled up."""


@inlined
def smallest(values: FloatArray) -> float:
    """Least entry of an unscaled message, largest about one, that surely lost nothing."""
    return np.finfo(values.dtype).tiny / np.finfo(values.dtype).eps


@inlined
def inverse(semiring: Semiring, total: float) -> float:
    """One over a total in the semiring; one where the total is zero."""
    if is_linear(semiring):
        return 1.0 / total if total != 0.0 else 1.0
    return -total if total != -np.inf else 0.0


@inlined
def scale_up(semiring: Semiring, values: FloatArray, start: np.uintp, width: np.uintp) -> None:
    """Divide partial results by their total where that has become small; nothing in log space."""
    if is_linear(semiring):
        total = 0.0
        for state in range(width):
            total += values[start + state]
        if 0.0 < total < LEAST_TOTAL:
            for state in range(width):
                values[start + state] /= total


@kernel
def finish(
    semiring: Semiring,
    graph: GraphArrays,
    factor: int,
    fresh: FloatArray,
    old: FloatArray,
    out: FloatArray,
    damping: float,
    edge_residual: FloatArray,
) -> tuple[float, bool]:
    """Scale, measure, damp and store the messages of one factor, which lie in a row in ``fresh``.

    Parameters
    ----------
    factor : int
        The factor.
    fresh : float[...]
        Its new messages, of any scale; overwritten.
    semiring, graph, old, out, damping, edge_residual
        As for ``mpnet.kernels.tables.send``.

    Returns
    -------
    float
        The largest undamped residual of these messages, in nats.
    bool
        Whether some message has no possible state.

    """
    worst, dead = 0.0, False
    begin, end = graph.factor_edges[factor], graph.factor_edges[factor + 1]
    base = graph.edge_states[begin]
    for edge in range(begin, end):
        start = graph.edge_states[edge]
        count = graph.edge_states[edge + 1] - start
        change = settle(semiring, count, fresh, start - base, old, out, start, damping)
        if change < 0.0:
            dead = True
            change = 0.0
        if edge_residual.size > 0:
            edge_residual[edge] = change
        worst = larger(worst, change)
    return worst, dead


@inlined
def finish_binary(
    arity: np.uintp,
    edge: np.uintp,
    base: np.uintp,
    fresh: FloatArray,
    old: FloatArray,
    out: FloatArray,
    edge_residual: FloatArray,
    worst: float,
) -> tuple[float, bool]:
    """As ``finish`` for two states in linear space, undamped, without a logarithm per message.

    Takes and returns the largest residual so far as odds less one.
    """
    dead = False
    wanted = edge_residual.size > 0
    for number in range(arity):
        at = TWO * number
        off, on = fresh[at], fresh[at + ONE]
        best = off if off > on else on
        if best == 0.0:
            dead = True
            best = 1.0
        scale = 1.0 / best
        off, on = off * scale, on * scale
        here = base + at
        one, other = on * old[here], off * old[here + ONE]
        gap, least = abs(one - other), min(one, other)
        if wanted:
            edge_residual[edge + number] = np.log1p(ratio(gap, least))
        if not gap <= worst * least:
            worst = larger(worst, ratio(gap, least))
        out[here], out[here + ONE] = off, on
    return worst, dead


@inlined
def finish_wide(
    count: np.uintp,
    fresh: FloatArray,
    at: np.uintp,
    old: FloatArray,
    out: FloatArray,
    start: np.uintp,
    edge: np.uintp,
    edge_residual: FloatArray,
    worst: float,
    slack: float,
) -> tuple[float, float, bool]:
    """As ``finish`` for one message of any width in linear space, undamped.

    Takes and returns the largest residual so far as odds less one, and how far single entries
    may move without being a larger one.
    """
    wanted = edge_residual.size > 0
    rounding = 64.0 * np.finfo(out.dtype).eps
    total = 0.0
    for state in range(count):
        total += fresh[at + state]
    dead = total == 0.0
    if dead:
        total = np.inf
    total = 1.0 / total
    if wanted:
        edge_residual[edge] = 0.0
    far = 0
    for state in range(count):
        value = fresh[at + state] * total
        before = old[start + state]
        fresh[at + state] = value
        least = value if value < before else before
        far |= not abs(value - before) <= slack * least
    if far != 0:
        change = span(count, fresh, at, old, start) if not dead else 0.0
        if wanted:
            edge_residual[edge] = np.log1p(change)
        if not change <= worst:
            worst = larger(worst, change)
            # Ratios within the root of a span can't make a larger span.
            slack = rounding if wanted else max(rounding, np.sqrt(1.0 + worst) - 1.0)
    for state in range(count):
        out[start + state] = fresh[at + state]
    return worst, slack, dead


@kernel
def ratio(gap: float, least: float) -> float:
    """How far two cross products of messages are apart, as odds less one."""
    if least > 0.0:
        return gap / least
    return gap if gap != gap else (np.inf if gap > 0.0 else 0.0)


@inlined
def lifted(work: Semiring, semiring: Semiring, value: float) -> float:
    """A value of ``semiring`` as one of ``work``: the same, or its log."""
    if is_linear(work) or not is_linear(semiring):
        return value
    return to_log(semiring, value)


@kernel
def is_small(fresh: FloatArray, possible: FloatArray) -> bool:
    """Whether an entry of ``fresh`` that is possible is too small for linear space."""
    small = smallest(fresh)
    lost = False
    for entry in range(possible.size):
        lost = lost or (possible[entry] != 0.0 and fresh[entry] <= small)
    return lost


@inlined
def out_of_range(scale: float) -> bool:
    """Whether a running product of scales had better be turned into a log now."""
    return not 1e-100 < scale < 1e100
