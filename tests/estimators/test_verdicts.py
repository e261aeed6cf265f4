import math

import numpy as np
import pytest

from mpnet.errors import UsageError
from mpnet.estimators.base import Options
from mpnet.estimators.loop import propagate
from mpnet.estimators.verdicts import contraction, iterations_needed, period_of
from mpnet.messages import Messages
from tests.graphs import JITTED, complete, cycle, grid


def run(model, dtype="float64", start=None, **options):
    messages = Messages(model.build(), dtype=dtype, start=start)
    return propagate(messages, Options(**options))


@pytest.mark.parametrize("field", [0.01, 0.05])
def test_the_iterations_still_needed_are_enough_and_not_far_off(field):
    model = cycle(6, 1.2, field)
    cut = run(model, max_iterations=60)
    assert cut.status == "max_iterations"
    assert cut.criterion == "max_iterations"
    whole = run(model, max_iterations=10000)
    left = whole.iterations - cut.iterations
    assert 0.8 * left - 2 <= cut.needed <= 1.25 * left + 2
    assert f"about {cut.needed} more are needed" in cut.reason


def test_the_rate_of_a_single_loop_is_the_product_of_its_couplings():
    # Undamped, without a field, a message shrinks by tanh J per step (Weiss 2000).
    rng = np.random.default_rng(0)
    model = cycle(5, 0.8)
    start = rng.normal(size=2 * 10) * 1e-3
    cut = run(model, start=start, max_iterations=60, tolerance=1e-30)
    assert cut.rate == pytest.approx(math.tanh(0.8), abs=0.005)


def test_rate_and_needed_on_made_up_residuals():
    falling = [0.5 * 0.9**k for k in range(80)]
    assert contraction(falling) == pytest.approx(0.9)
    last = falling[-1]
    needed = iterations_needed(last, 1e-8, 0.9)
    assert last * 0.9**needed <= 1e-8 < last * 0.9 ** (needed - 1)
    assert contraction([0.1, 0.1]) is None
    assert contraction([0.1, np.inf, 0.1]) is None
    assert iterations_needed(1.0, 1e-8, 1.01) is None
    assert iterations_needed(1.0, 1e-8, None) is None
    assert iterations_needed(np.inf, 1e-8, 0.5) is None


def test_an_exact_repetition_ends_the_run_early():
    outcome = run(complete(4, -2.0, field=0.1), max_iterations=100000)
    assert (outcome.status, outcome.criterion, outcome.period) == ("oscillating", "period", 2)
    assert outcome.iterations <= 500
    assert outcome.guilty == (0, 1, 2, 3)


def test_a_slowly_dying_swing_is_not_called_a_repetition():
    # Damping close to what is needed: the swing shrinks by less than a percent per iteration.
    outcome = run(complete(4, -0.545), start=np.linspace(0.0, 0.1, 24), max_iterations=5000)
    assert outcome.status == "converged"
    assert outcome.iterations > 500


def test_damping_that_hides_movement_is_called_stalled():
    outcome = run(cycle(5, 1.0, 0.2), damping=0.999999, tolerance=1e-4, max_iterations=20)
    assert outcome.status == "stalled"
    assert "less than the tolerance" in outcome.reason
    assert "less damping" in outcome.reason


@pytest.mark.parametrize(
    ("dtype", "model", "damping"),
    [
        ("float32", grid(6, 6, 0.31, 0.1), 0.0),
        ("float32", grid(6, 6, 0.31, 0.1), 0.5),
        ("float64", grid(6, 6, 0.31, 0.013), 0.5),
    ],
)
@pytest.mark.skipif(not JITTED, reason="plain Python keeps more digits")
def test_rounding_is_told_from_slowness(dtype, model, damping):
    outcome = run(model, dtype, damping=damping, tolerance=1e-300, max_iterations=5000)
    assert (outcome.status, outcome.criterion) == ("stalled", "rounding")
    assert f"as near as {dtype} gets" in outcome.reason
    assert ("use float64" in outcome.reason) == (dtype == "float32")
    assert outcome.iterations < 5000


def test_a_time_limit_ends_a_run_with_its_name():
    outcome = run(cycle(5, 3.0, 0.01), time_limit=1e-9, max_iterations=10**6)
    assert (outcome.status, outcome.criterion) == ("max_iterations", "time_limit")
    assert "the time limit" in outcome.reason
    with pytest.raises(UsageError, match="time_limit"):
        Options(time_limit=0.0)


@pytest.mark.parametrize("period", [2, 3, 5])
def test_the_period_is_the_smallest(period):
    states = [np.array([float(k % period), 1.0]) for k in range(9)]
    assert period_of(states, 1e-6) == period
    assert period_of(states[:period], 1e-6) == 0
    assert period_of([*states[:-1], np.array([-np.inf, 1.0])], 1e-6) == 0
    assert period_of([states[0]] * 9, 1e-6) == 0


def test_every_outcome_names_its_criterion_and_its_updates():
    model = cycle(5, 0.5, 0.2)
    done = run(model)
    assert (done.criterion, done.updates) == ("tolerance", 10 * done.iterations)
