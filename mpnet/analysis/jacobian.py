"""How the next messages of undamped flooding change with the present ones, to first order.

The derivative of a factor's log message to i at state a, by what j tells the factor about its
state b, is the probability that j is in b given that i is in a, under the factor and all it
hears but from i. Coordinates are log-ratios of each message's possible states to one of them,
which takes out the constant that may be added to a message.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import LinearOperator

from mpnet.analysis.changes import change_bound
from mpnet.analysis.tables import Batch, batches, entry_beliefs
from mpnet.dense import logs_of
from mpnet.errors import InconsistentError, TooLargeError, UsageError
from mpnet.graph import FactorGraph
from mpnet.kernels.families import FAMILIES
from mpnet.kernels.layout import FloatArray, IntArray
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
        The entry that it is compared with: the largest one of the same message.
    replies : sparse float64[S, S]
        Derivatives of what factors say by what they hear.
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
    def _beliefs_of(self) -> Any:
        """Adds message entries up to belief entries: sparse float64[B, S]."""
        where = entry_beliefs(self.graph)
        shape = self.graph.unary.size, where.size
        return sparse.csr_array((np.ones(where.size), (where, np.arange(where.size))), shape)

    def apply(self, changes: FloatArray) -> FloatArray:
        """What small changes become after one sweep.

        Parameters
        ----------
        changes : float64[n] or float64[n, k]
            Changes of log-ratios, in nats; as columns where there are several.

        """
        full = np.zeros((self.replies.shape[0], *changes.shape[1:]))
        full[self.entries] = changes
        sums = self._beliefs_of
        arriving = sums.T @ (sums @ full) - full
        answers = self.replies @ arriving
        for factor in self.large:
            self._differentiate(factor, arriving, answers)
        result: FloatArray = answers[self.entries] - answers[self.reference]
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

    def _differentiate(self, factor: int, arriving: FloatArray, answers: FloatArray) -> None:
        """Add the answers of one factor, by differences along each column of ``arriving``."""
        arrays = self.graph.arrays
        edges = arrays.factor_edges[factor : factor + 2]
        here = slice(*arrays.edge_states[edges])
        columns = arriving.reshape(len(arriving), -1)
        out = answers.reshape(columns.shape)
        for number in range(columns.shape[1]):
            change = columns[here, number]
            height = np.abs(change).max(initial=0.0)
            if height == 0.0:
                continue
            said = [
                _reply(self.graph, factor, self.heard, here, change * (STEP * steps / height))
                for steps in (1, -1, 2, -2)
            ]
            with np.errstate(invalid="ignore"):
                slope = (8.0 * (said[0] - said[1]) - (said[2] - said[3])) / (12.0 * STEP / height)
            out[here, number] = np.where(np.isfinite(slope), slope, 0.0)


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
        If some message has no possible state; names the factor and the variable.
    TooLargeError
        If the derivatives would need too much memory.

    """
    if messages.maximise:
        raise UsageError("max-product has no derivative; linearise messages of sum-product")
    graph = messages.graph
    said = messages.log_messages()
    told = messages.to_factor.astype(np.float64)
    heard = logs_of(told) if messages.linear else told
    rows, columns, values = [], [], []
    large: list[int] = []
    size = 0
    for batch in batches(graph):
        if batch.tables is None:
            large.append(int(batch.factors[0]))
            continue
        for row, column, value in _derivatives(batch, batch.tables, heard):
            rows.append(row)
            columns.append(column)
            values.append(value)
            size += value.size
            if size > MOST_ENTRIES:
                raise TooLargeError(
                    f"the derivatives of the factors take more than {MOST_ENTRIES} numbers"
                )
    shape = said.size, said.size
    where = (_joined(rows), _joined(columns))
    replies = sparse.csr_array((np.concatenate([*values, np.empty(0)]), where), shape)
    entries, reference = _coordinates(graph, messages.unary, said)
    return Jacobian(graph, messages.unary, entries, reference, replies, heard, tuple(large))


def _joined(parts: list[IntArray]) -> IntArray:
    return np.concatenate([*parts, np.empty(0, dtype=np.int32)]).astype(np.int32)


def _derivatives(
    batch: Batch, tables: FloatArray, heard: FloatArray
) -> list[tuple[IntArray, IntArray, FloatArray]]:
    """Entries (row, column, value) of the derivatives of some factors' replies."""
    found = []
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
        for j in range(arity):
            if j == i:
                continue
            given = odds.sum(axis=tuple(axis for axis in others if axis != j + 1))
            if j < i:
                given = given.swapaxes(1, 2)
            row = np.broadcast_to(batch.entries[i][:, :, None], given.shape)
            column = np.broadcast_to(batch.entries[j][:, None, :], given.shape)
            found.append((row.reshape(-1), column.reshape(-1), given.reshape(-1)))
    return found


def _coordinates(
    graph: FactorGraph, unary: FloatArray, said: FloatArray
) -> tuple[IntArray, IntArray]:
    """Possible entries but one of each message, and that one for each of them."""
    if not said.size:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    starts = graph.arrays.edge_states.astype(np.int64)
    counts = np.diff(starts)
    possible = np.where(unary[entry_beliefs(graph)] == -np.inf, -np.inf, said)
    best = np.maximum.reduceat(possible, starts[:-1])
    if (best == -np.inf).any():
        edge = int(np.argmin(best))
        factor = graph.factors[int(graph.edge_factor[edge])].name
        name = graph.variables[int(graph.arrays.edge_variable[edge])].name
        raise InconsistentError(f"the message of {factor!r} to {name!r} has no possible state")
    highest = np.flatnonzero(possible == np.repeat(best, counts))
    edge_of = np.repeat(np.arange(counts.size), counts)
    first = highest[np.searchsorted(edge_of[highest], np.arange(counts.size))]
    reference = first[edge_of]
    kept = np.flatnonzero((possible != -np.inf) & (reference != np.arange(said.size)))
    return kept, reference[kept]


def _reply(
    graph: FactorGraph, factor: int, heard: FloatArray, here: slice, change: FloatArray
) -> FloatArray:
    """What one factor says when what it hears is changed, as logs, largest entry 0."""
    family = next(f for f in graph.families if f.first <= factor < f.last)
    arrays, _ = family.arrays(False)
    incoming = heard.copy()
    incoming[here] += change
    out = np.zeros_like(incoming)
    semiring = LogSum(np.float64(-np.inf), np.float64(0.0))
    FAMILIES[family.kind].send(
        semiring,
        graph.arrays,
        arrays,
        factor,
        factor + 1,
        incoming,
        np.zeros_like(incoming),
        out,
        0.0,
        np.empty(0),
    )
    return out[here]
