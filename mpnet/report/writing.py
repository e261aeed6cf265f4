"""A report as a file: whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from mpnet.errors import OutputError
from mpnet.record import Record
from mpnet.report.page import MEGABYTE, Page, build_page
from mpnet.report.sources import read_sources

NAME = "report.html"
MEGABYTES = 10.0
"""Size of a page unless another is asked for, at most, in megabytes."""


def write_report(
    record: Record, folder: Path, out: Path | None = None, megabytes: float = MEGABYTES
) -> tuple[Path, Page]:
    """Write the page of a run.

    Parameters
    ----------
    record : Record
        The run.
    folder : Path
        Its run folder: the scenario is read from there.
    out : Path, optional
        The file to write; ``report.html`` in the folder if left out. A file that is there is
        replaced.
    megabytes : float
        Largest size of the page, in megabytes.

    Returns
    -------
    Path, Page
        The file, and what it holds.

    Raises
    ------
    OutputError
        If the file can't be written.
    UsageError
        If the page can't be made as small as that.

    """
    page = build_page(record, read_sources(folder), int(megabytes * MEGABYTE))
    path = folder / NAME if out is None else out
    _replace(path, page.html.encode())
    return path, page


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        if path.is_dir():
            raise OutputError(f"{path} is a folder; name a file")
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except OutputError:
        raise
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(f"{path}: can't be written: {error.strerror or error}") from error
