"""Which figures a record has content for; needs no matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mpnet.plots.steps import walks
from mpnet.record import SEEN, Record


def has_content(name: str, record: Record) -> bool:
    """Whether the figure ``name`` has something to show for this record."""
    return _CONTENT[name](record)


def figures_with(record: Record, unasked: bool) -> tuple[str, ...]:
    """Names of the figures that have something to show, in order.

    ``unasked`` leaves out those that say little beyond the others while a society is small.
    """
    from mpnet.plots import FIGURES

    return tuple(
        name
        for name in FIGURES
        if has_content(name, record)
        and not (unasked and name in _UNASKED and not _UNASKED[name](record))
    )


def _in_question(record: Record) -> int:
    """How many nodes in question were followed."""
    followed = set(record.trace.nodes)
    return sum(node.in_question and node.name in followed for node in record.nodes)


def _trace(record: Record) -> bool:
    return bool(record.trace.nodes) and record.trace.beliefs.shape[0] > 0


def _compatibility(record: Record) -> bool:
    matrix = record.compatibility.matrix
    return any(
        value != 0.0 for i, row in enumerate(matrix) for j, value in enumerate(row) if i != j
    )


def _estimates(record: Record) -> bool:
    return any(
        value is not None
        for row in record.estimates
        for value in (row.flat, row.clamped, row.exact)
    )


def _explained(record: Record) -> bool:
    return any(found.shares for found in record.explanations)


def _protested(record: Record) -> bool:
    kinds = {share.kind for found in record.explanations for share in found.shares}
    return not kinds <= {"prior", "estimator"}


def _views(record: Record) -> bool:
    return any(name != SEEN for name in record.views)


def _batch(record: Record) -> bool:
    return record.batch is not None and bool(record.batch.labels)


def _messages(record: Record) -> bool:
    return record.messages is not None and bool(record.messages.sources)


def _residuals(record: Record) -> bool:
    trace = record.trace  # NaN where a message was not sent
    return bool(trace.messages) and bool((trace.message_residual >= 0.0).any())


def _measured_by(experiment: str) -> Callable[[Record], bool]:
    """Whether the record holds what that experiment measured."""
    return lambda record: record.findings is not None and record.findings.experiment == experiment


_CONTENT: Mapping[str, Callable[[Record], bool]] = {
    "convergence": _trace,
    "heat": _trace,
    "multiples": lambda record: _trace(record) and record.trace.iterations.size > 1,
    "confidence": _trace,
    "compatibility": _compatibility,
    "estimators": _estimates,
    "waterfall": _explained,
    "protest": _protested,
    "society": lambda record: bool(record.nodes),
    "reconstructions": _views,
    "confusion": _batch,
    "generalisation": _measured_by("generalisation"),
    "mirrors": _measured_by("mirrors"),
    "superiority": _measured_by("superiority"),
    "recognition": _measured_by("recognition"),
    "bifurcation": _measured_by("bifurcation"),
    "removal": _measured_by("removal"),
    "prediction": lambda record: bool(
        record.findings
        and record.findings.experiment == "prediction"
        and record.findings.labels.get("rows")
    ),
    "surprise": _measured_by("surprise"),
    "contexts": _measured_by("contexts"),
    "ablation": _measured_by("ablation"),
    "laws": _measured_by("laws"),
    "everyone": _measured_by("everyone"),
    "losses": _measured_by("losses"),
    "sampling": _measured_by("sampling"),
    "beliefs": lambda record: any(record.beliefs.get(node.name) for node in record.nodes),
    "messages": _messages,
    "residuals": _residuals,
    "staircase": lambda record: bool(record.phases) and record.trace.iterations.size > 0,
    "phases": lambda record: bool(walks(record)),
}

_UNASKED: Mapping[str, Callable[[Record], bool]] = {
    "heat": lambda record: len(record.trace.nodes) > 40,
    "multiples": lambda record: _in_question(record) > 8,
    "residuals": lambda record: record.status != "converged",
    "protest": lambda record: False,
    "beliefs": lambda record: False,
    "messages": lambda record: False,
}
"""Figures that a run draws unasked only where this holds, so that it is quick."""
