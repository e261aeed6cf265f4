"""What each class of predictions contributes: cut in turn, beliefs before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field, field_validator

from mpnet.errors import Fault, NumericalError
from mpnet.estimators import ESTIMATORS, make_estimator
from mpnet.estimators.base import Options, Problem, ignore
from mpnet.estimators.compiling import compile_graph, leave_alone
from mpnet.kernels.layout import FloatArray
from mpnet.names import Name, suggestion
from mpnet.nodes.base import ACTIVATION, NodeFaults, Observation, Path
from mpnet.record import Findings
from mpnet.simulation.experiments.base import Experiment, Tell
from mpnet.simulation.experiments.changes import EVERY, without_links
from mpnet.society import Link, Society

if TYPE_CHECKING:
    from mpnet.simulation.loading import Scenario

ARROW = "->"
REFEREE = "exact"
"""The estimator whose answers the losses are of, and the others are held against."""


def read_edge(text: str) -> tuple[str, str]:
    """Source and target of ``source -> target``; ``*`` stands for every node.

    Raises
    ------
    ValueError
        If there is no arrow, or nothing on one side of it.

    """
    source, arrow, target = (part.strip() for part in text.partition(ARROW))
    if not (source and arrow and target):
        raise ValueError(f"must be SOURCE {ARROW} TARGET, got {text!r}")
    return source, target


class Ablation(Experiment):
    """Cut classes of predictions in turn and measure what is lost of some beliefs."""

    classes: dict[str, list[str]] = Field(
        min_length=1, description="By name, predictions to cut together: source -> target, or *."
    )
    watch: dict[Name, str] = Field(
        min_length=1, description="Unobserved nodes, each with the state whose belief is watched."
    )
    recognise: Name = Field(description="The model that should be recognised.")
    estimators: list[str] = Field(
        default=["clamped", "flat"], description="Estimators to hold against the exact answer."
    )
    layers: dict[str, list[Name]] | None = Field(
        None, description="Nodes by layer, the lowest first, for the figure."
    )

    @field_validator("classes")
    @classmethod
    def _edges(cls, classes: dict[str, list[str]]) -> dict[str, list[str]]:
        for edges in classes.values():
            for text in edges:
                read_edge(text)
        return classes

    def measures(self, scenario: Scenario) -> Mapping[str, str]:
        """Beliefs of the whole, losses by class, and the errors of the estimators."""
        found = {
            "belief whole": "exact belief in the watched states, mean",
            "base rate": "the same when nobody predicts anything",
            "belief unseen": "the same in the whole society with nothing seen",
            "filled in": "belief less the larger of these two",
            "recognition whole": f"exact belief in {self.recognise}",
            "recognition unseen": "the same with nothing seen",
            "evidence whole": "log probability of all that is seen, in nats",
        }
        for name in self.classes:
            found |= {
                f"loss of {name}": "belief in the watched states lost when these are cut, mean",
                f"recognition lost by {name}": f"belief in {self.recognise} lost then",
                f"evidence lost by {name}": "log probability of all that is seen lost then, in nats",
            }
        for name in self.estimators:
            found[f"error {name}"] = "largest error of a watched belief, over all cuts"
            found[f"error whole {name}"] = "largest error of a watched belief with nothing cut"
        return found

    def check(self, scenario: Scenario) -> None:
        """Whether the predictions are there, and the watched nodes are hidden."""
        faults = self._wrong_edges(scenario.society) + self._wrong_nodes(scenario)
        for number, name in enumerate(self.estimators):
            if name not in ESTIMATORS:
                hint = suggestion(name, ESTIMATORS, "estimators")
                faults.append(Fault(("estimators", number), f"unknown estimator {name!r}", hint))
        if faults:
            raise NodeFaults(faults)

    def _wrong_edges(self, society: Society) -> list[Fault]:
        known = [f"{link.source} {ARROW} {link.target}" for link in society.links]
        return [
            Fault(
                ("classes", name, number),
                f"there is no prediction {text!r}",
                suggestion(text, known, "predictions"),
            )
            for name, edges in self.classes.items()
            for number, text in enumerate(edges)
            if not any(_matches([text], link) for link in society.links)
        ]

    def _wrong_nodes(self, scenario: Scenario) -> list[Fault]:
        domains, faults = scenario.society.domains, list[Fault]()
        named: list[tuple[Path, str]] = [(("watch", name), name) for name in self.watch]
        named.append((("recognise",), self.recognise))
        for layer, names in (self.layers or {}).items():
            named += [(("layers", layer, i), name) for i, name in enumerate(names)]
        for path, name in named:
            if name not in domains:
                hint = suggestion(name, domains, "nodes")
                faults.append(Fault(path, f"there is no node {name!r}", hint))
        for name, state in self.watch.items():
            if state not in domains.get(name, (state,)):
                hint = f"states: {', '.join(domains[name])}"
                faults.append(Fault(("watch", name), f"{name!r} has no state {state!r}", hint))
            if name in scenario.seen:
                what = f"{name!r} is observed, so nothing fills it in"
                faults.append(Fault(("watch", name), what, "watch what is hidden"))
        if domains.get(self.recognise, ACTIVATION) != ACTIVATION:
            what = f"{self.recognise!r} can't be active or inactive"
            faults.append(Fault(("recognise",), what))
        return faults

    def run(self, scenario: Scenario, tell: Tell) -> Findings:
        """Answer with nothing cut, then with each class cut, by all estimators."""
        from mpnet.simulation.answering import options_of

        work = _Work(self, scenario, options_of(scenario))
        society = scenario.society
        cuts: list[Sequence[str]] = [(), *self.classes.values()]
        answers = []
        for number, edges in enumerate(cuts):
            answers.append(work.answer(without_links(society, partial(_matches, edges))))
            tell(number + 1, len(cuts))
        unseen = work.beliefs(society, {}, REFEREE)
        return self._findings(society, answers, (np.array(unseen[0]), unseen[1]))

    def _findings(
        self, society: Society, answers: Sequence[_Answer], unseen: tuple[FloatArray, float]
    ) -> Findings:
        watched = np.stack([answer.watched for answer in answers])
        known = np.stack([answer.recognised for answer in answers])
        evidence = np.array([answer.evidence for answer in answers])
        base = np.array(
            [society.bases[n][society.domains[n].index(s)] for n, s in self.watch.items()]
        )
        means = watched[:, 0].mean(axis=1)
        numbers = {
            "belief whole": float(means[0]),
            "base rate": float(base.mean()),
            "belief unseen": float(unseen[0].mean()),
            "filled in": float(means[0] - max(base.mean(), unseen[0].mean())),
            "recognition whole": float(known[0, 0]),
            "recognition unseen": unseen[1],
            "evidence whole": float(evidence[0]),
        }
        for row, name in enumerate(self.classes, start=1):
            numbers[f"loss of {name}"] = float(means[0] - means[row])
            numbers[f"recognition lost by {name}"] = float(known[0, 0] - known[row, 0])
            numbers[f"evidence lost by {name}"] = float(evidence[0] - evidence[row])
        # A run that did not converge has no answer: its error is infinite, not unknown.
        errors = np.nan_to_num(np.abs(watched - watched[:, :1]), nan=np.inf).max(axis=2)
        for column, name in enumerate(self.estimators, start=1):
            numbers[f"error {name}"] = float(errors[:, column].max())
            numbers[f"error whole {name}"] = float(errors[0, column])
        curves = {"watched": watched, "recognised": known, "evidence": evidence}
        curves |= {"base": base, "unseen": unseen[0]}
        return Findings("ablation", numbers, curves, self._labels(society), self._notes(numbers))

    def _labels(self, society: Society) -> dict[str, tuple[str, ...]]:
        labels = {
            "classes": tuple(self.classes),
            "estimators": (REFEREE, *self.estimators),
            "watch": tuple(f"{name} {state}" for name, state in self.watch.items()),
            "watched nodes": tuple(self.watch),
            "recognise": (self.recognise,),
            "layers": tuple(self.layers or ()),
        }
        for name, edges in self.classes.items():
            cut = [link for link in society.links if _matches(edges, link)]
            labels[f"sources {name}"] = tuple(link.source for link in cut)
            labels[f"targets {name}"] = tuple(link.target for link in cut)
        for name, nodes in (self.layers or {}).items():
            labels[f"layer {name}"] = tuple(nodes)
        return labels

    def _notes(self, numbers: Mapping[str, float]) -> tuple[str, ...]:
        losses = {name: numbers[f"loss of {name}"] for name in self.classes}
        listed = ", ".join(f"{name} {loss:+.3f}" for name, loss in losses.items())
        return (
            f"what is hidden is believed with {numbers['belief whole']:.3f}, "
            f"{numbers['filled in']:.3f} above what is believed with nothing seen",
            f"of that, cutting one class loses: {listed}",
        )


def _matches(edges: Sequence[str], link: Link) -> bool:
    ends = (link.source, link.target)
    return any(
        all(asked in (EVERY, end) for asked, end in zip(read_edge(text), ends, strict=True))
        for text in edges
    )


@dataclass(frozen=True)
class _Answer:
    """What one society believes, the exact answers first.

    ``watched`` are beliefs in the watched states, shape (estimators, watched), ``recognised``
    beliefs in what is to be recognised, shape (estimators,), ``evidence`` is the log
    probability of all that is seen, in nats.
    """

    watched: FloatArray
    recognised: FloatArray
    evidence: float


@dataclass
class _Work:
    """One run of the experiment."""

    asked: Ablation
    scenario: Scenario
    options: Options

    def answer(self, society: Society) -> _Answer:
        """Ask all estimators about one society."""
        seen = self.scenario.seen
        found = [self.beliefs(society, seen, REFEREE)]
        found += [self.beliefs(society, seen, name) for name in self.asked.estimators]
        nothing = self.beliefs(society, {}, REFEREE)
        return _Answer(
            np.array([watched for watched, _, _ in found]),
            np.array([recognised for _, recognised, _ in found]),
            found[0][2] - nothing[2],
        )

    def beliefs(
        self, society: Society, seen: Mapping[str, Observation], estimator: str
    ) -> tuple[list[float], float, float]:
        """Watched beliefs, the belief in what is recognised, and log Z; NaN if not converged."""
        asked = {**self.asked.watch, self.asked.recognise: ACTIVATION[1]}
        graph = society.assemble(seen)
        compiled: Any = leave_alone(graph)
        if self.scenario.spec.inference.compile:
            compiled = compile_graph(graph, society.leaves(), list(asked))
        if compiled.impossible:
            raise NumericalError(f"what is seen contradicts itself at {compiled.impossible!r}")
        index = compiled.graph.index
        problem = Problem(compiled.graph, tuple(index[name] for name in asked if name in index))
        found = make_estimator(estimator).estimate(problem, self.options, ignore)
        if found.log_z is None:
            return [np.nan] * len(self.asked.watch), np.nan, np.nan
        beliefs = compiled.full_beliefs(found.beliefs, found.joint)
        states = [
            float(beliefs[graph.states_of(graph.index[n]).start + society.domains[n].index(s)])
            for n, s in asked.items()
        ]
        return states[: len(self.asked.watch)], states[-1], float(found.log_z)
