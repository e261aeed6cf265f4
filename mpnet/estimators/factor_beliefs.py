"""Beliefs over the scopes of all factors, some thousands at a time, without a loop over factors."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mpnet.content import Content
from mpnet.dense import DenseTables, logs_of
from mpnet.graph import FactorGraph
from mpnet.kernels.families import FAMILIES
from mpnet.kernels.layout import FloatArray, IndexArray, IntArray
from mpnet.kernels.semiring import LogSum

CHUNK = 2**20
"""Table entries that are looked at together, at least those of one factor."""


@dataclass(frozen=True)
class Chunk:
    """Consecutive factors of one family, n of arity k.

    Parameters
    ----------
    first, last : int
        Range of factors.
    edges : int64[n, k]
        Edges of each, in the order of its scope.
    tables : float64[n, states, ...]
        Log potentials, in nats.
    scores : float64[n, states, ...]
        Log potentials plus what the variables say, in nats.

    """

    first: int
    last: int
    edges: IntArray
    tables: FloatArray
    scores: FloatArray

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes of a factor's table."""
        return tuple(range(1, self.scores.ndim))

    def log_partition(self) -> FloatArray:
        """Log of each factor's local partition sum, shape (n,), in nats."""
        return log_sums(self.scores.reshape(len(self.scores), -1))

    def marginal(self, beliefs: FloatArray, axis: int) -> FloatArray:
        """Beliefs over the scopes, added up over all axes but one, shape (n, states)."""
        result: FloatArray = beliefs.sum(axis=tuple(a for a in self.axes if a != axis + 1))
        return result

    def beliefs(self) -> FloatArray:
        """Joint beliefs as probabilities, shape (n, states, ...)."""
        logs = self.log_partition().reshape(-1, *[1] * len(self.axes))
        with np.errstate(invalid="ignore"):
            result: FloatArray = np.where(self.scores == -np.inf, 0.0, np.exp(self.scores - logs))
        return result


def chunks(graph: FactorGraph, said: FloatArray) -> Iterator[Chunk]:
    """All dense factors with what their variables say.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.
    said : float64[S]
        Variable-to-factor log messages, in nats.

    """
    starts = graph.arrays.edge_states.astype(np.int64)
    counts = graph.cardinalities
    for family in graph.families:
        if not isinstance(family.content, DenseTables):
            continue
        arity = int(np.diff(graph.arrays.factor_edges[family.first : family.first + 2])[0])
        edge = int(graph.arrays.factor_edges[family.first])
        shape = counts[graph.arrays.edge_variable[edge : edge + arity]]
        step = max(1, CHUNK // math.prod(map(int, shape)))
        for first in range(family.first, family.last, step):
            last = min(first + step, family.last)
            edges = graph.arrays.factor_edges[first:last, None] + np.arange(arity)
            tables = log_tables(family.content, first - family.first, last - family.first)
            scores = tables
            for axis in range(arity):
                part = said[starts[edges[:, axis], None] + np.arange(shape[axis])]
                wide = [last - first] + [1] * arity
                wide[axis + 1] = int(shape[axis])
                scores = scores + part.reshape(wide)
            yield Chunk(first, last, edges.astype(np.int64), tables, scores)


def log_partitions(graph: FactorGraph, said: FloatArray) -> FloatArray:
    """Log of each factor's local partition sum, shape (F,), in nats.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.
    said : float64[S]
        Variable-to-factor log messages, in nats.

    """
    result = np.empty(len(graph.factors))
    for chunk in chunks(graph, said):
        result[chunk.first : chunk.last] = chunk.log_partition()
    for family in graph.families:
        if isinstance(family.content, DenseTables):
            continue
        log_partition = FAMILIES[family.kind].log_partition
        for number in range(family.first, family.last):
            # One at a time: a family tells only for all together what it was divided by.
            alone = family.content.taken(np.array([number - family.first]))
            arrays, scale = alone.arrays(number, False, np.float64)
            local = log_partition(LogSum(), graph.arrays, arrays, number, number + 1, said)
            result[number] = local + scale
    return result


def log_tables(content: Content, first: int, last: int) -> FloatArray:
    """Log potentials of some factors by their places in a family, (last - first, states, ...)."""
    if not isinstance(content, DenseTables):
        return np.stack([content.table(number) for number in range(first, last)])
    entries = math.prod(content.shape)
    starts = content.factor_table[first:last].astype(np.int64)
    values = content.values[starts[:, None] + np.arange(entries)]
    rows = values.reshape(last - first, *content.shape)
    return rows if content.log else logs_of(rows)


def log_sums(rows: FloatArray) -> FloatArray:
    """Log of the sum of exponentials of each row; ``-inf`` where nothing is possible."""
    best = rows.max(axis=1, initial=-np.inf)
    shift = np.where(best == -np.inf, 0.0, best)
    return logs_of(np.exp(rows - shift[:, None]).sum(axis=1)) + shift


def segment_log_sums(values: FloatArray, starts: IndexArray) -> FloatArray:
    """Log of the sum of exponentials between consecutive starts, the last of which is the end."""
    if not values.size:
        return np.zeros(0)
    sizes = np.diff(starts)
    best = np.maximum.reduceat(values, starts[:-1])
    shift = np.where(best == -np.inf, 0.0, best)
    return logs_of(np.add.reduceat(np.exp(values - np.repeat(shift, sizes)), starts[:-1])) + shift


def states_of_edges(graph: FactorGraph) -> IntArray:
    """Where in beliefs each entry of a message array belongs, shape (S,)."""
    arrays = graph.arrays
    starts = arrays.edge_states.astype(np.int64)
    first = arrays.variable_states[arrays.edge_variable].astype(np.int64)
    result: IntArray = np.arange(starts[-1]) + np.repeat(first - starts[:-1], np.diff(starts))
    return result
