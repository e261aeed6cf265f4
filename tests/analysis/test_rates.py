"""Rates against linear recursions whose eigenvalues are known, and against runs."""

import math

import numpy as np
import pytest

from mpnet.analysis.rates import contraction_rate, iterations_needed
from mpnet.analysis.stability import stability
from mpnet.messages import Messages
from tests.analysis.builders import near, settled
from tests.graphs import complete, cycle, grid


def recursion(eigenvalues, count, seed=0):
    """Largest change of each step of a linear recursion with these eigenvalues."""
    rng = np.random.default_rng(seed)
    size = len(eigenvalues)
    basis = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
    step = basis @ np.diag(eigenvalues) @ np.linalg.inv(basis)
    state = rng.normal(size=size)
    residuals = []
    for _ in range(count):
        state, before = step @ state, state
        residuals.append(float(np.abs(state - before).max()))
    return residuals


@pytest.mark.parametrize("rate", [0.3, 0.9, 0.999, 1.02])
def test_a_pure_mode_is_measured_exactly(rate):
    # Powers and one logarithm of a ratio.
    assert contraction_rate([3.0 * rate**t for t in range(60)]) == pytest.approx(rate, rel=1e-12)


@pytest.mark.parametrize("modulus", [0.5, 0.9, 0.98, 1.05])
@pytest.mark.parametrize("angle", [0.3, 1.0, 2.2, math.pi])
def test_swinging_modes_are_measured_by_their_modulus(modulus, angle):
    pair = [modulus * np.exp(1j * angle), modulus * np.exp(-1j * angle)]
    for seed in range(5):
        residuals = recursion([*pair, 0.4 * modulus, -0.6 * modulus], 80, seed)
        if residuals[-1] > 1e-12:
            # Peaks lie up to half a swing beside their places, over twenty iterations.
            assert contraction_rate(residuals) == pytest.approx(modulus, rel=0.03)


def test_the_start_of_a_run_does_not_count():
    residuals = [*np.linspace(5.0, 1.0, 40), *(0.8**t for t in range(60))]
    assert contraction_rate(residuals) == pytest.approx(0.8, rel=1e-9)


def test_what_is_not_finite_or_rounding_is_left_out():
    decay = [0.5**t for t in range(30)]
    assert contraction_rate([np.nan, np.inf, 1.0, np.inf, *decay]) == pytest.approx(0.5)
    noisy = [*decay, *(1e-15 * (1 + t % 3) for t in range(100))]
    assert contraction_rate(noisy, floor=1e-14) == pytest.approx(0.5)
    assert contraction_rate([*decay, 0.0, 0.0]) == pytest.approx(0.5)


def test_too_little_tells_nothing():
    assert contraction_rate([]) is None
    assert contraction_rate([1.0, 0.5, 0.25]) is None
    assert contraction_rate([np.inf] * 10) is None
    assert contraction_rate([0.0] * 10) is None


@pytest.mark.parametrize("damping", [0.0, 0.5])
@pytest.mark.parametrize(
    "model", [cycle(5, 0.8, 0.2), grid(3, 4, 0.35, 0.1), complete(5, -0.35, 0.3)]
)
def test_a_run_is_measured_as_its_eigenvalues_tell(model, damping):
    graph = model.build()
    messages = Messages(graph, start=near(graph, 1.0))
    residuals = []
    while not residuals or (residuals[-1] > 1e-11 and len(residuals) < 500):
        residuals.append(messages.send_from_factors(damping)[0])
        messages.refresh()
    expected = stability(settled(graph)).rate(damping)
    # Complex eigenvalues beat within the last quarter.
    assert contraction_rate(residuals) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.97])
def test_iterations_needed_are_those_of_the_recursion(rate):
    residual, count = 0.7, 0
    while residual > 1e-9:
        residual, count = residual * rate, count + 1
    assert iterations_needed(0.7, rate, 1e-9) == count


def test_no_number_of_iterations_is_made_up():
    assert iterations_needed(1.0, 1.0, 1e-6) is None
    assert iterations_needed(1.0, 1.3, 1e-6) is None
    assert iterations_needed(1.0, None, 1e-6) is None
    assert iterations_needed(math.inf, 0.5, 1e-6) is None
    assert iterations_needed(math.nan, 0.5, 1e-6) is None
    assert iterations_needed(1.0, 0.5, 0.0) is None
    assert iterations_needed(1e-7, 1.3, 1e-6) == 0
    assert iterations_needed(1.0, 0.0, 1e-6) == 1
    assert iterations_needed(0.5, 0.5, 0.25) == 1
