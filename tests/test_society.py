"""What a society derives from its predictions: compatibility and feed-forward scores."""

import numpy as np
import pytest

from tests.nodes.societies import enumerated, exact, load, log_odds

PAIR = """
nodes:
  f: {{type: feature, states: [x, y, z], base_rates: [0.2, 0.3, 0.5]}}
  g: {{type: feature, base_rates: [0.7, 0.3]}}
  h: {{type: feature}}
  a: {{type: model, prior: 0.05, predicts: {{f: {fa}, g: {ga}}}}}
  b: {{type: model, prior: 0.2, predicts: {{f: {fb}, h: {hb}}}}}
evidence: {evidence}
"""


def pair(fa="x", fb="y", ga="{'yes': 0.9}", hb="{'yes': 0.9}", evidence="{}"):
    return load(PAIR.format(fa=fa, fb=fb, ga=ga, hb=hb, evidence=evidence))


def by_enumeration(scenario, a="a", b="b"):
    """log [Z(AB) Z(0) / (Z(A) Z(B))], each Z without the priors, by brute force."""
    society = scenario.society
    log_z = {}
    for one in ("inactive", "active"):
        for two in ("inactive", "active"):
            held = society.observe({a: one, b: two})
            total, _ = enumerated(society.assemble({**scenario.seen, **held}))
            on = (one == "active", two == "active")
            priors = [society.base_rates_of(n)[int(s)] for n, s in zip((a, b), on, strict=True)]
            log_z[on] = total - np.log(priors).sum()
    return log_z[True, True] + log_z[False, False] - log_z[True, False] - log_z[False, True]


FORMS = [
    {"fa": "x", "fb": "x"},
    {"fa": "x", "fb": "y"},
    {"fa": "{x: 0.7, y: 0.3}", "fb": "{distribution: {z: 0.8}, confidence: 2}"},
    {"fa": "{x: 0.9}", "fb": "{x: 0.8}", "evidence": "{f: {x: 0.6}}"},
    {"fa": "{x: 0.9}", "fb": "{y: 0.8}", "evidence": "{f: {x: 0.5, y: 0.3, z: 0.1}, g: 'yes'}"},
]


@pytest.mark.parametrize("written", FORMS)
def test_compatibility_is_what_enumeration_says(written):
    scenario = pair(**written)
    found = scenario.society.compatibility(scenario.seen)
    assert found.names == ("a", "b")
    assert found.matrix[0][1] == pytest.approx(by_enumeration(scenario), abs=1e-12)
    assert found.matrix[0][1] == pytest.approx(found.matrix[1][0], abs=1e-14)
    assert found.matrix[0][0] == found.matrix[1][1] == 0.0


def test_compatibility_is_the_formula_of_shared_targets():
    said = {"fa": "{x: 0.9}", "fb": "{y: 0.8}"}
    (matrix,) = (pair(**said).society.compatibility().matrix,)
    q = np.array([0.2, 0.3, 0.5])
    a, b = np.array([0.9, 0.1 * 3 / 8, 0.1 * 5 / 8]), np.array([0.2 * 2 / 7, 0.8, 0.2 * 5 / 7])
    assert matrix[0][1] == pytest.approx(np.log(np.sum(a * b / q)), abs=1e-13)
    assert matrix[0][1] == pytest.approx(np.log1p(np.sum((a - q) * (b - q) / q)), abs=1e-13)


def test_models_that_share_no_target_are_exactly_neutral():
    scenario = load(
        """
        nodes:
          f: {type: feature}
          g: {type: feature}
          a: {type: model, predicts: {f: {"yes": 0.9}}}
          b: {type: model, predicts: {g: {"yes": 0.1}}}
        """
    )
    found = scenario.society.compatibility()
    assert found.matrix == ((0.0, 0.0), (0.0, 0.0))
    assert found.by_target == {}


def test_models_of_which_one_predicts_just_the_base_rate_are_exactly_neutral():
    scenario = load(
        """
        nodes:
          f: {type: feature, base_rates: [0.3, 0.7]}
          a: {type: model, predicts: {f: {"yes": 0.7}}}
          b: {type: model, predicts: {f: {"yes": 0.99}}}
        """
    )
    assert scenario.society.compatibility().matrix[0][1] == 0.0


