import itertools

import numpy as np
import pytest

from mpnet.kernels.buckets import BUCKETS, CHUNK, bucket_of, make_queue, pop, push


def test_larger_priorities_are_in_no_lower_bucket():
    rng = np.random.default_rng(0)
    priorities = np.sort(np.exp(rng.uniform(-600, 600, size=3000)))
    buckets = [bucket_of(p) for p in [0.0, *priorities, np.inf, np.nan]]
    assert buckets == sorted(buckets)
    assert buckets[0] == 0
    assert max(buckets) < BUCKETS
    for low, high in itertools.pairwise(priorities):
        assert (bucket_of(low) == bucket_of(high)) <= (high / low <= 1.5)


@pytest.mark.parametrize("seed", range(5))
def test_the_highest_bucket_comes_first_and_its_newest_item(seed):
    rng = np.random.default_rng(seed)
    queue, twin = make_queue(6000), {}
    for number in range(6000):
        if rng.uniform() < 0.6:
            bucket = int(rng.integers(3 if number % 1000 < 500 else 40))
            push(number, bucket, queue)
            twin.setdefault(bucket, []).append(number)
        else:
            filled = [b for b in twin if twin[b]]
            expected = (twin[max(filled)].pop(), max(filled)) if filled else (-1, -1)
            assert pop(queue) == expected


def test_chunks_are_used_again():
    queue = make_queue(0)
    for _ in range(50):
        for item in range(3 * CHUNK):
            push(item, 7, queue)
        assert [pop(queue)[0] for _ in range(3 * CHUNK)] == list(range(3 * CHUNK))[::-1]
    assert queue.state[0] <= 4
    assert pop(queue) == (-1, -1)
