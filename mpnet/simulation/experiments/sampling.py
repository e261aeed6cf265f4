"""The same question asked many times: who wins how often, after how many cycles, and by which basin."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from mpnet.estimators.flat import start_messages
from mpnet.estimators.loop import propagate
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages
from mpnet.names import Name
from mpnet.nodes.base import NodeFaults
from mpnet.nodes.references import model_fault
from mpnet.record import Findings
from mpnet.simulation.experiments.base import Experiment, Tell

if TYPE_CHECKING:
    from mpnet.simulation.loading import Scenario

SAME = 1e-3
"""Ends whose beliefs differ by less are one fixed point."""

LEAD = 1e-6
"""A lead by less is a tie."""


@dataclass(frozen=True)
class _Trial:
    """How one run went: who won (or None in a tie), the cycle of the decision, the end."""

    winner: str | None
    cycles: float
    settled: bool
    beliefs: FloatArray


class Sampling(Experiment):
    """Random starts and orders: the distribution of answers, and cycles to a threshold as reaction time."""

    among: list[Name] = Field(min_length=2, description="Rival models, one of which is the answer.")
    seeds: int = Field(200, ge=2, le=10**5, description="Runs, each from a start of its own.")
    threshold: float = Field(
        0.9, gt=0.5, lt=1.0, description="Belief at which a rival is taken for the answer."
    )
    spread: float = Field(
        1.0, ge=0.0, description="Standard deviation of the log messages at the start, in nats."
    )

    def measures(self, scenario: Scenario) -> Mapping[str, str]:
        """Shares, cycles, ties, fixed points and their basins."""
        found = {}
        for name in self.among:
            found[f"share {name}"] = "share of the runs that it wins"
            found[f"cycles {name}"] = "mean cycles until its belief is past the threshold"
        return found | {
            "cycles": "mean cycles until the first rival is past the threshold",
            "undecided": "share of the runs in which nobody gets there",
            "ties": "share of the runs that end with two rivals in front",
            "fixed points": "different ends",
            "largest basin": "share of the runs that lead to the commonest end",
        }

    def check(self, scenario: Scenario) -> None:
        """The rivals must be models."""
        domains = scenario.society.domains
        named = [model_fault(("among", i), name, domains) for i, name in enumerate(self.among)]
        if faults := [fault for fault in named if fault]:
            raise NodeFaults(faults)

    def run(self, scenario: Scenario, tell: Tell) -> Findings:
        """Run from every seed until all has settled."""
        trials = []
        for seed in range(self.seeds):
            trials.append(self._trial(scenario, scenario.spec.inference.seed + seed))
            tell(seed + 1, self.seeds)
        basins = _basins(trials)
        numbers = self._numbers(trials, basins)
        cycles = np.array([t.cycles for t in trials])
        place = {name: number for number, name in enumerate(self.among)}
        winners = np.array([math.nan if t.winner is None else place[t.winner] for t in trials])
        curves = {"cycles": cycles, "winner": winners, "basins": np.array(basins) / self.seeds}
        labels = {"among": tuple(self.among)}
        return Findings("sampling", numbers, curves, labels, self._notes(numbers, basins))

    def _trial(self, scenario: Scenario, seed: int) -> _Trial:
        from mpnet.simulation.answering import compile_evidence, options_of

        graph = compile_evidence(scenario, scenario.society.assemble(scenario.seen)).graph
        options = replace(options_of(scenario), schedule="random", damping=0.0, seed=seed)
        draw = np.random.default_rng(seed)
        size = int(graph.arrays.edge_states[-1])
        messages = start_messages(graph, options, draw.normal(scale=self.spread, size=size))
        watched = [graph.index[name] for name in self.among]
        decided = math.nan
        cycle = 0

        def look(residual: float) -> None:
            nonlocal cycle, decided
            cycle += 1
            if math.isnan(decided) and _active(messages, watched).max() >= self.threshold:
                decided = float(cycle)

        outcome = propagate(messages, options, look)
        ends = _active(messages, watched)
        order = np.argsort(-ends, kind="stable")
        tie = ends[order[0]] - ends[order[1]] < LEAD
        winner = None if tie else self.among[int(order[0])]
        settled = outcome.status == "converged"
        return _Trial(winner, decided, settled, messages.marginals())

    def _numbers(self, trials: list[_Trial], basins: list[int]) -> dict[str, float]:
        count = len(trials)
        numbers = {}
        for name in self.among:
            own = [t.cycles for t in trials if t.winner == name and not math.isnan(t.cycles)]
            numbers[f"share {name}"] = sum(t.winner == name for t in trials) / count
            numbers[f"cycles {name}"] = float(np.mean(own)) if own else math.nan
        decided = [t.cycles for t in trials if not math.isnan(t.cycles)]
        return numbers | {
            "cycles": float(np.mean(decided)) if decided else math.nan,
            "undecided": 1.0 - len(decided) / count,
            "ties": sum(t.winner is None for t in trials) / count,
            "fixed points": float(len(basins)),
            "largest basin": max(basins, default=0) / count,
        }

    def _notes(self, numbers: Mapping[str, float], basins: list[int]) -> tuple[str, ...]:
        shares = ", ".join(f"{name} {numbers[f'share {name}']:.0%}" for name in self.among)
        sizes = ", ".join(f"{size / self.seeds:.0%}" for size in basins[:6])
        return (
            f"of {self.seeds} runs: {shares}; {numbers['ties']:.0%} end in a tie",
            f"{numbers['cycles']:.1f} cycles on average until a belief is past {self.threshold:g}; "
            f"{numbers['undecided']:.0%} never get there",
            f"{len(basins)} fixed points, with basins of {sizes}",
        )


def _active(messages: Messages, variables: list[int]) -> FloatArray:
    """Belief of each of these models to be active."""
    beliefs = messages.marginals()
    starts = messages.graph.arrays.variable_states
    found: FloatArray = beliefs[starts[variables] + 1]
    return found


def _basins(trials: list[_Trial]) -> list[int]:
    """How many runs led to each end, the commonest first; runs that did not settle led to none."""
    ends: list[FloatArray] = []
    sizes: list[int] = []
    for trial in trials:
        if not trial.settled:
            continue
        for number, end in enumerate(ends):
            if np.abs(end - trial.beliefs).max() < SAME:
                sizes[number] += 1
                break
        else:
            ends.append(trial.beliefs)
            sizes.append(1)
    return sorted(sizes, reverse=True)
