"""From the bytes of a file to YAML events, and syntax errors in plain words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice

import yaml

from mpnet.errors import Fault, ScenarioError
from mpnet.scenario.events import MAX_DEPTH, MAX_FAULTS, MAX_KEY, Place, Reader

MAX_BYTES = 50_000_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LINE_END = re.compile(r"\r\n|\r|\n")
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_PAIR = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
)

_QUOTE = "put the text in quotes"
_KEY = f"write 'key: value' (a key has at most {MAX_KEY} characters)"
_COLON = (
    "a colon can't stand here",
    "put the text in quotes if the colon is part of it, or check the indentation",
)

# What the parser says, what is said instead, the hint, and whether to point at the beginning.
_SYNTAX = (
    ("mapping values", *_COLON, False),
    ("mapping keys", "'? ' can't stand here", _QUOTE, False),
    ("block sequence entries", "a list can't begin here", "begin it on the next line", False),
    ("found unexpected end", "this quote is never closed", "", True),
    ("found unexpected doc", "this quote is never closed", "", True),
    ("could not find expected ':'", "a colon is missing after this", _KEY, True),
    ("did not find expected key", "this does not fit here", "check indentation and quotes", False),
    ("did not find expected '-'", "this does not fit here", "check indentation and dashes", False),
    ("did not find expected node", "a value is missing here", "", False),
    ("did not find expected alpha", "'&' and '*' need a name right after them", _QUOTE, True),
    ("did not find expected hex", "this escape needs more hexadecimal digits", "", False),
    (
        "did not find expected <doc",
        "this stands outside the document",
        "check quotes and '...'",
        False,
    ),
    ("did not find expected comment", "there is text after '|' or '>'", "begin it below", False),
    ("found invalid Unicode", "this escape is not a character", "", False),
    ("found unknown escape", "this escape is unknown", "write \\\\ for a backslash", False),
    ("found a tab", "a tab can't indent", "use spaces", False),
    ("found undefined tag", "tags are not allowed", "write the plain value", False),
    # Some versions of libyaml stop by themselves, at a thousand levels.
    ("exceeded maximum nesting", f"nested more than {MAX_DEPTH} levels deep", "", False),
)


def decoded(source: str, raw: bytes) -> str:
    """Turn the bytes of a file into text that YAML can't stumble over."""
    if len(raw) > MAX_BYTES:
        size = f"the file has {len(raw)} bytes"
        raise ScenarioError([Fault((), f"{size}; at most {MAX_BYTES} are allowed")], source)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ScenarioError([Fault((), "the file is UTF-16 or UTF-32", "save it as UTF-8")], source)
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise _not_utf8(source, raw, error) from None
    check_characters(source, text)
    return text


def _not_utf8(source: str, raw: bytes, error: UnicodeDecodeError) -> ScenarioError:
    lines = split_lines(raw[: error.start].decode("utf-8").removeprefix("\ufeff"))
    if error.reason == "unexpected end of data":
        what = f"the file ends inside a character, at byte offset {error.start}"
    else:
        what = f"byte 0x{raw[error.start]:02x} at offset {error.start} is not UTF-8"
    fault = Fault((), what, "save it as UTF-8", line=len(lines), column=len(lines[-1]) + 1)
    return ScenarioError(
        [fault], source, split_lines(raw.decode("utf-8", "replace").removeprefix("\ufeff"))
    )


def check_characters(source: str, text: str) -> None:
    """Refuse control characters, lone surrogates and line ends that editors don't show."""
    if not _UNWANTED.search(text):
        return
    lines = split_lines(text)
    faults = (fault for number, line in enumerate(lines, 1) for fault in _unwanted(line, number))
    raise ScenarioError(list(islice(faults, MAX_FAULTS)), source, lines)


