"""The font inside SVG files: only the signs that occur, so that texts look the same everywhere."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import lru_cache
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl

FAMILY = "DejaVu Sans"
_FILES = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}
_TEXT = re.compile(r'<text style="([^"]*)"[^>]*>([^<]*)<')
_BOLD = re.compile(r"\b(?:bold|700)\b")
_LEFT_OUT = ("FFTM", "GDEF", "GPOS", "GSUB", "MATH", "kern", "gasp", "prep", "fpgm", "cvt ")


def font_faces(svg: str) -> str:
    """Style sheet with the font of the texts in an SVG; empty where there are none."""
    signs: dict[bool, set[str]] = {False: set(), True: set()}
    for look, text in _TEXT.findall(svg):
        signs[bool(_BOLD.search(look))].update(unescape(text))
    faces = [_face("".join(sorted(used)), bold) for bold, used in signs.items() if used]
    return f'<style type="text/css">{"".join(faces)}</style>' if faces else ""


@lru_cache(maxsize=64)
def _face(signs: str, bold: bool) -> str:
    """Rule for one weight of the font with some of its signs, of the same bytes every time."""
    font = b64encode(_subset(signs, bold)).decode()
    weight = 700 if bold else 400
    return (
        f"@font-face{{font-family:'{FAMILY}';font-weight:{weight};"
        f"src:url(data:font/woff;base64,{font}) format('woff')}}"
    )


def _subset(signs: str, bold: bool) -> bytes:
    from fontTools import subset

    options: Any = subset.Options()
    options.flavor = "woff"
    options.hinting = False
    options.layout_features = []
    options.drop_tables = [*options.drop_tables, *_LEFT_OUT]
    options.name_IDs = [1, 2]
    options.recalc_timestamp = False
    path = Path(mpl.get_data_path()) / "fonts" / "ttf" / _FILES[bold]
    buffer = BytesIO()
    with subset.load_font(str(path), options) as font:
        subsetter = subset.Subsetter(options)
        subsetter.populate(text=signs)
        subsetter.subset(font)
        subset.save_font(font, buffer, options)
    return buffer.getvalue()
