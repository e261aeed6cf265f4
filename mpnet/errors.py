"""Everything that mpnet raises on purpose, and the exit code of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SHOWN_FAULTS = 20


class MpnetError(Exception):
    """Base of all errors that mpnet raises on purpose; ``exit_code`` is the command line's.

    *Stable.*
    """

    exit_code = 1


class UsageError(MpnetError, ValueError):
    """An option or argument that makes no sense.

    *Stable.*
    """

    exit_code = 2


class GraphError(MpnetError, ValueError):
    """A factor graph that can't be built; the message names the variable or factor.

    *Stable.*
    """

    exit_code = 3


class TooLargeError(GraphError):
    """A computation refused before it starts, with the size it would have had.

    *Stable.*
    """


class OutputError(MpnetError, OSError):
    """A file or folder that exists, is in use, is damaged or can't be written.

    *Stable.*
    """

    exit_code = 5


class PluginError(MpnetError, ImportError):
    """A plugin that is missing, broken or not enabled.

    *Stable.*
    """

    exit_code = 6


class DataError(MpnetError, FileNotFoundError):
    """Data that are not in the data folder; the message names the file and the folder.

    *Stable.*
    """

    exit_code = 6


class InconsistentError(MpnetError, ArithmeticError):
    """Evidence that the model rules out: no assignment has a positive probability.

    *Stable.*
    """

    exit_code = 7


class NumericalError(MpnetError, ArithmeticError):
    """A number that is not a number, with the place where it appeared.

    *Stable.*
    """

    exit_code = 7


class NotConvergedWarning(UserWarning):
    """Numbers that come from messages that had not settled; the text says why.

    *Stable.*
    """


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a scenario file.

    *Stable.*

    Parameters
    ----------
    path : tuple of str or int
        Where in the document, as keys and list indices; empty for the whole file.
    what : str
        What is wrong and what was got.
    hint : str
        What would be right; may be empty.
    on_key : bool
        Whether the key itself is at fault, rather than its value.
    line, column : int
        Counted from 1; 0 when not known yet.

    """

    path: tuple[str | int, ...]
    what: str
    hint: str = ""
    on_key: bool = False
    line: int = 0
    column: int = 0

    @property
    def place(self) -> str:
        """The path as ``nodes.jar.predicts`` or ``expect[2].near``."""
        return dotted(self.path)


def dotted(path: Sequence[str | int]) -> str:
    """Write a path as a person would: ``nodes.jar.parts[1]``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{shown(step)}" if text else shown(step)
    return text


def size(count: int) -> str:
    """A number of entries, however large: ``4096`` or ``about 10^60``."""
    return str(count) if count < 10**7 else f"about 10^{len(str(count)) - 1}"


def shown(text: str, limit: int = 60) -> str:
    """Return ``text`` cut to ``limit`` characters and without control characters."""
    clean = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


class ScenarioError(MpnetError, ValueError):
    """A scenario file with faults; all of them, sorted by position.

    *Stable.*

    Parameters
    ----------
    faults : sequence of Fault
        At least one.
    source : str
        File name for the messages.
    lines : sequence of str
        The text of the file, to show the line at fault; may be empty.

    """

    exit_code = 3

    def __init__(
        self, faults: Sequence[Fault], source: str = "scenario", lines: Sequence[str] = ()
    ) -> None:
        self.faults = tuple(sorted(faults, key=lambda f: (f.line, f.column)))
        self.source = source
        self.lines = tuple(lines)
        super().__init__("\n".join(self.report()))

    def report(self) -> list[str]:
        """One entry per fault (at most 20), then a total; each ready to print."""
        entries = [self._entry(fault) for fault in self.faults[:SHOWN_FAULTS]]
        count = len(self.faults)
        more = f", the first {SHOWN_FAULTS} shown" if count > SHOWN_FAULTS else ""
        return [*entries, f"{count} {'fault' if count == 1 else 'faults'}{more}; nothing was run"]

    def _entry(self, fault: Fault) -> str:
        where = (
            f"{shown(self.source, 200)}:{fault.line}:{fault.column}" if fault.line else self.source
        )
        place = f" {fault.place}:" if fault.path else ""
        hint = f"; {shown(fault.hint, 1000)}" if fault.hint else ""
        entry = f"{where}:{place} {shown(fault.what, 1000)}{hint}"
        if 0 < fault.line <= len(self.lines):
            start = max(0, fault.column - 60)
            line = self.lines[fault.line - 1][start : start + 100]
            text = "".join(c if c.isprintable() else " " for c in line)
            entry += f"\n  {fault.line:>4} | {text}\n       | {' ' * (fault.column - 1 - start)}^"
        return entry