def _unwanted(line: str, number: int) -> Iterator[Fault]:
    """Find the first character of a line that may not stand there."""
    match = _UNWANTED.search(line)
    if match:
        code = ord(match.group())
        what = f"the character U+{code:04X} is not allowed"
        hint = "" if 0xD800 <= code < 0xE000 else f'write it as "\\u{code:04x}" if it is meant'
        yield Fault((), what, hint, line=number, column=match.start() + 1)


def split_lines(text: str) -> list[str]:
    """Split a text where the parser and editors do."""
    return _LINE_END.split(text)


def read_events(text: str, columns: dict[int, list[int]] | None = None) -> Reader:
    """Read the events of a text; a syntax error becomes one more fault."""
    reader = Reader(columns or {})
    try:
        reader.read(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        if "Unicode" in str(error.problem) and columns is None and _is_json(text):
            return read_events(*_joined(text))
        reader.faults.append(_syntax_fault(error, reader, split_lines(text)))
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
        reader.faults.append(Fault((), "this can't be read as YAML", line=1, column=1))
    return reader


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_int=str)
    except (ValueError, RecursionError):
        return False
    return True


def _joined(text: str) -> tuple[str, dict[int, list[int]]]:
    r"""Write the surrogate pairs of JSON as YAML does: ``\ud83d\ude00`` as ``\U0001f600``.

    Returns
    -------
    text : str
        The text; 2 characters shorter for each pair.
    columns : dict of int to list of int
        For each line, where that happened.

    """
    lines, columns = split_lines(text), {}
    for index, line in enumerate(lines):
        found = [match.start() for match in _PAIR.finditer(line)]
        if found:
            columns[index + 1] = [start - 2 * before for before, start in enumerate(found)]
            lines[index] = _PAIR.sub(_long_escape, line)
    return "\n".join(lines), columns


def _long_escape(match: re.Match[str]) -> str:
    slashes, high, low = match.groups()
    code = 0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00
    return f"{slashes}\\U{code:08x}"


def _syntax_fault(error: yaml.MarkedYAMLError, reader: Reader, lines: list[str]) -> Fault:
    """Say in plain words what the parser stumbled over."""
    problem = str(error.problem)
    end = reader.place(error.problem_mark) if error.problem_mark else (1, 1)
    start = reader.place(error.context_mark) if error.context_mark else end
    character = _character(error.problem_mark, lines)
    if problem.startswith("did not find expected ','"):
        what, hint, place = _in_flow(problem, character, start, end)
    elif problem.startswith("found character that cannot start") and character != "\t":
        what, hint, place = f"a value can't begin with '{character}'", _QUOTE, end
    elif problem.startswith("mapping values") and end[1] > MAX_KEY:
        what, hint, place = f"a key may have at most {MAX_KEY} characters", "", (end[0], 1)
    else:
        what, hint, place = _in_table(problem, character, start, end)
    return Fault((), what, hint, line=place[0], column=place[1])


def _in_flow(problem: str, character: str, start: Place, end: Place) -> tuple[str, str, Place]:
    """Explain what is wrong between brackets or braces."""
    close, kind = ("]", "list") if "]" in problem else ("}", "mapping")
    if not character:
        return f"this {kind} is never closed", f"add '{close}'", start
    if character == ":":
        return *_COLON, end
    return f"a comma or '{close}' is missing here", f"the {kind} begins on line {start[0]}", end


def _in_table(problem: str, character: str, start: Place, end: Place) -> tuple[str, str, Place]:
    """Explain the rest."""
    problem = "found a tab" if character == "\t" and "token" in problem else problem
    for beginning, what, hint, at_start in _SYNTAX:
        if problem.startswith(beginning):
            return what, hint, start if at_start else end
    return "this can't be read as YAML", "check quotes and indentation", end


def _character(mark: yaml.Mark | None, lines: list[str]) -> str:
    """Return the character at a mark, empty at the end of the text."""
    if mark is None or mark.line >= len(lines):
        return ""
    return lines[mark.line][mark.column : mark.column + 1]
