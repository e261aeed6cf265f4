"""Contradictions that hard zeros prove, and the evidence they name."""

import numpy as np
import pytest

from mpnet.builder import GraphBuilder
from mpnet.contradiction import Place, Support, explain
from mpnet.factors import AtMostOne, ExactlyOne, Or
from mpnet.graph import FactorGraph
from tests.graphs import examples

EQUAL = np.eye(2)


def chain(length):
    pairs = [[i, i + 1] for i in range(length - 1)]
    return FactorGraph.from_arrays([2] * length, [(pairs, EQUAL)])


def test_evidence_is_led_along_a_chain_and_what_is_not_needed_is_not_named():
    graph = chain(6)
    assert explain(graph, {0: 0, 5: 0}) is None
    told = explain(graph, {0: 0, 2: 0, 5: 1, 1: 0})
    assert told.startswith("impossible evidence: x5 = 1 and x1 = 0 together contradict the model: ")


def test_evidence_that_is_impossible_alone_is_named_alone():
    builder = GraphBuilder()
    builder.add_variable("a", ["no", "yes"])
    builder.add_variable("b", ["no", "yes"])
    builder.add_factor(["a"], [1.0, 0.0])
    builder.add_factor(["a", "b"], [[1.0, 1.0], [1.0, 1.0]])
    assert explain(builder.build(), {1: 0, 0: 1}) == (
        "impossible evidence: a = yes contradicts the model: no state of 'a' is possible"
    )


def test_a_model_that_contradicts_itself_is_said_to():
    builder = GraphBuilder()
    builder.add_variable("a", 2)
    builder.add_factor([], 0.0)
    assert explain(builder.build(), {}) == (
        "the model contradicts itself without any evidence: a factor without variables is zero"
    )


def test_factors_are_called_by_the_numbers_given():
    graph = FactorGraph.from_arrays([2, 2, 2], [([[0, 1], [1, 2]], np.stack([EQUAL, 1 - EQUAL]))])
    told = explain(graph, {1: 0, 2: 0}, np.array([7, 9]))
    assert told.endswith("factor 9 (x1, x2) allows nothing then")


def test_a_contradiction_that_only_a_whole_loop_shows_is_not_claimed():
    # Three variables that must differ pairwise, with two states: local support is never lost.
    pairs = [[0, 1], [1, 2], [0, 2]]
    graph = FactorGraph.from_arrays([2] * 3, [(pairs, 1.0 - EQUAL)])
    assert Support(graph).dead_end(graph.unary) is None
    assert explain(graph, {0: 0}) is not None


@pytest.mark.parametrize("seed", range(examples(40)))
def test_what_is_claimed_is_true(seed):
    rng = np.random.default_rng(seed)
    cards = rng.integers(1, 4, size=5)
    total = np.ones(cards)
    builder = GraphBuilder()
    for v, n in enumerate(cards):
        builder.add_variable(f"v{v}", int(n))
    for _ in range(6):
        scope = sorted(rng.choice(5, size=rng.integers(1, 4), replace=False).tolist())
        table = (rng.random(cards[scope]) < 0.5).astype(float)
        builder.add_factor([f"v{v}" for v in scope], table)
        total = total * np.expand_dims(table, tuple(v for v in range(5) if v not in scope))
    graph = builder.build()
    place = Support(graph).dead_end(graph.unary)
    if place is not None:
        assert isinstance(place, Place)
        assert total.sum() == 0.0


def bits(count):
    builder = GraphBuilder()
    for number in range(count):
        builder.add_variable(f"b{number}", ["no", "yes"])
    return builder


def test_a_gate_of_a_thousand_names_the_two_that_clash():
    # As a table it would have 2^1000 entries.
    builder = bits(1000)
    builder.add(AtMostOne([f"b{i}" for i in range(1000)], name="one at most"))
    seen = {7: 1, 20: 0, 900: 1}
    told = explain(builder.build(), seen)
    assert told.startswith("impossible evidence: b7 = yes and b900 = yes together contradict")


def test_gates_lead_evidence_along():
    builder = bits(40)
    left, right = [f"b{i}" for i in range(20)], [f"b{i}" for i in range(20, 39)]
    builder.add(Or("b19", left[:19]))
    builder.add(ExactlyOne(["b19", *right]))
    graph = builder.build()
    assert explain(graph, {3: 1}) is None
    told = explain(graph, {3: 1, 30: 1, 35: 0})
    assert "b3 = yes and b30 = yes together contradict the model" in told


@pytest.mark.parametrize("seed", range(examples(20)))
def test_a_gate_leaves_what_its_table_leaves(seed):
    rng = np.random.default_rng(seed)
    builder, spelled = bits(6), bits(6)
    for number in range(6):
        possible = [[1.0, 1.0], [0.0, 1.0], [1.0, 0.0]][int(rng.choice(3, p=[0.6, 0.2, 0.2]))]
        for each in (builder, spelled):
            each.add_factor([f"b{number}"], possible)
    for _ in range(3):
        names = [f"b{int(i)}" for i in rng.permutation(6)[:4]]
        kind = [AtMostOne, ExactlyOne, lambda n: Or(n[0], n[1:])][int(rng.integers(3))](names)
        builder.add(kind)
        table = kind.content(np.full((1, 4), 2), str).table(0)
        spelled.add_factor(kind.scope, table, log=True)
    graph, dense = builder.build(), spelled.build()
    found = Support(graph).dead_end(graph.unary), Support(dense).dead_end(dense.unary)
    assert (found[0] is None) == (found[1] is None)
