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
    large : tuple of int
        Factors without a table, differentiated by differences.

    """

    graph: FactorGraph
    unary: FloatArray
    entries: IntArray
    reference: IntArray
    replies: Any
    heard: FloatArray
    large: tuple[int, ...] = ()

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
        for factor in self.large:
            self._differentiate(factor, arriving, result)
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

    def _differentiate(self, factor: int, arriving: FloatArray, result: FloatArray) -> None:
        """Add the answers of one factor, by differences along each column of ``arriving``."""
        arrays = self.graph.arrays
        start, stop = arrays.edge_states[arrays.factor_edges[factor : factor + 2]]
        mine = slice(*np.searchsorted(self.entries, (start, stop)))
        entries, reference = self.entries[mine] - start, self.reference[mine] - start
        columns = arriving[mine].reshape(entries.size, -1)
        slopes = np.zeros_like(columns)
        for number in range(columns.shape[1]):
            height = np.abs(columns[:, number]).max(initial=0.0)
            if height == 0.0:
                continue
            change = np.zeros(stop - start)
            change[entries] = columns[:, number] * (STEP / height)
            said = [self._reply(factor, start, steps * change) for steps in (1, -1, 2, -2)]
            ratios = [answer[entries] - answer[reference] for answer in said]
            slope = 8.0 * (ratios[0] - ratios[1]) - (ratios[2] - ratios[3])
            slopes[:, number] = slope * (height / (12.0 * STEP))
        result[mine] += slopes.reshape(result[mine].shape)

    def _reply(self, factor: int, start: int, change: FloatArray) -> FloatArray:
        """What one factor says when what it hears is changed, as logs, largest entry 0."""
        family = next(f for f in self.graph.families if f.first <= factor < f.last)
        arrays, _ = family.arrays(False)
        incoming = self.heard.copy()
        incoming[start : start + change.size] += change
        out = np.zeros_like(incoming)
        FAMILIES[family.kind].send(
            LogSum(np.float64(-np.inf), np.float64(0.0)),
            self.graph.arrays,
            arrays,
            factor,
            factor + 1,
            incoming,
            np.zeros_like(incoming),
            out,
            0.0,
            np.empty(0),
        )
        return out[start : start + change.size]


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
    large: list[int] = []
    size = 0
    for batch in batches(graph):
        if batch.tables is None:
            large.append(int(batch.factors[0]))
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
