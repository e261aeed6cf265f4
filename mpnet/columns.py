"""Columns of a table as features with named states: categories as they are, numbers in bins."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np

from mpnet.errors import UsageError, shown
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.names import NAME_LIMIT

MISSING = -1
"""Code of a value that is not there, or that was never seen."""

_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


@dataclass(frozen=True)
class Column:
    """One feature.

    Parameters
    ----------
    name : str
        Its node.
    states : tuple of str
        Names of its states.
    edges : float64[states - 1] or None
        Between the bins of numbers, rising; a number on an edge belongs above. None for
        categories.
    codes : mapping of object to int
        State of each category.

    """

    name: str
    states: tuple[str, ...]
    edges: FloatArray | None
    codes: Mapping[Any, int] = field(default_factory=dict)

    def read(self, values: Sequence[Any]) -> IntArray:
        """States of some values, int64[n]; what is missing or unknown is ``MISSING``."""
        if self.edges is None:
            found = [MISSING if is_missing(v) else self.codes.get(v, MISSING) for v in values]
            return np.array(found, dtype=np.int64)
        numbers = as_numbers(values, self.name)
        states = np.searchsorted(self.edges, numbers, side="right").astype(np.int64)
        states[np.isnan(numbers)] = MISSING
        return states


def learn_column(name: str, values: Sequence[Any], bins: int, categorical: bool | None) -> Column:
    """A feature that tells the values of a column apart.

    Parameters
    ----------
    name : str
        Its node.
    values : sequence
        Numbers or categories; some may be missing.
    bins : int
        Most bins of numbers; they hold about as many values each. Fewer different numbers than
        that have a state each.
    categorical : bool or None
        Whether values are categories; None where anything but numbers is.

    """
    known = [v for v in values if not is_missing(v)]
    if categorical is None:
        categorical = not all(isinstance(v, Real) for v in known)
    if categorical:
        unique = list(dict.fromkeys(known))
        ordered = sorted(unique, key=lambda v: (str(type(v)), str(v))) or ["unknown"]
        states = unique_names(map(str, ordered))
        return Column(name, tuple(states), None, {v: i for i, v in enumerate(ordered)})
    edges = _edges(as_numbers(known, name), bins)
    return Column(name, _ranges(edges), edges)


def is_missing(value: Any) -> bool:
    """Whether a value stands for one that is not there: None, NaN or pandas' NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def as_numbers(values: Sequence[Any], name: str) -> FloatArray:
    """Values as float64[n], NaN where they are missing.

    Raises
    ------
    UsageError
        If one is no number, or infinite.

    """
    try:
        found = np.array([np.nan if is_missing(v) else v for v in values], dtype=np.float64)
    except (TypeError, ValueError):
        raise UsageError(f"column {shown(name)!r} holds numbers, and now something else") from None
    if np.isinf(found).any():
        raise UsageError(f"column {shown(name)!r} holds an infinite number")
    return found


def _edges(known: FloatArray, bins: int) -> FloatArray:
    unique = np.unique(known)
    if unique.size <= bins:
        middle: FloatArray = unique[:-1] + np.diff(unique) / 2
        return middle
    inner = np.quantile(known, np.linspace(0.0, 1.0, bins + 1)[1:-1])
    edges: FloatArray = np.unique(inner[inner > unique[0]])
    return edges


def _ranges(edges: FloatArray) -> tuple[str, ...]:
    """Names of bins: with as many digits as tell the edges apart."""
    if not edges.size:
        return ("any",)
    texts = [f"{edge:.6g}" for edge in edges]
    if len(set(texts)) < len(texts):
        texts = [repr(float(edge)) for edge in edges]
    inner = [f"{low} to {high}" for low, high in pairwise(texts)]
    return (f"below {texts[0]}", *inner, f"from {texts[-1]}")


def unique_names(wanted: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Names that a scenario can hold, as near to those wanted as can be, all different."""
    used, found = set(taken), []
    for text in wanted:
        clean = unicodedata.normalize("NFC", text)
        clean = "".join(
            "_" if c in "/\\" or unicodedata.category(c) in _HIDDEN else c for c in clean
        )
        clean = clean.strip()[: NAME_LIMIT - 10].strip()
        clean = clean if clean.strip(".") else f"_{clean}"
        name, number = clean, 2
        while name in used:
            name, number = f"{clean} {number}", number + 1
        used.add(name)
        found.append(name)
    return found
