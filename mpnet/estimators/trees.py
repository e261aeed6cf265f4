"""How often each factor appears in a random forest: what makes reweighted bounds hold.

Every vector made here is the average of 0-1 vectors of factor subsets without loops, so it is
valid by construction: an average over sampled forests is itself a distribution over forests.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mpnet.graph import FactorGraph
from mpnet.kernels.forests import grow_forest, walk_tree
from mpnet.kernels.layout import FloatArray, IndexArray, IntArray

EXACT_VARIABLES = 800
"""Variables of one connected part up to which a matrix is inverted instead of sampling trees."""

SAMPLES = 200
"""Trees that are sampled, at most."""

SAMPLED_EDGES = 10**8
"""Samples times edges, at most, but for the trees that are needed to reach every factor."""


def edge_appearance(graph: FactorGraph, seed: int = 0) -> FloatArray:
    """Appearance probability of each factor in a distribution over forests, shape (F,), all > 0.

    Where all factors are over two variables: of a spanning tree drawn uniformly from all there
    are, computed where parts are small and else from a sample. Otherwise: of forests grown so
    that all factors come up about equally often.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.
    seed : int
        Of the sample.

    """
    if graph.is_forest():
        return np.ones(len(graph.factors))
    arities = np.diff(graph.arrays.factor_edges)
    if (arities != 2).any():
        return grown(graph, seed)
    labels = parts_of(graph)
    if np.bincount(labels).max() <= EXACT_VARIABLES:
        return matrix_tree(graph)
    edges = int(graph.arrays.edge_variable.size)
    return walked(graph, int(np.clip(SAMPLED_EDGES // edges, 16, SAMPLES)), seed)


def parts_of(graph: FactorGraph) -> IntArray:
    """Number of the connected part that each variable belongs to, shape (V,)."""
    arrays = graph.arrays
    count = len(graph.variables)
    first = arrays.factor_edges[graph.edge_factor]
    links = sparse.coo_array(
        (np.ones(arrays.edge_variable.size), (arrays.edge_variable, arrays.edge_variable[first])),
        shape=(count, count),
    )
    _, labels = sparse.csgraph.connected_components(links, directed=False)
    result: IntArray = labels.astype(np.int64)
    return result


def matrix_tree(graph: FactorGraph) -> FloatArray:
    """Appearance probabilities under the uniform distribution over spanning trees, shape (F,).

    The probability of an edge is its effective resistance (Kirchhoff), each edge a conductance
    of one; parallel factors share theirs.

    Parameters
    ----------
    graph : FactorGraph
        All factors over two variables.

    """
    ends = graph.arrays.edge_variable.reshape(-1, 2).astype(np.int64)
    labels = parts_of(graph)
    result = np.ones(len(ends))
    order = np.argsort(labels, kind="stable")
    place = np.empty(labels.size, dtype=np.int64)
    sizes = np.bincount(labels)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    place[order] = np.arange(labels.size) - starts[labels[order]]
    of_factor = labels[ends[:, 0]]
    by_part = np.argsort(of_factor, kind="stable")
    bounds = np.searchsorted(of_factor[by_part], np.arange(sizes.size + 1))
    for part, size in enumerate(sizes):
        members = by_part[bounds[part] : bounds[part + 1]]
        if members.size < size:
            continue  # a tree: every edge is in it
        a, b = place[ends[members]].T
        laplacian = np.zeros((size, size))
        np.add.at(laplacian, (a, a), 1.0)
        np.add.at(laplacian, (b, b), 1.0)
        np.add.at(laplacian, (a, b), -1.0)
        np.add.at(laplacian, (b, a), -1.0)
        inverse = np.linalg.inv(laplacian + 1.0 / size)
        resistance = inverse[a, a] + inverse[b, b] - 2.0 * inverse[a, b]
        result[members] = np.clip(resistance, 0.0, 1.0)
    return result


def walked(graph: FactorGraph, samples: int, seed: int) -> FloatArray:
    """Appearance frequencies in spanning trees drawn by random walks, shape (F,), all > 0.

    Factors that no sampled tree holds get further trees, grown from them first.

    Parameters
    ----------
    graph : FactorGraph
        All factors over two variables.
    samples : int
        Trees to draw.
    seed : int
        Of the draw.

    """
    rng = np.random.default_rng(seed)
    counts = np.zeros(len(graph.factors), dtype=np.int32)
    way = np.zeros(len(graph.variables), dtype=np.int32)
    roots = np.zeros(len(graph.variables), dtype=np.int32)
    roots[np.unique(parts_of(graph), return_index=True)[1]] = 1
    for _ in range(samples):
        walk_tree(graph.arrays, graph.edge_factor, rng, roots.copy(), way, counts)
    return _cover(graph, counts, samples, rng)


def grown(graph: FactorGraph, seed: int, samples: int = 50) -> FloatArray:
    """Appearance frequencies in forests grown from the least used factors on, shape (F,), all > 0.

    Parameters
    ----------
    graph : FactorGraph
        The graph, of any arities.
    seed : int
        Of the order among factors that were used equally often.
    samples : int
        Forests to grow; more where a factor has not come up by then.

    """
    rng = np.random.default_rng(seed)
    counts = np.zeros(len(graph.factors), dtype=np.int32)
    for _ in range(samples):
        _grow_least_used(graph, counts, rng)
    return _cover(graph, counts, samples, rng)


def heaviest_forest(graph: FactorGraph, weights: FloatArray) -> NDArray[np.bool_]:
    """Which factors a forest holds that is grown from the heaviest on, shape (F,).

    The heaviest of all forests where factors are over two variables; a good one otherwise.

    Parameters
    ----------
    graph : FactorGraph
        The graph.
    weights : float64[F]
        Of the factors.

    """
    counts = np.zeros(len(graph.factors), dtype=np.int32)
    leader = np.empty(len(graph.variables), dtype=np.int32)
    order = np.argsort(-weights, kind="stable").astype(np.int32)
    grow_forest(graph.arrays, order, leader, counts)
    chosen: NDArray[np.bool_] = counts > 0
    return chosen


def _cover(
    graph: FactorGraph, counts: IndexArray, samples: int, rng: np.random.Generator
) -> FloatArray:
    while (counts == 0).any():
        _grow_least_used(graph, counts, rng)
        samples += 1
    return counts / samples


def _grow_least_used(graph: FactorGraph, counts: IndexArray, rng: np.random.Generator) -> None:
    order = np.lexsort((rng.random(counts.size), counts)).astype(np.int32)
    leader = np.empty(len(graph.variables), dtype=np.int32)
    grow_forest(graph.arrays, order, leader, counts)
