"""The dense table family against its twin."""

import numpy as np
import pytest

from mpnet.kernels import tables
from tests import reference
from tests.graphs import Model, examples, logs, random_loopy


def send(graph, to_factor):
    """Run over all factors into an array full of NaN: the kernel must overwrite it."""
    out = np.full(to_factor.size, np.nan)
    dead = -1
    for family in graph.families:
        dead = tables.send(graph.arrays, family.arrays, family.first, family.last, to_factor, out)
    return out, dead


def pair(table):
    return Model(np.shape(table), ((tuple(range(np.ndim(table))), np.array(table)),)).build()


def random_messages(graph, seed):
    rng = np.random.default_rng(seed)
    size = int(graph.arrays.edge_states[-1])
    return np.where(rng.random(size) < 0.2, -np.inf, rng.normal(size=size) * rng.choice([1, 300]))


@pytest.mark.parametrize("seed", range(examples(60)))
def test_messages_equal_reference(seed):
    graph = random_loopy(seed).build()
    messages = random_messages(graph, seed)
    if not graph.families:
        return
    out, dead = send(graph, messages)
    expected, first_dead = reference.send(graph.arrays, graph.families[0].arrays, messages)
    # Sums of logs below 1000, 256 terms each: a few roundings of 1e-13.
    np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-12)
    assert dead == first_dead


@pytest.mark.parametrize("seed", range(examples(40)))
def test_log_partition_equals_reference(seed):
    graph = random_loopy(seed).build()
    messages = random_messages(graph, seed)
    for family in graph.families:
        found = tables.log_partition(graph.arrays, family.arrays, 0, family.last, messages)
        expected = reference.log_partition(graph.arrays, family.arrays, messages)
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)  # as for messages


@pytest.mark.parametrize("seed", range(examples(40)))
def test_log_potential_equals_reference(seed):
    graph = random_loopy(seed).build()
    rng = np.random.default_rng(seed)
    assignment = np.array([rng.integers(n) for n in graph.cardinalities], dtype=np.int64)
    for family in graph.families:
        found = tables.log_potential(graph.arrays, family.arrays, 0, family.last, assignment)
        expected = reference.log_potential(graph.arrays, family.arrays, assignment)
        assert found == pytest.approx(expected, rel=1e-14)  # the same few additions


def test_only_the_factors_asked_for_are_written():
    model = Model((2,) * 4, (((0, 1), np.eye(2)), ((1, 2), np.eye(2)), ((2, 3), np.eye(2))))
    graph = model.build()
    out = np.full(12, np.nan)
    tables.send(graph.arrays, graph.families[0].arrays, 1, 2, np.zeros(12), out)
    np.testing.assert_array_equal(np.isnan(out), [True] * 4 + [False] * 4 + [True] * 4)


def test_a_message_does_not_return_to_its_sender():
    graph = pair(logs([[1.0, 2.0], [3.0, 4.0]]))
    quiet, _ = send(graph, np.zeros(4))
    loud, _ = send(graph, np.array([0.0, -5.0, 0.0, 0.0]))
    np.testing.assert_array_equal(loud[:2], quiet[:2])
    assert not np.array_equal(loud[2:], quiet[2:])


def test_rows_are_not_columns():
    out, _ = send(pair(logs([[1.0, 2.0], [3.0, 10.0]])), np.zeros(4))
    # ln(3/13) and ln(4/12): one logarithm each.
    np.testing.assert_allclose(out, [np.log(3 / 13), 0, np.log(4 / 12), 0], rtol=1e-15, atol=1e-16)


def test_hard_zeros_pass_on_as_zeros():
    out, dead = send(pair(logs(np.eye(3))), np.array([0.0, -np.inf, -1.0, 0.0, 0.0, 0.0]))
    np.testing.assert_array_equal(out[3:], [0.0, -np.inf, -1.0])
    assert dead == -1


def test_the_first_factor_that_allows_nothing_is_named():
    model = Model((2,) * 3, (((0, 1), np.zeros((2, 2))), ((1, 2), np.full((2, 2), -np.inf))))
    out, dead = send(model.build(), np.zeros(8))
    assert dead == 1
    np.testing.assert_array_equal(out[4:], np.full(4, -np.inf))


