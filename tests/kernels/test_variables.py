"""Variable-to-factor messages, beliefs and probabilities against their twins."""

import numpy as np
import pytest

from mpnet.kernels import variables
from mpnet.kernels.layout import ALIVE, UNSAFE, Limits
from mpnet.kernels.semiring import LinearMax, LinearSum, LogMax, LogSum
from tests import reference
from tests.graphs import Model, examples, logs, star
from tests.kernels.semirings import LIMITS, SPACES, Space, mixed, random_logs, scaled_messages

LINEAR = [Space(LinearSum), Space(LinearMax), Space(LinearSum, np.float32)]
LOG = [Space(LogSum), Space(LogMax)]


def send(space, graph, to_variable, known=True, limits=LIMITS):
    """Run on logs into arrays full of NaN: the kernel must overwrite them."""
    unary, said = space.values(graph.unary), space.values(to_variable)
    unary.flags.writeable = False
    to_factor, beliefs = np.full_like(said, np.nan), np.full_like(unary, np.nan)
    counts = set(graph.cardinalities)
    states = (0,) * int(counts.pop()) if known and len(counts) == 1 else ()
    status = variables.send_from_variables(
        space.semiring, states, graph.arrays, unary, 0, len(graph.variables), limits,
        said, to_factor, beliefs,
    )  # fmt: skip
    return space.logs(to_factor), space.logs(beliefs), status


def scaled_beliefs(graph, beliefs):
    rows = reference.pieces(beliefs, graph.arrays.variable_states)
    return reference.joined(map(reference.scaled, rows))


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("states", [2, 3, None])
@pytest.mark.parametrize("zeros", [0.0, 0.3])
@pytest.mark.parametrize("known", [True, False])
def test_equals_the_twin(space, states, zeros, known):
    for seed in range(examples(10)):
        graph = mixed(seed, states, zeros).build()
        messages = random_logs(graph, seed, zeros)
        to_factor, beliefs, status = send(space, graph, messages, known)
        expected = reference.send_from_variables(graph.arrays, graph.unary, messages)
        # Sums of up to 9 numbers below 20, in another order; or products, and their logs.
        np.testing.assert_allclose(
            scaled_messages(graph, to_factor), expected[0], rtol=1e-13, atol=1e-13
        )
        np.testing.assert_allclose(
            scaled_beliefs(graph, beliefs), scaled_beliefs(graph, expected[1]), atol=1e-13
        )
        assert status == expected[2]


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("states", [2, 3, None])
def test_only_the_variables_asked_for_are_written(space, states):
    graph = mixed(1, states).build()
    unary, said = space.values(graph.unary), space.values(random_logs(graph, 1))
    unary.flags.writeable = False
    whole, _, _ = send(space, graph, random_logs(graph, 1))
    known = (0,) * states if states else ()
    for variable in range(7):
        to_factor, beliefs = np.full_like(said, np.nan), np.full_like(unary, np.nan)
        variables.send_from_variables(
            space.semiring, known, graph.arrays, unary, variable, variable + 1, LIMITS,
            said, to_factor, beliefs,
        )  # fmt: skip
        mine = np.repeat(graph.arrays.edge_variable == variable, np.diff(graph.arrays.edge_states))
        np.testing.assert_array_equal(np.isnan(to_factor), ~mine)
        np.testing.assert_array_equal(space.logs(to_factor)[mine], whole[mine])
        written = np.flatnonzero(~np.isnan(beliefs))
        where = graph.states_of(variable)
        np.testing.assert_array_equal(written, np.arange(where.start, where.stop))


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("states", [2, 3])
def test_a_message_leaves_out_what_its_factor_said(space, states):
    graph = star(2, states).build()
    messages = np.zeros(4 * states)
    messages[1] = -np.inf
    to_factor, _, status = send(space, graph, messages)
    np.testing.assert_array_equal(to_factor[:states], np.zeros(states))
    heard = np.zeros(states)
    heard[1] = -np.inf
    np.testing.assert_array_equal(to_factor[2 * states : 3 * states], heard)
    # A hard zero is exact: no reason to leave linear space.
    assert status == ALIVE


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("states", [2, 3])
def test_the_first_variable_without_a_state_is_named(space, states):
    impossible = np.full(states, -np.inf)
    impossible[0] = 0.0
    model = Model((states,) * 4, (((1,), impossible), ((1, 2), np.zeros((states, states)))))
    messages = np.zeros(2 * states)
    messages[0] = -np.inf
    messages[states:] = -np.inf
    graph = model.build()
    for known in (True, False):
        _, beliefs, status = send(space, graph, messages, known)
        assert status == 1
        np.testing.assert_array_equal(beliefs[states : 3 * states], np.full(2 * states, -np.inf))


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("states", [2, 3])
def test_a_variable_with_nan_is_not_one_without_a_state(space, states):
    graph = star(2, states).build()
    messages = np.full(4 * states, np.nan)
    to_factor, beliefs, status = send(space, graph, messages)
    assert status == ALIVE
    assert np.isnan(beliefs).all()
    # Leaves have no other factor to hear of.
    expected = np.tile(np.repeat([True, False], states), 2)
    np.testing.assert_array_equal(np.isnan(to_factor), expected)


@pytest.mark.parametrize("space", LOG, ids=repr)
def test_a_variable_of_high_degree_does_not_underflow_in_log_space(space):
    # Each message is 1e-300 : 1, so their product is far below the smallest double.
    degree = 2000 if examples(100) == 100 else 50
    graph = star(degree).build()
    to_factor, beliefs, status = send(space, graph, np.tile([np.log(1e-300), 0.0], 2 * degree))
    assert status == ALIVE
    # So many additions of 690 nats: relative 1e-13.
    assert beliefs[0] - beliefs[1] == pytest.approx(degree * np.log(1e-300), rel=1e-12)
    assert to_factor[0] - to_factor[1] == pytest.approx((degree - 1) * np.log(1e-300), rel=1e-12)
    assert np.isfinite(to_factor).all()


