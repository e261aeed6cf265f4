"""A priority queue of numbered items: buckets that are stacks, half an octave of priority each.

An item waits in the bucket of its priority. When its priority changes it is pushed onto another
one, and what is left of it in the old bucket is passed over when its turn comes: every operation
takes constant time and touches memory that was touched before. Priorities count to within a
factor of 3/2. Stacks are chains of chunks from one pool.
"""

from typing import NamedTuple

import numpy as np

from mpnet.kernels.jit import inlined
from mpnet.kernels.layout import IndexArray, IntArray

BUCKETS = 4096
"""One for each exponent of a float64 and the first bit of its mantissa."""

SHIFT = np.uint64(51)
"""Bits of the mantissa that are left out."""

CHUNK = 64
"""Items of a chunk."""

UNUSED, FREE, HIGHEST = 0, 1, 2
"""Places of ``state``: first chunk never used, first chunk given back, no bucket above is filled."""


class Queue(NamedTuple):
    """Buckets and the pool of their chunks; all of it changes."""

    items: IndexArray
    """Items of all chunks, shape (chunks * CHUNK,)."""
    before: IndexArray
    """The chunk below each chunk, or -1, shape (chunks,)."""
    chunk: IndexArray
    """The topmost chunk of each bucket, or -1, shape (BUCKETS,)."""
    filled: IndexArray
    """Items of that chunk, shape (BUCKETS,)."""
    state: IntArray
    """See ``UNUSED``, shape (3,)."""


def make_queue(pushes: int) -> Queue:
    """An empty queue with room for so many pushes in all."""
    chunks = BUCKETS + pushes // CHUNK + 1
    return Queue(
        items=np.empty(chunks * CHUNK, dtype=np.int32),
        before=np.empty(chunks, dtype=np.int32),
        chunk=np.full(BUCKETS, -1, dtype=np.int32),
        filled=np.zeros(BUCKETS, dtype=np.int32),
        state=np.array([0, -1, 0]),
    )


@inlined
def bucket_of(priority: float) -> int:
    """The bucket of a priority >= 0; larger priorities are in no lower one, NaN in the highest."""
    return np.int64(np.float64(priority).view(np.uint64) >> SHIFT)  # type: ignore[return-value]


@inlined
def push(item: int | np.unsignedinteger, bucket: int, queue: Queue) -> None:
    """Put an item on top of a bucket."""
    top, filled = queue.chunk[bucket], queue.filled[bucket]
    if top < 0 or filled == CHUNK:
        fresh = queue.state[FREE]
        if fresh >= 0:
            queue.state[FREE] = queue.before[fresh]
        else:
            fresh = queue.state[UNUSED]
            queue.state[UNUSED] = fresh + 1
        queue.before[fresh] = top
        queue.chunk[bucket] = fresh
        top, filled = fresh, 0
    queue.items[top * CHUNK + filled] = item
    queue.filled[bucket] = filled + 1
    queue.state[HIGHEST] = max(queue.state[HIGHEST], bucket)


@inlined
def pop(queue: Queue) -> tuple[int, int]:
    """Take the topmost item of the highest bucket: (item, bucket), or (-1, -1) if all are empty."""
    bucket = queue.state[HIGHEST]
    while bucket >= 0 and queue.chunk[bucket] < 0:
        bucket -= 1
    queue.state[HIGHEST] = max(bucket, 0)
    if bucket < 0:
        return -1, -1
    top, filled = queue.chunk[bucket], queue.filled[bucket] - 1
    item = queue.items[top * CHUNK + filled]
    if filled > 0:
        queue.filled[bucket] = filled
    else:
        below = queue.before[top]
        queue.before[top] = queue.state[FREE]
        queue.state[FREE] = top
        queue.chunk[bucket] = below
        queue.filled[bucket] = CHUNK if below >= 0 else 0
    return item, bucket
