"""Mends scenario files: checks, changes what is beyond doubt, and checks again."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from mpnet.errors import OutputError, ScenarioError, UsageError
from mpnet.nodes.registry import Plugin
from mpnet.scenario.document import Document, read_document
from mpnet.scenario.mending import Fix, fixes_of, mended
from mpnet.simulation.loading import check_scenario

ROUNDS = 20
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Mending:
    """What was done to a file: the fixes, in the order in which they were made."""

    fixes: tuple[Fix, ...]
    text: str


def mend(document: Document, plugins: Collection[Plugin] = ()) -> Mending:
    """Mend a document as far as that is beyond doubt.

    Parameters
    ----------
    document : Document
        The file.
    plugins : collection of str, path or type
        As for ``check_scenario``.

    Returns
    -------
    Mending
        Without fixes where there was no fault, or none that could be mended.

    """
    done: list[Fix] = []
    for _ in range(ROUNDS):
        try:
            check_scenario(document, plugins)
        except ScenarioError as error:
            fixes = fixes_of(document, error.faults)
        else:
            break
        if not fixes:
            break
        text = mended(document.text, fixes)
        try:
            document = read_document(document.source, text.encode())
        except ScenarioError:  # a fix that leaves no document is none
            break
        done += fixes
    return Mending(tuple(done), document.text)


def write_mended(path: Path, before: bytes, text: str) -> None:
    """Put a mended text in place of a file: whole, or not at all.

    Parameters
    ----------
    path : Path
        The file; where it is a link, what it leads to is changed.
    before : bytes
        What was read of it; if it holds something else by now, nothing is written.
    text : str
        The mended text.

    Raises
    ------
    OutputError
        If the file has changed, or can't be written.

    """
    target = path.resolve()
    raw = (_MARK if before.startswith(_MARK) else b"") + text.encode()
    unfinished = None
    try:
        if target.read_bytes() != before:
            raise OutputError(f"{path} was changed by somebody else meanwhile; nothing was written")
        handle, unfinished = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(raw)
        os.chmod(unfinished, target.stat().st_mode & 0o7777)
        os.replace(unfinished, target)
    except OutputError:
        raise
    except OSError as error:
        if unfinished is not None:
            Path(unfinished).unlink(missing_ok=True)
        raise OutputError(f"{path} can't be written ({error.strerror})") from None


def mend_file(name: str, plugins: Collection[Plugin] = ()) -> tuple[Fix, ...]:
    """Mend a scenario file in its place; one without faults is not touched.

    Raises
    ------
    UsageError
        If it is no file.
    ScenarioError
        If it can't be read as a document.
    OutputError
        If it can't be written.

    """
    path = Path(name)
    if not path.is_file():
        raise UsageError(f"--fix changes files, and {name!r} is none; copy the scenario first")
    before = path.read_bytes()
    found = mend(read_document(name, before), plugins)
    if found.fixes:
        write_mended(path, before, found.text)
    return found.fixes
