"""Models: what they predict, how sure, and what that does to beliefs."""

import numpy as np
import pytest

from mpnet.nodes.base import Prediction
from mpnet.simulation.running import run_scenario
from tests.nodes.societies import exact, faults, load, log_odds

TARGETS = """
nodes:
  colour: {{type: feature, states: [purple, green, grey], base_rates: [0.2, 0.3, 0.5]}}
  other: {{type: model, prior: 0.1}}
  m: {{type: model, prior: 0.05, predicts: {{{written}}}}}
"""


def only_link(written):
    (link,) = load(TARGETS.format(written=written)).society.links
    return link


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("colour: purple", [0.95, 0.05 * 3 / 8, 0.05 * 5 / 8]),
        ("colour: {purple: 0.9}", [0.9, 0.1 * 3 / 8, 0.1 * 5 / 8]),
        ("colour: {purple: 0.9, green: 0.1}", [0.9, 0.1, 0.0]),
        ("colour: {purple: 0.5, green: 0.3, grey: 0.2}", [0.5, 0.3, 0.2]),
        ("colour: {distribution: {purple: 0.9}, confidence: 2}", [0.9, 0.1 * 3 / 8, 0.1 * 5 / 8]),
        ("colour: {distribution: green}", [0.05 * 2 / 7, 0.95, 0.05 * 5 / 7]),
        ("other: active", [0.05, 0.95]),
        ("other: {active: 0.7}", [0.3, 0.7]),
        ("other: {will: 0.7}", [0.3, 0.7]),
        ("other: {wont: 0.99}", [0.99, 0.01]),
        ("other: {distribution: {wont: 0.99}, confidence: 0.5}", [0.99, 0.01]),
    ],
)
def test_every_form_of_a_prediction_is_a_distribution(written, wanted):
    # Shares are a product and a quotient: a few roundings.
    np.testing.assert_allclose(only_link(written).prediction.distribution, wanted, rtol=1e-14)


@pytest.mark.parametrize("confidence", [0.0, 0.3, 1.0, 2.5, 40.0])
@pytest.mark.parametrize("seed", range(5))
def test_ratio_is_neutral_on_average(seed, confidence):
    rng = np.random.default_rng(seed)
    base, said = rng.dirichlet(np.ones(4), size=2)
    ratio = np.exp(Prediction("x", said, confidence).log_ratio(base))
    assert np.sum(base * ratio) == pytest.approx(1.0, abs=1e-12)
    wanted = (said / base) ** confidence
    np.testing.assert_allclose(ratio, wanted / np.sum(base * wanted), rtol=1e-10)


def test_ratio_of_full_confidence_is_prediction_over_base_rate():
    base, said = np.array([0.2, 0.3, 0.5]), np.array([0.7, 0.3, 0.0])
    ratio = np.exp(Prediction("x", said).log_ratio(base))
    np.testing.assert_allclose(ratio, said / base, rtol=1e-14)


def test_ratio_without_confidence_says_nothing_even_where_a_state_is_ruled_out():
    ratio = Prediction("x", np.array([1.0, 0.0]), 0.0).log_ratio(np.array([0.3, 0.7]))
    np.testing.assert_array_equal(ratio, [0.0, 0.0])


def test_states_that_never_occur_get_no_ratio():
    ratio = Prediction("x", np.array([0.4, 0.6, 0.0])).log_ratio(np.array([0.5, 0.5, 0.0]))
    np.testing.assert_allclose(ratio, [np.log(0.8), np.log(1.2), 0.0], atol=1e-15)


def test_belief_is_linear_in_confidence_on_the_log_odds_scale():
    p, q = 0.9, 0.3
    steps = []
    for confidence in (0.0, 0.5, 1.0, 1.5, 2.0):
        scenario = load(
            f"""
            nodes:
              f: {{type: feature, base_rates: {{"yes": {q}}}}}
              m: {{type: model, predicts: {{f: {{distribution: {{"yes": {p}}}, confidence: {confidence}}}}}}}
            evidence: {{m: active}}
            """
        )
        steps.append(log_odds(exact(scenario)[1]["f"]))
    slope = np.log(p / (1 - p)) - np.log(q / (1 - q))
    wanted = np.log(q / (1 - q)) + slope * np.array([0.0, 0.5, 1.0, 1.5, 2.0])
    np.testing.assert_allclose(steps, wanted, atol=1e-12)


