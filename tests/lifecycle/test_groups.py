"""Sleepers that need one another wake together; those without whom nothing is possible wake first."""

import pytest
import yaml

from mpnet.scenario.document import read_document
from mpnet.simulation.loading import check_scenario
from mpnet.simulation.running import run_scenario

NEEDY = {
    "x": {"type": "feature", "base_rates": {"yes": 0.002}},
    "y": {"type": "feature", "base_rates": {"yes": 0.2}},
    "w": {"type": "feature"},
    "b": {"type": "model", "prior": 0.01, "predicts": {"y": {"yes": 0.55}}},
    "a": {
        "type": "model",
        "prior": 0.01,
        "predicts": {"b": {"will": 0.999}, "x": {"yes": 0.9}, "w": {"yes": 0.9}},
    },
}
SLEEP = {"asleep": "all"}


def run(nodes, evidence, **parts):
    data = {"mpnet": 1, "name": "groups", "nodes": nodes, "evidence": evidence, **parts}
    return run_scenario(check_scenario(read_document("groups", yaml.safe_dump(data).encode())))


def woken(record):
    return [event.node for event in record.events if event.kind == "awaken"]


def test_two_that_would_not_wake_alone_wake_together():
    seen = {"x": "yes", "y": "yes"}
    whole = run(NEEDY, seen, inference={"exact": "always"})
    found = run(NEEDY, seen, inference={"exact": "always"}, lifecycle=SLEEP)
    assert woken(found) == ["a", "b"]
    assert "wake together" in found.events[2].text
    for name in ("a", "b"):
        # A tree: both are exact, to the tolerance.
        wanted = whole.exact[name]["active"]
        assert found.beliefs[name]["active"] == pytest.approx(wanted, abs=1e-6)


def test_who_is_not_needed_sleeps_on():
    found = run(NEEDY, {"x": "no", "y": "yes"}, lifecycle=SLEEP)
    assert woken(found) == []
    assert found.numbers["bound"] < 0.1


def test_a_composite_wakes_with_its_parts():
    nodes = {
        "f": {"type": "feature", "base_rates": {"yes": 0.02}},
        "p": {"type": "model", "prior": 0.02},
        "q": {"type": "model", "prior": 0.02},
        "both": {
            "type": "composite", "parts": ["p", "q"], "prior": 0.2, "predicts": {"f": {"yes": 0.95}},
        },
    }  # fmt: skip
    assert set(woken(run(nodes, {"f": "yes"}, lifecycle=SLEEP))) >= {"both", "p", "q"}


def test_a_token_that_only_a_sleeper_explains_is_no_contradiction():
    nodes = {
        "t": {"type": "feature", "base_rates": {"yes": 0.0}},
        "a": {"type": "model", "prior": 0.1, "explains": {"t": 0.9}},
        "idle": {"type": "model", "prior": 0.05},
    }
    found = run(nodes, {"t": "yes"}, lifecycle=SLEEP)
    assert found.status == "converged"
    assert found.beliefs["a"]["active"] == 1.0
    (event,) = [event for event in found.events if event.kind == "awaken"]
    assert event.text == "a wakes: without it nothing is possible"


def test_a_choice_among_sleepers_is_no_contradiction():
    nodes = {
        "t": {"type": "feature"},
        "a": {"type": "model", "prior": 0.1, "predicts": {"t": {"yes": 0.9}}},
        "b": {"type": "model", "prior": 0.1, "predicts": {"t": {"no": 0.9}}},
        "c": {"type": "choice", "among": ["a", "b"]},
    }
    found = run(nodes, {"t": "yes"}, lifecycle=SLEEP)
    assert found.status == "converged"
    assert "a" in woken(found)
    assert found.beliefs["c"]["a"] > 0.85


def test_what_nobody_can_explain_stays_a_contradiction():
    nodes = {
        "t": {"type": "feature", "base_rates": {"yes": 0.0}},
        "a": {"type": "model", "prior": 0.1},
    }
    assert run(nodes, {"t": "yes"}, lifecycle=SLEEP).status == "inconsistent"


def test_a_run_that_is_cut_off_does_not_end_converged():
    rivals = "abcd"
    nodes = {
        r: {
            "type": "model",
            "prior": 0.5,
            "predicts": {o: {"wont": 0.999} for o in rivals if o != r},
        }
        for r in rivals
    }
    found = run(
        nodes,
        {},
        inference={"max_iterations": 5, "exact": "never"},
        timeline=[{"do": {"a": "active"}}],
    )
    assert found.status == "max_iterations"
    assert found.events[-1].kind == "max_iterations"


def test_experiments_that_look_at_one_set_of_evidence_refuse_a_timeline():
    from mpnet.errors import ScenarioError

    with pytest.raises(
        ScenarioError, match="looks at one set of evidence, and there is a timeline"
    ):
        run(
            NEEDY, {"x": "yes"}, timeline=[{"evidence": {"y": "yes"}}],
            experiment={"type": "sampling", "among": ["a", "b"]},
        )  # fmt: skip
