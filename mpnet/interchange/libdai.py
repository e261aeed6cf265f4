"""libDAI's factor graph format: read and written."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from mpnet.errors import shown, size
from mpnet.graph import FactorGraph
from mpnet.interchange.building import ARITY_LIMIT, Listed, build
from mpnet.interchange.faults import check_potentials
from mpnet.interchange.files import ModelFileError, as_text
from mpnet.interchange.linear import linear_factors
from mpnet.interchange.tokens import Tokens
from mpnet.kernels.layout import FloatArray, IntArray

ENTRIES = 2**22
"""Table entries that a small file may claim; tables are sparse in the file, dense in memory."""

LABEL_LIMIT = 2**53
"""Labels of variables are below this."""


def read_fg(data: bytes, source: str) -> tuple[FactorGraph, IntArray]:
    """Read a factor graph in libDAI's format.

    The number of factors, then for each its number of variables, their labels, their
    cardinalities, the number of entries that are not zero, and these: an index (the *first*
    variable varies fastest) and a value. ``#`` starts a comment. Variables are ordered by label
    and called ``x<label>``.

    Returns
    -------
    FactorGraph
        The graph.
    int64[factors]
        For each factor of the graph, its number in the file.

    Raises
    ------
    ModelFileError
        At the first fault, with its line and column, before anything large is allocated.

    """
    reader = _Reader(Tokens(as_text(data, source), source))
    return reader.graph()


@dataclass
class _Places:
    """Where values that were spread from sparse to dense stand in the file."""

    tokens: Tokens
    heads: list[int]
    starts: IntArray
    values: FloatArray

    def fault(self, token: int, what: str, hint: str = "") -> ModelFileError:
        factor = int(np.searchsorted(self.starts, token, side="right")) - 1
        return self.tokens.fault(self.heads[factor], what, hint)

    def text(self, token: int) -> str:
        return repr(float(self.values[token]))


@dataclass
class _Reader:
    tokens: Tokens
    at: int = 0
    heads: list[int] = field(default_factory=list)
    scopes: list[list[int]] = field(default_factory=list)
    tables: list[FloatArray] = field(default_factory=list)
    states: dict[int, int] = field(default_factory=dict)
    entries: int = 0

    def graph(self) -> tuple[FactorGraph, IntArray]:
        count = self._whole("number of factors", most=len(self.tokens))
        for factor in range(count):
            self._factor(factor)
        if self.at < len(self.tokens):
            extra = len(self.tokens) - self.at
            text = shown(self.tokens.text(self.at), 40)
            raise self.tokens.fault(
                self.at,
                f"{extra} trailing token{'s' if extra > 1 else ''} after the last factor, "
                f"the first is {text!r}",
            )
        labels = sorted(self.states)
        index = {label: number for number, label in enumerate(labels)}
        flat = [index[label] for scope in self.scopes for label in scope]
        places = np.cumsum([0, *[table.size for table in self.tables]])
        listed = Listed(
            cardinalities=np.array([self.states[label] for label in labels], dtype=np.int64),
            scopes=np.array(flat, dtype=np.int64),
            starts=np.cumsum([0, *map(len, self.scopes)]),
            values=np.concatenate(self.tables) if self.tables else np.empty(0),
            places=places[:-1],
        )
        check_potentials(listed, _Places(self.tokens, self.heads, places, listed.values))
        plain = labels == list(range(len(labels)))
        return build(listed, None if plain else [f"x{label}" for label in labels])

    def _whole(self, what: str, least: int = 0, most: int = LABEL_LIMIT) -> int:
        at = self.at
        if at >= len(self.tokens):
            raise self.tokens.fault(at, f"expected the {what}, but the file ends")
        value = float(self.tokens.whole[at])
        if not least <= value <= most:
            text = shown(self.tokens.text(at), 40)
            limit = f" and <= {most}" if most < LABEL_LIMIT and value > most else ""
            raise self.tokens.fault(
                at, f"the {what} is {text!r}", f"expected a whole number >= {least}{limit}"
            )
        self.at += 1
        return int(value)

    def _factor(self, factor: int) -> None:
        self.heads.append(self.at)
        arity = self._whole(f"arity of factor {factor}", most=ARITY_LIMIT)
        first = self.at
        scope = [self._whole(f"label {i} of factor {factor}") for i in range(arity)]
        shape = []
        for place, label in enumerate(scope):
            states = self._whole(f"cardinality of variable {label} in factor {factor}", least=1)
            if self.states.setdefault(label, states) != states:
                raise self.tokens.fault(
                    self.at - 1,
                    f"variable {label} has {states} states in factor {factor}, "
                    f"and {self.states[label]} in a factor before",
                )
            if label in scope[:place]:
                raise self.tokens.fault(
                    first + place, f"factor {factor} has variable {label} twice in its scope"
                )
            shape.append(states)
        self.scopes.append(scope)
        self.tables.append(self._table(factor, tuple(shape)))

    def _table(self, factor: int, shape: tuple[int, ...]) -> FloatArray:
        """One table, the last variable fastest, flat."""
        whole, all_entries = self.tokens.whole, math.prod(shape)
        self.entries += all_entries
        if self.entries > max(ENTRIES, 100 * len(self.tokens)):
            raise self.tokens.fault(
                self.at - 1,
                f"factor {factor} claims a table of {size(all_entries)} entries; "
                f"a file of this size may claim {max(ENTRIES, 100 * len(self.tokens))} in all",
            )
        count = self._whole(f"number of entries of factor {factor}", most=all_entries)
        at, end = self.at, min(len(self.tokens), self.at + 2 * count)
        index, values = whole[at:end:2], self.tokens.numbers[at + 1 : end : 2]
        good = (index >= 0) & (index < all_entries)
        if not good.all() or np.isnan(values).any():
            self._refuse_entry(factor, at, end, all_entries)
        if end < at + 2 * count:
            raise self.tokens.fault(
                end, f"factor {factor}: expected {count} entries, got {(end - at) // 2}"
            )
        table = np.zeros(all_entries)
        where = index.astype(np.int64)
        table[where] = values
        if np.unique(where).size < count:
            self._refuse_twice(factor, at, where)
        self.at = end
        return table.reshape(shape, order="F").reshape(-1)

    def _refuse_entry(self, factor: int, at: int, end: int, all_entries: int) -> None:
        for number, place in enumerate(range(at, end, 2)):
            if not 0 <= self.tokens.whole[place] < all_entries:
                text = shown(self.tokens.text(place), 40)
                raise self.tokens.fault(
                    place,
                    f"factor {factor}, entry {number} has the index {text!r}",
                    f"expected a whole number from 0 to {all_entries - 1}",
                )
            if place + 1 < end and np.isnan(self.tokens.numbers[place + 1]):
                what = f"factor {factor}, value {number} {self.tokens.problem(place + 1)}"
                raise self.tokens.fault(place + 1, what, "potentials are finite numbers >= 0")

    def _refuse_twice(self, factor: int, at: int, where: IntArray) -> None:
        seen: set[int] = set()
        for number, index in enumerate(where.tolist()):
            if index in seen:
                raise self.tokens.fault(
                    at + 2 * number, f"factor {factor} has the entry {index} twice"
                )
            seen.add(index)


def write_fg(graph: FactorGraph) -> bytes:
    """A graph in libDAI's format; names are lost, for the format has none.

    Raises
    ------
    GraphError
        If the potentials of a factor span more than a double does; names the factor.

    """
    factors = linear_factors(graph)
    named = {variable for scope, _ in factors for variable in scope}
    alone = [v for v in range(len(graph.variables)) if v not in named]
    factors += [((v,), np.ones(int(graph.cardinalities[v]))) for v in alone]
    lines = [str(len(factors))]
    for scope, table in factors:
        values = table.reshape(-1, order="F")
        kept = np.flatnonzero(values)
        lines += ["", str(len(scope)), " ".join(map(str, scope))]
        lines += [" ".join(str(n) for n in table.shape) if scope else "", str(kept.size)]
        lines += [f"{i} {v!r}" for i, v in zip(kept.tolist(), values[kept].tolist(), strict=True)]
    return ("\n".join(lines) + "\n").encode()
