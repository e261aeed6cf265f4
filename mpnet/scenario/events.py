"""From YAML events to plain data, with the place of every key and value.

Nothing is constructed by PyYAML: tags, merge keys, deep nesting and aliases that
multiply are refused while the events come in.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from mpnet.errors import Fault, shown

MAX_DEPTH = 64
MAX_DIGITS = 4300
MAX_KEY = 1024
MAX_FAULTS = 1000
MIN_BUDGET = 10_000
GROWTH = 10
PATH_STEPS = 8
_HUGE = 10**12

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+")
_BASES = ((re.compile(r"0o[0-7]+"), 8), (re.compile(r"0x[0-9a-fA-F]+"), 16))
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

Scalar = str | int | float | bool | None
Step = str | int
Place = tuple[int, int]


def plain_scalar(text: str) -> Scalar:
    """Read an unquoted scalar by the core schema of YAML 1.2.

    Raises
    ------
    ValueError
        For a number that is too long or too large; the message is a whole sentence.

    Examples
    --------
    >>> [plain_scalar(text) for text in ("1e-6", "0x10", "no", "1:30", "~")]
    [1e-06, 16, 'no', '1:30', None]

    """
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if text[0] not in "+-.0123456789":
        return text
    return _number(text)


def _number(text: str) -> Scalar:
    """Read text that may be a number."""
    if _INT.fullmatch(text):
        return _integer(text, 10)
    for pattern, base in _BASES:
        if pattern.fullmatch(text):
            return _integer(text, base)
    if _FLOAT.fullmatch(text):
        return _finite(text)
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def _integer(text: str, base: int) -> int:
    """Read an integer that can also be written again."""
    digits = len(text.lstrip("+-")) if base == 10 else int(0.30103 * int(text, base).bit_length())
    if digits > MAX_DIGITS:
        raise ValueError(f"a number of {digits} digits is too long (at most {MAX_DIGITS})")
    return int(text, base)


def _finite(text: str) -> float:
    """Read a float whose digits don't overflow."""
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {shown(text, 30)} is too large for a float")
    return value


@dataclass(slots=True)
class Mark:
    """Where a value begins, and the same for all that is inside it.

    Parameters
    ----------
    line, column : int
        Counted from 1; 0 when not known.
    entries : dict, optional
        For each key or index, the place of the key and the mark of the value.

    """

    line: int = 0
    column: int = 0
    entries: dict[Step, tuple[Place, Mark]] | None = None


