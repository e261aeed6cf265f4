"""Exact answers for graphs with structured factors, which have no table of their own."""

import numpy as np
import pytest

from mpnet.builder import GraphBuilder
from mpnet.errors import TooLargeError
from mpnet.estimators.base import Options, Problem
from mpnet.estimators.clusters import solve_by_clusters
from mpnet.estimators.exact import Exact, solve
from mpnet.factors import AtMostOne, ExactlyOne, NoisyOr, Parity
from tests.graphs import examples


def woven(seed, bits=11):
    """Gates over nine of some bits, wide enough to be taken apart, and couplings between them."""
    rng = np.random.default_rng(seed)
    builder = GraphBuilder()
    for number in range(bits):
        builder.add_variable(f"v{number}", 2)
        builder.add_factor([f"v{number}"], rng.gamma(1.0, size=2) + 0.1)
    drawn = [[f"v{int(n)}" for n in rng.permutation(bits)[:9]] for _ in range(3)]
    builder.add(NoisyOr(drawn[0][8], drawn[0][:8], rng.random(8), leak=0.05))
    builder.add(Parity(drawn[1]))
    builder.add(AtMostOne(drawn[2]))
    for first in range(0, bits - 1, 2):
        table = rng.gamma(1.0, size=(2, 2)) + 0.1
        builder.add_factor([f"v{first}", f"v{first + 1}"], table)
    return builder.build()


@pytest.mark.parametrize("seed", range(examples(20)))
def test_equals_enumeration(seed):
    graph = woven(seed)
    wanted = solve(graph, limit=2**11)
    log_z, marginals, joint = solve_by_clusters(graph)
    # Some thousand products and sums of positive numbers.
    assert log_z == pytest.approx(wanted.log_z, abs=1e-10)
    np.testing.assert_allclose(marginals, wanted.marginals, rtol=0, atol=1e-11)
    for scope in ((0, 1), (3, 2, 10)):
        np.testing.assert_allclose(joint(scope), wanted.joint(scope), rtol=0, atol=1e-11)


def test_a_part_too_large_to_enumerate_goes_to_a_join_tree():
    graph = woven(1)
    found = solve(graph, limit=2**4)
    assert found.parts[0].method == "a join tree"
    assert found.log_z == pytest.approx(solve(graph, limit=2**11).log_z, abs=1e-10)


def test_a_noisy_or_of_a_thousand_parents_has_an_exact_answer():
    builder = GraphBuilder()
    causes = [f"c{i}" for i in range(1000)]
    for name in (*causes, "effect"):
        builder.add_variable(name, ["no", "yes"])
    for name in causes:
        builder.add_factor([name], [0.999, 0.001])
    builder.add(NoisyOr("effect", causes, [0.8] * 1000, leak=0.01))
    builder.add_factor(["effect"], [0.0, 1.0])
    found = Exact().estimate(Problem(builder.build()), Options(junction=True), lambda _: None)
    off = 0.99 * (0.999 + 0.001 * 0.2) ** 1000
    assert found.log_z == pytest.approx(np.log1p(-off), rel=1e-10)
    # A cause is on, and the effect is not left off by all.
    on = 0.001 * (1.0 - off * 0.2 / (0.999 + 0.001 * 0.2)) / (1.0 - off)
    assert found.beliefs[1] == pytest.approx(on, rel=1e-9)


def test_what_is_impossible_is_inconsistent():
    builder = GraphBuilder()
    names = [f"v{i}" for i in range(12)]
    for name in names:
        builder.add_variable(name, 2)
    builder.add(ExactlyOne(names))
    builder.add(Parity(names[:11]))  # an even number
    builder.add_factor([names[11]], [1.0, 0.0])
    graph = builder.build()
    log_z, marginals, joint = solve_by_clusters(graph)
    assert log_z == -np.inf
    assert np.isnan(marginals).all()
    assert np.isnan(joint((0, 1))).all()
    found = Exact().estimate(Problem(graph), Options(junction=True, exact_limit=4), lambda _: None)
    assert found.status == "inconsistent"


def test_tables_that_do_not_fit_are_refused():
    rng = np.random.default_rng(0)
    builder = GraphBuilder()
    names = [f"v{i}" for i in range(80)]
    for name in names:
        builder.add_variable(name, 2)
    for first in range(80):
        for second in range(first):
            builder.add_factor([names[first], names[second]], rng.gamma(1.0, size=(2, 2)) + 0.1)
    builder.add(Parity(names[:20]))
    with pytest.raises(TooLargeError, match=r"join tree of width 7\d, whose tables do not fit"):
        solve_by_clusters(builder.build())