def test_what_was_predicted_and_did_not_appear_counts_against_the_model():
    p, q = 0.8, 0.1
    scenario = load(
        f"""
        nodes:
          f: {{type: feature, base_rates: {{"yes": {q}}}}}
          m: {{type: model, prior: 0.2, predicts: {{f: {{"yes": {p}}}}}}}
        evidence: {{f: "no"}}
        """
    )
    gain = log_odds(exact(scenario)[1]["m"]) - scenario.society.prior_log_odds("m")
    assert gain == pytest.approx(np.log((1 - p) / (1 - q)), abs=1e-12)


SEEN = """
nodes:
  a: {type: feature, states: [x, y, z], base_rates: [0.2, 0.3, 0.5]}
  m: {type: model, prior: 0.05, predicts: {a: {x: 0.9}MORE}}
  n: {type: model, prior: 0.2, predicts: {m: {wont: 0.99}}}
  c: {type: composite, prior: 0.1, parts: [m, n], predicts: {a: {y: 0.6}}}
  leaf0: {type: feature, base_rates: [0.01, 0.99]}
  leaf1: {type: feature, states: [p, q, r]}
  leaf2: {type: feature, states: [s, t], base_rates: [1, 0]}
evidence: {a: x}
"""


def test_features_that_nobody_saw_change_no_belief():
    said = ", leaf0: {no: 0.99}, leaf1: {distribution: {p: 1.0}, confidence: 3}, leaf2: {s: 1.0}"
    log_z, beliefs = exact(load(SEEN.replace("MORE", "")))
    leafy_log_z, leafy_beliefs = exact(load(SEEN.replace("MORE", said)))
    assert leafy_log_z == pytest.approx(log_z, abs=1e-12)
    for name in ("a", "m", "n", "c"):
        np.testing.assert_allclose(leafy_beliefs[name], beliefs[name], atol=1e-12)


def test_the_engine_too_finds_unobserved_leaves_neutral():
    said = ", leaf0: {no: 0.99}, leaf1: {distribution: {p: 1.0}, confidence: 3}, leaf2: {s: 1.0}"
    plain = run_scenario(load(SEEN.replace("MORE", "")))
    leafy = run_scenario(load(SEEN.replace("MORE", said)))
    for name in ("a", "m", "n", "c"):
        assert leafy.beliefs[name] == pytest.approx(plain.beliefs[name], abs=1e-12)


def test_without_evidence_lone_models_keep_their_priors():
    scenario = load(
        """
        nodes:
          f: {type: feature, states: [x, y, z]}
          g: {type: feature}
          m: {type: model, prior: 0.05, predicts: {f: {x: 0.99}}}
          n: {type: model, prior: 0.3, predicts: {g: {distribution: "yes", confidence: 4}}}
        """
    )
    _, beliefs = exact(scenario)
    assert beliefs["m"][1] == pytest.approx(0.05, abs=1e-12)
    assert beliefs["n"][1] == pytest.approx(0.3, abs=1e-12)


def test_will_raises_and_wont_lowers_a_model_below_its_prior():
    raised, lowered = only_link("other: {will: 0.7}"), only_link("other: {wont: 0.99}")
    assert raised.log_ratio[1] == pytest.approx(np.log(0.7 / 0.1), abs=1e-14)
    assert lowered.log_ratio[1] == pytest.approx(np.log(0.01 / 0.1), abs=1e-14)


def test_features_whose_states_are_called_will_and_wont_are_read_by_state():
    (link,) = load(
        """
        nodes:
          f: {type: feature, states: [will, wont]}
          m: {type: model, predicts: {f: {wont: 0.9}}}
        """
    ).society.links
    np.testing.assert_allclose(link.prediction.distribution, [0.1, 0.9], rtol=1e-14)


