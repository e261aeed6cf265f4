"""From a scenario's text to a checked scenario, with all its faults at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from mpnet.display import ScenarioDisplay
from mpnet.errors import Fault
from mpnet.estimators import ESTIMATORS
from mpnet.extensions import extend
from mpnet.faults import faults_of
from mpnet.names import lookalikes, suggestion
from mpnet.nodes.base import ACTIVATION, Node, NodeFaults, Observation
from mpnet.nodes.bringing import brought_nodes
from mpnet.nodes.registry import NodeType, Plugin, named, node_types
from mpnet.scenario.document import Document
from mpnet.scenario.spec import OF_NODES, Expectation, ScenarioSpec
from mpnet.scenario.writing import plain, to_yaml
from mpnet.schedules import SCHEDULES
from mpnet.simulation.cases import read_cases
from mpnet.simulation.experiments import EXPERIMENTS, experiment_class
from mpnet.simulation.experiments.base import Experiment
from mpnet.simulation.streams import Stream, along_stream
from mpnet.simulation.timelines import Moment, added_nodes, read_timeline
from mpnet.society import Society, assemble_society, make_nodes
from mpnet.unrolling import at_step

LIVED = (
    "messages moved",
    "messages computed",
    "library",
    "ever awake",
    "share ever awake",
    "awake at the end",
    "bound",
    "sums of scoring",
    "map agrees",
)
"""Numbers that a run along a timeline measures; most need a lifecycle."""


@dataclass(frozen=True, repr=False)
class Scenario(ScenarioDisplay):
    """A scenario whose every word has been checked.

    *Evolving.*

    Parameters
    ----------
    document : Document
        The text, with places.
    spec : ScenarioSpec
        Its parts.
    society : Society
        Its nodes, resolved.
    seen : mapping of str to Observation
        Its evidence, read.
    cases : list of (Observation, str or None)
        Its batch, read: evidence on ``spec.batch.node`` and the right answer.
    notes : tuple of str
        Things an author should know that are no faults.
    experiment : Experiment or None
        Its measurement beyond one run, read.
    timeline : tuple of Moment
        What happens while it runs, read; nothing where it runs once, with all that is seen.
    plugins : tuple of str, path or type
        What of others was allowed to load.

    """

    document: Document
    spec: ScenarioSpec
    society: Society
    seen: Mapping[str, Observation]
    cases: tuple[tuple[Observation, str | None], ...] = ()
    notes: tuple[str, ...] = ()
    experiment: Experiment | None = None
    timeline: tuple[Moment, ...] = ()
    plugins: tuple[Plugin, ...] = ()

    @property
    def in_question(self) -> tuple[str, ...]:
        """Nodes that the run asks about, in the order of the scenario."""
        asked = set(self.spec.inference.ask)
        for claim in self.spec.expect:
            asked |= {claim.node} if claim.node else set()
            asked |= set(claim.among or ())
        nodes = self.society.nodes
        for name, node in nodes.items():
            # A choice without a variable of its own asks about its rivals.
            if node.in_question and not self.society.domains[name]:
                asked |= {reference.name for reference in node.references()}
        return tuple(n for n in nodes if n in asked or nodes[n].in_question)

    def resolved(self) -> dict[str, Any]:
        """The scenario as plain data with every default filled in."""
        data = self.spec.model_dump(mode="json", exclude_none=True)
        written = self.society.as_written()
        for name, node in written.nodes.items():
            keys = node.model_dump(mode="json", exclude_none=True)
            data["nodes"][name] = {"type": written.types[name], **keys}
        if self.experiment is not None and self.spec.experiment is not None:
            keys = self.experiment.model_dump(mode="json", exclude_none=True)
            data["experiment"] = {"type": self.spec.experiment["type"], **keys}
        return data

    def to_yaml(self, *, resolved: bool = False) -> str:
        """The scenario as the text of a file; ``mpnet.load`` reads an equal one.

        Parameters
        ----------
        resolved : bool
            Whether defaults are filled in, and nodes that come with others written out.

        """
        return to_yaml(plain(self.resolved() if resolved else self.document.data))

    def sha256(self) -> str:
        """Hash of the resolved scenario: equal scenarios have equal hashes."""
        text = json.dumps(self.resolved(), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


def check_scenario(document: Document, plugins: Collection[Plugin] = ()) -> Scenario:
    """Check every word of a scenario.

    Parameters
    ----------
    document : Document
        The text.
    plugins : collection of str, path or type
        Node types, estimators and schedules of other distributions that may load; Python files
        that define node types; node types themselves.

    Raises
    ------
    ScenarioError
        With all faults, located.
    PluginError
        If a node type is there but may not or can't load.

    """
    try:
        spec = ScenarioSpec.model_validate(document.data)
    except ValidationError as error:
        faults = faults_of(error, (), ScenarioSpec)
        raise document.locate(faults + _faults_inside(document.data, plugins, faults)) from None
    extend("mpnet.estimators", ESTIMATORS, named(plugins))
    extend("mpnet.schedules", SCHEDULES, named(plugins))
    faults = _unknown_methods(spec)
    joining = added_nodes(spec)
    written = {**{name: keys for name, (keys, _) in joining.items()}, **spec.nodes}
    society, missing = _build(written, plugins, faults)
    faults[:] = [_where_it_joins(fault, spec, joining) for fault in faults]
    society, seen, missing = _stream(spec.stream, society, missing, faults)
    faults += _unknown_names(spec, society.nodes, missing)
    faults += _unknown_traced(spec, {*society.nodes, *society.as_written().nodes, *missing})
    faults += [
        Fault(("evidence", name), f"{name!r} is in the stream already", "leave one out", True)
        for name in spec.evidence
        if name in seen
    ]
    seen |= _observe(spec.evidence, society, missing, faults)
    timeline: tuple[Moment, ...] = ()
    if spec.timeline or spec.lifecycle is not None:
        timeline = read_timeline(spec, society, seen, missing, faults)
    experiment = _read_experiment(spec, faults) if spec.experiment is not None else None
    if faults:
        raise document.locate(faults)
    cases = read_cases(spec.batch, society, faults) if spec.batch else ()
    if faults:
        raise document.locate(faults)
    notes = [note for observation in seen.values() for note in observation.notes]
    notes += [f"the names {a!r} and {b!r} look alike" for a, b in lookalikes(society.nodes)]
    found = Scenario(
        document, spec, society, seen, cases, tuple(notes), experiment, timeline, tuple(plugins)
    )
    _check_measures(found, faults)
    if faults:
        raise document.locate(faults)
    return found


def _where_it_joins(
    fault: Fault, spec: ScenarioSpec, joining: Mapping[str, tuple[Any, tuple[str | int, ...]]]
) -> Fault:
    """A fault of a node that joins later, at the place where that is written."""
    if len(fault.path) < 2 or fault.path[0] != "nodes" or fault.path[1] in spec.nodes:
        return fault
    found = joining.get(str(fault.path[1]))
    return fault if found is None else replace(fault, path=(*found[1], *fault.path[2:]))


def _read_experiment(spec: ScenarioSpec, faults: list[Fault]) -> Experiment | None:
    """The experiment from its keys, by its own type."""
    written = dict(spec.experiment or {})
    kind = written.pop("type", None)
    if not isinstance(kind, str) or kind not in EXPERIMENTS:
        path = ("experiment", "type") if kind is not None else ("experiment",)
        what = "the key 'type' is missing" if kind is None else f"unknown experiment {kind!r}"
        faults.append(Fault(path, what, suggestion(str(kind), EXPERIMENTS, "types")))
        return None
    loaded = experiment_class(kind)
    try:
        return loaded.model_validate(written)
    except ValidationError as error:
        faults += faults_of(error, ("experiment",), loaded)
    return None


def _check_measures(scenario: Scenario, faults: list[Fault]) -> None:
    """What the experiment says of the scenario, and whether ``expect`` speaks of what is measured."""
    measures = ["accuracy"] if scenario.spec.batch else []
    measures += LIVED if scenario.timeline else []
    if scenario.timeline and scenario.experiment is not None and not scenario.experiment.along:
        what = (
            "this experiment looks at one set of evidence, and there is a timeline or a lifecycle"
        )
        faults.append(Fault(("experiment",), what, "leave one of the two out"))
        return
    labels = [moment.label for moment in scenario.timeline]
    if scenario.experiment is not None:
        try:
            scenario.experiment.check(scenario)
        except NodeFaults as error:
            faults += [replace(f, path=("experiment", *f.path)) for f in error.faults]
            return
        measures += scenario.experiment.measures(scenario)
    for number, claim in enumerate(scenario.spec.expect):
        if claim.after is not None and claim.after not in labels:
            what = f"no moment of the timeline is called {claim.after!r}"
            hint = suggestion(claim.after, labels, "moments")
            faults.append(Fault(("expect", number, "after"), what, hint))
        if claim.events is not None and not scenario.timeline:
            what = "events need a timeline or a lifecycle, and there is neither"
            faults.append(Fault(("expect", number, "events"), what))
        if claim.measure not in (*OF_NODES, *measures):
            what = f"nothing measures {claim.measure!r}"
            if claim.measure == "accuracy":
                what = "accuracy needs a batch or an experiment that measures it"
            hint = suggestion(claim.measure, [*OF_NODES, *measures], "measures")
            faults.append(Fault(("expect", number, "measure"), what, hint))


def _build(
    written: Mapping[str, Mapping[str, Any]], plugins: Collection[Plugin], faults: list[Fault]
) -> tuple[Society, set[str]]:
    """The society as far as it can be built, and the nodes that could not be."""
    types = _allowed(node_types(plugins), written, faults)
    nodes, wrong = make_nodes(written, types)
    missing = set(written) - set(nodes)
    brought, unbrought = brought_nodes(nodes, written)
    more, ill_brought = make_nodes(brought, types)
    nodes |= more
    wrong += unbrought + ill_brought
    every = {**written, **brought}
    kinds = {name: str(every[name]["type"]) for name in nodes}
    society, unresolved = assemble_society(nodes, kinds, missing)
    disabled = {fault.path for fault in faults}
    faults += [f for f in wrong if f.path not in disabled] + unresolved
    return society, missing


def _stream(
    stream: Stream, society: Society, missing: set[str], faults: list[Fault]
) -> tuple[Society, dict[str, Observation], set[str]]:
    """The society along its stream, what was observed, and the variables that are missing."""
    society, seen, wrong = along_stream(stream, society, missing)
    faults += wrong
    steps = max(map(len, stream.values()), default=0)
    along = {at_step(name, step) for name in missing for step in range(1, steps + 1)}
    return society, seen, missing | along


def _observe(
    evidence: Mapping[str, Any], society: Society, missing: Collection[str], faults: list[Fault]
) -> dict[str, Observation]:
    try:
        return society.observe({n: v for n, v in evidence.items() if n not in missing})
    except NodeFaults as error:
        faults += [replace(f, path=("evidence", *f.path)) for f in error.faults]
    return {}


def _faults_inside(
    data: Mapping[str, Any], plugins: Collection[Plugin], known: list[Fault]
) -> list[Fault]:
    """Faults of nodes and evidence, for a scenario that is at fault elsewhere too."""
    written, evidence = data.get("nodes"), data.get("evidence")
    if not isinstance(written, dict):
        return []
    bad = {fault.path[1] for fault in known if fault.path[:1] == ("nodes",) and len(fault.path) > 1}
    fine = {n: k for n, k in written.items() if n not in bad and isinstance(k, dict)}
    faults: list[Fault] = []
    society, missing = _build(fine, plugins, faults)
    stream = data.get("stream")
    if isinstance(stream, dict) and all(isinstance(v, list) for v in stream.values()):
        society, _, missing = _stream(stream, society, missing, faults)
    gone = missing | (set(written) - set(fine))
    faults = [f for f in faults if not any(repr(name) in f.what for name in gone)]
    if isinstance(evidence, dict):
        _observe(evidence, society, gone, faults)
    return faults


def _allowed(
    types: Mapping[str, NodeType], written: Mapping[str, Mapping[str, Any]], faults: list[Fault]
) -> dict[str, NodeType]:
    """The types that may load; a fault for each node whose type may not."""
    for name, keys in written.items():
        found = types.get(str(keys.get("type")))
        if found and not found.enabled:
            what = f"node type {found.name!r} comes from {found.distribution}, which is not enabled"
            hint = f"if you trust it, add --plugin {found.name}"
            faults.append(Fault(("nodes", name, "type"), what, hint))
    disabled = {name for name, found in types.items() if not found.enabled}
    kept = {name: found for name, found in types.items() if name not in disabled}
    return kept


def _unknown_methods(spec: ScenarioSpec) -> list[Fault]:
    faults = []
    inference = spec.inference
    for key, known in (("estimator", ESTIMATORS), ("schedule", SCHEDULES)):
        given = getattr(inference, key)
        if given not in known:
            what = f"unknown {key} {given!r}"
            faults.append(Fault(("inference", key), what, suggestion(given, known)))
    return faults


def _unknown_names(
    spec: ScenarioSpec, nodes: Mapping[str, Node], missing: Collection[str]
) -> list[Fault]:
    """Names in ask, expect and batch that are no nodes, and states that they don't have."""
    named: list[tuple[str, tuple[str | int, ...]]] = []
    named += [(n, ("inference", "ask", i)) for i, n in enumerate(spec.inference.ask)]
    if spec.batch:
        named += [(spec.batch.node, ("batch", "node")), (spec.batch.answer, ("batch", "answer"))]
    faults = []
    for number, claim in enumerate(spec.expect):
        path = ("expect", number)
        if claim.node is not None:
            named.append((claim.node, (*path, "node")))
        named += [(n, (*path, "among", i)) for i, n in enumerate(claim.among or ())]
        if claim.node is not None and claim.node in nodes:
            faults += _wrong_states(claim, nodes[claim.node], path)
        for rival in claim.among or ():
            if rival in nodes and nodes[rival].domain() != ACTIVATION:
                faults.append(Fault((*path, "among"), f"{rival!r} can't be active or inactive"))
        if claim.among and claim.winner not in claim.among:
            what = f"the winner {claim.winner!r} is not among the rivals"
            faults.append(
                Fault((*path, "winner"), what, suggestion(str(claim.winner), claim.among))
            )
    for name, where in named:
        if name not in nodes and name not in missing:
            faults.append(
                Fault(where, f"there is no node {name!r}", suggestion(name, nodes, "nodes"))
            )
    return faults


