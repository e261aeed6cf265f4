"""Factors poured into others: the same distribution, and edges that can be found again."""

import numpy as np
import pytest

from mpnet.estimators.absorbing import absorb
from mpnet.estimators.exact import solve
from tests import reference
from tests.graphs import Model, examples, grid, random_loopy


@pytest.mark.parametrize("seed", range(examples(40)))
def test_the_distribution_stays_and_no_scope_lies_in_another(seed):
    model = random_loopy(seed)
    graph = absorb(model.build()).graph
    answer = solve(graph, junction=False)
    # Sums in another order.
    assert answer.log_z == pytest.approx(reference.log_z(model), rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(answer.marginals, reference.marginals(model), atol=1e-12)
    scopes = [frozenset(f.scope) for f in graph.factors]
    assert not any(a <= b for i, a in enumerate(scopes) for j, b in enumerate(scopes) if i != j)


@pytest.mark.parametrize("seed", range(examples(40)))
def test_edges_are_found_again(seed):
    graph = random_loopy(seed).build()
    found = absorb(graph)
    new = found.spread(np.arange(float(found.graph.arrays.edge_variable.size)))
    assert new.shape == graph.arrays.edge_variable.shape
    kept = ~np.isnan(new)
    assert kept.sum() == found.graph.arrays.edge_variable.size
    edges = new[kept].astype(int)
    np.testing.assert_array_equal(
        found.graph.arrays.edge_variable[edges], graph.arrays.edge_variable[kept]
    )
    names = [graph.factors[f].name for f in graph.edge_factor[kept]]
    assert names == [found.graph.factors[f].name for f in found.graph.edge_factor[edges]]


def test_a_graph_without_such_factors_is_returned_as_it_is():
    graph = grid(3, 3, 0.5).build()
    assert absorb(graph).graph is graph


def test_a_chain_of_scopes_ends_in_the_widest():
    rng = np.random.default_rng(0)
    scopes = [(0, 1), (1, 0), (2, 1, 0), (0, 1, 2, 3)]
    model = Model(
        (2, 3, 2, 2), tuple((s, rng.normal(size=[(2, 3, 2, 2)[v] for v in s])) for s in scopes)
    )
    found = absorb(model.build())
    assert [f.scope for f in found.graph.factors] == [(0, 1, 2, 3)]
    np.testing.assert_allclose(found.graph.table_of(0), reference.joint(model), rtol=1e-12)
    assert found.edges.tolist() == [-1] * 7 + [0, 1, 2, 3]
