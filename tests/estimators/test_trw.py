"""Tree-reweighted and fractional propagation against exact answers and known numbers."""

import numpy as np
import pytest

from mpnet import infer
from mpnet.builder import GraphBuilder
from mpnet.errors import UsageError
from mpnet.estimators import make_estimator
from mpnet.estimators.base import Options, Problem
from mpnet.estimators.trw import Steadied, weigh
from mpnet.schedules.flooding import Flooding
from tests import graphs, reference
from tests.graphs import (
    complete,
    cycle,
    examples,
    flat,
    gentle_loopy,
    grid,
    ising,
    logs,
    random_forest,
    random_loopy,
)


def estimate(name, model, observe=lambda _: None, **options):
    settings = Options(**{"tolerance": 1e-11, "max_iterations": 3000, **options})
    return make_estimator(name).estimate(Problem(model.build()), settings, observe)


def fields(model, *values):
    spin = np.array([1.0, -1.0])
    return model.plus(*[((v,), h * spin) for v, h in enumerate(values)])


# Computed apart from this package, by another program.
FOUR_CYCLE = fields(cycle(4, 0.5), 0.1, -0.2, 0.3, 0.0)
K4 = fields(
    ising([(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2)], 4, [0.6, -0.5, 0.9, -0.7, 0.2, 0.4]),
    0.1, -0.2, 0.3, 0.0,
)  # fmt: skip


@pytest.mark.parametrize("schedule", ["flooding", "sequential", "random"])
@pytest.mark.parametrize(
    ("model", "exact", "bethe", "bound"),
    [
        (FOUR_CYCLE, 3.33686808099, 3.29585833128, 3.43196821214),
        (K4, 3.61051228029, 3.76678866497, 4.42821683319),
    ],
)
def test_known_values(model, exact, bethe, bound, schedule):
    found = estimate("trw", model, schedule=schedule)
    assert found.status == "converged"
    # The numbers are given to 11 digits.
    assert found.log_z == pytest.approx(bound, abs=2e-11)
    assert found.bounds[1] == pytest.approx(bound, abs=1e-9)
    assert reference.log_z(model) == pytest.approx(exact, abs=2e-11)
    assert flat(model).log_z == pytest.approx(bethe, abs=2e-11)


@pytest.mark.parametrize("seed", range(examples(60)))
def test_the_bound_is_above_log_z_converged_or_not(seed):
    model = random_loopy(seed)
    exact = reference.log_z(model)
    for most in (1, 3, 3000):
        found = estimate("trw", model, max_iterations=most)
        assert found.bounds[1] >= exact - 1e-10
        assert (found.log_z is None) == (found.status != "converged")
    assert found.status == "converged"
    assert found.log_z == pytest.approx(found.bounds[1], abs=1e-8)


@pytest.mark.parametrize("seed", range(examples(30)))
def test_on_a_forest_everything_is_exact(seed):
    model = random_forest(seed)
    found = estimate("trw", model)
    exact = reference.log_z(model)
    assert found.exact
    assert found.log_z == pytest.approx(exact, abs=1e-9)
    assert found.bounds == (pytest.approx(exact, abs=1e-9), pytest.approx(exact, abs=1e-9))
    assert found.bounds[0] <= found.bounds[1]
    np.testing.assert_allclose(found.beliefs, reference.marginals(model), atol=1e-9)


@pytest.mark.parametrize("seed", range(examples(20)))
def test_weight_one_is_flat_propagation(seed):
    model = gentle_loopy(seed)
    found, wanted = estimate("fractional", model), flat(model)
    assert found.status == wanted.status == "converged"
    # Both stop at residuals of 1e-11 where each sweep shrinks them by half or more.
    np.testing.assert_allclose(found.beliefs, wanted.beliefs, atol=1e-10)
    assert found.log_z == pytest.approx(wanted.log_z, abs=1e-10)


def test_there_is_one_fixed_point_where_flat_has_two():
    model = complete(4, 1.0)
    rng = np.random.default_rng(0)
    graph = model.build()
    for _ in range(5):
        messages = weigh(graph, np.full(6, 0.5), rng.normal(size=24) * 3.0)
        schedule = Steadied(Flooding(), 0.0)
        for _ in range(500):
            schedule.sweep(messages, 0.0)
        np.testing.assert_allclose(messages.marginals(), 0.5, atol=1e-9)


