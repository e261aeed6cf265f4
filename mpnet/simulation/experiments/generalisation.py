"""Combinations never met: a society of separate models beside one flat model per combination."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from mpnet.errors import Fault, NumericalError
from mpnet.estimators.base import Options, Problem, ignore
from mpnet.estimators.flat import Flat
from mpnet.graph import freeze
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.names import Name
from mpnet.nodes.base import NodeFaults
from mpnet.nodes.choice import NONE, Choice
from mpnet.nodes.feature import Feature
from mpnet.nodes.registry import node_types
from mpnet.record import Findings
from mpnet.simulation.experiments.base import Experiment, Tell
from mpnet.society import Society, assemble_society, make_nodes

if TYPE_CHECKING:
    from mpnet.simulation.loading import Scenario

SOCIETY, FLAT, CEILING = "society", "flat", "ceiling"
SEEN, UNSEEN = "seen", "unseen"
Combination = tuple[int, ...]


class Generalisation(Experiment):
    """Learn from some combinations, recognise others: separate models beside flat ones.

    Episodes are drawn from the scenario's own society: one rival of each part is active, and
    what it predicts is reported with noise. Some pairs of the first two parts never occur.
    """

    parts: list[Name] = Field(
        min_length=2, description="Nodes of type choice, one rival of each in every episode."
    )
    unseen: int = Field(
        1, ge=1, description="How many rivals of the second part each of the first is never with."
    )
    episodes: int = Field(480, ge=1, le=10**6, description="Episodes to learn from.")
    tests: int = Field(200, ge=2, le=10**6, description="Episodes to recognise, of either kind.")
    noise: float = Field(
        0.2, ge=0.0, lt=1.0, description="Probability that a report is drawn from base rates."
    )

    def measures(self, scenario: Scenario) -> Mapping[str, str]:
        """Accuracies of both on both, and chance."""
        found = {}
        for who, which in itertools.product((SOCIETY, FLAT), (SEEN, UNSEEN)):
            found[f"{who}, {which}"] = f"share of {which} pairs of which all parts are recognised"
        for which in (SEEN, UNSEEN):
            found[f"ceiling, {which}"] = "the same for whoever knows how episodes are drawn"
        found["society, unseen less seen"] = "difference of the two"
        found["chance"] = "one of all combinations"
        return found

    def check(self, scenario: Scenario) -> None:
        """Whether parts are choices among models that predict features, and pairs are left."""
        faults = []
        for number, name in enumerate(self.parts):
            what = self._unfit(scenario.society, name)
            if what:
                faults.append(Fault(("parts", number), what))
            elif name in self.parts[:number]:
                faults.append(Fault(("parts", number), f"{name!r} is there twice"))
        if faults:
            raise NodeFaults(faults)
        first, second = (len(rivals) for rivals in self._rivals(scenario.society)[:2])
        if self.unseen >= second or first < 2:
            what = f"{self.unseen} of {second} leaves no pairs to learn from"
            raise NodeFaults([Fault(("unseen",), what, f"1 to {second - 1}")])

    def _unfit(self, society: Society, name: str) -> str:
        choice = society.nodes.get(name)
        if not isinstance(choice, Choice) or NONE in choice.domain():
            return f"{name!r} is not a choice of exactly one"
        for link in society.links:
            if link.source in choice.among and not isinstance(society.nodes[link.target], Feature):
                return f"{link.source!r} predicts {link.target!r}, which is no feature"
        return ""

    def _rivals(self, society: Society) -> list[list[str]]:
        choices = [society.nodes[name] for name in self.parts]
        return [list(choice.among) for choice in choices if isinstance(choice, Choice)]

    def run(self, scenario: Scenario, tell: Tell) -> Findings:
        """Draw, learn both ways, and let both recognise the same."""
        from mpnet.simulation.answering import options_of

        options = replace(options_of(scenario), schedule="flooding", damping=0.0)
        rng = np.random.default_rng(options.seed)
        world = World(scenario.society, self._rivals(scenario.society), self.noise)
        seen, unseen = split(world.combinations, len(world.rivals[1]), self.unseen)
        lessons = [seen[i] for i in rng.integers(len(seen), size=self.episodes)]
        reports = np.array([world.draw(combination, rng) for combination in lessons])
        pupils = [
            Pupil(world, separate(world, lessons, reports), self.parts, options),
            Pupil(world, together(world, lessons, reports), ["combination"], options),
        ]
        right = np.zeros((3, 2, self.tests))
        for which, combinations in enumerate((seen, unseen)):
            for test in range(self.tests):
                truth = combinations[rng.integers(len(combinations))]
                report = world.draw(truth, rng)
                answers = [pupil.recognise(report) for pupil in pupils]
                answers.append(world.recognise(report))
                right[:, which, test] = [answer == truth for answer in answers]
                tell(which * self.tests + test + 1, 2 * self.tests)
        return self._findings(right, len(seen), len(unseen))

    def _findings(self, right: FloatArray, seen: int, unseen: int) -> Findings:
        mean = right.mean(axis=2)
        numbers = {
            f"{who}, {which}": float(mean[w, s])
            for (w, who), (s, which) in itertools.product(
                enumerate((SOCIETY, FLAT, CEILING)), enumerate((SEEN, UNSEEN))
            )
        }
        numbers["society, unseen less seen"] = float(mean[0, 1] - mean[0, 0])
        numbers["chance"] = 1.0 / (seen + unseen)
        notes = (
            f"{seen} combinations met in {self.episodes} episodes, {unseen} never: recognised "
            f"{mean[0, 0]:.1%} and {mean[0, 1]:.1%} by separate models, {mean[1, 0]:.1%} and "
            f"{mean[1, 1]:.1%} by one model per combination",
        )
        curves = {
            "accuracy": mean,
            "error": np.sqrt(mean * (1.0 - mean) / right.shape[2]),
            "chance": np.array([numbers["chance"]]),
            "combinations": np.array([float(seen), float(unseen)]),
        }
        labels = {
            "who": ("separate models", "one model per combination", "ceiling"),
            "which": (SEEN, UNSEEN),
        }
        return Findings("generalisation", numbers, curves, labels, notes)


class World:
    """What episodes are drawn from: the scenario's society, seen through noise.

    Parameters
    ----------
    society : Society
        As written.
    rivals : list of list of str
        Of each part.
    noise : float
        Probability that a report is drawn from base rates.

    """

    def __init__(self, society: Society, rivals: list[list[str]], noise: float) -> None:
        self.society, self.rivals, self.noise = society, rivals, noise
        members = {name for group in rivals for name in group}
        links = [link for link in society.links if link.source in members]
        self.targets: dict[str, list[str]] = {name: [] for name in members}
        for link in links:
            self.targets[link.source].append(link.target)
        self.ratios = {(link.source, link.target): link.log_ratio for link in links}
        self.features = list(dict.fromkeys(link.target for link in links))
        self.combinations: list[Combination] = list(
            itertools.product(*(range(len(group)) for group in rivals))
        )
        self.tables = {c: self.reported(c) for c in self.combinations}

    def names(self, combination: Combination) -> list[str]:
        """The rivals that are active."""
        return [group[i] for group, i in zip(self.rivals, combination, strict=True)]

    def expected(self, combination: Combination, feature: str) -> FloatArray:
        """Probabilities of a feature's states while these rivals are active, without noise."""
        base = self.society.bases[feature]
        with np.errstate(divide="ignore"):
            logs = np.log(base)
        for name in self.names(combination):
            logs = logs + self.ratios.get((name, feature), 0.0)
        odds: FloatArray = np.exp(logs - logs.max())
        odds /= odds.sum()
        return odds

    def reported(self, combination: Combination) -> list[FloatArray]:
        """Probabilities of what is reported of each feature, with noise."""
        return [
            self.noise * self.society.bases[feature]
            + (1.0 - self.noise) * self.expected(combination, feature)
            for feature in self.features
        ]

    def draw(self, combination: Combination, rng: np.random.Generator) -> list[int]:
        """Reported state of each feature, by number."""
        return [int(rng.choice(p.size, p=p)) for p in self.tables[combination]]

    def recognise(self, report: Sequence[int]) -> Combination:
        """The combination that gives the report the highest probability."""
        return max(
            self.combinations,
            key=lambda c: float(np.prod([p[s] for p, s in zip(self.tables[c], report)])),
        )


