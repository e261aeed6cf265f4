"""At most one, exactly one, and pools."""

import numpy as np
import pytest

from mpnet.errors import GraphError
from mpnet.factors import AtMostOne, ExactlyOne, Pool
from tests.factors.contract import BinaryContract, assert_wide, normal, of_bits, shares
from tests.graphs import names


class TestAtMostOne(BinaryContract):
    arities = (1, 2, 3, 5)
    what = "at most one"

    def draw(self, rng, arity):
        return of_bits(rng, arity, AtMostOne, lambda on: sum(on) <= 1)


class TestExactlyOne(BinaryContract):
    arities = (1, 2, 3, 5)
    what = "exactly one"

    def draw(self, rng, arity):
        return of_bits(rng, arity, ExactlyOne, lambda on: sum(on) == 1)


class TestPool(BinaryContract):
    arities = (1, 2, 3, 5)
    what = "a pool"

    def draw(self, rng, arity):
        return of_bits(
            rng,
            arity,
            lambda v, negated: Pool(v[-1], v[:-1], negated),
            lambda on: sum(on[:-1]) == (1 if on[-1] else 0),
        )


def test_selections_of_many_have_their_closed_forms():
    # No share is near 0 or 1: odds of all sizes within 20, and sums of a thousand of them.
    unaries = shares(3, low=0.1)
    odds = unaries[:, 1] / unaries[:, 0]
    empty, total = np.log(unaries[:, 0]).sum(), odds.sum()
    v = names(*range(len(unaries)))
    beliefs = {i: normal(total - odds[i], odds[i]) for i in (0, 7, -1)}
    assert_wide(ExactlyOne(v), unaries, beliefs, empty + np.log(total))
    beliefs = {i: normal(1 + total - odds[i], odds[i]) for i in (0, 7, -1)}
    assert_wide(AtMostOne(v), unaries, beliefs, empty + np.log1p(total))
    rest, (y0, y1) = odds[:-1].sum(), unaries[-1]
    beliefs = {i: normal(y0 + y1 * (rest - odds[i]), y1 * odds[i]) for i in (0, 7)}
    beliefs[-1] = normal(y0, y1 * rest)
    expected = np.log(unaries[:-1, 0]).sum() + np.log(y0 + y1 * rest)
    assert_wide(Pool(v[-1], v[:-1]), unaries, beliefs, expected)


def test_a_negated_variable_of_no_scope_is_refused():
    with pytest.raises(
        GraphError, match=r"factor 'Pool': negated\[0\] is 'x', which is not in its"
    ):
        Pool("p", ["a", "b"], negated="x").maker()
