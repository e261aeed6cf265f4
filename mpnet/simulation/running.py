"""Runs a checked scenario and writes down what happened."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from mpnet.estimators.base import Estimate
from mpnet.graph import FactorGraph
from mpnet.keeping import plan
from mpnet.kernels.layout import FloatArray
from mpnet.messages import compile_kernels
from mpnet.nodes.base import ACTIVATION, Observation
from mpnet.nodes.calling import code_of
from mpnet.quantities import bytes_of
from mpnet.record import (
    SEEN,
    BatchResult,
    EstimateRow,
    Findings,
    NodeInfo,
    PredictionInfo,
    Record,
)
from mpnet.scenario.spec import ScenarioSpec
from mpnet.simulation.answering import Answer, answer_evidence, options_of
from mpnet.simulation.batches import run_batch
from mpnet.simulation.conflict import explain_conflict
from mpnet.simulation.expectations import check_expectations
from mpnet.simulation.explaining import explain_in_question
from mpnet.simulation.life import answer_end, at_the_end, with_life
from mpnet.simulation.living import live
from mpnet.simulation.loading import Scenario
from mpnet.simulation.measuring import bracket_of, rate_of
from mpnet.simulation.reaching import message_table
from mpnet.simulation.scene import Scene, lived_scene
from mpnet.simulation.watching import Watcher
from mpnet.society import Link, Society
from mpnet.trace import Event

COMPARED = 24
"""Models whose compatibility is recorded, at most."""


@dataclass(frozen=True)
class Progress:
    """What a run tells whoever waits for it.

    ``compiling`` is called before kernels are compiled, which takes seconds, once per machine;
    ``case`` after each case of a batch or part of an experiment, with how many are done and how
    many there are; ``plan`` before a run whose trace may become large, with its size in words;
    ``watcher`` of every iteration and event of the run itself.
    """

    compiling: Callable[[], None] = lambda: None
    case: Callable[[int, int], None] = lambda done, of: None
    plan: Callable[[str], None] = lambda text: None
    watcher: Watcher | None = None


def run_scenario(scenario: Scenario, progress: Progress | None = None) -> Record:
    """Run a scenario from its evidence to its expectations.

    Parameters
    ----------
    scenario : Scenario
        A checked scenario.
    progress : Progress, optional
        Who to tell about long work.

    Returns
    -------
    Record
        Everything that happened; ``status`` says whether it can be trusted.

    Raises
    ------
    TooLargeError
        If an exact answer was asked for and is out of reach.
    NumericalError
        If a message became NaN.

    """
    progress = progress or Progress()
    started = time.perf_counter()
    compile_kernels(progress.compiling)
    compiling = time.perf_counter() - started
    planned = _trace_plan(scenario)
    if planned:
        progress.plan(planned)
    started = time.perf_counter()
    seen, batch = scenario.seen, None
    if scenario.spec.batch is not None:
        batch, shown = run_batch(scenario, options_of(scenario), progress.case)
        seen = {**seen, scenario.spec.batch.node: shown}
    lived = live(scenario, progress.watcher) if scenario.timeline else None
    asked = scenario
    if lived is None:
        answer = answer_evidence(scenario, seen, progress.watcher)
    else:
        asked, seen = at_the_end(scenario, lived), lived.seen
        answer = answer_end(asked, lived)
    findings = None
    if scenario.experiment is not None:
        findings = scenario.experiment.run(scenario, progress.case)
    inference = time.perf_counter() - started
    seconds = {"compile": compiling, "inference": inference}
    record = _record(asked, seen, answer, (batch, findings), seconds)
    if lived is None:
        return _with_reasons(Scene(asked.society, answer.compiled.original, seen, record))
    # The hash is that of the scenario as it was written, not of those who are left at the end.
    record = replace(with_life(record, lived, scenario), environment=environment(scenario))
    return _with_reasons(lived_scene(scenario, record, lived))


def _with_reasons(scene: Scene) -> Record:
    """The record with explanations of the nodes in question, where they are quick to find."""
    if scene.record.status != "converged":
        return scene.record
    return replace(scene.record, explanations=explain_in_question(scene, cheap=True))


def _trace_plan(scenario: Scenario) -> str:
    """How large the trace of a run can become, in words; empty where that is not worth saying."""
    tracing, asked, domains = scenario.spec.trace, scenario.in_question, scenario.society.domains
    followed = [n for n, states in domains.items() if states and tracing.follows(n, asked)]
    return plan(
        nodes=len(followed),
        numbers=sum(len(domains[name]) for name in followed),
        rows=scenario.spec.inference.max_iterations,
        itemsize=4 if tracing.precision == "float32" else 8,
        every=tracing.every,
        budget=bytes_of(tracing.budget),
    )


def _record(
    scenario: Scenario,
    seen: Mapping[str, Observation],
    answer: Answer,
    besides: tuple[BatchResult | None, Findings | None],
    seconds: Mapping[str, float],
) -> Record:
    spec, society, estimate = scenario.spec, scenario.society, answer.estimate
    batch, findings = besides
    possible = estimate.status != "inconsistent"
    beliefs = _by_name(answer.compiled.original, answer.beliefs(), society) if possible else {}
    referee = answer.exact_beliefs() if possible else None
    exact = None
    if referee is not None:
        exact = _by_name(answer.compiled.original, referee, society)
    estimates = _estimates(scenario, answer, exact) if possible else ()
    trace = answer.recorder.trace(_damping(spec, estimate))
    status = estimate.status
    if batch is not None and batch.converged < batch.cases:
        status = "max_iterations"
    return Record(
        scenario=spec.name,
        description=spec.description,
        status=status,
        verdict=_verdict(scenario, seen, estimate, batch),
        estimator="clamped" if estimate.clamped else _estimator_used(scenario),
        schedule=spec.inference.schedule,
        damping=_damping(spec, estimate),
        tolerance=spec.inference.tolerance,
        iterations=estimate.iterations,
        residual=float(estimate.residual) if possible else None,
        log_z=estimate.log_z if status == "converged" else None,
        exact_log_z=answer.exact.log_z if exact is not None and answer.exact else None,
        seed=spec.inference.seed,
        seconds=dict(seconds),
        nodes=_node_infos(scenario, seen),
        predictions=_prediction_infos(scenario),
        beliefs=beliefs,
        exact=exact,
        estimates=estimates,
        compatibility=society.compatibility(among=_compared(scenario)),
        events=(*answer.recorder.events, *_late_events(scenario, answer)),
        expectations=check_expectations(spec.expect, status, beliefs, estimates, batch, findings),
        compiled=answer.compiled.report,
        notes=(*scenario.notes, *estimate.notes, *_error_note(estimates)),
        plots=tuple(spec.plots or ()),
        environment=environment(scenario),
        trace=trace,
        batch=batch,
        views=_views(scenario, seen),
        findings=findings,
        bracket=bracket_of(answer) if possible else None,
        rate=rate_of(answer, spec.inference, _damping(spec, estimate)),
        messages=message_table(answer, spec.inference.tolerance),
    )


def _damping(spec: ScenarioSpec, estimate: Estimate) -> float:
    """Weight of the old message: what was computed, or else what was asked for."""
    asked = spec.inference.damping
    if estimate.damping is not None:
        return estimate.damping
    return asked if isinstance(asked, float) else 0.0


def _compared(scenario: Scenario) -> set[str]:
    """Models whose compatibility is recorded: those in question, their targets, then others."""
    asked = list(scenario.in_question)
    inside = set(asked)
    targets = [link.target for link in scenario.society.links if link.source in inside]
    others = [link.source for link in scenario.society.links]
    return set(list(dict.fromkeys([*asked, *targets, *others]))[:COMPARED])


def _estimator_used(scenario: Scenario) -> str:
    name = scenario.spec.inference.estimator
    return "flat" if name == "clamped" else name


def _verdict(
    scenario: Scenario,
    seen: Mapping[str, Observation],
    estimate: Estimate,
    batch: BatchResult | None,
) -> str:
    if estimate.status == "inconsistent":
        return explain_conflict(scenario.society, seen)
    if batch is not None:
        return f"{batch.converged} of {batch.cases} cases converged; shown: the closest call"
    return estimate.reason


def _by_name(
    graph: FactorGraph, beliefs: FloatArray, society: Society
) -> dict[str, dict[str, float]]:
    """Beliefs by node and state; a model that is not in the graph sleeps, and is inactive."""
    found = {
        variable.name: dict(
            zip(variable.states, map(float, beliefs[graph.states_of(number)]), strict=True)
        )
        for number, variable in enumerate(graph.variables)
        if variable.name in society.domains
    }
    for name, states in society.domains.items():
        if states and name not in found:
            rest = [1.0, 0.0] if states == ACTIVATION else map(float, society.bases[name])
            found[name] = dict(zip(states, rest, strict=True))
    return found


def _estimates(
    scenario: Scenario, answer: Answer, exact: Mapping[str, Mapping[str, float]] | None
) -> tuple[EstimateRow, ...]:
    """Log-odds gained over the prior, by estimator, for each node in question with an activation."""
    graph = answer.compiled.original
    society = scenario.society
    here = _by_name(graph, answer.beliefs(), society)
    flat = _by_name(graph, answer.flat_beliefs(), society)
    converged = answer.estimate.status == "converged"
    clamped = {answer.compiled.graph.variables[v].name for v in answer.estimate.clamped}
    rows = []
    for name in scenario.in_question:
        if society.domains[name] != ACTIVATION or name not in graph.index:
            continue
        prior = scenario.society.prior_log_odds(name)
        used = scenario.spec.inference.estimator
        rows.append(
            EstimateRow(
                node=name,
                state="active",
                prior_log_odds=prior,
                flat=_log_odds(flat[name]) - prior if used != "exact" and converged else None,
                clamped=_log_odds(here[name]) - prior if name in clamped and converged else None,
                exact=_log_odds(exact[name]) - prior if exact else None,
            )
        )
    return tuple(rows)


def _log_odds(belief: Mapping[str, float]) -> float:
    with np.errstate(divide="ignore"):
        return float(np.log(belief["active"]) - np.log(belief["inactive"]))


def _error_note(rows: tuple[EstimateRow, ...]) -> list[str]:
    """Where flat propagation is off by more than a tenth of a nat, say so."""
    off = [r for r in rows if r.flat is not None and r.exact is not None]
    worst = max(off, key=lambda r: abs(float(r.flat or 0) - float(r.exact or 0)), default=None)
    if worst is None or worst.flat is None or worst.exact is None:
        return []
    error = worst.flat - worst.exact
    if not abs(error) > 0.1:
        return []
    return [
        f"flat propagation is off by {error:+.2f} nats for {worst.node}: it counts a loop twice"
    ]


def _node_infos(scenario: Scenario, seen: Mapping[str, Observation]) -> tuple[NodeInfo, ...]:
    society = scenario.society
    asked = set(scenario.in_question)
    return tuple(
        NodeInfo(
            name=name,
            type=society.types[name],
            kind=node.kind,
            states=society.domains[name],
            prior=tuple(float(p) for p in society.bases.get(name, ())),
            evidence=seen[name].text if name in seen else "",
            in_question=name in asked,
        )
        for name, node in society.nodes.items()
    )


def _prediction_infos(scenario: Scenario) -> tuple[PredictionInfo, ...]:
    society = scenario.society
    strongest: dict[tuple[str, str], PredictionInfo] = {}
    for link in society.links:
        states = society.domains[link.target]
        # For a model, "active" says all; for a feature, the state that moves most.
        activation = states == ACTIVATION
        column = 1 if activation else _most_moved(link, society.bases[link.target])
        strength = float(link.log_ratio[column])
        info = PredictionInfo(
            link.source, link.target, states[column], strength, link.prediction.confidence
        )
        # Phases of a sequence may predict one node each in their own way.
        known = strongest.setdefault((link.source, link.target), info)
        if abs(strength) > abs(known.strength):
            strongest[link.source, link.target] = info
    found = list(strongest.values())
    for cause in society.causes:
        base, state = society.bases[cause.target], society.domains[cause.target][1]
        with np.errstate(divide="ignore"):
            strength = float(np.log(cause.alone(base)[1]) - np.log(base[1]))
        found.append(PredictionInfo(cause.source, cause.target, state, strength, explains=True))
    for rule in society.rules:
        first = rule.by or rule.scope[0]
        found += [
            PredictionInfo(first, other, "", 0.0, hard=rule.hard)
            for other in rule.scope
            if other != first
        ]
    return tuple(dict.fromkeys(found))


def _most_moved(link: Link, base: FloatArray) -> int:
    """The state whose probability moves most; the raised one where two move as far."""
    moved = base * (np.exp(link.log_ratio) - 1.0)
    return int(np.argmax(np.where(moved > 0.0, moved * (1.0 + 1e-9), -moved)))


def _late_events(scenario: Scenario, answer: Answer) -> list[Event]:
    """Overtakings among rivals, and the end."""
    from mpnet.simulation.overtaking import overtakings, ties

    trace = answer.recorder.trace(_damping(scenario.spec, answer.estimate))
    events = [*overtakings(trace, scenario), *ties(trace, scenario)]
    last = trace.last
    status = answer.estimate.status
    text = f"{status.replace('_', ' ')} at {last}"
    if status == "converged" and not trace.at_rest(scenario.spec.inference.tolerance):
        text = "converged, but not from this start"
    events.append(Event(last, status, "", text))
    return events


def _views(scenario: Scenario, seen: Mapping[str, Observation]) -> dict[str, FloatArray]:
    views = {}
    for observation in seen.values():
        if observation.data is not None:
            views[SEEN] = np.asarray(observation.data, dtype=np.float64)
    for name, node in scenario.society.nodes.items():
        with code_of(name, node, "picture"):
            picture = node.picture(seen, scenario.society)
        if picture is not None:
            views[name] = picture
    return views


def environment(scenario: Scenario) -> dict[str, str]:
    """Versions, machine, seed and the hash of the scenario, as text."""
    found = {"scenario_sha256": scenario.sha256(), "seed": str(scenario.spec.inference.seed)}
    for package in ("mpnet", "numpy", "numba"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    found["python"] = platform.python_version()
    found["machine"] = f"{platform.system()} {platform.machine()}"
    return found
