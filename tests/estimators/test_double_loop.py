"""The double loop: downhill at every step, to fixed points of flat propagation."""

import numpy as np
import pytest

from mpnet import infer
from mpnet.errors import UsageError
from mpnet.estimators import double_loop, make_estimator
from mpnet.estimators.base import Options, Problem
from mpnet.estimators.double_loop import Descent, descend, split
from tests import reference
from tests.graphs import (
    Model,
    chain,
    complete,
    cycle,
    examples,
    flat,
    grid,
    ising,
    logs,
    torus,
)


def estimate(model, observe=lambda _: None, **options):
    settings = Options(**{"tolerance": 1e-9, "max_iterations": 3000, **options})
    return make_estimator("double_loop").estimate(Problem(model.build()), settings, observe)


def glass(side, coupling, seed=0):
    """A grid of couplings of either sign, in random fields."""
    rng = np.random.default_rng(seed)
    edges = grid(side, side, 1.0).scopes
    couplings = [float(coupling * s) for s in rng.choice([-1.0, 1.0], len(edges))]
    spin = np.array([1.0, -1.0])
    fields = [((v,), 0.1 * rng.normal() * spin) for v in range(side * side)]
    return ising(edges, side * side, couplings).plus(*fields)


def wide(seed, zeros=0.0):
    """Factors over two and three variables: each combination of families is one more compilation."""
    rng = np.random.default_rng(seed)
    scopes = [(0, 1), (1, 3), (3, 0), (2, 4, 1), (4, 2, 3)]
    cards = (2, 2, 3, 2, 3)
    factors = []
    for scope in scopes:
        table = rng.normal(size=[cards[v] for v in scope]) * 1.5
        table[rng.random(table.shape) < zeros] = -np.inf
        table[(0,) * table.ndim] = 0.0
        factors.append((scope, table))
    return Model(cards, (*factors, ((4,), rng.normal(size=3))))


def bethe_slope(model, found, step=1e-5):
    """Largest slope of the Bethe free energy of a binary pairwise model along any belief.

    Given its beliefs, the best joints are known (Welling and Teh 2001), so only those count.
    """

    def free_energy(on):
        value = -model.constant
        for v, p in enumerate(on):
            count = sum(v in scope for scope in model.scopes) - 1
            for state, q in enumerate((1 - p, p)):
                value -= q * model.unary[v][state] + count * q * np.log(q)
        for (a, b), table in zip(model.scopes, model.tables, strict=True):
            alpha = np.expm1(table[0, 0] + table[1, 1] - table[0, 1] - table[1, 0])
            r = 1 + alpha * (on[a] + on[b])
            both = 2 * (1 + alpha) * on[a] * on[b]
            both /= r + np.sqrt(r * r - 4 * alpha * (1 + alpha) * on[a] * on[b])
            joint = np.array([[1 - on[a] - on[b] + both, on[b] - both], [on[a] - both, both]])
            value += (joint * (np.log(joint) - table)).sum()
        return value

    on = found.beliefs.reshape(-1, 2)[:, 1]
    slopes = []
    for variable in range(on.size):
        up, down = on.copy(), on.copy()
        up[variable] += step
        down[variable] -= step
        slopes.append((free_energy(up) - free_energy(down)) / (2 * step))
    return np.abs(slopes).max(), -free_energy(on)


SWINGING = [complete(5, -0.6, 0.1), complete(4, -2.0, 0.1), complete(10, -2.0, 0.1)]


@pytest.mark.parametrize("model", SWINGING)
def test_it_converges_where_flat_propagation_swings(model):
    assert flat(model, max_iterations=300).status == "oscillating"
    found = estimate(model)
    assert found.status == "converged"
    if model is SWINGING[0]:
        slope, log_z = bethe_slope(model, found)
        # A central difference of step 1e-5 errs by about its square times the third slope.
        assert slope < 1e-6
        assert found.log_z == pytest.approx(log_z, abs=1e-9)
    damped = flat(model, damping=0.9, tolerance=1e-9, max_iterations=5000)
    assert damped.status == "converged"
    np.testing.assert_allclose(found.beliefs, damped.beliefs, atol=1e-7)


def test_a_frustrated_grid_converges_to_a_stationary_point():
    model = glass(4 if examples(10) < 10 else 6, 1.5, seed=1)
    found = estimate(model)
    assert found.status == "converged"
    slope, log_z = bethe_slope(model, found)
    assert slope < 1e-5
    assert found.log_z == pytest.approx(log_z, abs=1e-8)


@pytest.mark.parametrize("zeros", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(examples(15)))
def test_no_outer_step_raises_the_free_energy(seed, zeros):
    model = wide(seed, zeros)
    rng = np.random.default_rng(seed)
    graph = model.build()
    descent = Descent(graph, rng.normal(size=int(graph.arrays.edge_states[-1])))
    outcome = descend(descent, Options(tolerance=1e-9, max_iterations=2000), lambda _: None)
    assert outcome.status == "converged"
    values = np.array(descent.values)
    # The inner loop stops within 1e-6 nats, which the value feels squared.
    assert np.diff(values).max(initial=0.0) <= 1e-10 * (1.0 + np.abs(values).max())
    assert -values[-1] == pytest.approx(descent.plain.log_z(), abs=1e-7)


