"""pgmpy's models there and back: names, order and numbers are kept, and faults are named."""

import importlib.util
import os
import warnings
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import mpnet
from mpnet.builder import GraphBuilder
from mpnet.errors import GraphError, UsageError
from mpnet.interchange import read_model, write_model
from mpnet.interchange.cpts import cpts_of
from mpnet.interchange.networkx_graphs import from_networkx, to_networkx
from mpnet.interchange.pgmpy_models import from_pgmpy, pgmpy_parts, to_pgmpy
from tests.interchange.texts import DATA, assert_same_graph

MODELS = Path(importlib.util.find_spec("pgmpy").origin).parent / "utils" / "example_models"
NETWORKS = sorted(path.name.removesuffix(".bif.gz") for path in MODELS.glob("*.bif.gz"))
QUICK = ("asia", "cancer", "sachs", "child", "alarm", "insurance", "win95pts", "earthquake")
PROBLEMS = sorted((DATA / "uai").rglob("*.uai")) if (DATA / "uai").is_dir() else []


def named(graph):
    return [(v.name, v.states) for v in graph.variables]


def by_scope(graph):
    """Log potentials by set of variables, axes sorted by name, all with largest 0; and the rest."""
    found, rest = {}, graph.log_constant
    names = [v.name for v in graph.variables]
    parts = [(f.scope, graph.table_of(i)) for i, f in enumerate(graph.factors)]
    parts += [((v,), graph.unary_of(v)) for v in range(len(names))]
    for scope, table in parts:
        order = sorted(range(len(scope)), key=lambda i: names[scope[i]])
        key = tuple(names[scope[i]] for i in order)
        found[key] = found.get(key, 0.0) + table.transpose(order)
    for key, table in found.items():
        rest += table.max()
        found[key] = table - table.max()
    return found, rest


def assert_same_product(found, wanted):
    assert named(found) == named(wanted)
    (tables, rest), (others, other_rest) = by_scope(found), by_scope(wanted)
    for key in tables.keys() | others.keys():
        # A rounding of the potential is 1e-16 of its log; some ten of them add up.
        np.testing.assert_allclose(tables.get(key, 0.0), others.get(key, 0.0), atol=1e-9)
    assert rest == pytest.approx(other_rest, abs=1e-6)


@pytest.fixture(scope="module")
def pgmpy():
    return pgmpy_parts()


if_asked = pytest.mark.skipif(
    os.environ.get("MPNET_SLOW_TESTS") != "1",
    reason="large networks take four minutes; set MPNET_SLOW_TESTS=1",
)


@pytest.mark.parametrize(
    "name",
    [n if n in QUICK else pytest.param(n, marks=[pytest.mark.slow, if_asked]) for n in NETWORKS],
)
def test_shipped_networks_go_through_pgmpy_bif_and_networkx_and_back(name, tmp_path):
    graph = read_model(MODELS / f"{name}.bif.gz").graph
    model = to_pgmpy(graph)
    assert type(model).__name__ == "DiscreteBayesianNetwork"
    if name in QUICK:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert model.check_model()
    back = from_pgmpy(model)
    assert named(back) == named(graph)
    assert_same_graph(back, graph)
    write_model(graph, tmp_path / "m.bif")
    again = read_model(tmp_path / "m.bif").graph
    assert named(again) == named(graph)
    assert_same_graph(again, graph)
    assert_same_graph(from_networkx(to_networkx(graph)), graph)


@pytest.mark.skipif(not PROBLEMS, reason="the UAI problems are not here (MPNET_DATA names them)")
@pytest.mark.parametrize(
    "name",
    ["DBN/DBN_11", "Grids/grid10x10.f10", "Pedigree/Pedigree_11", "Promedas_sum/Promedus_15"],
)
def test_problems_of_the_data_folder_go_through_and_back(name):
    graph = read_model(DATA / "uai" / f"{name}.uai").graph
    for kind in ("auto", "factor_graph"):
        model = to_pgmpy(graph, kind)
        found = from_pgmpy(model)
        if kind == "auto":
            assert_same_product(found, graph)
        assert len(found.factors) <= len(graph.factors)
    assert_same_product(from_networkx(to_networkx(graph)), graph)


