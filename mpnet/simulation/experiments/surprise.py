"""Confusion noticed: scenes that nobody explains have too small a log Z, and start a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from mpnet.errors import Fault
from mpnet.kernels.layout import IntArray
from mpnet.names import Name
from mpnet.nodes.base import NodeFaults, Observation
from mpnet.nodes.references import model_fault
from mpnet.record import Findings
from mpnet.simulation.experiments.base import Experiment, Tell
from mpnet.simulation.experiments.changes import collect, without_nodes
from mpnet.simulation.experiments.scenes import Viewer, auroc, roc
from mpnet.society import Society

if TYPE_CHECKING:
    from mpnet.simulation.loading import Scenario

KINDS = ("explained", "unexplained", "random")
"""Scenes of the society, of models that sleep, and with random states."""


class Surprise(Experiment):
    """Tell scenes that no awake model explains by their log Z, and search only for these."""

    asleep: list[Name] = Field(min_length=1, description="The library: models that sleep.")
    show: list[Name] | None = Field(
        None, description="Nodes that a scene shows; all features if left out."
    )
    scenes: int = Field(100, ge=10, le=10**5, description="Scenes of each kind.")
    samples: int = Field(
        100, ge=10, le=10**6, description="Scenes drawn to learn what an explanation usually gives."
    )
    threshold: float = Field(
        -3.0, lt=0.0, description="Deviations from the mean below which a scene is surprising."
    )
    wake: int = Field(3, ge=1, le=100, description="Models that one search may wake, at most.")

    def measures(self, scenario: Scenario) -> Mapping[str, str]:
        """How well surprise tells the kinds apart, and what the search is worth."""
        return {
            "auroc": "chance that an unexplained scene surprises more than an explained one",
            "auroc random": "the same for scenes with random states",
            "false alarms": "share of explained scenes that surprise",
            "flagged": "share of unexplained scenes that surprise",
            "flagged random": "share of random scenes that surprise",
            "mended": "share of the flagged unexplained scenes that a search makes usual",
            "mended random": "the same for random scenes",
            "right model": "share of the mended scenes for which the model behind them was woken",
            "searches": "searches of the library",
            "needless searches": "searches for explained scenes",
            "scenes": "scenes looked at, of all kinds",
            "score explained": "mean of the explained scenes, in deviations; 0 is as expected",
            "score mended": "mean of the mended scenes, in deviations",
        }

    def check(self, scenario: Scenario) -> None:
        """Whether the library can sleep and scenes can be drawn."""
        society, faults = scenario.society, list[Fault]()
        for number, name in enumerate(self.asleep):
            path = ("asleep", number)
            if fault := model_fault(path, name, society.domains):
                faults.append(fault)
            elif name in scenario.seen:
                faults.append(Fault(path, f"{name!r} is observed, so it can't sleep"))
        leaves = set(society.leaves())
        for number, name in enumerate(self.show or ()):
            if name not in leaves:
                what = f"{name!r} can't be shown"
                hint = "a scene shows nodes that predict nothing and are in no rule"
                faults.append(Fault(("show", number), what, hint))
        if not self._shown(society):
            faults.append(Fault(("show",), "no node is shown", "name some features"))
        if not faults:
            collect(faults, ("asleep",), partial(without_nodes, scenario, self.asleep))
        if faults:
            raise NodeFaults(faults)

    def _shown(self, society: Society) -> tuple[str, ...]:
        if self.show is not None:
            return tuple(self.show)
        leaves = set(society.leaves())
        return tuple(
            n for n, node in society.nodes.items() if node.kind == "feature" and n in leaves
        )

    def run(self, scenario: Scenario, tell: Tell) -> Findings:
        """Look at scenes of each kind; where one surprises, search, wake, and look again."""
        library = _Library(self, scenario, self._shown(scenario.society))
        draw = np.random.default_rng(scenario.spec.inference.seed)
        scenes, origins = library.draw_scenes(draw)
        outcomes: dict[str, list[_Outcome]] = {kind: [] for kind in KINDS}
        done, total = 0, sum(map(len, scenes.values()))
        for kind in KINDS:
            for scene in scenes[kind]:
                outcomes[kind].append(library.meet(scene))
                done += 1
                tell(done, total)
        return self._findings(outcomes, origins)

    def _findings(
        self, outcomes: Mapping[str, Sequence[_Outcome]], origins: Sequence[str]
    ) -> Findings:
        first = {kind: np.array([o.before for o in outcomes[kind]]) for kind in KINDS}
        flagged = {kind: [o for o in outcomes[kind] if o.searched] for kind in KINDS}
        mended = {kind: [o for o in flagged[kind] if o.after >= self.threshold] for kind in KINDS}
        behind = dict(zip(map(id, outcomes["unexplained"]), origins, strict=True))
        right = [behind[id(o)] in o.woken for o in mended["unexplained"]]
        false, true = roc(first["unexplained"], first["explained"])
        numbers = {
            "auroc": auroc(first["unexplained"], first["explained"]),
            "auroc random": auroc(first["random"], first["explained"]),
            "false alarms": _share(flagged["explained"], outcomes["explained"]),
            "flagged": _share(flagged["unexplained"], outcomes["unexplained"]),
            "flagged random": _share(flagged["random"], outcomes["random"]),
            "mended": _share(mended["unexplained"], flagged["unexplained"]),
            "mended random": _share(mended["random"], flagged["random"]),
            "right model": float(np.mean(right)) if right else float("nan"),
            "searches": float(sum(map(len, flagged.values()))),
            "needless searches": float(len(flagged["explained"])),
            "scenes": float(sum(map(len, outcomes.values()))),
            "score explained": float(first["explained"].mean()),
            "score mended": _mean([o.after for o in mended["unexplained"]]),
        }
        curves = dict(first)
        curves |= {
            "mended": np.array([o.after for o in mended["unexplained"]]),
            "false alarms": false,
            "hits": true,
            "threshold": np.array([self.threshold]),
        }
        return Findings("surprise", numbers, curves, notes=self._notes(numbers))

    def _notes(self, numbers: Mapping[str, float]) -> tuple[str, ...]:
        return (
            f"log Z tells unexplained scenes from explained ones with AUROC {numbers['auroc']:.3f}; "
            f"below {self.threshold:g} deviations lie {numbers['flagged']:.0%} of them and "
            f"{numbers['false alarms']:.0%} of the explained ones",
            f"{numbers['searches']:.0f} searches for {numbers['scenes']:.0f} scenes; "
            f"{numbers['mended']:.0%} of the flagged scenes of sleeping models were mended, "
            f"{numbers['mended random']:.0%} of the random ones",
        )


def _share(part: Sequence[object], whole: Sequence[object]) -> float:
    return len(part) / len(whole) if whole else float("nan")


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


@dataclass(frozen=True)
class _Outcome:
    """A scene met: its score before and after, in deviations, and who was woken for it."""

    before: float
    after: float
    searched: bool
    woken: tuple[str, ...] = ()


@dataclass
class _Library:
    """Who is awake, who sleeps, and viewers by who was woken."""

    asked: Surprise
    scenario: Scenario
    shown: tuple[str, ...]
    viewers: dict[frozenset[str], Viewer] = field(default_factory=dict)

    def viewer(self, woken: Sequence[str] = ()) -> Viewer:
        """The society with some of the sleeping models woken."""
        from mpnet.simulation.answering import options_of

        key = frozenset(woken)
        if key not in self.viewers:
            asleep = [name for name in self.asked.asleep if name not in key]
            awake = without_nodes(self.scenario, asleep)
            self.viewers[key] = Viewer(
                awake.society,
                self.shown,
                {n: o for n, o in awake.seen.items() if n not in self.shown},
                options_of(self.scenario),
                self.scenario.spec.inference.estimator,
                self.asked.samples,
            )
        return self.viewers[key]

    def draw_scenes(self, draw: np.random.Generator) -> tuple[dict[str, IntArray], list[str]]:
        """Scenes of each kind, and the sleeping model behind each unexplained one."""
        count, domains = self.asked.scenes, self.scenario.society.domains
        origins = [self.asked.asleep[i % len(self.asked.asleep)] for i in range(count)]
        strange = [self._scenes_with(n, origins.count(n), draw) for n in dict.fromkeys(origins)]
        random = [draw.integers(len(domains[name]), size=count) for name in self.shown]
        scenes = {
            "explained": self.viewer().scenes(count, draw),
            "unexplained": np.concatenate(strange),
            "random": np.stack(random, axis=1),
        }
        return scenes, sorted(origins, key=self.asked.asleep.index)

    def _scenes_with(self, name: str, count: int, draw: np.random.Generator) -> IntArray:
        """Scenes in which one sleeping model is active for sure."""
        viewer = self.viewer([name])
        active = Observation("active", np.array([-np.inf, 0.0]))
        present = Viewer(
            viewer.society,
            self.shown,
            {**viewer.given, name: active},
            viewer.options,
            viewer.estimator,
            viewer.samples,
        )
        return present.scenes(count, draw)

    def meet(self, scene: IntArray) -> _Outcome:
        """Look at a scene; only where it surprises, score the library and wake the best."""
        before = self.viewer().surprise(scene)
        if before >= self.asked.threshold:
            return _Outcome(before, before, False)
        woken: list[str] = []
        after = before
        for name in self.candidates(scene)[: self.asked.wake]:
            score = self.viewer([*woken, name]).surprise(scene)
            if score > after:
                woken, after = [*woken, name], score
            if after >= self.asked.threshold:
                break
        return _Outcome(before, after, True, tuple(woken))

    def candidates(self, scene: IntArray) -> list[str]:
        """Sleeping models whose feed-forward score is above 0 nats, the best first."""
        society = self.scenario.society
        states = {n: society.domains[n][s] for n, s in zip(self.shown, scene, strict=True)}
        seen = {**self.scenario.seen, **society.observe(states)}
        scores = society.scores(seen)
        ranked = sorted(self.asked.asleep, key=lambda name: -scores[name])
        return [name for name in ranked if scores[name] > 0.0]
