"""Beliefs over scopes by the chunk, against those of one factor at a time."""

import numpy as np
import pytest

from mpnet.estimators import factor_beliefs
from mpnet.estimators.factor_beliefs import (
    chunks,
    log_sums,
    segment_log_sums,
    states_of_edges,
)
from mpnet.messages import Messages
from mpnet.schedules.flooding import Flooding
from tests import reference
from tests.graphs import examples, random_loopy


def after_two_sweeps(seed, space="log"):
    messages = Messages(random_loopy(seed).build(), space=space)
    for _ in range(2):
        Flooding().sweep(messages, 0.2)
    return messages


@pytest.mark.parametrize("chunk", [1, 2**20])
@pytest.mark.parametrize("seed", range(examples(20)))
def test_every_factor_comes_once_with_its_belief(seed, chunk, monkeypatch):
    monkeypatch.setattr(factor_beliefs, "CHUNK", chunk)
    messages = after_two_sweeps(seed)
    graph, seen = messages.graph, []
    for part in chunks(graph, messages.to_factor):
        beliefs, local = part.beliefs(), part.log_partition()
        for place, factor in enumerate(range(part.first, part.last)):
            seen.append(factor)
            first, last = graph.arrays.factor_edges[factor : factor + 2]
            assert part.edges[place].tolist() == list(range(first, last))
            np.testing.assert_array_equal(part.tables[place], graph.table_of(factor))
            wanted = messages.factor_belief(factor)
            # Exponentials of differences of numbers below 1000.
            np.testing.assert_allclose(beliefs[place], wanted, rtol=1e-11, atol=1e-300)
            assert local[place] == pytest.approx(
                reference.log_sum(part.scores[place].ravel()), rel=1e-12, abs=1e-12
            )
            for axis in range(wanted.ndim):
                others = tuple(a for a in range(wanted.ndim) if a != axis)
                np.testing.assert_allclose(
                    part.marginal(beliefs, axis)[place], wanted.sum(axis=others), rtol=1e-11
                )
    assert seen == list(range(len(graph.factors)))


def test_sums_of_nothing_possible_are_minus_infinity():
    rows = np.array([[-np.inf, -np.inf], [0.0, -np.inf], [1000.0, 1000.0]])
    np.testing.assert_allclose(log_sums(rows), [-np.inf, 0.0, 1000.0 + np.log(2.0)], rtol=1e-15)
    found = segment_log_sums(rows.ravel(), np.array([0, 2, 3, 6], dtype=np.int32))
    np.testing.assert_allclose(found, [-np.inf, 0.0, 1000.0 + np.log(2.0)], rtol=1e-15)
    assert segment_log_sums(np.empty(0), np.array([0], dtype=np.int32)).size == 0


def test_states_of_edges_lead_from_messages_to_beliefs():
    graph = random_loopy(3).build()
    wanted = [
        np.arange(graph.states_of(int(v)).start, graph.states_of(int(v)).stop)
        for v in graph.arrays.edge_variable
    ]
    np.testing.assert_array_equal(states_of_edges(graph), np.concatenate(wanted))
