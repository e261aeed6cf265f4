"""Choices: exactly one of several models is active, or at most one."""

import itertools

import numpy as np
import pytest

from tests.nodes.societies import exact, faults, load

RIVALS = """
nodes:
  f: {{type: feature, states: [x, y, z], base_rates: [0.2, 0.3, 0.5]}}
  a: {{type: model, prior: 0.1, predicts: {{f: {{x: 0.9}}}}}}
  b: {{type: model, prior: 0.2, predicts: {{f: {{y: 0.8}}}}}}
  c: {{type: model, prior: 0.4}}
  who: {{type: choice, among: [a, b, c], rule: {rule}}}
evidence: {{f: x}}
"""


def by_hand(rule):
    """Weight of each set of active rivals: priors times the gating formula at f = x."""
    priors, q = [0.1, 0.2, 0.4], 0.2
    ratios = [0.9 / q, 0.2 * (0.2 / 0.7) / q, 1.0]
    weights = {}
    for active in itertools.product([0, 1], repeat=3):
        allowed = sum(active) == 1 or (rule == "at_most_one" and sum(active) == 0)
        weight = q * float(allowed)
        for on, prior, ratio in zip(active, priors, ratios, strict=True):
            weight *= prior * ratio if on else 1.0 - prior
        weights[active] = weight
    return weights


@pytest.mark.parametrize("rule", ["exactly_one", "at_most_one"])
def test_rule_leaves_only_what_it_allows(rule):
    log_z, beliefs = exact(load(RIVALS.format(rule=rule)))
    weights = by_hand(rule)
    total = sum(weights.values())
    assert log_z == pytest.approx(np.log(total), abs=1e-12)
    for place, name in enumerate("abc"):
        wanted = sum(w for on, w in weights.items() if on[place]) / total
        assert beliefs[name][1] == pytest.approx(wanted, abs=1e-13)
        assert beliefs["who"][place] == pytest.approx(wanted, abs=1e-13)
    if rule == "at_most_one":
        assert beliefs["who"][3] == pytest.approx(weights[0, 0, 0] / total, abs=1e-13)


@pytest.mark.parametrize("rule", ["exactly_one", "at_most_one"])
def test_base_rates_of_a_choice_are_its_belief_where_nobody_predicts(rule):
    scenario = load(
        f"""
        nodes:
          a: {{type: model, prior: 0.1}}
          b: {{type: model, prior: 0.6}}
          who: {{type: choice, among: [a, b], rule: {rule}}}
        """
    )
    rates = scenario.society.base_rates_of("who")
    np.testing.assert_allclose(exact(scenario)[1]["who"], rates, atol=1e-13)


def test_observing_a_choice_wakes_one_rival_and_no_other():
    scenario = load(RIVALS.format(rule="exactly_one"))
    _, beliefs = exact(scenario, who="b")
    assert [beliefs[n][1] for n in "abc"] == [0.0, 1.0, 0.0]


def test_a_choice_is_in_question_without_being_asked_about():
    assert load(RIVALS.format(rule="exactly_one")).in_question == ("who",)


def test_a_choice_can_be_predicted():
    scenario = load(
        """
        nodes:
          a: {type: model, prior: 0.2}
          b: {type: model, prior: 0.2}
          who: {type: choice, among: [a, b]}
          m: {type: model, prior: 0.3, predicts: {who: {a: 0.9}}}
        """
    )
    _, beliefs = exact(scenario)
    assert beliefs["m"][1] == pytest.approx(0.3, abs=1e-12)
    assert exact(scenario, m="active")[1]["who"][0] == pytest.approx(0.9, abs=1e-12)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("among: []", "nodes.who.among: needs at least 1 entries, got a list of 0"),
        ("among: [a, a]", "nodes.who.among: 'a' is there twice; rivals must differ"),
        (
            "among: [a, none]",
            "nodes.who.among: a rival can't be called 'none', the state of no rival at all",
        ),
        ("among: [a, f]", "nodes.who.among[1]: 'f' can't be active or inactive"),
        (
            "among: [a], rule: one",
            "nodes.who.rule: must be 'exactly_one' or 'at_most_one', got 'one'",
        ),
        ("among: [who]", "nodes.who.among[0]: 'who' can't refer to itself"),
    ],
)
def test_what_is_wrong_with_a_choice_is_said_with_its_place(keys, told):
    text = f"""
        nodes:
          f: {{type: feature}}
          a: {{type: model}}
          who: {{type: choice, {keys}}}
        """
    assert faults(text) == [told]
