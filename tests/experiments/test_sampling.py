"""The experiment ``sampling``: answers over many runs, reaction times, basins, ties."""

import numpy as np
import pytest

import mpnet
from mpnet.errors import ScenarioError

KEYS = {"type": "sampling", "among": ["duck", "rabbit"], "seeds": 30, "spread": 1.0}


def sampled(**changes):
    parts = {"experiment": KEYS | changes.pop("keys", {}), "expect": [], "exact": "never"}
    return mpnet.run("ambiguous", **(parts | changes))


def test_numbers_are_those_of_the_runs():
    found = sampled().findings
    winner, cycles = found.curves["winner"], found.curves["cycles"]
    assert winner.size == cycles.size == 30
    assert found.numbers["share duck"] == pytest.approx(np.mean(winner == 0))
    assert found.numbers["cycles rabbit"] == pytest.approx(np.nanmean(cycles[winner == 1]))
    assert found.curves["basins"].sum() == pytest.approx(1.0)
    assert found.numbers["fixed points"] == 2


def test_the_same_seed_draws_the_same_runs():
    first, again, other = sampled(), sampled(), sampled(seed=1000)
    for name in ("winner", "cycles"):
        np.testing.assert_array_equal(first.findings.curves[name], again.findings.curves[name])
    assert (first.findings.curves["cycles"] != other.findings.curves["cycles"]).any()


def test_evidence_moves_the_shares_and_not_the_number_of_ends():
    much = {"lines": "animal", "neck": {"long": 0.65}}
    found = sampled(evidence=much).findings.numbers
    assert found["share duck"] > 0.75


def test_from_uniform_messages_rivals_that_are_alike_end_in_a_tie():
    even = {"lines": "animal", "neck": {"long": 0.5}}
    record = sampled(keys={"spread": 0.0, "seeds": 4}, evidence=even, estimator="flat", damping=0.5)
    # Flooding treats both alike; what is drawn is the order, and there it is the first that speaks.
    (tie,) = [event for event in record.events if event.kind == "tie"]
    assert "duck and rabbit end in a tie" in tie.text


def test_rivals_must_be_models():
    with pytest.raises(ScenarioError, match=r"experiment.among\[1\]: 'neck' can't be active"):
        sampled(keys={"among": ["duck", "neck"]})
    with pytest.raises(ScenarioError, match="there is no node 'rabit'; did you mean 'rabbit'"):
        sampled(keys={"among": ["duck", "rabit"]})
