"""Messages to powers against a twin that multiplies them out, in both spaces."""

import numpy as np
import pytest

from mpnet.estimators.weighted import WeightedMessages
from mpnet.kernels.layout import ALIVE, UNSAFE
from mpnet.kernels.weighted import weigh_from_variables
from mpnet.messages import Messages
from mpnet.schedules.sequential import sweep_in_order
from tests import reference
from tests.graphs import Model, examples, logs, random_loopy, star


def twin(graph, unary, power, to_variable):
    """Log beliefs and scaled log messages to factors, from log messages, one formula each."""
    beliefs = reference.pieces(unary, graph.variable_states)
    messages = reference.pieces(to_variable, graph.edge_states)
    for edge, variable in enumerate(graph.edge_variable):
        beliefs[variable] = beliefs[variable] + power[edge] * messages[edge]
    answers = []
    for edge, variable in enumerate(graph.edge_variable):
        rest = [
            b if b == -np.inf else b - m
            for b, m in zip(beliefs[variable], messages[edge], strict=True)
        ]
        answers.append(reference.scaled(np.array(rest)))
    dead = [v for v, belief in enumerate(beliefs) if np.all(belief == -np.inf)]
    return np.concatenate([*answers, []]), np.concatenate(beliefs), dead[0] if dead else -1


def random_case(seed, space):
    rng = np.random.default_rng(seed)
    graph = random_loopy(seed).build()
    start = rng.normal(size=int(graph.arrays.edge_states[-1])) * 3.0
    start[rng.random(start.size) < 0.1] = -np.inf
    power = rng.uniform(0.1, 1.5, size=graph.arrays.edge_variable.size)
    return graph, power, WeightedMessages(graph, power, start=start, space=space)


@pytest.mark.parametrize("space", ["linear", "log"])
@pytest.mark.parametrize("seed", range(examples(30)))
def test_equals_reference(seed, space):
    graph, power, messages = random_case(seed, space)
    wanted, beliefs, dead = twin(graph.arrays, graph.unary, power, messages.heard())
    assert messages.refresh() == dead
    # Sums of up to 10 numbers below 30, and an exponential and a logarithm where linear.
    np.testing.assert_allclose(messages.said(), wanted, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(messages.beliefs, beliefs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seed", range(examples(20)))
def test_power_one_gives_the_beliefs_of_plain_propagation(seed):
    graph, power, messages = random_case(seed, "auto")
    weighted = WeightedMessages(graph, np.ones_like(power), start=messages.heard())
    plain = Messages(graph, start=messages.heard())
    np.testing.assert_allclose(weighted.marginals(), plain.marginals(), rtol=1e-12, atol=1e-300)


def mixed(seed):
    """Pairs and a wider factor: each combination of families is one more compilation."""
    rng = np.random.default_rng(seed)
    scopes = [(0, 1), (1, 3), (3, 0), (2, 4, 1), (4, 2, 3)]
    cards = (2, 2, 3, 2, 3)
    tables = [rng.normal(size=[cards[v] for v in scope]) for scope in scopes]
    tables[0][0, 1] = -np.inf
    return Model(cards, (*zip(scopes, tables, strict=True), ((4,), rng.normal(size=3))))


@pytest.mark.parametrize("seed", range(examples(20)))
def test_taking_turns_equals_plain_propagation_in_order_where_powers_are_one(seed):
    graph = mixed(seed).build()
    weighted = WeightedMessages(graph, np.ones(graph.arrays.edge_variable.size))
    plain = Messages(graph)
    order = np.arange(len(graph.variables), dtype=np.int32)
    for _ in range(3):
        found, wanted = weighted.take_turns(order, 0.3), sweep_in_order(plain, order, 0.3)
        # Rounding is amplified where beliefs are close to certain.
        np.testing.assert_allclose(weighted.marginals(), plain.marginals(), rtol=1e-9, atol=1e-12)
        if np.isfinite(wanted.residual):
            assert found.residual == pytest.approx(wanted.residual, rel=1e-6, abs=1e-9)


def test_taking_turns_uses_what_was_just_said():
    # A path 0 - 1 - 2 with all evidence at 0: one sweep in order carries it to the end.
    table = logs([[0.9, 0.1], [0.1, 0.9]])
    graph = Model((2,) * 3, (((0,), logs([0.8, 0.2])), ((0, 1), table), ((1, 2), table))).build()
    messages = WeightedMessages(graph, np.ones(4))
    messages.take_turns(np.arange(3, dtype=np.int32), 0.0)
    exact = reference.marginals(
        Model((2,) * 3, (((0,), logs([0.8, 0.2])), ((0, 1), table), ((1, 2), table)))
    )
    # Three sums of two products each.
    np.testing.assert_allclose(messages.marginals()[4:], exact[4:], rtol=1e-14)


def test_a_state_that_is_impossible_is_told_so_to_every_factor():
    graph = star(2).build()
    start = np.zeros(8)
    start[0] = -np.inf
    messages = WeightedMessages(graph, np.full(4, 0.5), start=start)
    first = int(graph.arrays.factor_edges[0])
    said = messages.said()
    assert said[0] == -np.inf
    assert said[2 * int(graph.arrays.slot_edge[1])] == -np.inf
    assert first == 0


def test_the_first_variable_without_a_state_is_named():
    model = Model((2, 2, 2), (((1,), logs([0, 1])), ((1, 2), np.zeros((2, 2)))))
    start = np.array([0.0, -np.inf, 0.0, 0.0])
    messages = WeightedMessages(model.build(), np.ones(2), start=start)
    assert messages.refresh() == 1


def run_kernel(messages, to_variable):
    graph = messages.graph
    return weigh_from_variables(
        messages.semiring,
        graph.arrays,
        messages.unary,
        messages.edge_power,
        0,
        len(graph.variables),
        messages.limits,
        to_variable,
        messages.to_factor,
        messages.beliefs,
    )


def test_a_nan_is_not_a_variable_without_a_state():
    messages = WeightedMessages(star(2).build(), np.ones(4), space="log")
    assert run_kernel(messages, np.full(8, np.nan)) == ALIVE
    assert np.isnan(messages.beliefs).all()
    assert np.isnan(messages.to_factor).all()


def test_numbers_out_of_range_ask_for_logs():
    messages = WeightedMessages(star(2000).build(), np.ones(4000))
    assert messages.linear
    far = np.tile([1e-250, 1.0], 4000)
    assert run_kernel(messages, far) == UNSAFE
    messages.to_variable[:] = far
    assert messages.refresh() == ALIVE
    assert not messages.linear
    # 2000 additions of 576 nats.
    assert messages.beliefs[0] - messages.beliefs[1] == pytest.approx(
        2000 * np.log(1e-250), rel=1e-12
    )
