"""Forests of factors: no loop, no factor left out that fits, every spanning tree as likely."""

from collections import Counter

import networkx as nx
import numpy as np
import pytest

from mpnet.graph import FactorGraph
from mpnet.kernels.forests import grow_forest, walk_tree
from tests.graphs import JITTED, complete, examples, random_loopy


def is_forest(scopes):
    graph = nx.Graph()
    for number, scope in enumerate(scopes):
        graph.add_edges_from((("factor", number), v) for v in scope)
    return not graph or nx.is_forest(graph)


def grow(graph, order):
    counts = np.zeros(len(graph.factors), dtype=np.int32)
    leader = np.empty(len(graph.variables), dtype=np.int32)
    taken = grow_forest(graph.arrays, np.array(order, dtype=np.int32), leader, counts)
    assert taken == counts.sum()
    return np.flatnonzero(counts).tolist()


@pytest.mark.parametrize("seed", range(examples(60)))
def test_each_factor_is_taken_if_it_closes_no_loop(seed):
    graph = random_loopy(seed).build()
    order = np.random.default_rng(seed).permutation(len(graph.factors))
    wanted = []
    for factor in order.tolist():
        if is_forest([graph.factors[f].scope for f in [*wanted, factor]]):
            wanted.append(factor)
    assert grow(graph, order) == sorted(wanted)


def test_an_order_by_weight_gives_the_heaviest_tree():
    graph = complete(7, 1.0).build()
    weights = np.random.default_rng(0).random(len(graph.factors))
    other = nx.Graph()
    for factor, weight in zip(graph.factors, weights, strict=True):
        other.add_edge(*factor.scope, weight=weight)
    found = sum(weights[grow(graph, np.argsort(-weights))])
    wanted = nx.maximum_spanning_tree(other).size(weight="weight")
    assert found == pytest.approx(wanted, rel=1e-12)


def test_spanning_trees_are_drawn_uniformly():
    # A square with a diagonal: 8 spanning trees. The number of each among n draws has variance
    # below n / 8; 4.5 of its roots off has a chance of 7e-6 for each of 8 trees.
    pairs = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2)]
    graph = FactorGraph.from_arrays([2] * 4, [(pairs, np.ones((2, 2)))])
    draws = 8000 if JITTED else 800
    rng, seen = np.random.default_rng(1), Counter()
    way = np.zeros(4, dtype=np.int32)
    for _ in range(draws):
        counts = np.zeros(5, dtype=np.int32)
        joined = np.array([1, 0, 0, 0], dtype=np.int32)
        walk_tree(graph.arrays, graph.edge_factor, rng, joined, way, counts)
        seen[tuple(counts.tolist())] += 1
    assert len(seen) == 8
    for tree, count in seen.items():
        assert sum(tree) == 3
        assert abs(count - draws / 8) < 4.5 * np.sqrt(draws / 8)


def test_each_part_gets_a_tree_of_its_own():
    pairs = [(0, 1), (1, 2), (2, 0), (3, 4), (3, 4)]
    graph = FactorGraph.from_arrays([2] * 6, [(pairs, np.ones((2, 2)))])
    counts = np.zeros(5, dtype=np.int32)
    joined = np.array([1, 0, 0, 1, 0, 1], dtype=np.int32)
    way = np.zeros(6, dtype=np.int32)
    walk_tree(graph.arrays, graph.edge_factor, np.random.default_rng(0), joined, way, counts)
    assert counts[:3].sum() == 2
    assert counts[3:].sum() == 1
    assert joined.all()
