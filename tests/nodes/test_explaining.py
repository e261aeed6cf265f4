"""Explanations: who explains a token is joined by a noisy OR, whose leak is the base rate."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from mpnet.dense import DenseTables
from mpnet.estimators.compiling import compile_graph
from mpnet.estimators.exact import solve
from mpnet.factors.gate import Gates
from mpnet.simulation.running import run_scenario
from tests.nodes.societies import exact, faults, load, log_odds

PLACES = """
nodes:
  wet: {{type: feature, base_rates: {{"yes": 0.05}}}}
  slippery: {{type: feature, base_rates: {{"yes": 0.2}}}}
  rain: {{type: model, prior: 0.1, explains: {{wet: 0.9, slippery: 0.4}}}}
  sprinkler: {{type: model, prior: 0.3, explains: {{wet: 0.8}}}}
  drought: {{type: model, prior: 0.2, predicts: {{wet: {{"no": 0.99}}}}}}
  storm: {{type: composite, prior: 0.02, parts: [rain], explains: {{slippery: 0.7}}}}
evidence: {evidence}
"""


def by_hand(wet, slippery):
    """Log Z and beliefs by the formulas, one addition per joint state of the four models."""
    totals, whole = np.zeros(4), 0.0
    for on in itertools.product([0, 1], repeat=4):
        rain, sprinkler, drought, storm = on
        off = 0.95 * 0.1**rain * 0.2**sprinkler
        dry = 0.8 * 0.6**rain * 0.3**storm
        # Rates and what drought says of them, as a product of experts.
        yes, no = (1 - off) * (0.01 / 0.05) ** drought, off * (0.99 / 0.95) ** drought
        weight = {"yes": yes, "no": no, None: yes + no}[wet]
        weight *= {"yes": 1 - dry, "no": dry, None: 1.0}[slippery]
        for active, prior in zip(on, (0.1, 0.3, 0.2, 0.02), strict=True):
            weight *= prior if active else 1 - prior
        weight *= (0.9995 / 0.1 if rain else 0.0005 / 0.9) ** storm
        whole += weight
        totals += weight * np.array(on)
    return math.log(whole), totals / whole


SEEN = [(wet, slippery) for wet in ("yes", "no", None) for slippery in ("yes", "no", None)]


@pytest.mark.parametrize(("wet", "slippery"), SEEN)
def test_explanations_and_predictions_mix_as_the_formulas_say(wet, slippery):
    said = {"wet": wet, "slippery": slippery}
    evidence = {n: s for n, s in said.items() if s is not None}
    scenario = load(PLACES.format(evidence=evidence))
    log_z, beliefs = exact(scenario)
    wanted_z, wanted = by_hand(wet, slippery)
    # A dozen products and sums of probabilities.
    assert log_z == pytest.approx(wanted_z, abs=1e-12)
    names = ("rain", "sprinkler", "drought", "storm")
    np.testing.assert_allclose([beliefs[n][1] for n in names], wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("wet", "slippery"), SEEN)
def test_the_compile_pass_changes_no_exact_answer(wet, slippery):
    said = {"wet": wet, "slippery": slippery}
    scenario = load(PLACES.format(evidence={n: s for n, s in said.items() if s is not None}))
    graph = scenario.society.assemble(scenario.seen)
    compiled = compile_graph(graph, scenario.society.leaves(), ["storm"])
    whole, small = solve(graph), solve(compiled.graph)
    assert small.log_z == pytest.approx(whole.log_z, abs=1e-12)
    found = compiled.full_beliefs(small.marginals, small.joint)
    np.testing.assert_allclose(found, whole.marginals, rtol=0, atol=1e-12)


def test_a_second_cause_explains_the_first_away():
    scenario = load(PLACES.format(evidence="{wet: 'yes'}"))
    alone = exact(scenario)[1]["rain"][1]
    explained = exact(scenario, wet="yes", sprinkler="active")[1]["rain"][1]
    assert alone > 0.2
    assert explained < 0.15


def test_score_is_the_exact_log_odds_while_all_others_sleep():
    scenario = load(PLACES.format(evidence="{wet: 'yes', slippery: {'yes': 0.7}}"))
    scores = scenario.society.scores(scenario.seen)
    others = ("rain", "sprinkler", "drought", "storm")
    for name in others:
        held = {n: "inactive" for n in others if n != name}
        _, beliefs = exact(scenario, wet="yes", slippery={"yes": 0.7}, **held)
        # Holding storm asleep says that rain may sleep as well: parts are predictions, too.
        if name == "storm":
            continue
        assert scores[name] == pytest.approx(log_odds(beliefs[name]), abs=1e-12)


def test_score_without_a_leak_is_infinite():
    scenario = load(
        """
        nodes:
          wet: {type: feature, base_rates: {"yes": 0.0}}
          rain: {type: model, explains: {wet: 0.9}}
          dew: {type: model, explains: {wet: 0.0}}
        evidence: {wet: "yes"}
        """
    )
    assert scenario.society.scores(scenario.seen) == {"rain": np.inf, "dew": -np.inf}
    assert exact(scenario)[1]["rain"][1] == pytest.approx(1.0, abs=1e-15)


def test_an_activation_can_be_explained_and_its_prior_is_the_leak():
    scenario = load(
        """
        nodes:
          alarm: {type: model, prior: 0.01}
          burglar: {type: model, prior: 0.1, explains: {alarm: 0.9}}
        """
    )
    _, beliefs = exact(scenario)
    assert beliefs["alarm"][1] == pytest.approx(0.9 * 0.01 + 0.1 * (1 - 0.99 * 0.1), abs=1e-14)


def test_compatibility_stays_about_predictions():
    found = load(PLACES.format(evidence="{}")).society.compatibility()
    assert set(found.names) == {"drought", "storm"}


def many(tokens, causes, evidence):
    rows = [f"  t{i}: {{type: feature, base_rates: {{'yes': 0.1}}}}" for i in range(tokens)]
    for n in range(causes):
        said = ", ".join(f"t{i}: {0.3 + 0.5 * ((7 * n + i) % 11) / 11:.4f}" for i in range(tokens))
        rows.append(f"  m{n}: {{type: model, prior: 0.1, explains: {{{said}}}}}")
    return load("nodes:\n" + "\n".join(rows) + f"\nevidence: {evidence}")


def compiled_of(scenario):
    graph = scenario.society.assemble(scenario.seen)
    return graph, compile_graph(graph, scenario.society.leaves(), ["m0"])


def test_tokens_seen_to_be_off_leave_no_factor_however_many_causes_they_have():
    _, compiled = compiled_of(many(3, 30, {f"t{i}": "no" for i in range(3)}))
    assert len(compiled.graph.factors) == 0
    answer = solve(compiled.graph)
    odds = math.prod(1 - (0.3 + 0.5 * ((7 * 4 + i) % 11) / 11) for i in range(3)) * 0.1 / 0.9
    found = compiled.full_beliefs(answer.marginals, answer.joint)
    place = compiled.original.states_of(compiled.original.index["m4"])
    # Probabilities in the scenario have four decimals.
    assert found[place][1] == pytest.approx(odds / (1 + odds), abs=1e-5)


def test_tokens_of_equal_causes_become_one_factor():
    _, compiled = compiled_of(many(4, 11, {"t0": "yes", "t1": "no", "t2": "yes", "t3": "yes"}))
    assert len(compiled.graph.factors) == 1
    assert compiled.graph.is_forest()


def test_wide_tokens_seen_to_be_on_stay_structured_and_exact():
    graph, compiled = compiled_of(many(2, 16, {"t0": "yes", "t1": "no"}))
    contents = [family.content for family in compiled.graph.families]
    assert [type(c) for c in contents] == [Gates]
    assert not contents[0].child
    whole, small = solve(graph), solve(compiled.graph)
    assert small.log_z == pytest.approx(whole.log_z, abs=1e-11)
    found = compiled.full_beliefs(small.marginals, small.joint)
    np.testing.assert_allclose(found, whole.marginals, rtol=0, atol=1e-11)


def test_few_causes_become_tables():
    graph, compiled = compiled_of(many(2, 3, {"t0": {"yes": 0.8}}))
    assert all(isinstance(f.content, DenseTables) for f in compiled.graph.families)
    assert solve(compiled.graph).log_z == pytest.approx(solve(graph).log_z, abs=1e-12)


@pytest.mark.parametrize("estimator", ["flat", "clamped", "region", "mixture"])
def test_estimators_answer_exactly_where_one_wide_token_is_seen(estimator):
    scenario = many(1, 16, {"t0": "yes"})
    inference = scenario.spec.inference.model_copy(
        update={"estimator": estimator, "exact": "always"}
    )
    spec = scenario.spec.model_copy(update={"inference": inference})
    found = run_scenario(replace(scenario, spec=spec))
    assert found.status == "converged"
    for name, belief in found.beliefs.items():
        # Messages converge to 1e-8 nats.
        assert belief == pytest.approx(found.exact[name], abs=1e-7)


def test_explanations_are_recorded_as_what_they_are():
    found = run_scenario(load(PLACES.format(evidence="{}"))).predictions
    told = {(p.source, p.target): p for p in found if p.explains}
    assert set(told) == {
        ("rain", "wet"),
        ("rain", "slippery"),
        ("sprinkler", "wet"),
        ("storm", "slippery"),
    }
    row = told["rain", "wet"]
    assert (row.state, row.hard) == ("yes", False)
    assert row.strength == pytest.approx(math.log((1 - 0.95 * 0.1) / 0.05))


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("explains: {g: 0.5}", "nodes.m.explains.g: there is no node 'g'; nodes: c, f, a, b, k, m"),
        (
            "explains: {c: 0.5}",
            "nodes.m.explains.c: 'c' is no token: only a node that is off or on (two states) can "
            "be explained",
        ),
        (
            "explains: {k: 0.5}",
            "nodes.m.explains.k: 'k' is no token: only a node that is off or on (two states) can "
            "be explained",
        ),
        ("explains: {m: 0.5}", "nodes.m.explains.m: 'm' can't refer to itself"),
        ("explains: {f: 1.5}", "nodes.m.explains.f: must be at most 1, got 1.5"),
        (
            "explains: {f: 0.5}, predicts: {f: 'yes'}",
            "nodes.m.explains.f: 'f' is predicted by the same model already; leave one of the two "
            "out",
        ),
    ],
)
def test_what_is_wrong_with_an_explanation_is_said_with_its_place(keys, told):
    text = f"""
        nodes:
          c: {{type: feature, states: [x, y, z]}}
          f: {{type: feature}}
          a: {{type: model}}
          b: {{type: model}}
          k: {{type: choice, among: [a, b]}}
          m: {{type: model, {keys}}}
        """
    assert faults(text) == [told]
