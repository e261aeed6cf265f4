"""What reaches each node in the end: its prior, what was observed, and the messages of factors.

The compile pass leaves a smaller graph behind, in which observed neighbours and leaves that were
summed out have become part of a node's own potential. They are told apart again here, so that all
that reaches a node adds up to its log belief, entry by entry.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mpnet.estimators.compiling import Compiled
from mpnet.kernels.layout import FloatArray
from mpnet.record import MessageTable
from mpnet.simulation.answering import Answer

MOST = 50_000
"""Messages of a run that are kept, at most; none where there are more."""

CLOSE = 1e-9
"""How near the parts of a potential must come to the whole, in nats."""

Heard = tuple[str, FloatArray]


def message_table(answer: Answer, tolerance: float) -> MessageTable | None:
    """Everything that reaches each node of the compiled graph at the end of flat propagation.

    Parameters
    ----------
    answer : Answer
        A run.
    tolerance : float
        Residual above which a message still changes, in nats.

    """
    recorder, compiled = answer.recorder, answer.compiled
    if recorder.flat is None or recorder.flat.graph is not compiled.graph:
        return None
    if compiled.graph.arrays.edge_variable.size > MOST:
        return None
    recorder.note_settled(tolerance)
    table = _Table()
    for variable in range(len(compiled.graph.variables)):
        for source, logs in _own(compiled, variable):
            table.add(source, compiled.graph.variables[variable].name, logs)
    _from_factors(table, answer)
    return table.done()


class _Table:
    """Rows of the table, as they come."""

    def __init__(self) -> None:
        self.sources: list[str] = []
        self.targets: list[str] = []
        self.values: list[FloatArray] = []
        self.residual: list[float] = []
        self.settled: list[int] = []

    def add(
        self, source: str, target: str, logs: FloatArray, residual: float = np.nan, settled: int = 0
    ) -> None:
        """Add a message, scaled so that its largest entry is 0; what says nothing is left out."""
        top = logs.max()
        if not np.isfinite(top) or np.ptp(logs) == 0.0:
            return
        self.sources.append(source)
        self.targets.append(target)
        self.values.append(logs - top)
        self.residual.append(residual)
        self.settled.append(settled)

    def done(self) -> MessageTable:
        """The table."""
        sizes = [values.size for values in self.values]
        return MessageTable(
            sources=tuple(self.sources),
            targets=tuple(self.targets),
            offsets=np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]),
            values=np.concatenate(self.values) if self.values else np.empty(0),
            residual=np.array(self.residual),
            settled=np.array(self.settled, dtype=np.int64),
        )


def _from_factors(table: _Table, answer: Answer) -> None:
    recorder, graph = answer.recorder, answer.compiled.graph
    assert recorder.flat is not None  # noqa: S101 - by the caller
    messages, arrays = recorder.flat.log_messages(), graph.arrays
    for factor in range(len(graph.factors)):
        scope = graph.factors[factor].scope
        for axis, variable in enumerate(scope):
            edge = int(arrays.factor_edges[factor]) + axis
            others = [graph.variables[v].name for v in scope if v != variable]
            logs = messages[arrays.edge_states[edge] : arrays.edge_states[edge + 1]]
            table.add(
                ", ".join(others),
                graph.variables[variable].name,
                logs,
                float(recorder.edge_residual[edge]),
                int(recorder.settled[edge]),
            )


def _own(compiled: Compiled, variable: int) -> list[Heard]:
    """The potential of a node of the compiled graph, told apart into what it was made of."""
    name = compiled.graph.variables[variable].name
    whole = compiled.graph.unary_of(variable)
    base = compiled.original.unary_of(compiled.original.index[name])
    parts = [("prior", base), *_absorbed(compiled, name)]
    with np.errstate(invalid="ignore"):
        told = np.sum([logs for _, logs in parts], axis=0)
        off = np.ptp(told[np.isfinite(whole)] - whole[np.isfinite(whole)])
    if np.isfinite(told[np.isfinite(whole)]).all() and off < CLOSE:
        return parts
    rest = whole - np.where(np.isfinite(base), base, 0.0)
    return [("prior", base), ("evidence", rest)]


def _absorbed(compiled: Compiled, name: str) -> Iterator[Heard]:
    """What neighbours say that the compile pass took out: observed ones, and lone leaves."""
    graph = compiled.original
    number = graph.index[name]
    for factor in graph.factors_at[number]:
        scope = graph.factors[factor].scope
        names = [graph.variables[v].name for v in scope if v != number]
        if names and _is_taken_out(compiled, name, names):
            yield ", ".join(names), _said(compiled, factor, number)


def _is_taken_out(compiled: Compiled, name: str, others: list[str]) -> bool:
    """Whether a factor became part of a node's own potential: its other variables are gone."""
    if len(others) == 1 and others[0] in compiled.leaves:
        return compiled.leaves[others[0]].neighbours == (name,)
    return all(other in compiled.fixed for other in others)


def _said(compiled: Compiled, factor: int, number: int) -> FloatArray:
    """Log message of a factor whose other variables say only what is known of them by themselves."""
    graph = compiled.original
    scope = graph.factors[factor].scope
    scores = graph.table_of(factor).copy()
    for axis, other in enumerate(scope):
        if other != number:
            shape = [1] * scores.ndim
            shape[axis] = -1
            scores = scores + graph.unary_of(other).reshape(shape)
    axes = tuple(axis for axis, other in enumerate(scope) if other != number)
    top = scores.max(axis=axes, keepdims=True)
    safe = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        summed = np.log(np.exp(scores - safe).sum(axis=axes)) + safe.reshape(-1)
    found: FloatArray = summed
    return found
