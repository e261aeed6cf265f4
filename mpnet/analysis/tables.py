"""The log tables of many factors at once, for analyses that look into them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mpnet.dense import DenseTables, logs_of
from mpnet.errors import TooLargeError
from mpnet.graph import FactorGraph, Family
from mpnet.kernels.layout import FloatArray, IntArray

CHUNK = 2**21
"""Table entries that are held at once."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Factors of one shape, and their tables where they have any.

    Parameters
    ----------
    factors : int64[n]
        Indices of the factors.
    edges : int64[n, arity]
        Their edges.
    entries : tuple of int64[n, states]
        Where the messages of each axis are in a message array.
    tables : float64[n, states, ...] or None
        Log potentials, in nats; None for a factor too large to be written out (then n is 1).

    """

    factors: IntArray
    edges: IntArray
    entries: tuple[IntArray, ...]
    tables: FloatArray | None

    def with_axes(self, values: FloatArray, axis: int) -> FloatArray:
        """What a message array says along one axis, shaped to go with the tables."""
        shape = [len(self.factors)] + [1] * len(self.entries)
        shape[axis + 1] = -1
        return values[self.entries[axis]].reshape(shape)


def batches(graph: FactorGraph) -> Iterator[Batch]:
    """All factors of a graph, in batches of equal shape and bounded size.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.

    """
    for family in graph.families:
        yield from family_batches(graph, family, np.arange(family.last - family.first))


def family_batches(graph: FactorGraph, family: Family, numbers: IntArray) -> Iterator[Batch]:
    """Some factors of one family, by their places in it, in batches of bounded size.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.
    family : Family
        One of its families.
    numbers : int64[n]
        Places in the family.

    """
    if not numbers.size:
        return
    if isinstance(family.content, DenseTables):
        step = max(1, CHUNK // math.prod(family.content.shape))
        for start in range(0, len(numbers), step):
            part = numbers[start : start + step]
            yield _batch(graph, family.first + part, _stack(family.content, part))
        return
    for number in numbers:
        table: FloatArray | None
        try:
            table = family.content.table(int(number))[None]
        except TooLargeError:
            table = None
        yield _batch(graph, np.array([family.first + number]), table)


def _stack(content: DenseTables, numbers: IntArray) -> FloatArray:
    starts = content.factor_table[numbers].astype(np.int64)
    values = content.values[starts[:, None] + np.arange(math.prod(content.shape))]
    rows = values.reshape(len(numbers), *content.shape)
    return rows if content.log else logs_of(rows)


def _batch(graph: FactorGraph, factors: IntArray, tables: FloatArray | None) -> Batch:
    arrays = graph.arrays
    first = arrays.factor_edges[factors].astype(np.int64)
    arity = int(arrays.factor_edges[factors[0] + 1] - first[0])
    edges = first[:, None] + np.arange(arity)
    states = arrays.edge_states.astype(np.int64)
    counts = states[edges[0] + 1] - states[edges[0]]
    entries = tuple(
        states[edges[:, axis]][:, None] + np.arange(counts[axis]) for axis in range(arity)
    )
    return Batch(factors, edges, entries, tables)


def entry_beliefs(graph: FactorGraph) -> IntArray:
    """Where each entry of a message array belongs in a belief array, shape (S,).

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.

    """
    arrays = graph.arrays
    counts = np.diff(arrays.edge_states).astype(np.int64)
    shift = arrays.variable_states[arrays.edge_variable].astype(np.int64) - arrays.edge_states[:-1]
    return np.arange(int(arrays.edge_states[-1])) + np.repeat(shift, counts)


def possible_states(graph: FactorGraph, unary: FloatArray | None = None) -> IntArray:
    """How many states the unary potentials leave each variable, shape (V,).

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.
    unary : float64[B], optional
        Log unary potentials used instead of the graph's, in nats.

    """
    logs = graph.unary if unary is None else unary
    starts = graph.arrays.variable_states[:-1]
    if not starts.size:
        return np.zeros(0, dtype=np.int64)
    return np.add.reduceat((logs != -np.inf).astype(np.int64), starts)
