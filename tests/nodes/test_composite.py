"""Composites: models made of models."""

import numpy as np
import pytest

from tests.nodes.societies import exact, faults, load, log_odds

PARTS = """
nodes:
  f: {{type: feature, base_rates: {{"yes": 0.3}}}}
  a: {{type: model, prior: 0.05, predicts: {{f: {{"yes": {a}}}}}}}
  b: {{type: model, prior: 0.1, predicts: {{f: {{"yes": {b}}}}}}}
  c: {{type: composite, prior: 0.02, parts: [a, b], holds_parts: {holds}}}
"""


def test_a_composite_predicts_its_parts():
    society = load(PARTS.format(a=0.9, b=0.9, holds=0.9)).society
    links = [link for link in society.links if link.source == "c"]
    assert [link.target for link in links] == ["a", "b"]
    np.testing.assert_allclose(links[0].prediction.distribution, [0.1, 0.9], rtol=1e-15)
    assert links[0].log_ratio[1] == pytest.approx(np.log(0.9 / 0.05), abs=1e-14)


@pytest.mark.parametrize(("a", "b"), [(0.9, 0.95), (0.95, 0.01), (0.99, 0.3)])
def test_gain_of_a_composite_is_the_compatibility_of_its_parts(a, b):
    scenario = load(PARTS.format(a=a, b=b, holds=1.0))
    gain = log_odds(exact(scenario)[1]["c"]) - scenario.society.prior_log_odds("c")
    q = np.array([0.7, 0.3])
    said = np.array([[1 - a, a], [1 - b, b]])
    derived = np.log(np.sum(said[0] * said[1] / q))
    # With the composite asleep its parts may both be awake as well: that is the part of Z(AB)
    # that the asleep side shares, priors 0.05 and 0.1.
    shared = np.log1p(0.05 * 0.1 * np.expm1(derived))
    assert gain == pytest.approx(derived - shared, abs=1e-12)


def test_parts_that_speak_of_different_things_cost_and_gain_nothing():
    scenario = load(
        """
        nodes:
          f: {type: feature}
          g: {type: feature}
          a: {type: model, predicts: {f: {"yes": 0.9}}}
          b: {type: model, predicts: {g: {"yes": 0.9}}}
          c: {type: composite, prior: 0.02, parts: [a, b]}
        """
    )
    assert exact(scenario)[1]["c"][1] == pytest.approx(0.02, abs=1e-12)


def test_a_composite_may_predict_more_than_its_parts():
    society = load(
        """
        nodes:
          f: {type: feature}
          a: {type: model}
          c: {type: composite, parts: [a], predicts: {f: {"yes": 0.9}}}
        """
    ).society
    assert [(link.source, link.target) for link in society.links] == [("c", "a"), ("c", "f")]


def test_composites_nest():
    scenario = load(
        """
        nodes:
          a: {type: model, prior: 0.1}
          c: {type: composite, prior: 0.1, parts: [a]}
          d: {type: composite, prior: 0.1, parts: [c, a]}
        evidence: {d: active}
        """
    )
    assert exact(scenario)[1]["a"][1] > 0.999


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("parts: []", "nodes.c.parts: needs at least 1 entries, got a list of 0"),
        ("prior: 0.1", "nodes.c: the key 'parts' is missing"),
        ("parts: [a, a]", "nodes.c.parts[1]: part 'a' is there twice"),
        (
            "parts: [a], predicts: {a: active}",
            "nodes.c.predicts.a: 'a' is a part already, so it is predicted; "
            "leave one of the two out",
        ),
        ("parts: [f]", "nodes.c.parts[0]: 'f' can't be active or inactive"),
        ("parts: [c]", "nodes.c.parts[0]: 'c' can't refer to itself"),
        ("parts: [aa]", "nodes.c.parts[0]: there is no node 'aa'; "
         "did you mean 'a'? (nodes: f, a, image, c)"),
        ("parts: [image]", "nodes.c.parts[0]: 'image' can't be active or inactive"),
        ("parts: [a], holds_parts: 0", "nodes.c.holds_parts: must be above 0, got 0"),
        ("parts: [a], holds_parts: 1.1", "nodes.c.holds_parts: must be at most 1, got 1.1"),
        (
            "parts: [a], predicts: {image: x}",
            "nodes.c.predicts.image: 'image' is data and has no states to predict",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_composite_is_said_with_its_place(keys, told):
    text = f"""
        nodes:
          f: {{type: feature}}
          a: {{type: model}}
          image: {{type: images}}
          c: {{type: composite, {keys}}}
        """
    assert faults(text) == [told]
