"""The engine against its twin, against exact answers, and against numbers from outside."""

import numpy as np
import pytest

from mpnet.errors import TooLargeError
from mpnet.estimators.base import Options
from mpnet.estimators.exact import solve
from mpnet.estimators.loop import propagate
from mpnet.messages import Messages
from tests import reference
from tests.graphs import (
    Model,
    assert_same_run,
    chain,
    complete,
    cycle,
    examples,
    flat,
    grid,
    logs,
    random_forest,
    random_loopy,
    states_of,
    torus,
)


@pytest.mark.parametrize("damping", [0.0, 0.3, 0.9])
def test_equals_the_twin_after_every_sweep_on_loopy_graphs(damping):
    for seed in range(examples(200)):
        assert_same_run(random_loopy(seed), damping)


@pytest.mark.parametrize("damping", [0.0, 0.3])
def test_equals_the_twin_after_every_sweep_on_forests(damping):
    for seed in range(examples(40)):
        assert_same_run(random_forest(seed), damping)


@pytest.mark.parametrize("seed", range(examples(100)))
def test_is_exact_on_forests(seed):
    model = random_forest(seed)
    found = flat(model)
    assert found.status == "converged"
    # A dozen additions of logs below 50 on each path: 1e-10 leaves a factor of 1000.
    np.testing.assert_allclose(found.beliefs, reference.marginals(model), rtol=0, atol=1e-10)
    assert found.log_z == pytest.approx(reference.log_z(model), abs=1e-10)


@pytest.mark.parametrize("coupling", [0.5, -1.0, 20.0])
def test_is_exact_on_chains(coupling):
    model = chain(10, coupling, field=0.1)
    found = flat(model)
    np.testing.assert_allclose(found.beliefs, reference.marginals(model), rtol=0, atol=1e-10)
    # Log Z is up to 200 nats: 1e-12 of that is 2e-10.
    assert found.log_z == pytest.approx(reference.log_z(model), rel=1e-12)


def test_a_long_nearly_deterministic_chain_matches_the_transfer_matrix():
    count, coupling, field = examples(1000), 20.0, 0.01
    found = flat(chain(count, coupling, field))
    spins = np.array([1.0, -1.0])
    step = coupling * np.outer(spins, spins) + field * spins
    row = field * spins
    for _ in range(count - 1):
        row = np.logaddexp.reduce(row[:, None] + step, axis=0)
    # The bound for near-deterministic couplings: 1000 roundings of 2e4 nats are about 1e-12.
    assert found.log_z == pytest.approx(np.logaddexp.reduce(row), rel=1e-10)


@pytest.mark.parametrize("seed", range(examples(100)))
def test_enumeration_equals_brute_force(seed):
    model = random_loopy(seed)
    found = solve(model.build(), junction=False)
    # Both add up the same terms in another order: a few roundings.
    np.testing.assert_allclose(found.marginals, reference.marginals(model), rtol=0, atol=1e-13)
    assert found.log_z == pytest.approx(reference.log_z(model), rel=1e-13, abs=1e-13)


# Seeds chosen so that the models hold a hard zero, several parts and cardinality 1 between them.
@pytest.mark.parametrize("seed", range(12))
def test_the_junction_tree_equals_enumeration(seed):
    graph = random_loopy(seed).build()
    listed, tree = solve(graph), solve(graph, limit=1)
    # pgmpy multiplies probabilities: relative error 1e-15 per factor, tables summed over 5000.
    np.testing.assert_allclose(tree.marginals, listed.marginals, rtol=0, atol=1e-9)
    assert tree.log_z == pytest.approx(listed.log_z, abs=1e-9)
    for factor in graph.factors:
        np.testing.assert_allclose(
            tree.joint(factor.scope), listed.joint(factor.scope), rtol=0, atol=1e-9
        )


def test_the_junction_tree_seeds_hold_the_awkward_cases():
    models = [random_loopy(seed) for seed in range(12)]
    assert any(np.isneginf(t).any() for m in models for t in m.tables)
    assert any(1 in m.cards for m in models)
    assert any(len(solve(m.build()).parts) > 1 for m in models)


