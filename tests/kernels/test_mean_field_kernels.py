"""Mean field updates and their bound against sums over all assignments."""

import itertools

import numpy as np
import pytest

from mpnet.estimators.mean_field import tables_of
from mpnet.kernels.mean_field import ascend, bound
from tests import reference
from tests.graphs import Model, examples, logs, random_loopy


def random_q(model, seed, zeros=0.0):
    rng = np.random.default_rng(seed)
    rows = []
    for count in model.cards:
        row = rng.gamma(1.0, size=count) + 0.01
        row[rng.random(count) < zeros] = 0.0
        row = row if row.sum() else np.ones(count)
        rows.append(row / row.sum())
    return rows


def expected(q, scope, table, fixed=None):
    """Expectation of a log table; 0 times minus infinity is 0."""
    total = 0.0
    for states in itertools.product(*map(range, table.shape)):
        weight = 1.0
        for variable, state in zip(scope, states, strict=True):
            if fixed is None or variable != fixed[0]:
                weight *= q[variable][state]
            elif state != fixed[1]:
                weight = 0.0
        if weight:
            total += weight * table[states]
    return total


def twin_bound(model, q):
    total = 0.0
    for variable, row in enumerate(q):
        total += expected(q, (variable,), model.unary[variable])
        total -= sum(p * np.log(p) for p in row if p > 0.0)
    pairs = zip(model.scopes, model.tables, strict=True)
    return total + sum(expected(q, scope, table) for scope, table in pairs)


def twin_ascend(model, q):
    """All variables in turn; None instead of a variable that is left without a state."""
    q = [row.copy() for row in q]
    for variable, count in enumerate(model.cards):
        scores = model.unary[variable].copy()
        for scope, table in zip(model.scopes, model.tables, strict=True):
            if variable in scope:
                for state in range(count):
                    scores[state] += expected(q, scope, table, (variable, state))
        if np.all(scores == -np.inf):
            return None
        q[variable] = np.exp(scores - reference.log_sum(scores))
    return q


def run(model, rows, sweeps=1):
    graph = model.build()
    q = np.concatenate(rows)
    log_q = logs(q)
    order = np.arange(len(model.cards), dtype=np.int32)
    tables = tables_of(graph)
    for _ in range(sweeps):
        change, dead = ascend(graph.arrays, graph.edge_factor, tables, graph.unary, order, log_q, q)
    value = bound(graph.arrays, tables, graph.unary, log_q, q)
    return q, change, dead, value


@pytest.mark.parametrize("seed", range(examples(40)))
def test_a_sweep_equals_reference(seed):
    model = random_loopy(seed)
    rows = random_q(model, seed)
    wanted = twin_ascend(model, rows)
    q, _, dead, value = run(model, rows)
    if wanted is None:
        assert dead >= 0
        return
    assert dead == -1
    # Scores are sums of up to a few hundred products, at most some tens of nats.
    np.testing.assert_allclose(q, np.concatenate(wanted), rtol=1e-10, atol=1e-300)
    assert value == pytest.approx(twin_bound(model, wanted), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("seed", range(examples(40)))
def test_the_bound_equals_reference_where_states_are_ruled_out(seed):
    model = random_loopy(seed)
    rows = random_q(model, seed, zeros=0.4)
    graph = model.build()
    q = np.concatenate(rows)
    found = bound(graph.arrays, tables_of(graph), graph.unary, logs(q), q)
    assert found == pytest.approx(twin_bound(model, rows), rel=1e-12, abs=1e-12)


def test_the_change_is_the_span_of_log_probabilities():
    model = Model((3,), (((0,), logs([0.2, 0.3, 0.5])),))
    _, change, _, value = run(model, [np.full(3, 1 / 3)])
    assert change == pytest.approx(np.log(0.5 / 0.2), rel=1e-14)
    assert value == pytest.approx(0.0, abs=1e-15)
    assert run(model, [np.full(3, 1 / 3)], sweeps=2)[1] == pytest.approx(0.0, abs=1e-15)


def test_support_that_comes_or_goes_is_an_infinite_change():
    model = Model((2,), (((0,), logs([0.0, 1.0])),))
    assert run(model, [np.array([0.5, 0.5])])[1] == np.inf
    assert run(model, [np.array([0.0, 1.0])])[1] == 0.0


def test_a_nan_is_told():
    model = Model((2, 2), (((0, 1), np.zeros((2, 2))),))
    assert np.isnan(run(model, [np.array([np.nan, 0.5]), np.array([np.nan, 0.5])])[1])
