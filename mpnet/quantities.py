"""Amounts that users write in words."""

from __future__ import annotations

import re

_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*([kKMGT]?)(i?)[bB]?")


def bytes_of(text: str) -> int:
    """Bytes in a size such as 500MB (powers of 1000) or 2GiB (powers of 1024).

    Raises
    ------
    ValueError
        If it is not written so.

    """
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise ValueError("write a size such as 500MB or 2GiB")
    power = "kmgt".find(match[2].lower()) + 1 if match[2] else 0
    return int(float(match[1]) * (1024 if match[3] else 1000) ** power)