def test_exact_refuses_what_is_too_large_and_says_how_large():
    graph = torus(4, 0.3).build()
    with pytest.raises(TooLargeError, match=r"65536 joint states .*'v0'; at most 1000 are"):
        solve(graph, limit=1000, junction=False)


def test_exact_refuses_a_clique_that_is_too_large_and_says_how_large():
    edges = [(a, b) for a in range(12) for b in range(a)]
    model = Model((4,) * 12, tuple((edge, np.eye(4)) for edge in edges))
    with pytest.raises(
        TooLargeError, match=r"clique table of about 10\^7 entries; at most 4194304"
    ):
        solve(model.build())


@pytest.mark.parametrize(
    ("count", "coupling", "log_z", "log_z_bethe"),
    [(4, 0.5, 3.29764200481, 3.25304675007), (6, 1.0, 6.93982963878, 6.76156806626)],
)
def test_the_cycle_has_its_textbook_partition_sums(count, coupling, log_z, log_z_bethe):
    model = cycle(count, coupling)
    # The literals have 12 digits.
    assert flat(model).log_z == pytest.approx(log_z_bethe, abs=1e-11)
    assert solve(model.build()).log_z == pytest.approx(log_z, abs=1e-11)
    assert flat(model).log_z == pytest.approx(count * np.log(2 * np.cosh(coupling)), abs=1e-11)


@pytest.mark.parametrize("seed", range(10))
def test_a_single_cycle_gives_the_largest_eigenvalue(seed):
    rng = np.random.default_rng(seed)
    count, states = int(rng.integers(3, 9)), int(rng.integers(2, 5))
    tables = rng.random((count, states, states)) + 0.1
    edges = [(v, (v + 1) % count) for v in range(count)]
    model = Model((states,) * count, tuple(zip(edges, logs(tables), strict=True)))
    around = np.linalg.multi_dot(tables)
    largest = np.max(np.linalg.eigvals(around).real)
    # Eigenvalues of a matrix of size 4 to a few roundings.
    assert flat(model).log_z == pytest.approx(np.log(largest), abs=1e-11)


def sprinkler():
    """Cloudy, sprinkler, rain, wet grass; the grass is wet."""
    return Model(
        (2, 2, 2, 2),
        (
            ((0,), logs([0.5, 0.5])),
            ((0, 1), logs([[0.5, 0.5], [0.9, 0.1]])),
            ((0, 2), logs([[0.8, 0.2], [0.2, 0.8]])),
            ((1, 2, 3), logs([[[1, 0], [0.1, 0.9]], [[0.1, 0.9], [0.01, 0.99]]])),
            ((3,), logs([0, 1])),
        ),
    )


def test_the_sprinkler_has_its_exact_and_its_loopy_numbers():
    model = sprinkler()
    exact, found = solve(model.build()), flat(model)
    # The literals have 12 digits; they were made by other code.
    assert np.exp(exact.log_z) == pytest.approx(0.6471, abs=1e-12)
    assert exact.marginals[[1, 3, 5]] == pytest.approx(
        [0.575799721836, 0.429763560501, 0.70792767733], abs=1e-11
    )
    assert np.exp(found.log_z) == pytest.approx(0.560371879268, abs=1e-9)
    assert found.beliefs[[1, 3, 5]] == pytest.approx(
        [0.603558843785, 0.4040418053, 0.784074259557], abs=1e-9
    )


def test_the_burglary_is_exact():
    alarm = np.array([[0.001, 0.29], [0.94, 0.95]])
    model = Model(
        (2, 2, 2, 2, 2),
        (
            ((0,), logs([0.999, 0.001])),
            ((1,), logs([0.998, 0.002])),
            ((0, 1, 2), logs(np.stack([1 - alarm, alarm], axis=-1))),
            ((2, 3), logs([[0.95, 0.05], [0.1, 0.9]])),
            ((2, 4), logs([[0.99, 0.01], [0.3, 0.7]])),
            ((3,), logs([0, 1])),
            ((4,), logs([0, 1])),
        ),
    )
    found = flat(model)
    # Half a unit of the last digit given.
    assert found.beliefs[1] == pytest.approx(0.284171835364, abs=1e-12)
    assert np.exp(found.log_z) == pytest.approx(0.002084100239, abs=1e-12)


