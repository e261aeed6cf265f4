"""The certificate against dense eigenvalues, and its promises against runs."""

import itertools

import numpy as np
import pytest

from mpnet.analysis.certificate import certificate
from mpnet.analysis.changes import change_bound
from mpnet.analysis.strengths import strengths
from mpnet.errors import UsageError
from mpnet.estimators.base import Options
from mpnet.estimators.loop import propagate
from mpnet.messages import Messages
from tests.analysis.builders import without_tables
from tests.graphs import (
    Model,
    chain,
    complete,
    cycle,
    gentle_loopy,
    grid,
    ising,
    logs,
    random_forest,
    random_loopy,
)


def masked(model):
    """The model's tables with what unary potentials rule out taken out of them."""
    for scope, full in zip(model.scopes, model.tables, strict=True):
        table = full
        for axis, variable in enumerate(scope):
            shape = [1] * len(scope)
            shape[axis] = -1
            rule = np.where(model.unary[variable] == -np.inf, -np.inf, 0.0)
            table = table + rule.reshape(shape)
        yield scope, table


def matrix(model):
    """The non-backtracking matrix, entry by entry; messages in the engine's order."""
    each = [strengths(table[None])[0] for _, table in masked(model)]
    edges = [(factor, v) for factor, scope in enumerate(model.scopes) for v in scope]
    out = np.zeros((len(edges), len(edges)))
    for (row, (to, i)), (column, (by, j)) in itertools.product(enumerate(edges), repeat=2):
        scope = model.scopes[to]
        if by != to and j in scope and j != i:
            out[row, column] = each[to][scope.index(i), scope.index(j)]
    return out


def radius(model):
    return np.abs(np.linalg.eigvals(matrix(model))).max(initial=0.0)


def run(model, tolerance, damping=0.0, iterations=5000):
    options = Options(tolerance=tolerance, max_iterations=iterations, damping=damping)
    return propagate(Messages(model.build()), options)


@pytest.mark.parametrize("seed", range(30))
def test_products_equal_the_dense_matrix(seed):
    model = random_loopy(seed)
    changes = change_bound(model.build())
    change = np.random.default_rng(seed).random(changes.live.size)
    # Sums of up to some dozen positive numbers.
    np.testing.assert_allclose(
        changes.apply(change), matrix(model) @ change, rtol=1e-14, atol=1e-300
    )
    np.testing.assert_array_less(changes.apply(change) - 1e-12, changes.apply_loosely(change))


@pytest.mark.parametrize("seed", range(30))
def test_the_radius_is_bounded_from_above_and_tightly(seed):
    model = random_loopy(seed)
    found, exact = certificate(model.build()), radius(model)
    if found.acyclic:
        # A nilpotent matrix of that size: rounding may give its n-th root.
        assert found.radius == 0.0
        assert not np.linalg.matrix_power(matrix(model), len(matrix(model))).any()
        return
    assert found.radius >= exact * (1.0 - 1e-9)
    # What is still worth a product is far less.
    assert found.radius <= exact * 1.01 + 1e-9
    reached = found.changes.apply(found.vector)
    assert (reached <= found.radius * found.vector * (1.0 + 1e-12)).all()
    assert found.vector.min() > 0.0


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (complete(5, -0.6), 3 * np.tanh(0.6)),
        (cycle(7, 0.8, 0.3), np.tanh(0.8)),
        (complete(4, 0.2), 2 * np.tanh(0.2)),
    ],
)
def test_regular_graphs_have_the_known_radius(model, expected):
    # From the vector of ones the first bound is exact.
    assert certificate(model.build()).radius == pytest.approx(expected, rel=1e-11)


def test_the_verdict_is_told():
    assert "one fixed point" in certificate(cycle(4, 0.5).build()).sentence
    assert "may not converge" in certificate(complete(5, -0.6).build()).sentence
    assert "no loops are left" in certificate(chain(4, 3.0).build()).sentence


@pytest.mark.parametrize("seed", range(25))
def test_forests_end_as_soon_as_told(seed):
    model = random_forest(seed)
    found = certificate(model.build())
    assert (found.radius, found.acyclic, found.converges) == (0.0, True, True)
    assert run(model, 1e-300).status == "converged"
    assert run(model, 1e-300).iterations <= found.iterations(1e-300)


def test_the_depth_of_a_chain_is_exact():
    model = chain(9, 0.9, 0.4)
    # Eight factors one after the other, and one more sweep to see that nothing moves.
    assert certificate(model.build()).iterations(1e-12) == run(model, 1e-300).iterations == 9


def test_the_depth_of_a_long_chain_takes_no_time():
    assert certificate(chain(3000, 0.9).build()).iterations(1e-12) == 3000


def weak(seed):
    """Loopy models, some factors with hard zeros, most of which have a certificate."""
    model = gentle_loopy(seed)
    observed = seed % len(model.cards)
    only = np.full(model.cards[observed], -np.inf)
    only[0] = 0.0
    return model.plus(((observed,), only)) if seed % 3 == 0 else model


@pytest.mark.parametrize("damping", [0.0, 0.4])
def test_runs_end_within_what_was_promised(damping):
    promised = 0
    for seed in range(60):
        model = weak(seed)
        found = certificate(model.build())
        if not found.converges:
            continue
        for tolerance in (1e-3, 1e-12):
            most = found.iterations(tolerance, damping)
            outcome = run(model, tolerance, damping)
            if outcome.status == "inconsistent":
                continue
            assert outcome.status == "converged"
            assert most is not None
            assert outcome.iterations <= most
            promised += not found.acyclic
    assert promised > 40


