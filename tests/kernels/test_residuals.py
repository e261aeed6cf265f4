"""The damped step and its residual against their twin."""

import numpy as np
import pytest

from mpnet.kernels import residuals
from mpnet.kernels.semiring import LinearSum
from tests import reference
from tests.graphs import examples
from tests.kernels.semirings import SPACES, Space


def settled(space, old, new, damping, same_array=False):
    """Run on logs, in the middle of longer arrays: (message as logs, residual)."""
    fresh = np.full(new.size + 2, np.nan, dtype=space.dtype)
    fresh[1:-1] = space.values(new)
    before = np.full(old.size + 5, 0.75, dtype=space.dtype)
    before[3:-2] = space.values(old)
    out = before if same_array else np.full_like(before, 0.75)
    change = residuals.settle(space.semiring, new.size, fresh, 1, before, out, 3, damping)
    np.testing.assert_array_equal(out[:3], 0.75)
    np.testing.assert_array_equal(out[-2:], 0.75)
    if not same_array:
        np.testing.assert_array_equal(before[3:-2], space.values(old))
    return space.logs(out[3:-2]), change


def message(rng, states, zeros, size=5.0):
    """A log message of any scale with at least one possible state."""
    row = rng.normal(size=states) * size
    row[1:][rng.random(states - 1) < zeros] = -np.inf
    return rng.permutation(row)


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("damping", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("zeros", [0.0, 0.4])
@pytest.mark.parametrize("same_array", [False, True])
def test_equals_the_twin(space, damping, zeros, same_array):
    rng = np.random.default_rng(0)
    for _ in range(examples(60)):
        states = int(rng.integers(1, 6))
        old = reference.scaled(message(rng, states, zeros))
        new = message(rng, states, zeros)
        found, change = settled(space, old, new, damping, same_array)
        expected = reference.damped(old, reference.scaled(new), damping)
        # Three operations on numbers below 40.
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)
        assert change == pytest.approx(reference.change(old, new), rel=1e-13, abs=1e-13)
        assert found.max() == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_damping_does_not_change_the_residual(space):
    rng = np.random.default_rng(1)
    old, new = message(rng, 4, 0.0), message(rng, 4, 0.0)
    assert len({settled(space, old, new, damping)[1] for damping in (0.0, 0.5, 0.99)}) == 1


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_a_scaled_message_is_the_same_message(space):
    old = np.array([0.0, -1.0, -np.inf, -4.0])
    found, change = settled(space, old, old + 3.0, 0.5)
    # Scaling back rounds each entry once.
    assert change == pytest.approx(0.0, abs=1e-15)
    np.testing.assert_allclose(found, old, rtol=1e-15)


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_lost_and_gained_support_is_an_infinite_residual(space, damping):
    full, cut = np.array([0.0, -1.0, 0.0]), np.array([0.0, -np.inf, 0.0])
    for old, new in ((full, cut), (cut, full)):
        found, change = settled(space, old, new, damping)
        assert change == np.inf
        # Zeros are taken and left at once: 0 * inf would be NaN.
        np.testing.assert_allclose(found, new, rtol=1e-15)


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_a_message_of_nothing_is_told_and_stored(space, damping):
    found, change = settled(space, np.zeros(3), np.full(3, -np.inf), damping)
    assert change == -1.0
    np.testing.assert_array_equal(found, np.full(3, -np.inf))


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("damping", [0.0, 0.5])
@pytest.mark.parametrize("where", range(3))
@pytest.mark.parametrize("before", [(0.0, -1.0, -2.0), (0.0, -np.inf, -np.inf)])
def test_nan_makes_the_residual_nan(space, damping, where, before):
    new = np.array([0.0, -3.0, -1.0])
    new[where] = np.nan
    found, change = settled(space, np.array(before), new, damping)
    assert np.isnan(change)
    assert np.isnan(found).any()
    old = np.array([0.0, -1.0, -2.0])
    old[where] = np.nan
    assert np.isnan(settled(space, old, np.array([0.0, -3.0, -1.0]), damping)[1])


def test_larger_keeps_nan():
    for a, b, expected in ((1.0, 2.0, 2.0), (2.0, 1.0, 2.0), (np.inf, 3.0, np.inf)):
        assert residuals.larger(a, b) == expected
    for pair in ((np.nan, 1.0), (1.0, np.nan), (np.nan, np.inf), (np.inf, np.nan)):
        assert np.isnan(residuals.larger(*pair))


def span(new, old):
    fresh, before = np.array([9.0, *new]), np.array([7.0, 7.0, *old])
    count, at, start = map(np.uintp, (len(new), 1, 2))
    return residuals.span(count, fresh, at, before, start)


def test_span_equals_the_twin():
    rng = np.random.default_rng(2)
    space = Space(LinearSum)
    for _ in range(examples(100)):
        states = int(rng.integers(1, 6))
        old, new = message(rng, states, 0.3), message(rng, states, 0.3)
        found = np.log1p(span(space.values(new), space.values(old)))
        assert found == pytest.approx(reference.change(old, new), rel=1e-13, abs=1e-13)


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ([np.nan, 1.0], [1.0, 1.0]),
        ([1.0, np.nan], [1.0, 1.0]),
        ([np.nan, np.nan], [0.0, 1.0]),
        ([np.nan, np.nan], [1.0, 0.0]),
        ([1.0, 0.5], [np.nan, 1.0]),
    ],
)
def test_span_keeps_nan_even_where_support_changes(new, old):
    assert np.isnan(span(new, old))


@pytest.mark.parametrize(
    ("gap", "least", "expected"),
    [(0.5, 0.25, 2.0), (0.0, 0.0, 0.0), (0.1, 0.0, np.inf), (0.0, 3.0, 0.0)],
)
def test_excess_of_cross_products(gap, least, expected):
    assert residuals.excess(gap, least) == expected


def test_excess_keeps_nan():
    for pair in ((np.nan, 1.0), (np.nan, 0.0), (np.nan, np.nan)):
        assert np.isnan(residuals.excess(*pair))
