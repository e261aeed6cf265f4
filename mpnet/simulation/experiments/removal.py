"""What the society loses with each of its models, and what it would lose under the other rule."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from mpnet.errors import Fault
from mpnet.estimators import ESTIMATORS, make_estimator
from mpnet.estimators.base import Options, Problem, ignore
from mpnet.estimators.compiling import compile_graph, leave_alone
from mpnet.estimators.exact import solve
from mpnet.kernels.layout import FloatArray
from mpnet.names import Name, suggestion
from mpnet.nodes.base import ACTIVATION, NodeFaults, Observation
from mpnet.nodes.references import model_fault
from mpnet.record import Findings
from mpnet.simulation.experiments.base import Experiment, Tell, difference
from mpnet.society import Link, Society

if TYPE_CHECKING:
    from mpnet.simulation.loading import Scenario

ALONE = " alone"
CONTROL = " as predictions"


class Removal(Experiment):
    """Cost of removing each model, -log p(asleep), with a control where all explanations predict.

    The cost is log Z - log Z(asleep), in nats: what the evidence is less probable by, once the model
    is gone. *Alone*, all other models are gone already; the share of that cost that is left among
    the others is the credit that a model keeps. In the control, each explanation of a token is the
    prediction that says the same while its owner alone is active (a product of experts).
    """

    models: list[Name] | None = Field(
        None, min_length=1, description="Models to remove; all that are not observed if left out."
    )
    estimators: list[str] = Field(
        default_factory=lambda: ["flat"], description="Estimators asked for the same costs."
    )
    not_compiled: list[str] = Field(
        default_factory=list, description="Estimators asked again, without the compile pass."
    )

    def names(self, scenario: Scenario) -> list[str]:
        """The models to remove."""
        domains = scenario.society.domains
        every = [n for n, states in domains.items() if states == ACTIVATION]
        return self.models or [n for n in every if n not in scenario.seen]

    def ways(self) -> list[tuple[str, bool]]:
        """Estimators and whether they come after the compile pass."""
        return [(e, True) for e in self.estimators] + [(e, False) for e in self.not_compiled]

    def measures(self, scenario: Scenario) -> Mapping[str, str]:
        """Costs by model, exactly and by each estimator, and how far two ways to them differ."""
        found = {"worst gap": "largest |log Z - log Z(asleep) + log p(asleep)|, in nats"}
        for name in self.names(scenario):
            for kind in ("", ALONE, CONTROL, ALONE + CONTROL):
                found[f"cost of {name}{kind}"] = "exact, in nats"
            for way in self.ways():
                found[f"cost of {name} by {_told(way)}"] = "log Z - log Z(asleep), in nats"
        return found

    def check(self, scenario: Scenario) -> None:
        """Only models that can sleep can be removed, only known estimators asked."""
        faults = []
        society = scenario.society
        for number, name in enumerate(self.models or ()):
            path = ("models", number)
            if fault := model_fault(path, name, society.domains):
                faults.append(fault)
            elif name in scenario.seen:
                faults.append(Fault(path, f"{name!r} is observed, so it can't be removed"))
        for key in ("estimators", "not_compiled"):
            for number, name in enumerate(getattr(self, key)):
                if name not in ESTIMATORS:
                    hint = suggestion(name, ESTIMATORS)
                    faults.append(Fault((key, number), f"unknown estimator {name!r}", hint))
        if not self.names(scenario):
            faults.append(Fault(("models",), "no model can be removed", "leave some unobserved"))
        faults += [
            _without_leak(c.source, c.target) for c in society.causes if _dry(society, c.target)
        ]
        if faults:
            raise NodeFaults(faults)

    def run(self, scenario: Scenario, tell: Tell) -> Findings:
        """Remove one model after another."""
        from mpnet.simulation.answering import options_of

        names, options = self.names(scenario), options_of(scenario)
        both = {"": scenario.society, CONTROL: as_predictions(scenario.society)}
        curves = {key: np.full(len(names), math.nan) for key in _keys(self.ways())}
        gap = 0.0
        sides = {kind: _Side(society, scenario) for kind, society in both.items()}
        for row, name in enumerate(names):
            others = [other for other in names if other != name]
            for kind, side in sides.items():
                curves["cost" + kind][row] = side.cost(name)
                curves["cost" + ALONE + kind][row] = side.cost(name, others)
                gap = max(gap, difference(side.cost(name), side.by_marginal(name)))
            for way in self.ways():
                curves[_told(way)][row] = sides[""].estimated(way, name, options)
            tell(row + 1, len(names))
        numbers = {"worst gap": gap, **_numbers(names, self.ways(), curves)}
        labels = {"models": tuple(names), "ways": tuple(_told(way) for way in self.ways())}
        return Findings("removal", numbers, curves, labels, _notes(names, curves))


@dataclass(frozen=True)
class _Side:
    """One society at the evidence of a scenario."""

    society: Society
    scenario: Scenario

    def cost(self, name: str, without: Sequence[str] = ()) -> float:
        """Cost of removing a model, once others are gone, exactly, in nats.

        Infinite where nothing is possible without it, NaN where nothing is possible with it either.
        """
        return self._log_z(without) - self._log_z([*without, name])

    def by_marginal(self, name: str) -> float:
        """The same as -log p(asleep), from one marginal, in nats."""
        graph = self.society.assemble(self.scenario.seen)
        compiled = compile_graph(graph, self.society.leaves(), [name])
        answer = solve(compiled.graph)
        belief = compiled.full_beliefs(answer.marginals, answer.joint)
        asleep = float(belief[graph.states_of(graph.index[name])][0])
        return -math.log(asleep) if asleep > 0.0 else math.inf

    def estimated(self, way: tuple[str, bool], name: str, options: Options) -> float:
        """The cost by the log Z of an estimator, in nats; NaN where it does not converge."""
        estimator = make_estimator(way[0])
        found = []
        for asleep in ([], [name]):
            graph = self.society.assemble(self._seen(asleep))
            leaves = self.society.leaves()
            compiled = compile_graph(graph, leaves, [name]) if way[1] else leave_alone(graph)
            estimate = estimator.estimate(Problem(compiled.graph), options, ignore)
            known = estimate.status == "converged" and estimate.log_z is not None
            found.append(float(estimate.log_z or 0.0) if known else math.nan)
        return found[0] - found[1]

    def _log_z(self, asleep: Sequence[str]) -> float:
        graph = self.society.assemble(self._seen(asleep))
        return solve(compile_graph(graph, self.society.leaves(), []).graph).log_z

    def _seen(self, asleep: Sequence[str]) -> dict[str, Observation]:
        held = self.society.observe(dict.fromkeys(asleep, ACTIVATION[0]))
        return {**self.scenario.seen, **held}


def as_predictions(society: Society) -> Society:
    """The same society under the product of experts alone: each explanation is a prediction.

    A model predicts of a token what the token would be if that model alone were active.
    """
    links = list(society.links)
    for cause in society.causes:
        base = society.bases[cause.target]
        prediction = cause.as_prediction(base)
        links.append(Link(cause.source, prediction, prediction.log_ratio(base)))
    return replace(society, links=tuple(links), causes=())


def _told(way: tuple[str, bool]) -> str:
    return way[0] if way[1] else f"{way[0]}, not compiled"


def _keys(ways: Sequence[tuple[str, bool]]) -> list[str]:
    kinds = [f"cost{alone}{kind}" for alone in ("", ALONE) for kind in ("", CONTROL)]
    return kinds + [_told(way) for way in ways]


def _dry(society: Society, token: str) -> bool:
    return float(society.bases[token][1]) == 0.0


def _without_leak(source: str, token: str) -> Fault:
    what = f"{source!r} explains {token!r}, whose base rate of on is 0: no prediction says the same"
    return Fault((), what, f"give {token!r} a positive base rate")


def _numbers(
    names: Sequence[str], ways: Sequence[tuple[str, bool]], curves: Mapping[str, FloatArray]
) -> dict[str, float]:
    """Every cost by its name."""
    found = {}
    for row, name in enumerate(names):
        for kind in ("", ALONE, CONTROL, ALONE + CONTROL):
            found[f"cost of {name}{kind}"] = float(curves["cost" + kind][row])
        for way in ways:
            found[f"cost of {name} by {_told(way)}"] = float(curves[_told(way)][row])
    return found


def _notes(names: Sequence[str], curves: Mapping[str, FloatArray]) -> tuple[str, ...]:
    told = []
    for row, name in enumerate(names):
        cost, alone = curves["cost"][row], curves["cost" + ALONE][row]
        control, control_alone = (
            curves["cost" + CONTROL][row],
            curves["cost" + ALONE + CONTROL][row],
        )
        told.append(
            f"removing {name} costs {cost:.2f} nats ({alone:.2f} if it were alone); under product "
            f"of experts {control:.2f} ({control_alone:.2f})"
        )
    return tuple(told)
