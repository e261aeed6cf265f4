"""Quick ways into a trace: beliefs by name, and fewer rows where there are very many."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mpnet.record import Record
from mpnet.trace import FloatArray, Trace

ROWS = 1500
"""Rows that a figure over the iterations draws, at most; events keep theirs."""


class Columns:
    """Beliefs of a trace by the names of nodes, each found without a search."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        firsts = trace.offsets
        self._first = {name: int(firsts[i]) for i, name in enumerate(trace.nodes)}
        self._states = dict(zip(trace.nodes, trace.states, strict=True))

    def of(self, node: str) -> FloatArray:
        """Beliefs of a node, probabilities, shape (states, T)."""
        first = self._first[node]
        block = self._trace.beliefs[:, first : first + len(self._states[node])]
        return np.asarray(block.T, dtype=np.float64)

    def states(self, node: str) -> tuple[str, ...]:
        """Names of a node's states, in the order of ``of``."""
        return self._states[node]


def thinned(record: Record, rows: int = ROWS) -> Record:
    """Return the record with at most about ``rows`` rows in its trace.

    Every k-th row stays, and so do the first, the last and those of events; the trace then says
    by ``every`` that it has gaps.
    """
    trace = record.trace
    count = trace.iterations.size
    if count <= rows:
        return record
    step = -(-count // rows)
    marked = [trace.row_of(event.iteration) for event in record.events[:rows]]
    kept = np.unique([*range(0, count, step), count - 1, *marked])
    phases = [
        replace(phase, first=int(first), last=int(last))
        for phase in record.phases
        for first, last in [np.searchsorted(kept, [phase.first, phase.last])]
    ]
    return replace(
        record,
        phases=tuple(phases),
        trace=replace(
            trace,
            iterations=trace.iterations[kept],
            beliefs=trace.beliefs[kept],
            residual=trace.residual[kept],
            log_z=trace.log_z[kept],
            damping=trace.damping[kept],
            seconds=trace.seconds[kept],
            estimator=tuple(trace.estimator[row] for row in kept),
            message_residual=trace.message_residual[kept],
        ),
    )


def row_edges(record: Record) -> FloatArray:
    """Where the cells of a map over the iterations begin and end, shape (T + 1,)."""
    at = record.trace.iterations.astype(np.float64)
    return np.concatenate([[at[0] - 0.5], (at[:-1] + at[1:]) / 2, [at[-1] + 0.5]])
