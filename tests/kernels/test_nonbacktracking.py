"""Walks that do not turn back, against loops over pairs of edges and longest paths."""

import networkx
import numpy as np
import pytest

from mpnet.kernels import nonbacktracking
from tests.graphs import examples, random_forest, random_loopy


def ends(graph):
    """Factor and variable of each edge."""
    return list(zip(graph.edge_factor, graph.arrays.edge_variable, strict=True))


@pytest.mark.parametrize("seed", range(examples(20)))
def test_changes_are_handed_on_along_every_walk(seed):
    graph = random_loopy(seed).build()
    rng = np.random.default_rng(seed)
    edges = ends(graph)
    starts, strengths, position = [], [], 0
    for factor in range(len(graph.factors)):
        arity = np.diff(graph.arrays.factor_edges)[factor]
        uniform = rng.random() < 0.3
        starts.append(-1 if uniform else position)
        full = np.ones((arity, arity)) if uniform else rng.random((arity, arity))
        strengths.append(full * (1.0 - np.eye(arity)))
        position += 0 if uniform else arity * arity
    live = (rng.random(len(edges)) < 0.8).astype(np.int64)
    change = rng.random(len(edges))
    expected = np.zeros(len(edges))
    for here, (factor, variable) in enumerate(edges):
        for other, (same, sender) in enumerate(edges):
            if same == factor and sender != variable and live[other]:
                base = graph.arrays.factor_edges[factor]
                share = strengths[factor][here - base, other - base]
                expected[here] += share * sum(
                    change[e] for e, (f, v) in enumerate(edges) if v == sender and f != factor
                )
    out = np.full(len(edges), np.nan)
    nonbacktracking.hand_on(
        graph.arrays,
        np.array(starts, dtype=np.int64),
        np.concatenate(
            [*(s.ravel() for s, a in zip(strengths, starts, strict=True) if a >= 0), []]
        ),
        live,
        change,
        np.full(len(edges), np.nan),
        out,
    )
    # Sums of some dozen positive numbers.
    np.testing.assert_allclose(out, expected, rtol=1e-14)


@pytest.mark.parametrize("make", [random_forest, random_loopy])
@pytest.mark.parametrize("seed", range(examples(25)))
def test_depths_are_longest_paths(make, seed):
    graph = make(seed).build()
    edges = ends(graph)
    live = (np.random.default_rng(seed).random(len(edges)) < 0.8).astype(np.int64)
    after = networkx.DiGraph()
    for here, (factor, variable) in enumerate(edges):
        after.add_nodes_from([("up", here), ("down", here)])
        for other, (f, v) in enumerate(edges):
            if f == factor and other != here and live[other]:
                after.add_edge(("down", other), ("up", here))
            if v == variable and other != here:
                after.add_edge(("up", other), ("down", here))
    expected = dict.fromkeys(after, -1)
    endless = set()
    for part in networkx.strongly_connected_components(after):
        if len(part) > 1:
            endless |= part.union(*(networkx.descendants(after, node) for node in part))
    for node in networkx.topological_sort(after.subgraph(set(after) - endless)):
        behind = max((expected[before] for before in after.predecessors(node)), default=0)
        expected[node] = behind + (node[0] == "up")
    up, down = np.full(len(edges), 7), np.full(len(edges), 7)
    nonbacktracking.depths(graph.arrays, graph.edge_factor, live, up, down)
    assert list(up) == [expected["up", e] for e in range(len(edges))]
    assert list(down) == [expected["down", e] for e in range(len(edges))]
