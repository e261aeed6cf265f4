"""The estimator ``region`` against enumeration, flat propagation and itself."""

from dataclasses import replace

import numpy as np
import pytest

from mpnet.builder import GraphBuilder
from mpnet.errors import TooLargeError
from mpnet.estimators.base import Options, Problem, ignore
from mpnet.estimators.exact import solve
from mpnet.estimators.flat import Flat
from mpnet.estimators.region import Region
from mpnet.factors.logic import Or
from mpnet.graph import FactorGraph
from tests import reference
from tests.graphs import (
    Model,
    complete,
    contradiction,
    examples,
    gentle_loopy,
    grid,
    random_forest,
    random_loopy,
)


def region(graph, observe=ignore, **options):
    settings = Options(**{"tolerance": 1e-12, "max_iterations": 2000, **options})
    return Region().estimate(Problem(graph), settings, observe)


def random_grid(side, coupling, seed):
    rng = np.random.default_rng(seed)
    edges = 2 * side * (side - 1)
    model = grid(side, side, list(rng.normal(scale=coupling, size=edges)))
    return model.plus(*(((v,), rng.normal(scale=0.5, size=2)) for v in range(side * side)))


def assert_exact(model, found):
    scores = reference.joint(model)
    np.testing.assert_allclose(found.log_z, reference.log_z(model), rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(found.beliefs, reference.marginals(model), rtol=0, atol=1e-10)
    odds = np.exp(scores - scores.max())
    odds /= odds.sum()
    for scope in model.scopes:
        others = tuple(v for v in range(len(model.cards)) if v not in scope)
        left = [v for v in range(len(model.cards)) if v in scope]
        wanted = odds.sum(axis=others).transpose([left.index(v) for v in scope])
        np.testing.assert_allclose(found.joint(scope), wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize("seed", range(examples(60)))
def test_equals_enumeration_where_all_fits(seed):
    model = random_loopy(seed)
    found = region(model.build())
    assert found.status == "converged"
    assert found.exact
    assert found.reason.startswith("exact, ")
    assert_exact(model, found)


@pytest.mark.parametrize("seed", range(examples(40)))
def test_an_i_bound_of_the_width_is_exact(seed):
    model = random_loopy(seed)
    found = region(model.build(), i_bound=8)
    assert found.exact
    assert_exact(model, found)


@pytest.mark.parametrize("seed", range(examples(30)))
def test_forests_are_exact_with_any_i_bound(seed):
    model = random_forest(seed)
    found = region(model.build(), i_bound=1)
    assert found.exact
    assert_exact(model, found)


@pytest.mark.parametrize("seed", range(examples(40)))
def test_i_bound_one_is_belief_propagation(seed):
    graph = gentle_loopy(seed).build()
    flat = Flat().estimate(Problem(graph), Options(tolerance=1e-12, max_iterations=2000), ignore)
    found = region(graph, i_bound=1)
    assert (flat.status, found.status) == ("converged", "converged")
    # Both stop within 1e-12 nats of the one fixed point; contraction is far from one here.
    np.testing.assert_allclose(found.beliefs, flat.beliefs, rtol=0, atol=1e-8)
    np.testing.assert_allclose(found.log_z, flat.log_z, rtol=0, atol=1e-8)
    wide = [{v for v in f.scope if graph.cardinalities[v] > 1} for f in graph.factors]
    for factor, scope in zip(graph.factors, wide, strict=True):
        # Factors over the same variables believe different things: either may be told.
        if sum(scope <= other for other in wide) == 1:
            np.testing.assert_allclose(
                found.joint(factor.scope), flat.joint(factor.scope), rtol=0, atol=1e-8
            )


def test_i_bound_one_is_belief_propagation_with_evidence_and_hard_zeros():
    rng = np.random.default_rng(5)
    model = grid(3, 3, 0.3, 0.1)
    zero = np.where(np.eye(2, dtype=bool), rng.normal(size=(2, 2)), -np.inf)
    graph = model.plus(((0, 1), zero), ((2,), np.array([0.0, -np.inf]))).build()
    flat = Flat().estimate(Problem(graph), Options(tolerance=1e-12), ignore)
    found = region(graph, i_bound=1)
    np.testing.assert_allclose(found.beliefs, flat.beliefs, rtol=0, atol=1e-8)
    np.testing.assert_allclose(found.log_z, flat.log_z, rtol=0, atol=1e-8)


def test_errors_fall_with_the_i_bound():
    bounds = (1, 2, 4, 5)
    errors = {bound: [] for bound in bounds}
    for seed in range(examples(30)):
        graph = random_grid(6, 0.8, seed).build()
        exact = region(graph)
        assert exact.exact
        for bound in bounds:
            found = region(graph, i_bound=bound, tolerance=1e-9)
            assert not found.exact
            errors[bound].append(
                (np.abs(found.beliefs - exact.beliefs).mean(), abs(found.log_z - exact.log_z))
            )
    for which in (0, 1):
        means = [np.mean([error[which] for error in errors[bound]]) for bound in bounds]
        assert means == sorted(means, reverse=True)
        assert means[-1] < 0.3 * means[0]


def test_max_product_equals_enumeration():
    for seed in range(examples(30)):
        model = random_loopy(seed)
        found = region(model.build(), temperature=0.0)
        scores = reference.joint(model)
        np.testing.assert_allclose(found.log_z, scores.max(), rtol=1e-12, atol=1e-10)
        wanted = []
        for variable, count in enumerate(model.cards):
            others = tuple(v for v in range(len(model.cards)) if v != variable)
            best = np.exp(scores.max(axis=others) - scores.max())
            wanted += list(best.reshape(count) / best.sum())
        np.testing.assert_allclose(found.beliefs, wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize("temperature", [0.0, 0.4, 1.0])
def test_temperatures_are_those_of_flat_propagation(temperature):
    graph = gentle_loopy(3).build()
    options = Options(tolerance=1e-12, temperature=temperature)
    flat = Flat().estimate(Problem(graph), options, ignore)
    found = region(graph, i_bound=1, temperature=temperature)
    np.testing.assert_allclose(found.beliefs, flat.beliefs, rtol=0, atol=1e-8)
    np.testing.assert_allclose(found.log_z, flat.log_z, rtol=0, atol=1e-8)


def test_a_composite_is_right_with_regions_where_flat_propagation_is_wrong():
    # A composite C of two models A and B that contradict each other about x.
    base = np.array([0.5, 0.5])
    says = {"A": np.array([0.98, 0.02]), "B": np.array([0.02, 0.98])}
    model = Model(
        (2, 2, 2, 2),  # C, A, B, x
        (
            ((0,), np.array([0.0, -1.0])),
            ((1,), np.array([0.0, -2.0])),
            ((2,), np.array([0.0, -2.0])),
            ((3,), np.log(base)),
            ((0, 1), np.log([[1.0, 1.0], [0.05, 20.0]])),
            ((0, 2), np.log([[1.0, 1.0], [0.05, 20.0]])),
            ((1, 3), np.log([[1.0, 1.0], says["A"] / base])),
            ((2, 3), np.log([[1.0, 1.0], says["B"] / base])),
        ),
    )
    graph = model.build()
    exact = reference.marginals(model)
    flat = Flat().estimate(Problem(graph), Options(), ignore)
    found = region(graph, i_bound=2)

    def log_odds(beliefs):
        return np.log(beliefs[1] / beliefs[0])

    assert abs(log_odds(flat.beliefs) - log_odds(exact)) > 0.5
    assert abs(log_odds(found.beliefs) - log_odds(exact)) < 0.03


def test_parts_are_solved_apart():
    small, large = random_loopy(4), complete(7, 0.1, 0.1)
    shift = len(small.cards)
    both = Model(
        (*small.cards, *large.cards),
        (*small.factors, *((tuple(v + shift for v in s), t) for s, t in large.factors)),
    )
    found = region(both.build(), i_bound=4)
    assert not found.exact
    assert any("other parts exact" in note for note in found.notes)
    split = sum(small.cards)
    np.testing.assert_allclose(
        found.beliefs[:split], reference.marginals(small), rtol=0, atol=1e-10
    )
    np.testing.assert_allclose(found.beliefs[split:], reference.marginals(large), atol=0.01)
    assert found.log_z == pytest.approx(reference.log_z(small) + reference.log_z(large), abs=0.1)


def test_contradictory_evidence_names_the_variable():
    builder = GraphBuilder()
    for name in ("rain", "wet", "slippery"):
        builder.add_variable(name, ["no", "yes"])
    builder.add_factor(["rain", "wet"], [[1.0, 0.0], [0.0, 1.0]])
    builder.add_factor(["wet", "slippery"], [[1.0, 0.0], [0.0, 1.0]])
    builder.add_factor(["rain"], [0.0, 1.0])
    builder.add_factor(["slippery"], [1.0, 0.0])
    graph = builder.build()
    found = region(graph)
    assert found.status == "inconsistent"
    assert found.log_z is None
    assert np.isnan(found.beliefs).all()
    assert found.guilty
    assert graph.variables[found.guilty[0]].name in found.reason


@pytest.mark.parametrize("i_bound", [None, 1, 2])
def test_a_contradiction_that_only_several_factors_show_together_is_found(i_bound):
    # An odd cycle of inequalities: each state has support in each factor.
    unequal = np.array([[-np.inf, 0.0], [0.0, -np.inf]])
    model = Model((2,) * 3, tuple(((a, b), unequal) for a, b in ((0, 1), (1, 2), (0, 2))))
    found = region(model.build(), i_bound=i_bound)
    if i_bound == 1:
        assert found.status == "converged"  # as for flat propagation: nothing shows
    else:
        assert found.status == "inconsistent"
        assert set(found.guilty) <= {0, 1, 2}
        assert found.guilty


def test_a_zero_constant_is_a_contradiction():
    model = random_loopy(2).plus(((), np.array(-np.inf)))
    found = region(model.build())
    assert found.status == "inconsistent"
    assert "factor without variables" in found.reason


def test_graphs_without_factors_or_variables():
    empty = region(GraphBuilder().build())
    assert (empty.status, empty.log_z, empty.beliefs.size) == ("converged", 0.0, 0)
    model = Model((3, 1, 2), (((0,), np.array([0.0, 1.0, -np.inf])),))
    found = region(model.build())
    assert_exact(model, found)
    table = found.joint((2, 0))
    np.testing.assert_allclose(table, np.outer(found.beliefs[4:], found.beliefs[:3]), atol=1e-15)


def test_potentials_too_far_apart_for_numbers():
    rng = np.random.default_rng(0)
    steep = grid(4, 4, list(rng.normal(scale=300.0, size=24)), 0.5)
    found = region(steep.build())
    np.testing.assert_allclose(found.log_z, reference.log_z(steep), rtol=1e-12)
    np.testing.assert_allclose(found.beliefs, reference.marginals(steep), rtol=0, atol=1e-9)


def test_evidence_far_below_the_smallest_number_is_told():
    # Each factor alone prefers the state that all of them together make impossible.
    chain = [((v, v + 1), np.array([[0.0, -400.0], [-np.inf, 0.0]])) for v in range(5)]
    model = Model((2,) * 6, (*chain, ((0,), np.array([0.0, -300.0])), ((5,), [-np.inf, 0.0])))
    found = region(model.build())
    assert found.status == "converged"
    np.testing.assert_allclose(found.log_z, reference.log_z(model), rtol=1e-12)
    np.testing.assert_allclose(found.beliefs, reference.marginals(model), rtol=0, atol=1e-12)


def test_messages_in_loops_move_to_logs_where_they_must():
    rng = np.random.default_rng(1)
    model = complete(7, list(rng.normal(scale=60.0, size=21)), 40.0)
    found = region(model.build(), i_bound=3, max_iterations=300)
    assert np.isfinite(found.beliefs).all()
    assert found.status in {"converged", "oscillating", "max_iterations"}


def test_an_i_bound_that_needs_more_memory_is_refused():
    graph = complete(14, 0.1).build()
    with pytest.raises(
        TooLargeError, match=r"needs \d+ bytes for its tables; memory allows 550000"
    ):
        region(graph, i_bound=13, memory=550_000)


def test_without_an_i_bound_the_largest_that_fits_is_taken():
    graph = complete(14, 0.05, 0.2).build()
    whole = region(graph)
    assert whole.exact
    # The scratch of a contraction alone takes half a megabyte.
    tight = region(graph, memory=560_000)
    assert not tight.exact
    assert "chosen by size" in tight.notes[0]
    np.testing.assert_allclose(tight.beliefs, whole.beliefs, atol=0.01)


def test_a_run_that_does_not_settle_is_damped_and_says_so():
    model = complete(6, -0.8, 0.1)
    found = region(model.build(), i_bound=1, max_iterations=1500, tolerance=1e-8)
    assert found.status == "converged"
    assert any(note.startswith("damping raised to 0.") for note in found.notes)
    fixed = region(model.build(), i_bound=1, damping=0.01, max_iterations=200)
    assert fixed.status in {"oscillating", "max_iterations"}
    assert fixed.log_z is None
    assert "try another i_bound" in fixed.reason
    assert fixed.guilty


def test_an_observer_sees_each_iteration():
    graph = contradiction(1.0, 2.0, 0.5).build()
    seen = []
    found = region(
        graph,
        lambda s: seen.append((s.residual, s.log_z, np.concatenate([*s.overrides.values()]))),
        i_bound=1,
    )
    assert len(seen) == found.iterations + 1
    assert seen[-1][0] == found.residual
    assert seen[-1][1] == pytest.approx(found.log_z, abs=1e-12)
    np.testing.assert_allclose(seen[-1][2], found.beliefs, atol=1e-12)


def test_joints_that_no_cluster_holds():
    model = grid(3, 3, 0.7, 0.2)
    graph = model.build()
    scores = reference.joint(model)
    odds = np.exp(scores - scores.max())
    odds /= odds.sum()
    wanted = odds.sum(axis=tuple(range(1, 8)))
    np.testing.assert_allclose(region(graph).joint((8, 0)), wanted.T, atol=1e-12)
    rough = region(graph, i_bound=1)
    product = np.outer(rough.beliefs[16:], rough.beliefs[:2])
    np.testing.assert_allclose(rough.joint((8, 0)), product, atol=1e-12)


def test_the_seed_decides_the_order_and_not_the_answer():
    graph = random_grid(5, 1.0, 0).build()
    one, two = region(graph, seed=1), region(graph, seed=2)
    np.testing.assert_allclose(one.beliefs, two.beliefs, atol=1e-12)
    again = region(graph, seed=1)
    np.testing.assert_array_equal(one.beliefs, again.beliefs)


def test_wide_gates_are_taken_apart():
    builder = GraphBuilder()
    names = [f"x{i}" for i in range(30)]
    for name in names:
        builder.add_variable(name, 2)
        builder.add_factor([name], [0.9, 0.1])
    builder.add_variable("any", 2)
    builder.add(Or("any", names))
    graph = builder.build()
    found = region(graph)
    assert found.exact
    assert found.beliefs[-2] == pytest.approx(0.9**30, rel=1e-12)
    seen = replace(graph, unary=graph.clamped(30, 1))
    np.testing.assert_allclose(
        region(seen).beliefs[:2], [1.0 - 0.1 / (1 - 0.9**30), 0.1 / (1 - 0.9**30)], rtol=1e-12
    )


def test_a_graph_is_not_changed():
    graph = random_loopy(3).build()
    unary = graph.unary.copy()
    region(graph)
    np.testing.assert_array_equal(graph.unary, unary)
    assert solve(replace(graph)).log_z == pytest.approx(region(graph).log_z, abs=1e-10)
    assert isinstance(graph, FactorGraph)
