"""Local partition sums and potentials of the gates of ``mpnet.kernels.gates``."""

import numpy as np

from mpnet.kernels.answers import LEAST_TOTAL, lifted, out_of_range, smallest
from mpnet.kernels.gates import NOISY_OR, ONE_OF, OR, GateArrays
from mpnet.kernels.jit import kernel
from mpnet.kernels.layout import ONE, TWO, FloatArray, GraphArrays, IntArray
from mpnet.kernels.semiring import (
    LogSum,
    Semiring,
    in_logs,
    is_linear,
    plus,
    times,
    to_log,
)


@kernel
def _total(
    work: Semiring,
    semiring: Semiring,
    family: GateArrays,
    place: np.uintp,
    arity: np.uintp,
    base: np.uintp,
    to_factor: FloatArray,
) -> tuple[float, float]:
    """The local partition sum of a gate in the semiring ``work``, and the log of its scale."""
    flips, noise = family.flips, family.noise
    inputs = arity - np.uintp(len(family.child))
    flip_at, noise_at = place * arity, TWO * place * inputs
    off_bit = lifted(work, semiring, family.starts[TWO * place])
    on_bit = lifted(work, semiring, family.starts[TWO * place + ONE])
    logs, scale = 0.0, 1.0
    for number in range(inputs):
        entry = base + TWO * number
        flip = np.uintp(flips[flip_at + number])
        off = lifted(work, semiring, to_factor[entry + flip])
        on = lifted(work, semiring, to_factor[entry + (flip ^ ONE)])
        if len(family.rule) == len(NOISY_OR):
            at = noise_at + TWO * number
            passed = times(work, on, lifted(work, semiring, noise[at]))
            on = times(work, on, lifted(work, semiring, noise[at + ONE]))
            off = plus(work, off, passed)
        turned = times(work, off_bit, on)
        if len(family.rule) == len(OR) or len(family.rule) == len(NOISY_OR):
            on_bit = plus(work, times(work, on_bit, plus(work, off, on)), turned)
            off_bit = times(work, off_bit, off)
        elif len(family.rule) == len(ONE_OF):
            on_bit = plus(work, times(work, on_bit, off), turned)
            off_bit = times(work, off_bit, off)
        else:
            kept = times(work, on_bit, off)
            off_bit = plus(work, times(work, off_bit, off), times(work, on_bit, on))
            on_bit = plus(work, kept, turned)
        if is_linear(work):
            total = on_bit + off_bit
            if 0.0 < total < LEAST_TOTAL or total > 1.0 / LEAST_TOTAL:
                on_bit, off_bit = on_bit / total, off_bit / total
                scale *= total
                if out_of_range(scale):
                    logs, scale = logs + np.log(scale), 1.0
    if len(family.child) > 0:
        flip = np.uintp(flips[flip_at + inputs])
        entry = base + TWO * inputs
        off = lifted(work, semiring, to_factor[entry + flip])
        on = lifted(work, semiring, to_factor[entry + (flip ^ ONE)])
    else:
        off = lifted(work, semiring, family.weights[TWO * place])
        on = lifted(work, semiring, family.weights[TWO * place + ONE])
    result = plus(work, times(work, off_bit, off), times(work, on_bit, on))
    return result, logs + np.log(scale)


@kernel
def log_partition(
    semiring: Semiring,
    graph: GraphArrays,
    family: GateArrays,
    first: int,
    last: int,
    to_factor: FloatArray,
) -> float:
    """Sum over the factors of the log of each one's local partition sum, in nats.

    Arguments as for ``mpnet.kernels.tables.log_partition``.
    """
    result = 0.0
    small = smallest(to_factor)
    arity = np.uintp(graph.factor_edges[first + 1] - graph.factor_edges[first])
    for factor in range(first, last):
        base = np.uintp(graph.edge_states[graph.factor_edges[factor]])
        place = np.uintp(factor - family.first)
        total, scale = _total(semiring, semiring, family, place, arity, base, to_factor)
        if is_linear(semiring) and total <= small:
            total, _ = _total(in_logs(semiring), semiring, family, place, arity, base, to_factor)
            result += total
        else:
            result += to_log(semiring, total) + scale
    return result


@kernel
def log_potential(
    semiring: Semiring,
    graph: GraphArrays,
    family: GateArrays,
    first: int,
    last: int,
    assignment: IntArray,
) -> float:
    """Log potential of one assignment of all variables, summed over the factors, in nats.

    Arguments as for ``mpnet.kernels.tables.log_potential``.
    """
    result = 0.0
    arity = graph.factor_edges[first + 1] - graph.factor_edges[first]
    inputs = arity - len(family.child)
    for factor in range(first, last):
        edge, place = graph.factor_edges[factor], factor - family.first
        flip_at, noise_at = place * arity, 2 * place * inputs
        # The bit as two logs; that it is off is a product, which may be too small for a number.
        off_bit = to_log(semiring, family.starts[2 * place])
        on_bit = to_log(semiring, family.starts[2 * place + 1])
        for number in range(inputs):
            state = assignment[graph.edge_variable[edge + number]]
            if state == family.flips[flip_at + number]:
                continue
            if len(family.rule) == len(NOISY_OR):
                at = noise_at + 2 * number
                turned = off_bit + to_log(semiring, family.noise[at + 1])
                on_bit = plus(LogSum(-np.inf, 0.0), on_bit, turned)
                off_bit += to_log(semiring, family.noise[at])
            elif len(family.rule) == len(OR):
                on_bit, off_bit = max(on_bit, off_bit), -np.inf
            elif len(family.rule) == len(ONE_OF):
                on_bit, off_bit = off_bit, -np.inf
            else:
                on_bit, off_bit = off_bit, on_bit
        if len(family.child) > 0:
            state = assignment[graph.edge_variable[edge + inputs]]
            result += off_bit if state == family.flips[flip_at + inputs] else on_bit
        else:
            off, on = family.weights[2 * place], family.weights[2 * place + 1]
            off_bit += to_log(semiring, off)
            on_bit += to_log(semiring, on)
            result += max(off_bit, on_bit)
    return result
