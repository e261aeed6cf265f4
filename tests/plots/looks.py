"""Made-up records by name, and which figures are drawn of each: the table of the image tests."""

from dataclasses import replace

import numpy as np

from mpnet import plots
from mpnet.plots.contents import has_content
from tests.plots import builders


def thinned(record, step=4):
    """The same record with every ``step``-th row and the last."""
    trace = record.trace
    rows = np.unique([*range(0, trace.iterations.size, step), trace.iterations.size - 1])
    kept = {
        name: getattr(trace, name)[rows]
        for name in ("iterations", "beliefs", "residual", "log_z", "damping", "seconds")
    }
    estimator = tuple(trace.estimator[row] for row in rows)
    messages = trace.message_residual[rows]
    return replace(
        record, trace=replace(trace, **kept, estimator=estimator, message_residual=messages)
    )


def bounded(**changes):
    """Purple jar with bounds of log Z and a predicted rate."""
    return builders.purple_jar(**{"bracket": (-3.9, -3.1), "rate": 0.28, **changes})


RECORDS = {
    "purple_jar": bounded(),
    "far_bounds": bounded(bracket=(-300.0, -3.2), rate=0.5),
    "three_rows": builders.purple_jar(flat=2, clamped=1),
    "one_row": builders.purple_jar(flat=1, clamped=0),
    "gaps": thinned(bounded()),
    "one_node": builders.one_node(),
    "hundred_nodes": builders.many_nodes(100),
    "thousand_nodes": builders.many_nodes(1000),
    "digits": builders.digits(),
    "digits_test": builders.digits_test(),
    "oscillating": builders.purple_jar(
        status="oscillating",
        exact=None,
        exact_log_z=None,
        log_z=None,
        verdict="not converged after 22 iterations: residual 0.3 nats",
    ),
}
"""Records that every figure is tried on which has something to show of them."""

DRAWN = [
    (name, case)
    for name in plots.FIGURES
    for case, record in RECORDS.items()
    if has_content(name, record)
]
"""All pairs of a figure and a record that it can be drawn of."""


def pictures():
    """Figure, record and theme of each reference image: the first record of each, and some more."""
    first = {}
    for name, case in DRAWN:
        first.setdefault(name, case)
    cases = [(name, case, "light") for name, case in first.items()]
    more = [("convergence", "oscillating"), ("convergence", "hundred_nodes"), ("heat", "gaps")]
    cases += [(name, case, "light") for name, case in more]
    return cases + [(name, case, "dark") for name, case in first.items()][:3]
