"""Queries as pgmpy asks them: equal on trees, near on loops, and never silent where unsure."""

import importlib.util
import warnings
from pathlib import Path

import numpy as np
import pytest

import mpnet
from mpnet.builder import GraphBuilder
from mpnet.errors import InconsistentError, NotConvergedWarning, UsageError
from mpnet.interchange import read_model
from mpnet.interchange.pgmpy_models import pgmpy_parts, to_pgmpy
from mpnet.loopy import LoopyBP

MODELS = Path(importlib.util.find_spec("pgmpy").origin).parent / "utils" / "example_models"


@pytest.fixture(scope="module")
def pgmpy():
    return pgmpy_parts()


def exact(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pgmpy.inference import VariableElimination

        return VariableElimination(model)


def ask(solver, *arguments, **keywords):
    """A query of pgmpy's, which warns of this and that and may show a bar."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return solver.query(*arguments, show_progress=False, **keywords)


def assert_same(found, wanted, **tolerance):
    """Equal factors, whatever the order of their variables."""
    assert found.state_names == wanted.state_names
    order = [wanted.variables.index(v) for v in found.variables]
    np.testing.assert_allclose(
        found.values, (wanted.values / wanted.values.sum()).transpose(order), **tolerance
    )


def random_tree(seed, count=9):
    """A Bayesian network in which each variable has one parent, with 2 to 4 named states."""
    rng = np.random.default_rng(seed)
    builder = GraphBuilder()
    cards = rng.integers(2, 5, size=count)
    for number, states in enumerate(cards):
        builder.add_variable(f"v{number}", [f"s{i}" for i in range(states)])
    builder.add_factor(["v0"], rng.dirichlet(np.ones(cards[0])))
    for number in range(1, count):
        parent = int(rng.integers(number))
        rows = rng.dirichlet(np.ones(cards[number]), size=cards[parent])
        builder.add_factor([f"v{parent}", f"v{number}"], rows)
    return to_pgmpy(builder, "bayesian")


# Both multiply the same numbers; messages stop at 1e-8 nats.
TREE = {"atol": 1e-6}


@pytest.mark.parametrize("seed", range(5))
def test_on_trees_answers_equal_variable_elimination(seed):
    model = random_tree(seed)
    bp, other = LoopyBP(model), exact(model)
    for evidence in ({}, {"v3": "s1", "v5": "s0"}):
        for name in ("v0", "v8"):
            assert_same(bp.query([name], evidence), ask(other, [name], evidence), **TREE)
        wanted = ask(other, ["v1", "v7", "v4"], evidence)
        assert_same(bp.query(["v1", "v7", "v4"], evidence), wanted, **TREE)


def test_the_joint_of_neighbours_and_of_strangers_add_up_to_their_marginals():
    bp = LoopyBP(random_tree(7))
    for pair in (["v0", "v1"], ["v8", "v2"]):
        table = bp.query(pair).values
        for axis, name in enumerate(pair):
            own = bp.query([name]).values
            np.testing.assert_allclose(table.sum(axis=1 - axis), own, atol=1e-7)


def test_single_answers_come_as_a_mapping_and_in_the_order_asked():
    bp = LoopyBP(random_tree(1))
    found = bp.query(["v2", "v0"], {"v4": "s0"}, joint=False)
    assert list(found) == ["v2", "v0"]
    for name, factor in found.items():
        assert factor.variables == [name]
        assert factor.values.sum() == pytest.approx(1.0)
        assert bp.marginals({"v4": "s0"})[name]["s0"] == factor.values[0]


@pytest.mark.parametrize("seed", range(3))
def test_virtual_evidence_weighs_as_in_pgmpy(seed, pgmpy):
    model = random_tree(seed)
    states = model.get_cpds("v3").state_names["v3"]
    likelihood = np.linspace(0.2, 0.9, len(states))[:, None]
    table = pgmpy.TabularCPD(
        "v3", len(states), likelihood / likelihood.sum(), state_names={"v3": states}
    )
    bp = LoopyBP(model)
    found = bp.query(["v0"], {"v5": "s1"}, virtual_evidence=[table])
    wanted = ask(exact(model), ["v0"], {"v5": "s1"}, virtual_evidence=[table])
    assert_same(found, wanted, **TREE)
    assert not np.allclose(found.values, bp.query(["v0"], {"v5": "s1"}).values, atol=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_the_likeliest_states_are_those_of_pgmpy(seed):
    model = random_tree(seed)
    bp, other = LoopyBP(model), exact(model)
    evidence = {"v5": "s1"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = other.map_query(["v0", "v2", "v7"], evidence, show_progress=False)
        every = sorted(set(model.nodes()) - {"v5"})
        best = other.map_query(every, evidence, show_progress=False)
    assert bp.map_query(["v0", "v2", "v7"], evidence) == wanted
    assert bp.map_query(evidence=evidence) == best


def test_on_a_network_with_loops_answers_are_near():
    model = to_pgmpy(read_model(MODELS / "asia.bif.gz"))
    bp, other = LoopyBP(model), exact(model)
    for name in model.nodes():
        found = bp.query([name], {"xray": "yes"} if name != "xray" else {})
        wanted = ask(other, [name], {"xray": "yes"} if name != "xray" else {})
        # Loops here are weak: the measured error is at most 0.02.
        assert_same(found, wanted, atol=0.03)
    referee = LoopyBP(model, estimator="exact")
    wanted = ask(other, ["lung", "bronc"], {"dysp": "yes"})
    assert_same(referee.query(["lung", "bronc"], {"dysp": "yes"}), wanted, atol=1e-9)


def test_undirected_models_and_names_that_are_no_text(pgmpy):
    model = pgmpy.DiscreteMarkovNetwork([(1, "b"), ("b", ("c", 3))])
    model.add_factors(
        pgmpy.DiscreteFactor([1, "b"], [2, 3], [1, 2, 3, 4, 5, 6]),
        pgmpy.DiscreteFactor(["b", ("c", 3)], [3, 2], [1, 5, 2, 4, 3, 3]),
    )
    bp = LoopyBP(model)
    wanted = ask(exact(model), [1, ("c", 3)], {"b": 2})
    assert_same(bp.query([1, ("c", 3)], {"b": 2}), wanted, **TREE)
    assert bp.map_query([1], {"b": 0}) == {1: 1}
    assert_same(LoopyBP(as_factor_graph(model, pgmpy)).query([1]), ask(exact(model), [1]), **TREE)


def as_factor_graph(model, pgmpy):
    found = pgmpy.FactorGraph()
    found.add_nodes_from(model.nodes())
    for factor in model.factors:
        found.add_node(factor)
        found.add_edges_from([(v, factor) for v in factor.variables])
    found.add_factors(*model.factors)
    return found


def test_one_run_answers_for_all_variables():
    bp = LoopyBP(random_tree(0))
    assert bp.result is None
    bp.query(["v0"], {"v5": "s0"})
    first = bp.result
    bp.query(["v1"], {"v5": "s0"})
    assert bp.result is first
    bp.query(["v1"], {"v5": "s1"})
    assert bp.result is not first


def frustrated():
    builder = GraphBuilder()
    for name in "abcd":
        builder.add_variable(name, 2)
    for one, two in ("ab", "bc", "cd", "da", "ac", "bd"):
        builder.add_factor([one, two], [[0.0, 4.0], [4.0, 0.5]], log=True)
    return builder.build()


def test_a_run_that_does_not_converge_warns():
    bp = LoopyBP(frustrated(), max_iterations=2, damping=0.0, on_failure="stop")
    with pytest.warns(NotConvergedWarning, match="not converged"):
        found = bp.query(["a"])
    assert bp.result.status != "converged"
    assert found.values.sum() == pytest.approx(1.0)


def test_what_does_not_converge_by_itself_climbs_the_ladder():
    bp = LoopyBP(frustrated())
    bp.query(["a"])
    assert bp.result.converged


def test_impossible_evidence_is_an_error_not_a_number():
    model = to_pgmpy(read_model(MODELS / "asia.bif.gz"))
    bp = LoopyBP(model)
    with pytest.raises(InconsistentError, match="either"):
        bp.query(["asia"], {"either": "no", "tub": "yes"})


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ((["v99"],), r"there is no variable 'v99'; variables: v0, v1"),
        ((["v0"], {"v1": "s9"}), r"'v1' has no state 's9'; states: s0, s1"),
        ((["v0"], {"v0": "s0"}), r"\['v0'\]: asked and known at once"),
        (([],), "at least one variable"),
        (("v0",), r"must be a list of names: \['v0'\]"),
        ((["v0", "v0"],), "asked twice"),
    ],
)
def test_questions_that_make_no_sense_are_refused(arguments, wanted):
    with pytest.raises(UsageError, match=wanted):
        LoopyBP(random_tree(0)).query(*arguments)


def test_a_joint_that_would_take_too_many_runs_is_refused():
    builder = GraphBuilder()
    for number in range(20):
        builder.add_variable(f"v{number}", 2)
    bp = LoopyBP(builder)
    with pytest.raises(UsageError, match=r"20 variables would take 1048574 runs; .* joint=False"):
        bp.query([f"v{n}" for n in range(20)])


def test_graphs_of_mpnet_are_asked_by_their_names():
    bp = mpnet.LoopyBP("sprinkler")
    wanted = mpnet.infer("sprinkler", {"x3": 1}).marginals
    assert bp.marginals({"x3": "1"}) == wanted
    assert bp.query(["x1"], {"x3": "1"}).state_names == {"x1": ["0", "1"]}
