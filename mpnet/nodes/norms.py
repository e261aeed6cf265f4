"""Concept norms: which features apply to which concepts, as people or zoologists said.

Sources: De Deyne et al., Exemplar by feature applicability matrices and other Dutch normative data
for semantic concepts, Behavior Research Methods 40 (2008); Forsyth, Zoo, UCI Machine Learning
Repository (1990).
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from mpnet.datafolder import data_file
from mpnet.errors import DataError
from mpnet.kernels.layout import FloatArray

LEUVEN_KINDS = ("bird", "fish", "insect", "mammal", "reptile")
LEUVEN_RATERS = 4
TELLING = ("is a bird", "is a fish", "is a mammal", "is a reptile", "is an insect")
"""Features of the Leuven norms that say the kind itself; left out."""
ZOO_KINDS = ("mammal", "bird", "reptile", "fish", "amphibian", "insect", "invertebrate")


@dataclass(frozen=True, eq=False)
class Norms:
    """Concepts by feature: ``counts`` (N, F) of ``raters`` said that the feature applies.

    ``kinds`` are those of the concepts, N of them.
    """

    concepts: tuple[str, ...]
    kinds: tuple[str, ...]
    features: tuple[str, ...]
    counts: FloatArray
    raters: int


def load_norms(table: str) -> Norms:
    """Norms from the data folder.

    Parameters
    ----------
    table : str
        A key of ``TABLES``.

    Raises
    ------
    DataError
        If files are missing or not what they should be.

    """
    return TABLES[table]()


def _leuven() -> Norms:
    what = "Leuven concept norms, De Deyne et al. 2008"
    folder = "concepts/leuven"
    paths = [
        data_file(f"{folder}/{kind}_exemplar_features_sum.csv", what)
        for kind in ("animal", *LEUVEN_KINDS)
    ]
    return _read_leuven(*paths)


def _zoo() -> Norms:
    return _read_zoo(data_file("concepts/zoo.data", "UCI Zoo, Forsyth 1990"))


TABLES: dict[str, Callable[[], Norms]] = {"leuven": _leuven, "zoo": _zoo}
"""Norms by name."""


@cache
def _read_leuven(everything: Path, *by_kind: Path) -> Norms:
    head, rows = _rows(everything)
    kind_of = {
        row[0]: kind
        for kind, path in zip(LEUVEN_KINDS, by_kind, strict=True)
        for row in _rows(path)[1]
    }
    concepts = tuple(row[0] for row in rows)
    unknown = [name for name in concepts if name not in kind_of]
    if unknown:
        raise DataError(f"{everything}: no table of a kind holds {unknown[0]!r}")
    counts = _numbers(everything, [row[1:] for row in rows])
    if not ((counts >= 0.0) & (counts <= LEUVEN_RATERS)).all():
        raise DataError(f"{everything}: counts must be from 0 to {LEUVEN_RATERS}")
    kinds = tuple(kind_of[name] for name in concepts)
    # Whoever is told "is a bird" need not recognise one.
    kept = [c for c, name in enumerate(head[1:]) if name not in TELLING]
    features = _named([head[1 + c] for c in kept])
    return Norms(concepts, kinds, features, counts[:, kept], LEUVEN_RATERS)


@cache
def _read_zoo(path: Path) -> Norms:
    head, rows = _rows(path)
    numbers = _numbers(path, [row[1:] for row in rows])
    legs = head.index("legs") - 1
    found = sorted(set(numbers[:, legs]))
    names = [name for name in head[1:-1] if name != "legs"] + [f"{n:g} legs" for n in found]
    plain = np.delete(numbers[:, :-1], legs, axis=1)
    counts = np.column_stack([plain, *[numbers[:, legs] == n for n in found]]).astype(np.float64)
    kinds = tuple(ZOO_KINDS[int(number) - 1] for number in numbers[:, -1])
    return Norms(_named([row[0] for row in rows]), kinds, tuple(names), counts, 1)


def _rows(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file) if row]
    if len(rows) < 2 or any(len(row) != len(rows[0]) for row in rows):
        raise DataError(f"{path} is no table with a heading and rows of one length")
    return rows[0], rows[1:]


def _numbers(path: Path, cells: list[list[str]]) -> FloatArray:
    try:
        return np.array(cells, dtype=np.float64)
    except ValueError as error:
        raise DataError(f"{path} holds a cell that is no number ({error})") from None


def _named(texts: list[str]) -> tuple[str, ...]:
    """Texts as names of nodes or states: no slashes, nothing that can't be seen, all different."""
    names: list[str] = []
    for text in texts:
        seen = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)
        name = plain = " ".join(seen.replace("/", " or ").replace("\\", " or ").split())
        number = 1
        while name in names:
            number += 1
            name = f"{plain} ({number})"
        names.append(name)
    return tuple(names)
