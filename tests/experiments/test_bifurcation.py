"""The experiment ``bifurcation``: theory, fixed points, and the faults of its keys."""

import math

import numpy as np
import pytest

import mpnet
from mpnet.errors import ScenarioError
from mpnet.estimators.exact import solve
from mpnet.nodes.base import NodeFaults
from mpnet.simulation.experiments.changes import with_value, without_nodes, written_at
from mpnet.simulation.experiments.contests import Contest, count_stable, fixed_points

KEYS = ["nodes.duck.predicts.*.*", "nodes.rabbit.predicts.*.*"]
RIVALS = ("duck", "rabbit")


def contest(error, gone=(), balanced=True):
    changed = with_value(without_nodes(mpnet.load("fight"), gone), KEYS, error)
    return Contest(changed.society, changed.seen, RIVALS, balanced)


def experiment(**changes):
    found = dict(mpnet.load("fight").spec.experiment)
    return {**found, **changes}


@pytest.mark.parametrize("error", [0.02, 0.1, 0.3])
@pytest.mark.parametrize(("n", "gone"), [(3, ["mouth", "home", "gait"]), (6, [])])
def test_radius_is_that_of_equal_features(n, gone, error):
    c1 = math.log(4 * error * (1 - error))
    expected = (n - 1) * math.tanh(abs(c1) / 4)
    assert contest(error, gone).radius() == pytest.approx(expected, rel=1e-9)


def test_balance_makes_both_awake_as_likely_as_both_asleep():
    graph = contest(0.08).graph()
    table = solve(graph).joint(tuple(graph.index[name] for name in RIVALS))
    assert table[1, 1] == pytest.approx(table[0, 0], rel=1e-9)
    assert table[0, 1] == pytest.approx(table[1, 0], rel=1e-9)


def test_push_is_a_likelihood_ratio():
    fight = contest(0.08)
    before, after = (solve(fight.graph(push)) for push in (None, {"duck": 0.7}))
    graph = fight.graph()
    where = graph.states_of(graph.index["duck"])
    gained = np.diff(np.log(after.marginals[where])) - np.diff(np.log(before.marginals[where]))
    # Mixing over the rival makes no difference: evidence on a node adds to its own log-odds.
    assert gained[0] == pytest.approx(0.7, abs=1e-9)


@pytest.mark.parametrize(("factor", "stable"), [(0.9, 2), (1.1, 1)])
def test_fixed_points_beside_the_threshold(factor, stable):
    # Closed form of (n - 1) tanh(|C1| / 4) = 1 for n = 6: 4 e (1 - e) = (2/3)^2.
    error = 0.5 * (1 - math.sqrt(1 - (2 / 3) ** 2)) * factor
    graph = contest(error).graph()
    found = fixed_points(graph, RIVALS, draw=np.random.default_rng(1), random=6)
    assert sum(point.stable for point in found) == stable == count_stable(graph, RIVALS)
    # Between two stable states lies one that the least push ends.
    assert len(found) - stable == stable - 1


def test_without_balance_there_is_no_fight():
    bare = contest(0.02, balanced=False)
    quiet = Contest(bare.society, {}, RIVALS, balanced=False)
    assert count_stable(quiet.graph(), RIVALS) == 1


def test_a_threshold_outside_the_range_is_not_made_up():
    small = {"low": 0.2, "high": 0.3, "count": 4, "without": {"all": []}, "hysteresis": None}
    found = mpnet.run("fight", experiment=experiment(**small), expect=[]).findings
    assert math.isnan(found.numbers["threshold all"])
    assert math.isnan(found.numbers["theory all"])
    assert np.all(found.curves["stable all"][:, 0] == 1.0)


def test_keys_lead_to_numbers():
    data = {"nodes": {"a": {"prior": 0.1}, "b": {"prior": 0.2, "type": "model"}}}
    found = written_at(data, "nodes.*.prior")
    assert found == [("nodes", "a", "prior"), ("nodes", "b", "prior")]
    with pytest.raises(NodeFaults, match="leads to nothing"):
        written_at(data, "nodes.c.prior")
    with pytest.raises(NodeFaults, match="leads to 'model', no number"):
        written_at(data, "nodes.b.type")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vary": ["nodes.duk.prior"]}, r"experiment.vary\[0\].*leads to nothing"),
        ({"watch": "swan"}, r"experiment.watch: there is no node 'swan'"),
        ({"watch": "gaze"}, r"'gaze' has no state 'active'"),
        ({"rivals": ["duck", "gaze"]}, "'gaze' can't be active or inactive"),
        ({"rivals": ["duck", "duck"]}, "can't be its own rival"),
        ({"without": {"odd": ["duck"]}}, "'duck' is needed and can't be taken out"),
        ({"without": {"odd": ["eyes"]}}, "there is no node 'eyes'"),
        ({"low": 0.5, "high": 0.1}, "low must be below high"),
        ({"low": 0.0}, "low must be positive"),
        ({"high": 1.5}, r"experiment.high: makes no sense there: .*\[0, 1\]"),
        (
            {"hysteresis": {"evidence": "duck", "at": 0.1, "of": "n = 5"}},
            "there is no variant 'n = 5'",
        ),
    ],
)
def test_faults_are_named(changes, message):
    with pytest.raises(ScenarioError, match=message):
        mpnet.load("fight", experiment=experiment(**changes), expect=[])


def test_nodes_are_taken_out_wherever_they_are_named():
    found = without_nodes(mpnet.load("purple_jar_seen"), ["jar", "dancing", "motion"])
    society = found.society
    assert [node for node in society.nodes if "jar" in node] == ["purple_jar"]
    assert society.nodes["purple_jar"].parts == ["purple"]
    assert society.nodes["stationary_dancing"].parts == ["stationary"]
    assert society.nodes["stationary"].predicts == {}
    assert set(found.seen) == {"colour", "shape"}
    digits = without_nodes(mpnet.load("digits"), ["1", "3", "8"]).society
    assert digits.domains["digit"] == ("0", "2", "4", "5", "6", "7", "9")


def test_a_node_that_others_need_can_not_be_taken_out():
    with pytest.raises(ScenarioError, match="the key 'sees' is missing"):
        without_nodes(mpnet.load("digits"), ["image"])
    with pytest.raises(NodeFaults, match="there is no node '12'"):
        without_nodes(mpnet.load("digits"), ["12"])