def test_certain_contradiction_is_minus_infinity():
    found = pair(fa="{x: 1.0}", fb="{y: 1.0}").society.compatibility()
    assert found.matrix[0][1] == -np.inf


def test_agreement_is_positive_and_contradiction_negative():
    assert pair(fa="x", fb="x").society.compatibility().matrix[0][1] > 1.0
    assert pair(fa="x", fb="y").society.compatibility().matrix[0][1] < -1.0


def test_certain_evidence_leaves_nothing_to_fight_about():
    size = []
    for doubt in (0.5, 0.1, 1e-3, 1e-6):
        soft = f"{{f: {{x: 1, y: {doubt}, z: {doubt}}}}}"
        scenario = pair(fa="{x: 0.9}", fb="{y: 0.8}", evidence=soft)
        size.append(abs(scenario.society.compatibility(scenario.seen).matrix[0][1]))
    assert size == sorted(size, reverse=True)
    assert size[-1] < 1e-4
    scenario = pair(fa="{x: 0.9}", fb="{y: 0.8}", evidence="{f: x}")
    assert scenario.society.compatibility(scenario.seen).matrix[0][1] == pytest.approx(
        0.0, abs=1e-14
    )


def test_parts_by_target_add_up_to_the_whole():
    scenario = load(
        """
        nodes:
          f: {type: feature}
          g: {type: feature, states: [p, q, r]}
          a: {type: model, predicts: {f: {"yes": 0.9}, g: {p: 0.8}}}
          b: {type: model, predicts: {f: {"yes": 0.2}, g: {p: 0.7}}}
          c: {type: model, predicts: {g: {q: 0.9}, a: {wont: 0.99}}}
          d: {type: composite, parts: [a, b]}
        """
    )
    found = scenario.society.compatibility()
    assert found.names == ("a", "b", "c", "d")
    assert set(found.by_target) == {"f", "g", "a"}
    parts = np.sum([np.array(m) for m in found.by_target.values()], axis=0)
    np.testing.assert_allclose(parts, found.matrix, atol=1e-15)


LONE = """
nodes:
  f: {type: feature, states: [x, y, z], base_rates: [0.2, 0.3, 0.5]}
  g: {type: feature, base_rates: [0.7, 0.3]}
  h: {type: feature}
  a:
    type: model
    prior: 0.05
    predicts: {f: {x: 0.9}, g: {distribution: {"yes": 0.8}, confidence: 1.7}, h: {"yes": 1.0}}
"""


@pytest.mark.parametrize(
    "evidence",
    [{}, {"f": "x"}, {"f": "z", "g": "yes"}, {"g": {"no": 0.2, "yes": 0.9}, "f": {"x": 0.5}}],
)
def test_score_of_a_lone_model_is_its_exact_log_odds(evidence):
    scenario = load(LONE)
    scores = scenario.society.scores(scenario.society.observe(evidence))
    assert scores["a"] == pytest.approx(log_odds(exact(scenario, **evidence)[1]["a"]), abs=1e-12)


def test_score_of_a_model_that_the_evidence_rules_out_is_minus_infinity():
    scenario = load(LONE)
    assert scenario.society.scores(scenario.society.observe({"h": "no"})) == {"a": -np.inf}


def test_score_is_the_log_odds_while_all_others_sleep():
    scenario = pair(evidence="{f: x, h: 'yes'}")
    asleep = exact(scenario, f="x", h="yes", b="inactive")[1]["a"]
    assert scenario.society.scores(scenario.seen)["a"] == pytest.approx(log_odds(asleep), abs=1e-12)


def test_leaves_are_what_nothing_is_predicted_by():
    scenario = load(
        """
        nodes:
          f: {type: feature}
          image: {type: images}
          a: {type: model, predicts: {f: "yes"}}
          b: {type: model}
          c: {type: model}
          who: {type: choice, among: [b]}
        """
    )
    assert scenario.society.leaves() == ["f", "c"]


def test_rules_and_links_become_factors_with_names():
    graph = load(
        """
        nodes:
          f: {type: feature}
          a: {type: model, predicts: {f: "yes"}}
          who: {type: choice, among: [a]}
        """
    ).society.assemble({})
    assert [factor.name for factor in graph.factors] == ["a → f", "who chooses a"]
