"""The priority queue against sorted order, under random changes."""

import numpy as np
import pytest

from mpnet.kernels import heap
from tests.graphs import examples


def built(priority):
    size = len(priority)
    items, where = np.full(size, -1, dtype=np.int32), np.full(size, -1, dtype=np.int32)
    keys = np.full(size, np.nan)
    heap.build(np.array(priority, dtype=float), items, keys, where)
    return items, keys, where


def check(items, keys, where, priority):
    """A heap of these priorities: no key larger than its parent's, and all in their places."""
    np.testing.assert_array_equal(items[where], np.arange(len(priority)))
    np.testing.assert_array_equal(keys[where], priority)
    parents = (np.arange(1, len(priority)) - 1) // 8
    assert (keys[1:] <= keys[parents]).all()


@pytest.mark.parametrize("size", [1, 2, 8, 9, 10, 73, 74, 600])
def test_a_built_heap_is_one(size):
    priority = np.random.default_rng(size).normal(size=size)
    check(*built(priority), priority)


@pytest.mark.parametrize("size", [1, 2, 9, 10, 73, 200])
@pytest.mark.parametrize("ties", [False, True])
def test_random_changes_keep_it_a_heap(size, ties):
    rng = np.random.default_rng(size)
    draw = (lambda: float(rng.integers(4))) if ties else rng.normal
    priority = np.array([draw() for _ in range(size)])
    items, keys, where = built(priority)
    for _ in range(examples(300)):
        item = int(rng.integers(size))
        priority[item] = np.inf if rng.random() < 0.05 else draw()
        heap.change(item, priority[item], items, keys, where)
        check(items, keys, where, priority)
        assert keys[0] == priority.max()


def test_taking_the_largest_again_and_again_sorts():
    priority = np.random.default_rng(0).normal(size=examples(300))
    items, keys, where = built(priority)
    order = []
    for _ in priority:
        order.append(int(items[0]))
        heap.change(order[-1], -np.inf, items, keys, where)
    np.testing.assert_array_equal(order, np.argsort(-priority))


def test_a_change_to_the_same_key_changes_nothing():
    priority = np.arange(20.0)
    items, keys, where = built(priority)
    before = items.copy(), keys.copy(), where.copy()
    for item in range(20):
        heap.change(item, priority[item], items, keys, where)
    for now, then in zip((items, keys, where), before, strict=True):
        np.testing.assert_array_equal(now, then)
