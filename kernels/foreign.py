"""Where compiled kernels of other packages are kept: folders named after all that they import.

Numba would notice a change only in the file of the kernel itself. A kernel of mpnet that is
compiled for arrays of another package holds code of that package, and is kept there, too.
"""

import ast
import hashlib
import shutil
import sys
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

FOLDER = "plugins"
"""Inside the cache folder of mpnet's kernels, whose name changes with them."""

STALE = 30 * 24 * 3600
"""After so many seconds, folders for other versions of the same sources are removed."""

PLACES: dict[type, Path | None] = {}
"""Where kernels are kept that are compiled for the arrays of a factor family that registered;
None for arrays that another process could not import."""


def is_own(module: str) -> bool:
    """Whether a module is mpnet's, so that the cache folder's name covers it."""
    return module.partition(".")[0] == "mpnet"


def sources(text: str) -> tuple[Path, ...]:
    """A Python file and all others of its package, or beside it, that it imports, directly or not."""
    start = Path(text).resolve()
    root = start.parent
    while (root / "__init__.py").exists():
        root = root.parent
    found, waiting = {start}, [start]
    while waiting:
        file = waiting.pop()
        for path in _imported(file, root, file.stat().st_mtime_ns) - found:
            found.add(path)
            waiting.append(path)
    return (start, *sorted(found - {start}))


@lru_cache(maxsize=1024)
def _imported(file: Path, root: Path, changed: int) -> frozenset[Path]:
    """Files below ``root`` that one file imports, as it was when it changed last."""
    names: set[str] = set()
    here = file.relative_to(root).parent.parts
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            before = here[: len(here) + 1 - node.level] if node.level else ()
            module = ".".join([*before, *filter(None, [node.module])])
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    paths = [root.joinpath(*name.split(".")) for name in names if not is_own(name)]
    ways = [way for path in paths for way in (path.with_suffix(".py"), path / "__init__.py")]
    return frozenset(way for way in ways if way.is_file())


def place(file: str, folder: Path) -> Path:
    """Where kernels that are written in a file are kept.

    Parameters
    ----------
    file : str
        A Python file.
    folder : Path
        Where mpnet keeps its own.

    """
    try:
        files = sources(file)
        stamps = tuple((path.stat().st_mtime_ns, path.stat().st_size) for path in files)
        return _place(files, stamps, folder)
    except (OSError, SyntaxError):  # not a file: a notebook's cell, or typed at a prompt
        return folder / FOLDER / "typed"


@lru_cache(maxsize=256)
def _place(files: tuple[Path, ...], stamps: Any, folder: Path) -> Path:
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    stem = files[0].stem
    if (files[0].parent / "__init__.py").exists():
        stem = f"{files[0].parent.name}.{stem}"
    found = folder / FOLDER / f"{stem}-{digest.hexdigest()[:16]}"
    if not found.exists():
        _forget_others(folder / FOLDER, stem)
    return found


def _forget_others(folder: Path, stem: str) -> None:
    """Remove what was compiled long ago from other versions of the same sources."""
    for other in folder.glob(f"{stem}-*"):
        with suppress(OSError):
            if time.time() - other.stat().st_mtime > STALE:
                shutil.rmtree(other)


def is_importable(found: type) -> bool:
    """Whether another process finds the same class under the same name."""
    module = sys.modules.get(found.__module__)
    return found.__module__ != "__main__" and getattr(module, found.__qualname__, None) is found


def joint(folder: Path, places: set[Path]) -> Path:
    """Where a kernel is kept that was written for ``folder`` and holds code from ``places``."""
    if folder.parent.name == FOLDER:
        places = places | {folder}
    names = sorted(place.name for place in places)
    if len(names) < 2:
        return next(iter(places), folder)
    digest = hashlib.sha256(" ".join(names).encode()).hexdigest()[:16]
    return min(places).parent / f"together-{digest}"


def classes_in(types: Any) -> set[type]:
    """Classes of registered arrays among Numba types, also inside tuples."""
    found: set[type] = set()
    for each in types:
        known = getattr(each, "instance_class", None)
        if known in PLACES:
            found.add(known)
        elif isinstance(inner := getattr(each, "types", None), tuple):
            found |= classes_in(inner)
    return found
