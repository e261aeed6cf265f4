"""Structured factors spelled out, and bounds of models that hold them."""

import numpy as np
import pytest

from mpnet.builder import GraphBuilder
from mpnet.dense import DenseTables
from mpnet.errors import TooLargeError
from mpnet.estimators import make_estimator, spelling
from mpnet.estimators.base import Options, Problem
from mpnet.estimators.bounds import bracket
from mpnet.estimators.exact import solve
from mpnet.estimators.flat import Flat
from mpnet.estimators.spelling import spell_out
from mpnet.factors import AtMostOne, ExactlyOne, NoisyOr, Parity
from tests.graphs import Model, examples


def mixed(seed):
    """Gates of several kinds over seven bits, with couplings between them."""
    rng = np.random.default_rng(seed)
    builder = GraphBuilder()
    for number in range(7):
        builder.add_variable(f"v{number}", 2)
        builder.add_factor([f"v{number}"], rng.gamma(1.0, size=2) + 0.1)
    names = [f"v{int(n)}" for n in rng.permutation(7)]
    builder.add(Parity(names[:4]))
    builder.add(NoisyOr(names[6], names[3:6], [0.9, 0.5, 0.3], leak=0.05))
    builder.add(AtMostOne(names[1:5]))
    builder.add_factor([names[0], names[6]], rng.gamma(1.0, size=(2, 2)) + 0.1)
    return builder.build()


@pytest.mark.parametrize("whole", [1, 256])
@pytest.mark.parametrize("seed", range(examples(20)))
def test_the_distribution_stays(seed, whole, monkeypatch):
    monkeypatch.setattr(spelling, "WHOLE", whole)
    graph = mixed(seed)
    full = spell_out(graph)
    assert all(isinstance(family.content, DenseTables) for family in full.families)
    assert (len(full.variables) > len(graph.variables)) == (whole == 1)
    wanted, found = solve(graph, junction=False), solve(full, junction=False)
    # Sums in another order.
    assert found.log_z == pytest.approx(wanted.log_z, abs=1e-11)
    np.testing.assert_allclose(
        found.marginals[: graph.unary.size], wanted.marginals, rtol=1e-10, atol=1e-12
    )


def test_a_dense_graph_is_returned_as_it_is():
    graph = Model((2, 2), (((0, 1), np.zeros((2, 2))),)).build()
    assert spell_out(graph) is graph


@pytest.mark.parametrize("whole", [1, 256])
@pytest.mark.parametrize("seed", range(examples(20)))
def test_log_z_lies_inside(seed, whole, monkeypatch):
    monkeypatch.setattr(spelling, "WHOLE", whole)
    graph = mixed(seed)
    exact = solve(graph, junction=False).log_z
    low, high = bracket(graph)
    assert low <= exact <= high
    assert bracket(graph, tighten=2)[1] >= exact


@pytest.mark.parametrize("seed", range(examples(10)))
def test_estimators_serve_structured_factors(seed):
    graph = mixed(seed)
    exact = solve(graph, junction=False).log_z
    options = Options(tolerance=1e-9, max_iterations=3000)
    for name in ("trw", "mean_field", "double_loop"):
        found = make_estimator(name).estimate(Problem(graph), options, lambda _: None)
        assert found.status == "converged"
        assert found.beliefs.shape == graph.unary.shape
        low, high = found.bounds
        assert low is None or low <= exact
        assert high is None or high >= exact
    flat = Flat().estimate(Problem(graph), options, lambda _: None)
    if flat.status == "converged":
        np.testing.assert_allclose(found.beliefs, flat.beliefs, atol=1e-6)
        assert found.log_z == pytest.approx(flat.log_z, abs=1e-8)


def ring(count, kind):
    """Two gates over many bits, and a coupling: too wide for any table."""
    rng = np.random.default_rng(count)
    builder = GraphBuilder()
    names = [f"v{n}" for n in range(count)]
    for name in names:
        builder.add_variable(name, 2)
        builder.add_factor([name], rng.gamma(1.0, size=2) + 0.1)
    builder.add(kind(names))
    builder.add(kind(names[: count // 2], negated=[names[0]]))
    builder.add_factor(names[-2:], [[2.0, 1.0], [1.0, 2.0]])
    return builder.build()


@pytest.mark.parametrize("kind", [Parity, AtMostOne, ExactlyOne])
def test_wide_gates_have_a_bracket(kind):
    graph = ring(40, kind)
    low, high = bracket(graph)
    flat = Flat().estimate(Problem(graph), Options(damping=0.5), lambda _: None)
    assert flat.status == "converged"
    assert low < flat.log_z + 1.0
    assert low <= high
    # All distributions over 40 bits: nothing is wider than that.
    assert high - low < 40 * np.log(2.0)


def test_gates_that_no_power_keeps_are_spelled_out():
    builder = GraphBuilder()
    names = [f"v{n}" for n in range(40)]
    for number, name in enumerate([*names, "a", "b"]):
        builder.add_variable(name, 2)
        builder.add_factor([name], [1.0, 0.2 + 0.01 * number])
    builder.add(NoisyOr("a", names, [0.3] * 40, leak=0.1))
    builder.add(NoisyOr("b", names[:20], [0.6] * 20))
    graph = builder.build()
    with pytest.raises(TooLargeError):
        make_estimator("trw").estimate(Problem(graph), Options(), lambda _: None)
    low, high = bracket(graph)
    # p(a, b | parents) sums to one wherever unary potentials of a and b leave it: between these.
    alone = sum(np.log(1.2 + 0.01 * number) for number in range(40))
    assert low <= alone + np.log(1.0)
    assert high >= alone + np.log(0.44 * 0.45)
    assert low <= high <= low + 20.0
