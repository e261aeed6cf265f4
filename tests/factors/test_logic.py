"""OR, AND, NOT, implication and clauses."""

import numpy as np
import pytest

from mpnet.errors import GraphError
from mpnet.factors import And, Clause, Implies, Not, Or
from mpnet.graph import FactorGraph
from tests.factors.contract import (
    BinaryContract,
    Example,
    assert_wide,
    normal,
    of_bits,
    refused,
    shares,
    some_zeros,
)
from tests.graphs import names


class TestOr(BinaryContract):
    arities = (1, 2, 3, 4)
    what = "OR"

    def draw(self, rng, arity):
        return of_bits(
            rng,
            arity,
            lambda v, negated: Or(v[-1], v[:-1], negated=negated),
            lambda on: on[-1] == any(on[:-1]),
        )


class TestAnd(BinaryContract):
    arities = (1, 2, 3, 4)
    what = "AND"

    def draw(self, rng, arity):
        return of_bits(
            rng,
            arity,
            lambda v, negated: And(v[-1], v[:-1], negated=negated),
            lambda on: on[-1] == all(on[:-1]),
        )


class TestClause(BinaryContract):
    arities = (1, 2, 3, 4)
    what = "a clause"

    def draw(self, rng, arity):
        weights = some_zeros(rng, 2) if rng.random() < 0.6 else (0.0, 1.0)
        return of_bits(
            rng,
            arity,
            lambda v, negated: Clause(v, negated, weights=weights),
            lambda on: weights[1] if any(on) else weights[0],
        )


class TestImplies(BinaryContract):
    arities = (1, 2, 3, 4)
    what = "an implication"

    def draw(self, rng, arity):
        return of_bits(
            rng,
            arity,
            lambda v, negated: Implies(v[:-1], v[-1], negated=negated),
            lambda on: on[-1] or not all(on[:-1]),
        )


class TestNot(BinaryContract):
    arities = (2,)
    what = "NOT"

    def draw(self, rng, arity):
        return Example((2, 2), lambda v: Not(v[1], v[0]), lambda parent, child: child != parent)


def test_or_and_clause_of_many_have_their_closed_forms():
    unaries = shares(0)
    # Parents are seldom on, so that all off is not impossible in numbers.
    unaries[:-1, 1] *= 1e-3
    unaries /= unaries.sum(axis=1, keepdims=True)
    off, on = unaries[:-1].T
    none = np.prod(off)
    c0, c1 = unaries[-1]
    total = c0 * none + c1 * (1 - none)
    first = normal(c0 * none + c1 * (off[0] - none), c1 * on[0])
    child = normal(c0 * none, c1 * (1 - none))
    v = names(*range(len(unaries)))
    assert_wide(Or(v[-1], v[:-1]), unaries, {0: first, -1: child}, np.log(total))
    # De Morgan: the same with all states turned round.
    turned = unaries[:, ::-1]
    assert_wide(And(v[-1], v[:-1]), turned, {0: first[::-1], -1: child[::-1]}, np.log(total))
    nothing = np.prod(unaries[:, 0])
    expected = normal(unaries[0, 0] - nothing, unaries[0, 1])
    assert_wide(Clause(v), unaries, {0: expected}, np.log1p(-nothing))


def test_many_at_once_are_the_same():
    scopes = np.array([[0, 1, 2], [2, 3, 0]])
    negated = np.array([[0, 1, 0], [1, 0, 1]])
    v = names(*range(4))
    for batch, one in (
        (Or.batch(negated), lambda s, n: Or(s[-1], s[:-1], n)),
        (And.batch(negated), lambda s, n: And(s[-1], s[:-1], n)),
        (Clause.batch(negated, [[0.1, 1.0], [0.5, 0.2]]), None),
        (Implies.batch(negated), lambda s, n: Implies(s[:-1], s[-1], n)),
    ):
        graph = FactorGraph.from_arrays([2] * 4, [(scopes, batch)])
        for number, (scope, flips) in enumerate(zip(scopes, negated, strict=True)):
            own = [v[i] for i in scope]
            no = [name for name, flip in zip(own, flips, strict=True) if flip]
            weights = [(0.1, 1.0), (0.5, 0.2)][number]
            kind = one(own, no) if one else Clause(own, no, weights)
            table = kind.content(np.array([[2, 2, 2]]), lambda _: "").table(0)
            np.testing.assert_array_equal(graph.table_of(number), table)


def test_what_makes_no_sense_is_refused():
    refused(
        Clause(["a", "b"], weights=(-1.0, 1.0)), r"weights\[0\] is -1.0; it must be finite and >= 0"
    )
    refused(
        Clause(["a", "b"], weights=(0.0, np.nan)),
        r"weights\[1\] is nan; it must be finite and >= 0",
    )
    refused(Clause(["a", "b"], weights=(1.0,)), r"weights have shape \(1,\); it must be \(2,\)")
    kind = Or("c", ["a", "b"], negated=["a", "d"], name="here")
    with pytest.raises(
        GraphError, match=r"factor 'here': negated\[1\] is 'd', which is not in its scope"
    ):
        kind.maker()
    with pytest.raises(
        GraphError, match=r"group 0: factor 0: negated has shape \(2,\); it must be \(3,\)"
    ):
        FactorGraph.from_arrays([2] * 3, [([[0, 1, 2]], Or.batch([1, 0]))])
    with pytest.raises(GraphError, match=r"group 0: factor 0: NOT is for 2 variables, got 3"):
        FactorGraph.from_arrays([2] * 3, [([[0, 1, 2]], Not.batch())])
    clause = Clause.batch(weights=[[0.0, 1.0], [0.0, np.inf]])
    with pytest.raises(GraphError, match=r"group 0: factor 1: weights\[1\] is inf; it must be"):
        FactorGraph.from_arrays([2] * 3, [([[0, 1], [1, 2]], clause)])
