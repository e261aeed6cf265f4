"""Files from outside: read as untrusted bytes, written whole or not at all."""

from __future__ import annotations

import gzip
import os
import stat
import sys
import zlib
from pathlib import Path

from mpnet.errors import Fault, OutputError, ScenarioError

FILE_LIMIT = 2**30
"""Largest file that is read, in bytes."""

UNPACKED_LIMIT = 2**28
"""Most that a ``.gz`` file may hold, in bytes."""

_BOM = b"\xef\xbb\xbf"
_FOREIGN = {
    b"\x1f\x8b": "this is gzip data; unpack it, or call the file .gz",
    b"PK\x03\x04": "this is a zip archive; unpack it",
    b"BZh": "this is bzip2 data; unpack it",
    b"\xfd7zXZ": "this is xz data; unpack it",
    b"%PDF": "this is a PDF document",
    b"\xff\xfe": "this is UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "this is UTF-16 text; save it as UTF-8",
}


class ModelFileError(ScenarioError):
    """A model or evidence file with a fault: file, line, column, what is wrong, what would be right.

    *Evolving.*
    """


def fault(
    source: str, what: str, hint: str = "", data: bytes = b"", offset: int = -1
) -> ModelFileError:
    """An error about a file, at a byte of it where ``offset`` is not negative."""
    if offset < 0:
        return ModelFileError([Fault((), what, hint)], source)
    line = data.count(b"\n", 0, offset) + 1
    start = data.rfind(b"\n", 0, offset) + 1
    end = data.find(b"\n", offset)
    before = data[start:offset].decode("utf-8", "replace")
    text = data[start : end if end >= 0 else len(data)].decode("utf-8", "replace")
    found = Fault((), what, hint, line=line, column=len(before) + 1)
    # Only the line at fault is ever shown; the others may be a million.
    return ModelFileError([found], source, ("",) * (line - 1) + (text,))


def read_bytes(path: Path) -> bytes:
    """What a regular file (or standard input, ``-``) holds, unpacked where its name ends in .gz.

    Raises
    ------
    ModelFileError
        If it can't be read, is no regular file, or is larger than the limits.

    """
    if str(path) == "-":
        data = sys.stdin.buffer.read(FILE_LIMIT + 1)
        if len(data) > FILE_LIMIT:
            raise fault("-", f"more than {FILE_LIMIT >> 20} MiB on standard input")
        return data
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise fault(str(path), "this is not a regular file")
        if about.st_size > FILE_LIMIT:
            raise fault(str(path), f"the file is larger than {FILE_LIMIT >> 20} MiB")
        return _unpacked(path) if path.suffix == ".gz" else path.read_bytes()
    except OSError as error:
        raise fault(str(path), f"can't be read ({error.strerror or error})") from None
    except ValueError as error:  # a NUL in a path
        if isinstance(error, ModelFileError):
            raise
        raise fault(str(path), f"can't be read ({error})") from None


def _unpacked(path: Path) -> bytes:
    try:
        with gzip.open(path) as stream:
            data = stream.read(UNPACKED_LIMIT + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise fault(str(path), f"can't be unpacked ({error})") from None
    if len(data) > UNPACKED_LIMIT:
        raise fault(str(path), f"holds more than {UNPACKED_LIMIT >> 20} MiB when unpacked")
    return data


def as_text(data: bytes, source: str) -> bytes:
    """The bytes without a byte order mark.

    Raises
    ------
    ModelFileError
        If they are plainly something else: compressed, a web page, UTF-16 or binary.

    """
    for magic, what in _FOREIGN.items():
        if data.startswith(magic):
            raise fault(source, what, data=data, offset=0)
    data = data.removeprefix(_BOM)
    start = len(data) - len(data.lstrip())
    if data[start : start + 1] == b"<":
        raise fault(
            source, "this is a web page or XML, not a model", "was a download refused?", data, start
        )
    if (where := data.find(b"\0")) >= 0:
        raise fault(source, "holds a NUL byte; this is no text file", "", data, where)
    return data


def write_whole(path: Path, content: bytes, overwrite: bool = False) -> None:
    """Write a file under a temporary name beside, then rename it.

    Raises
    ------
    OutputError
        If it is there already (unless ``overwrite``) or can't be written.

    """
    if path.is_dir() or (not overwrite and os.path.lexists(path)):
        raise OutputError(f"{path} is there already; choose another name or allow to overwrite it")
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        try:
            with partial.open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            if overwrite:
                partial.replace(path)
            else:
                os.link(partial, path)  # unlike a rename, fails if someone was quicker
        finally:
            partial.unlink(missing_ok=True)
    except FileExistsError:
        raise OutputError(f"{path} is there already; it was not overwritten") from None
    except OSError as error:
        raise OutputError(
            f"{path} can't be written: {error.strerror or error} ({len(content)} bytes)"
        ) from None
