"""One society in several contexts: what is believed in each, and why."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mpnet.errors import Fault
from mpnet.estimators.attribution import log_odds, parts_around, split_log_odds
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray
from mpnet.names import Name, suggestion
from mpnet.nodes.base import ACTIVATION, NodeFaults, Observation
from mpnet.record import Findings
from mpnet.simulation.experiments.base import Experiment, Tell, difference

if TYPE_CHECKING:
    from mpnet.simulation.answering import Answer
    from mpnet.simulation.loading import Scenario

PRIOR, OWN = "prior", "own evidence"


class Watched(BaseModel):
    """A belief to compare, or one whose log-odds are split."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    node: Name = Field(description="The node.")
    state: str | None = Field(None, description="Its state; active where left out.")
    contexts: list[Name] | None = Field(
        None, min_length=1, description="Contexts whose log-odds are split; all if left out."
    )

    def told(self) -> str:
        """The belief, as measures name it."""
        return self.node if self.state is None else f"{self.node}={self.state}"


class Contexts(Experiment):
    """The same society under several evidence sets: beliefs in each, and log-odds split in nats.

    A split adds up to the exact log-odds of the belief: its prior, what was observed of the node
    itself, and one share for each part of the society that only this node joins to the others. A
    feature that was predicted and not seen has a share as well, its log Bayes factor.
    """

    contexts: dict[Name, dict[str, Any]] = Field(
        min_length=1, description="Evidence by context, besides that of the scenario."
    )
    watch: list[Watched] = Field(min_length=1, description="Beliefs to compare.")
    split: list[Watched] = Field(
        default_factory=list, description="Nodes with two states whose log-odds are split."
    )

    def measures(self, scenario: Scenario) -> Mapping[str, str]:
        """Each belief in each context, and each share of each split."""
        found = {"worst error": "largest difference of a belief from the exact one"}
        for context in self.contexts:
            for watched in self.watch:
                found[f"{watched.told()} in {context}"] = "belief, a probability"
        if self.split:
            found["split gap"] = "largest |sum of shares - exact log-odds|, in nats"
        for case in self._cases(scenario):
            found[f"log-odds of {case.told}"] = "exact, in nats"
            for name in case.names():
                found[f"{name} for {case.told}"] = "share of the log-odds, in nats"
        return found

    def check(self, scenario: Scenario) -> None:
        """Names, states and evidence are known, and what is split is not observed."""
        faults = []
        for context, evidence in self.contexts.items():
            try:
                scenario.society.observe(evidence)
            except NodeFaults as error:
                faults += [replace(f, path=("contexts", context, *f.path)) for f in error.faults]
        for key in ("watch", "split"):
            for number, watched in enumerate(getattr(self, key)):
                wrong = _wrong(watched, scenario, self.contexts, split=key == "split")
                faults += [replace(f, path=(key, number, *f.path)) for f in wrong]
        if not faults:
            faults += [
                Fault(("split",), f"{case.told}: it is observed, so nothing can be split")
                for case in self._cases(scenario)
                if (case.graph.unary_of(case.variable) == -np.inf).any()
            ]
        if faults:
            raise NodeFaults(faults)

    def run(self, scenario: Scenario, tell: Tell) -> Findings:
        """Answer every context, then split."""
        numbers, curves = self._compare(scenario, tell)
        labels = {"contexts": tuple(self.contexts)}
        labels["watch"] = tuple(watched.told() for watched in self.watch)
        cases = list(self._cases(scenario))
        labels["split"] = tuple(case.told for case in cases)
        gaps = []
        for case in cases:
            shares, total = case.shares(), log_odds(case.graph, case.variable)
            gaps.append(difference(math.fsum(shares.values()), total))
            numbers[f"log-odds of {case.told}"] = total
            numbers |= {f"{name} for {case.told}": share for name, share in shares.items()}
            curves[f"shares {case.told}"] = np.array(list(shares.values()))
            labels[f"shares {case.told}"] = tuple(shares)
        if gaps:
            numbers["split gap"] = max(gaps)
        return Findings("contexts", numbers, curves, labels, _notes(numbers, labels))

    def _compare(
        self, scenario: Scenario, tell: Tell
    ) -> tuple[dict[str, float], dict[str, FloatArray]]:
        """Every watched belief in every context, by the estimator and exactly."""
        from mpnet.simulation.answering import answer_evidence

        shape = len(self.watch), len(self.contexts)
        beliefs, exact = np.full(shape, math.nan), np.full(shape, math.nan)
        asking = _asking(scenario, [watched.node for watched in self.watch])
        numbers = {}
        for column, context in enumerate(self.contexts):
            answer = answer_evidence(asking, self._seen(scenario, context))
            for row, watched in enumerate(self.watch):
                beliefs[row, column], exact[row, column] = _belief(answer, watched)
                numbers[f"{watched.told()} in {context}"] = float(beliefs[row, column])
            tell(column + 1, len(self.contexts))
        numbers["worst error"] = float(np.abs(beliefs - exact).max())
        return numbers, {"beliefs": beliefs, "exact": exact}

    def _seen(self, scenario: Scenario, context: str) -> dict[str, Observation]:
        return {**scenario.seen, **scenario.society.observe(self.contexts[context])}

    def _cases(self, scenario: Scenario) -> Iterator[_Case]:
        """Everything to split, context by context."""
        for watched in self.split:
            for context in watched.contexts or self.contexts:
                graph = scenario.society.assemble(self._seen(scenario, context))
                told = f"{watched.node} in {context}"
                prior = 0.0
                if all(cause.target != watched.node for cause in scenario.society.causes):
                    unary = scenario.society.nodes[watched.node].unary(scenario.society)
                    prior = float(unary[1] - unary[0])
                yield _Case(told, graph, graph.index[watched.node], prior)


