"""Clamping against exact answers and against runs clamped by hand."""

import numpy as np
import pytest

from mpnet.estimators.base import Options, Problem
from mpnet.estimators.clamped import Clamped
from tests import reference
from tests.graphs import (
    Model,
    complete,
    contradiction,
    cycle,
    examples,
    flat,
    logs,
    random_forest,
    states_of,
)

OPTIONS = Options(tolerance=1e-12, max_iterations=3000)


def clamped(model, query, observe=lambda _: None, options=OPTIONS):
    return Clamped().estimate(Problem(model.build(), tuple(query)), options, observe)


def error(beliefs, model, variable):
    where = states_of(model, variable)
    return np.abs(beliefs[where] - reference.marginals(model)[where]).max()


@pytest.mark.parametrize("pull", [1.0, 1.5])
@pytest.mark.parametrize("rivalry", [1.0, 3.0])
@pytest.mark.parametrize("evidence", [0.5, 2.0])
def test_is_closer_to_exact_than_flat_on_rival_explanations(pull, rivalry, evidence):
    model = contradiction(pull, rivalry, evidence)
    found = clamped(model, [0, 1])
    for variable in (0, 1):
        assert error(found.beliefs, model, variable) < error(found.flat, model, variable)


@pytest.mark.parametrize("couplings", [[1.0, 1.0, -1.0], [-0.8, -0.8, -0.8], [1.2, 0.4, -0.7]])
def test_is_exact_on_a_triangle_since_a_held_node_cuts_its_only_loop(couplings):
    model = cycle(3, couplings, field=0.3)
    found = clamped(model, [0])
    # Two differences of log Z at a residual of 1e-12.
    assert error(found.beliefs, model, 0) < 1e-10
    assert error(found.flat, model, 0) > 1e-3


@pytest.mark.parametrize("seed", range(examples(20)))
def test_is_exact_on_forests(seed):
    model = random_forest(seed)
    found = clamped(model, range(len(model.cards)))
    assert found.reason.endswith("exact, for the compiled graph has no loop")
    np.testing.assert_allclose(found.beliefs, reference.marginals(model), rtol=0, atol=1e-10)


def test_log_odds_are_differences_of_two_runs_clamped_by_hand():
    model = complete(4, 0.4, field=0.2)
    found = clamped(model, [2])
    held = [flat(model.plus(((2,), logs(np.eye(2)[state])))).log_z for state in (0, 1)]
    belief = found.beliefs[states_of(model, 2)]
    # Both stop at a residual of 1e-12, from different starts.
    assert np.log(belief[1] / belief[0]) == pytest.approx(held[1] - held[0], abs=1e-10)
    assert found.clamped == (2,)


def test_nodes_not_in_question_keep_their_flat_belief():
    model = complete(4, 0.4, field=0.2)
    found = clamped(model, [2])
    np.testing.assert_array_equal(found.beliefs[:4], found.flat[:4])
    assert not np.array_equal(found.beliefs[4:6], found.flat[4:6])


def test_a_state_without_support_gets_belief_zero():
    triangle = cycle(3, 0.5)
    wide = Model(
        (3, 2, 2),
        tuple(
            (scope, np.resize(table, [3 if v == 0 else 2 for v in scope]))
            for scope, table in triangle.factors
        ),
    )
    model = wide.plus(((0,), np.array([0.0, -np.inf, 0.3])))
    found = clamped(model, [0])
    assert found.status == "converged"
    assert found.beliefs[1] == 0.0
    assert error(found.beliefs, model, 0) < 1e-10


def test_a_state_that_dies_only_when_it_is_awakened_gets_belief_zero():
    # State 1 of v0 forces v1 = v2 and v1 != v2: each pair allows it, the loop does not.
    same, differ, free = np.eye(2), 1 - np.eye(2), np.ones((2, 2))
    first = logs(np.stack([free, same]))
    second = logs(np.stack([free, differ]))
    model = Model((2, 2, 2), (((0, 1, 2), first), ((0, 1, 2), second), ((1,), logs([0.3, 0.7]))))
    found = clamped(model.plus(((2,), logs([1, 0]))), [0])
    assert found.beliefs[1] == 0.0


def test_without_a_question_it_is_flat():
    model = complete(4, 0.4, field=0.2)
    found = clamped(model, [])
    np.testing.assert_array_equal(found.beliefs, flat(model).beliefs)
    assert found.clamped == ()


def test_a_flat_run_that_oscillates_is_not_clamped():
    found = clamped(complete(4, -2.0, 0.1), [0], options=Options(max_iterations=60))
    assert found.status == "oscillating"
    assert (found.log_z, found.clamped) == (None, ())


def test_the_observer_sees_the_clamping_begin_and_the_final_belief():
    seen = []
    model = complete(4, 0.4, field=0.2)
    found = clamped(model, [1], lambda s: seen.append((s.estimator, s.event, dict(s.overrides))))
    names = [name for name, _, _ in seen]
    assert names == sorted(names, reverse=True)
    events = [event for _, event, _ in seen if event]
    assert events == [("clamp", "", "clamp v1")]
    np.testing.assert_array_equal(seen[-1][2][1], found.beliefs[2:4])
    assert len(seen) == found.iterations + 1
