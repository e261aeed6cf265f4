"""The log tables of many factors at once, for analyses that look into them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mpnet.content import Content
from mpnet.dense import DenseTables, logs_of
from mpnet.errors import TooLargeError
from mpnet.graph import FactorGraph, Family
from mpnet.kernels.layout import FloatArray, IntArray

CHUNK = 2**21
"""Table entries that are held at once."""

WRITTEN = 2**22
"""Entries that the factors of a family may have in all to be written out as tables one by one."""


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
        Log potentials, in nats; None for factors too large to be written out.

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
    shape = _shape(graph, family.first)
    step = max(1, CHUNK // math.prod(shape))
    if not isinstance(family.content, DenseTables) and math.prod(shape) * numbers.size > WRITTEN:
        step = numbers.size
    for start in range(0, len(numbers), step):
        part = numbers[start : start + step]
        yield _batch(graph, family.first + part, _stack(family, shape, part))


def _shape(graph: FactorGraph, factor: int) -> tuple[int, ...]:
    """Number of states of each variable of a factor's scope."""
    first, last = graph.arrays.factor_edges[factor : factor + 2]
    return tuple(map(int, np.diff(graph.arrays.edge_states[first : last + 1])))


def alike(graph: FactorGraph, family: Family, extra: IntArray) -> tuple[IntArray, IntArray]:
    """Find factors of a family with equal tables.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.
    family : Family
        One of its families.
    extra : int64[factors of the family, k]
        What else must be equal.

    Returns
    -------
    int64[n]
        Places in the family of factors that stand for all.
    int64[factors of the family]
        Which of them stands for each factor.

    """
    count = family.last - family.first
    keys = np.column_stack([_content_keys(family.content, count), extra])
    keys = keys[:, (keys != keys[:1]).any(axis=0)]
    if keys.shape[1] > 1:
        _, first, each = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    elif keys.shape[1] == 1:
        _, first, each = np.unique(keys[:, 0], return_index=True, return_inverse=True)
    else:
        first, each = np.zeros(1, dtype=np.int64), np.zeros(count, dtype=np.int64)
    return first, each.reshape(-1)


def _content_keys(content: Content, count: int) -> IntArray:
    """A number per factor, equal only for equal contents."""
    if isinstance(content, DenseTables):
        return content.factor_table.astype(np.int64)
    held: list[Any] = list(vars(content).values()) if hasattr(content, "__dict__") else [None]
    rows = [value for value in held if isinstance(value, np.ndarray)]
    shared = all(isinstance(v, np.ndarray | int | str) or _is_numbers(v) for v in held)
    if not (shared and rows and all(row.ndim and len(row) == count for row in rows)):
        # What is not laid out as one row per factor may differ in ways that do not show here.
        return np.arange(count)
    known: dict[bytes, int] = {}
    keys = (b"".join(row[place].tobytes() for row in rows) for place in range(count))
    return np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.int64)


def _is_numbers(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(entry, int) for entry in value)


def _stack(family: Family, shape: tuple[int, ...], numbers: IntArray) -> FloatArray | None:
    """Log tables of some factors in a row; None if they are too large."""
    content = family.content
    if isinstance(content, DenseTables):
        return _dense(content, numbers)
    if math.prod(shape) * numbers.size > WRITTEN:
        return None
    try:
        return np.stack([content.table(int(number)) for number in numbers])
    except TooLargeError:
        return None


def _dense(content: DenseTables, numbers: IntArray) -> FloatArray:
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
