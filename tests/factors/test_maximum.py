"""Maximum and noisy maximum."""

import itertools
import math

import numpy as np
import pytest

from mpnet.errors import GraphError
from mpnet.factors import Max, NoisyMax
from tests.factors.contract import Example, FactorContract, assert_wide, normal, refused, shares
from tests.graphs import names


def rows(rng, *shape):
    """Probabilities that sum to one along the last axis, some of them zero."""
    found = rng.gamma(1.0, size=shape) * (rng.random(size=shape) < 0.7)
    found[..., 0] += 1e-2 * (found.sum(axis=-1) == 0.0)
    return found / found.sum(axis=-1, keepdims=True)


class TestMax(FactorContract):
    arities = (2, 3, 4)

    def draw(self, rng, arity):
        grades = int(rng.integers(2, 4))
        parents = [int(n) for n in rng.integers(1, grades + 1, size=arity - 1)]
        return Example(
            (*parents, grades),
            lambda v: Max(v[-1], v[:-1]),
            lambda *states: states[-1] == max(states[:-1]),
        )


class TestNoisyMax(FactorContract):
    arities = (2, 3, 4)

    def draw(self, rng, arity):
        grades = int(rng.integers(2, 4))
        parents = [int(n) for n in rng.integers(1, 4, size=arity - 1)]
        tables = [rows(rng, count, grades) for count in parents]
        leak = rows(rng, grades) if rng.random() < 0.7 else None
        leaks = np.eye(grades)[0] if leak is None else leak

        def potential(*states):
            causes = [leaks, *(t[s] for t, s in zip(tables, states[:-1], strict=True))]
            return sum(
                math.prod(cause[grade] for cause, grade in zip(causes, brought, strict=True))
                for brought in itertools.product(range(grades), repeat=arity)
                if max(brought) == states[-1]
            )

        return Example(
            (*parents, grades), lambda v: NoisyMax(v[-1], v[:-1], tables, leak), potential
        )


def test_the_maximum_of_many_has_its_closed_form():
    unaries = shares(6, 3) + np.array([1000.0, 0.5, 0.2])
    unaries /= unaries.sum(axis=1, keepdims=True)
    v = names(*range(len(unaries)))
    below = np.prod(np.cumsum(unaries[:-1], axis=1), axis=0)
    child = np.diff([0.0, *below]) * unaries[-1]
    assert_wide(Max(v[-1], v[:-1]), unaries, {-1: normal(*child)}, np.log(child.sum()))
    tables = [np.array([[1.0, 0.0, 0.0], [0.5, 0.3, 0.2], [0.1, 0.0, 0.9]])] * (len(v) - 1)
    leak = np.array([0.9, 0.1, 0.0])
    below = np.prod(np.cumsum(unaries[:-1] @ tables[0], axis=1), axis=0) * np.cumsum(leak)
    child = np.diff([0.0, *below]) * unaries[-1]
    kind = NoisyMax(v[-1], v[:-1], tables, leak)
    assert_wide(kind, unaries, {-1: normal(*child)}, np.log(child.sum()))


def test_what_makes_no_sense_is_refused():
    sure = [[1.0, 0.0], [0.0, 1.0]]

    def of(*tables, leak=None):
        return NoisyMax("c", ["a", "b"], tables, leak)

    refused(of(sure), r"there are 1 tables for 2 parents")
    refused(of(sure, [[1.0, 0.0]]), r"tables\[1\] have shape \(1, 2\); it must be \(2, 2\)")
    refused(
        of(sure, [[0.5, 0.5], [1.5, 0.0]]), r"tables\[1\]\[1, 0\] is 1.5; it must be in \[0, 1\]"
    )
    refused(of([[np.nan, 0.5], [1.0, 0.0]], sure), r"tables\[0\]\[0, 0\] is nan; it must be in")
    refused(of(sure, [[0.5, 0.5], [0.5, 0.4]]), r"tables\[1\]\[1\] sums to 0.9; it must be 1")
    refused(of(sure, sure, leak=[0.5, 0.4]), r"leak sums to 0.9; it must be 1")
    refused(Max("c", []), r"a maximum needs at least 2 variables, got 1")
    with pytest.raises(GraphError, match=r"factor x: parent 1 has 4 states; the child, .* has 3"):
        Max("c", ["a", "b"]).content(np.array([[2, 4, 3]]), lambda _: "factor x")
