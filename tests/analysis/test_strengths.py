"""How much of a change a factor hands on, against enumeration and against its own messages."""

import itertools

import numpy as np
import pytest

from mpnet.analysis import strengths as module
from mpnet.analysis.strengths import strengths
from tests.graphs import logs


def paper(table, i, j):
    """N(psi, i, j) of Mooij and Kappen (2007), equation 44, over every choice of states."""
    psi = np.moveaxis(np.exp(table), (i, j), (0, 1))
    psi = psi.reshape(*psi.shape[:2], -1)
    best = 0.0
    for (a, c), (b, d) in itertools.product(
        itertools.permutations(range(psi.shape[0]), 2),
        itertools.permutations(range(psi.shape[1]), 2),
    ):
        for g, h in itertools.product(range(psi.shape[2]), repeat=2):
            top, bottom = psi[a, b, g] * psi[c, d, h], psi[c, b, g] * psi[a, d, h]
            if top > 0 and bottom == 0:
                return 1.0
            if top > 0:
                best = max(best, np.tanh(0.25 * np.log(top / bottom)))
    return best


def message(table, i, incoming):
    """What a factor says to its variable i, in nats."""
    axes = [axis for axis in range(table.ndim) if axis != i]
    for axis in axes:
        shape = [1] * table.ndim
        shape[axis] = -1
        table = table + incoming[axis].reshape(shape)
    return np.logaddexp.reduce(np.moveaxis(table, i, 0).reshape(table.shape[i], -1), axis=1)


def span(values):
    return values.max() - values.min()


def test_a_pair_of_spins_hands_on_tanh_of_its_coupling():
    couplings = np.array([0.0, 0.3, -1.7, 12.0])
    spin = np.array([1.0, -1.0])
    found = strengths(couplings[:, None, None] * np.outer(spin, spin) + 0.7 * spin)
    # tanh of sums of four logarithms.
    np.testing.assert_allclose(found[:, 0, 1], np.tanh(np.abs(couplings)), atol=1e-15)
    np.testing.assert_array_equal(found[:, 1, 0], found[:, 0, 1])
    np.testing.assert_array_equal(found[:, 0, 0], 0.0)


@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (4, 3), (1, 3)])
@pytest.mark.parametrize("zeros", [0.0, 0.3])
def test_two_variables_equal_the_paper(shape, zeros):
    rng = np.random.default_rng(len(shape) + shape[0])
    for _ in range(20):
        table = logs(np.where(rng.random(shape) < zeros, 0.0, rng.gamma(1.0, size=shape)))
        found = strengths(table[None])[0]
        for i, j in ((0, 1), (1, 0)):
            assert found[i, j] == pytest.approx(paper(table, i, j), abs=1e-14)


@pytest.mark.parametrize("shape", [(2, 2, 2), (3, 2, 2), (2, 3, 1), (2, 2, 2, 2)])
@pytest.mark.parametrize("zeros", [0.0, 0.3])
def test_terms_alone_equal_the_paper_and_pairs_are_sharper(shape, zeros, monkeypatch):
    rng = np.random.default_rng(sum(shape))
    tables = logs(np.where(rng.random((8, *shape)) < zeros, 0.0, rng.gamma(1.0, size=(8, *shape))))
    sharp = strengths(tables)
    monkeypatch.setattr(module, "SHARP_WORK", 0)
    blunt = strengths(tables)
    for number, table in enumerate(tables):
        for i, j in itertools.permutations(range(len(shape)), 2):
            assert blunt[number, i, j] == pytest.approx(paper(table, i, j), abs=1e-14)
    assert (sharp <= blunt + 1e-15).all()
    monkeypatch.setattr(module, "WORK", 0)
    assert (strengths(tables) >= blunt - 1e-15).all()


@pytest.mark.parametrize("shape", [(2, 2), (3, 4), (2, 2, 2), (2, 3, 2)])
def test_no_change_of_a_message_is_handed_on_by_more(shape):
    rng = np.random.default_rng(5)
    closest = 0.0
    for _ in range(300):
        table = 2.0 * rng.normal(size=shape)
        bound = strengths(table[None])[0]
        incoming = [rng.normal(size=n) * rng.choice([0.1, 1.0, 5.0]) for n in shape]
        i, j = rng.choice(len(shape), size=2, replace=False)
        moved = list(incoming)
        moved[j] = incoming[j] + rng.normal(size=shape[j]) * rng.choice([1e-3, 1.0])
        heard = span(message(table, i, moved) - message(table, i, incoming))
        share = heard / span(moved[j] - incoming[j])
        assert share <= bound[i, j] + 1e-9
        closest = max(closest, share / bound[i, j])
    assert closest > 0.8


def test_pairs_see_that_a_variable_is_not_coupled_at_all():
    rng = np.random.default_rng(2)
    table = rng.normal(size=(2, 1, 1)) + rng.normal(size=(1, 3, 2))
    found = strengths(table[None])[0]
    # Sums of four logarithms of order one, which should be nothing.
    np.testing.assert_allclose(found[0], 0.0, atol=1e-15)
    np.testing.assert_allclose(found[:, 0], 0.0, atol=1e-15)
    assert found[1, 2] > 0.0


def test_hard_zeros_hand_on_everything_and_excluded_states_nothing():
    equal = logs(np.eye(2))
    np.testing.assert_array_equal(strengths(equal[None])[0], [[0, 1], [1, 0]])
    observed = logs([[2.0, 3.0], [0.0, 0.0]])
    np.testing.assert_array_equal(strengths(observed[None])[0], 0.0)
