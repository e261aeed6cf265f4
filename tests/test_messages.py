"""The messages of a run: where they start, what they answer, and their awkward numbers."""

import numpy as np
import pytest

from mpnet.messages import Messages, compile_kernels
from mpnet.schedules.flooding import Flooding
from tests import reference
from tests.graphs import Model, cycle, logs, random_forest, random_loopy, star


def swept(model, sweeps=3, **how):
    messages = Messages(model.build(), **how)
    for _ in range(sweeps):
        Flooding().sweep(messages, 0.0)
    return messages


def test_messages_start_uniform_and_beliefs_at_the_unaries():
    model = random_loopy(3)
    messages = Messages(model.build())
    np.testing.assert_array_equal(messages.to_variable, np.zeros(messages.to_variable.size))
    np.testing.assert_array_equal(messages.log_beliefs, np.concatenate(model.unary))
    assert np.isnan(messages.edge_residual).all()


def test_the_start_is_copied():
    start = np.zeros(8)
    messages = Messages(cycle(2, 1.0).build(), start=start)
    Flooding().sweep(messages, 0.0)
    np.testing.assert_array_equal(start, np.zeros(8))


def test_other_unaries_replace_those_of_the_graph():
    model = star(2)
    unary = np.array([1.0, -1.0, 0.0, 0.5, 0.0, 0.0])
    found = swept(model, unary=unary)
    expected = swept(model.plus(((0,), unary[0:2]), ((1,), unary[2:4])))
    np.testing.assert_array_equal(found.marginals(), expected.marginals())


@pytest.mark.parametrize("seed", range(20))
def test_a_factor_belief_agrees_with_the_variables_on_forests(seed):
    model = random_forest(seed)
    messages = swept(model, sweeps=12)
    for factor, scope in enumerate(model.scopes):
        joint = messages.factor_belief(factor)
        for axis, variable in enumerate(scope):
            others = tuple(a for a in range(len(scope)) if a != axis)
            # A few roundings of probabilities.
            np.testing.assert_allclose(
                joint.sum(axis=others),
                messages.marginals()[messages.graph.states_of(variable)],
                rtol=0,
                atol=1e-12,
            )


@pytest.mark.parametrize("seed", range(20))
def test_belief_form_equals_message_form_at_fixed_points(seed):
    model = random_forest(seed)
    messages, other = swept(model, sweeps=12), reference.Lbp(model)
    for _ in range(12):
        other.sweep()
    # Health figure of the message form: a dozen logs below 50.
    assert messages.log_z() == pytest.approx(other.bethe(), abs=1e-10)


def test_contradictory_evidence_makes_log_z_minus_infinity_and_not_nan():
    model = Model((2, 2), (((0,), logs([0, 0])), ((0, 1), np.zeros((2, 2)))))
    messages = Messages(model.build())
    assert messages.log_z() == -np.inf
    assert np.isnan(messages.marginals()[:2]).all()
    assert Flooding().sweep(messages, 0.0).dead_variable == 0


def test_contradictory_evidence_on_an_isolated_variable_is_found_by_the_sweep():
    messages = Messages(Model((2,), (((0,), logs([0, 0])),)).build())
    assert not Flooding().sweep(messages, 0.0).consistent


def test_a_product_that_is_zero_though_each_message_is_not_is_found():
    # Two factors force different states on the same variable.
    force = [logs([[1, 0], [1, 0]]), logs([[0, 1], [0, 1]])]
    model = Model((2, 2, 2), (((0, 1), force[0]), ((2, 1), force[1])))
    assert Flooding().sweep(Messages(model.build()), 0.0).dead_variable == 1


def test_compiling_twice_says_nothing_the_second_time():
    compile_kernels()
    said = []
    compile_kernels(lambda: said.append("compiling"))
    assert said == []
