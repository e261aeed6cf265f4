"""What a run ended with, as far as its beliefs can be explained: the society, the graph, what is seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mpnet.errors import OutputError, UsageError
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray
from mpnet.names import suggestion
from mpnet.nodes.base import Observation
from mpnet.record import Record
from mpnet.simulation.answering import options_of
from mpnet.simulation.batches import run_batch
from mpnet.simulation.life import at_the_end
from mpnet.simulation.living import Lived, live
from mpnet.simulation.loading import Scenario
from mpnet.society import Society
from mpnet.unrolling import Unrolled


@dataclass(frozen=True)
class Scene:
    """The end of a run.

    Parameters
    ----------
    society : Society
        Those who took part.
    graph : FactorGraph
        Those who are there at the end, with evidence as unary potentials.
    seen : mapping of str to Observation
        What was observed, by node.
    record : Record
        What the run believed.
    threshold : float or None
        Gain of log Z (nats) from which a sleeping model wakes; None without a lifecycle.
    lived : Lived or None
        The run along its timeline, if it had one.
    done : mapping of str to str
        Nodes that an intervention set, and to which state.

    """

    society: Society
    graph: FactorGraph
    seen: Mapping[str, Observation]
    record: Record
    threshold: float | None = None
    lived: Lived | None = None
    done: Mapping[str, str] = field(default_factory=dict)

    def said_by_sleepers(self, name: str) -> dict[str, FloatArray]:
        """What those who are not awake say to a node, as log potentials (nats), by who they are."""
        return {} if self.lived is None else self.lived.population.said_alone(name)


def scene_of(scenario: Scenario, record: Record) -> Scene:
    """Find again what a run ended with; a run along a timeline is run once more.

    Parameters
    ----------
    scenario : Scenario
        What was run.
    record : Record
        What came of it.

    Raises
    ------
    OutputError
        If the record is not one of this scenario.

    """
    if record.environment.get("scenario_sha256") != scenario.sha256():
        raise OutputError(
            f"the scenario {record.scenario!r} is not the one that this run was of; run it again"
        )
    if scenario.timeline:
        return lived_scene(scenario, record, live(scenario))
    seen = dict(scenario.seen)
    if scenario.spec.batch is not None:
        seen[scenario.spec.batch.node] = _case_shown(scenario, record)
    return Scene(scenario.society, scenario.society.assemble(seen), seen, record)


def lived_scene(scenario: Scenario, record: Record, lived: Lived) -> Scene:
    """The end of a run along a timeline."""
    population, settings = lived.population, scenario.spec.lifecycle
    society = at_the_end(scenario, lived).society
    domains = population.society.domains
    return Scene(
        society=society,
        graph=population.as_graph(),
        seen=lived.seen,
        record=record,
        threshold=None if settings is None else settings.wake_above,
        lived=lived,
        done={name: domains[name][state] for name, state in population.done.items()},
    )


def checked_node(scene: Scene, name: str) -> str:
    """The name of a node that has a belief.

    Raises
    ------
    UsageError
        If there is no such node, it has no belief, or it is not there at the end of the run.

    """
    society = scene.society if scene.lived is None else scene.lived.population.society
    if name not in society.domains:
        written = society.as_written()
        if isinstance(society, Unrolled) and name in written.domains:
            steps = society.steps
            raise UsageError(f"{name!r} has a belief at each step: {name}@1 to {name}@{steps}")
        hint = suggestion(name, [n for n, states in society.domains.items() if states], "nodes")
        raise UsageError(f"there is no node {name!r}; {hint}")
    if not society.domains[name]:
        others = [r.name for r in society.nodes[name].references() if r.name in society.domains]
        hint = f"; ask about {', '.join(others[:6])}" if others else ""
        raise UsageError(f"{name!r} has no variable, and so no belief{hint}")
    if scene.lived is not None and name in scene.lived.population.absent:
        raise UsageError(f"{name!r} is not there at the end of the run: it left, or never joined")
    return name


def checked_state(scene: Scene, name: str, state: str) -> str:
    """A state of a node that has a belief; raises ``UsageError`` where it has no such state."""
    society = scene.society if scene.lived is None else scene.lived.population.society
    states = society.domains[name]
    if state not in states:
        raise UsageError(f"{name!r} has no state {state!r}; {suggestion(state, states, 'states')}")
    return state


def _case_shown(scenario: Scenario, record: Record) -> Observation:
    """The case of a batch that the record shows: found by its words, or by running all again."""
    batch = scenario.spec.batch
    assert batch is not None  # noqa: S101 - by the caller
    told = next((n.evidence for n in record.nodes if n.name == batch.node), "")
    found = [observation for observation, _ in scenario.cases if observation.text == told]
    if len(found) == 1:
        return found[0]
    return run_batch(scenario, options_of(scenario), lambda done, of: None)[1]
