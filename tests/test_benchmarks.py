"""The generators of the benchmark: seeded, of the stated size, and the model that they say."""

import numpy as np
import pytest

from benchmarks import instances, limits
from benchmarks.exchange import Group, dense_twin, load, save
from mpnet.inference import infer

SMALL = {
    "grid": lambda seed=0: instances.binary_grid(4, seed=seed),
    "potts": lambda seed=0: instances.potts_grid(3, 3, seed=seed),
    "triples": lambda seed=0: instances.triples(7, 5, 3, seed=seed),
    "ors": lambda seed=0: instances.ors(3, arity=4, seed=seed),
    "noisy_ors": lambda seed=0: instances.noisy_ors(2, parents=4, causes=6, seed=seed),
    "parity": lambda seed=0: instances.parity_checks(12, seed=seed),
    "pairs": lambda seed=0: instances.random_pairs(8, 10, seed=seed),
}


@pytest.mark.parametrize("make", SMALL.values(), ids=SMALL)
def test_a_seed_says_all(make):
    one, same, other = make(), make(), make(seed=1)
    np.testing.assert_array_equal(one.unary, same.unary)
    for left, right in zip(one.groups, same.groups, strict=True):
        np.testing.assert_array_equal(left.scopes, right.scopes)
        np.testing.assert_array_equal(left.values, right.values)
    assert (one.unary != other.unary).any()


@pytest.mark.parametrize("make", SMALL.values(), ids=SMALL)
def test_scopes_name_distinct_variables(make):
    instance = make()
    for group in instance.groups:
        assert group.scopes.min() >= 0
        assert group.scopes.max() < len(instance.cardinalities)
        assert (np.diff(np.sort(group.scopes, axis=1), axis=1) > 0).all()


@pytest.mark.parametrize("make", SMALL.values(), ids=SMALL)
def test_what_a_peer_reads_is_what_was_written(make, tmp_path):
    instance = make()
    path = str(tmp_path / "instance.npz")
    save(instance, path)
    found = load(path)
    assert (found.name, found.edges) == (instance.name, instance.edges)
    np.testing.assert_array_equal(found.unary, instance.unary)
    for left, right in zip(found.groups, instance.groups, strict=True):
        assert left.kind == right.kind
        np.testing.assert_array_equal(left.scopes, right.scopes)
        np.testing.assert_array_equal(left.values, right.values)


@pytest.mark.parametrize("make", SMALL.values(), ids=SMALL)
def test_the_graph_holds_the_tables_that_peers_are_given(make):
    instance = make()
    graph = instances.to_graph(instance)
    assert graph.arrays.edge_variable.size == instance.edges
    assert graph.arrays.edge_states[-1] == instance.message_entries
    number = 0
    for group in instance.groups:
        for table in dense_twin(group):
            found = np.exp(graph.table_of(number))
            np.testing.assert_allclose(found / found.sum(), table / table.sum(), rtol=1e-12)
            number += 1


def test_sizes_are_those_of_the_table_of_speed():
    assert instances.binary_grid(300).edges == 2 * 2 * 300 * 299
    assert instances.triples(2000, 3000).edges == 9000
    parity = instances.parity_checks(10_000)
    assert parity.groups[0].scopes.shape == (5000, 6)
    assert set(np.bincount(parity.groups[0].scopes.ravel())) == {3}


def test_hidden_causes_leave_the_marginals_alone():
    instance = SMALL["noisy_ors"]()
    twin = instances.with_hidden_causes(instance)
    one, two = (infer(instances.to_graph(i), estimator="exact") for i in (instance, twin))
    count = instance.unary.size
    # Enumeration sums in another order.
    np.testing.assert_allclose(one.beliefs, two.beliefs[:count], atol=1e-12)


def test_noisy_or_twin_is_its_definition():
    group = Group("noisy_or", np.array([[0, 1, 2]]), np.array([[0.25, 0.5]]))
    table = dense_twin(group)[0]
    np.testing.assert_allclose(table[..., 1], [[0.0, 0.5], [0.25, 0.625]])
    np.testing.assert_allclose(table.sum(axis=-1), 1.0)


def test_evidence_sets_fit_the_instance():
    instance = SMALL["grid"]()
    sets = instances.evidence_sets(instance, 5, 3)
    assert [len(each) for each in sets] == [3] * 5
    assert all(state < instance.cardinalities[v] for each in sets for v, state in each.items())


def test_a_sweep_counts_tables_once_and_messages_four_times():
    instance = instances.binary_grid(2)
    tables, messages, unary = 4 * 4, 8 * 2, 4 * 2
    assert limits.sweep_bytes(instance) == 8 * (tables + 4 * messages + 2 * unary)
    assert limits.sweep_flops(instance) == 2 * 2 * tables
    assert limits.sweep_flops(SMALL["ors"]()) is None