def test_incoming_zeros_that_meet_the_table_s_zeros_allow_nothing():
    _, dead = send(pair(logs(np.eye(2))), np.array([0.0, -np.inf, -np.inf, 0.0]))
    # Each direction still has one state: only the whole product is zero.
    assert dead == -1
    graph = pair(logs([[0.0, 1.0], [0.0, 1.0]]))
    assert send(graph, np.array([0.0, 0.0, 0.0, -np.inf]))[1] == 0


@pytest.mark.parametrize("where", range(4))
def test_nan_poisons_the_other_variable_s_message(where):
    messages = np.zeros(4)
    messages[where] = np.nan
    out, _ = send(pair(logs([[1.0, 2.0], [3.0, 4.0]])), messages)
    other = slice(2, 4) if where < 2 else slice(0, 2)
    assert np.isnan(out[other]).all()


def test_potentials_of_700_nats_stay_finite():
    table = np.array([[700.0, -700.0], [-700.0, 700.0]])
    messages = np.array([0.0, -700.0, 0.0, 0.0])
    graph = pair(table)
    out, _ = send(graph, messages)
    np.testing.assert_array_equal(out, [0.0, 0.0, 0.0, -700.0])
    found = tables.log_partition(graph.arrays, graph.families[0].arrays, 0, 1, messages)
    assert found == 700.0  # the other terms are exp(-700) smaller


def test_a_table_of_1e300_to_1_keeps_its_small_entry():
    out, _ = send(pair(logs([[1e300, 1.0], [1.0, 1e300]])), np.array([0.0, -np.inf, 0.0, 0.0]))
    # One subtraction of logs near 690.
    np.testing.assert_allclose(out[2:], [0.0, -np.log(1e300)], rtol=1e-15)


@pytest.mark.parametrize("arity", [2, 7, 12])
def test_a_variable_with_one_state_is_no_burden(arity):
    shape = (1,) * (arity - 1) + (2,)
    out, _ = send(pair(logs(np.array([1.0, 4.0]).reshape(shape))), np.zeros(arity + 1))
    # exp and log of one number.
    np.testing.assert_allclose(out[-2:], [-np.log(4.0), 0.0], rtol=1e-15)
    np.testing.assert_array_equal(out[:-2], np.zeros(arity - 1))


def test_an_arity_above_the_scratch_space_works():
    # 70 variables of one state and one of two: numpy can't hold so many axes, kernels can.
    from mpnet.kernels.layout import GraphArrays, TableArrays

    def frozen(values, dtype=np.int64):
        array = np.array(values, dtype=dtype)
        array.flags.writeable = False
        return array

    sizes = [1] * 70 + [2]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    edges = np.arange(71)
    graph = GraphArrays(
        variable_states=frozen(starts),
        variable_edges=frozen(np.arange(72)),
        slot_edge=frozen(edges),
        edge_variable=frozen(edges),
        edge_states=frozen(starts),
        factor_edges=frozen([0, 71]),
    )
    family = TableArrays(frozen([0]), frozen([0.0, np.log(3.0)], dtype=np.float64))
    out = np.full(72, np.nan)
    assert tables.send(graph, family, 0, 1, np.zeros(72), out) == -1
    np.testing.assert_allclose(out[-2:], [-np.log(3.0), 0.0], rtol=1e-15)
    total = tables.log_partition(graph, family, 0, 1, np.zeros(72))
    assert total == pytest.approx(np.log(4.0), rel=1e-15)
    assignment = np.array([0] * 70 + [1], dtype=np.int64)
    assert tables.log_potential(graph, family, 0, 1, assignment) == np.log(3.0)


def test_factors_with_equal_tables_share_one():
    table = logs([[1.0, 2.0], [3.0, 4.0]])
    graph = Model((2, 2, 2), (((0, 1), table), ((1, 2), table), ((0, 2), table.T))).build()
    arrays = graph.families[0].arrays
    assert arrays.factor_table.tolist() == [0, 0, 4]
    np.testing.assert_array_equal(graph.table_of(2), table.T)
