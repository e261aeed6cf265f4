"""A node may propose whom to wake; who is proposed still has to be worth it."""

import pytest
import yaml

from mpnet.errors import PluginError
from mpnet.plugin import Node, Reference, factor
from mpnet.scenario.document import read_document
from mpnet.simulation.loading import check_scenario
from mpnet.simulation.running import run_scenario


@factor
def alike(one, other, *, times: float = 1000.0):
    """Two nodes are in the same state."""
    return times if one == other else 1.0


class Scout(Node):
    """Looks at nothing, and proposes to wake one model."""

    proposes: str

    def domain(self):
        return ()

    def references(self):
        return [Reference(self.proposes, ("proposes",))] if self.proposes != "nobody" else []

    def proposals(self, seen, around):
        return [self.proposes]


# Both targets are uncertain and equal, so that a model which is right about one is right about
# both: log(0.5 * 1.8^2 + 0.5 * 0.2^2) = 0.49 nats. A score takes them one by one: 0 nats.
NODES = {
    "x": {"type": "feature"},
    "y": {"type": "feature"},
    "same": {"type": "alike", "one": "x", "other": "y"},
    "a": {"type": "model", "prior": 0.3, "predicts": {"x": {"yes": 0.9}, "y": {"yes": 0.9}}},
    "useless": {"type": "model", "prior": 0.3},
}


def run(proposed=None):
    nodes = dict(NODES)
    if proposed:
        nodes["scout"] = {"type": "scout", "proposes": proposed}
    # Gains: log(1 + 3/7) = 0.36 as scored, log(1 + 3/7 * 1.64) = 0.53 as it is.
    life = {"asleep": ["a", "useless"], "wake_above": 0.45}
    data = {"mpnet": 1, "name": "p", "nodes": nodes, "lifecycle": life}
    document = read_document("p.yaml", yaml.safe_dump(data).encode())
    return run_scenario(check_scenario(document, [Scout, alike]))


def events(record, kind):
    return [(event.node, event.cause) for event in record.events if event.kind == kind]


def test_a_model_whose_score_says_no_sleeps_on_unless_it_is_proposed():
    assert events(run(), "awaken") == []
    record = run("a")
    assert events(record, "awaken") == [("a", "proposal")]
    assert any("proposed by scout" in event.text for event in record.events)


def test_who_is_proposed_in_vain_sleeps_on():
    record = run("useless")
    assert events(record, "awaken") == []
    assert events(record, "refuse") == [("useless", "trial")]


def test_a_proposal_of_nobody_is_told_with_the_node():
    with pytest.raises(PluginError, match=r"node 'scout'.*answered proposals with 'nobody', which"):
        run("nobody")
