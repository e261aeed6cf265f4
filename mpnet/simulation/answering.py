"""Answers one evidence set: assemble, compile, estimate, and ask the referee."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from mpnet.errors import TooLargeError
from mpnet.estimators import make_estimator
from mpnet.estimators.base import Estimate, Options, Problem
from mpnet.estimators.compiling import Compiled, compile_graph, leave_alone
from mpnet.estimators.exact import ExactAnswer, solve
from mpnet.estimators.ladder import climb
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray
from mpnet.nodes.base import Observation
from mpnet.quantities import bytes_of
from mpnet.simulation.loading import Scenario
from mpnet.simulation.recorder import Recorder
from mpnet.simulation.watching import Watcher

AUTO_EXACT = 2**16
"""Joint states of a part that are enumerated without being asked to."""


@dataclass(frozen=True)
class Answer:
    """One evidence set answered: the graphs, what the estimator and the referee found."""

    compiled: Compiled
    estimate: Estimate
    exact: ExactAnswer | None
    recorder: Recorder

    def beliefs(self) -> FloatArray:
        """Beliefs of all nodes of the society in a row, probabilities."""
        return self.compiled.full_beliefs(self.estimate.beliefs, self.estimate.joint)

    def flat_beliefs(self) -> FloatArray:
        """What flat propagation believed."""
        flat = self.estimate.flat
        return (
            self.beliefs()
            if flat is None
            else self.compiled.full_beliefs(flat, self.estimate.joint)
        )

    def exact_beliefs(self) -> FloatArray | None:
        """Exact marginals, if they were computed."""
        if self.exact is None or self.exact.log_z == -np.inf:
            return None
        return self.compiled.full_beliefs(self.exact.marginals, self.exact.joint)


def options_of(scenario: Scenario) -> Options:
    """Options of the scenario's inference."""
    inference = scenario.spec.inference
    asked = inference.exact == "always" or inference.estimator == "exact"
    return Options(
        schedule=inference.schedule,
        damping=inference.damping,
        tolerance=inference.tolerance,
        max_iterations=inference.max_iterations,
        seed=inference.seed,
        loss=inference.loss,
        delay=inference.delay,
        starts=inference.starts,
        i_bound=inference.i_bound,
        memory=bytes_of(inference.memory),
        on_failure=inference.on_failure,
        exact_limit=2**20 if asked else AUTO_EXACT,
        junction=asked,
    )


def answer_evidence(
    scenario: Scenario, seen: Mapping[str, Observation], watcher: Watcher | None = None
) -> Answer:
    """Assemble, compile, estimate; and ask the referee where that is cheap or asked for."""
    return answer_graph(scenario, scenario.society.assemble(seen), watcher)


def answer_graph(scenario: Scenario, graph: FactorGraph, watcher: Watcher | None = None) -> Answer:
    """Compile and estimate a graph that holds all that is seen; and ask the referee."""
    compiled = compile_evidence(scenario, graph)
    recorder = Recorder(compiled, scenario.spec.trace, scenario.in_question, watcher)
    options = options_of(scenario)
    if compiled.impossible:
        return Answer(compiled, _impossible(compiled), None, recorder)
    index = compiled.graph.index
    query = tuple(index[name] for name in scenario.in_question if name in index)
    estimator = make_estimator(scenario.spec.inference.estimator)
    problem = Problem(compiled.graph, query)
    estimate = estimator.estimate(problem, options, recorder)
    if estimate.status not in ("converged", "inconsistent") and options.on_failure == "ladder":
        estimate = climb(problem, options, recorder)
    exact = None
    if scenario.spec.inference.exact != "never" and estimate.status != "inconsistent":
        exact = _referee(scenario, compiled, options)
        if exact is not None and exact.log_z == -np.inf:
            reason = "no joint state is possible, though no message shows it"
            estimate = replace(estimate, status="inconsistent", reason=reason, log_z=None)
    return Answer(compiled, estimate, exact, recorder)


def compile_evidence(scenario: Scenario, graph: FactorGraph) -> Compiled:
    """The compile pass, as far as the scenario wants it."""
    if not scenario.spec.inference.compile:
        return leave_alone(graph)
    there = graph.index
    leaves = [name for name in scenario.society.leaves() if name in there]
    return compile_graph(graph, leaves, [n for n in scenario.in_question if n in there])


def _impossible(compiled: Compiled) -> Estimate:
    nothing = np.full(compiled.graph.unary.size, np.nan)
    return Estimate(
        status="inconsistent",
        reason=f"no state of {compiled.impossible!r} is possible",
        iterations=0,
        residual=0.0,
        log_z=None,
        beliefs=nothing,
        joint=lambda scope: np.full([], np.nan),
    )


def _referee(scenario: Scenario, compiled: Compiled, options: Options) -> ExactAnswer | None:
    try:
        return solve(compiled.graph, options.exact_limit, options.junction)
    except TooLargeError:
        if scenario.spec.inference.exact == "always":
            raise
        return None
