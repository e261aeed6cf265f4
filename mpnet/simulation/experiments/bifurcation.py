"""A fight: how many fixed points belief propagation has as a number moves, and hysteresis."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field, model_validator
from scipy.optimize import brentq

from mpnet.errors import Fault
from mpnet.estimators.base import Options, Problem, ignore
from mpnet.estimators.exact import solve
from mpnet.estimators.loop import propagate
from mpnet.estimators.mixture import Mixture
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages
from mpnet.names import Name, suggestion
from mpnet.nodes.base import ACTIVATION, NodeFaults, Path
from mpnet.record import Findings
from mpnet.scenario.spec import Part
from mpnet.simulation.experiments.base import Experiment, Tell
from mpnet.simulation.experiments.changes import collect, with_value, without_nodes, written_at
from mpnet.simulation.experiments.contests import Contest, Point, count_stable, fixed_points

if TYPE_CHECKING:
    from mpnet.simulation.loading import Scenario

ASIDE = 0.1
"""How far beside the predicted threshold fixed points are counted, as a share of it."""

RANDOM = 8
"""Random starts of such a count, besides each rival's lead."""

EXACTLY = 1e-4
"""Width of the last bracket of a threshold, as a share of it."""

AWAY = 2.0
"""Factor from the threshold at which a value is away from the bifurcation."""

COMPARED = 5
"""The mixture is held against exact answers at every so many values."""

JUMP = 0.25
"""Change of belief within one step of evidence that counts as a jump."""


def _everyone() -> dict[str, list[str]]:
    """The society as it is, as the only variant."""
    return {"all": []}


class Hysteresis(Part):
    """Evidence for one node that moves slowly up and down again."""

    evidence: Name = Field(description="The node whose evidence moves.")
    at: float = Field(description="Value of what is varied meanwhile.")
    reach: float = Field(4.0, gt=0.0, le=100.0, description="Furthest evidence, +-, in nats.")
    steps: int = Field(60, ge=4, le=10_000, description="Steps each way.")
    of: str | None = Field(None, description="Which variant of the society; the last if left out.")