def torus_run(coupling, seed, damping):
    graph = torus(4, coupling).build()
    start = np.random.default_rng(seed).normal(size=int(graph.arrays.edge_states[-1]))
    messages = Messages(graph, start=start)
    outcome = propagate(messages, Options(damping=damping, tolerance=1e-12, max_iterations=3000))
    assert outcome.status == "converged"
    return 2 * messages.marginals()[::2] - 1, messages.log_z() / 16


@pytest.mark.parametrize("seed", range(examples(20)))
def test_the_torus_below_its_threshold_is_uniform_from_any_start(seed):
    magnetisation, log_z = torus_run(0.30, seed, 0.0)
    # The slowest mode shrinks by 0.87 a sweep, so an error is about 8 residuals of 1e-12.
    assert np.abs(magnetisation).max() < 1e-10
    assert log_z == pytest.approx(0.781828720412, abs=1e-11)


@pytest.mark.parametrize(
    ("coupling", "magnetised", "log_z"),
    [(0.40, 0.735734647125, 0.866133390659), (0.50, 0.928583914435, 1.02480283547)],
)
def test_the_torus_above_its_threshold_solves_the_cavity_equation(coupling, magnetised, log_z):
    magnetisation, found = torus_run(coupling, seed=0, damping=0.3)
    # 12 digits given; a residual of 1e-12 and a rate near 0.8 leave 1e-11.
    assert np.abs(magnetisation) == pytest.approx(np.full(16, magnetised), abs=1e-9)
    assert found == pytest.approx(log_z, abs=1e-9)


def test_the_torus_has_its_exact_partition_sum():
    # 2^16 terms enumerated by other code; 12 digits.
    assert solve(torus(4, 0.4).build()).log_z / 16 == pytest.approx(0.91006831399, abs=1e-11)


def test_an_attractive_grid_is_underestimated():
    for seed in range(examples(10)):
        couplings = list(np.random.default_rng(seed).random(17))
        model = grid(3, 4, couplings)
        found = flat(model, damping=0.3)
        assert found.status == "converged"
        # A theorem (Ruozzi 2012), so any positive gap will do; 1e-9 for rounding.
        assert found.log_z <= solve(model.build()).log_z + 1e-9


def test_the_frustrated_square_with_diagonals_oscillates_and_says_so():
    found = flat(complete(4, -2.0, field=0.1), max_iterations=300)
    assert found.status == "oscillating"
    assert found.log_z is None
    # Known for this model to three digits: binary messages change by 0.963 for ever. A change of
    # r nats in the log-odds, between mirror images, is tanh(r / 4) in probability.
    assert np.tanh(found.residual / 4) == pytest.approx(0.963, abs=1e-3)
    assert "repeat with period 2" in found.reason
    assert "try damping 0.5 (now 0)" in found.reason
    assert found.guilty == (0, 1, 2, 3)


def test_the_frustrated_square_with_diagonals_converges_with_damping():
    found = flat(complete(4, -2.0, field=0.1), damping=0.5, tolerance=1e-10)
    assert found.status == "converged"
    assert found.iterations == 29


def test_the_undamped_torus_oscillates_for_ever():
    graph = torus(4, 0.4).build()
    # Seed 1 is a start that leads to the cycle of period 2 and not to a fixed point.
    start = np.random.default_rng(1).normal(size=int(graph.arrays.edge_states[-1]))
    outcome = propagate(Messages(graph, start=start), Options(max_iterations=400))
    assert outcome.status == "oscillating"
    assert np.tanh(outcome.residual / 4) == pytest.approx(0.231, abs=1e-3)


def test_2000_small_likelihoods_do_not_underflow():
    likelihood = ((0,), logs([1e-3, 2e-3]))
    model = Model((2,), (likelihood,) * 2000)
    found = flat(model)
    # log(1e-3^2000 + 2e-3^2000), to 1e-12 of 1.2e4 nats after 2000 additions.
    assert found.log_z == pytest.approx(2000 * np.log(2e-3), rel=1e-12)
    assert found.beliefs[1] == 1.0
    assert states_of(model, 0) == slice(0, 2)
