"""Exact answers: parts, joints and contradictions."""

import numpy as np
import pytest

from mpnet.estimators.base import Options, Problem
from mpnet.estimators.exact import Exact, components, solve
from tests import reference
from tests.graphs import Model, chain, examples, logs, random_loopy


def exact(model, observe=lambda _: None):
    return Exact().estimate(Problem(model.build()), Options(), observe)


@pytest.mark.parametrize("seed", range(examples(20)))
def test_joints_equal_brute_force_within_and_across_parts(seed):
    model, rng = random_loopy(seed), np.random.default_rng(seed)
    scope = tuple(int(v) for v in rng.permutation(len(model.cards))[:3])
    scores = reference.joint(model)
    odds = np.exp(scores - reference.log_z(model))
    gone = tuple(v for v in range(len(model.cards)) if v not in scope)
    kept = [v for v in range(len(model.cards)) if v in scope]
    expected = odds.sum(axis=gone).transpose([kept.index(v) for v in scope])
    # The same terms in another order.
    np.testing.assert_allclose(solve(model.build()).joint(scope), expected, rtol=0, atol=1e-13)


def test_parts_are_found_in_order():
    model = Model((2,) * 5, (((0, 3), np.eye(2)), ((4, 1), np.eye(2))))
    assert components(model.build()) == [((0, 3), (0,)), ((1, 4), (1,)), ((2,), ())]


def test_a_contradiction_is_inconsistent_and_its_joints_are_nan():
    model = Model((2, 3), (((0, 1), np.zeros((2, 3))), ((0,), logs([0, 0]))))
    found = exact(model)
    assert (found.status, found.log_z) == ("inconsistent", None)
    assert np.isnan(found.beliefs).all()
    assert found.joint((1, 0)).shape == (3, 2)


def test_an_odd_cycle_with_two_colours_is_found_out():
    # Propagation believes one half here and reports log Z = 0: a documented limit.
    differ = logs(1 - np.eye(2))
    model = Model((2,) * 3, tuple((edge, differ) for edge in ((0, 1), (1, 2), (2, 0))))
    assert exact(model).status == "inconsistent"


def test_a_thousand_separate_variables_are_no_joint_state_space():
    found = exact(Model((4,) * 1000, ()))
    assert found.log_z == pytest.approx(1000 * np.log(4), rel=1e-13)


def test_more_than_64_variables_of_one_state_are_no_axes():
    model = Model((1,) * 80, tuple(((v, v + 1), np.ones((1, 1))) for v in range(79)))
    assert exact(model).log_z == 79.0


def test_the_observer_sees_the_exact_beliefs_once():
    seen = []
    found = exact(chain(3, 0.5, 0.1), lambda s: seen.append(dict(s.overrides)))
    assert len(seen) == 1
    np.testing.assert_array_equal(np.concatenate([*seen[0].values()]), found.beliefs)
    assert found.reason == "exact, by enumeration"