@pytest.mark.parametrize("space", LINEAR, ids=repr)
@pytest.mark.parametrize("states", [2, 3])
@pytest.mark.parametrize("known", [True, False])
def test_a_product_below_the_range_is_unsafe(space, states, known):
    small = np.finfo(space.dtype).tiny
    limits = Limits(floor=1e3 * float(small), tiny=100 * float(small))
    graph = star(3, states).build()
    messages = np.zeros(6 * states)
    one = messages.copy()
    one[0] = np.log(limits.tiny) / 3
    assert send(space, graph, one, known, limits)[2] == ALIVE
    # Three messages that are each in range; together they are not.
    for edge in (0, 2, 4):
        messages[edge * states] = np.log(limits.tiny) / 3 - 1.0
    assert send(space, graph, messages, known, limits)[2] == UNSAFE
    # A hard zero on top would hide it in the product, and still no digit may be lost.
    hidden = messages.copy()
    hidden[1] = -np.inf
    assert send(space, graph, hidden, known, limits)[2] == UNSAFE
    also = messages.copy()
    also[0] = -np.inf
    assert send(space, graph, also, known, limits)[2] == ALIVE


@pytest.mark.parametrize("space", LINEAR, ids=repr)
@pytest.mark.parametrize("states", [2, 3])
def test_a_message_below_the_floor_is_unsafe(space, states):
    limits = Limits(floor=1e-6, tiny=1e-30)
    graph = star(2, states).build()
    messages = np.zeros(4 * states)
    messages[0] = np.log(1e-7)
    assert send(space, graph, messages, limits=limits)[2] == UNSAFE
    messages[0] = np.log(1e-5)
    assert send(space, graph, messages, limits=limits)[2] == ALIVE


@pytest.mark.parametrize("space", LINEAR, ids=repr)
@pytest.mark.parametrize("states", [2, 3])
def test_small_messages_of_one_size_are_scaled_up(space, states):
    # All states lose alike: nothing is lost, and the message is as good as a uniform one.
    limits = Limits(floor=1e-6, tiny=1e-30)
    graph = star(3, states).build()
    messages = np.full(6 * states, np.log(1e-4))
    to_factor, beliefs, status = send(space, graph, messages, limits=limits)
    assert status == ALIVE
    np.testing.assert_allclose(to_factor, np.zeros(6 * states), atol=1e-15)
    # Beliefs keep their scale.
    np.testing.assert_allclose(beliefs[:states], 3 * messages[:states], rtol=1e-6)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_a_variable_without_factors_keeps_its_unary(space):
    graph = Model((3,), (((0,), np.array([-1.0, -np.inf, 0.0])),)).build()
    _, beliefs, status = send(space, graph, np.empty(0))
    np.testing.assert_allclose(beliefs, [-1.0, -np.inf, 0.0], rtol=1e-15)
    assert status == ALIVE


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("values", [[0.0], [3.0, -7.0], [-np.inf, 1.0], [-np.inf], [5.0, 5.0]])
def test_log_total_equals_the_twin(space, values):
    array = space.values(np.array([9.0, *values, 9.0]))
    found = variables.log_total(space.semiring, array, 1, len(values) + 1)
    # One exponential and one logarithm.
    assert found == pytest.approx(reference.log_sum(values), rel=1e-14, abs=1e-15)


@pytest.mark.parametrize("space", LOG, ids=repr)
@pytest.mark.parametrize("values", [[700.0, -700.0], [710.0, 710.0], [-1e300, 3.0]])
def test_log_total_of_large_logs(space, values):
    found = variables.log_total(space.semiring, np.array(values), 0, 2)
    assert found == pytest.approx(reference.log_sum(values), rel=1e-15)


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("where", [0, 1, 2])
def test_log_total_keeps_nan(space, where):
    values = space.values(np.zeros(3))
    values[where] = np.nan
    assert np.isnan(variables.log_total(space.semiring, values, 0, 3))


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_marginals_equal_the_twin(space):
    for seed in range(examples(20)):
        graph = mixed(seed).build()
        rng = np.random.default_rng(seed)
        size = 1 if space.linear else rng.choice([1, 700])
        beliefs = rng.normal(size=graph.unary.size) * size
        beliefs[rng.random(beliefs.size) < 0.3] = -np.inf
        out = np.full(beliefs.size, np.nan)
        status = variables.marginals(
            space.semiring, graph.arrays.variable_states, space.values(beliefs), out
        )
        expected, dead = reference.probabilities(graph.arrays.variable_states, beliefs)
        # The exponent is a difference of numbers below 3000, so its error is below 1e-12.
        np.testing.assert_allclose(out, expected, rtol=1e-11)
        assert status == dead


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_marginals_sum_to_one(space):
    graph = star(5, states=4).build()
    out = np.full(graph.unary.size, np.nan)
    beliefs = space.values(np.random.default_rng(0).normal(size=out.size) * 100)
    variables.marginals(space.semiring, graph.arrays.variable_states, beliefs, out)
    np.testing.assert_allclose(out.reshape(-1, 4).sum(axis=1), 1.0, rtol=1e-14)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_marginals_of_nan_are_nan_and_not_dead(space):
    starts = star(1).build().arrays.variable_states
    beliefs, out = space.values(logs([0.2, 0.8, 0.5, 0.5])), np.zeros(4)
    beliefs[1] = np.nan
    assert variables.marginals(space.semiring, starts, beliefs, out) == ALIVE
    np.testing.assert_array_equal(np.isnan(out), [True, True, False, False])