def split(
    combinations: Sequence[Combination], second: int, unseen: int
) -> tuple[list[Combination], list[Combination]]:
    """Combinations to learn from, and those whose first two parts never go together.

    Parameters
    ----------
    combinations : sequence of tuple of int
        All of them.
    second : int
        Rivals of the second part.
    unseen : int
        How many of them each rival of the first part is never with: those of its own number,
        and the next ones.

    """
    held_out = [c for c in combinations if (c[1] - c[0]) % second < unseen]
    return [c for c in combinations if c not in set(held_out)], held_out


Written = dict[str, dict[str, object]]


def separate(
    world: World, lessons: Sequence[Combination], reports: IntArray
) -> tuple[Written, list[Combination]]:
    """A society with the models of the scenario, what they predict counted from episodes.

    Returns
    -------
    tuple
        Nodes as written in a scenario, and nothing: answers are read part by part.

    """
    nodes, rates = _features(world, reports)
    for part, group in enumerate(world.rivals):
        for number, name in enumerate(group):
            met = reports[[lesson[part] == number for lesson in lessons]]
            nodes[name] = _model(world, world.targets[name], met, rates, len(group))
    return nodes, []


def together(
    world: World, lessons: Sequence[Combination], reports: IntArray
) -> tuple[Written, list[Combination]]:
    """One model per combination, which predicts all features; of those never met, base rates."""
    nodes, rates = _features(world, reports)
    for combination in world.combinations:
        met = reports[[lesson == combination for lesson in lessons]]
        name = " + ".join(world.names(combination))
        nodes[name] = _model(world, world.features, met, rates, len(world.combinations))
    return nodes, world.combinations