def test_pgmpys_own_model_keeps_its_order_and_its_numbers(pgmpy):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = pgmpy.DiscreteBayesianNetwork([("b", "c"), ("a", "c")])
        states = {"a": ["on", "off"], "b": ["lo", "mid", "hi"], "c": ["no", "yes"]}
        table = np.random.default_rng(0).dirichlet([1, 1], size=6).T
        model.add_cpds(
            pgmpy.TabularCPD("a", 2, [[0.3], [0.7]], state_names={"a": states["a"]}),
            pgmpy.TabularCPD("c", 2, table, ["b", "a"], [3, 2], state_names=states),
            pgmpy.TabularCPD("b", 3, [[0.2], [0.3], [0.5]], state_names={"b": states["b"]}),
        )
    graph = from_pgmpy(model)
    assert named(graph) == [(n, tuple(states[n])) for n in model.nodes()]
    assert graph.factors[0].name == "f(b, a, c)"
    np.testing.assert_array_equal(np.exp(graph.table_of(0))[1, 0], np.exp(np.log(table[:, 2])))
    back = to_pgmpy(graph)
    assert list(back.nodes()) == list(model.nodes())
    for node in model.nodes():
        mine, own = back.get_cpds(node), model.get_cpds(node)
        assert mine.variables == own.variables
        assert mine.state_names == own.state_names
        np.testing.assert_allclose(mine.values, own.values, rtol=1e-15)


def test_names_that_are_not_text_become_text_and_must_differ(pgmpy):
    model = pgmpy.DiscreteMarkovNetwork([(1, ("a", 2))])
    model.add_factors(pgmpy.DiscreteFactor([1, ("a", 2)], [2, 2], [1, 2, 3, 4]))
    assert named(from_pgmpy(model)) == [("1", ("0", "1")), ("('a', 2)", ("0", "1"))]
    model = pgmpy.DiscreteMarkovNetwork([(1, "1")])
    model.add_factors(pgmpy.DiscreteFactor([1, "1"], [2, 2], [1, 2, 3, 4]))
    with pytest.raises(GraphError, match="two variables called '1'; they must differ as text"):
        from_pgmpy(model)


def pair(*more):
    builder = GraphBuilder()
    builder.add_variable("a", ["x", "y"])
    builder.add_variable("b", ["u", "v", "w"])
    builder.add_factor(["b", "a"], [[1, 2], [3, 4], [5, 6]])
    for scope, table in more:
        builder.add_factor(scope, table)
    return builder


def test_a_graph_that_is_no_network_becomes_an_undirected_one(pgmpy):
    graph = pair((["a", "b"], np.full((2, 3), 2.0)), (["a"], [3, 1]), ([], 5.0)).build()
    model = to_pgmpy(graph)
    assert isinstance(model, pgmpy.DiscreteMarkovNetwork)
    assert model.check_model()
    assert sorted(len(f.variables) for f in model.factors) == [1, 2]
    # Sum of the potentials: 2 * 5 * (3 * (1 + 3 + 5) + 1 * (2 + 4 + 6)).
    assert model.get_partition_function() == pytest.approx(390.0)
    assert_same_product(from_pgmpy(model), graph)
    as_factors = to_pgmpy(graph, "factor_graph")
    assert as_factors.check_model()
    found = from_pgmpy(as_factors)  # its variables come in the order of its factors
    assert [v.name for v in found.variables] == ["b", "a"]
    (tables, rest), (others, other_rest) = by_scope(found), by_scope(graph)
    for key in tables:
        np.testing.assert_allclose(tables[key], others[key], atol=1e-12)
    assert rest == pytest.approx(other_rest)


def test_a_variable_without_factors_gets_one_for_pgmpy():
    builder = pair()
    builder.add_variable("alone", 2)
    model = to_pgmpy(builder)
    assert model.check_model()
    assert model.get_partition_function() == pytest.approx(42.0)


