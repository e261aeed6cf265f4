"""Cardinalities, at least and at most so many, and linear thresholds."""

import numpy as np
from scipy.stats import binom

from mpnet.errors import TooLargeError
from mpnet.factors import AtLeast, AtMost, Cardinality, LinearThreshold
from tests.factors.contract import (
    WIDE,
    BinaryContract,
    assert_wide,
    normal,
    of_bits,
    refused,
    shares,
    some_zeros,
)
from tests.graphs import names


class TestCardinality(BinaryContract):
    arities = (1, 2, 3, 5)
    what = "a cardinality"

    def draw(self, rng, arity):
        potentials = some_zeros(rng, arity + 1)
        if rng.random() < 0.5:
            # The last ones equal, or zero: counts beyond them are told apart no more.
            potentials[rng.integers(arity + 1) :] = rng.choice([0.0, 0.7])
        return of_bits(
            rng,
            arity,
            lambda v, negated: Cardinality(v, potentials, negated),
            lambda on: potentials[sum(on)],
        )


class TestAtLeast(BinaryContract):
    arities = (1, 2, 3, 5)
    what = "a threshold"

    def draw(self, rng, arity):
        least = int(rng.integers(-1, arity + 2))
        return of_bits(
            rng, arity, lambda v, negated: AtLeast(v, least, negated), lambda on: sum(on) >= least
        )


class TestAtMost(BinaryContract):
    arities = (1, 2, 3, 5)
    what = "at most"

    def draw(self, rng, arity):
        most = int(rng.integers(0, arity + 2))
        return of_bits(
            rng, arity, lambda v, negated: AtMost(v, most, negated), lambda on: sum(on) <= most
        )


class TestLinearThreshold(BinaryContract):
    arities = (1, 2, 3, 5)
    what = "a threshold"

    def draw(self, rng, arity):
        weights = [int(w) for w in rng.integers(-3, 5, size=arity)]
        threshold = int(rng.integers(-4, 7))
        return of_bits(
            rng,
            arity,
            lambda v, negated: LinearThreshold(v, weights, threshold, negated),
            lambda on: sum(w for w, is_on in zip(weights, on, strict=True) if is_on) >= threshold,
        )


def test_at_least_and_at_most_so_many_have_binomial_answers():
    on, least, most = 0.02, 15, 12
    unaries, v = np.tile([1 - on, on], (WIDE, 1)), names(*range(WIDE))
    total = binom.sf(least - 1, WIDE, on)
    with_one, without = binom.sf(least - 2, WIDE - 1, on), binom.sf(least - 1, WIDE - 1, on)
    belief = normal((1 - on) * without, on * with_one)
    assert_wide(AtLeast(v, least), unaries, dict.fromkeys((0, 5, -1), belief), np.log(total))
    doubled = LinearThreshold(v, [2] * WIDE, 2 * least)
    assert_wide(doubled, unaries, dict.fromkeys((0, -1), belief), np.log(total))
    total = binom.cdf(most, WIDE, on)
    with_one, without = binom.cdf(most - 1, WIDE - 1, on), binom.cdf(most, WIDE - 1, on)
    belief = normal((1 - on) * without, on * with_one)
    assert_wide(AtMost(v, most), unaries, dict.fromkeys((0, 5, -1), belief), np.log(total))


def test_a_cardinality_that_is_a_power_leaves_variables_independent():
    unaries, v = shares(5, low=0.1), names(*range(WIDE))
    power = 0.9
    tilted = unaries * [1.0, power]
    beliefs = {i: normal(*tilted[i]) for i in (0, 5, -1)}
    kind = Cardinality(v, power ** np.arange(WIDE + 1))
    assert_wide(kind, unaries, beliefs, np.log(tilted.sum(axis=1)).sum())


def test_what_makes_no_sense_is_refused():
    v = ["a", "b"]
    refused(Cardinality(v, [1.0, 2.0]), r"potentials have shape \(1, 2\); it must be \(3,\)")
    refused(
        Cardinality(v, [1.0, -2.0, 1.0]), r"potentials\[1\] is -2.0; it must be finite and >= 0"
    )
    refused(
        Cardinality(v, [1.0, 2.0, np.nan]), r"potentials\[2\] is nan; it must be finite and >= 0"
    )
    refused(AtMost(v, -1), r"at most -1 can't be; it must be 0 or more")
    refused(LinearThreshold(v, [1, 0.5], 1), r"weights\[1\] is 0.5; it must be a whole number")
    refused(LinearThreshold(v, [1, np.nan], 1), r"weights\[1\] is nan; it must be a whole number")
    refused(LinearThreshold(v, [1, 1, 1], 1), r"weights have shape \(1, 3\); it must be \(2,\)")
    refused(
        LinearThreshold(v, [10**9, 1], 10**9),
        r"2 variables times 1\S* counts are .* partial results; at most \d+ fit",
        error=TooLargeError,
    )


def test_a_threshold_beyond_all_weights_costs_no_more_than_they_do():
    content = AtLeast(["a", "b"], 10**15).content(np.array([[2, 2]]), lambda _: "")
    assert content.weights.size <= 4
    np.testing.assert_array_equal(content.table(0), np.full((2, 2), -np.inf))
