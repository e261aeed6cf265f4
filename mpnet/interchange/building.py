"""From scopes and tables in file order to a factor graph, without an object per factor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mpnet.dense import frozen, logs_of
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.variables import Factors, Variables

ARITY_LIMIT = 60
"""Most variables of one factor: an array has at most 64 axes."""


@dataclass(frozen=True)
class Listed:
    """Factors as a file lists them, F of them.

    Parameters
    ----------
    cardinalities : int64[V]
        Number of states of each variable.
    scopes : int64[E]
        Variables of all factors in a row.
    starts : int64[F + 1]
        Start of each factor's scope.
    values : float64[T]
        Potentials; the last variable of a scope varies fastest.
    places : int64[F]
        Start of each factor's table in ``values``.

    """

    cardinalities: IntArray
    scopes: IntArray
    starts: IntArray
    values: FloatArray
    places: IntArray

    @property
    def arities(self) -> IntArray:
        """How many variables each factor has, int64[F]."""
        return np.diff(self.starts)

    def sizes(self) -> FloatArray:
        """How many entries each table has; as floats, so that they can't overflow."""
        sizes = np.ones(self.starts.size - 1)
        some = self.arities > 0
        if some.any():
            states = self.cardinalities[self.scopes].astype(np.float64)
            sizes[some] = np.multiply.reduceat(states, self.starts[:-1][some])
        return sizes

    def scopes_of(self, factors: IntArray, arity: int) -> IntArray:
        """Scopes of some factors of one arity, int64[factors, arity]."""
        found: IntArray = self.scopes[self.starts[factors][:, None] + np.arange(arity)]
        return found

    def tables_of(self, factors: IntArray, size: int) -> FloatArray:
        """Tables of some factors of one size, float64[factors, size]."""
        places = self.places[factors]
        first = int(places[0])
        if (np.diff(places) == size).all():
            return self.values[first : first + size * len(factors)].reshape(-1, size)
        found: FloatArray = self.values[places[:, None] + np.arange(size)]
        return found

    def groups(self) -> Iterator[tuple[IntArray, tuple[int, ...]]]:
        """Factors of one shape each, in the order in which the first of each shape is listed."""
        found: list[tuple[IntArray, tuple[int, ...]]] = []
        arities = self.arities
        for arity in np.unique(arities).tolist():
            members = np.flatnonzero(arities == arity)
            shapes = self.cardinalities[self.scopes_of(members, arity)]
            found += [(members[own], shape) for own, shape in _by_row(shapes)]
        yield from sorted(found, key=lambda group: int(group[0][0]))


def _by_row(rows: IntArray) -> Iterator[tuple[NDArray[np.intp], tuple[int, ...]]]:
    """Which rows are equal, and to what."""
    if not rows.shape[1] or (rows == rows[0]).all():
        yield np.arange(len(rows)), tuple(rows[0].tolist())
        return
    unique, which = np.unique(rows, axis=0, return_inverse=True)
    which = which.reshape(-1)
    order = np.argsort(which, kind="stable")
    ends = np.cumsum(np.bincount(which, minlength=len(unique)))
    for row, last, first in zip(unique.tolist(), ends, [0, *ends[:-1]], strict=True):
        yield order[first:last], tuple(row)


def build(
    listed: Listed,
    names: Sequence[str] | None = None,
    states: Sequence[tuple[str, ...]] | None = None,
) -> tuple[FactorGraph, IntArray]:
    """The graph, and for each of its factors its number in the file, int64[factors].

    Factors of one variable become unary potentials; those of none become the constant. The
    values are checked by the caller.
    """
    starts = np.concatenate([[0], np.cumsum(listed.cardinalities)])
    unary, log_constant = np.zeros(int(starts[-1])), 0.0
    groups, numbers = [], []
    for members, shape in listed.groups():
        tables = listed.tables_of(members, int(np.prod(shape)))
        if not shape:
            log_constant += float(logs_of(tables).sum())
        elif len(shape) == 1:
            first = starts[listed.scopes[listed.starts[members]]]
            np.add.at(unary, first[:, None] + np.arange(shape[0]), logs_of(tables))
        else:
            alike = len(members) > 1 and bool((tables == tables[0]).all())
            held = tables[0].reshape(shape) if alike else tables.reshape(-1, *shape)
            groups.append((listed.scopes_of(members, len(shape)), held))
            numbers.append(members)
    graph = FactorGraph.from_arrays(listed.cardinalities, groups, names=names)
    graph = replace(graph, unary=frozen(unary), log_constant=log_constant)
    if states is not None:
        variables = Variables(listed.cardinalities.astype(np.int32), names, states)
        graph = replace(graph, variables=variables, factors=Factors(graph.arrays, variables))
    order = np.concatenate(numbers) if numbers else np.empty(0, dtype=np.int64)
    return graph, order
