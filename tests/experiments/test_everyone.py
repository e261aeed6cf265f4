"""The experiment ``everyone``: a library that sleeps beside one that is awake."""

import numpy as np
import pytest

import mpnet
from mpnet.errors import ScenarioError
from mpnet.nodes.crowd import drawn
from tests.nodes.societies import load

SMALL = {
    "crowd": {
        "type": "crowd",
        "models": 40,
        "features": 30,
        "predicts": 5,
        "prior": 0.01,
        "seed": 3,
    }
}


def small(**changes):
    """Forty models; what the first two predict is seen, most other features are seen not to be there."""
    rows = drawn(40, 30, 5, 3)
    there = set(rows[0]) | set(rows[1])
    seen = {f"f{i:02d}": "yes" if i in there else "no" for i in range(28)}
    parts = {"nodes": SMALL, "evidence": seen, "experiment": {"type": "everyone"}, "expect": []}
    settings = {"ask": [], "estimator": "flat"}
    return mpnet.load("awakening", **(parts | settings | changes))


def test_beliefs_are_within_the_bound_and_messages_are_fewer():
    record = mpnet.run(small())
    numbers = record.findings.numbers
    assert numbers["worst difference"] <= numbers["bound printed"]
    assert numbers["times fewer messages"] == pytest.approx(
        numbers["messages awake"] / numbers["messages asleep"]
    )
    assert record.beliefs["m00"]["active"] > 0.9
    assert record.beliefs["m01"]["active"] > 0.9
    assert next(e.node for e in record.events if e.kind == "feed_forward") in ("m00", "m01")


def test_difference_is_that_of_beliefs_computed_apart():
    scenario = small()
    record = mpnet.run(scenario)
    awake = mpnet.run(small(lifecycle=None, experiment=None, compile=False))
    gaps = [
        abs(awake.beliefs[n]["active"] - record.beliefs.get(n, {"active": 0.0})["active"])
        for n in awake.beliefs
        if n.startswith("m")
    ]
    # Both runs stop at a residual of 1e-8 nats.
    assert record.findings.numbers["worst difference"] == pytest.approx(max(gaps), abs=1e-6)


def test_without_a_lifecycle_nobody_sleeps():
    with pytest.raises(ScenarioError, match="there is no lifecycle, so nobody sleeps"):
        small(lifecycle=None)


def test_where_everybody_wakes_nothing_of_the_bound_is_used():
    found = load(
        """
        nodes:
          x: {type: feature, base_rates: {"yes": 0.3}}
          a: {type: model, prior: 0.1, predicts: {x: {"yes": 0.9}}}
        evidence: {x: "yes"}
        lifecycle: {asleep: all}
        experiment: {type: everyone}
        """
    )
    numbers = found.experiment.run(found, lambda *_: None).numbers
    assert numbers["bound printed"] == 0.0
    assert numbers["difference over bound"] == 0.0


def test_a_crowd_is_the_same_on_every_machine():
    rows = drawn(2000, 300, 10, 0)
    assert rows.shape == (2000, 10)
    assert (np.diff(rows, axis=1) > 0).all()
    np.testing.assert_array_equal(rows[0], drawn(2000, 300, 10, 0)[0])
    assert rows[0].tolist() == FIRST


FIRST = [3, 11, 13, 20, 92, 111, 113, 150, 196, 269]
