"""Sparse tables: the assignments that are possible, each with its potential; all others are not."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from mpnet.content import Label, Maker, Parts
from mpnet.dense import WIDEST_RANGE, frozen, logs_of
from mpnet.errors import GraphError
from mpnet.factors.base import Chained, Written, logs, need_arity, need_numbers
from mpnet.kernels.layout import FloatArray, IndexArray, IntArray
from mpnet.kernels.sparse import SparseArrays


@dataclass(frozen=True, eq=False)
class SparseTables(Chained):
    """Sparse tables of one shape; factors may share one.

    Parameters
    ----------
    sizes : tuple of int
        Number of states of each variable.
    factor_list : int32[F]
        Which list each factor uses.
    lists : tuple of (int32[rows, arity], float64[rows])
        Assignments and their potentials.

    """

    sizes: tuple[int, ...]
    factor_list: IndexArray
    lists: tuple[tuple[IndexArray, FloatArray], ...]

    @property
    def kind(self) -> str:
        """Its kernels."""
        return "sparse"

    @property
    def count(self) -> int:
        """How many factors there are."""
        return len(self.factor_list)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of states of each variable."""
        return self.sizes

    @property
    def alike(self) -> Hashable:
        """Those of one shape."""
        return SparseTables

    def table(self, number: int) -> FloatArray:
        """Log potentials of one factor, in nats."""
        self.need_small()
        rows, weights = self.lists[self.factor_list[number]]
        table = np.full(self.sizes, -np.inf)
        table[tuple(rows.T)] = logs(weights)
        return table

    def parts(self, number: int) -> Parts:
        """The number of the row as a hidden variable, which tells each variable its state."""
        rows, weights = self.lists[self.factor_list[number]]
        arity = len(self.sizes)
        if not len(rows):
            return Parts((), (((0,), np.full(self.sizes[0], -np.inf)),))
        tables: list[tuple[tuple[int, ...], FloatArray]] = []
        for place, states in enumerate(self.sizes):
            tables.append(((place, arity), logs(np.arange(states)[:, None] == rows[:, place])))
        tables.append(((arity,), logs(weights)))
        return Parts((len(rows),), tuple(tables))

    def taken(self, numbers: IntArray) -> SparseTables:
        """Some of the factors, by their places in the family."""
        return replace(self, factor_list=self.factor_list[numbers])

    def joined(self, others: Sequence[SparseTables]) -> SparseTables:
        """All factors in a row; equal lists are kept once."""
        store: dict[bytes, tuple[int, tuple[IndexArray, FloatArray]]] = {}
        found = []
        for content in (self, *others):
            new = [
                store.setdefault(pair[0].tobytes() + pair[1].tobytes(), (len(store), pair))[0]
                for pair in content.lists
            ]
            found.append(np.array(new, dtype=np.int32)[content.factor_list])
        lists = tuple(pair for _, pair in store.values())
        return SparseTables(self.sizes, np.concatenate(found), lists)

    @cached_property
    def _best(self) -> FloatArray:
        best = np.array([weights.max(initial=0.0) for _, weights in self.lists])
        best[best == 0.0] = 1.0
        return best

    def is_linear(self) -> bool:
        """Whether the potentials of each list keep within the range of linear space."""
        return not any(
            ((weights > 0.0) & (weights < WIDEST_RANGE * best)).any()
            for (_, weights), best in zip(self.lists, self._best)
        )

    def tempered(self, powers: FloatArray) -> SparseTables:
        """Sparse tables again."""
        pairs = [(int(i), float(p)) for i, p in zip(self.factor_list, powers)]
        found = {pair: number for number, pair in enumerate(dict.fromkeys(pairs))}
        lists = tuple((self.lists[i][0], self.lists[i][1] ** power) for i, power in found)
        where = np.array([found[pair] for pair in pairs], dtype=np.int32)
        return SparseTables(self.sizes, where, lists)

    def arrays(self, first: int, linear: bool, dtype: DTypeLike) -> tuple[Any, float]:
        """What the kernels read, and the log of what all factors were divided by (nats)."""
        values = np.concatenate([w / best for (_, w), best in zip(self.lists, self._best)])
        starts = np.cumsum([0, *(len(weights) for _, weights in self.lists)])
        rows = np.concatenate([rows.reshape(-1) for rows, _ in self.lists])
        arrays = SparseArrays(
            first,
            frozen(self.factor_list, np.int32),
            frozen(starts, np.int32),
            frozen(rows, np.int32),
            frozen(values if linear else logs_of(values), dtype),
        )
        return arrays, float(np.log(self._best)[self.factor_list].sum())


@dataclass(frozen=True)
class SparseTable(Written):
    """The assignments that are possible, each with its potential; all others are not.

    *Evolving.*

    Parameters
    ----------
    variables : sequence of str
        Variables of any cardinalities.
    rows : mapping of tuple of int to float, or sequence of tuple of int
        Potentials by assignment; a sequence gives each the potential 1.
    name : str
        For messages and figures.

    Examples
    --------
    >>> table = SparseTable(["a", "b", "c"], {(0, 0, 1): 0.2, (1, 2, 1): 0.8})

    """

    variables: Sequence[str]
    rows: Mapping[tuple[int, ...], float] | Sequence[tuple[int, ...]]

    @property
    def scope(self) -> tuple[str, ...]:
        """The variables."""
        return tuple(self.variables)

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        if isinstance(self.rows, Mapping):
            return self.batch(list(self.rows), list(self.rows.values()))
        return self.batch(list(self.rows))

    @staticmethod
    def batch(rows: ArrayLike, weights: ArrayLike = 1.0) -> Maker:
        """Many equal tables at once, for ``FactorGraph.from_arrays``.

        Parameters
        ----------
        rows : int[rows, arity]
            Assignments that are possible, each once.
        weights : float[rows] or float
            Their potentials.

        """

        def make(counts: IntArray, label: Label) -> SparseTables:
            need_arity(counts, label, "a sparse table", 1)
            sizes = tuple(map(int, counts[0]))
            found = _rows(rows, sizes, label)
            given = np.asarray(weights, dtype=np.float64)
            spread = np.full(len(found), given) if given.ndim == 0 else given
            held = need_numbers(spread[None], (1, len(found)), label, "weights")[0]
            pair = frozen(found, np.int32), frozen(held)
            return SparseTables(sizes, frozen(np.zeros(len(counts)), np.int32), (pair,))

        return make


def _rows(rows: ArrayLike, sizes: tuple[int, ...], label: Label) -> IntArray:
    try:
        given = np.asarray(rows, dtype=np.int64)
    except (TypeError, ValueError) as error:
        raise GraphError(f"{label(0)}: rows are not lists of states ({error})") from None
    if not given.size:
        given = given.reshape(0, len(sizes))
    if given.ndim != 2 or given.shape[1] != len(sizes):
        raise GraphError(
            f"{label(0)}: rows have shape {given.shape}; each must name {len(sizes)} states"
        )
    wrong = (given < 0) | (given >= np.array(sizes))
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        raise GraphError(
            f"{label(0)}: rows[{row}] is {tuple(given[row].tolist())}; variable {column} has the "
            f"states 0 to {sizes[column] - 1}"
        )
    _, first, times = np.unique(given, axis=0, return_index=True, return_counts=True)
    if (times > 1).any():
        row = int(first[np.argmax(times > 1)])
        raise GraphError(f"{label(0)}: rows[{row}] is there twice: {tuple(given[row].tolist())}")
    return given
