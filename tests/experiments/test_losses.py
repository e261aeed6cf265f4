"""The experiment ``losses``: an answer that stays, a slowdown that is measured."""

import numpy as np
import pytest

import mpnet
from mpnet.errors import ScenarioError


def test_numbers_are_those_of_the_curves():
    found = mpnet.run(
        "asynchronous", experiment={"type": "losses", "losses": [0.0, 0.5], "seeds": 3}, expect=[]
    ).findings
    times = found.curves["iterations"]
    assert times.shape == (2, 3)
    slow = times[1].mean() / times[0].mean()
    assert found.numbers["slowdown at 0.5"] == pytest.approx(slow)
    # 1 / (1 - 0.5) - 1 is 1: the slope is the slowdown less one.
    assert found.numbers["slowdown over theory"] == pytest.approx(slow - 1.0)
    assert found.numbers["worst difference"] < 1e-6
    np.testing.assert_array_equal(found.curves["theory"], [1.0, 2.0])


def test_runs_that_do_not_settle_make_the_difference_infinite():
    found = mpnet.run(
        "asynchronous",
        experiment={"type": "losses", "losses": [0.0, 0.5], "seeds": 2},
        expect=[],
        max_iterations=3,
    ).findings
    assert found.numbers["worst difference"] == np.inf
    assert "4 of which did not settle" in found.notes[0]


def test_a_measure_that_nothing_measures_is_a_fault():
    with pytest.raises(ScenarioError, match=r"nothing measures 'slowdwn at 0.5'; did you mean"):
        mpnet.load("asynchronous", expect=[{"measure": "slowdwn at 0.5", "above": 1.0}])


def test_an_unknown_experiment_is_a_fault():
    with pytest.raises(ScenarioError, match="unknown experiment 'loses'; did you mean 'losses'"):
        mpnet.load("asynchronous", experiment={"type": "loses"}, expect=[])
