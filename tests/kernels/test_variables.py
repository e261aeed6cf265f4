"""Variable-to-factor messages, beliefs and probabilities against their twins."""

import numpy as np
import pytest

from mpnet.kernels import variables
from tests import reference
from tests.graphs import Model, examples, logs, random_loopy, star


def send(graph, unary, to_variable):
    """Run the kernel into arrays full of NaN: it must overwrite them."""
    to_factor, beliefs = np.full(to_variable.size, np.nan), np.full(unary.size, np.nan)
    dead = variables.send_from_variables(graph.arrays, unary, to_variable, to_factor, beliefs)
    return to_factor, beliefs, dead


def random_messages(graph, seed, zeros=0.2):
    rng = np.random.default_rng(seed)
    size = int(graph.arrays.edge_states[-1])
    return np.where(rng.random(size) < zeros, -np.inf, rng.normal(size=size) * 5)


@pytest.mark.parametrize("seed", range(examples(40)))
def test_equals_reference(seed):
    graph = random_loopy(seed).build()
    messages = random_messages(graph, seed)
    to_factor, beliefs, dead = send(graph, graph.unary, messages)
    expected = reference.send_from_variables(graph.arrays, graph.unary, messages)
    # Sums of up to 9 numbers below 20, in another order.
    np.testing.assert_allclose(to_factor, expected[0], rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(beliefs, expected[1], rtol=1e-13, atol=1e-13)
    assert dead == expected[2]


def test_inputs_are_not_modified():
    graph = star(3).build()
    messages = random_messages(graph, 0)
    before = messages.copy()
    send(graph, graph.unary, messages)
    np.testing.assert_array_equal(messages, before)


def test_a_message_leaves_out_what_its_factor_said():
    graph = star(2).build()
    messages = np.zeros(8)
    messages[0:2] = [0.0, -np.inf]
    to_factor, _, _ = send(graph, graph.unary, messages)
    np.testing.assert_array_equal(to_factor[0:2], [0.0, 0.0])
    np.testing.assert_array_equal(to_factor[4:6], [0.0, -np.inf])


def test_the_first_variable_without_a_state_is_named():
    model = Model((2, 2, 2), (((1,), logs([0, 1])), ((1, 2), np.zeros((2, 2)))))
    graph = model.build()
    messages = np.array([0.0, -np.inf, -np.inf, -np.inf])
    _, beliefs, dead = send(graph, graph.unary, messages)
    assert dead == 1
    np.testing.assert_array_equal(beliefs[2:4], [-np.inf, -np.inf])


def test_a_variable_with_nan_is_not_one_without_a_state():
    graph = star(2).build()
    messages = np.full(8, np.nan)
    _, beliefs, dead = send(graph, graph.unary, messages)
    assert dead == -1
    assert np.isnan(beliefs).all()


def test_a_variable_of_degree_2000_does_not_underflow():
    # Each message is 1e-300 : 1, so their product is far below the smallest double.
    graph = star(2000).build()
    messages = np.tile([np.log(1e-300), 0.0], 4000)
    to_factor, beliefs, dead = send(graph, graph.unary, messages)
    assert dead == -1
    # 2000 additions of 690 nats: relative 1e-13.
    np.testing.assert_allclose(beliefs[0] - beliefs[1], 2000 * np.log(1e-300), rtol=1e-12)
    np.testing.assert_allclose(to_factor[0] - to_factor[1], 1999 * np.log(1e-300), rtol=1e-12)
    assert np.isfinite(to_factor).all()


def test_a_variable_without_factors_keeps_its_unary():
    graph = Model((3,), (((0,), np.array([1.0, -np.inf, 2.0])),)).build()
    _, beliefs, dead = send(graph, graph.unary, np.empty(0))
    np.testing.assert_array_equal(beliefs, [1.0, -np.inf, 2.0])
    assert dead == -1


@pytest.mark.parametrize(
    ("message", "shifted", "shift"),
    [
        ([1.0, 3.0], [-2.0, 0.0], 3.0),
        ([-np.inf, -700.0], [-np.inf, 0.0], -700.0),
        ([-np.inf, -np.inf], [-np.inf, -np.inf], -np.inf),
        ([5.0], [0.0], 5.0),
    ],
)
def test_shift_to_zero(message, shifted, shift):
    values = np.array([9.0, *message, 9.0])
    assert variables.shift_to_zero(values, 1, len(message) + 1) == shift
    np.testing.assert_array_equal(values, [9.0, *shifted, 9.0])


@pytest.mark.parametrize("where", [0, 1, 2])
def test_shift_to_zero_spreads_nan(where):
    values = np.zeros(3)
    values[where] = np.nan
    assert np.isnan(variables.shift_to_zero(values, 0, 3))
    assert np.isnan(values).all()


@pytest.mark.parametrize(
    "values", [[0.0], [700.0, -700.0], [710.0, 710.0], [-np.inf, 1.0], [-np.inf], [-1e300, 3.0]]
)
def test_log_sum_exp_equals_reference(values):
    found = variables.log_sum_exp(np.array(values), 0, len(values))
    # One exponential and one logarithm.
    assert found == pytest.approx(reference.log_sum(values), rel=1e-15)


@pytest.mark.parametrize("where", [0, 1, 2])
def test_log_sum_exp_spreads_nan(where):
    values = np.zeros(3)
    values[where] = np.nan
    assert np.isnan(variables.log_sum_exp(values, 0, 3))


@pytest.mark.parametrize("seed", range(examples(20)))
def test_marginals_equal_reference(seed):
    graph = random_loopy(seed).build()
    rng = np.random.default_rng(seed)
    beliefs = rng.normal(size=graph.unary.size) * rng.choice([1, 700])
    beliefs[rng.random(beliefs.size) < 0.3] = -np.inf
    out = np.full(beliefs.size, np.nan)
    dead = variables.marginals(graph.arrays.variable_states, beliefs, out)
    expected, first_dead = reference.probabilities(graph.arrays.variable_states, beliefs)
    # The exponent is a difference of numbers below 3000, so its error is below 1e-12.
    np.testing.assert_allclose(out, expected, rtol=1e-11)
    assert dead == first_dead


def test_marginals_sum_to_one():
    graph = star(5, states=4).build()
    out = np.full(graph.unary.size, np.nan)
    beliefs = np.random.default_rng(0).normal(size=out.size) * 100
    variables.marginals(graph.arrays.variable_states, beliefs, out)
    np.testing.assert_allclose(out.reshape(-1, 4).sum(axis=1), 1.0, rtol=1e-14)
