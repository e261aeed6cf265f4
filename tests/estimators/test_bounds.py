"""The bracket around log Z: always around it, closed on forests."""

import numpy as np
import pytest

from mpnet.estimators.attractive import bethe_bound, is_attractive, is_balanced
from mpnet.estimators.base import Options
from mpnet.estimators.bounds import bracket
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
    random_forest,
    random_loopy,
)


@pytest.mark.parametrize("seed", range(examples(60)))
def test_log_z_lies_inside(seed):
    model = random_loopy(seed)
    low, high = bracket(model.build())
    assert low - 1e-10 <= reference.log_z(model) <= high + 1e-10


@pytest.mark.parametrize("seed", range(examples(30)))
def test_it_is_closed_on_forests(seed):
    model = random_forest(seed)
    low, high = bracket(model.build())
    exact = reference.log_z(model)
    assert low == pytest.approx(exact, abs=1e-9)
    assert high == pytest.approx(exact, abs=1e-9)
    assert low <= high


@pytest.mark.parametrize("model", [grid(4, 4, 0.3, 0.1), complete(5, -0.6, 0.2), cycle(5, 1.0)])
def test_it_holds_for_grids_and_complete_graphs(model):
    low, high = bracket(model.build())
    assert low <= reference.log_z(model) <= high
    assert bracket(model.build()) == (low, high)


def test_steps_tighten_it():
    rng = np.random.default_rng(0)
    edges = complete(6, 1.0).scopes
    # Few strong couplings among weak ones: trees should hold the strong ones.
    couplings = [float(c) for c in rng.choice([0.05, 1.0], len(edges), p=[0.7, 0.3])]
    model = ising(edges, 6, couplings).plus(((0,), np.array([0.2, 0.0])))
    exact = reference.log_z(model)
    highs = [bracket(model.build(), tighten=steps)[1] for steps in (0, 1, 8)]
    assert highs[0] > highs[1] + 0.01 > highs[2] + 0.01 > exact
    assert highs[2] - exact < 0.6 * (highs[0] - exact)


def test_a_contradiction_has_no_room():
    links = tuple(((v, v + 1), logs(np.eye(2))) for v in range(2))
    ends = (((0,), logs([1, 0])), ((2,), logs([0, 1])))
    with np.errstate(invalid="ignore"):  # of kernels as plain Python: infinity times zero
        assert bracket(Model((2,) * 3, (*links, *ends)).build()) == (-np.inf, -np.inf)
    odd = Model((2,) * 3, tuple((e, logs(1 - np.eye(2))) for e in [(0, 1), (1, 2), (2, 0)]))
    low, _ = bracket(odd.build())
    assert low == -np.inf


def test_without_a_start_there_is_no_lower_bound(monkeypatch):
    monkeypatch.setattr("mpnet.estimators.support.VISITS", 1)
    odd = Model((3,) * 3, tuple((e, logs(1 - np.eye(3))) for e in [(0, 1), (1, 2), (2, 0)]))
    low, high = bracket(odd.build(), Options(max_iterations=50))
    assert low is None
    assert high >= reference.log_z(odd)


# Attractive models


def attractive(seed, flips=False):
    """Random couplings and fields; with flips, some variables' states change names."""
    rng = np.random.default_rng(seed)
    edges = grid(3, 3, 1.0).scopes
    tables = []
    flipped = rng.random(9) < 0.5 if flips else np.zeros(9, dtype=bool)
    for a, b in edges:
        x = rng.normal(size=(2, 2))
        x[0, 0] += max(0.0, x[0, 1] + x[1, 0] - x[0, 0] - x[1, 1])
        x = x[::-1] if flipped[a] else x
        tables.append(x[:, ::-1] if flipped[b] else x)
    fields = [((v,), rng.normal(size=2)) for v in range(9)]
    return Model((2,) * 9, (*zip(edges, tables, strict=True), *fields))


@pytest.mark.parametrize("flips", [False, True])
@pytest.mark.parametrize("seed", range(examples(20)))
def test_bethe_of_any_beliefs_is_below_log_z(seed, flips):
    model = attractive(seed, flips)
    graph = model.build()
    assert is_attractive(graph)
    exact = reference.log_z(model)
    rng = np.random.default_rng(seed)
    for _ in range(5):
        on = rng.beta(0.5, 0.5, size=9)
        assert bethe_bound(graph, np.stack([1 - on, on], axis=1).ravel()) <= exact + 1e-10
    found = flat(model)
    if found.status == "converged":
        # At a fixed point the best joints are those of the messages.
        assert bethe_bound(graph, found.beliefs) == pytest.approx(found.log_z, abs=1e-9)
    low, high = bracket(graph)
    assert low <= exact <= high
    assert low >= found.log_z - 1e-6 if found.status == "converged" else True


def test_bethe_is_exact_on_a_chain_of_either_sign():
    model = chain(5, [0.5, -1.0, 2.0, -0.3], 0.3)
    graph = model.build()
    found = bethe_bound(graph, reference.marginals(model))
    assert found == pytest.approx(reference.log_z(model), abs=1e-11)


def test_strong_couplings_stay_finite():
    model = chain(4, 300.0, 0.1)
    found = bethe_bound(model.build(), reference.marginals(model))
    assert found == pytest.approx(reference.log_z(model), rel=1e-12)


def test_frustration_is_seen():
    assert is_attractive(cycle(4, -0.5).build())
    assert not is_attractive(cycle(3, -0.5).build())
    graph = cycle(3, 0.5).build()
    assert is_balanced(graph, np.array([1.0, -1.0, -1.0]))
    assert not is_balanced(graph, np.array([1.0, 1.0, -1.0]))


@pytest.mark.parametrize(
    "model",
    [
        Model((2, 3), (((0, 1), np.zeros((2, 3))),)),
        Model((2, 2, 2), (((0, 1, 2), np.zeros((2, 2, 2))),)),
        Model((2, 2), (((0, 1), logs(np.eye(2))),)),
    ],
)
def test_others_are_not_called_attractive(model):
    assert not is_attractive(model.build())
