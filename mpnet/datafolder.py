"""Where data of others are: a folder that the environment or an option names, never shipped."""

from __future__ import annotations

import os
from pathlib import Path

from mpnet.errors import DataError

VARIABLE = "MPNET_DATA"
"""Environment variable that names the folder; ``mpnet run --data`` sets it."""


def data_folder() -> Path | None:
    """The data folder, if one is named."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None


def data_file(name: str, what: str) -> Path:
    """A file in the data folder.

    Parameters
    ----------
    name : str
        Path inside the folder, with slashes.
    what : str
        What it holds and where it comes from, for whoever lacks it.

    Raises
    ------
    DataError
        If there is no folder, or no such file in it.

    """
    folder = data_folder()
    if folder is None:
        raise DataError(
            f"this needs {name} ({what}); name a folder that holds it with --data or {VARIABLE}"
        )
    path = folder / name
    if not path.is_file():
        raise DataError(f"{path} is missing ({what}); --data or {VARIABLE} names another folder")
    return path
