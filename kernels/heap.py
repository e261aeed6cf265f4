"""A priority queue of numbered items: an eight-ary heap whose keys lie side by side.

Eight children share a cache line, so a step down reads one line. ``items`` and ``keys`` are the
heap, ``where`` tells the place of each item; all three have one entry per item.
"""

import numpy as np

from mpnet.kernels.jit import inlined, kernel
from mpnet.kernels.layout import FloatArray, IndexArray

WAYS = np.uintp(8)
UNIT = np.uintp(1)


@kernel
def build(priority: FloatArray, items: IndexArray, keys: FloatArray, where: IndexArray) -> None:
    """Fill the heap with all items.

    Parameters
    ----------
    priority : float64[n]
        Key of each item; not modified.
    items, where : int32[n]
        Overwritten: the item at each place and the place of each item.
    keys : float64[n]
        Overwritten: the key at each place, none larger than its parent's.

    """
    order = np.argsort(-priority)
    for place in range(priority.size):
        item = order[place]
        items[place], keys[place], where[item] = item, priority[item], place


@inlined
def change(
    item: int | np.uintp, key: float, items: IndexArray, keys: FloatArray, where: IndexArray
) -> None:
    """Give an item another key and move it to where it belongs."""
    place = np.uintp(where[item])
    size = np.uintp(keys.size)
    if key > keys[place]:
        while place > 0:
            parent = (place - UNIT) // WAYS
            if not key > keys[parent]:
                break
            keys[place] = keys[parent]
            moved = items[parent]
            items[place] = moved
            where[moved] = place
            place = parent
    else:
        child = place * WAYS + UNIT
        while child < size:
            best = child
            top = keys[child]
            stop = min(child + WAYS, size)
            for other in range(child + UNIT, stop):
                larger = keys[other] > top
                top = keys[other] if larger else top
                best = other if larger else best  # type: ignore[assignment]
            if not top > key:
                break
            keys[place] = top
            moved = items[best]
            items[place] = moved
            where[moved] = place
            place = best
            child = place * WAYS + UNIT
    keys[place] = key
    items[place] = item
    where[item] = place
