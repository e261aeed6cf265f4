"""How the next messages of undamped flooding change with the present ones, to first order.

The derivative of a factor's log message to i at state a, by what j tells the factor about its
state b, is the probability that j is in b given that i is in a, under the factor and all it
hears but from i. Coordinates are log-ratios of each message's possible states to its variable's
likeliest, which takes out the constant that may be added to a message.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator

from mpnet.analysis.changes import change_bound
from mpnet.analysis.tables import Batch, batches, entry_beliefs
from mpnet.dense import logs_of
from mpnet.errors import InconsistentError, TooLargeError, UsageError
from mpnet.graph import FactorGraph
from mpnet.kernels.families import FAMILIES
from mpnet.kernels.layout import FloatArray, IndexArray, IntArray
from mpnet.kernels.semiring import LogSum
from mpnet.messages import Messages

MOST_ENTRIES = 2**26
"""Most numbers that the derivatives of all factors may take up (12 bytes each)."""

STEP = 2e-3
"""Step of differences for factors without a table, in nats: to the fourth order, so that both
what is left out and what rounding adds are near 1e-12."""


@dataclass(frozen=True, eq=False)
class Jacobian:
    """The derivative of the flooding update at some messages.

    Parameters
    ----------
    graph : FactorGraph
        The graph.
    unary : float64[B]
        Log unary potentials of the run, in nats.
    entries : int64[n]
        Which entry of a message array each coordinate is.
    reference : int64[n]
        The entry that it is compared with: the likeliest state of the variable.
    replies : sparse float64[n, n]
        Derivatives of what factors say by what they hear, in coordinates.
    heard : float64[S]
        What factors hear, as logs, in nats.
    large : tuple of (int, int)
        Ranges of factors without a table, differentiated by differences.

    """

    graph: FactorGraph
    unary: FloatArray
    entries: IntArray
    reference: IntArray
    replies: Any
    heard: FloatArray
    large: tuple[tuple[int, int], ...] = ()

    @property
    def size(self) -> int:
        """Number of coordinates, n."""
        return self.entries.size

    @cached_property
    def _sums(self) -> Any:
        """Adds coordinates up by variable and state: sparse float64[B, n]."""
        where = entry_beliefs(self.graph)[self.entries]
        shape = self.graph.unary.size, where.size
        return sparse.csr_array((np.ones(where.size), (where, np.arange(where.size))), shape)

    @cached_property
    def _spread(self) -> Any:
        """What ``_sums`` added up, for each coordinate: sparse float64[n, B]."""
        return self._sums.T.tocsr()

    def apply(self, changes: FloatArray) -> FloatArray:
        """What small changes become after one sweep.

        Parameters
        ----------
        changes : float64[n] or float64[n, k]
            Changes of log-ratios, in nats; as columns where there are several.

        """
        arriving = self._spread @ (self._sums @ changes) - changes
        result: FloatArray = self.replies @ arriving
        if self.large:
            slopes = self._differentiate(arriving.reshape(self.size, -1))
            result += slopes.reshape(result.shape)
        return result

    @cached_property
    def operator(self) -> Any:
        """The Jacobian as ``scipy.sparse.linalg.LinearOperator``, float64[n, n]."""
        return LinearOperator(
            (self.size, self.size), matvec=self.apply, matmat=self.apply, dtype=np.float64
        )

    @cached_property
    def looping(self) -> IntArray:
        """Coordinates whose changes can come back to them: only these have eigenvalues but 0."""
        up, down = change_bound(self.graph, self.unary).depths
        edge_of = np.repeat(np.arange(up.size), np.diff(self.graph.arrays.edge_states))
        return np.flatnonzero(((up < 0) & (down < 0))[edge_of[self.entries]])

    def toarray(self, coordinates: IntArray | None = None) -> FloatArray:
        """The Jacobian, or some rows and columns of it, as a dense array."""
        chosen = np.arange(self.size) if coordinates is None else coordinates
        out = np.empty((chosen.size, chosen.size))
        for start in range(0, chosen.size, 64):
            part = chosen[start : start + 64]
            columns = np.zeros((self.size, part.size))
            columns[part, np.arange(part.size)] = 1.0
            out[:, start : start + 64] = self.apply(columns)[chosen]
        return out

    def log_ratios(self, messages: FloatArray) -> FloatArray:
        """Coordinates of log messages, shape (n,), in nats."""
        result: FloatArray = messages[self.entries] - messages[self.reference]
        return result

    @cached_property
    def _large_factor(self) -> IntArray:
        """The factor that each coordinate is of, if it is large; -1 for the others."""
        edge_of = np.repeat(
            np.arange(self.graph.arrays.edge_variable.size), np.diff(self.graph.arrays.edge_states)
        )
        factor = self.graph.edge_factor[edge_of[self.entries]].astype(np.int64)
        large = np.zeros(len(self.graph.factors) + 1, dtype=bool)
        for first, last in self.large:
            large[first:last] = True
        return np.where(large[factor], factor, -1)

    def _differentiate(self, arriving: FloatArray) -> FloatArray:
        """What large factors answer to each column of changes: slopes, by differences."""
        factor = self._large_factor
        mine = factor >= 0
        slopes = np.zeros_like(arriving)
        for number in range(arriving.shape[1]):
            heights = np.zeros(len(self.graph.factors))
            np.maximum.at(heights, factor[mine], np.abs(arriving[mine, number]))
            height = np.where(mine, heights[factor], 0.0)
            change = np.zeros(self.heard.size)
            moved = height > 0.0
            change[self.entries[moved]] = arriving[moved, number] * STEP / height[moved]
            said = [self._replies_to(steps * change) for steps in (1, -1, 2, -2)]
            slope = 8.0 * (said[0] - said[1]) - (said[2] - said[3])
            slopes[moved, number] = slope[moved] * height[moved] / (12.0 * STEP)
        return slopes

    def _replies_to(self, change: FloatArray) -> FloatArray:
        """Log-ratios of what large factors say when what they hear is changed; 0 for others."""
        out = np.zeros_like(self.heard)
        for first, last in self.large:
            family = next(f for f in self.graph.families if f.first <= first < f.last)
            arrays, _ = family.arrays(False)
            FAMILIES[family.kind].send(
                LogSum(np.float64(-np.inf), np.float64(0.0)),
                self.graph.arrays,
                arrays,
                first,
                last,
                self.heard + change,
                np.zeros_like(out),
                out,
                0.0,
                np.empty(0),
            )
        return np.where(self._large_factor >= 0, out[self.entries] - out[self.reference], 0.0)


def jacobian(messages: Messages) -> Jacobian:
    """Linearise undamped flooding at some messages.

    Parameters
    ----------
    messages : Messages
        Of sum-product; not modified.

    Raises
    ------
    UsageError
        If the messages are those of max-product, which has no derivative.
    InconsistentError
        If some variable has no possible state; names it.
    TooLargeError
        If the derivatives would need too much memory.

    """
    if messages.maximise:
        raise UsageError("max-product has no derivative; linearise messages of sum-product")
    graph = messages.graph
    told = messages.to_factor.astype(np.float64)
    heard = logs_of(told) if messages.linear else told
    entries, reference = _coordinates(messages)
    number = np.full(heard.size, -1, dtype=np.int32)
    number[entries] = np.arange(entries.size)
    compared = np.arange(heard.size)
    compared[entries] = reference
    rows, columns, values = [], [], []
    large: list[tuple[int, int]] = []
    size = 0
    for batch in batches(graph):
        if batch.tables is None:
            large.append((int(batch.factors[0]), int(batch.factors[-1]) + 1))
            continue
        for row, column, value in _derivatives(batch, batch.tables, heard, number, compared):
            rows.append(row)
            columns.append(column)
            values.append(value)
            size += value.size
            if size > MOST_ENTRIES:
                raise TooLargeError(
                    f"the derivatives of the factors take more than {MOST_ENTRIES} numbers"
                )
    where = (_joined(rows), _joined(columns))
    shape = entries.size, entries.size
    replies = sparse.csr_array((np.concatenate([*values, np.empty(0)]), where), shape)
    return Jacobian(graph, messages.unary, entries, reference, replies, heard, tuple(large))


def _joined(parts: list[IndexArray]) -> IndexArray:
    return np.concatenate([*parts, np.empty(0, dtype=np.int32)]).astype(np.int32)


def _derivatives(
    batch: Batch, tables: FloatArray, heard: FloatArray, number: IndexArray, compared: IntArray
) -> Iterator[tuple[IndexArray, IndexArray, FloatArray]]:
    """Entries (row, column, value) of the derivatives of some factors' replies, in coordinates."""
    arity = tables.ndim - 1
    incoming = [batch.with_axes(heard, axis) for axis in range(arity)]
    for i in range(arity):
        scores = tables
        for axis in range(arity):
            if axis != i:
                scores = scores + incoming[axis]
        others = tuple(axis + 1 for axis in range(arity) if axis != i)
        best = scores.max(axis=others, keepdims=True)
        odds = np.exp(scores - np.where(best == -np.inf, 0.0, best))
        total = odds.sum(axis=others, keepdims=True)
        odds /= np.where(total == 0.0, 1.0, total)
        mine = batch.entries[i]
        rows = number[mine]
        # Where each state's reference is, among the states of its variable.
        against = compared[mine] - mine[:, :1]
        for j in range(arity):
            if j == i:
                continue
            given = odds.sum(axis=tuple(axis for axis in others if axis != j + 1))
            if j < i:
                given = given.swapaxes(1, 2)
            slopes = given - np.take_along_axis(given, against[:, :, None], axis=1)
            columns = number[batch.entries[j]]
            kept = (rows[:, :, None] >= 0) & (columns[:, None, :] >= 0)
            shape = kept.shape
            yield (
                np.broadcast_to(rows[:, :, None], shape)[kept],
                np.broadcast_to(columns[:, None, :], shape)[kept],
                slopes[kept],
            )


def _coordinates(messages: Messages) -> tuple[IntArray, IntArray]:
    """Entries of messages that may move, and the entry that each is compared with."""
    graph = messages.graph
    said = messages.log_messages()
    if not said.size:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    starts = graph.arrays.variable_states.astype(np.int64)
    counts = np.diff(starts)
    beliefs = np.where(messages.marginals() > 0.0, messages.beliefs, -np.inf)
    best = np.maximum.reduceat(beliefs, starts[:-1])
    if (best == -np.inf).any():
        name = graph.variables[int(np.argmin(best))].name
        raise InconsistentError(f"no state of {name!r} is possible; nothing can be linearised")
    highest = np.flatnonzero(beliefs == np.repeat(best, counts))
    likeliest = highest[np.searchsorted(highest, starts[:-1])] - starts[:-1]
    variable = graph.arrays.edge_variable
    reference = np.repeat(graph.arrays.edge_states[:-1] + likeliest[variable], counts[variable])
    alive = (said != -np.inf) & (messages.unary[entry_beliefs(graph)] != -np.inf)
    kept = np.flatnonzero(alive & (reference != np.arange(said.size)))
    return kept, reference[kept]
