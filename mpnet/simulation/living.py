"""Runs a society along its timeline: moments happen, messages settle, models wake and go."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from mpnet.errors import Fault
from mpnet.kernels.layout import FloatArray
from mpnet.lifecycle.changes import Change, Lifecycle, Thresholds
from mpnet.lifecycle.clocks import Clocks
from mpnet.lifecycle.composing import compose
from mpnet.lifecycle.living import Settled
from mpnet.lifecycle.population import Population
from mpnet.nodes.base import Node, Observation
from mpnet.nodes.calling import proposals_of
from mpnet.record import PhaseInfo
from mpnet.simulation.loading import Scenario
from mpnet.simulation.log import Log
from mpnet.simulation.timelines import Moment, late_nodes, library_of
from mpnet.simulation.walking import walks
from mpnet.simulation.watching import Watcher
from mpnet.trace import Event, Trace

LISTED = 5
"""Observations of one moment that are events of their own, at most."""


@dataclass
class Lived:
    """A run along a timeline.

    ``population`` is as it was at the end, ``columns`` are the nodes that ever took part,
    ``inconsistent`` says where nothing was possible, if that happened.
    """

    population: Population
    columns: tuple[str, ...]
    trace: Trace
    events: tuple[Event, ...]
    phases: tuple[PhaseInfo, ...]
    numbers: Mapping[str, float]
    status: str
    seen: Mapping[str, Observation]
    inconsistent: str = ""

    def beliefs_after(self, label: str) -> dict[str, dict[str, float]]:
        """Beliefs at the end of a phase, by node and state; nothing where it was never reached."""
        rows = [phase.last for phase in self.phases if phase.label == label]
        if not rows:
            return {}
        offsets = self.trace.offsets
        beliefs = self.trace.beliefs[self.trace.row_of(rows[0])].astype(np.float64)
        found = {
            name: beliefs[offsets[i] : offsets[i + 1]] for i, name in enumerate(self.trace.nodes)
        }
        return self._named({**self._sleepers(), **found})

    def with_sleepers(
        self, beliefs: Mapping[str, Mapping[str, float]]
    ) -> dict[str, Mapping[str, float]]:
        """Beliefs with those of models that never woke, which are inactive."""
        return {**self._named(self._sleepers()), **beliefs}

    def _sleepers(self) -> dict[str, FloatArray]:
        return {name: self.population.belief(name) for name in self.population.asleep}

    def _named(self, beliefs: Mapping[str, FloatArray]) -> dict[str, dict[str, float]]:
        domains = self.population.society.domains
        return {
            name: dict(zip(domains[name], map(float, found), strict=True))
            for name, found in beliefs.items()
        }


class _Run:
    """One run; see ``live``."""

    def __init__(self, scenario: Scenario, watcher: Watcher | None) -> None:
        self.scenario = scenario
        spec, society = scenario.spec, scenario.society
        self.library = set(library_of(spec, society))
        late = [name for names in late_nodes(spec, society).values() for name in names]
        self.population = Population(society, self.library, late)
        self.log = Log(self.population, spec.trace, scenario.in_question, watcher)
        self.seen: dict[str, Observation] = {}
        self.updates = self.computed = 0
        self.status, self.inconsistent = "converged", ""
        self.until: int | None = None
        inference = spec.inference
        self.clocks = None
        if inference.schedule == "asynchronous":
            self.clocks = Clocks(inference.seed, inference.loss, inference.delay)
        settings = spec.lifecycle
        self.lifecycle = None
        if settings is not None:
            self.lifecycle = Lifecycle(
                self.population,
                Thresholds(settings.wake_above, settings.sleep_below, settings.fight_below),
                self.library,
                self.settle,
                self.quietly,
                self.log.tell,
                self._proposed,
            )

    def _proposed(self) -> dict[str, str]:
        """Models of the library that some node proposes to wake, and which node."""
        society, found = self.population.society, dict[str, str]()
        for name, node in society.nodes.items():
            if type(node).proposals is not Node.proposals:
                for other in proposals_of(name, node, self.seen, society):
                    found.setdefault(other, name)
        return {other: by for other, by in found.items() if other in self.library}

    # Messages

    def _pass(
        self, most: int, after_round: Callable[[float, float], None] | None = None
    ) -> Settled:
        inference = self.scenario.spec.inference
        damping = inference.damping if isinstance(inference.damping, float) else 0.0
        ended = self.population.graph.settle(
            inference.tolerance, most, damping, after_round, clocks=self.clocks
        )
        self.updates += ended.updates
        self.computed += ended.computed
        return ended

    def settle(self) -> Settled:
        """Let messages settle in view, until the next moment at the latest."""
        most = self.scenario.spec.inference.max_iterations
        if self.until is not None:
            most = min(most, max(0, self.until - self.log.now))
        ended = self._pass(most, self.log.row)
        self.status = ended.status
        if ended.status == "inconsistent":
            self.inconsistent = self._place(ended)
        return ended

    def quietly(self) -> Settled:
        """Let messages settle inside a trial."""
        return self._pass(self.scenario.spec.inference.max_iterations)

    def _place(self, ended: Settled) -> str:
        names = {number: name for name, number in self.population.variable.items()}
        if ended.dead_variable >= 0:
            where = names.get(ended.dead_variable, "a hidden variable")
            return f"no state of {where!r} is possible"
        return "nothing that the messages leave is possible"

    # Moments

    def run(self) -> Lived:
        """From the first moment to the last."""
        phases = []
        moments = self.scenario.timeline
        for number, moment in enumerate(moments):
            following = moments[number + 1].at if number + 1 < len(moments) else None
            phases.append(self._phase(moment, number, following))
            if self.status == "inconsistent":
                break
        return Lived(
            population=self.population,
            columns=self.log.columns(),
            trace=self.log.trace(),
            events=tuple(self.log.events),
            phases=tuple(phases),
            numbers=self._numbers(),
            status=self.status,
            seen=dict(self.seen),
            inconsistent=self.inconsistent,
        )

    def _phase(self, moment: Moment, number: int, following: int | None) -> PhaseInfo:
        """One moment and what follows from it, until the next."""
        log, updates, graph = self.log, self.updates, self.population.graph
        self._refuse_if_past(moment)
        first, before = log.now, graph.log_z() if number and self.status == "converged" else None
        marks = len(log.events)
        self.until = following
        self._apply(moment)
        told = range(marks, len(log.events))
        if number == 0:
            self.quietly_start()
        if self.lifecycle is not None:
            self.lifecycle.rescue()
        if self.settle().status == "converged":
            if before is not None:
                self._measure(moment, told, graph.log_z() - before)
            if self.lifecycle is not None:
                self._live()
        if self.status != "inconsistent":
            self._idle(following)
            for text, node in walks(self.population, self.scenario.society, moment):
                log.tell(Change("walk", node, text, moment.label))
        log.mark()
        converged = self.status == "converged"
        cut_short = self.status == "max_iterations" and following is not None
        return PhaseInfo(
            label=moment.label,
            first=first,
            last=log.now,
            status="interrupted" if cut_short else self.status,
            log_z=graph.log_z() if converged else None,
            awake=len(self.population.models()),
            updates=self.updates - updates,
        )

    def quietly_start(self) -> None:
        """The row before any message."""
        self.population.graph.look()
        self.log.row(np.nan)
        if self.lifecycle is not None:
            self.lifecycle.announce()

    def _live(self) -> None:
        lifecycle, settings = self.lifecycle, self.scenario.spec.lifecycle
        assert lifecycle is not None and settings is not None  # noqa: S101, PT018 - by the caller
        lifecycle.run()
        if settings.compose_above is not None and self.status == "converged":
            compose(lifecycle, settings.compose_above)

    def _refuse_if_past(self, moment: Moment) -> None:
        if moment.at is not None and moment.at < self.log.now:
            what = (
                f"iteration {moment.at} is past: by the time that what stands before had settled, "
                f"{self.log.now} had passed"
            )
            hint = f"at: {self.log.now} or more, or settled"
            raise self.scenario.document.locate([Fault((*moment.place, "at"), what, hint)])

    def _idle(self, iteration: int | None) -> None:
        """Rows repeat until an iteration: nothing moves any more."""
        while iteration is not None and iteration > self.log.now:
            self.log.row(0.0)

    def _apply(self, moment: Moment) -> None:
        """Everything that happens at a moment."""
        population, tell, label = self.population, self.log.tell, moment.label
        for name in moment.remove:
            population.remove(name)
            self.seen.pop(name, None)
            tell(Change("remove", name, f"{name} leaves", label))
        if moment.add:
            population.add(moment.add)
            for name in moment.add:
                tell(Change("add", name, f"{name} joins", label))
        for name in moment.withdraw:
            self.seen.pop(name, None)
            tell(Change("withdraw", name, f"{name} is observed no more", label))
        self.seen |= moment.evidence
        told = list(moment.evidence.items())
        for name, observation in told[: LISTED if len(told) > LISTED + 1 else len(told)]:
            tell(Change("evidence", name, f"{name}: {observation.text}", label))
        if len(told) > LISTED + 1:
            more = len(told) - LISTED
            tell(Change("evidence", "", f"and {more} more are observed", label))
        if moment.evidence or moment.withdraw or moment.add or moment.remove:
            population.see_all(self.scenario.society.likelihoods(self.seen))
        for name in moment.undo:
            population.do(name, None)
            tell(Change("undo", name, f"{name} is let go", label))
        for name, state in (moment.do or {}).items():
            if self.lifecycle is not None:
                self.lifecycle.ever.add(name)  # whoever sleeps is woken by it
            population.do(name, state)
            text = f"{name} is set to {self.population.society.domains[name][state]}"
            tell(Change("do", name, text, label))

    def _measure(self, moment: Moment, told: range, effect: float) -> None:
        """Say what a moment did to log Z: in its event, or in one more where it has several."""
        events = self.log.events
        if len(told) == 1:
            events[told[0]] = replace(events[told[0]], effect=effect)
        elif told:
            text = f"what happened at once moves log Z by {effect:+.2f} nats"
            together = Change("together", "", text, moment.label, effect)
            self.log.tell(together)

    def _numbers(self) -> dict[str, float]:
        found = {"messages moved": float(self.updates), "messages computed": float(self.computed)}
        if self.lifecycle is not None:
            scores, count = self.lifecycle.scores, len(self.library)
            if self.status != "inconsistent":
                scores.refresh()
            found |= {
                "library": float(count),
                "ever awake": float(len(self.lifecycle.ever & self.library)),
                "share ever awake": len(self.lifecycle.ever & self.library) / max(1, count),
                "awake at the end": float(sum(map(self.population.is_awake, self.library))),
                "bound": scores.bound() if self.status != "inconsistent" else math.nan,
                "sums of scoring": float(scores.sums),
            }
        return found


def live(scenario: Scenario, watcher: Watcher | None = None) -> Lived:
    """Run a scenario along its timeline.

    Parameters
    ----------
    scenario : Scenario
        With a timeline or a lifecycle.
    watcher : Watcher, optional
        Told of every iteration and event.

    Raises
    ------
    ScenarioError
        If a moment is past by the time that it should happen; names its place.
    NumericalError
        If a message became NaN.

    """
    return _Run(scenario, watcher).run()
