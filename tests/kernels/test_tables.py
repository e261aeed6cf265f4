"""Dense tables: partition sums and potentials against their twins, and awkward numbers."""

import numpy as np
import pytest

from mpnet.kernels import tables
from mpnet.kernels.layout import GraphArrays, TableArrays
from mpnet.kernels.semiring import LinearMax, LinearSum, LogMax, LogSum
from tests import reference
from tests.graphs import Model, examples, logs
from tests.kernels.semirings import (
    SPACES,
    Space,
    frozen,
    mixed,
    plain,
    random_logs,
    scaled_messages,
)


def pair(table):
    return Model(np.shape(table), ((tuple(range(np.ndim(table))), np.array(table)),)).build()


def send(space, graph, messages):
    """What the first factor says, as logs; and its status."""
    (family,) = graph.families
    arrays, _ = space.family(family)
    to_factor = space.values(np.array(messages, dtype=float))
    out = np.full_like(to_factor, np.nan)
    old = space.values(np.zeros(out.size))
    _, status = tables.send(
        space.semiring, graph.arrays, plain(arrays), 0, 1, to_factor, old, out, 0.0, np.empty(0)
    )
    return space.logs(out), status


def total(space, graph, messages):
    (family,) = graph.families
    arrays, _ = space.family(family)
    return tables.log_partition(
        space.semiring,
        graph.arrays,
        plain(arrays),
        0,
        1,
        space.values(np.array(messages, dtype=float)),
    )


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("zeros", [0.0, 0.4])
def test_log_partition_equals_the_twin(space, zeros):
    for seed in range(examples(12)):
        graph = mixed(seed, (2, 3, None)[seed % 3], zeros).build()
        messages = space.values(random_logs(graph, seed, zeros, size=30.0))
        for family in graph.families:
            arrays, twin = space.family(family)
            here = range(family.first, family.last)
            found = tables.log_partition(
                space.semiring, graph.arrays, plain(arrays), family.first, family.last, messages
            )
            expected = reference.log_partition(
                graph.arrays, twin, here, space.logs(messages), space.maximise
            )
            # A few factors, each a sum of up to 81 terms and logs below 200.
            assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("kind", [LinearSum, LinearMax])
