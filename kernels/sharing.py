"""Several processes on one cache: whoever keeps a compiled kernel is alone while it does.

Numba numbers its files by what the index lists. Two processes that compile at once would take the
same number, and each later run would load one kernel in the place of the other.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from numba.core.caching import IndexDataCacheFile

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no such locks
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until no other process holds the folder; go on without where locks are not to be had."""
    try:
        file = (folder / LOCK).open("ab")
    except OSError:
        yield
        return
    with file:
        if fcntl is not None:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


class SharedIndex(IndexDataCacheFile):
    """Numba's index of one kernel's compiled versions, for several processes at once."""

    def __init__(self, index: IndexDataCacheFile, folder: Path) -> None:
        vars(self).update(vars(index))
        self._folder = folder

    def save(self, key: Any, data: Any) -> None:
        """Keep one compiled version, unless another process has kept it in the meantime."""
        with alone(self._folder):
            numba: Any = super()
            name = numba._load_index().get(key)
            if name is None or not Path(numba._data_path(name)).exists():
                numba.save(key, data)


def share(kernel: Any, folder: Path) -> None:
    """Let a kernel's cache be written by several processes."""
    cache: Any = getattr(kernel, "_cache", None)
    index = getattr(cache, "_cache_file", None)
    if isinstance(index, IndexDataCacheFile):
        cache._cache_file = SharedIndex(index, folder)
