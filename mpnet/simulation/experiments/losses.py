"""How lost messages slow a run with no centre down, and that they change no answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from mpnet.estimators.base import Options, Problem, ignore
from mpnet.estimators.flat import Flat
from mpnet.record import Findings
from mpnet.simulation.experiments.base import Experiment, Tell

if TYPE_CHECKING:
    from mpnet.simulation.loading import Scenario


class Losses(Experiment):
    """Asynchronous runs at several shares of lost messages, beside one flooding run."""

    losses: list[float] = Field(
        default_factory=lambda: [0.0, 0.1, 0.2, 0.3, 0.4, 0.5],
        min_length=2,
        description="Shares of messages that get lost, the first of them 0.",
    )
    delay: float = Field(0.0, ge=0.0, description="Mean time on the way, in iterations.")
    seeds: int = Field(12, ge=1, le=1000, description="Runs at each share, other seeds each.")

    def measures(self, scenario: Scenario) -> Mapping[str, str]:
        """The worst difference of any belief, and the slowdown."""
        found = {"worst difference": "largest difference of any belief from flooding's, over all"}
        for loss in self.losses[1:]:
            found[f"slowdown at {loss:g}"] = "mean time to settle over that without losses"
        found["slowdown over theory"] = (
            "slope of the slowdown over 1 / (1 - loss), less one each; 1 is as predicted"
        )
        return found

    def run(self, scenario: Scenario, tell: Tell) -> Findings:
        """Run each share from every seed until it has settled."""
        from mpnet.simulation.answering import compile_evidence, options_of

        graph = compile_evidence(scenario, scenario.society.assemble(scenario.seen)).graph
        options, problem = options_of(scenario), Problem(graph)
        flooded = Flat().estimate(problem, _with(options, schedule="flooding"), ignore)
        times = np.full((len(self.losses), self.seeds), math.nan)
        worst, stuck = 0.0, 0
        for row, loss in enumerate(self.losses):
            for seed in range(self.seeds):
                setting = _with(
                    options, "asynchronous", loss, self.delay, options.seed + seed, damping=0.0
                )
                found = Flat().estimate(problem, setting, ignore)
                if found.status == "converged":
                    times[row, seed] = found.iterations
                    worst = max(worst, float(np.abs(found.beliefs - flooded.beliefs).max()))
                else:
                    stuck += 1
                tell(row * self.seeds + seed + 1, times.size)
        if stuck or flooded.status != "converged":
            worst = math.inf
        slow = times.mean(axis=1) / times[0].mean()
        expected = 1.0 / (1.0 - np.array(self.losses))
        numbers = {"worst difference": worst}
        for loss, factor in zip(self.losses[1:], slow[1:], strict=True):
            numbers[f"slowdown at {loss:g}"] = float(factor)
        over = expected - 1.0
        numbers["slowdown over theory"] = float(((slow - 1.0) * over).sum() / (over * over).sum())
        notes = (
            f"{times.size} asynchronous runs, {stuck} of which did not settle; no belief differs "
            f"from flooding's by more than {worst:.1e}",
            f"with {self.losses[-1]:.0%} of the messages lost it takes {slow[-1]:.2f} times as long "
            f"(1 / (1 - loss) = {expected[-1]:.2f})",
        )
        curves = {"loss": np.array(self.losses), "iterations": times, "theory": expected}
        return Findings("losses", numbers, curves, notes=notes)


def _with(
    options: Options,
    schedule: str,
    loss: float = 0.0,
    delay: float = 0.0,
    seed: int = 0,
    damping: float | str = "auto",
) -> Options:
    return replace(options, schedule=schedule, loss=loss, delay=delay, seed=seed, damping=damping)
