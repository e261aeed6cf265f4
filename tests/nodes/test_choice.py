"""Choices: exactly one of several models is active, or at most one."""

import itertools

import numpy as np
import pytest

from mpnet.estimators.compiling import compile_graph
from mpnet.estimators.exact import solve
from mpnet.simulation.running import run_scenario
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


LAWS = ("exactly_one", "at_most_one", "independent", "threshold", "winner_takes_all")


def law(rule, strength, count):
    """What a law multiplies by where that many rivals are active."""
    return {
        "exactly_one": float(count == 1),
        "at_most_one": float(count <= 1),
        "independent": 1.0,
        "threshold": np.exp(-strength * count),
        "winner_takes_all": np.exp(-strength * count * (count - 1) / 2),
    }[rule]


def by_hand(rule, strength=3.0, otherwise=None):
    """Weight of each set of active rivals: priors times the gating formula at f = x.

    With a prior of the default, sets are without it: it is active where nobody else is.
    """
    priors, q = [0.1, 0.2, 0.4], 0.2
    ratios = [0.9 / q, 0.2 * (0.2 / 0.7) / q, 1.0]
    weights = {}
    for active in itertools.product([0, 1], repeat=3):
        weight = q * law(rule, strength, sum(active))
        if otherwise is not None:
            # Exactly one of the rivals and the default.
            weight = q * (law(rule, strength, sum(active)) if sum(active) else 1.0)
            weight *= 1.0 - otherwise if sum(active) else otherwise
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


def test_a_choice_without_a_variable_asks_about_its_rivals():
    asked = load(RIVALS.format(rule="winner_takes_all")).in_question
    assert asked == ("a", "b", "c", "who")


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
            "nodes.who.rule: must be 'exactly_one', 'at_most_one', 'independent', 'threshold' or "
            "'winner_takes_all', got 'one'",
        ),
        (
            "among: [a], rule: independent, strength: 2",
            "nodes.who: independent has no strength; it goes with threshold and winner_takes_all",
        ),
        (
            "among: [a], otherwise: a",
            "nodes.who: 'a' is a rival, so it can't be the default as well",
        ),
        ("among: [a], otherwise: f", "nodes.who.otherwise: 'f' can't be active or inactive"),
        (
            "among: [a], otherwise: none",
            "nodes.who.otherwise: the default can't be called 'none', which is a state already",
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


def check(scenario, weights):
    log_z, beliefs = exact(scenario)
    total = sum(weights.values())
    assert log_z == pytest.approx(np.log(total), abs=1e-12)
    for place, name in enumerate("abc"):
        wanted = sum(w for on, w in weights.items() if on[place]) / total
        assert beliefs[name][1] == pytest.approx(wanted, abs=1e-13)
    return beliefs, total


@pytest.mark.parametrize("strength", [None, 0.5, 900.0])
@pytest.mark.parametrize("rule", ["independent", "threshold", "winner_takes_all"])
def test_softer_laws_weigh_as_their_formulas_say(rule, strength):
    keys = f"{rule}, strength: {strength}" if strength and rule != "independent" else rule
    scenario = load(RIVALS.format(rule=keys))
    check(scenario, by_hand(rule, strength or 3.0))
    assert scenario.society.domains["who"] == ()


@pytest.mark.parametrize("rule", LAWS)
def test_default_is_active_exactly_when_no_rival_is(rule):
    scenario = load(RIVALS.format(rule=f"{rule}, otherwise: d").replace("evidence", PLUS_DEFAULT))
    weights = by_hand(rule, otherwise=0.3)
    beliefs, total = check(scenario, weights)
    assert beliefs["d"][1] == pytest.approx(weights[0, 0, 0] / total, abs=1e-13)
    if "one" in rule:
        assert scenario.society.domains["who"] == ("a", "b", "c", "d")
        assert beliefs["who"][3] == pytest.approx(beliefs["d"][1], abs=1e-14)


PLUS_DEFAULT = "  d: {type: model, prior: 0.3}\nevidence"


@pytest.mark.parametrize(("more", "active"), [(-0.01, True), (0.01, False)])
def test_a_rival_is_active_only_above_the_threshold(more, active):
    brought = np.log(0.6 / 0.4) + np.log(0.95 / 0.5)
    scenario = load(
        f"""
        nodes:
          f: {{type: feature}}
          a: {{type: model, prior: 0.6, predicts: {{f: {{"yes": 0.95}}}}}}
          who: {{type: choice, among: [a], rule: threshold, strength: {brought + more}}}
        evidence: {{f: "yes"}}
        """
    )
    assert (exact(scenario)[1]["a"][1] > 0.5) == active


def test_strong_inhibition_is_at_most_one():
    soft = exact(load(RIVALS.format(rule="winner_takes_all, strength: 40")))[1]
    hard = exact(load(RIVALS.format(rule="at_most_one")))[1]
    for name in "abc":
        assert soft[name] == pytest.approx(hard[name], abs=1e-13)


def test_many_strongly_inhibited_rivals_underflow_nowhere():
    names = [f"m{i}" for i in range(25)]
    rows = "\n".join(f"          {n}: {{type: model, prior: 0.3}}" for n in names)
    scenario = load(
        f"""
        nodes:
{rows}
          who: {{type: choice, among: [{", ".join(names)}], rule: winner_takes_all, strength: 9}}
        evidence: {{{", ".join(f"{n}: active" for n in names)}}}
        """
    )
    graph = scenario.society.assemble(scenario.seen)
    log_z = solve(compile_graph(graph, [], []).graph).log_z
    assert log_z == pytest.approx(25 * np.log(0.3) - 9 * 300, rel=1e-13)


@pytest.mark.parametrize("rule", LAWS)
def test_estimators_answer_under_every_law(rule):
    scenario = load(RIVALS.format(rule=f"{rule}, otherwise: d").replace("evidence", PLUS_DEFAULT))
    found = run_scenario(scenario)
    assert found.status == "converged"
    for name in ("a", "b", "c", "d"):
        assert found.beliefs[name]["active"] == pytest.approx(found.exact[name]["active"], abs=0.02)
    told = {(p.source, p.target) for p in found.predictions if p.hard}
    assert ("who", "d") in told