class Bifurcation(Experiment):
    """Fixed points as a written number moves: where one becomes several, and hysteresis."""

    vary: list[str] = Field(
        min_length=1, description="Keys that all get the number, steps with dots; * is every entry."
    )
    low: float = Field(description="Least value.")
    high: float = Field(description="Largest value.")
    count: int = Field(40, ge=4, le=2000, description="Values from low to high.")
    spacing: Literal["log", "linear"] = Field("log", description="How the values are spaced.")
    watch: Name = Field(description="The node whose belief is shown.")
    state: str | None = Field(None, description="Its state; active where left out.")
    label: str = Field("", description="What the number is, for the figure.")
    rivals: list[Name] = Field(min_length=2, max_length=2, description="The two that fight.")
    balance: bool = Field(
        True, description="Give both evidence, so that both awake is as likely as both asleep."
    )
    tilt: float = Field(
        0.1, ge=0.0, description="Evidence for the first rival in comparisons with exact, in nats."
    )
    without: dict[str, list[Name]] = Field(
        default_factory=_everyone,
        min_length=1,
        description="Variants of the society by name, each with the nodes that are taken out.",
    )
    hysteresis: Hysteresis | None = Field(None, description="Evidence that moves up and down.")

    @model_validator(mode="after")
    def _a_range(self) -> Bifurcation:
        if not self.low < self.high:
            raise ValueError(f"low must be below high, got {self.low:g} and {self.high:g}")
        if self.spacing == "log" and self.low <= 0.0:
            raise ValueError(f"low must be positive with spacing: log, got {self.low:g}")
        return self

    def measures(self, scenario: Scenario) -> Mapping[str, str]:
        """Thresholds and fixed points by variant, the mixture's error, and the two jumps."""
        found: dict[str, str] = {}
        for name in self.without:
            found |= {
                f"threshold {name}": "value at which one stable fixed point becomes several",
                f"theory {name}": "value at which the spectral radius of the rivals is 1",
                f"threshold error {name}": "relative distance of the two",
                f"stable below {name}": "stable fixed points 10 % below the theory's value",
                f"stable above {name}": "stable fixed points 10 % above it",
            }
        found |= {
            "mixture error": "largest error of any belief where there are several fixed points, "
            f"at least a factor {AWAY:g} from the threshold, with and without the tilt",
            "mixture error balanced": "largest error of any belief, anywhere, without the tilt",
            "mixture error tilted": "largest error of any belief, anywhere, with the tilt",
        }
        if self.hysteresis is not None:
            found |= {
                "jump up": "evidence at which the belief jumps on the way up, in nats",
                "jump down": "evidence at which it jumps on the way down, in nats",
                "hysteresis": "distance of the two jumps, in nats",
            }
        return found

    def check(self, scenario: Scenario) -> None:
        """Whether all that is named is there, and whether both ends of the range make sense."""
        faults = self._unknown(scenario)
        for number, key in enumerate(self.vary):
            collect(faults, ("vary", number), partial(written_at, scenario.document.data, key))
        kept = {self.watch, *self.rivals, *([self.hysteresis.evidence] if self.hysteresis else [])}
        for name, gone in self.without.items():
            where: Path = ("without", name)
            collect(faults, where, partial(without_nodes, scenario, gone))
            for lost in sorted(kept & set(gone)):
                faults.append(Fault(where, f"{lost!r} is needed and can't be taken out"))
        ends: list[tuple[Path, float]] = [(("low",), self.low), (("high",), self.high)]
        if self.hysteresis:
            ends.append((("hysteresis", "at"), self.hysteresis.at))
        for path, value in ends if not faults else ():
            collect(faults, path, partial(with_value, scenario, self.vary, value))
        if faults:
            raise NodeFaults(faults)

    def _unknown(self, scenario: Scenario) -> list[Fault]:
        """Names that are no nodes, and nodes that can't do what is asked of them."""
        domains, faults = scenario.society.domains, []
        active: list[tuple[Path, str]] = [(("rivals", i), n) for i, n in enumerate(self.rivals)]
        if self.hysteresis:
            active.append((("hysteresis", "evidence"), self.hysteresis.evidence))
        for path, name in [(("watch",), self.watch), *active]:
            if name not in domains:
                hint = suggestion(name, domains, "nodes")
                faults.append(Fault(path, f"there is no node {name!r}", hint))
        for path, name in active:
            if domains.get(name, ACTIVATION) != ACTIVATION:
                faults.append(Fault(path, f"{name!r} can't be active or inactive"))
        if self.rivals[0] == self.rivals[1]:
            faults.append(Fault(("rivals",), f"{self.rivals[0]!r} can't be its own rival"))
        if self.hysteresis and self.hysteresis.of not in (None, *self.without):
            hint = suggestion(str(self.hysteresis.of), self.without, "variants")
            what = f"there is no variant {self.hysteresis.of!r}"
            faults.append(Fault(("hysteresis", "of"), what, hint))
        states = domains.get(self.watch, ACTIVATION)
        if self.watched not in states:
            hint = f"states: {', '.join(states)}" if states else "it is data and has no belief"
            path = ("watch",) if self.state is None else ("state",)
            faults.append(Fault(path, f"{self.watch!r} has no state {self.watched!r}", hint))
        return faults

    @property
    def watched(self) -> str:
        """The state whose belief is shown."""
        return "active" if self.state is None else self.state

    def run(self, scenario: Scenario, tell: Tell) -> Findings:
        """Follow all fixed points through the range, bisect the threshold, move the evidence."""
        from mpnet.simulation.answering import options_of

        work = _Work(self, scenario, options_of(scenario))
        grid = self._grid()
        numbers: dict[str, float] = {}
        curves: dict[str, FloatArray] = {}
        errors = np.zeros(3)
        for step, name in enumerate(self.without):
            theory, threshold = work.theory(name), work.threshold(name)
            values = _refined(grid, threshold)
            beliefs, stable = work.follow(name, values)
            curves |= {f"value {name}": values, f"belief {name}": beliefs, f"stable {name}": stable}
            numbers |= {
                f"threshold {name}": threshold,
                f"theory {name}": theory,
                f"threshold error {name}": abs(threshold / theory - 1.0),
                f"stable below {name}": work.count(name, theory * (1.0 - ASIDE)),
                f"stable above {name}": work.count(name, theory * (1.0 + ASIDE)),
            }
            found = work.mixture_errors(name, grid[::COMPARED], threshold)
            errors = np.maximum(errors, found)
            tell(step + 1, len(self.without) + 1)
        of = ("mixture error", "mixture error balanced", "mixture error tilted")
        numbers |= dict(zip(of, map(float, errors), strict=True))
        if self.hysteresis is not None:
            there, back = work.sweep(self.hysteresis)
            numbers |= there
            curves |= back
        tell(len(self.without) + 1, len(self.without) + 1)
        labels = {"variants": tuple(self.without), "watch": (self.watch, self.watched)}
        labels |= {"vary": (self.label, *self.vary), "spacing": (self.spacing,)}
        return Findings("bifurcation", numbers, curves, labels, self._notes(numbers))

    def _grid(self) -> FloatArray:
        space = np.geomspace if self.spacing == "log" else np.linspace
        return np.asarray(space(self.low, self.high, self.count), dtype=np.float64)

    def _notes(self, numbers: Mapping[str, float]) -> tuple[str, ...]:
        notes = [
            f"{name}: one fixed point becomes several at {numbers[f'threshold {name}']:.4f} "
            f"(predicted {numbers[f'theory {name}']:.4f})"
            for name in self.without
        ]
        notes.append(
            f"the mixture of fixed points is within {numbers['mixture error']:.4f} of exact well "
            f"inside the region where it has several, also with {self.tilt:g} nats for one rival; "
            f"elsewhere that tilt takes it as far off as {numbers['mixture error tilted']:.2f}"
        )
        if "hysteresis" in numbers:
            notes.append(
                f"moving evidence: {self.watch} jumps up at {numbers['jump up']:+.2f} nats and "
                f"down at {numbers['jump down']:+.2f}"
            )
        return tuple(notes)