class Item(NamedTuple):
    """A finished value, its mark, and its size and height with aliases written out."""

    value: Any
    mark: Mark
    size: int = 1
    height: int = 0


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet; ``step`` is where the next value goes."""

    value: Any
    mark: Mark
    entries: dict[Step, tuple[Place, Mark]]
    anchor: str | None
    step: Step | None
    key_place: Place = (0, 0)
    wants_key: bool = False
    dropped: bool = False
    size: int = 1
    height: int = 1


class _Stop(Exception):  # noqa: N818
    """No use in reading on."""


@dataclass
class Reader:
    """Takes YAML events and gathers a tree of data, its places, and all faults.

    Parameters
    ----------
    columns : dict of int to list of int
        For each line, the columns after which 2 are to be added to a column, because
        the text was shortened there.
    faults : list of Fault
        What was found.
    root : Item, optional
        The content; None if there is none.
    complete : bool
        Whether the end was reached.

    """

    columns: dict[int, list[int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    root: Item | None = None
    complete: bool = False
    _stack: list[_Open] = field(default_factory=list)
    _anchors: dict[str, Item | None] = field(default_factory=dict)
    _nodes: int = 0
    _largest: tuple[int, Place] = (0, (0, 0))

    def read(self, events: Iterable[yaml.Event]) -> None:
        """Read events to the end, or to a fault after which nothing can be said."""
        actions: dict[type[yaml.Event], Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.AliasEvent: self._alias,
            yaml.SequenceStartEvent: self._start,
            yaml.MappingStartEvent: self._start,
            yaml.SequenceEndEvent: self._end,
            yaml.MappingEndEvent: self._end,
            yaml.DocumentStartEvent: self._document,
        }
        try:
            for event in events:
                if action := actions.get(type(event)):
                    action(event)
        except _Stop:
            return
        self.complete = True
        self._check_budget()

    def place(self, mark: Any) -> Place:
        """Turn a mark of PyYAML (there are two classes) into line and column from 1."""
        line, column = mark.line + 1, mark.column + 1
        if line in self.columns:
            column += 2 * bisect_right(self.columns[line], column - 1)
        return line, column

    def fault(self, place: Place, what: str, hint: str = "", on_key: bool = False) -> None:
        """Note a fault at the value, or key, that is being read."""
        line, column = place
        self.faults.append(Fault(self._path(), what, hint, on_key, line, column))
        if len(self.faults) >= MAX_FAULTS:
            raise _Stop

    def _path(self) -> tuple[Step, ...]:
        """Return the path that is being read; cut, as line and column say the rest."""
        path: list[Step] = []
        for frame in self._stack[:PATH_STEPS]:
            if frame.step is None:
                break
            path.append(frame.step)
        return tuple(path)

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        if self.root is not None:
            self.fault(
                self.place(event.start_mark), "a second document begins here", "use one file each"
            )
            raise _Stop

    def _at_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].wants_key

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        place = self.place(event.start_mark)
        if self._at_key():
            self._key(event, place)
            return
        self._nodes += 1
        value: Scalar = event.value
        if event.tag is not None:
            self._refuse_tag(event.tag, place)
        elif event.implicit[0]:
            try:
                value = plain_scalar(event.value)
            except ValueError as error:
                self.fault(place, str(error), "quote it if it is text")
        item = Item(value, Mark(*place))
        if event.anchor is not None:
            self._anchors[event.anchor] = item
        self._add(item, place)

    def _key(self, event: yaml.ScalarEvent, place: Place) -> None:
        """Take the next key of a mapping."""
        frame = self._stack[-1]
        plain = bool(event.implicit[0])
        if event.anchor is not None:
            self._anchors[event.anchor] = Item(event.value, Mark(*place))
        if event.tag is not None:
            self._refuse_tag(event.tag, place)
            self._drop_key()
        elif plain and event.value in _NULLS:
            self.fault(place, "a key is missing or null", "quote it if it is text")
            self._drop_key()
        elif len(event.value) > MAX_KEY:
            self.fault(place, f"a key may have at most {MAX_KEY} characters")
            self._drop_key()
        elif plain and event.value == "<<":
            self.fault(place, "merge keys ('<<') are not supported", "write the keys out")
            self._drop_key()
        else:
            text = unicodedata.normalize("NFC", event.value)
            frame.step, frame.key_place, frame.wants_key = text, place, False
            self._check_duplicate(frame, text, place)

    def _check_duplicate(self, frame: _Open, key: str, place: Place) -> None:
        frame.dropped = key in frame.entries
        if frame.dropped:
            first = frame.entries[key][0][0]
            self.fault(place, f"duplicate key '{shown(key)}', first on line {first}", on_key=True)

    def _drop_key(self) -> None:
        """Go on to the value of a key that was refused."""
        frame = self._stack[-1]
        frame.step, frame.wants_key, frame.dropped = None, False, True

    def _refuse_tag(self, tag: str, place: Place) -> None:
        name = "!!" + tag[18:] if tag.startswith("tag:yaml.org,2002:") else tag
        self.fault(place, f"the tag '{shown(name)}' is not allowed", "write the plain value")

    def _alias(self, event: yaml.AliasEvent) -> None:
        place = self.place(event.start_mark)
        if self._at_key():
            self.fault(place, "a key can't be an alias", "write the key out")
            self._drop_key()
            return
        self._nodes += 1
        item = self._anchored(event.anchor or "", place)
        if item.size > self._largest[0]:
            self._largest = item.size, place
        self._add(item, place)

    def _anchored(self, name: str, place: Place) -> Item:
        """Return what an alias stands for, or null after noting why it can't be."""
        item = self._anchors.get(name)
        if name not in self._anchors:
            self.fault(place, f"unknown alias '*{shown(name)}'", f"no '&{shown(name)}' before it")
        elif item is None:
            self.fault(place, f"the alias '*{shown(name)}' would contain itself", "write it out")
        elif len(self._stack) + item.height > MAX_DEPTH:
            self.fault(place, f"nested more than {MAX_DEPTH} levels deep, by aliases")
        else:
            return item
        return Item(None, Mark(*place))

    def _start(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent) -> None:
        self._nodes += 1
        place = self.place(event.start_mark)
        if self._at_key() and not any(frame.wants_key for frame in self._stack[:-1]):
            self.fault(place, "a key must be text, not a list or mapping")
        if event.tag is not None:
            self._refuse_tag(event.tag, place)
        if len(self._stack) >= MAX_DEPTH:
            self.fault(place, f"nested more than {MAX_DEPTH} levels deep")
            raise _Stop
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._stack.append(_opened(event, place))

    def _end(self, event: yaml.SequenceEndEvent | yaml.MappingEndEvent) -> None:
        frame = self._stack.pop()
        item = Item(frame.value, frame.mark, min(frame.size, _HUGE), frame.height)
        if frame.anchor is not None:
            self._anchors[frame.anchor] = item
        self._add(item, (frame.mark.line, frame.mark.column))

    def _add(self, item: Item, place: Place) -> None:
        """Put a finished value where it belongs; ``place`` is that of a list entry."""
        if not self._stack:
            self.root = item
            return
        frame = self._stack[-1]
        frame.size += item.size
        frame.height = max(frame.height, item.height + 1)
        if frame.wants_key:
            self._drop_key()
        elif isinstance(frame.step, int):
            frame.value.append(item.value)
            frame.entries[frame.step] = place, item.mark
            frame.step += 1
        else:
            if frame.step is not None and not frame.dropped:
                frame.value[frame.step] = item.value
                frame.entries[frame.step] = frame.key_place, item.mark
            frame.step, frame.wants_key = None, True

    def _check_budget(self) -> None:
        """Refuse a file that aliases make much larger than it looks."""
        size = self.root.size if self.root else 0
        if size > max(MIN_BUDGET, GROWTH * self._nodes):
            count = f"more than {_HUGE}" if size >= _HUGE else str(size)
            what = f"the aliases expand {self._nodes} values to {count}"
            self.fault(self._largest[1], what, f"at most {GROWTH} times are allowed")


def _opened(event: yaml.SequenceStartEvent | yaml.MappingStartEvent, place: Place) -> _Open:
    """Open an empty list or mapping."""
    entries: dict[Step, tuple[Place, Mark]] = {}
    mark = Mark(*place, entries)
    if isinstance(event, yaml.MappingStartEvent):
        return _Open({}, mark, entries, event.anchor, None, wants_key=True)
    return _Open([], mark, entries, event.anchor, 0)