@pytest.mark.parametrize(("dtype", "size"), [(np.float64, 120.0), (np.float32, 15.0)])
def test_log_partition_holds_where_the_product_of_all_messages_is_too_small(kind, dtype, size):
    # Each message is well within the range, but a sum takes one more of them than a message.
    space = Space(kind, dtype)
    for seed in range(examples(20)):
        graph = mixed(seed, 3, zeros=0.6).build()
        to_factor = space.values(random_logs(graph, seed, size=size))
        for family in graph.families:
            arrays, twin = space.family(family)
            for factor in range(family.first, family.last):
                found = tables.log_partition(
                    space.semiring, graph.arrays, plain(arrays), factor, factor + 1, to_factor
                )
                expected = reference.log_partition(
                    graph.arrays, twin, [factor], space.logs(to_factor), space.maximise
                )
                # Logs below 1000 in double, below 100 in single precision.
                rounding = 20 * float(np.finfo(dtype).eps)
                assert found == pytest.approx(expected, rel=rounding, abs=rounding)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_log_potential_equals_the_twin(space):
    for seed in range(examples(20)):
        graph = mixed(seed, zeros=0.2).build()
        rng = np.random.default_rng(seed)
        assignment = np.array([rng.integers(n) for n in graph.cardinalities], dtype=np.int64)
        for family in graph.families:
            arrays, twin = space.family(family)
            found = tables.log_potential(
                space.semiring, graph.arrays, plain(arrays), family.first, family.last, assignment
            )
            here = range(family.first, family.last)
            expected = reference.log_potential(graph.arrays, twin, here, assignment)
            assert found == pytest.approx(expected, rel=1e-14)  # the same few additions


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_a_message_does_not_return_to_its_sender(space):
    graph = pair(logs([[1.0, 2.0], [3.0, 4.0]]))
    quiet, _ = send(space, graph, np.zeros(4))
    loud, _ = send(space, graph, [0.0, -5.0, 0.0, 0.0])
    np.testing.assert_array_equal(loud[:2], quiet[:2])
    assert not np.array_equal(loud[2:], quiet[2:])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (LinearSum, [3 / 13, 4 / 12]),
        (LogSum, [3 / 13, 4 / 12]),
        (LinearMax, [2 / 10, 3 / 10]),
        (LogMax, [2 / 10, 3 / 10]),
    ],
)
def test_rows_are_not_columns(kind, expected):
    out, _ = send(Space(kind), pair(logs([[1.0, 2.0], [3.0, 10.0]])), np.zeros(4))
    # One sum and one logarithm each.
    wanted = [np.log(expected[0]), 0, np.log(expected[1]), 0]
    np.testing.assert_allclose(out, wanted, rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_hard_zeros_pass_on_as_zeros(space):
    out, status = send(space, pair(logs(np.eye(3))), [0.0, -np.inf, -1.0, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(out[3:], [0.0, -np.inf, -1.0], rtol=1e-15)
    assert status == -1


@pytest.mark.parametrize("kind", [LogSum, LogMax])
def test_potentials_of_700_nats_stay_finite_in_log_space(kind):
    graph = pair(np.array([[700.0, -700.0], [-700.0, 700.0]]))
    messages = [0.0, -700.0, 0.0, 0.0]
    out, _ = send(Space(kind), graph, messages)
    np.testing.assert_array_equal(out, [0.0, 0.0, 0.0, -700.0])
    # The other terms are exp(-700) smaller.
    assert total(Space(kind), graph, messages) == 700.0


@pytest.mark.parametrize("kind", [LogSum, LogMax])
def test_a_table_of_1e300_to_1_keeps_its_small_entry(kind):
    out, _ = send(Space(kind), pair(logs([[1e300, 1.0], [1.0, 1e300]])), [0.0, -np.inf, 0.0, 0.0])
    # One subtraction of logs near 690.
    np.testing.assert_allclose(out[2:], [0.0, -np.log(1e300)], rtol=1e-15)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_nothing_possible_has_log_partition_minus_infinity_and_nan_has_nan(space):
    graph = pair(logs(np.eye(2)))
    assert total(space, graph, [0.0, -np.inf, -np.inf, 0.0]) == -np.inf
    assert np.isnan(total(space, graph, [0.0, np.nan, 0.0, 0.0]))


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("arity", [2, 7, 12])
def test_a_variable_with_one_state_is_no_burden(space, arity):
    shape = (1,) * (arity - 1) + (2,)
    out, _ = send(space, pair(logs(np.array([1.0, 4.0]).reshape(shape))), np.zeros(arity + 1))
    # exp and log of one number.
    np.testing.assert_allclose(out[-2:], [-np.log(4.0), 0.0], rtol=1e-15)
    np.testing.assert_array_equal(out[:-2], np.zeros(arity - 1))


def long_factor(width):
    """70 variables of one state and one of ``width``: numpy can't hold so many axes."""
    sizes = [1] * 70 + [width]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    edges = np.arange(71, dtype=np.int32)
    return GraphArrays(
        variable_states=frozen(starts),
        variable_edges=frozen(np.arange(72, dtype=np.int32)),
        slot_edge=frozen(edges),
        edge_variable=frozen(edges.copy()),
        edge_states=frozen(starts.copy()),
        factor_edges=frozen(np.array([0, 71], dtype=np.int32)),
    )


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_an_arity_and_a_width_above_the_scratch_space_work(space):
    width = 100
    graph = long_factor(width)
    potentials = np.linspace(-3.0, 0.0, width)
    family = TableArrays(0, frozen(np.zeros(1, dtype=np.int32)), frozen(space.values(potentials)))
    ones = space.values(np.zeros(70 + width))
    out = np.full_like(ones, np.nan)
    worst, status = tables.send(
        space.semiring, graph, family, 0, 1, ones, ones, out, 0.0, np.empty(0)
    )
    assert (worst, status) == (pytest.approx(3.0, rel=1e-14), -1)
    np.testing.assert_allclose(space.logs(out)[70:], potentials, rtol=1e-13, atol=1e-15)
    found = tables.log_partition(space.semiring, graph, family, 0, 1, ones)
    assert found == pytest.approx(reference.combined(potentials, space.maximise), rel=1e-14)
    # So small that the sum is added up in logs: scratch space is short there, too.
    small = space.values(np.full(70 + width, -6.0 if space.linear else -600.0))
    expected = reference.combined(potentials, space.maximise) + 71 * space.logs(small)[0]
    found = tables.log_partition(space.semiring, graph, family, 0, 1, small)
    assert found == pytest.approx(expected, rel=1e-14)
    assignment = np.array([0] * 70 + [1], dtype=np.int64)
    found = tables.log_potential(space.semiring, graph, family, 0, 1, assignment)
    assert found == pytest.approx(potentials[1], rel=1e-15)


def test_factors_with_equal_tables_share_one():
    table = logs([[1.0, 2.0], [3.0, 4.0]])
    graph = Model((2, 2, 2), (((0, 1), table), ((1, 2), table), ((0, 2), table.T))).build()
    for space in SPACES:
        arrays, _ = space.family(graph.families[0])
        assert arrays.factor_table.tolist() == [0, 0, 4]
        messages, _ = send_all(space, graph)
        np.testing.assert_array_equal(messages[0:4], messages[4:8])
    np.testing.assert_array_equal(graph.table_of(2), table.T)


def send_all(space, graph):
    arrays, _ = space.family(graph.families[0])
    ones = space.values(np.zeros(int(graph.arrays.edge_states[-1])))
    out = np.full_like(ones, np.nan)
    answer = tables.send(
        space.semiring, graph.arrays, plain(arrays), 0, 3, ones, ones, out, 0.0, np.empty(0)
    )
    return scaled_messages(graph, space.logs(out)), answer
