"""Models from other programs: read, and where their formats allow it, written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files as resources
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from mpnet.errors import UsageError, shown
from mpnet.graph import FactorGraph
from mpnet.interchange.files import ModelFileError, fault, read_bytes, write_whole
from mpnet.kernels.layout import IntArray
from mpnet.names import suggestion

__all__ = ["FORMATS", "Format", "Model", "ModelFileError", "read_model", "shipped", "write_model"]


@dataclass(frozen=True)
class Format:
    """A file format.

    *Internal.*

    Parameters
    ----------
    suffix : str
        How the names of such files end.
    starts : str
        Regular expression for how such a file starts, after comments.
    reads : str
        ``module:function`` from (bytes, name for messages) to (graph, numbers of its factors).
    writes : str
        ``module:function`` from a graph to bytes; empty where there is none.

    """

    suffix: str
    starts: str
    reads: str
    writes: str = ""


FORMATS: dict[str, Format] = {
    "uai": Format(
        ".uai", r"[A-Za-z]+\s", "mpnet.interchange.uai:read_uai", "mpnet.interchange.uai:write_uai"
    ),
    "fg": Format(
        ".fg", r"\d+\s", "mpnet.interchange.libdai:read_fg", "mpnet.interchange.libdai:write_fg"
    ),
    "bif": Format(
        ".bif",
        r"(network|variable)\b",
        "mpnet.interchange.bif:read_bif",
        "mpnet.interchange.bif_writing:write_bif",
    ),
}
"""Formats by name; the order of ``starts`` does not matter but for ``bif``, which is tried first."""


@dataclass(frozen=True)
class Model:
    """A graph that was read from a file.

    *Evolving.*

    Parameters
    ----------
    graph : FactorGraph
        The graph.
    name : str
        The file's name, without folders.
    format : str
        A key of ``FORMATS``.
    numbers : int64[factors]
        For each factor of the graph, its number in the file; unary ones have none.

    """

    graph: FactorGraph
    name: str
    format: str
    numbers: IntArray


def read_model(path: str | PathLike[str], format: str | None = None) -> Model:
    """Read a model file.

    *Stable.*

    Parameters
    ----------
    path : str or path
        A file, ``-`` for standard input, or the name of a shipped model.
    format : str, optional
        A key of ``FORMATS``; by the file's name or content where not given.

    Raises
    ------
    ModelFileError
        With line and column of the first fault.
    UsageError
        If there is no such file or format.

    """
    if format is not None and format not in FORMATS:
        raise UsageError(f"there is no format {format!r}; {suggestion(format, FORMATS, 'formats')}")
    name = fspath(path)
    home = _find(name)
    data = home if isinstance(home, bytes) else read_bytes(home)
    kind = format or _sniff(name, data)
    graph, numbers = _load(FORMATS[kind].reads)(data, name)
    return Model(graph, Path(name).name, kind, numbers)


def write_model(
    graph: FactorGraph,
    path: str | PathLike[str],
    format: str | None = None,
    *,
    overwrite: bool = False,
) -> None:
    """Write a graph as a file that other programs read; whole or not at all.

    *Stable.*

    Raises
    ------
    UsageError
        If the format is unknown or is only read.
    GraphError
        If the graph can't be said in the format.
    OutputError
        If the file is there already, or can't be written.

    """
    target = Path(path)
    kind = format or next((k for k, f in FORMATS.items() if target.suffix == f.suffix), "")
    writable = [k for k, f in FORMATS.items() if f.writes]
    if kind not in writable:
        raise UsageError(
            f"can't write the format of {target.name!r}; formats: {', '.join(writable)}"
        )
    write_whole(target, _load(FORMATS[kind].writes)(graph), overwrite)


def shipped() -> list[str]:
    """Names of the models that come with the package.

    *Evolving.*
    """
    folder = resources("mpnet.interchange").joinpath("examples")
    return sorted(entry.name for entry in folder.iterdir() if entry.is_file())


def _find(name: str) -> Path | bytes:
    """A file, or the bytes of a shipped model: with or without its suffix."""
    path = Path(name)
    if name == "-" or path.exists() or "\0" in name:
        return path
    known = shipped()
    for entry in known:
        if name in (entry, Path(entry).stem):
            return resources("mpnet.interchange").joinpath("examples", entry).read_bytes()
    near = suggestion(shown(path.name), known, "shipped")
    raise UsageError(f"there is no file and no shipped model {shown(name, 200)!r}; {near}")


def _sniff(name: str, data: bytes) -> str:
    """The format by the end of the name, or by how the content starts."""
    plain = name.removesuffix(".gz").lower()
    for kind, about in FORMATS.items():
        if plain.endswith(about.suffix):
            return kind
    start = re.sub(rb"(?m)^\s*(#|//)[^\n]*", b"", data[:4096].removeprefix(b"\xef\xbb\xbf"))
    text = start.decode("utf-8", "replace").lstrip()
    for kind in ("bif", *FORMATS):
        if re.match(FORMATS[kind].starts, text):
            return kind
    known = ", ".join(f"{k} ({f.suffix})" for k, f in FORMATS.items())
    raise fault(name, "this is in no format that is known", known, data, 0)


def _load(where: str) -> Callable[..., Any]:
    module, _, function = where.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found
