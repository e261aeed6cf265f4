"""Plain data as YAML that reads back as the same data: short things on one line, long ones below."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mpnet.errors import Fault, ScenarioError, shown
from mpnet.scenario.events import MAX_DEPTH, Step, plain_scalar

WIDTH = 100
"""Columns that a line takes, where it can be broken."""

_PLAIN = re.compile(r"[^\W_](?:[\w .+/@()<>=→-]*[\w.)])?")
_BOOLS_ELSEWHERE = frozenset({"y", "n", "yes", "no", "on", "off"})
"""Text here, but not for readers of YAML 1.1."""


def plain(value: Any, path: tuple[Step, ...] = ()) -> Any:
    """The same as dict, list, str, int, float, bool and None; arrays and tuples become lists.

    Parameters
    ----------
    value : object
        Mappings, sequences, arrays and scalars, inside each other.
    path : tuple of str or int
        Where it stands, for the fault.

    Raises
    ------
    ScenarioError
        If something is none of those, or is nested too deeply; names the place.

    """
    if len(path) > MAX_DEPTH:
        raise _refused(path[:8], f"this is nested more than {MAX_DEPTH} levels deep")
    if hasattr(value, "tolist"):  # arrays and their scalars
        value = value.tolist()
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return _text(value, path)
    if isinstance(value, Mapping):
        return {_key(k, path): plain(v, (*path, str(k))) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [plain(v, (*path, i)) for i, v in enumerate(value)]
    what = f"a scenario can't hold {shown(repr(value))}"
    raise _refused(path, what, "text, numbers, lists and mappings are possible")


def _text(value: str, path: tuple[Step, ...]) -> str:
    text = unicodedata.normalize("NFC", str(value))
    if any(0xD800 <= ord(c) < 0xE000 for c in text):
        raise _refused(path, f"{shown(text)!r} holds half a character")
    return text


def _key(key: Any, path: tuple[Step, ...]) -> str:
    if not isinstance(key, str):
        hint = f"write it as text: {str(key)!r}"
        raise _refused(path, f"a key must be text, got {shown(repr(key))}", hint)
    return _text(key, path)


def _refused(path: tuple[Step, ...], what: str, hint: str = "") -> ScenarioError:
    return ScenarioError([Fault(path, what, hint)])


def to_yaml(data: Mapping[str, Any]) -> str:
    """Write plain data as YAML; ``read_document`` reads the same data again.

    Parameters
    ----------
    data : mapping
        Plain data, as from ``plain``; keys keep their order.

    Examples
    --------
    >>> print(to_yaml({"name": "dog", "nodes": {"legs": {"states": ["2", "four"]}}}), end="")
    name: dog
    nodes:
      legs: {states: ["2", four]}

    """
    return "\n".join(_block(data, 0)) + "\n"


def _block(data: Mapping[str, Any], indent: int) -> Iterator[str]:
    """The lines of a mapping, one entry after another."""
    for key, value in data.items():
        yield from _entry(f"{' ' * indent}{_scalar(key)}:", value, indent)


def _entry(head: str, value: Any, indent: int) -> Iterator[str]:
    """A value behind its key or dash: on the same line where it fits, else below."""
    if _can_fold(head, value):
        yield f"{head} >-"
        yield from _folded(value, indent + 2)
    elif _fits(head, value, open_up=not indent):
        yield f"{head} {_flow(value)}"
    elif isinstance(value, dict):
        yield head
        yield from _block(value, indent + 2)
    elif all(not isinstance(v, dict | list) for v in value):
        yield head
        yield from _filled(value, indent + 2)
    else:
        yield head
        for item in value:
            yield from _item(item, indent + 2)


def _fits(head: str, value: Any, open_up: bool) -> bool:
    """Whether a value stands on one line; what holds others is opened up at the top level."""
    if not isinstance(value, dict | list) or not value:
        return True
    inside = value.values() if isinstance(value, dict) else value
    if open_up and any(isinstance(v, dict | list) and v for v in inside):
        return False
    return len(head) + 1 + len(_flow(value)) <= WIDTH


def _can_fold(head: str, value: Any) -> bool:
    """Whether a value is text that is too long for a line and can be folded as it is."""
    if not isinstance(value, str) or len(head) + len(value) < WIDTH or not value.isprintable():
        return False
    return all(value.split(" "))


def _folded(text: str, indent: int) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        if line and indent + len(line) + 1 + len(word) > WIDTH:
            yield " " * indent + line
            line = ""
        line += f" {word}" if line else word
    yield " " * indent + line


def _item(item: Any, indent: int) -> Iterator[str]:
    dash = f"{' ' * indent}-"
    if isinstance(item, dict) and not _fits(dash, item, open_up=False):
        first, *others = _block(item, indent + 2)
        yield f"{dash} {first.lstrip(' ')}"
        yield from others
    else:
        yield from _entry(dash, item, indent)


def _filled(values: Sequence[Any], indent: int) -> Iterator[str]:
    """A long list of scalars, as many to a line as fit."""
    line = " " * indent + "["
    for number, value in enumerate(values):
        text = _scalar(value) + ("," if number + 1 < len(values) else "]")
        if len(line) + 1 + len(text) > WIDTH and line.strip() != "[":
            yield line.rstrip()
            line = " " * (indent + 1)
        line += text if line.endswith("[") or not line.strip() else f" {text}"
    yield line


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    if isinstance(value, int | float):
        return repr(value)
    bare = _PLAIN.fullmatch(value) and plain_scalar(value) == value and "  " not in value
    return str(value) if bare and value.lower() not in _BOOLS_ELSEWHERE else _quoted(value)


def _quoted(text: str) -> str:
    """In double quotes, with escapes for all that can't be seen."""
    found = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else _escaped(c) for c in found)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