def _unknown_traced(spec: ScenarioSpec, names: Collection[str]) -> list[Fault]:
    """Names under trace that are no nodes."""
    asked = spec.trace.nodes if isinstance(spec.trace.nodes, list) else []
    return [
        Fault(
            ("trace", "nodes", number),
            f"there is no node {name!r}",
            suggestion(name, names, "nodes"),
        )
        for number, name in enumerate(asked)
        if name not in names
    ]


def _wrong_states(claim: Expectation, node: Node, path: tuple[str | int, ...]) -> list[Fault]:
    states = node.domain()
    if not states:
        return [Fault((*path, "node"), f"{claim.node!r} is data and has no belief")]
    named = claim.winner if claim.winner is not None else claim.state
    key = "winner" if claim.winner is not None else "state"
    if named is None and "active" not in states:
        what = f"say which state of {claim.node!r} is meant"
        return [Fault(path, what, f"state: one of {', '.join(states[:12])}")]
    if named is not None and named not in states:
        what = f"{claim.node!r} has no state {named!r}"
        return [Fault((*path, key), what, suggestion(named, states, "states"))]
    if claim.measure == "gain" and states != ACTIVATION:
        return [Fault((*path, "measure"), f"{claim.node!r} can't be active, so it has no gain")]
    return []
