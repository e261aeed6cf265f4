"""Features: named states, base rates, evidence about them."""

import numpy as np
import pytest

from tests.nodes.societies import exact, faults, load


def rates(keys):
    return load(f"nodes: {{f: {{type: feature, {keys}}}}}").society.base_rates_of("f")


def test_states_left_out_are_no_and_yes_and_equally_frequent():
    society = load("nodes: {f: {type: feature}}").society
    assert society.states_of("f") == ("no", "yes")
    np.testing.assert_array_equal(society.base_rates_of("f"), [0.5, 0.5])


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ("states: [a, b, c]", [1 / 3] * 3),
        ("states: [a, b, c], base_rates: [0.2, 0.3, 0.5]", [0.2, 0.3, 0.5]),
        ("states: [a, b, c], base_rates: {b: 0.5, a: 0.2, c: 0.3}", [0.2, 0.5, 0.3]),
        ("states: [a, b, c], base_rates: {b: 0.5}", [0.25, 0.5, 0.25]),
        ("states: [a, b], base_rates: {b: 1}", [0.0, 1.0]),
        ("states: [only]", [1.0]),
    ],
)
def test_base_rates_are_what_is_written_and_the_rest_is_shared(keys, wanted):
    # One division and one sum of three numbers: two roundings.
    np.testing.assert_allclose(rates(keys), wanted, rtol=4e-16)


def test_base_rates_that_sum_to_one_within_the_slack_are_normalised():
    # 0.33333 written thrice is 1e-5 short and refused; seven digits are meant as thirds.
    assert rates("states: [a, b, c], base_rates: [0.3333333, 0.3333333, 0.3333333]").sum() == 1.0


def test_belief_of_a_feature_that_nobody_predicts_is_its_base_rate():
    _, beliefs = exact(load("nodes: {f: {type: feature, states: [a, b], base_rates: [0.3, 0.7]}}"))
    np.testing.assert_allclose(beliefs["f"], [0.3, 0.7], rtol=1e-15)


def test_soft_evidence_multiplies_the_base_rates_and_shares_what_is_left_out():
    scenario = load(
        """
        nodes: {f: {type: feature, states: [a, b, c], base_rates: [0.2, 0.3, 0.5]}}
        evidence: {f: {a: 0.9}}
        """
    )
    weights = np.array([0.2 * 0.9, 0.3 * 0.05, 0.5 * 0.05])
    log_z, beliefs = exact(scenario)
    # A log and an exponential on the way: a few roundings.
    np.testing.assert_allclose(beliefs["f"], weights / weights.sum(), rtol=1e-14)
    assert log_z == pytest.approx(np.log(weights.sum()), abs=1e-14)


def test_soft_evidence_may_sum_to_anything_if_every_state_is_there():
    scenario = load("nodes: {f: {type: feature}}\nevidence: {f: {no: 0.4, yes: 0.8}}")
    _, beliefs = exact(scenario)
    np.testing.assert_allclose(beliefs["f"], [1 / 3, 2 / 3], rtol=1e-14)


def test_hard_evidence_leaves_one_state():
    _, beliefs = exact(load("nodes: {f: {type: feature}}\nevidence: {f: yes}"))
    np.testing.assert_array_equal(beliefs["f"], [0.0, 1.0])


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (
            "states: [a, b, a]",
            "nodes.f.states: state 'a' is there twice; states must differ",
        ),
        ("states: []", "nodes.f.states: needs at least 1 entries, got a list of 0"),
        ("states: ab", "nodes.f.states: must be a list, got 'ab'"),
        ("states: [a, 7]", "nodes.f.states[1]: must be text, got 7; quote it"),
        (
            "base_rates: [0.5, 0.4, 0.1]",
            "nodes.f.base_rates: 3 base rates for 2 states; one number per state",
        ),
        ("base_rates: [0.5, 0.4]", "nodes.f.base_rates: the probabilities sum to 0.9, not 1"),
        (
            "base_rates: {no: 0.7, yes: 0.4}",
            "nodes.f.base_rates: the probabilities sum to 1.1, not 1",
        ),
        (
            "base_rates: {no: -0.1}",
            "nodes.f.base_rates.no: must be a probability in [0, 1], got -0.1",
        ),
        (
            "base_rates: {no: 1.5}",
            "nodes.f.base_rates.no: must be a probability in [0, 1], got 1.5",
        ),
        (
            "base_rates: {on: 0.5}",
            "nodes.f.base_rates.on: unknown state 'on'; states: no, yes",
        ),
        ("base_rates: {no: .nan}", "nodes.f.base_rates.no: must be a finite number, got nan"),
        ("base_rates: {no: '0.5'}", "nodes.f.base_rates.no: must be a number, got '0.5'"),
        (
            "sates: [a, b]",
            "nodes.f.sates: unknown key 'sates'; did you mean 'states'? (keys: states, base_rates)",
        ),
    ],
)
def test_what_is_wrong_with_a_feature_is_said_with_its_place(keys, told):
    assert faults(f"nodes: {{f: {{type: feature, {keys}}}}}") == [told]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("maybe", "evidence.f: unknown state 'maybe'; states: no, yes"),
        ("1", "evidence.f: must be a state or a mapping of states to likelihoods, got 1"),
        ("true", "evidence.f: must be a state or a mapping of states to likelihoods, got True"),
        (
            "{no: 0, yes: 0}",
            "evidence.f: no state has a positive likelihood; the evidence rules everything out",
        ),
        ("{no: 2}", "evidence.f.no: must be a probability in [0, 1], got 2"),
        ("{no: true}", "evidence.f.no: must be a probability, got True"),
        ("{perhaps: 0.5}", "evidence.f.perhaps: unknown state 'perhaps'; states: no, yes"),
        ("[0.5, 0.5]", None),
    ],
)
def test_what_is_wrong_with_evidence_is_said_with_its_place(value, told):
    found = faults(f"nodes: {{f: {{type: feature}}}}\nevidence: {{f: {value}}}")
    wanted = "evidence.f: must be a state or a mapping of states to likelihoods, got [0.5, 0.5]"
    assert found == [told or wanted]