@dataclass
class _Work:
    """One run of the experiment: contests by variant and value."""

    asked: Bifurcation
    scenario: Scenario
    options: Options
    variants: dict[str, Scenario] = field(default_factory=dict)

    def contest(self, name: str, value: float) -> Contest:
        changed = with_value(self._variant(name), self.asked.vary, value)
        first, second = self.asked.rivals
        return Contest(changed.society, changed.seen, (first, second), self.asked.balance)

    def _variant(self, name: str) -> Scenario:
        if name not in self.variants:
            self.variants[name] = without_nodes(self.scenario, self.asked.without[name])
        return self.variants[name]

    def theory(self, name: str) -> float:
        """Where the spectral radius is 1; NaN where it is not in the range."""

        def excess(value: float) -> float:
            return self.contest(name, value).radius() - 1.0

        low, high = self.asked.low, self.asked.high
        if (excess(low) > 0.0) == (excess(high) > 0.0):
            return math.nan
        return float(brentq(excess, low, high, xtol=1e-9, rtol=1e-9))

    def threshold(self, name: str) -> float:
        """Where the number of stable fixed points goes from one to several."""
        rivals = self.asked.rivals
        return self._crossing(lambda v: count_stable(self.contest(name, v).graph(), rivals) > 1)

    def _crossing(self, several: Callable[[float], bool]) -> float:
        low, high = self.asked.low, self.asked.high
        at_low = several(low)
        if at_low == several(high):
            return math.nan
        while high - low > EXACTLY * abs(high):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if several(middle) == at_low else (low, middle)
        return 0.5 * (low + high)

    def count(self, name: str, value: float) -> float:
        """Stable fixed points that any start leads to; NaN where the value makes no sense."""
        if not math.isfinite(value):
            return math.nan
        draw = np.random.default_rng(self.options.seed)
        graph = self.contest(name, value).graph()
        found = fixed_points(graph, self.asked.rivals, draw=draw, random=RANDOM)
        return float(sum(point.stable for point in found))

    def follow(self, name: str, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """All fixed points at each value, from the largest value down, each near the last ones."""
        rows: list[list[Point]] = []
        wheres = []
        for value in values[::-1]:
            graph = self.contest(name, float(value)).graph()
            near = rows[-1] if rows else ()
            rows.append(fixed_points(graph, self.asked.rivals, near))
            wheres.append(self._where(graph))
        width = max(map(len, rows))
        beliefs = np.full((len(rows), width), np.nan)
        stable = np.full((len(rows), width), np.nan)
        for number, (row, where) in enumerate(zip(rows[::-1], wheres[::-1], strict=True)):
            row.sort(key=lambda point: -point.beliefs[where])
            beliefs[number, : len(row)] = [point.beliefs[where] for point in row]
            stable[number, : len(row)] = [point.stable for point in row]
        return beliefs, stable

    def _where(self, graph: FactorGraph) -> int:
        states = self.scenario.society.domains[self.asked.watch]
        start = graph.states_of(graph.index[self.asked.watch]).start
        return int(start + states.index(self.asked.watched))

    def mixture_errors(self, name: str, values: FloatArray, threshold: float) -> FloatArray:
        """Largest error of the mixture's beliefs: where it has to be right, balanced, tilted."""
        errors = np.zeros(3)
        low_side = count_stable(self.contest(name, self.asked.low).graph(), self.asked.rivals) > 1
        for value in values:
            contest = self.contest(name, float(value))
            ratio = threshold / value if low_side else value / threshold
            for kind, push in ((1, 0.0), (2, self.asked.tilt)):
                graph = contest.graph({self.asked.rivals[0]: push})
                found = Mixture().estimate(Problem(graph), self.options, ignore)
                error = float(np.abs(found.beliefs - solve(graph).marginals).max())
                errors[kind] = max(errors[kind], error)
                if ratio >= AWAY:
                    errors[0] = max(errors[0], error)
        return errors

    def sweep(self, plan: Hysteresis) -> tuple[dict[str, float], dict[str, FloatArray]]:
        """Move evidence up and down, messages carried over from step to step."""
        name = plan.of or list(self.asked.without)[-1]
        contest = self.contest(name, plan.at)
        up = np.linspace(-plan.reach, plan.reach, plan.steps + 1)
        path = np.concatenate([up, up[::-1]])
        beliefs, exact, start = [], [], None
        for push in path:
            graph = contest.graph({plan.evidence: float(push)})
            messages = Messages(graph, start=start)
            propagate(messages, self.options)
            start = messages.log_messages()
            where = self._where(graph)
            beliefs.append(float(messages.marginals()[where]))
            exact.append(float(solve(graph).marginals[where]))
        half = up.size
        rising, falling = np.array(beliefs[:half]), np.array(beliefs[half:])
        jump_up, jump_down = _jump(up, rising), _jump(up[::-1], falling)
        numbers = {
            "jump up": jump_up,
            "jump down": jump_down,
            "hysteresis": jump_up - jump_down,
        }
        curves = {
            "evidence": up,
            "belief up": rising,
            "belief down": falling[::-1].copy(),
            "exact": np.array(exact[:half]),
        }
        return numbers, curves


def _jump(evidence: FloatArray, beliefs: FloatArray) -> float:
    """Evidence of the largest step of belief, if it is a jump, else NaN."""
    steps = np.abs(np.diff(beliefs))
    most = int(np.argmax(steps))
    return float(evidence[most : most + 2].mean()) if steps[most] > JUMP else math.nan


def _refined(grid: FloatArray, threshold: float) -> FloatArray:
    """The values, and more of them close to the threshold, where branches bend most."""
    if not math.isfinite(threshold):
        return grid
    close = threshold * (1.0 + np.array([-0.05, -0.02, -5e-3, -1e-3, -1e-4, 1e-4, 5e-3]))
    inside = close[(close > grid[0]) & (close < grid[-1])]
    return np.unique(np.concatenate([grid, inside]))
