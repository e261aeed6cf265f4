"""Sparse tables."""

import numpy as np

from mpnet.factors import SparseTable
from tests.factors.contract import (
    Example,
    FactorContract,
    assert_wide,
    normal,
    refused,
    shares,
    some_zeros,
)
from tests.graphs import names


class TestSparseTable(FactorContract):
    arities = (1, 2, 3, 4)

    def draw(self, rng, arity):
        cards = tuple(int(n) for n in rng.integers(1, 4, size=arity))
        every = list(np.ndindex(*cards))
        kept = rng.permutation(len(every))[: rng.integers(1, 9)]
        rows = dict(zip([every[i] for i in kept], some_zeros(rng, len(kept)).tolist()))
        if rng.random() < 0.3:
            rows = list(rows)
        potential = dict.fromkeys(rows, 1.0) if isinstance(rows, list) else rows
        return Example(
            cards, lambda v: SparseTable(v, rows), lambda *states: potential.get(states, 0.0)
        )


def test_a_sparse_table_over_many_has_its_closed_form():
    # Shares of about a half: the rows differ by some tens of nats only.
    unaries = shares(7, low=0.9)
    count, rng = len(unaries), np.random.default_rng(8)
    states = rng.integers(0, 2, size=(5, count))
    weights = np.array([1.0, 2.0, 0.5, 0.0, 3.0])
    scores = weights * np.prod(2 * np.take_along_axis(unaries, states.T, axis=1), axis=0)
    beliefs = {
        i: normal(*(scores[states[:, i] == x].sum() for x in (0, 1))) for i in (0, 5, count - 1)
    }
    rows = dict(zip([tuple(map(int, row)) for row in states], weights, strict=True))
    log_z = np.log(scores.sum()) - count * np.log(2)
    assert_wide(SparseTable(names(*range(count)), rows), unaries, beliefs, log_z)


def test_an_empty_table_allows_nothing():
    content = SparseTable(["a", "b"], []).content(np.array([[2, 3]]), lambda _: "")
    np.testing.assert_array_equal(content.table(0), np.full((2, 3), -np.inf))
    (_, table), *_ = content.parts(0).tables
    assert (table == -np.inf).all()


def test_what_makes_no_sense_is_refused():
    v = ["a", "b"]
    refused(
        SparseTable(v, [(0, 1), (1, 2)]), r"rows\[1\] is \(1, 2\); variable 1 has the states 0 to 1"
    )
    refused(SparseTable(v, [(0, 1), (-1, 0)]), r"rows\[1\] is \(-1, 0\); variable 0 has the states")
    refused(SparseTable(v, [(0, 1), (1, 1), (0, 1)]), r"rows\[0\] is there twice: \(0, 1\)")
    refused(SparseTable(v, [(0, 1, 1)]), r"rows have shape \(1, 3\); each must name 2 states")
    refused(SparseTable(v, {(0, 1): -1.0}), r"weights\[0\] is -1.0; it must be finite and >= 0")
    refused(SparseTable(v, {(0, 1): np.nan}), r"weights\[0\] is nan; it must be finite and >= 0")
