"""Appearance probabilities: valid, computed or sampled, never zero."""

import itertools

import networkx as nx
import numpy as np
import pytest

from mpnet.estimators import trees
from mpnet.estimators.trees import (
    edge_appearance,
    grown,
    heaviest_forest,
    matrix_tree,
    parts_of,
    walked,
)
from mpnet.graph import FactorGraph
from tests.graphs import JITTED, complete, cycle, examples, grid, random_forest, random_loopy


def pairwise(count, pairs):
    return FactorGraph.from_arrays([2] * count, [(pairs, np.ones((2, 2)))])


def spanning_share(count, pairs):
    """Share of all spanning trees that hold each edge, by going through all."""
    held, total = np.zeros(len(pairs)), 0
    for chosen in itertools.combinations(range(len(pairs)), count - 1):
        graph = nx.MultiGraph([pairs[e] for e in chosen])
        if graph.number_of_nodes() == count and nx.is_connected(graph):
            held[list(chosen)] += 1
            total += 1
    return held / total


@pytest.mark.parametrize(
    "pairs",
    [
        [(0, 1), (1, 2), (2, 3), (3, 0)],
        [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)],
        [(0, 1), (1, 2), (2, 0), (2, 3)],
        [(0, 1), (1, 0), (1, 2), (2, 3), (3, 1)],
    ],
)
def test_matrix_tree_equals_counting_all_trees(pairs):
    found = matrix_tree(pairwise(4, pairs))
    # One inverse of a 4 by 4 matrix.
    np.testing.assert_allclose(found, spanning_share(4, pairs), rtol=1e-12)


@pytest.mark.parametrize("model", [cycle(5, 0.3), complete(4, 0.3), grid(4, 5, 0.3)])
def test_probabilities_of_a_connected_graph_sum_to_the_size_of_a_tree(model):
    found = edge_appearance(model.build())
    assert found.sum() == pytest.approx(len(model.cards) - 1, rel=1e-12)
    assert found.min() > 0.0
    assert found.max() <= 1.0


def test_known_values():
    np.testing.assert_allclose(edge_appearance(cycle(5, 0.3).build()), 0.8, rtol=1e-12)
    np.testing.assert_allclose(edge_appearance(complete(4, 0.3).build()), 0.5, rtol=1e-12)


def test_each_part_counts_for_itself():
    graph = pairwise(7, [(0, 1), (1, 2), (2, 0), (4, 5), (4, 5)])
    found = edge_appearance(graph)
    np.testing.assert_allclose(found, [2 / 3, 2 / 3, 2 / 3, 0.5, 0.5], rtol=1e-12)
    labels = parts_of(graph)
    assert labels[0] == labels[2]
    assert labels[4] == labels[5]
    assert len(set(labels.tolist())) == 4


def test_samples_agree_with_the_matrix():
    graph = grid(3, 3, 0.3).build()
    samples = 2000 if JITTED else 200
    exact, found = matrix_tree(graph), walked(graph, samples, seed=3)
    # 12 binomial frequencies, each further than four deviations off once in 16000 times.
    assert (np.abs(found - exact) < 4.0 * np.sqrt(exact * (1.0 - exact) / samples)).all()


def test_large_parts_are_sampled(monkeypatch):
    monkeypatch.setattr(trees, "EXACT_VARIABLES", 5)
    graph = grid(3, 3, 0.3).build()
    found = edge_appearance(graph, seed=1)
    assert found.sum() == pytest.approx(8.0, rel=1e-12)
    assert found.min() > 0.0
    np.testing.assert_array_equal(found, edge_appearance(graph, seed=1))
    assert (found != edge_appearance(graph, seed=2)).any()


def test_what_no_sampled_tree_holds_gets_trees_of_its_own():
    found = walked(complete(9, 0.3).build(), 1, seed=0)
    assert found.min() > 0.0
    assert found.sum() == pytest.approx(8.0, rel=1e-12)


def test_a_forest_has_every_factor_for_sure():
    for seed in range(10):
        found = edge_appearance(random_forest(seed).build())
        np.testing.assert_array_equal(found, np.ones(found.size))


@pytest.mark.parametrize("seed", range(examples(30)))
def test_wide_factors_appear_in_forests_that_are_known(seed, monkeypatch):
    graph = random_loopy(seed).build()
    forests = []

    def note(arrays, order, leader, counts):
        before = counts.copy()
        trees_grow(arrays, order, leader, counts)
        forests.append(np.flatnonzero(counts - before))

    trees_grow = trees.grow_forest
    monkeypatch.setattr(trees, "grow_forest", note)
    found = grown(graph, seed)
    shares = np.zeros(len(graph.factors))
    for forest in forests:
        shares[forest] += 1.0 / len(forests)
        links = nx.Graph()
        for factor in forest.tolist():
            links.add_edges_from((("factor", factor), v) for v in graph.factors[factor].scope)
        assert not links or nx.is_forest(links)
    np.testing.assert_allclose(found, shares, rtol=1e-12)
    assert found.min(initial=1.0) > 0.0


def test_the_heaviest_forest_leaves_out_the_lightest_edge_of_a_cycle():
    weights = np.array([3.0, 1.0, 2.0, 4.0])
    chosen = heaviest_forest(cycle(4, 0.3).build(), weights)
    np.testing.assert_array_equal(chosen, [True, False, True, True])
