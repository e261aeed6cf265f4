"""The damped step and its residual against their twin."""

import numpy as np
import pytest

from mpnet.kernels import residuals
from tests import reference
from tests.graphs import examples, random_loopy, star


def accept(graph, proposed, damping, messages):
    """Run the kernel with edge residuals full of NaN: it must overwrite them."""
    moved = messages.copy()
    edges = np.full(graph.arrays.edge_variable.size, np.nan)
    residual = residuals.accept(graph.arrays, proposed, damping, moved, edges)
    return moved, edges, residual


def random_messages(graph, seed, zeros):
    """Messages with their largest entry at 0, some entries impossible."""
    rng = np.random.default_rng(seed)
    rows = reference.pieces(
        rng.normal(size=int(graph.arrays.edge_states[-1])) * 5, graph.arrays.edge_states
    )
    for row in rows:
        row[1:][rng.random(row.size - 1) < zeros] = -np.inf
    return np.concatenate([*map(reference.scaled, rows), []])


@pytest.mark.parametrize("damping", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("zeros", [0.0, 0.4])
def test_equals_reference(damping, zeros):
    for seed in range(examples(30)):
        graph = random_loopy(seed).build()
        old, new = random_messages(graph, seed, zeros), random_messages(graph, seed + 999, zeros)
        found = accept(graph, new, damping, old)
        expected = reference.accept(graph.arrays, new, damping, old)
        # Three operations on numbers below 30.
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-13, atol=1e-14)
        np.testing.assert_array_equal(found[1], expected[1])
        assert found[2] == expected[2]


def test_damping_does_not_change_the_residual():
    graph = star(3).build()
    old, new = random_messages(graph, 0, 0.0), random_messages(graph, 1, 0.0)
    assert len({accept(graph, new, damping, old)[2] for damping in (0.0, 0.5, 0.99)}) == 1


def test_equal_messages_have_residual_zero_even_with_zeros():
    graph = star(2).build()
    messages = np.array([0.0, -np.inf] * 4)
    moved, edges, residual = accept(graph, messages, 0.5, messages)
    assert residual == 0.0
    np.testing.assert_array_equal(edges, np.zeros(4))
    np.testing.assert_array_equal(moved, messages)


@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_lost_and_gained_support_is_an_infinite_residual(damping):
    graph = star(1).build()
    full, cut = np.zeros(4), np.array([0.0, -np.inf, 0.0, 0.0])
    for old, new in ((full, cut), (cut, full)):
        moved, edges, residual = accept(graph, new, damping, old)
        assert residual == np.inf
        np.testing.assert_array_equal(edges, [np.inf, 0.0])
        # Zeros are taken and left at once: 0 * inf would be NaN.
        np.testing.assert_array_equal(moved, new)


@pytest.mark.parametrize("where", range(4))
@pytest.mark.parametrize("side", ["old", "new"])
@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_nan_anywhere_makes_the_residual_nan(where, side, damping):
    graph = star(1).build()
    old, new = np.zeros(4), np.array([0.0, -3.0, 0.0, -2.0])
    (old if side == "old" else new)[where] = np.nan
    _, edges, residual = accept(graph, new, damping, old)
    assert np.isnan(residual)
    np.testing.assert_array_equal(np.isnan(edges), [where < 2, where >= 2])


def test_the_largest_entry_is_zero_after_a_damped_step():
    graph = star(1).build()
    old, new = np.array([0.0, -4.0, 0.0, 0.0]), np.array([-4.0, 0.0, 0.0, 0.0])
    moved, _, _ = accept(graph, new, 0.5, old)
    np.testing.assert_array_equal(moved, np.zeros(4))


def test_a_graph_without_factors_has_residual_zero():
    graph = star(0).build()
    assert accept(graph, np.empty(0), 0.0, np.empty(0))[2] == 0.0
