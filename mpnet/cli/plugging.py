"""The option ``--plugin``, which all commands that read scenarios have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def plugin_option(function: F) -> F:
    """Add ``--plugin``, repeatable, as the argument ``plugins``."""
    return click.option(
        "--plugin",
        "plugins",
        multiple=True,
        metavar="NAME|FILE.py",
        help="Allow what another distribution brings, or run the node types of a Python file.",
    )(function)
