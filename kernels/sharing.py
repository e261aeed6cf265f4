"""Several processes on one cache: whoever keeps a compiled kernel is alone while it does.

Numba numbers its files by what the index lists. Two processes that compile at once would take the
same number, and each later run would load one kernel in the place of the other.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from numba.core.caching import IndexDataCacheFile

from mpnet.kernels import foreign

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
    """Numba's index of one kernel's compiled versions, for several processes at once.

    Versions for arrays of a plugin are in an index of their own, with that plugin's kernels.
    """

    def __init__(self, index: IndexDataCacheFile, folder: Path) -> None:
        vars(self).update(vars(index))
        self._folder = folder
        self._others: dict[Path, ForeignIndex] = {}

    def load(self, key: Any) -> Any:
        """One compiled version, or None."""
        numba: Any = super()
        where = self._place(key)
        if where is None:
            return None
        return numba.load(key) if where == self._folder else self._at(where).load(key)

    def save(self, key: Any, data: Any) -> None:
        """Keep one compiled version, unless another process has kept it in the meantime."""
        numba: Any = super()
        where = self._place(key)
        if where is None:
            return
        if where != self._folder:
            self._at(where).save(key, data)
            return
        with alone(self._folder):
            name = numba._load_index().get(key)
            if name is None or not Path(numba._data_path(name)).exists():
                numba.save(key, data)

    def _place(self, key: Any) -> Path | None:
        """Where the version with this key belongs; None if it is not to be kept."""
        found = {foreign.PLACES[each] for each in foreign.classes_in(key[0])}
        places = {place for place in found if place is not None}
        return foreign.joint(self._folder, places) if None not in found else None

    def _at(self, folder: Path) -> "ForeignIndex":
        if folder not in self._others:
            mine: Any = self
            path = folder / Path(mine._cache_path).name
            path.mkdir(parents=True, exist_ok=True)
            base = mine._index_name.removesuffix(".nbi")
            numba: Any = IndexDataCacheFile
            index = numba(str(path), base, mine._source_stamp)
            self._others[folder] = ForeignIndex(index, folder)
        return self._others[folder]


class ForeignIndex(SharedIndex):
    """An index with versions for arrays of a plugin, which may have moved since."""

    def load(self, key: Any) -> Any:
        """One compiled version, or None; also where it can't be read."""
        try:
            return super().load(key)
        except Exception:  # pickles name classes of the plugin: whatever looking for them raises
            return None

    def _place(self, key: Any) -> Path | None:
        return self._folder

    def _load_index(self) -> Any:
        numba: Any = super()
        try:
            return numba._load_index()
        except Exception:  # as above
            return {}


def share(kernel: Any, folder: Path) -> None:
    """Let a kernel's cache be written by several processes."""
    cache: Any = getattr(kernel, "_cache", None)
    index = getattr(cache, "_cache_file", None)
    if isinstance(index, IndexDataCacheFile):
        cache._cache_file = SharedIndex(index, folder)
