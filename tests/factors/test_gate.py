"""Gates with some variables fixed."""

import numpy as np
import pytest

from mpnet.builder import GraphBuilder
from mpnet.factors import And, ExactlyOne, NoisyAnd, NoisyOr, Or, Parity, Pool
from mpnet.factors.gate import Gates

NAMES = [f"v{i}" for i in range(5)]
P = [0.2, 0.9, 1.0, 0.0]
KINDS = [
    NoisyOr("v4", NAMES[:4], P, leak=0.3),
    NoisyOr("v4", NAMES[:4], P, leak=0.3, negated=["v1", "v4"]),
    NoisyAnd("v4", NAMES[:4], P, leak=0.1, negated=["v0"]),
    Or("v4", NAMES[:4], negated=["v2"]),
    And("v4", NAMES[:4]),
    Parity(NAMES, (0.3, 1.0)),
    ExactlyOne(NAMES),
    Pool("v4", NAMES[:4]),
]


def content(kind):
    found = kind.content(np.full((1, len(NAMES)), 2), lambda _: "factor")
    assert isinstance(found, Gates)
    return found


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind).__name__)
@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("state", [0, 1])
def test_a_gate_with_a_variable_fixed_is_a_slice_of_its_table(kind, place, state):
    gates = content(kind)
    wanted = np.take(gates.table(0), state, axis=place)
    with np.errstate(divide="ignore"):
        found = np.exp(gates.given(place, state).table(0))
    # A few products of probabilities in another order.
    np.testing.assert_allclose(found, np.exp(wanted), rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS[:4], ids=lambda kind: type(kind).__name__)
def test_several_variables_can_be_fixed_one_after_another(kind):
    gates = content(kind)
    found = np.exp(gates.given(4, 1).given(0, 0).given(2, 1).table(0))
    np.testing.assert_allclose(found, np.exp(gates.table(0))[0, :, :, 1, 1], rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind).__name__)
@pytest.mark.parametrize("state", [0, 1])
def test_a_gate_that_may_not_be_on_is_a_product(kind, state):
    gates = content(kind).given(4, state)
    product = gates.as_product(0)
    off = not gates.child and gates.weights[0, 1] == 0.0 and len(gates.rule) != 2
    if product is None:
        assert not off or "Or" not in type(kind).__name__
        return
    constant, tables = product
    total = np.exp(constant)
    for table in tables:
        total = np.multiply.outer(total, np.exp(table))
    np.testing.assert_allclose(total, np.exp(gates.table(0)), rtol=0, atol=1e-14)


def test_noisy_or_seen_to_be_off_is_one():
    assert content(KINDS[0]).as_product(0) is None
    assert content(KINDS[0]).given(4, 1).as_product(0) is None
    assert content(KINDS[0]).given(4, 0).as_product(0) is not None
    assert content(KINDS[1]).given(4, 1).as_product(0) is not None


def test_messages_of_a_gate_without_child_are_those_of_its_table():
    from mpnet.estimators.base import Options
    from mpnet.estimators.loop import propagate
    from mpnet.messages import Messages

    gates = content(KINDS[0]).given(4, 1)
    rng = np.random.default_rng(0)
    unary = rng.gamma(1.0, size=(4, 2)) + 0.1
    graphs = []
    for table in (False, True):
        builder = GraphBuilder()
        for name, weights in zip(NAMES[:4], unary, strict=True):
            builder.add_variable(name, 2)
            builder.add_factor([name], weights)
        if table:
            builder.add_factor(NAMES[:4], gates.table(0), log=True)
        else:
            builder.add_content(range(4), gates, "gate")
        graphs.append(builder.build())
    one, two = (Messages(graph) for graph in graphs)
    for messages in (one, two):
        assert propagate(messages, Options()).status == "converged"
    np.testing.assert_allclose(one.beliefs, two.beliefs, rtol=0, atol=1e-12)
    assert one.log_z() == pytest.approx(two.log_z(), abs=1e-12)
