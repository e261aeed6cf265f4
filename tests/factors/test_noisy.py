"""Noisy OR and noisy AND."""

import itertools
import math

import numpy as np
import pytest

from mpnet.builder import GraphBuilder
from mpnet.errors import TooLargeError
from mpnet.factors import NoisyAnd, NoisyOr
from mpnet.inference import infer
from tests.factors.contract import (
    BinaryContract,
    assert_wide,
    chances,
    normal,
    of_bits,
    refused,
    shares,
)
from tests.graphs import names


def caused(causes):
    """Probability that at least one of some independent causes succeeds, case by case."""
    total = 0.0
    for successes in itertools.product([False, True], repeat=len(causes)):
        case = math.prod(p if yes else 1.0 - p for p, yes in zip(causes, successes, strict=True))
        total += case if any(successes) else 0.0
    return total


def unmoved(causes):
    return math.prod(1.0 - p for p in causes)


class TestNoisyOr(BinaryContract):
    arities = (1, 2, 3, 4)
    what = "noisy OR"

    def draw(self, rng, arity):
        p, leak = chances(rng, arity - 1), (0.0, 1.0, 0.3)[rng.integers(3)]

        def potential(on):
            causes = [leak, *(p for p, is_on in zip(p, on[:-1], strict=True) if is_on)]
            return caused(causes) if on[-1] else unmoved(causes)

        def write(v, negated):
            return NoisyOr(v[-1], v[:-1], p, leak, negated=negated)

        return of_bits(rng, arity, write, potential)


class TestNoisyAnd(BinaryContract):
    arities = (1, 2, 3, 4)
    what = "noisy AND"

    def draw(self, rng, arity):
        p, leak = chances(rng, arity - 1), (0.0, 1.0, 0.3)[rng.integers(3)]

        def potential(on):
            causes = [leak, *(p for p, is_on in zip(p, on[:-1], strict=True) if not is_on)]
            return unmoved(causes) if on[-1] else caused(causes)

        def write(v, negated):
            return NoisyAnd(v[-1], v[:-1], p, leak, negated=negated)

        return of_bits(rng, arity, write, potential)


def test_a_noisy_or_of_many_has_its_closed_form():
    unaries = shares(1)
    unaries[:-1, 1] *= 1e-2
    unaries /= unaries.sum(axis=1, keepdims=True)
    v, count = names(*range(len(unaries))), len(unaries) - 1
    p = np.random.default_rng(2).random(count)
    p[1], p[2], leak = 1.0, 0.0, 0.01
    c0, c1 = unaries[-1]
    off = (1 - leak) * np.prod(1 - unaries[:-1, 1] * p)
    without = off / (1 - unaries[:-1, 1] * p)
    total = c0 * off + c1 * (1 - off)

    def parent(i):
        on = c0 * (1 - p[i]) * without[i] + c1 * (1 - (1 - p[i]) * without[i])
        return normal(unaries[i, 0] * (c0 * without[i] + c1 * (1 - without[i])), unaries[i, 1] * on)

    beliefs = {-1: normal(c0 * off, c1 * (1 - off)), **{i: parent(i) for i in range(4)}}
    assert_wide(NoisyOr(v[-1], v[:-1], p, leak), unaries, beliefs, np.log(total))
    turned = {place: row[::-1] for place, row in beliefs.items()}
    assert_wide(NoisyAnd(v[-1], v[:-1], p, leak), unaries[:, ::-1], turned, np.log(total))


@pytest.mark.parametrize("leak", [0.0, 0.2])
def test_explicit_causes_leave_marginals_alone(leak):
    v, found = names(0, 1, 2), []
    for explicit in (False, True):
        builder = GraphBuilder()
        for name in v:
            builder.add_variable(name, 2)
        builder.add_factor(["v0"], [1.0, 1.5])
        builder.add_factor(["v2"], [1.6, 1.0])
        builder.add(NoisyOr("v2", v[:2], [0.3, 0.9], leak, negated=["v0"], explicit=explicit))
        found.append(infer(builder.build(), tolerance=1e-12))
    short, long = found
    # A few products of probabilities.
    np.testing.assert_allclose(long.estimate.beliefs[:6], short.estimate.beliefs, atol=1e-12)
    assert long.log_z == pytest.approx(short.log_z, abs=1e-12)
    assert len(long.marginals) == (5 if leak == 0.0 else 6)


def test_max_product_over_many_causes_says_what_to_do():
    v = names(*range(20))
    kind = NoisyOr(v[-1], v[:-1], [0.5] * 19)
    content = kind.content(np.full((1, 20), 2), lambda _: "")
    with pytest.raises(TooLargeError, match=r"explicit=True makes the causes variables"):
        content.maximised()


def test_what_makes_no_sense_is_refused():
    def of(p, leak=0.0):
        return NoisyOr("c", ["a", "b"], p, leak)

    refused(of([0.5, 1.5]), r"probabilities\[1\] is 1.5; it must be in \[0, 1\]")
    refused(of([-0.5, 0.5]), r"probabilities\[0\] is -0.5; it must be in \[0, 1\]")
    refused(of([0.5, np.nan]), r"probabilities\[1\] is nan; it must be in \[0, 1\]")
    refused(of([0.5]), r"probabilities have shape \(1, 1\); it must be \(2,\)")
    refused(of(["x", 0.5]), r"probabilities are not numbers")
    refused(of([0.5, 0.5], 1.1), r"leak is 1.1; it must be in \[0, 1\]")
    refused(of([0.5, 0.5], np.nan), r"leak is nan; it must be in \[0, 1\]")
    refused(NoisyAnd("c", ["a"], [2.0]), r"probabilities\[0\] is 2.0; it must be in \[0, 1\]")
