"""Numbers as a page carries them: rows within a budget, arrays as base64, JSON in a script element."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpnet.errors import shown
from mpnet.trace import AnyFloats, IntArray, Trace

WHOLE = 65534
"""A probability of 1 as an unsigned 16-bit number; the number above it is NaN."""
LOWEST, HIGHEST = -16.0, 2.0
"""Range of the logarithms (base 10) of residuals; what is outside is cut to it."""
TEXT = 200
"""Characters of a name or a sentence of somebody else, at most."""


def kept_rows(trace: Trace, events: Iterable[int], most: int) -> IntArray:
    """Rows of a trace that a page shows: the first, the last, those of events, and an even grid.

    Parameters
    ----------
    trace : Trace
        What happened, ``T`` rows.
    events : iterable of int
        Iterations at which something happened.
    most : int
        Rows that there is room for; 2 or more. The grid gets wider, then events are left out.

    Returns
    -------
    int64[R]
        Row numbers, rising; ``R`` is at most ``most``.

    """
    total = trace.iterations.size
    if total <= most:
        return np.arange(total)
    marked = {0, total - 1} | {trace.row_of(iteration) for iteration in events}
    if len(marked) > most:
        found = np.array(sorted(marked))
        return found[np.unique(np.linspace(0, found.size - 1, most).astype(np.int64))]
    step = 2
    while len(marked | set(range(0, total, step))) > most:
        step += 1
    return np.array(sorted(marked | set(range(0, total, step))))


def probabilities(values: AnyFloats) -> str:
    """Probabilities as base64 of little-endian uint16, ``WHOLE`` for 1 and one more for NaN."""
    scaled = np.rint(np.clip(values, 0.0, 1.0) * WHOLE)
    return _encoded(np.where(np.isnan(values), WHOLE + 1, scaled).astype("<u2"))


def magnitudes(values: AnyFloats) -> str:
    """Residuals on a logarithmic scale as base64 of uint8: 1 to 255, and 0 for NaN and 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.clip(np.log10(values), LOWEST, HIGHEST)
    shares = 1 + np.rint((logs - LOWEST) / (HIGHEST - LOWEST) * 254)
    missing = ~(values > 0)
    return _encoded(np.where(missing, 0.0, shares).astype(np.uint8))


def _encoded(array: NDArray[np.generic]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")


def number(value: float | None, digits: int = 6) -> float | str | None:
    """A number for JSON with few digits; infinite ones are text, NaN is None."""
    if value is None or math.isnan(value):
        return None
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return float(f"{value:.{digits}g}")


def numbers(values: Iterable[float | None], digits: int = 6) -> list[float | str | None]:
    """Several numbers for JSON."""
    return [number(None if value is None else float(value), digits) for value in values]


def words(text: str) -> str:
    """Somebody's text, cut, with control characters spelled out."""
    return shown(text, TEXT)


def script_json(data: Mapping[str, Any]) -> str:
    """JSON for the inside of a script element: no ``<`` that could end it, nor ``&``.

    U+2028 and U+2029 are spelled out by ``ensure_ascii``.
    """
    text = json.dumps(data, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
