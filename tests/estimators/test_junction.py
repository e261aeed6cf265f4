"""pgmpy's junction tree as a second referee."""

import os
import subprocess
import sys

import numpy as np
import pytest

from mpnet.estimators.base import Options, Problem, ignore
from mpnet.estimators.exact import solve
from mpnet.estimators.region import Region
from tests import reference
from tests.graphs import Model, chain, grid, logs


def test_repeated_factors_are_counted_each():
    # pgmpy alone takes factors that compare equal for one.
    table = logs([[1.0, 2.0], [3.0, 1.0]])
    model = Model((2, 2, 2), (((0, 1), table), ((0, 1), table), ((1, 0), table), ((1, 2), table)))
    found = solve(model.build(), limit=1)
    # Products of a few numbers below 30.
    np.testing.assert_allclose(found.marginals, reference.marginals(model), rtol=0, atol=1e-13)
    assert found.log_z == pytest.approx(reference.log_z(model), abs=1e-12)


def test_variables_that_share_no_clique_have_a_joint():
    model = chain(5, 0.6, 0.2)
    listed, tree = solve(model.build()), solve(model.build(), limit=1)
    np.testing.assert_allclose(tree.joint((4, 0)), listed.joint((4, 0)), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "factors",
    [
        (((0, 1), np.full((2, 2), -np.inf)),),
        (((0, 1), logs(np.eye(2))), ((0,), logs([1, 0])), ((1,), logs([0, 1]))),
    ],
    ids=["a factor of zeros", "two that disagree"],
)
def test_a_partition_sum_of_zero_is_an_answer(factors):
    found = solve(Model((2, 2), factors).build(), limit=1)
    assert found.log_z == -np.inf
    assert np.isnan(found.marginals).all()
    assert found.joint((1, 0)).shape == (2, 2)


def test_a_grid_that_is_too_large_to_enumerate_is_solved():
    found = solve(grid(4, 6, 0.3, 0.1).build())
    assert found.method == "pgmpy's junction tree"
    spins = np.array([1.0, -1.0])
    rows = np.array(np.meshgrid(*[spins] * 4, indexing="ij")).reshape(4, -1).T
    inside = 0.3 * (rows[:, 1:] * rows[:, :-1]).sum(axis=1) + 0.1 * rows.sum(axis=1)
    step = 0.3 * rows @ rows.T + inside
    row = inside
    for _ in range(5):
        row = np.logaddexp.reduce(row[:, None] + step, axis=0)
    # The transfer matrix over columns of four, a hundred roundings of 20 nats.
    assert found.log_z == pytest.approx(np.logaddexp.reduce(row), abs=1e-11)


def test_a_wide_grid_is_triangulated_before_pgmpy_sees_it():
    # Left alone, pgmpy fills in cliques of 33 variables.
    rng = np.random.default_rng(0)
    graph = grid(10, 10, list(rng.normal(scale=0.5, size=180)), 0.2).build()
    tree = solve(graph)
    own = Region().estimate(Problem(graph), Options(), ignore)
    assert own.exact
    # Two exact ways, each some thousand products of numbers near 1.
    assert tree.log_z == pytest.approx(own.log_z, abs=1e-9)
    np.testing.assert_allclose(tree.marginals, own.beliefs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("penalty", [6.0, 14.0, 18.0])
def test_what_pgmpy_takes_for_settled_too_early_goes_to_the_own_join_trees(penalty):
    # Evidence against the tables on every edge: messages below 1e-8, which it takes for equal.
    rng = np.random.default_rng(6)
    against = np.array([[0.0, penalty], [penalty, 0.0]])
    factors = [((v, v + 1), rng.normal(size=(2, 2)) - against) for v in range(7)]
    seen = [((v,), logs([v % 2 == 0, v % 2 == 1])) for v in range(8)]
    model = Model((2,) * 8, (*factors, *seen))
    found = solve(model.build(), limit=1)
    if penalty > 10:  # below, it depends on the order of pgmpy's sets whether it stops too early
        assert found.method == "a join tree"
    assert found.log_z == pytest.approx(reference.log_z(model), abs=1e-11)
    np.testing.assert_allclose(found.marginals, reference.marginals(model), rtol=0, atol=1e-12)


@pytest.mark.parametrize("penalty", [300.0, 360.0, 372.0, 400.0])
def test_what_underflows_in_pgmpy_is_not_taken_for_impossible(penalty):
    # Four that all want to differ: two of their six pairs can't, exp(-2 * penalty) at best.
    unlike = np.array([[-penalty, 0.0], [0.0, -penalty]])
    pairs = [((a, b), unlike) for a in range(4) for b in range(a)]
    model = Model((2,) * 5, (*pairs, ((3, 4), np.array([[0.0, -1.0], [-2.0, 0.0]]))))
    found = solve(model.build(), limit=1)
    assert found.log_z == pytest.approx(reference.log_z(model), abs=1e-10)
    np.testing.assert_allclose(found.marginals, reference.marginals(model), rtol=0, atol=1e-12)


def test_the_answer_is_the_same_for_any_hash_seed():
    words = (
        "import numpy as np\n"
        "from mpnet.estimators.exact import solve\n"
        "from mpnet.graph import FactorGraph\n"
        "rng = np.random.default_rng(2)\n"
        "pairs = [[a, a + 1] for a in range(24)] + [[a, a + 5] for a in range(20)]\n"
        "tables = np.exp(rng.normal(size=(len(pairs), 2, 2)))\n"
        "found = solve(FactorGraph.from_arrays([2] * 25, [(pairs, tables)]), 2**10, True)\n"
        "print(found.method, found.log_z.hex(), found.marginals.tobytes().hex())\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", words],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0].startswith("pgmpy's junction tree")
    assert said[0] == said[1]
