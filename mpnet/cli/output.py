"""Where words go: results to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

_CHOICE = {"colour": "auto"}


def use_colour(choice: str) -> None:
    """Remember whether to colour: ``auto``, ``always`` or ``never``."""
    _CHOICE["colour"] = choice


def console(stderr: bool = False) -> Console:
    """A console that never reads names as markup and never paints without being allowed to."""
    from rich.console import Console

    class Printer(Console):
        """Rich itself would end the process with exit code 1 where the reader has gone."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    colour = _CHOICE["colour"]
    width = None if (sys.stderr if stderr else sys.stdout).isatty() else 100
    return Printer(
        stderr=stderr,
        markup=False,
        highlight=False,
        emoji=False,
        width=width,
        soft_wrap=True,
        force_terminal=True if colour == "always" else None,
        no_color=colour == "never" or None,
    )


def print_error(text: str) -> None:
    """One message on stderr, in words a terminal can show."""
    click.echo(_printable(text), err=True)


def print_result(text: str) -> None:
    """One piece of a result on stdout."""
    click.echo(_printable(text))


def _printable(text: str) -> str:
    """Escape what could steer a terminal; names in messages are somebody else's text."""
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text
    )


def is_debugging() -> bool:
    """Whether errors should show their traceback."""
    return bool(os.environ.get("MPNET_DEBUG"))
