"""Potts factors over two variables and over more, equality and difference."""

import numpy as np
import pytest

from mpnet.errors import GraphError
from mpnet.factors import Differ, Equal, Potts
from tests.factors.contract import Example, FactorContract, assert_wide, normal, refused, shares
from tests.graphs import names


class TestPotts(FactorContract):
    arities = (2, 3, 4)

    def draw(self, rng, arity):
        states = int(rng.integers(1, 5 if arity == 2 else 4))
        same, other = ((2.0, 0.3), (0.2, 1.5), (0.0, 1.0), (1.3, 0.0))[rng.integers(4)]
        return Example(
            (states,) * arity,
            lambda v: Potts(v, same, other),
            lambda *of: same if len(set(of)) == 1 else other,
        )


class TestEqual(FactorContract):
    arities = (2, 3, 4)

    def draw(self, rng, arity):
        states = int(rng.integers(1, 4))
        return Example((states,) * arity, Equal, lambda *of: len(set(of)) == 1)


class TestDiffer(FactorContract):
    arities = (2,)

    def draw(self, rng, arity):
        states = int(rng.integers(2, 6))
        return Example((states,) * 2, lambda v: Differ(*v), lambda one, two: one != two)


def test_many_that_agree_have_their_closed_form():
    # One state in three is a little likelier everywhere, so that it does not win for certain.
    unaries = np.tile([1.0, 1.001, 0.999], (len(shares(0)), 1)) / 3
    products, v = np.prod(unaries * 3, axis=0), names(*range(len(unaries)))
    shift = -len(unaries) * np.log(3)
    beliefs = dict.fromkeys((0, 5, -1), normal(*products))
    most = 20 * len(unaries)
    assert_wide(Equal(v), unaries, beliefs, shift + np.log(products.sum()), most)


def test_what_makes_no_sense_is_refused():
    refused(Potts(["a", "b"], -1.0), r"same is -1.0; it must be finite and >= 0")
    refused(Potts(["a", "b"], 1.0, np.nan), r"other is nan; it must be finite and >= 0")
    refused(Potts(["a"], 1.0), r"a Potts factor needs at least 2 variables, got 1")


def test_variables_with_unequal_states_are_refused():
    kind = Equal(["a", "b", "c"])
    with pytest.raises(GraphError, match=r"factor x: .* with equally many states, got \[2, 3, 2\]"):
        kind.content(np.array([[2, 3, 2]]), lambda _: "factor x")
