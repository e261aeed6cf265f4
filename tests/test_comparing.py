"""What differs between runs, from small records whose differences are known beforehand."""

import math
from dataclasses import replace

import pytest

from mpnet.comparing import Side, compare, errors_from, errors_from_exact, settings_apart
from mpnet.errors import UsageError
from mpnet.record import ExpectationResult
from mpnet.simulation.running import run_scenario
from mpnet.trace import Event
from tests.nodes.societies import load

TEXT = """
nodes:
  f: {type: feature, states: [x, y, z]}
  g: {type: feature}
  a: {type: model, prior: 0.2, predicts: {f: {x: 0.9}, g: {"yes": 0.8}}}
  b: {type: model, prior: 0.2, predicts: {f: {y: 0.9}, a: {wont: 0.99}}}
evidence: {f: x}
"""
SCENARIO = load(TEXT)
RECORD = run_scenario(SCENARIO)


def side(label="one", resolved=None, **changes):
    return Side(label, replace(RECORD, **changes), resolved or SCENARIO.resolved())


def changes(before, after):
    return [(c.path, c.kind, c.before, c.after) for c in settings_apart(before, after)]


def test_settings_are_named_by_their_path():
    before = {"evidence": {"legs": "four", "wings": "no"}, "inference": {"damping": 0.0}}
    after = {"evidence": {"legs": "two", "beak": "yes"}, "inference": {"damping": 0.0}}
    assert changes(before, after) == [
        ("evidence.legs", "changed", "four", "two"),
        ("evidence.wings", "removed", "no", None),
        ("evidence.beak", "added", None, "yes"),
    ]


def test_a_node_that_only_one_has_is_one_change():
    cat = {"type": "model", "predicts": {"fur": {"yes": 0.9}}}
    assert changes({"nodes": {}}, {"nodes": {"cat": cat}}) == [("nodes.cat", "added", None, cat)]


def test_lists_of_values_are_one_value_and_lists_of_parts_are_not():
    before = {"ask": ["a"], "expect": [{"above": 0.1}, {"below": 1}], "cases": []}
    after = {"ask": ["a", "b"], "expect": [{"above": 0.2}], "cases": [{"evidence": 1}]}
    assert changes(before, after) == [
        ("ask", "changed", ["a"], ["a", "b"]),
        ("expect[0].above", "changed", 0.1, 0.2),
        ("expect[1]", "removed", {"below": 1}, None),
        ("cases", "changed", [], [{"evidence": 1}]),
    ]


def test_yes_is_not_one():
    assert changes({"a": True}, {"a": 1}) == [("a", "changed", True, 1)]


def test_names_of_anybody_are_cut_and_cleaned():
    before, after = {"x\x1b[31m": 1, "a" * 300: 1}, {}
    paths = [path for path, *_ in changes(before, after)]
    assert paths[0] == "x\\x1b[31m"
    assert len(paths[1]) == 60


def test_a_run_is_the_same_as_itself():
    found = compare(side(), side("two"))
    assert found.same
    assert found.differing == found.settings == found.outcome == found.events == ()


def test_total_variation_is_half_the_sum_of_the_differences_largest_first():
    before = {"f": {"x": 0.5, "y": 0.3, "z": 0.2}, "a": {"inactive": 0.4, "active": 0.6}}
    after = {"f": {"x": 0.1, "y": 0.3, "z": 0.6}, "a": {"inactive": 0.6, "active": 0.4}}
    found = compare(side(beliefs=before), side(beliefs=after))
    assert [(b.node, b.winners) for b in found.beliefs] == [
        ("f", ("x", "z")),
        ("a", ("active", "inactive")),
    ]
    assert [b.total_variation for b in found.beliefs] == pytest.approx([0.4, 0.2])
    assert [b.moved for b in found.beliefs] == ["z", "active"]
    assert [b.node for b in found.overtaken] == ["f", "a"]
    assert not found.same


def test_the_tolerance_decides_what_differs():
    moved = {"a": {"inactive": 0.49, "active": 0.51}}
    even = {"a": {"inactive": 0.51, "active": 0.49}}
    assert not compare(side(beliefs=even), side(beliefs=moved), 0.019).same
    found = compare(side(beliefs=even), side(beliefs=moved), 0.021)
    assert found.same
    assert found.overtaken == ()


def test_states_that_only_one_has_count_as_impossible():
    before, after = {"f": {"x": 0.5, "y": 0.5}}, {"f": {"x": 0.5, "z": 0.5}}
    (belief,) = compare(side(beliefs=before), side(beliefs=after)).beliefs
    assert belief.other_states
    assert belief.total_variation == pytest.approx(0.5)


