import numpy as np
import pytest

from mpnet.estimators.base import Options, Problem
from mpnet.estimators.flat import Flat
from mpnet.estimators.mixture import Mixture
from tests import reference
from tests.graphs import JITTED, Model, complete, cycle, grid, logs, random_forest

pytestmark = pytest.mark.skipif(not JITTED, reason="many runs")


def mix(model, **options):
    return Mixture().estimate(Problem(model.build()), Options(**options), lambda _: None)


def fight(eps, count):
    """Two models that contradict one another on binary features, at the draw of their priors."""
    push = -0.5 * count * np.log(4 * eps * (1 - eps))
    factors = [((model,), np.array([0.0, push])) for model in (0, 1)]
    for feature in range(2, 2 + count):
        for model, p in ((0, eps), (1, 1 - eps)):
            factors.append(((model, feature), logs([[0.5, 0.5], [p, 1 - p]])))
    return Model((2,) * (2 + count), tuple(factors))


def test_a_fight_has_two_winners_and_the_mixture_is_nearly_exact():
    model = fight(0.01, 4)
    exact = reference.marginals(model)
    found = mix(model, starts=12)
    flat = Flat().estimate(
        Problem(model.build()), Options(damping=0.5, max_iterations=5000), lambda _: None
    )
    assert len(found.fixed_points) == 2
    assert sum(p.weight for p in found.fixed_points) == pytest.approx(1.0)
    assert np.abs(found.beliefs - exact).max() < 0.01
    assert found.log_z == pytest.approx(reference.log_z(model), abs=0.05)
    assert abs(flat.log_z - reference.log_z(model)) > abs(found.log_z - reference.log_z(model))


def test_a_tenth_below_the_threshold_there_are_two():
    found = mix(fight(0.9 * 0.0670, 4), starts=12, max_iterations=5000)
    assert len(found.fixed_points) == 2


def test_a_tenth_above_the_threshold_there_is_one():
    found = mix(fight(1.1 * 0.0670, 4), starts=6, max_iterations=5000)
    assert len(found.fixed_points) == 1
    assert found.fixed_points[0].starts == 6


def test_strong_ferromagnets_point_both_ways():
    model = grid(3, 3, 1.2, 0.05)
    found = mix(model, starts=12)
    flat = Flat().estimate(Problem(model.build()), Options(), lambda _: None)
    exact = reference.marginals(model)
    assert np.abs(found.beliefs - exact).max() < 0.01 < np.abs(flat.beliefs - exact).max()


def test_the_draw_that_a_push_ends_is_left_out():
    found = mix(grid(3, 3, 1.2), starts=12)
    assert len(found.fixed_points) == 2
    assert [p.weight for p in found.fixed_points] == pytest.approx([0.5, 0.5])
    assert "unstable left out" in found.reason


def test_joints_are_mixed_as_well():
    model = grid(3, 3, 1.2, 0.05)
    found = mix(model, starts=12)
    table = found.joint((0, 1))
    np.testing.assert_allclose(table.sum(axis=1), found.beliefs[:2], atol=1e-6)


def test_trees_and_contradictions_need_one_run():
    assert mix(random_forest(3)).exact
    model = Model((2,), (((0,), logs([0, 0])),))
    assert mix(model).status == "inconsistent"


def test_where_nothing_converges_nothing_is_claimed():
    found = mix(complete(4, -2.0, 0.1), max_iterations=5, starts=3)
    assert found.status != "converged"
    assert found.log_z is None


def test_same_seed_same_mixture():
    first, again = mix(cycle(6, 1.0, 0.1), seed=3), mix(cycle(6, 1.0, 0.1), seed=3)
    assert (first.beliefs == again.beliefs).all()
