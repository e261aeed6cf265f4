"""Faults of a scenario that can be mended without a doubt, as changes of its text.

Everything else of the text stays as it is: comments, layout, line ends.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mpnet.errors import Fault, shown
from mpnet.names import Suggestion
from mpnet.scenario.document import Document
from mpnet.scenario.events import plain_scalar
from mpnet.scenario.spec import FORMAT

_LINE_END = re.compile(r"\r\n|\r|\n")
_PLAIN = re.compile(r"[^\W\d_][\w -]*(?<! )")
_TOKEN = re.compile(r"""'(?:[^']|'')*'|"[^"\\]*"|[^\s,\[\]{}#&*!|>'"%@`][^,\[\]{}#\r\n]*""")


@dataclass(frozen=True)
class Fix:
    """One change of a text: at ``start``, ``old`` becomes ``new``.

    ``line`` and ``column`` are those of the text before, counted from 1; ``why`` is what was wrong.
    """

    start: int
    old: str
    new: str
    line: int
    column: int
    why: str

    @property
    def text(self) -> str:
        """What is done, in words."""
        done = f"{shown(self.old)} → {shown(self.new)}" if self.old else f"added {self.new.strip()}"
        return f"{done} ({shown(self.why, 200)})"


def fixes_of(document: Document, faults: Iterable[Fault]) -> list[Fix]:
    """What can be mended, in the order of the text; nothing where two fixes would meet.

    Where a line is to be added, that comes first and alone, so that all other fixes have lines of
    the mended text.

    Parameters
    ----------
    document : Document
        The file.
    faults : iterable of Fault
        What is wrong, with lines and columns.

    """
    starts = [0, *(match.end() for match in _LINE_END.finditer(document.text))]
    found: dict[int, set[Fix]] = {}
    for fault in faults:
        if 0 < fault.line <= len(starts):
            start = starts[fault.line - 1] + fault.column - 1
            fix = _fix(document, fault, start, starts)
            if fix is not None:
                found.setdefault(fix.start, set()).add(fix)
    alone = []
    for fixes in found.values():
        # An alias is at fault as often as it is used.
        if len({(fix.old, fix.new) for fix in fixes}) == 1:
            alone.append(min(fixes, key=lambda fix: fix.why))
    added = [fix for fix in alone if not fix.old]
    return added or sorted(alone, key=lambda fix: fix.start)


def mended(text: str, fixes: Iterable[Fix]) -> str:
    """The text with its fixes made."""
    for fix in sorted(fixes, key=lambda fix: -fix.start):
        text = text[: fix.start] + fix.new + text[fix.start + len(fix.old) :]
    return text


def _fix(document: Document, fault: Fault, start: int, starts: list[int]) -> Fix | None:
    if fault.path == () and fault.what == "the key 'mpnet' is missing":
        return _with_format(document, fault, starts)
    token = _token_at(document.text, start)
    if token is None:
        return None
    new = _instead(document, fault, token)
    if new is None or new == token:
        return None
    return Fix(start, token, new, fault.line, fault.column, fault.what)


def _with_format(document: Document, fault: Fault, starts: list[int]) -> Fix | None:
    """``mpnet: 1`` on a line before the first key."""
    line, column = document.root.line, document.root.column
    start = starts[line - 1] + column - 1
    if column != 1 or document.text[start : start + 1] == "{":
        return None
    end = _LINE_END.search(document.text)
    added = f"mpnet: {FORMAT}{end.group() if end else chr(10)}"
    return Fix(start, "", added, line, column, fault.what)


def _instead(document: Document, fault: Fault, token: str) -> str | None:
    """What should stand there; None where nobody can be sure."""
    if isinstance(fault.hint, Suggestion) and fault.hint.instead:
        meant = fault.hint.instead
        if _read(token) != fault.hint.given or (fault.on_key and _is_there(document, fault, meant)):
            return None
        return _written(meant, token)
    value = _value_at(document, fault.path)
    if fault.path == ("mpnet",) and str(value).strip() == str(FORMAT):
        return str(FORMAT)
    quotable = isinstance(value, bool | int | float) and _read(token) == value
    if fault.hint.startswith("quote it") and not fault.on_key and quotable:
        return f'"{token}"'
    return None


def _token_at(text: str, start: int) -> str | None:
    """The scalar that begins there, with its quotes; None where it is no simple one."""
    match = _TOKEN.match(text, start)
    if match is None:
        return None
    token = match.group()
    if token[0] in "'\"":
        return token
    # A plain scalar ends before a colon, or before a comment.
    token = re.split(r":(?=\s|$)|\s#", token, maxsplit=1)[0].rstrip()
    return token or None


def _read(token: str) -> Any:
    """What a token says."""
    if token[0] == '"':
        return unicodedata.normalize("NFC", token[1:-1])
    if token[0] == "'":
        return unicodedata.normalize("NFC", token[1:-1].replace("''", "'"))
    try:
        found = plain_scalar(token)
    except ValueError:
        return None
    return unicodedata.normalize("NFC", found) if isinstance(found, str) else found


def _written(name: str, token: str) -> str:
    """A name as it has to be written in place of a token."""
    simple = _PLAIN.fullmatch(name) and plain_scalar(name) == name and name not in _QUOTED
    if token[0] == "'" and simple:
        return f"'{name}'"
    return name if simple and token[0] != '"' else json.dumps(name, ensure_ascii=False)


_QUOTED = ("yes", "no", "on", "off", "Yes", "No", "On", "Off", "YES", "NO", "ON", "OFF", "y", "n")
"""Words that other readers of YAML take for true or false."""


def _is_there(document: Document, fault: Fault, key: str) -> bool:
    """Whether the right key stands beside the wrong one."""
    beside = _value_at(document, fault.path[:-1])
    return not isinstance(beside, dict) or key in beside


def _value_at(document: Document, path: tuple[str | int, ...]) -> Any:
    here: Any = document.data
    for step in path:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            return None
    return here