@pytest.mark.parametrize("seed", range(examples(15)))
def test_it_ends_where_flat_propagation_does_if_that_is_the_only_point(seed):
    strong = wide(seed)
    model = Model(strong.cards, tuple((s, 0.1 * t) for s, t in strong.factors))
    found, wanted = estimate(model), flat(model)
    assert found.status == wanted.status == "converged"
    np.testing.assert_allclose(found.beliefs, wanted.beliefs, atol=1e-6)
    assert found.log_z == pytest.approx(wanted.log_z, abs=1e-9)
    again = flat(model, lambda _: None, tolerance=1e-8)
    np.testing.assert_allclose(found.joint((0, 1)), again.joint((0, 1)), atol=1e-6)


def test_it_leaves_a_point_at_which_flat_propagation_rests_without_being_stable():
    # From a push, the torus has two magnetised points; flat propagation from uniform messages
    # rests at none of them.
    model = torus(4, 0.4)
    graph = model.build()
    push = np.random.default_rng(0).normal(size=int(graph.arrays.edge_states[-1]))
    descent = Descent(graph, push)
    descend(descent, Options(tolerance=1e-10, max_iterations=3000), lambda _: None)
    beliefs = descent.plain.marginals()
    # The cavity equation u = 3 atanh(tanh J tanh u), m = tanh(4 atanh(tanh J tanh u)).
    np.testing.assert_allclose(np.abs(beliefs[::2] - beliefs[1::2]), 0.735734647125, atol=1e-7)


def test_a_tree_takes_one_step_where_convexity_covers_it():
    model = chain(6, 0.8, 0.1)
    found = estimate(model)
    assert found.status == "converged"
    assert found.exact
    assert found.log_z == pytest.approx(reference.log_z(model), abs=1e-9)
    np.testing.assert_allclose(found.beliefs, reference.marginals(model), atol=1e-8)


def test_a_split_covers_no_more_than_is_convex():
    graph = grid(3, 3, 0.5).build()
    degree = np.diff(graph.arrays.variable_edges)
    for kept in (0.0, 0.9, 1.0):
        found = split(graph, kept)
        covered = degree - 1.0 - found.tangent[::2]
        np.testing.assert_allclose(found.power, 1.0 / (degree - covered), rtol=1e-12)
        assert (found.tangent >= 0.0).all()
        # Each of the 12 factors covers at most a unit.
        assert covered.sum() == pytest.approx(12 * kept, rel=1e-12)


def test_where_keeping_much_fails_less_is_kept(monkeypatch):
    monkeypatch.setattr(double_loop, "KEPT", 3.0)
    model = complete(6, -1.5, 0.1)
    descent = Descent(model.build())
    outcome = descend(descent, Options(tolerance=1e-9, max_iterations=2000), lambda _: None)
    assert outcome.status == "converged"
    assert descent.kept == 0.0


def test_every_outer_step_is_shown():
    seen = []
    found = estimate(cycle(5, 0.6, 0.2), seen.append)
    assert len(seen) == found.iterations + 1
    assert seen[-1].residual == found.residual
    assert seen[-1].log_z == pytest.approx(found.log_z, rel=1e-14)
    assert found.updates > 0
    assert "the Bethe free energy fell by" in found.notes[0]


def test_a_run_that_is_cut_short_says_what_would_help():
    found = estimate(glass(4, 0.5), max_iterations=12)
    assert found.status == "max_iterations"
    assert found.log_z is None
    assert "not converged after 12 outer steps" in found.reason
    assert "try max_iterations" in found.reason


def test_contradictions_are_told():
    links = tuple(((v, v + 1), logs(np.eye(2))) for v in range(2))
    found = estimate(Model((2,) * 3, (*links, ((0,), logs([1, 0])), ((2,), logs([0, 1])))))
    assert found.status == "inconsistent"
    assert found.guilty
    assert estimate(Model((2,), (((), np.array(-np.inf)),))).status == "inconsistent"


def test_a_graph_without_factors_is_done_at_once():
    found = estimate(Model((3,), (((0,), logs([1.0, 2.0, 1.0])),)))
    assert found.status == "converged"
    np.testing.assert_allclose(found.beliefs, [0.25, 0.5, 0.25], rtol=1e-14)
    assert found.log_z == pytest.approx(np.log(4.0), rel=1e-14)


def test_other_temperatures_are_refused():
    with pytest.raises(UsageError, match="the estimator double_loop works at temperature 1 only"):
        estimate(cycle(3, 0.3), temperature=0.0)


def test_infer_knows_it():
    result = infer(SWINGING[0].build(), estimator="double_loop")
    assert result.status == "converged"