def test_tables_are_found_whatever_the_order_of_their_axes():
    builder = GraphBuilder()
    for name in "abc":
        builder.add_variable(name, 2)
    rng = np.random.default_rng(1)
    builder.add_factor(["a"], [0.25, 0.75])
    # Both are tables of two variables; only one way round fits with the others.
    builder.add_factor(["b", "a"], [[0.5, 0.5], [0.5, 0.5]])
    builder.add_factor(["c", "b", "a"], rng.dirichlet([1, 1], size=(2, 2)).transpose(2, 0, 1))
    found = cpts_of(builder.build())
    assert [(c.child, c.parents) for c in found] == [(0, ()), (1, (0,)), (2, (1, 0))]


@pytest.mark.parametrize(
    ("builder", "names"),
    [
        (pair(), "'a', 'b'"),
        (pair((["a"], [0.5, 0.5])), "'a', 'b'"),
        (pair((["a", "b"], np.full((2, 3), 1 / 3))), "'a', 'b'"),
    ],
)
def test_what_is_no_network_is_said(builder, names):
    with pytest.raises(GraphError, match=f"not a Bayesian network: the factors of {names} are not"):
        to_pgmpy(builder, "bayesian")


def test_evidence_in_a_network_makes_it_none():
    graph = read_model(MODELS / "asia.bif.gz").graph
    builder = GraphBuilder()
    for variable in graph.variables:
        builder.add_variable(variable.name, variable.states)
    for number, factor in enumerate(graph.factors):
        scope = [graph.variables[v].name for v in factor.scope]
        builder.add_factor(scope, graph.table_of(number), log=True)
    for number, variable in enumerate(graph.variables):
        builder.add_factor([variable.name], graph.unary_of(number), log=True)
    assert len(cpts_of(builder.build())) == 8
    builder.add_factor(["xray"], [1.0, 0.0])
    with pytest.raises(GraphError, match="not a Bayesian network: the factors of 'asia', "):
        cpts_of(builder.build())


def test_models_with_faults_are_refused_by_name(pgmpy):
    model = pgmpy.DiscreteBayesianNetwork([("a", "b")])
    with pytest.raises(GraphError, match="variable 'a' has no CPD"):
        from_pgmpy(model)
    factor = pgmpy.DiscreteFactor
    net = pgmpy.DiscreteMarkovNetwork([("a", "b")])
    net.add_factors(factor(["a", "b"], [2, 2], [1, 2, 3, -1]))
    with pytest.raises(GraphError, match=r"factor 0 \(a, b\) holds what is no potential"):
        from_pgmpy(net)
    net = pgmpy.DiscreteMarkovNetwork([("a", "b"), ("b", "c")])
    net.add_factors(
        factor(["a", "b"], [2, 2], [1, 2, 3, 1], state_names={"a": ["0", "1"], "b": ["x", "y"]}),
        factor(["b", "c"], [2, 2], [1, 2, 3, 1], state_names={"b": ["y", "x"], "c": ["0", "1"]}),
    )
    with pytest.raises(GraphError, match=r"two tables differ about the states of 'b': \['x'"):
        from_pgmpy(net)
    with pytest.raises(UsageError, match="can't read a Graph; models of pgmpy: Discrete"):
        from_pgmpy(nx.Graph())


def test_potentials_beyond_a_double_are_refused():
    builder = pair()
    builder.add_factor(["a", "b"], np.array([[0.0, 800, 0], [0, 0, 0]]), log=True)
    with pytest.raises(GraphError, match="the factor of b, a can't be said in pgmpy"):
        to_pgmpy(builder)
    with pytest.raises(UsageError, match=r"no kind 'bayes'; did you mean 'bayesian'\?"):
        to_pgmpy(builder, "bayes")


def test_bif_says_which_name_it_can_not_write(tmp_path):
    builder = GraphBuilder()
    builder.add_variable("a b", 2)
    builder.add_factor(["a b"], [0.5, 0.5])
    with pytest.raises(GraphError, match="variable 'a b': BIF has no way to write 'a b'; spaces"):
        write_model(builder.build(), tmp_path / "m.bif")
    with pytest.raises(GraphError, match="not a Bayesian network"):
        write_model(pair().build(), tmp_path / "m.bif")
    for states in (["default", "x"], ["a//b", "x"], ["a,b", "x"], ["x\x07", "y"]):
        builder = GraphBuilder()
        builder.add_variable("v", states)
        builder.add_factor(["v"], [0.5, 0.5])
        with pytest.raises(GraphError, match="variable 'v': BIF has no way to write"):
            write_model(builder.build(), tmp_path / "m.bif")
    assert not list(tmp_path.iterdir())


