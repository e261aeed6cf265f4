"""The family of gates over variables with two states: OR, at most one, parity, and with noise.

A gate reads its inputs one after another and keeps one bit, which starts off. An input that is
off changes nothing. An input that is on

- in ``OR`` gates turns the bit on,
- in ``ONE`` gates turns an off bit on, and allows nothing where it is on,
- in ``PARITY`` gates turns the bit over.

At the end a bit has a weight; or there is a child, the last variable of the scope, whose state is
the bit. Any variable may be negated. In noisy gates an input that is on counts as on with a
probability only, and the bit may start on (a leak). One pass forward and one back over the two
states of the bit give all messages: no term is ever subtracted, so nothing cancels.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mpnet.kernels.answers import (
    LEAST_TOTAL,
    finish,
    finish_binary,
    inverse,
    is_small,
    smallest,
)
from mpnet.kernels.jit import inlined, kernel
from mpnet.kernels.layout import ALIVE, ONE, TWO, UNSAFE, FloatArray, GraphArrays
from mpnet.kernels.residuals import larger
from mpnet.kernels.semiring import (
    Boolean,
    Semiring,
    is_linear,
    plus,
    times,
)

OR: tuple[int, ...] = ()
ONE_OF: tuple[int, ...] = (0,)
PARITY: tuple[int, ...] = (0, 0)
NOISY_OR: tuple[int, ...] = (0, 0, 0)
"""Rules, told apart by how long they are, which is known when a kernel is compiled."""

FOUR = np.uintp(4)


class GateArrays(NamedTuple):
    """Gates of one rule and one arity, read-only."""

    first: int
    """The first factor of the family."""
    rule: Any
    """``OR``, ``ONE_OF``, ``PARITY`` or ``NOISY_OR``."""
    child: Any
    """A tuple of length one where the last variable is a child, else empty: half the time."""
    flips: NDArray[np.uint8]
    """One for each negated variable, shape (edges of the family,)."""
    weights: FloatArray
    """Weights of the bit at the end, off and on, shape (2 * factors,)."""
    starts: FloatArray
    """Weights of the bit at the start, shape (2 * factors,)."""
    noise: FloatArray
    """Probabilities that an input that is on counts as off and as on, shape (2 * inputs,) for noisy gates."""


@inlined
def _forward(
    semiring: Semiring,
    family: GateArrays,
    place: np.uintp,
    arity: np.uintp,
    base: np.uintp,
    to_factor: FloatArray,
    steps: FloatArray,
) -> tuple[float, float]:
    """Weights of the bit after all inputs; ``steps`` is overwritten for the way back.

    For each input: the weights of the bit before it, and of the input being off and on.
    """
    flips, noise = family.flips, family.noise
    inputs = arity - np.uintp(len(family.child))
    off_bit, on_bit = family.starts[TWO * place], family.starts[TWO * place + ONE]
    flip_at, noise_at = place * arity, TWO * place * inputs
    for number in range(inputs):
        entry = base + TWO * number
        flip = np.uintp(flips[flip_at + number])
        off, on = to_factor[entry + flip], to_factor[entry + (flip ^ ONE)]
        total = plus(semiring, off, on)
        scale = inverse(semiring, total)
        off, on = times(semiring, off, scale), times(semiring, on, scale)
        if len(family.rule) == len(NOISY_OR):
            off = plus(semiring, off, times(semiring, on, noise[noise_at + TWO * number]))
            on = times(semiring, on, noise[noise_at + TWO * number + ONE])
        at = FOUR * number
        steps[at], steps[at + ONE] = off_bit, on_bit
        steps[at + TWO], steps[at + TWO + ONE] = off, on
        turned = times(semiring, off_bit, on)
        if len(family.rule) == len(OR) or len(family.rule) == len(NOISY_OR):
            # Off and on are one together, unless nothing is possible.
            kept = on_bit if total != semiring.zero else semiring.zero
            on_bit = plus(semiring, kept, turned)
            off_bit = times(semiring, off_bit, off)
        elif len(family.rule) == len(ONE_OF):
            on_bit = plus(semiring, times(semiring, on_bit, off), turned)
            off_bit = times(semiring, off_bit, off)
            if is_linear(semiring):
                total = on_bit + off_bit
                if 0.0 < total < LEAST_TOTAL:
                    on_bit, off_bit = on_bit / total, off_bit / total
        else:
            kept = times(semiring, on_bit, off)
            off_bit = plus(semiring, times(semiring, off_bit, off), times(semiring, on_bit, on))
            on_bit = plus(semiring, kept, turned)
    return off_bit, on_bit


@inlined
def _respond(
    semiring: Semiring,
    family: GateArrays,
    place: np.uintp,
    arity: np.uintp,
    base: np.uintp,
    to_factor: FloatArray,
    steps: FloatArray,
    fresh: FloatArray,
) -> bool:
    """Overwrite ``fresh`` with all messages of one gate; whether none has an entry that is small.

    ``steps`` is scratch.
    """
    flips, noise = family.flips, family.noise
    small = smallest(fresh)
    sound = True
    inputs = arity - np.uintp(len(family.child))
    flip_at, noise_at = place * arity, TWO * place * inputs
    off_bit, on_bit = _forward(semiring, family, place, arity, base, to_factor, steps)
    if len(family.child) > 0:
        flip = np.uintp(flips[flip_at + inputs])
        at = TWO * inputs
        fresh[at + flip], fresh[at + (flip ^ ONE)] = off_bit, on_bit
        sound = off_bit > small and on_bit > small
        off_bit, on_bit = to_factor[base + at + flip], to_factor[base + at + (flip ^ ONE)]
        scale = inverse(semiring, plus(semiring, off_bit, on_bit))
        off_bit, on_bit = times(semiring, off_bit, scale), times(semiring, on_bit, scale)
    else:
        off_bit, on_bit = family.weights[TWO * place], family.weights[TWO * place + ONE]
    # From here the bit's weights are those of all that comes after an input.
    for back in range(inputs):
        number = inputs - ONE - back
        at = FOUR * number
        off_before, on_before = steps[at], steps[at + ONE]
        off, on = steps[at + TWO], steps[at + TWO + ONE]
        said_off = plus(
            semiring, times(semiring, off_before, off_bit), times(semiring, on_before, on_bit)
        )
        turned = times(semiring, off_before, on_bit)
        passed = times(semiring, on, on_bit)
        if len(family.rule) == len(OR) or len(family.rule) == len(NOISY_OR):
            said_on = plus(semiring, turned, times(semiring, on_before, on_bit))
            off_bit = plus(semiring, times(semiring, off, off_bit), passed)
            if off == semiring.zero and on == semiring.zero:
                on_bit = semiring.zero
        elif len(family.rule) == len(ONE_OF):
            said_on = turned
            off_bit = plus(semiring, times(semiring, off, off_bit), passed)
            on_bit = times(semiring, off, on_bit)
            if is_linear(semiring):
                total = on_bit + off_bit
                if 0.0 < total < LEAST_TOTAL:
                    on_bit, off_bit = on_bit / total, off_bit / total
        else:
            said_on = plus(semiring, turned, times(semiring, on_before, off_bit))
            kept = times(semiring, off, on_bit)
            on_bit = plus(semiring, kept, times(semiring, on, off_bit))
            off_bit = plus(semiring, times(semiring, off, off_bit), passed)
        if len(family.rule) == len(NOISY_OR):
            entry = noise_at + TWO * number
            said_on = plus(
                semiring,
                times(semiring, noise[entry], said_off),
                times(semiring, noise[entry + ONE], said_on),
            )
        flip = np.uintp(flips[flip_at + number])
        at = TWO * number
        fresh[at + flip], fresh[at + (flip ^ ONE)] = said_off, said_on
        sound = sound and said_off > small and said_on > small
    return sound


@kernel
def send(
    semiring: Semiring,
    graph: GraphArrays,
    family: GateArrays,
    first: int,
    last: int,
    to_factor: FloatArray,
    old: FloatArray,
    out: FloatArray,
    damping: float,
    edge_residual: FloatArray,
) -> tuple[float, int]:
    """Messages of a range of factors to all their variables.

    Arguments as for ``mpnet.kernels.tables.send``.
    """
    status, worst, worst_odds = ALIVE, 0.0, 0.0
    edge = np.uintp(graph.factor_edges[first])
    arity = np.uintp(graph.factor_edges[first + 1]) - edge
    base = np.uintp(graph.edge_states[edge])
    place = np.uintp(first - family.first)
    steps = np.empty(FOUR * arity, dtype=out.dtype)
    fresh = np.empty(TWO * arity, dtype=out.dtype)
    boolean = Boolean(semiring.zero, semiring.one)
    for factor in range(first, last):
        sound = _respond(semiring, family, place, arity, base, to_factor, steps, fresh)
        unsure = is_linear(semiring) and not sound
        if unsure and _is_lost(boolean, family, place, base, to_factor, steps, fresh):
            return worst, UNSAFE
        if is_linear(semiring) and damping == 0.0:
            worst_odds, dead = finish_binary(
                arity, edge, base, fresh, old, out, edge_residual, worst_odds
            )
        else:
            change, dead = finish(semiring, graph, factor, fresh, old, out, damping, edge_residual)
            worst = larger(worst, change)
        if dead and status == ALIVE:
            status = factor
        place += ONE
        edge += arity
        base += TWO * arity
    return larger(worst, np.log1p(worst_odds)), status


@kernel
def _is_lost(
    boolean: Boolean,
    family: GateArrays,
    place: np.uintp,
    base: np.uintp,
    to_factor: FloatArray,
    steps: FloatArray,
    fresh: FloatArray,
) -> bool:
    """Whether some entry of ``fresh`` is small though it is not a hard zero."""
    arity = np.uintp(fresh.size) // TWO
    small = smallest(fresh)
    least = 1.0
    for number in range(arity - np.uintp(len(family.child))):
        off, on = steps[FOUR * number + TWO], steps[FOUR * number + TWO + ONE]
        if off > 0.0:
            least *= min(off, on) if on > 0.0 else off
        elif on > 0.0:
            least *= on
    if least > np.sqrt(small):
        return False
    possible = np.empty_like(fresh)
    _respond(boolean, family, place, arity, base, to_factor, steps, possible)
    return is_small(fresh, possible)
