"""The non-backtracking matrix of a graph: how a change of all messages can spread and grow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mpnet.analysis.strengths import strengths
from mpnet.analysis.tables import alike, entry_beliefs, family_batches, possible_states
from mpnet.graph import FactorGraph
from mpnet.kernels import nonbacktracking
from mpnet.kernels.layout import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class ChangeBound:
    """A matrix A >= 0 with: span of the next change of a message <= (A spans of this change).

    Row and column are factor-to-variable messages, by edge; spans are over the states that the
    unary potentials allow, in nats. Never written out: ``apply`` costs a sweep.

    Parameters
    ----------
    graph : FactorGraph
        The graph.
    factor_strength : int64[F]
        Where each factor's matrix begins in ``strengths``; -1 for one that is all ones.
    strengths : float64[...]
        How much of a change each factor hands on, receiver by row and sender by column.
    live : int64[E]
        0 for edges over which no change goes: what is observed does not listen.
    loose : bool[E]
        Edges to variables that the unary potentials keep from some state; about that state
        their messages may change by more than A tells.
    untold : int
        Factors too large to be written out, taken to hand on everything.

    """

    graph: FactorGraph
    factor_strength: IntArray
    strengths: FloatArray
    live: IntArray
    loose: NDArray[np.bool_]
    untold: int

    def apply(self, change: FloatArray) -> FloatArray:
        """A times a vector of spans >= 0, shape (E,)."""
        return self.hand_on(change, np.empty_like(change), np.empty_like(change))

    def apply_loosely(self, change: FloatArray) -> FloatArray:
        """As ``apply``, with factors that hand on everything: holds for every state."""
        where, out = np.full_like(self.factor_strength, -1), np.empty_like(change)
        nonbacktracking.hand_on(
            self.graph.arrays, where, self.strengths, self.live, change, np.empty_like(out), out
        )
        return out

    def hand_on(self, change: FloatArray, scratch: FloatArray, out: FloatArray) -> FloatArray:
        """As ``apply``, into ``out``; ``scratch`` is overwritten, too."""
        nonbacktracking.hand_on(
            self.graph.arrays, self.factor_strength, self.strengths, self.live, change, scratch, out
        )
        return out

    @cached_property
    def depths(self) -> tuple[IntArray, IntArray]:
        """Most factors behind each message to a variable and to a factor; -1 where a loop is."""
        up, down = np.empty_like(self.live), np.empty_like(self.live)
        nonbacktracking.depths(self.graph.arrays, self.graph.edge_factor, self.live, up, down)
        return up, down

    @property
    def is_acyclic(self) -> bool:
        """Whether no change can come back to where it began, so that A is nilpotent."""
        return bool((self.depths[0] >= 0).all())


def change_bound(graph: FactorGraph, unary: FloatArray | None = None) -> ChangeBound:
    """Build the non-backtracking matrix of a graph.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.
    unary : float64[B], optional
        Log unary potentials used instead of the graph's, in nats: other evidence.

    """
    logs = graph.unary if unary is None else unary
    possible = possible_states(graph, logs)
    patterns = _patterns(graph, logs, possible)
    barred = np.where(logs == -np.inf, -np.inf, 0.0)[entry_beliefs(graph)]
    where = np.full(len(graph.factors), -1, dtype=np.int64)
    edge_variable = graph.arrays.edge_variable
    live = (possible[edge_variable] > 1).astype(np.int64)
    loose = (possible < graph.cardinalities)[edge_variable]
    parts: list[FloatArray] = []
    size = 0
    for family in graph.families:
        edges = slice(*graph.arrays.factor_edges[[family.first, family.last]])
        count = family.last - family.first
        first, each = alike(graph, family, patterns[edge_variable[edges]].reshape(count, -1))
        starts = np.full(len(first), -1, dtype=np.int64)
        heard: list[NDArray[np.bool_]] = []
        done = 0
        for batch in family_batches(graph, family, first):
            count, arity = batch.edges.shape
            if batch.tables is None:
                heard.append(np.ones((count, arity), dtype=bool))
                done += count
                continue
            tables = batch.tables
            for axis in range(arity):
                tables = tables + batch.with_axes(barred, axis)
            matrices = strengths(tables)
            starts[done : done + count] = size + np.arange(count) * arity * arity
            size += matrices.size
            parts.append(matrices.reshape(-1))
            some = matrices > 0.0
            heard.append(np.logical_or(some.any(axis=1), some.any(axis=2)))
            done += count
        where[family.first : family.last] = starts[each]
        # About states that are impossible anyway, a factor may have more to hand on.
        told = loose[edges].reshape(len(each), -1).any(axis=1, keepdims=True)
        live[edges] &= (np.concatenate(heard)[each] | told).reshape(-1)
    return ChangeBound(
        graph,
        where,
        np.concatenate(parts) if parts else np.empty(0),
        live,
        loose,
        int((where < 0).sum()),
    )


def _patterns(graph: FactorGraph, logs: FloatArray, possible: IntArray) -> IntArray:
    """A number per variable, the same for equal sets of possible states; 0 where all are."""
    patterns = np.zeros(len(graph.variables), dtype=np.int64)
    known: dict[bytes, int] = {}
    starts = graph.arrays.variable_states
    allowed = logs != -np.inf
    for variable in np.flatnonzero(possible < graph.cardinalities):
        key = allowed[starts[variable] : starts[variable + 1]].tobytes()
        patterns[variable] = known.setdefault(key, len(known) + 1)
    return patterns
