"""The end of a run along a timeline: who is left is asked once more, by the scenario's estimator."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mpnet.errors import MpnetError
from mpnet.estimators.base import Estimate, Problem, ignore
from mpnet.estimators.best import most_likely, most_likely_by_clusters
from mpnet.estimators.compiling import leave_alone
from mpnet.graph import FactorGraph
from mpnet.nodes.base import Observation
from mpnet.record import Record
from mpnet.simulation.answering import Answer, answer_graph, options_of
from mpnet.simulation.conflict import name_conflict
from mpnet.simulation.expectations import check_expectations
from mpnet.simulation.living import Lived
from mpnet.simulation.loading import Scenario
from mpnet.simulation.recorder import Recorder
from mpnet.trace import Event
from mpnet.unrolling import without

MOST_DECODED = 2000
"""Variables of a graph whose likeliest state is looked for, at most."""


NAMED = 5
"""Sleepers that are named, at most."""


def at_the_end(scenario: Scenario, lived: Lived) -> Scenario:
    """The scenario with those nodes only that ever took part, and what is seen at the end."""
    society = lived.population.society
    gone = [n for n, states in society.domains.items() if states and n not in lived.columns]
    return replace(scenario, society=without(society, gone), seen=lived.seen, timeline=())


def answer_end(scenario: Scenario, lived: Lived) -> Answer:
    """What the scenario's estimator and the referee say of those who are awake at the end.

    Parameters
    ----------
    scenario : Scenario
        Of ``at_the_end``.
    lived : Lived
        The run.

    """
    graph = lived.population.as_graph()
    if lived.status != "inconsistent":
        return answer_graph(scenario, graph)
    compiled = leave_alone(graph)
    nothing = np.full(graph.unary.size, np.nan)
    estimate = Estimate(
        status="inconsistent",
        reason=lived.inconsistent,
        iterations=lived.trace.last,
        residual=0.0,
        log_z=None,
        beliefs=nothing,
        joint=lambda scope: np.full([], np.nan),
    )
    return Answer(compiled, estimate, None, Recorder(compiled))


def with_life(record: Record, lived: Lived, scenario: Scenario) -> Record:
    """The record of the end with the whole run in it.

    Parameters
    ----------
    record : Record
        Of the estimator at the end.
    lived : Lived
        The run.
    scenario : Scenario
        As it was written.

    """
    status = record.status if lived.status == "converged" else lived.status
    lived = replace(lived, numbers={**lived.numbers, "map agrees": _agreement(lived, scenario)})
    rows, final = len(lived.trace.residual), lived.trace.last
    word = "settled" if status == "converged" else status.replace("_", " ")
    last = [Event(final, status, "", f"{word} at {final}")]
    events = _in_time([*lived.events, *last])
    spec = scenario.spec
    batch, findings = record.batch, record.findings
    expectations = check_expectations(
        spec.expect,
        status,
        lived.with_sleepers(record.beliefs),
        record.estimates,
        batch,
        findings,
        lived,
    )
    return replace(
        record,
        status=status,
        verdict=_verdict(record, lived, scenario),
        iterations=final,
        residual=float(lived.trace.residual[-1]) if rows > 1 else None,
        log_z=record.log_z if status == "converged" else None,
        trace=lived.trace,
        events=events,
        phases=lived.phases,
        numbers=dict(lived.numbers),
        expectations=expectations,
        notes=(*record.notes, *_of_schedule(spec.inference.schedule), *_notes(lived)),
    )


def _agreement(lived: Lived, scenario: Scenario) -> float:
    """1 where max-product ends in the exact likeliest state, 0 where not, NaN where none is known."""
    graph = lived.population.as_graph()
    if lived.status != "converged" or len(graph.variables) > MOST_DECODED:
        return math.nan
    options, problem = options_of(scenario), Problem(graph)
    try:
        exact = most_likely_by_clusters(problem, options)
        found = most_likely(problem, replace(options, damping="auto"), ignore)
    except MpnetError:
        return math.nan
    if exact.assignment is None or found.assignment is None or exact.ties:
        return math.nan
    return float(np.array_equal(exact.assignment, found.assignment))


def _in_time(events: list[Event]) -> tuple[Event, ...]:
    return tuple(sorted(events, key=lambda event: event.iteration))


def _conflict(scenario: Scenario, lived: Lived) -> str:
    """Which evidence contradicts those who are awake, and what is done to them."""
    population, society = lived.population, scenario.society

    def assemble(seen: Mapping[str, Observation]) -> FactorGraph:
        population.see_all(society.likelihoods(seen))
        return population.as_graph()

    found = name_conflict(assemble, lived.seen)
    population.see_all(society.likelihoods(lived.seen))
    states = {name: society.domains[name][state] for name, state in population.done.items()}
    done = " and ".join(f"{name} is set to {state}" for name, state in states.items())
    found = f"{found}, where {done}" if done else found
    asleep = list(population.asleep)
    if not asleep:
        return found
    more = f" and {len(asleep) - NAMED} more" if len(asleep) > NAMED else ""
    return f"{found} (asleep, and so inactive: {', '.join(asleep[:NAMED])}{more})"


def _verdict(record: Record, lived: Lived, scenario: Scenario) -> str:
    if lived.status == "inconsistent":
        return f"after {lived.phases[-1].label!r}: {_conflict(scenario, lived)}"
    if lived.status != "converged":
        phase = lived.phases[-1].label
        return f"not settled after {lived.trace.last} iterations, in the time after {phase!r}"
    count = len(lived.phases)
    moments = f"{count} moment{'' if count == 1 else 's'}"
    return (
        f"settled after {lived.trace.last} iterations and {moments}; at the end: {record.verdict}"
    )


def _of_schedule(schedule: str) -> list[str]:
    if schedule in ("flooding", "asynchronous"):
        return []
    return [
        f"the schedule {schedule} is that of the last question; along the timeline, messages flood "
        "from wherever something changed"
    ]


def _notes(lived: Lived) -> list[str]:
    numbers = lived.numbers
    if "library" not in numbers:
        return []
    never = int(numbers["library"] - numbers["ever awake"])
    notes = [
        f"{int(numbers['ever awake'])} of {int(numbers['library'])} models of the library were ever "
        f"awake; {never} never woke and are not listed",
        f"beliefs are within {numbers['bound']:.3g} of those of the whole library, all awake, if each "
        "sleeper would be as active as it is alone, or with the sleepers that it needs (the sum of "
        "these probabilities)",
    ]
    return notes
