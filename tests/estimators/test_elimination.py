"""Sums over small tables in logs, against one addition per joint state."""

import itertools
import math

import numpy as np
import pytest

from mpnet.errors import TooLargeError
from mpnet.estimators.elimination import summed_onto


def brute(tables, kept, counts):
    totals = np.zeros(counts[kept])
    for states in itertools.product(*(range(n) for n in counts)):
        score = sum(table[tuple(states[v] for v in scope)] for scope, table in tables)
        totals[states[kept]] += math.exp(score)
    with np.errstate(divide="ignore"):
        return np.log(totals)


@pytest.mark.parametrize("seed", range(30))
def test_equals_brute_force(seed):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 4, size=6)
    tables = []
    for _ in range(8):
        scope = tuple(map(int, rng.choice(6, size=rng.integers(1, 4), replace=False)))
        logs = rng.normal(size=[counts[v] for v in scope])
        logs[rng.random(logs.shape) < 0.1] = -np.inf
        tables.append((scope, logs))
    tables += [((v,), np.zeros(counts[v])) for v in range(6)]
    found = summed_onto(tables, 2, int(counts[2]), 10**6)
    np.testing.assert_allclose(found, brute(tables, 2, counts), atol=1e-12)


def test_thousands_of_nats_neither_overflow_nor_become_impossible():
    tables = [((0, 1), np.array([[0.0, -np.inf], [-np.inf, 0.0]])), ((1,), np.array([-5e3, 4e3]))]
    np.testing.assert_array_equal(summed_onto(tables, 0, 2, 100), [-5e3, 4e3])


def test_a_table_that_would_be_too_large_is_refused_with_its_size():
    tables = [((0, v), np.zeros((10, 10))) for v in range(1, 4)]
    tables += [((v, 4), np.zeros((10, 10))) for v in range(1, 4)]
    with pytest.raises(TooLargeError, match="a table of 1000 entries; at most 999 fit"):
        summed_onto(tables, 0, 10, 999)
    assert summed_onto(tables, 0, 10, 1000).shape == (10,)