def test_bif_can_not_tell_capitals(tmp_path):
    builder = GraphBuilder()
    builder.add_variable("v", 1)
    builder.add_variable("V", 1)
    with pytest.raises(GraphError, match="variables 'v' and 'V' are one in BIF"):
        write_model(builder.build(), tmp_path / "m.bif")


@pytest.mark.parametrize(
    "word",
    [
        "a.b",
        "x+",
        "<5",
        "5",
        "a:b",
        "100%",
        "a=b",
        "-1",
        "é",
        "Asy/Patch",
        "5e3",
        "'",
        "probability",
        "type",
    ],
)
def test_words_that_bif_is_said_to_hold_are_read_back(word, tmp_path):
    builder = GraphBuilder()
    builder.add_variable("v", [word, "other"])
    builder.add_variable("w", 2)
    builder.add_factor(["v"], [0.25, 0.75])
    builder.add_factor(["v", "w"], [[0.5, 0.5], [0.125, 0.875]])
    write_model(builder.build(), tmp_path / "m.bif")
    assert_same_graph(read_model(tmp_path / "m.bif").graph, builder.build())


def test_numbers_in_bif_are_whole(tmp_path):
    builder = GraphBuilder()
    builder.add_variable("v", 3)
    builder.add_factor(["v"], [1 / 3, 1e-17, 2 / 3])
    write_model(builder.build(), tmp_path / "m.bif")
    found = np.exp(read_model(tmp_path / "m.bif").graph.unary_of(0))
    np.testing.assert_allclose(found, [1 / 3, 1e-17, 2 / 3], rtol=1e-14)


def test_networkx_graphs_hold_both_sides_and_can_be_your_own():
    graph = mpnet.read_model("sprinkler").graph
    found = to_networkx(graph)
    assert nx.is_bipartite(found)
    sides = nx.get_node_attributes(found, "bipartite")
    assert sorted(sides.values()) == [0] * len(graph.variables) + [1] * len(graph.factors)
    own = nx.Graph()
    own.add_node("a", states=["x", "y"], table=[1.0, 3.0])
    own.add_node(7, states=2)
    own.add_node("f", scope=[7, "a"], table=[[1, 2], [3, 4]])
    own.add_edges_from([("f", "a"), ("f", 7)])
    built = from_networkx(own)
    assert named(built) == [("a", ("x", "y")), ("7", ("0", "1"))]
    np.testing.assert_allclose(np.exp(built.table_of(0)), [[1, 2], [3, 4]])
    np.testing.assert_allclose(np.exp(built.unary_of(0)), [1, 3])


@pytest.mark.parametrize(
    ("about", "wanted"),
    [
        ({"table": [1, 2]}, "factor 'f' has no scope"),
        ({"scope": ["a"]}, "factor 'f' has neither logs nor table"),
        ({"scope": ["b"], "table": [1, 2]}, r"its scope is \['b'\], its edges lead to \['a'\]"),
        ({"scope": ["a"], "table": [1, 2, 3]}, "shape"),
    ],
)
def test_a_factor_of_networkx_that_does_not_fit_is_named(about, wanted):
    own = nx.Graph()
    own.add_node("a", states=2)
    own.add_node("f", **about)
    own.add_edge("f", "a")
    with pytest.raises(GraphError, match=wanted):
        from_networkx(own)


def test_a_junction_tree_is_the_same_model():
    model = to_pgmpy(read_model(MODELS / "cancer.bif.gz"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = model.to_junction_tree()
    found = mpnet.infer(from_pgmpy(tree), {"Xray": "positive"}, estimator="exact").marginals
    wanted = mpnet.infer(from_pgmpy(model), {"Xray": "positive"}, estimator="exact").marginals
    for name, states in wanted.items():
        assert found[name] == pytest.approx(states, abs=1e-12)
