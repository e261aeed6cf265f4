"""The likeliest assignment by clusters against enumeration."""

import numpy as np
import pytest

from mpnet.regions import best
from mpnet.regions.best import best_assignment
from tests import reference
from tests.graphs import Model, complete, examples, grid, random_loopy


@pytest.mark.parametrize("seed", range(examples(60)))
def test_equals_enumeration_where_all_fits(seed):
    model = random_loopy(seed)
    found = best_assignment(model.build())
    assert found.exact
    assert found.log_score == pytest.approx(reference.joint(model).max(), abs=1e-10)
    assert reference.log_score(model, found.states) == pytest.approx(found.log_score, abs=1e-10)


def test_large_tables_are_narrowed_first(monkeypatch):
    monkeypatch.setattr(best, "AT_ONCE", 4)
    for seed in range(examples(20)):
        model = random_loopy(seed)
        found = best_assignment(model.build())
        assert found.log_score == pytest.approx(reference.joint(model).max(), abs=1e-10)


def test_join_graphs_give_good_assignments():
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(examples(10)):
        model = grid(4, 4, list(rng.normal(size=24)), 0.3)
        found = best_assignment(model.build(), i_bound=2)
        assert not found.exact
        assert reference.log_score(model, found.states) == pytest.approx(found.log_score, abs=1e-9)
        shares.append(reference.joint(model).max() - found.log_score)
    assert min(shares) >= -1e-9
    assert np.mean(shares) < 1.0


def test_nothing_possible():
    unequal = np.array([[-np.inf, 0.0], [0.0, -np.inf]])
    model = Model((2,) * 3, tuple(((a, b), unequal) for a, b in ((0, 1), (1, 2), (0, 2))))
    found = best_assignment(model.build())
    assert found.states is None
    assert found.log_score == -np.inf
    assert found.guilty
    ruled_out = complete(3, 0.1).plus(((1,), np.array([-np.inf, -np.inf])))
    assert best_assignment(ruled_out.build()).guilty == (1,)
