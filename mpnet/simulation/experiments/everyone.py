"""A library of which few wake, beside a run in which everybody is awake from the start."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mpnet.errors import Fault
from mpnet.estimators.base import Estimate, Problem, ignore
from mpnet.estimators.flat import Flat
from mpnet.graph import FactorGraph
from mpnet.nodes.base import NodeFaults
from mpnet.record import Findings
from mpnet.simulation.experiments.base import Experiment, Tell

if TYPE_CHECKING:
    from mpnet.simulation.living import Lived
    from mpnet.simulation.loading import Scenario


class Everyone(Experiment):
    """What it saves to let a library sleep, and how far that moves any belief."""

    along: ClassVar[bool] = True

    def measures(self, scenario: Scenario) -> Mapping[str, str]:
        """Messages of both runs, and the largest difference of a belief."""
        return {
            "messages asleep": "messages computed where few wake, trials included",
            "messages awake": "messages computed by the same engine where everybody is awake",
            "times fewer messages": "the latter over the former",
            "times fewer sums": "the latter over the former with the sums that scores take",
            "worst difference": "largest difference of any belief, a probability",
            "bound printed": "the bound that the run with sleepers gives",
            "difference over bound": "the former over the latter; at most 1 as promised",
        }

    def check(self, scenario: Scenario) -> None:
        """Somebody must be able to sleep."""
        if scenario.spec.lifecycle is None:
            what = "there is no lifecycle, so nobody sleeps"
            raise NodeFaults([Fault((), what, "add one, or another experiment")])

    def run(self, scenario: Scenario, tell: Tell) -> Findings:
        """Run both, with the evidence at the end of the timeline."""
        from mpnet.simulation.answering import options_of
        from mpnet.simulation.living import live

        lived = live(scenario)
        tell(1, 2)
        graph = scenario.society.assemble(lived.seen)
        options = replace(options_of(scenario), schedule="flooding", damping="auto")
        full = Flat().estimate(Problem(graph), options, ignore)
        tell(2, 2)
        worst, where = _difference(lived, graph, full)
        asleep, awake = lived.numbers["messages computed"], _all_awake(scenario, lived)
        sums = asleep + lived.numbers["sums of scoring"]
        bound = lived.numbers["bound"]
        if full.status != "converged":
            worst = math.inf
        numbers = {
            "messages asleep": asleep,
            "messages awake": awake,
            "times fewer messages": awake / max(1.0, asleep),
            "times fewer sums": awake / max(1.0, sums),
            "worst difference": worst,
            "bound printed": bound,
            "difference over bound": _over(worst, bound),
        }
        notes = (
            f"with everybody awake, {awake:,.0f} messages were computed; with sleepers, {asleep:,.0f}: "
            f"{awake / max(1.0, asleep):,.0f} times fewer ({awake / max(1.0, sums):.0f} times, if the "
            f"{sums - asleep:,.0f} sums of scoring count as messages)",
            f"the largest difference of a belief is {worst:.2g} ({where}); the bound printed is "
            f"{bound:.2g}",
        )
        log_z = math.nan if full.log_z is None else full.log_z
        return Findings("everyone", numbers, {"log Z awake": np.array([log_z])}, notes=notes)


def _over(worst: float, bound: float) -> float:
    """How much of the bound is used; 0 where nothing differs, though nobody sleeps."""
    if worst == 0.0:
        return 0.0
    return worst / bound if bound > 0.0 else math.inf


def _all_awake(scenario: Scenario, lived: Lived) -> float:
    """Messages that the same engine computes where nobody sleeps."""
    from mpnet.lifecycle.population import Population

    inference = scenario.spec.inference
    population = Population(scenario.society)
    population.see_all(scenario.society.likelihoods(lived.seen))
    ended = population.graph.settle(inference.tolerance, inference.max_iterations)
    return float(ended.computed)


def _difference(lived: Lived, graph: FactorGraph, full: Estimate) -> tuple[float, str]:
    """Largest total variation between the two beliefs of one node, and that node."""
    worst, where = 0.0, "none"
    for number, variable in enumerate(graph.variables):
        there = full.beliefs[graph.states_of(number)]
        gap = 0.5 * float(np.abs(lived.population.belief(variable.name) - there).sum())
        if gap > worst:
            worst, where = gap, variable.name
    return worst, where
