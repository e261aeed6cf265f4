"""Eigenvalues against runs: what damping is needed, how fast messages settle, where nothing helps."""

import numpy as np
import pytest

from mpnet.analysis import stability as module
from mpnet.analysis.jacobian import jacobian
from mpnet.analysis.stability import leading_eigenvalues, smallest_damping, stability
from mpnet.errors import UsageError
from mpnet.estimators.base import Options
from mpnet.estimators.loop import propagate
from mpnet.messages import Messages
from tests.analysis.builders import near, settled
from tests.graphs import chain, complete, cycle, grid, ising


def run(graph, damping, spread=1e-3, iterations=3000, tolerance=1e-13):
    options = Options(damping=damping, tolerance=tolerance, max_iterations=iterations)
    messages = Messages(graph, start=near(graph, spread))
    return propagate(messages, options), messages


def test_the_damping_that_antiferromagnetic_spins_need():
    graph = complete(5, -0.6).build()
    # The one eigenvalue beyond the circle is -3 tanh 0.6: 1 - a = 2 / (1 + 3 tanh 0.6).
    needed = smallest_damping(Messages(graph))
    assert needed == pytest.approx(1 - 2 / (1 + 3 * np.tanh(0.6)), abs=1e-12)
    assert needed == pytest.approx(0.234, abs=1e-3)
    outcome, _ = run(graph, 0.210)
    assert outcome.status != "converged"
    assert outcome.residual > 0.1
    outcome, messages = run(graph, 0.257)
    assert outcome.status == "converged"
    # The start was a thousandth of a nat away: messages are now uniform to a few roundings.
    assert np.abs(messages.log_messages()).max() < 1e-13


@pytest.mark.parametrize("above", [-0.01, 0.01])
@pytest.mark.parametrize(
    "model",
    [
        complete(5, -0.6),
        complete(4, -1.2, 0.1),
        ising([(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 2), (0, 4)], 5, -1.5, 0.3),
        grid(3, 3, 0.2, 0.0).plus(*complete(9, -0.35).factors),
    ],
)
def test_runs_settle_above_the_smallest_damping_and_not_below(model, above):
    graph = model.build()
    fixed = settled(graph, damping=0.7)
    needed = smallest_damping(fixed)
    assert 0.01 < needed < 0.7
    start = fixed.log_messages() + near(graph, 1e-4)
    messages = Messages(graph, start=start)
    options = Options(damping=needed + above, tolerance=1e-11, max_iterations=4000)
    outcome = propagate(messages, options)
    assert (outcome.status == "converged") == (above > 0)


@pytest.mark.parametrize("damping", [0.0, 0.3, 0.8])
@pytest.mark.parametrize(
    "model", [cycle(5, 0.8, 0.2), grid(3, 4, 0.35, 0.1), complete(5, 0.3, 0.05)]
)
def test_residuals_shrink_at_the_rate(model, damping):
    graph = model.build()
    found = stability(settled(graph))
    assert found.complete
    assert found.residual < 1e-12
    messages = Messages(graph, start=near(graph, 1.0))
    residuals = []
    for _ in range(400):
        residuals.append(messages.send_from_factors(damping)[0])
        messages.refresh()
    tail = [r for r in residuals if 1e-11 < r < 1e-3]
    measured = (tail[-1] / tail[0]) ** (1 / (len(tail) - 1))
    # Complex eigenvalues beat over the few dozen sweeps between these residuals.
    assert measured == pytest.approx(found.rate(damping), rel=0.05)


def test_the_best_damping_is_the_fastest():
    found = stability(Messages(complete(5, -0.6).build()))
    rates = [found.rate(a) for a in np.linspace(found.smallest_damping, 0.99, 200)]
    assert found.rate(found.best_damping) <= min(rates) + 1e-6
    assert stability(Messages(cycle(4, 0.1).build())).best_damping == 0.0


def test_no_damping_helps_at_an_unstable_fixed_point():
    # Uniform messages are a fixed point of an unbiased magnet, but not one that it returns to.
    graph = complete(4, 1.0).build()
    found = stability(Messages(graph))
    assert found.eigenvalues[0] == pytest.approx(2 * np.tanh(1.0))
    assert found.smallest_damping is None
    assert found.best_damping is None
    assert smallest_damping(Messages(graph)) is None
    assert "no damping makes flooding come to rest here" in found.sentence
    for damping in (0.0, 0.9):
        _, messages = run(graph, damping, spread=1e-6)
        assert np.abs(messages.log_messages()).max() > 0.5


def test_a_stable_fixed_point_needs_no_damping():
    found = stability(settled(complete(4, 1.0, 0.1).build()))
    assert found.smallest_damping == 0.0
    assert "undamped flooding comes to rest here" in found.sentence


def test_swinging_and_circling_are_told_apart():
    swinging = stability(Messages(complete(5, -0.6).build()))
    assert "swings to and fro (eigenvalue -1.611" in swinging.sentence
    assert "damping above 0.234" in swinging.sentence


def test_a_tree_has_no_eigenvalues():
    found = stability(settled(chain(5, 0.7, 0.1).build()))
    assert found.eigenvalues.size == 0
    assert (found.rate(), found.smallest_damping) == (0.0, 0.0)
    assert found.rate(0.4) == 0.4


@pytest.mark.parametrize(
    "model", [complete(5, -0.6), complete(5, 0.3, 0.1), complete(4, -1.2, 0.1), grid(4, 4, 0.6)]
)
def test_leading_eigenvalues_suffice(model, monkeypatch):
    graph = model.build()
    messages = settled(graph, damping=0.7)
    full = stability(messages)
    monkeypatch.setattr(module, "DENSE", 0)
    part = stability(messages, count=3)
    assert not part.complete
    # The tolerance that eigenvalues are asked for with is 1e-4.
    assert part.rate() == pytest.approx(full.rate(), rel=1e-3)
    if full.smallest_damping is None:
        assert part.smallest_damping is None
    else:
        assert part.smallest_damping == pytest.approx(full.smallest_damping, abs=1e-3)


def test_the_eigenvalue_that_decides_damping_need_not_be_the_largest(monkeypatch):
    # Made up: the second one needs more damping, and is found by trying what the first needs.
    values = np.array([-3.0, 1 - 0.05 + 1.5j, 1 - 0.05 - 1.5j, 0.3])

    class Made:
        size = 4
        looping = np.arange(4)

        @staticmethod
        def apply(vector):
            turn = np.array([[0.95, 1.5], [-1.5, 0.95]])
            return np.concatenate([[-3.0 * vector[0]], turn @ vector[1:3], [0.3 * vector[3]]])

    def leading(update, damping, count):
        order = np.argsort(-np.abs(damping + (1 - damping) * values))
        return values[order[:1]]

    monkeypatch.setattr(module, "_arpack", leading)
    found = module.Stability(module._leading(Made, 1), False, 0.0)
    full = module.Stability(values, True, 0.0)
    assert found.smallest_damping == pytest.approx(full.smallest_damping)
    assert full.smallest_damping > module._damping(values[:1]) + 0.1


def test_leading_eigenvalues_are_those_of_the_dense_jacobian():
    messages = settled(grid(3, 3, 0.4, 0.1).build())
    dense = np.abs(np.linalg.eigvals(jacobian(messages).toarray()))
    found = np.abs(leading_eigenvalues(messages, 5))
    np.testing.assert_allclose(found, np.sort(dense)[::-1][:5], rtol=1e-9)


def test_dampings_are_checked():
    with pytest.raises(UsageError, match=r"damping must be in \[0, 1\)"):
        stability(Messages(cycle(3, 0.3).build())).rate(1.0)
