"""The loop around a schedule: how runs end and what is said about it."""

import numpy as np
import pytest

from mpnet.builder import GraphBuilder
from mpnet.errors import UsageError
from mpnet.estimators import make_estimator
from mpnet.estimators.base import Options
from mpnet.estimators.joints import joint_of, marginalise
from mpnet.estimators.loop import propagate
from mpnet.messages import Messages
from mpnet.schedules import make_schedule
from tests.graphs import Model, chain, complete, cycle, logs


def run(model, **options):
    return propagate(Messages(model.build()), Options(**options))


def test_a_converged_run_names_its_criterion():
    outcome = run(chain(3, 0.5, field=0.1))
    assert outcome.reason == (
        f"converged after {outcome.iterations} iterations (residual 0.0e+00 nats, tolerance 1e-08)"
    )


def test_a_graph_without_factors_converges_in_one_sweep():
    outcome = run(Model((3,), ()))
    assert (outcome.status, outcome.iterations, outcome.residual) == ("converged", 1, 0.0)
    assert "after 1 iteration (" in outcome.reason


def test_a_run_that_is_cut_short_says_what_would_help():
    outcome = run(cycle(5, 1.0, field=0.2), max_iterations=2)
    assert outcome.status == "max_iterations"
    assert "still moving" in outcome.reason
    assert "or more iterations (now 2)" in outcome.reason


def test_strong_damping_gets_other_advice():
    assert (
        "try damping 0.9 (now 0.5)" in run(cycle(5, 1.0, 0.2), damping=0.5, max_iterations=2).reason
    )


def test_oscillation_is_told_from_slowness():
    assert run(complete(4, -2.0, field=0.1), max_iterations=100).status == "oscillating"
    assert run(cycle(5, 3.0, field=0.01), max_iterations=20).status == "max_iterations"


def test_support_that_is_still_being_lost_is_no_oscillation():
    # Certainty walks down a chain of equalities, one variable a sweep: each residual is infinite.
    links = tuple(((v, v + 1), logs(np.eye(2))) for v in range(9))
    outcome = run(Model((2,) * 10, (*links, ((0,), logs([1, 0])))), max_iterations=4)
    assert outcome.residual == np.inf
    assert outcome.status == "max_iterations"


def test_a_contradiction_names_the_variable_and_the_iteration():
    links = tuple(((v, v + 1), logs(np.eye(2))) for v in range(2))
    ends = (((0,), logs([1, 0])), ((2,), logs([0, 1])))
    outcome = run(Model((2, 2, 2), (*links, *ends)))
    assert outcome.status == "inconsistent"
    assert outcome.reason == "no state of 'v1' is possible (iteration 1)"
    assert outcome.guilty == (1,)


def test_a_factor_that_allows_nothing_is_named():
    model = Model((2, 2), (((0, 1), np.full((2, 2), -np.inf)),))
    outcome = run(model)
    assert outcome.status == "inconsistent"
    assert outcome.guilty


def test_after_sweep_sees_each_residual():
    seen = []
    outcome = propagate(Messages(cycle(4, 0.5, 0.1).build()), Options(), seen.append)
    assert len(seen) == outcome.iterations
    assert seen[-1] == outcome.residual


def test_a_joint_is_read_off_a_factor_in_the_order_asked_for():
    model = Model((2, 3), (((0, 1), logs([[1, 2, 3], [4, 5, 6]])),))
    joint = joint_of(Messages(model.build()))
    expected = np.array([[1, 2, 3], [4, 5, 6]]) / 21
    # One exponential and a division.
    np.testing.assert_allclose(joint((0, 1)), expected, rtol=1e-14)
    np.testing.assert_allclose(joint((1, 0)), expected.T, rtol=1e-14)


def test_variables_that_no_factor_joins_are_taken_as_independent():
    model = Model((2, 2), (((0,), logs([0.2, 0.8])), ((1,), logs([0.3, 0.7]))))
    joint = joint_of(Messages(model.build()))((0, 1))
    np.testing.assert_allclose(joint, [[0.06, 0.14], [0.24, 0.56]], rtol=1e-14)


def test_marginalise_keeps_the_order_asked_for():
    table = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(marginalise(table, (7, 8, 9), (9, 7)), table.sum(axis=1).T)


def test_unknown_names_are_answered_with_the_known_ones():
    with pytest.raises(UsageError, match=r"no schedule 'flood' \(known: flooding"):
        make_schedule("flood")
    with pytest.raises(UsageError, match=r"no estimator 'bethe' \(known: flat, clamped, .*exact\)"):
        make_estimator("bethe")


def test_a_zero_factor_without_variables_is_a_contradiction():
    builder = GraphBuilder()
    builder.add_variable("a", 2)
    builder.add_factor([], 0.0)
    outcome = propagate(Messages(builder.build()), Options())
    assert outcome.status == "inconsistent"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"damping": 1.0}, "damping must be in"),
        ({"tolerance": float("nan")}, "tolerance must be positive"),
        ({"max_iterations": 0}, "max_iterations must be at least 1"),
    ],
)
def test_options_with_which_no_run_ends_well_are_refused(keys, said):
    with pytest.raises(UsageError, match=said):
        Options(**keys)
