"""Many evidence sets on one society."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mpnet.errors import UsageError
from mpnet.estimators import make_estimator
from mpnet.estimators.base import Options, Problem
from mpnet.estimators.compiling import compile_graph
from mpnet.kernels.layout import FloatArray
from mpnet.nodes.base import Observation
from mpnet.record import BatchResult
from mpnet.simulation.loading import Scenario

SHOWN_ERRORS = 50


def run_batch(
    scenario: Scenario, options: Options, tell: Callable[[int, int], None]
) -> tuple[BatchResult, Observation]:
    """Answer every case and count who won.

    Parameters
    ----------
    scenario : Scenario
        With a batch.
    options : Options
        As for one run.
    tell : callable
        Called after each case with how many are done and how many there are.

    Returns
    -------
    tuple
        The counts, and the evidence of the case whose two best answers were closest.

    """
    batch = scenario.spec.batch
    if batch is None or not scenario.cases:
        raise UsageError("this scenario has no batch")
    labels = scenario.society.domains[batch.answer]
    confusion = np.zeros((len(labels), len(labels)), dtype=np.int64)
    errors: list[tuple[str, str, str, float]] = []
    converged, closest, margin = 0, scenario.cases[0][0], np.inf
    for number, (observation, truth) in enumerate(scenario.cases):
        belief = _answer(scenario, observation, options)
        tell(number + 1, len(scenario.cases))
        if belief is None:
            continue
        converged += 1
        best, second = np.argsort(-belief, kind="stable")[: 2 if len(labels) > 1 else 1][[0, -1]]
        gap = float(belief[best] - belief[second])
        if gap < margin:
            closest, margin = observation, gap
        if truth is not None:
            confusion[labels.index(truth), best] += 1
            if truth != labels[best]:
                errors.append((observation.text, truth, labels[best], float(belief[best])))
    judged = sum(truth is not None for _, truth in scenario.cases)
    right = int(np.trace(confusion))
    result = BatchResult(
        node=batch.node,
        answer=batch.answer,
        cases=len(scenario.cases),
        accuracy=right / judged if judged else float("nan"),
        labels=labels,
        confusion=tuple(tuple(int(n) for n in row) for row in confusion),
        errors=tuple(sorted(errors, key=lambda e: -e[3])[:SHOWN_ERRORS]),
        converged=converged,
    )
    return result, closest


def _answer(scenario: Scenario, observation: Observation, options: Options) -> FloatArray | None:
    """Belief in each state of the answer, or None if the case did not converge."""
    batch = scenario.spec.batch
    assert batch is not None  # noqa: S101 - narrowed by the caller
    seen = {**scenario.seen, batch.node: observation}
    graph = scenario.society.assemble(seen)
    compiled = compile_graph(graph, scenario.society.leaves(), [batch.answer])
    if compiled.impossible:
        return None
    index = compiled.graph.index
    query = (index[batch.answer],) if batch.answer in index else ()
    estimator = make_estimator(scenario.spec.inference.estimator)
    found = estimator.estimate(Problem(compiled.graph, query), options, lambda snapshot: None)
    if found.status != "converged":
        return None
    full = compiled.full_beliefs(found.beliefs, found.joint)
    return full[graph.states_of(graph.index[batch.answer])]
