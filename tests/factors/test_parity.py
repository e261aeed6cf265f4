"""Parity and XOR."""

import numpy as np

from mpnet.factors import Parity, Xor
from tests.factors.contract import (
    BinaryContract,
    assert_wide,
    normal,
    of_bits,
    refused,
    shares,
    some_zeros,
)
from tests.graphs import names


class TestParity(BinaryContract):
    arities = (1, 2, 3, 5)
    what = "parity"

    def draw(self, rng, arity):
        weights = some_zeros(rng, 2) if rng.random() < 0.6 else (1.0, 0.0)
        return of_bits(
            rng,
            arity,
            lambda v, negated: Parity(v, weights, negated),
            lambda on: weights[sum(on) % 2],
        )


class TestXor(BinaryContract):
    arities = (1, 2, 3, 5)
    what = "parity"

    def draw(self, rng, arity):
        return of_bits(
            rng,
            arity,
            lambda v, negated: Xor(v[-1], v[:-1], negated),
            lambda on: on[-1] == (sum(on[:-1]) % 2 == 1),
        )


def test_the_parity_of_many_has_its_closed_form():
    unaries = shares(4)
    unaries[:, 1] *= 1e-3
    unaries /= unaries.sum(axis=1, keepdims=True)
    tilt = 1 - 2 * unaries[:, 1]
    all_tilts = np.prod(tilt)
    even, odd = 0.7, 0.2
    total = 0.5 * (even * (1 + all_tilts) + odd * (1 - all_tilts))

    def belief(i):
        rest = all_tilts / tilt[i]
        off, on = (even * (1 + s * rest) + odd * (1 - s * rest) for s in (1, -1))
        return normal(unaries[i, 0] * off, unaries[i, 1] * on)

    v = names(*range(len(unaries)))
    beliefs = {i: belief(i) for i in (0, 5, -1)}
    assert_wide(Parity(v, (even, odd)), unaries, beliefs, np.log(total))
    child = 0.5 * np.array([1 + all_tilts / tilt[-1], 1 - all_tilts / tilt[-1]]) * unaries[-1]
    assert_wide(Xor(v[-1], v[:-1]), unaries, {-1: normal(*child)}, np.log(child.sum()))


def test_what_makes_no_sense_is_refused():
    refused(Parity(["a", "b"], (1.0, -2.0)), r"weights\[1\] is -2.0; it must be finite and >= 0")
    refused(Parity(["a", "b"], (np.nan, 1.0)), r"weights\[0\] is nan; it must be finite and >= 0")
    refused(Parity(["a", "b"], (1.0, 1.0, 1.0)), r"weights have shape \(3,\); it must be \(2,\)")
