import numpy as np
import pytest

from mpnet.estimators.base import Options, Problem
from mpnet.estimators.ladder import RUNGS, climb
from mpnet.graph import FactorGraph
from tests.graphs import JITTED, complete, cycle

pytestmark = pytest.mark.skipif(not JITTED, reason="thousands of sweeps")


def test_the_first_rung_is_enough_for_a_gentle_graph():
    found = climb(Problem(cycle(5, 0.5, 0.2).build()), Options())
    assert [(s.name, s.status) for s in found.steps] == [("undamped", "converged")]


def test_computed_damping_mends_an_antiferromagnet_and_each_step_is_told():
    graph = complete(5, -0.6, 0.05).build()
    found = climb(Problem(graph), Options())
    assert [(s.name, s.status) for s in found.steps] == [
        ("undamped", "oscillating"),
        ("computed damping", "converged"),
    ]
    assert found.status == "converged"
    assert 0.2 < found.steps[1].damping < 0.4
    assert found.notes[0].startswith("ladder 1, undamped: oscillating (not converged")
    assert found.notes[1].startswith("ladder 2, computed damping: converged")
    assert all(s.seconds >= 0.0 for s in found.steps)


def spin_glass(side, strength, seed):
    rng = np.random.default_rng(seed)
    index = np.arange(side * side).reshape(side, side)
    pairs = [np.stack([index[:, :-1], index[:, 1:]], -1), np.stack([index[:-1], index[1:]], -1)]
    scopes = np.concatenate([p.reshape(-1, 2) for p in pairs])
    couplings = strength * rng.normal(size=len(scopes))
    tables = np.exp(couplings[:, None, None] * np.array([[1.0, -1.0], [-1.0, 1.0]]))
    unary = np.exp(0.3 * rng.normal(size=2 * side * side))
    return FactorGraph.from_arrays([2] * side * side, [(scopes, tables)], unary)


def test_regions_answer_where_no_damping_does():
    graph = spin_glass(6, 3.0, 1)
    found = climb(Problem(graph), Options(max_iterations=200))
    names = [s.name for s in found.steps]
    assert found.status == "converged"
    assert names == [rung.name for rung in RUNGS][: len(names)]
    assert all(s.status != "converged" for s in found.steps[:-1])
    if "region" in names:
        assert found.exact
