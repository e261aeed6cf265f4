"""The experiment ``contexts``: beliefs in several contexts, and log-odds that add up."""

import math

import numpy as np
import pytest

import mpnet
from mpnet.simulation.running import run_scenario
from tests.nodes.societies import exact, faults, load, log_odds


@pytest.fixture(scope="module")
def findings():
    return mpnet.run("bird").findings


def test_beliefs_are_those_of_enumeration(findings):
    scenario = mpnet.load("bird")
    for context, evidence in scenario.experiment.contexts.items():
        _, beliefs = exact(scenario, **evidence)
        for name in ("bird", "penguin", "noun"):
            # The compiled graphs have no loop.
            assert findings.numbers[f"{name} in {context}"] == pytest.approx(
                beliefs[name][1], abs=1e-9
            )
        assert findings.numbers[f"flies=yes in {context}"] == pytest.approx(
            beliefs["flies"][1], abs=1e-9
        )


def test_birds_fly_and_penguins_do_not_though_they_stay_birds(findings):
    numbers = findings.numbers
    assert numbers["flies=yes in bird"] == pytest.approx(0.60, abs=0.01)
    assert numbers["flies=yes in penguin"] < 0.05
    assert numbers["bird in penguin"] > 0.99


def test_the_noun_is_active_in_the_context_of_words_only(findings):
    assert findings.numbers["noun in word"] > 0.9
    for context in ("bird", "penguin", "no wings"):
        assert findings.numbers[f"noun in {context}"] < 0.01


def test_log_odds_add_up_to_those_of_enumeration(findings):
    scenario = mpnet.load("bird")
    cases = findings.labels["split"]
    assert len(cases) == 5
    for case in cases:
        node, _, context = case.partition(" in ")
        _, beliefs = exact(scenario, **scenario.experiment.contexts[context])
        total = math.fsum(findings.curves[f"shares {case}"])
        assert total == pytest.approx(log_odds(beliefs[node]), abs=1e-9)
        assert findings.numbers[f"log-odds of {case}"] == pytest.approx(total, abs=1e-9)


def test_a_feature_that_was_predicted_and_not_seen_is_evidence(findings):
    p, q = 0.97, 0.1
    assert findings.numbers["wings for bird in no wings"] == pytest.approx(
        math.log((1 - p) / (1 - q)), abs=1e-12
    )
    assert findings.numbers["wings for bird in bird"] == pytest.approx(math.log(p / q), abs=1e-12)


def test_an_unobserved_feature_has_no_share(findings):
    assert findings.numbers["plural_s for noun in bird"] == pytest.approx(0.0, abs=1e-12)


TOKENS = """
nodes:
  f: {type: feature, base_rates: {"yes": 0.1}}
  g: {type: feature}
  a: {type: model, prior: 0.2, explains: {f: 0.9}}
  b: {type: model, prior: 0.3, explains: {f: 0.8}, predicts: {g: "yes"}}
experiment:
  type: contexts
  contexts: {seen: {f: "yes"}, both: {f: {"yes": 0.7}, a: {active: 0.6}}}
  watch: [{node: a}, {node: f, state: "yes"}]
  split: [{node: a}, {node: f, contexts: [both]}]
"""


def test_explained_tokens_and_soft_evidence_are_split_as_well():
    scenario = load(TOKENS)
    found = run_scenario(scenario).findings
    assert found.numbers["split gap"] < 1e-12
    assert found.numbers["own evidence for a in both"] == pytest.approx(math.log(0.6 / 0.4))
    assert found.numbers["own evidence for f in both"] == pytest.approx(math.log(0.7 / 0.3))
    # The leak is in the factor that explains the token, not in a prior of its own.
    assert found.numbers["prior for f in both"] == 0.0
    assert found.labels["shares a in seen"] == ("prior", "f, b")
    odds = 0.2 / 0.8 * (1 - 0.9 * 0.1 * 0.76) / (1 - 0.9 * 0.76)
    assert found.numbers["a in seen"] == pytest.approx(odds / (1 + odds), abs=1e-9)
    assert np.shape(found.curves["beliefs"]) == (2, 2)


def test_a_belief_that_is_ruled_out_is_split_without_a_gap():
    scenario = load(
        """
        nodes:
          t: {type: feature, base_rates: {"yes": 0.1}}
          b: {type: model, prior: 0.1, predicts: {t: {"no": 1.0}}}
        experiment: {type: contexts, contexts: {k: {t: "yes"}}, watch: [{node: b}], split: [{node: b}]}
        """
    )
    numbers = scenario.experiment.run(scenario, lambda *_: None).numbers
    assert numbers["log-odds of b in k"] == -math.inf
    assert numbers["split gap"] == 0.0


def test_contexts_that_do_not_converge_are_told_as_such():
    spec = {"type": "contexts", "contexts": {"one": {}}, "watch": [{"node": "a"}]}
    found = mpnet.run("frustrated_loop", experiment=spec, expect=[]).findings
    assert math.isnan(found.numbers["a in one"])
    assert math.isnan(found.numbers["worst error"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('{f: "yes"}, both', "{f: maybe}, both"), "contexts.seen.f: unknown state 'maybe'"),
        (('{f: "yes"}, both', "{h: maybe}, both"), "contexts.seen.h: there is no node 'h'"),
        (("watch: [{node: a}", "watch: [{node: h}"), "watch[0].node: there is no node 'h'"),
        (('state: "yes"}]', "state: on}]"), "watch[1].state: 'f' has no state 'on'"),
        (
            ("contexts: [both]", "contexts: [boh]"),
            "split[1].contexts[0]: there is no context 'boh'",
        ),
        (("contexts: [both]", "contexts: [seen]"), "split: f in seen: it is observed"),
        (
            ("{node: f, contexts", '{node: f, state: "no", contexts'),
            "split[1].state: a split is of",
        ),
        (
            ("watch: [{node: a}", "watch: [{node: a, contexts: [seen]}"),
            "watch[0].contexts: beliefs are",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(change, told):
    (found,) = faults(TOKENS.replace(*change))
    assert found.startswith(f"experiment.{told}")