def test_nodes_that_only_one_has_make_answers_different():
    before, after = {"f": {"x": 1.0}, "a": {"x": 1.0}}, {"f": {"x": 1.0}, "b": {"x": 1.0}}
    found = compare(side(beliefs=before), side(beliefs=after))
    assert [(c.path, c.kind) for c in found.nodes] == [("a", "removed"), ("b", "added")]
    assert not found.same


def test_a_run_without_beliefs_is_named_and_no_node_is_said_to_be_gone():
    empty = side("two", beliefs={}, status="inconsistent", log_z=None)
    found = compare(side(), empty)
    assert (found.silent, found.nodes, found.beliefs) == (("two",), (), ())
    assert not found.same
    assert compare(empty, empty).same


def test_status_and_log_z_are_answers_but_iterations_are_not():
    assert compare(side(), side(iterations=99)).same
    assert not compare(side(), side(status="oscillating")).same
    assert not compare(side(), side(log_z=None)).same
    assert not compare(side(log_z=-1.0), side(log_z=-1.1)).same
    found = compare(side(log_z=-1.0), side(log_z=-1.1))
    assert found.log_z_difference == pytest.approx(-0.1)
    assert compare(side(log_z=-math.inf), side(log_z=-math.inf)).same


def test_nan_is_a_difference():
    before, after = {"a": {"x": math.nan}}, {"a": {"x": 1.0}}
    assert not compare(side(beliefs=before), side(beliefs=after)).same


def test_events_are_matched_by_kind_and_node():
    before = (Event(3, "overtake", "a", "a overtakes b"), Event(9, "converged", "", "done at 9"))
    after = (Event(5, "overtake", "b", "b overtakes a"), Event(7, "converged", "", "done at 7"))
    found = compare(side(events=before), side(events=after)).events
    assert [(c.path, c.kind, c.before, c.after) for c in found] == [
        ("a overtakes b", "removed", 3, None),
        ("done at 7", "changed", 9, 7),
        ("b overtakes a", "added", None, 5),
    ]


def test_expectations_that_only_one_meets_are_named():
    before = (ExpectationResult("p", True, ""), ExpectationResult("q", True, ""))
    after = (ExpectationResult("p", False, ""), ExpectationResult("q", True, ""))
    found = compare(side(expectations=before), side(expectations=after)).expectations
    assert [(c.path, c.before, c.after) for c in found] == [("p", True, False)]


def test_errors_are_what_a_pencil_says():
    known = {"f": {"x": 0.5, "y": 0.3, "z": 0.2}, "a": {"inactive": 0.4, "active": 0.6}}
    given = {"f": {"x": 0.4, "y": 0.3, "z": 0.3}, "a": {"inactive": 0.1, "active": 0.9}}
    run, base = side(beliefs=given, log_z=-2.0), side("base", beliefs=known, log_z=-2.5)
    found = errors_from(run, base)
    assert found.mean_absolute == pytest.approx((0.1 + 0 + 0.1 + 0.3 + 0.3) / 5)
    assert found.max_absolute == pytest.approx(0.3)
    assert found.mean_total_variation == pytest.approx((0.1 + 0.3) / 2)
    assert found.max_total_variation == pytest.approx(0.3)
    assert (found.worst, found.nodes, found.left_out) == ("a", 2, 0)
    assert found.log_z == pytest.approx(0.5)
    assert found.beyond(0.4)
    assert not found.beyond(0.6)


def test_errors_leave_out_nodes_with_other_states_and_say_how_many():
    known = {"f": {"x": 1.0}, "a": {"x": 0.5, "y": 0.5}, "b": {"x": 1.0}}
    given = {"f": {"x": 1.0}, "a": {"x": 0.5, "z": 0.5}}
    found = errors_from(side(beliefs=given), side("base", beliefs=known))
    assert (found.nodes, found.left_out) == (1, 2)


def test_nothing_in_common_is_beyond_every_tolerance():
    found = errors_from(side(beliefs={}), side("base"))
    assert math.isnan(found.max_absolute)
    assert found.beyond(1.0)


def test_errors_from_exact_are_those_of_each_record():
    from tests.nodes.societies import exact

    log_z, marginals = exact(SCENARIO)
    found = errors_from_exact(side())
    apart = [
        abs(RECORD.beliefs[node][state] - marginals[node][number])
        for node, belief in RECORD.beliefs.items()
        for number, state in enumerate(belief)
    ]
    assert found.max_absolute == pytest.approx(max(apart), abs=1e-12)
    assert found.mean_absolute == pytest.approx(sum(apart) / len(apart), abs=1e-12)
    assert found.log_z == pytest.approx(RECORD.log_z - log_z, abs=1e-12)


def test_without_an_exact_answer_the_error_says_how_to_get_one():
    with pytest.raises(
        UsageError, match=r"^one has no exact answer .* --exact \(mpnet run s --exa"
    ):
        errors_from_exact(side(exact=None))
