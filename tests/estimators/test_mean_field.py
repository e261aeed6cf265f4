"""Mean field: a lower bound that only rises, from starts that hard zeros allow."""

import numpy as np
import pytest

from mpnet import infer
from mpnet.errors import UsageError
from mpnet.estimators import make_estimator
from mpnet.estimators.base import Options, Problem
from mpnet.estimators.mean_field import Field, Rows
from tests import reference
from tests.graphs import Model, complete, examples, grid, logs, random_loopy
from tests.kernels.test_mean_field_kernels import twin_bound


def estimate(model, observe=lambda _: None, **options):
    settings = Options(**{"tolerance": 1e-9, **options})
    return make_estimator("mean_field").estimate(Problem(model.build()), settings, observe)


def rows_of(model, beliefs):
    return [np.array(r) for r in np.split(beliefs, np.cumsum(model.cards)[:-1])]


@pytest.mark.parametrize("seed", range(examples(60)))
def test_the_bound_is_below_log_z_and_is_that_of_the_beliefs(seed):
    model = random_loopy(seed)
    for most in (1, 1000):
        found = estimate(model, max_iterations=most)
        low, high = found.bounds
        assert high is None
        assert low <= reference.log_z(model) + 1e-10
        wanted = model.constant + twin_bound(model, rows_of(model, found.beliefs))
        assert low == pytest.approx(wanted, rel=1e-10, abs=1e-10)
    assert found.status == "converged"
    assert found.log_z == pytest.approx(low, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("seed", range(examples(40)))
def test_no_sweep_lowers_the_bound(seed):
    model, options = random_loopy(seed), Options(tolerance=1e-9, starts=3, seed=seed)
    field = Field(model.build())
    for start in field.starts(options):
        bounds = []
        fit = field.ascent(start, options, lambda fit, b=bounds: b.append(field.value(fit.log_q)))
        assert fit.bound == bounds[-1]
        assert bounds[0] > -np.inf
        # Rounding of sums of a few hundred products.
        assert np.diff(bounds).min(initial=0.0) >= -1e-10


def test_independent_variables_are_exact():
    model = Model((2, 3), (((0,), logs([0.2, 1.0])), ((1,), logs([1.0, 2.0, 0.0]))))
    found = estimate(model)
    assert found.log_z == pytest.approx(reference.log_z(model), abs=1e-12)
    np.testing.assert_allclose(found.beliefs, reference.marginals(model), atol=1e-12)


def test_the_solution_of_a_uniform_magnet_is_known():
    # m = tanh(d J m + h) on a regular graph: K5 has d = 4.
    found = estimate(complete(5, 0.4, 0.1), tolerance=1e-12)
    m = found.beliefs[0] - found.beliefs[1]
    assert m == pytest.approx(np.tanh(4 * 0.4 * m + 0.1), abs=1e-10)
    assert m > 0.5


def test_more_starts_are_never_worse_and_one_seed_repeats():
    model = grid(4, 4, 0.9).plus(((0,), np.array([0.0, 0.3])))
    bounds = [estimate(model, starts=n).bounds[0] for n in (1, 4, 12)]
    assert bounds == sorted(bounds)
    again = estimate(model, starts=4)
    assert again.bounds[0] == bounds[1]


def test_hard_zeros_leave_a_start_inside():
    # Exactly one of three: the product of any full distributions is impossible.
    table = np.full((2, 2, 2), -np.inf)
    for states, score in (((1, 0, 0), 0.0), ((0, 1, 0), 1.0), ((0, 0, 1), 2.0)):
        table[states] = score
    model = Model((2, 2, 2), (((0, 1, 2), table),))
    found = estimate(model)
    # Each possible distribution is one assignment: the best is its own score.
    assert found.bounds[0] == pytest.approx(2.0, abs=1e-11)
    assert found.beliefs.tolist() == [1.0, 0.0, 1.0, 0.0, 0.0, 1.0]


def test_a_contradiction_is_proven_by_search():
    table = logs(1.0 - np.eye(2))
    found = estimate(Model((2,) * 3, tuple((e, table) for e in [(0, 1), (1, 2), (2, 0)])))
    assert found.status == "inconsistent"
    assert found.bounds == (None, None)
    assert "a search has been through all" in found.reason


def test_without_a_start_nothing_is_claimed(monkeypatch):
    monkeypatch.setattr("mpnet.estimators.support.VISITS", 1)
    table = logs(1.0 - np.eye(2))
    found = estimate(Model((2,) * 3, tuple((e, table) for e in [(0, 1), (1, 2)])))
    assert found.status == "stalled"
    assert found.bounds == (None, None)
    assert np.isnan(found.beliefs).all()
    assert np.isnan(found.joint((0, 1))).all()


def test_a_zero_constant_is_a_contradiction():
    assert estimate(Model((2,), (((), np.array(-np.inf)),))).status == "inconsistent"


def test_a_joint_is_a_product():
    found = estimate(grid(2, 2, 0.3, 0.2))
    np.testing.assert_allclose(
        found.joint((3, 0)), np.outer(found.beliefs[6:8], found.beliefs[0:2]), rtol=1e-14
    )


def test_the_first_start_is_shown_iteration_by_iteration():
    seen = []
    model = grid(3, 3, 0.3, 0.2)

    def note(snapshot):
        beliefs = np.concatenate([snapshot.overrides[v].copy() for v in range(9)])
        seen.append((snapshot.residual, snapshot.log_z, beliefs))

    found = estimate(model, note, starts=1)
    assert len(seen) == found.iterations + 1
    assert np.isnan(seen[0][0])
    assert seen[-1][0] == found.residual
    assert seen[-1][1] == found.log_z
    np.testing.assert_array_equal(seen[-1][2], found.beliefs)
    assert len(Rows(model.build(), found.beliefs)) == 9


def test_a_run_that_is_cut_short_says_so():
    found = estimate(grid(4, 4, 0.44, 0.01), max_iterations=2)
    assert found.status == "max_iterations"
    assert found.log_z is None
    assert found.bounds[0] is not None
    assert found.reason.startswith("not converged after 2 iterations")


def test_other_temperatures_are_refused():
    with pytest.raises(UsageError, match="the estimator mean_field works at temperature 1 only"):
        estimate(grid(2, 2, 0.3), temperature=0.5)


def test_infer_knows_it():
    result = infer(grid(3, 3, 0.3, 0.2).build(), estimator="mean_field")
    assert result.status == "converged"
    assert result.log_z <= reference.log_z(grid(3, 3, 0.3, 0.2))
