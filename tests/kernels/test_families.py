"""The table of factor families."""

import inspect

import numpy as np
import pytest

from mpnet.kernels.families import FAMILIES
from tests.graphs import random_loopy
from tests.kernels.semirings import SPACES, mixed


def parameters(kernel):
    return list(inspect.signature(getattr(kernel, "py_func", kernel)).parameters)


def test_every_family_of_a_graph_is_entered():
    for seed in range(10):
        assert {family.kind for family in random_loopy(seed).build().families} <= set(FAMILIES)


@pytest.mark.parametrize("kind", FAMILIES)
def test_all_families_have_the_same_signatures(kind):
    for question in ("send", "log_partition", "log_potential"):
        found = parameters(getattr(FAMILIES[kind], question))
        assert found == parameters(getattr(FAMILIES["table"], question))


@pytest.mark.parametrize("kind", FAMILIES)
def test_every_family_has_arrays_of_its_own_that_begin_with_its_first_factor(kind):
    arrays = FAMILIES[kind].arrays
    assert arrays._fields[0] == "first"
    assert [k for k, f in FAMILIES.items() if f.arrays is arrays] == [kind]


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_dense_families_answer_all_three_questions(space):
    graph = mixed(3, 2).build()
    messages = space.values(np.zeros(int(graph.arrays.edge_states[-1])))
    assignment = np.zeros(len(graph.variables), dtype=np.int64)
    asked = set()
    for family in graph.families:
        arrays, scale = family.arrays(space.linear)
        kernels = FAMILIES[family.kind]
        here = space.semiring, graph.arrays, arrays, family.first, family.last
        worst, status = kernels.send(*here, messages, messages, messages.copy(), 0.0, np.empty(0))
        assert status == -1
        assert worst > 0.0
        assert np.isfinite(kernels.log_partition(*here, messages))
        expected = sum(graph.table_of(f).flat[0] for f in range(family.first, family.last))
        # A few logs below ten.
        found = kernels.log_potential(*here, assignment) + scale
        assert found == pytest.approx(expected, rel=1e-14)
        asked.add(family.kind)
    assert asked == {"table", "triple", "pair"}