def _features(world: World, reports: IntArray) -> tuple[Written, dict[str, FloatArray]]:
    """Feature nodes with counted base rates, smoothed by one count of each state."""
    nodes: Written = {}
    rates = {}
    for column, feature in enumerate(world.features):
        states = world.society.states_of(feature)
        counts = np.bincount(reports[:, column], minlength=len(states)) + 1.0
        rates[feature] = counts / counts.sum()
        nodes[feature] = {
            "type": "feature",
            "states": list(states),
            "base_rates": [float(rate) for rate in rates[feature]],
        }
    return nodes, rates


def _model(
    world: World,
    targets: Sequence[str],
    met: IntArray,
    rates: Mapping[str, FloatArray],
    rivals: int,
) -> dict[str, object]:
    """A model whose predictions are counts over what was met, and one count at base rates."""
    predicts = {}
    for feature in targets:
        column, states = world.features.index(feature), world.society.states_of(feature)
        counts = np.bincount(met[:, column], minlength=len(states)) + rates[feature]
        shares = counts / counts.sum()
        predicts[feature] = dict(zip(states, map(float, shares), strict=True))
    return {"type": "model", "prior": 1.0 / rivals, "predicts": predicts}


class Pupil:
    """A learnt society that says which rivals are behind a report.

    Parameters
    ----------
    world : World
        Names of rivals and features.
    learnt : tuple
        Its nodes as written, and the combinations that its only choice is among, if any.
    parts : list of str
        Names of its choices.
    options : Options
        Of inference.

    """

    def __init__(
        self,
        world: World,
        learnt: tuple[Written, list[Combination]],
        parts: Sequence[str],
        options: Options,
    ) -> None:
        written, self.combinations = learnt
        groups = world.rivals
        if self.combinations:
            groups = [[" + ".join(world.names(c)) for c in self.combinations]]
        choices: Written = {
            part: {"type": "choice", "among": group}
            for part, group in zip(parts, groups, strict=True)
        }
        nodes, faults = make_nodes({**written, **choices}, node_types())
        society, unresolved = assemble_society(nodes, dict.fromkeys(nodes, ""))
        if faults or unresolved:
            raise NodeFaults([*faults, *unresolved])
        self.options, self.graph = options, society.assemble({})
        index = self.graph.index
        self.choices = [self.graph.states_of(index[part]) for part in parts]
        self.features = [self.graph.states_of(index[name]) for name in world.features]

    def recognise(self, report: Sequence[int]) -> Combination:
        """The most believed rival of each part, given the state of each feature."""
        unary = self.graph.unary.copy()
        for where, state in zip(self.features, report, strict=True):
            kept = unary[where.start + state]
            unary[where] = -np.inf
            unary[where.start + state] = kept
        asked = replace(self.graph, unary=freeze(unary))
        found = Flat().estimate(Problem(asked), self.options, ignore)
        if found.status != "converged":
            raise NumericalError(f"a combination was not recognised: {found.reason}")
        best = tuple(int(found.beliefs[where].argmax()) for where in self.choices)
        return self.combinations[best[0]] if self.combinations else best