@dataclass(frozen=True)
class _Case:
    """One node in one context: the graph, and the log-odds of its prior in nats."""

    told: str
    graph: FactorGraph
    variable: int
    prior: float

    def names(self) -> list[str]:
        """Names of the shares."""
        parts = parts_around(self.graph, self.variable)
        return [PRIOR, *([OWN] if self._own() else []), *(self._name(p.neighbours) for p in parts)]

    def shares(self) -> dict[str, float]:
        """The shares, in nats."""
        found = dict.fromkeys(self.names(), 0.0)
        found[PRIOR] = self.prior
        if self._own():
            found[OWN] = self._own()
        for part, share in split_log_odds(self.graph, self.variable):
            found[self._name(part.neighbours)] += share
        return found

    def _own(self) -> float:
        unary = self.graph.unary_of(self.variable)
        with np.errstate(invalid="ignore"):
            return float(unary[1] - unary[0]) - self.prior

    def _name(self, neighbours: tuple[int, ...]) -> str:
        return ", ".join(self.graph.variables[v].name for v in neighbours)


def _asking(scenario: Scenario, names: list[str]) -> Scenario:
    """The same scenario with these nodes in question."""
    asked = {"ask": [*dict.fromkeys([*scenario.spec.inference.ask, *names])]}
    inference = scenario.spec.inference.model_copy(update=asked)
    return replace(scenario, spec=scenario.spec.model_copy(update={"inference": inference}))


def _belief(answer: Answer, watched: Watched) -> tuple[float, float]:
    """One belief by the estimator and exactly; NaN where that was not found."""
    graph = answer.compiled.original
    variable = graph.index[watched.node]
    state = graph.variables[variable].states.index(watched.state or ACTIVATION[1])
    place = graph.states_of(variable).start + state
    exact = answer.exact_beliefs()
    done = answer.estimate.status == "converged"
    return (
        float(answer.beliefs()[place]) if done else math.nan,
        math.nan if exact is None else float(exact[place]),
    )


def _wrong(
    watched: Watched, scenario: Scenario, contexts: Mapping[str, object], split: bool
) -> list[Fault]:
    """Faults of one belief; paths are relative to it."""
    society = scenario.society
    if watched.node not in society.nodes:
        hint = suggestion(watched.node, society.nodes, "nodes")
        return [Fault(("node",), f"there is no node {watched.node!r}", hint)]
    states = society.domains[watched.node]
    if split and len(states) != 2:
        return [Fault(("node",), f"{watched.node!r} has {len(states)} states; two can be split")]
    if split and watched.state is not None:
        return [Fault(("state",), "a split is of the second state against the first; leave it out")]
    if not split and watched.contexts is not None:
        return [Fault(("contexts",), "beliefs are compared in all contexts; leave it out")]
    state = watched.state or ACTIVATION[1]
    if not split and state not in states:
        hint = suggestion(state, states, "states")
        return [Fault(("state",), f"{watched.node!r} has no state {state!r}", hint)]
    return [
        Fault(("contexts", number), f"there is no context {name!r}", suggestion(name, contexts))
        for number, name in enumerate(watched.contexts or ())
        if name not in contexts
    ]


def _notes(numbers: Mapping[str, float], labels: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    told = []
    for case in labels["split"]:
        shares = [
            f"{name} {numbers[f'{name} for {case}']:+.2f}" for name in labels[f"shares {case}"]
        ]
        told.append(f"{case}: {', '.join(shares)} = {numbers[f'log-odds of {case}']:+.2f} nats")
    return tuple(told)
