"""The experiment ``removal``: what it costs to do without a model, under both rules."""

import math

import numpy as np
import pytest

import mpnet
from mpnet.errors import ScenarioError
from mpnet.simulation.experiments.removal import as_predictions
from tests.nodes.societies import exact, faults, load

KEYS = {"type": "removal", "estimators": ["flat"], "not_compiled": ["flat"]}


@pytest.fixture(scope="module")
def findings():
    return mpnet.run("redundancy").findings


@pytest.mark.parametrize(
    ("model", "cost", "tolerance"),
    [("dog", 0.72, 0.02), ("puppy", 0.72, 0.02), ("cat", 0.05, 0.02), ("fire", 8.97, 0.1)],
)
def test_cost_of_the_duplicate_the_dominated_and_the_only_one(findings, model, cost, tolerance):
    assert findings.numbers[f"cost of {model}"] == pytest.approx(cost, abs=tolerance)
    # Compiled, the graph has no loop; damped messages have settled to 1e-8 nats.
    assert findings.numbers[f"cost of {model} by flat"] == pytest.approx(
        findings.numbers[f"cost of {model}"], abs=1e-6
    )


def test_cost_is_what_enumeration_says():
    scenario = mpnet.load("redundancy")
    _, beliefs = exact(scenario)
    found = mpnet.run("redundancy").findings.numbers
    for name in ("dog", "cat", "fire"):
        wanted = -math.log(beliefs[name][0])
        assert found[f"cost of {name}"] == pytest.approx(wanted, abs=1e-9)


def test_duplicates_keep_full_credit_under_product_of_experts(findings):
    for name in ("dog", "puppy", "cat", "fire"):
        kept = findings.numbers[f"cost of {name} as predictions"]
        assert kept == pytest.approx(
            findings.numbers[f"cost of {name} alone as predictions"], abs=1e-9
        )
    assert findings.numbers["cost of puppy as predictions"] > 8.9


def test_flat_propagation_without_the_compile_pass_would_pay_for_the_duplicate(findings):
    assert findings.numbers["cost of dog by flat, not compiled"] < 0.0


def test_the_control_says_the_same_of_each_model_that_is_alone():
    society = mpnet.load("redundancy").society
    control = as_predictions(society)
    seen = mpnet.load("redundancy").seen
    assert control.causes == ()
    assert control.scores(seen) == pytest.approx(society.scores(seen), abs=1e-12)


def test_estimators_that_do_not_converge_find_no_cost():
    found = mpnet.run("redundancy", experiment=KEYS, expect=[], damping=0.0).findings
    assert math.isnan(found.numbers["cost of dog by flat, not compiled"])
    assert found.numbers["cost of dog by flat"] == pytest.approx(0.72, abs=0.01)


def test_a_model_without_which_nothing_is_possible_costs_infinitely_much():
    scenario = load(
        """
        nodes:
          t: {type: feature, base_rates: {"yes": 0.1}}
          a: {type: model, prior: 0.1, predicts: {t: {"yes": 0.9}}}
          b: {type: model, prior: 0.1, predicts: {t: {"no": 1.0}}}
          c: {type: choice, among: [a, b]}
        evidence: {t: "yes"}
        experiment: {type: removal}
        """
    )
    numbers = scenario.experiment.run(scenario, lambda *_: None).numbers
    assert numbers["cost of a"] == math.inf
    assert numbers["cost of b"] == pytest.approx(0.0, abs=1e-12)
    assert numbers["worst gap"] == pytest.approx(0.0, abs=1e-12)


def test_labels_and_curves_go_together(findings):
    assert findings.labels["models"] == ("dog", "puppy", "cat", "fire")
    assert findings.labels["ways"] == ("flat", "region", "flat, not compiled")
    for curve in findings.curves.values():
        assert np.shape(curve) == (4,)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("models: [n]", "experiment.models[0]: there is no node 'n'; nodes: f, m, o"),
        ("models: [f]", "experiment.models[0]: 'f' can't be active or inactive"),
        ("models: [o]", "experiment.models[0]: 'o' is observed, so it can't be removed"),
        (
            "estimators: [flt]",
            "experiment.estimators[0]: unknown estimator 'flt'; did you mean 'flat'?",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(keys, told):
    text = f"""
        nodes:
          f: {{type: feature}}
          m: {{type: model, explains: {{f: 0.5}}}}
          o: {{type: model}}
        evidence: {{o: active}}
        experiment: {{type: removal, {keys}}}
        """
    assert [line.split(" (")[0] for line in faults(text)] == [told]


def test_a_token_without_a_leak_has_no_control():
    with pytest.raises(ScenarioError, match=r"base rate of on is 0: no prediction says the same"):
        load(
            """
            nodes:
              f: {type: feature, base_rates: {"yes": 0.0}}
              m: {type: model, explains: {f: 0.5}}
            experiment: {type: removal}
            """
        )
