"""How many models were awake at each iteration of a run along a timeline."""

from __future__ import annotations

import numpy as np

from mpnet.plots.moment import COMING, GOING
from mpnet.record import Record
from mpnet.trace import FloatArray, IntArray


def awake_counts(record: Record) -> tuple[IntArray, FloatArray]:
    """Count from the events where they agree with the phases, else phase by phase.

    Returns
    -------
    int64[T], float64[T]
        Iterations, and the models awake at each.

    """
    iterations = record.trace.iterations
    by_events = _by_events(record)
    ends = [record.trace.row_of(phase.last) for phase in record.phases]
    told = [float(phase.awake) for phase in record.phases]
    if all(by_events[end] == count for end, count in zip(ends, told)) and by_events.min() >= 0:
        return iterations, by_events
    counts = np.full(iterations.size, told[0])
    for phase, count in zip(record.phases, told):
        counts[record.trace.row_of(phase.first) :] = count
    return iterations, counts


def _by_events(record: Record) -> FloatArray:
    """Count back from the end of the last phase, over those who came and went."""
    iterations = record.trace.iterations
    changes = np.zeros(iterations.size)
    last = record.trace.last
    for event in record.events:
        step = (event.kind in COMING) - (event.kind in GOING)
        if step:
            # An event shows from the row after it on; at the very end there is none.
            row = record.trace.row_of(min(event.iteration + 1, last))
            changes[row] += step
    counts: FloatArray = np.cumsum(changes)
    counts += record.phases[-1].awake - counts[-1]
    return counts
