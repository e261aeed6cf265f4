"""A scenario file as plain data, with the line and column of every key and value."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from mpnet.errors import Fault, ScenarioError, shown
from mpnet.scenario.events import Mark, Place, Reader, Scalar, Step, plain_scalar
from mpnet.scenario.reading import check_characters, decoded, read_events, split_lines


@dataclass(frozen=True)
class Document:
    """A file's content and where each part of it stands.

    Parameters
    ----------
    data : dict
        Plain Python: dict, list, str, int, float, bool and None. Not to be modified.
    source : str
        Name for messages.
    text : str
        The text of the file.
    root : Mark
        Places; left out for data that comes from no file.

    """

    data: dict[str, Any]
    source: str
    text: str = field(repr=False)
    root: Mark = field(default_factory=Mark, repr=False, compare=False)

    def place(self, path: tuple[Step, ...], on_key: bool = False) -> Place:
        """Return line and column of a value or its key, or of what should contain it."""
        mark = self.root
        place = key = (mark.line, mark.column)
        for step in path:
            if mark.entries is None or step not in mark.entries:
                break
            key, mark = mark.entries[step]
            place = (mark.line, mark.column)
        return key if on_key else place

    def locate(self, faults: Iterable[Fault]) -> ScenarioError:
        """Build the error of these faults, with the places that are still missing."""
        found = [fault if fault.line else self._placed(fault) for fault in faults]
        return ScenarioError(found, self.source, split_lines(self.text))

    def _placed(self, fault: Fault) -> Fault:
        line, column = self.place(fault.path, fault.on_key)
        return replace(fault, line=line, column=column)


def read_document(source: str, raw: bytes) -> Document:
    """Read YAML or JSON whose top level is a mapping.

    Parameters
    ----------
    source : str
        Name for messages.
    raw : bytes
        The whole file; UTF-8.

    Raises
    ------
    ScenarioError
        With all faults that could be found.

    """
    text = decoded(source, raw)
    reader = read_events(text)
    _check_top(reader)
    if reader.faults or reader.root is None:
        raise ScenarioError(reader.faults, source, split_lines(text))
    return Document(reader.root.value, source, text, reader.root.mark)


def parse_scalar(text: str) -> Any:
    """Read a value from the command line.

    A text that begins with a quote, ``[`` or ``{`` is read as YAML, any other as an
    unquoted scalar, whatever characters it contains.

    Raises
    ------
    ScenarioError
        With ``value`` as the source.

    Examples
    --------
    >>> parse_scalar("{purple: 0.8, other: [1, no]}")
    {'purple': 0.8, 'other': [1, 'no']}

    """
    check_characters("value", text)
    bare = text.strip()
    if not bare.startswith(("[", "{", '"', "'")):
        return _bare_scalar(bare)
    reader = read_events(text)
    if reader.faults or reader.root is None:
        raise ScenarioError(reader.faults, "value", split_lines(text))
    return reader.root.value


def set_value(document: Document, path: tuple[Step, ...], value: Any) -> Document:
    """Return a document with a value replaced or added; the given one stays as it is.

    Mappings that are missing on the way are made. The places of all else are kept; a
    replaced value has the place of the old one, a new one that of its container.

    Raises
    ------
    ScenarioError
        If the path leads through something that can't hold it.

    """
    steps = tuple(unicodedata.normalize("NFC", s) if isinstance(s, str) else s for s in path)
    if not steps:
        raise document.locate([Fault((), "the whole document can't be replaced")])
    try:
        data, root = _replaced(document.data, document.root, steps, 0, value)
    except _WrongStepError as error:
        raise document.locate([Fault(steps[: error.depth], error.what)]) from None
    return replace(document, data=data, root=root)


class _WrongStepError(Exception):
    """A step that can't be taken from what the path leads to at this depth."""

    def __init__(self, depth: int, what: str) -> None:
        self.depth = depth
        self.what = what


def _replaced(
    old: Any, mark: Mark, path: tuple[Step, ...], depth: int, value: Any
) -> tuple[Any, Mark]:
    """Copy ``old`` and its marks with ``value`` at the rest of the path."""
    if depth == len(path):
        return value, Mark(mark.line, mark.column)
    step = path[depth]
    copy = _container(old, step, depth)
    entries = dict(mark.entries or {})
    here = (mark.line, mark.column)
    key, inner = entries.get(step, (here, Mark(*here)))
    present = step in copy if isinstance(copy, dict) else step != len(copy)
    below, inner = _replaced(copy[step] if present else None, inner, path, depth + 1, value)
    if isinstance(copy, dict) or present:
        copy[step] = below
    else:
        copy.append(below)
    entries[step] = key, inner
    return copy, Mark(mark.line, mark.column, entries)


def _container(old: Any, step: Step, depth: int) -> Any:
    """Copy a dict or list that has room for ``step``; null becomes an empty dict."""
    if isinstance(step, str) and (old is None or isinstance(old, dict)):
        return dict(old or {})
    if isinstance(step, int) and isinstance(old, list) and 0 <= step <= len(old):
        return list(old)
    if isinstance(old, list):
        most = f"from 0 to {len(old)}"
        raise _WrongStepError(depth, f"a list needs an index {most}, got {shown(repr(step))}")
    raise _WrongStepError(depth, f"{_kind(old)} has no entry {shown(repr(step))}")


def _kind(value: Any) -> str:
    """Name the kind of a value for a message."""
    names = {dict: "a mapping", list: "a list", str: "text", bool: "true or false"}
    return "null" if value is None else names.get(type(value), "a number")


def _check_top(reader: Reader) -> None:
    """Add a fault if there is no content, or no mapping at the top."""
    if not reader.complete:
        return
    if reader.root is None or reader.root.value is None:
        if not reader.faults:
            reader.faults.append(Fault((), "the file has no content"))
        return
    value, mark = reader.root.value, reader.root.mark
    if isinstance(value, dict):
        return
    what = f"the top level must be a mapping, not {_kind(value)}"
    hint = "write 'key: value'"
    reader.faults.append(Fault((), what, hint, line=mark.line, column=mark.column))


def _bare_scalar(text: str) -> Scalar:
    """Read an unquoted scalar; a number that can't be held is a fault."""
    try:
        return plain_scalar(text)
    except ValueError as error:
        raise ScenarioError([Fault((), str(error), line=1, column=1)], "value") from None