FORMS = (
    "write a state, {state: probability}, {will: probability}, {wont: probability} "
    "or {distribution: {...}, confidence: ...}"
)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            "colour: blue",
            "nodes.m.predicts.colour: unknown state 'blue' of 'colour'; "
            "states: purple, green, grey",
        ),
        (
            "colour: {blue: 0.5}",
            "nodes.m.predicts.colour.blue: unknown state 'blue'; states: purple, green, grey",
        ),
        (
            "colour: {purple: 0.9, confidence: 2}",
            "nodes.m.predicts.colour.confidence: unknown state 'confidence'; "
            "write {distribution: {...}, confidence: ...}",
        ),
        (
            "colour: {purple: 1.2}",
            "nodes.m.predicts.colour.purple: must be a probability in [0, 1], got 1.2",
        ),
        (
            "colour: {purple: .nan}",
            "nodes.m.predicts.colour.purple: must be a probability in [0, 1], got nan",
        ),
        (
            "colour: {purple: much}",
            "nodes.m.predicts.colour.purple: must be a probability, got 'much'",
        ),
        (
            "colour: {purple: 0.6, green: 0.5}",
            "nodes.m.predicts.colour: the probabilities sum to 1.1, not 1",
        ),
        (
            "colour: {purple: 0.5, green: 0.3, grey: 0.1}",
            "nodes.m.predicts.colour: the probabilities sum to 0.9, not 1",
        ),
        (
            "colour: 0.9",
            f"nodes.m.predicts.colour: can't be read as a prediction, got 0.9; {FORMS}",
        ),
        (
            "colour: {distribution: {purple: 0.9}, confidence: -1}",
            "nodes.m.predicts.colour.confidence: must be a number >= 0, got -1",
        ),
        (
            "colour: {distribution: {purple: 0.9}, confidence: .inf}",
            "nodes.m.predicts.colour.confidence: must be a number >= 0, got inf",
        ),
        (
            "colour: {distribution: {purple: 0.9}, confident: 2}",
            "nodes.m.predicts.colour.confident: unknown key 'confident'; "
            "keys: distribution, confidence",
        ),
        (
            "colour: {distribution: {purpel: 0.9}}",
            "nodes.m.predicts.colour.distribution.purpel: unknown state 'purpel'; "
            "did you mean 'purple'? (states: purple, green, grey)",
        ),
        (
            "other: {will: 0.1}",
            "nodes.m.predicts.other.will: will: 0.1 makes 'other' no more active than its prior, "
            "0.1; write a number above 0.1",
        ),
        (
            "other: {wont: 0.5}",
            "nodes.m.predicts.other.wont: wont: 0.5 makes 'other' no more inactive than its prior, "
            "0.9; write a number above 0.9",
        ),
        (
            "other: {will: 1.5}",
            "nodes.m.predicts.other.will: must be a probability in [0, 1], got 1.5",
        ),
        (
            "other: {will: true}",
            "nodes.m.predicts.other.will: must be a probability, got True",
        ),
        (
            "colour: {will: 0.7}",
            "nodes.m.predicts.colour.will: unknown state 'will'; states: purple, green, grey",
        ),
        (
            "color: purple",
            "nodes.m.predicts.color: there is no node 'color'; "
            "did you mean 'colour'? (nodes: colour, other, m)",
        ),
        ("m: {will: 0.9}", "nodes.m.predicts.m: 'm' can't refer to itself"),
    ],
)
def test_what_is_wrong_with_a_prediction_is_said_with_its_place(written, told):
    assert faults(TARGETS.format(written=written)) == [told]


def test_all_wrong_predictions_are_told_at_once():
    assert len(faults(TARGETS.format(written="colour: {purple: 2}, other: {will: 0.01}"))) == 2


def test_predicting_what_never_occurs_is_refused():
    told = faults(
        """
        nodes:
          f: {type: feature, states: [a, b, c], base_rates: [0.5, 0.5, 0]}
          m: {type: model, predicts: {f: {c: 0.5}}}
        """
    )
    assert told == [
        "nodes.m.predicts.f: predicts 'c', whose base rate is 0; "
        "give 'c' of 'f' a positive base rate"
    ]


@pytest.mark.parametrize(
    ("prior", "told"),
    [
        ("0", "must be above 0, got 0"),
        ("1", "must be below 1, got 1"),
        ("-0.5", "must be above 0, got -0.5"),
        (".nan", "must be a finite number, got nan"),
        ("often", "must be a number, got 'often'"),
        ("true", "must be a number, got true"),
    ],
)
def test_priors_are_strictly_between_zero_and_one(prior, told):
    assert faults(f"nodes: {{m: {{type: model, prior: {prior}}}}}") == [f"nodes.m.prior: {told}"]
