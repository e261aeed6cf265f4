"""A range of factors or variables shared by several threads.

Each item writes its own slots only and answers are put together in the order of the ranges, so
results are the same bit for bit for any number of threads. Kernels let go of Python's lock.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

Answer = TypeVar("Answer")

LEAST = 5000
"""Fewest items worth a thread: handing one over takes as long as some thousand messages."""


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="mpnet")


def run_ranges(
    run: Callable[[int, int], Answer], first: int, last: int, threads: int
) -> list[Answer]:
    """Answers of ``run(first, last)`` over consecutive ranges, in their order.

    Parameters
    ----------
    run : callable
        Takes the first item and the one after the last; may be called from several threads.
    first, last : int
        All items.
    threads : int
        Threads, at most.

    """
    count = min(threads, max(1, (last - first) // LEAST))
    if count == 1:
        return [run(first, last)]
    cuts = [first + (last - first) * part // count for part in range(count + 1)]
    waiting = [_pool(count - 1).submit(run, *cuts[i : i + 2]) for i in range(1, count)]
    return [run(*cuts[:2]), *(answer.result() for answer in waiting)]
