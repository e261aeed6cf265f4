"""Where scenarios come from: a path, standard input, or the ones that mpnet ships."""

from __future__ import annotations

import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from mpnet.errors import Fault, ScenarioError, UsageError
from mpnet.names import suggestion
from mpnet.scenario.document import Document, parse_scalar, read_document, set_value

FILE_LIMIT = 50_000_000


@dataclass(frozen=True)
class Shipped:
    """A scenario that comes with mpnet: its name and what its first line says that it shows."""

    name: str
    shows: str


def shipped() -> list[Shipped]:
    """All shipped scenarios, by name."""
    found = []
    for entry in files("mpnet.scenarios").iterdir():
        if entry.name.endswith(".yaml"):
            first = entry.read_text(encoding="utf-8").splitlines()[0]
            found.append(Shipped(entry.name.removesuffix(".yaml"), first.lstrip("# ").strip()))
    return sorted(found, key=lambda s: s.name)


def open_scenario(argument: str) -> Document:
    """Read the scenario that a command-line argument names.

    Parameters
    ----------
    argument : str
        A path, ``-`` for standard input, a shipped name, or ``@name`` for the shipped one
        where a file of that name is in the way.

    Raises
    ------
    UsageError
        If there is no such file and no such shipped scenario.
    ScenarioError
        If it can't be read as a document.

    """
    if argument == "-":
        return read_document("standard input", sys.stdin.buffer.read(FILE_LIMIT + 1))
    path = Path(argument)
    if not argument.startswith("@") and path.exists():
        return read_document(argument, _read_file(path))
    name = argument.removeprefix("@")
    known = [s.name for s in shipped()]
    if name not in known:
        hint = suggestion(Path(name).stem, known, "shipped")
        raise UsageError(f"there is no file and no shipped scenario {argument!r}; {hint}")
    resource = files("mpnet.scenarios").joinpath(f"{name}.yaml")
    return read_document(f"{name}.yaml", resource.read_bytes())


def _read_file(path: Path) -> bytes:
    fault = ""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            fault = "this is not a regular file"
        elif path.stat().st_size > FILE_LIMIT:
            fault = f"the file is larger than {FILE_LIMIT // 10**6} MB"
        else:
            return path.read_bytes()
    except OSError as error:
        fault = f"can't be read ({error.strerror})"
    raise ScenarioError([Fault((), fault)], str(path))


def override(document: Document, settings: Sequence[str]) -> Document:
    """Apply ``KEY.KEY=VALUE`` settings from a command line.

    Raises
    ------
    UsageError
        If a setting has no ``=`` or an empty key.
    ScenarioError
        If the value can't be read, or the path leads through something that is no mapping.

    """
    for setting in settings:
        key, equals, text = setting.partition("=")
        steps = tuple(int(s) if s.isdigit() and s != "" else s for s in key.split("."))
        if not equals or "" in steps:
            raise UsageError(f"--set {setting}: write KEY.KEY=VALUE, such as evidence.shape=jar")
        document = set_value(document, _by_kind(document, steps), parse_scalar(text))
    return document


def _by_kind(document: Document, steps: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Numbers are indices in lists and keys in mappings, such as a node called ``7``."""
    here: object = document.data
    found: list[str | int] = []
    for step in steps:
        if isinstance(here, list) and isinstance(step, int):
            found.append(step)
            here = here[step] if 0 <= step < len(here) else None
        else:
            found.append(str(step))
            here = here.get(str(step)) if isinstance(here, dict) else None
    return tuple(found)