@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_long_runs_end_within_what_was_promised(damping):
    # Slow enough for the rate to take over from following each message.
    model = cycle(6, 2.4, 0.01).plus(((0,), logs([1.0, 1.0])))
    most = certificate(model.build()).iterations(1e-10, damping)
    outcome = run(model, 1e-10, damping)
    assert outcome.status == "converged"
    assert 200 < outcome.iterations <= most


def test_long_runs_with_an_impossible_state_too():
    rng = np.random.default_rng(3)
    scopes = [(v, (v + 1) % 5) for v in range(5)]
    tables = [3.0 * np.eye(3) + 0.1 * rng.normal(size=(3, 3)) for _ in scopes]
    model = Model((3,) * 5, (*zip(scopes, tables, strict=True), ((2,), logs([1.0, 0.0, 1.1]))))
    for damping in (0.0, 0.9):
        most = certificate(model.build()).iterations(1e-10, damping)
        outcome = run(model, 1e-10, damping)
        assert outcome.status == "converged"
        assert outcome.iterations <= most


def test_the_residual_shrinks_at_least_at_the_rate_in_the_weighted_norm():
    model = grid(4, 4, 0.3, 0.2)
    found = certificate(model.build())
    messages = Messages(model.build())
    heights = []
    for _ in range(30):
        messages.send_from_factors(0.0)
        messages.refresh()
        heights.append((messages.edge_residual / found.vector).max())
    # Residuals down to 1e-9, each good to 1e-15.
    ratios = np.array(heights[1:]) / np.array(heights[:-1])
    assert ratios.max() <= found.rate() * (1.0 + 1e-5)


def test_the_rate_of_a_damped_run():
    found = certificate(cycle(4, 0.5).build())
    assert found.rate(0.25) == pytest.approx(0.25 + 0.75 * found.radius)
    with pytest.raises(UsageError, match=r"damping must be in \[0, 1\), got 1"):
        found.rate(1.0)
    with pytest.raises(UsageError, match="tolerance must be positive"):
        found.iterations(0.0)


def test_what_is_observed_cuts_loops():
    ring = cycle(5, 3.0)
    assert certificate(ring.build()).radius > 0.9
    observed = ring.plus(((2,), logs([0.0, 1.0])))
    found = certificate(observed.build())
    assert found.acyclic
    assert found.iterations(1e-9) >= run(observed, 1e-9).iterations
    graph = ring.build()
    unary = graph.unary.copy()
    unary[4] = -np.inf
    assert certificate(graph, unary).acyclic


def test_impossible_states_of_some_variables_only_are_kept_apart():
    # The third state would tie the two together; one of the variables can't be in it.
    tied = logs([[1.0, 1.2, 0.0], [1.1, 1.0, 0.0], [0.0, 0.0, 1.0]])
    scopes = [(0, 1), (1, 2), (2, 0)]
    factors = tuple((scope, tied) for scope in scopes)
    ruled_out = tuple(((v,), logs([1.0, 1.0, 0.0])) for v in range(3))
    assert certificate(Model((3,) * 3, factors).build()).radius == pytest.approx(1.0)
    model = Model((3,) * 3, factors + ruled_out)
    found = certificate(model.build())
    assert found.radius == pytest.approx(radius(model), rel=1e-6)
    assert found.radius < 0.1


def test_hard_zeros_on_a_loop_give_no_certificate():
    links = tuple(((v, (v + 1) % 4), logs(np.eye(2))) for v in range(4))
    found = certificate(Model((2,) * 4, links).build())
    assert found.radius == pytest.approx(1.0)
    assert not found.converges
    assert found.iterations(1e-6) is None


def test_contradictions_have_no_number_of_sweeps():
    model = cycle(4, 0.3).plus(((0,), logs([0.0, 0.0])))
    assert (
        certificate(model.build()).iterations(1e-6) is None
        or run(model, 1e-6).status == "inconsistent"
    )


def test_a_factor_that_says_nothing_closes_no_loop():
    model = chain(5, 1.0, 0.2).plus(((0, 4), np.full((2, 2), 0.1)))
    assert certificate(model.build()).acyclic


def test_factors_too_large_to_be_written_out_hand_on_everything():
    model = complete(4, 0.2, 0.1).plus(((0, 1, 2), np.sin(np.arange(8.0)).reshape(2, 2, 2)))
    found = certificate(without_tables(model.build(), 1))
    dense = matrix(model)
    dense[-3:] = np.where(dense[-3:] > 0.0, 1.0, 0.0)
    assert found.radius == pytest.approx(np.abs(np.linalg.eigvals(dense)).max(), rel=1e-3)
    assert "1 large factor taken to hand on every change" in found.sentence


def test_graphs_without_factors():
    found = certificate(Model((2, 3), ()).build())
    assert (found.radius, found.iterations(1e-9)) == (0.0, 1)


def test_isolated_loops_have_the_radius_of_the_stronger():
    pairs = [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)]
    model = ising(pairs, 6, [0.2, 0.3, 0.4, 0.9, 1.0, 1.1])
    exact = np.prod(np.tanh([0.9, 1.0, 1.1])) ** (1 / 3)
    assert certificate(model.build()).radius == pytest.approx(exact, rel=1e-3)
