"""Figures to files: whole, described in words, and the same bytes every time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from matplotlib.figure import Figure
from PIL import Image

from mpnet.errors import OutputError, UsageError, shown
from mpnet.plots import FORMATS, style
from mpnet.plots.fonts import font_faces
from mpnet.plots.wording import alt_text, headline
from mpnet.record import Record

COLORS = 192
"""Colours of a small picture, chosen so that none is far from its own: rare ones are of thin lines."""


def save_figure(
    figure: Figure, path_stem: Path, record: Record, formats: Sequence[str]
) -> list[Path]:
    """Write ``path_stem.<format>`` for each format; see ``mpnet.plots.save``."""
    title = headline(record, str(figure.get_label()) or "figure")
    return save_described(figure, path_stem, (title, alt_text(record)), formats)


def save_small(figure: Figure, path: Path, record: Record) -> Path:
    """Write a PNG for a page, which brings the words itself: few colours, about a third in size."""
    title = headline(record, str(figure.get_label()) or "figure")
    whole = Image.open(BytesIO(render(figure, "png", title, alt_text(record))))
    few = whole.convert("RGB").quantize(
        COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
    )
    buffer = BytesIO()
    few.save(buffer, "PNG", optimize=True)
    write_whole(path, buffer.getvalue())
    return path


def save_described(
    figure: Figure, path_stem: Path, words: tuple[str, str], formats: Sequence[str]
) -> list[Path]:
    """Write a figure with its title and its description in words, and return the paths."""
    check_formats(formats)
    title, description = words
    paths = []
    for name in formats:
        path = path_stem.with_name(f"{path_stem.name}.{name}")
        write_whole(path, render(figure, name, title, description))
        paths.append(path)
    return paths


def check_formats(formats: Sequence[str]) -> None:
    """Raise a UsageError that names the first format which is unknown."""
    for name in formats:
        if name not in FORMATS:
            raise UsageError(f"unknown format {shown(name)!r} (known: {', '.join(FORMATS)})")


@style.context()
def render(figure: Figure, name: str, title: str, description: str) -> bytes:
    """Bytes of a figure as ``png``, ``svg`` or ``pdf``, with its title and description in words."""
    options: dict[str, Any] = {"pil_kwargs": {"compress_level": 3}} if name == "png" else {}
    metadata = _metadata(name, title, description)
    buffer = BytesIO()
    figure.savefig(buffer, format=name, dpi=style.DPI, metadata=metadata, **options)
    content = buffer.getvalue()
    return _described(content, description) if name == "svg" else content


def _metadata(name: str, title: str, description: str) -> dict[str, Any]:
    """What a file says of itself; None leaves out a date, which would differ every time."""
    if name == "pdf":
        words = {"Title": title, "Subject": description, "Creator": "mpnet"}
        return {**words, "CreationDate": None}
    dates = {"Date": None} if name == "svg" else {}
    return {"Title": title, "Description": description, **dates}


def _described(svg: bytes, description: str) -> bytes:
    """Add ``<desc>`` after the title, what screen readers look for, and the font of the texts."""
    mark = b"</title>"
    desc = f"\n <desc>{escape(description)}</desc>\n {font_faces(svg.decode())}".encode()
    return svg.replace(mark, mark + desc, 1)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it appears whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(f"{path}: can't be written: {error.strerror}") from error