def test_the_slope_along_a_potential_is_the_belief():
    model = K4
    step = 1e-4
    for state in range(2):
        change = np.zeros(2)
        change[state] = step
        up = estimate("trw", model.plus(((2,), change))).log_z
        down = estimate("trw", model.plus(((2,), -change))).log_z
        belief = estimate("trw", model).beliefs[4 + state]
        # A central difference of step 1e-4 errs by about its square.
        assert (up - down) / (2 * step) == pytest.approx(belief, abs=1e-7)


def test_swings_get_damping_by_themselves():
    model = random_loopy(4)
    for name, settings in (("trw", {}), ("fractional", {"fraction": 0.3})):
        found = estimate(name, model, **settings)
        assert found.status == "converged"
        assert "at last with damping" in found.reason


def test_damping_auto_starts_without():
    found = estimate("trw", K4, damping="auto")
    assert found.log_z == pytest.approx(4.42821683319, abs=2e-11)


@pytest.mark.parametrize("fraction", [0.1, 0.3])
def test_a_small_fraction_has_a_proven_bound(fraction):
    model = grid(3, 3, 0.7, 0.1)
    found = estimate("fractional", model, fraction=fraction)
    assert found.bounds[1] >= reference.log_z(model)
    assert found.bounds[0] is None
    assert not found.exact


def test_a_large_fraction_has_none():
    for fraction in (1.0, 2.0):
        assert estimate("fractional", grid(3, 3, 0.7, 0.1), fraction=fraction).bounds == (
            None,
            None,
        )


def test_a_large_fraction_leans_to_mean_field():
    model = grid(3, 3, 0.2, 0.1)
    far = estimate("fractional", model, fraction=200.0)
    field = estimate("mean_field", model)
    np.testing.assert_allclose(far.beliefs, field.beliefs, atol=2e-3)
    assert far.log_z == pytest.approx(field.log_z, abs=2e-2)


def test_a_joint_agrees_with_its_marginals():
    found = estimate("trw", K4)
    joint = found.joint((2, 0))
    np.testing.assert_allclose(joint.sum(axis=1), found.beliefs[4:6], atol=1e-9)
    np.testing.assert_allclose(joint.sum(axis=0), found.beliefs[0:2], atol=1e-9)


def test_every_iteration_is_shown():
    seen = []
    found = estimate("trw", K4, seen.append)
    assert len(seen) == found.iterations + 1
    assert {s.estimator for s in seen} == {"trw"}
    assert seen[-1].log_z == pytest.approx(found.log_z, rel=1e-14)


def test_contradictions_are_told():
    links = tuple(((v, v + 1), logs(np.eye(2))) for v in range(2))
    model = graphs.Model((2,) * 3, (*links, ((0,), logs([1, 0])), ((2,), logs([0, 1]))))
    with np.errstate(invalid="ignore"):  # of kernels as plain Python: infinity times zero
        found = estimate("trw", model)
    assert found.status == "inconsistent"
    assert found.log_z is None
    builder = GraphBuilder()
    builder.add_variable("a", 2)
    builder.add_factor([], 0.0)
    problem = Problem(builder.build())
    assert make_estimator("trw").estimate(problem, Options(), lambda _: None).status == (
        "inconsistent"
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"schedule": "residual"}, "the estimator trw knows the schedules flooding, sequential, "
         "random, got 'residual'"),
        ({"temperature": 0.0}, "the estimator trw works at temperature 1 only, got 0"),
    ],
)  # fmt: skip
def test_what_it_cannot_do_is_refused(settings, said):
    with pytest.raises(UsageError, match=said):
        estimate("trw", K4, **settings)


def test_a_fraction_of_nothing_is_refused():
    with pytest.raises(UsageError, match="fraction must be positive and finite, got 0"):
        Options(fraction=0.0)


def test_infer_knows_it():
    result = infer(K4.build(), estimator="trw", tolerance=1e-11)
    assert result.status == "converged"
    assert result.log_z == pytest.approx(4.42821683319, abs=2e-11)
