"""The arrays that kernels read say what the model says, and are of the one type kernels know."""

import numpy as np
import pytest

from mpnet.kernels.layout import PairArrays, TableArrays, TripleArrays
from mpnet.kernels.semiring import LinearSum, LogSum
from mpnet.messages import Messages
from tests.graphs import Model, random_loopy, star
from tests.kernels.semirings import SPACES, Space, mixed


@pytest.mark.parametrize("seed", range(20))
def test_structure_is_that_of_the_model(seed):
    model = random_loopy(seed)
    arrays = model.build().arrays
    scopes = [v for scope in model.scopes for v in scope]
    assert arrays.edge_variable.tolist() == scopes
    np.testing.assert_array_equal(np.diff(arrays.variable_states), model.cards)
    np.testing.assert_array_equal(np.diff(arrays.edge_states), [model.cards[v] for v in scopes])
    np.testing.assert_array_equal(np.diff(arrays.factor_edges), [len(s) for s in model.scopes])
    for variable in range(len(model.cards)):
        slots = slice(*arrays.variable_edges[variable : variable + 2])
        here = [edge for edge, v in enumerate(scopes) if v == variable]
        assert arrays.slot_edge[slots].tolist() == here


def test_all_arrays_are_small_integers_that_nobody_can_change():
    graph = mixed(0).build()
    for array in graph.arrays:
        assert array.dtype == np.int32
        assert array.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    for space in (*SPACES, Space(LinearSum, np.float32), Space(LogSum, np.float32)):
        for family in graph.families:
            arrays, _ = space.family(family)
            assert arrays.first == family.first
            assert arrays.tables.dtype == space.dtype
            for array in (arrays.factor_table, arrays.tables):
                assert array.flags.c_contiguous
                with pytest.raises(ValueError, match="read-only"):
                    array[0] = 1


@pytest.mark.parametrize(
    ("shape", "kind", "known"),
    [
        ((2, 2), PairArrays, 2),
        ((64, 64), PairArrays, 64),
        ((65, 65), TableArrays, None),
        ((2, 3), TableArrays, None),
        ((3, 3, 3), TripleArrays, 3),
        ((3, 3, 2), TableArrays, None),
        ((2, 2, 2, 2), TableArrays, None),
    ],
)
def test_the_number_of_states_is_known_where_it_is_one_number(shape, kind, known):
    model = Model(shape, ((tuple(range(len(shape))), np.zeros(shape)),))
    arrays, _ = model.build().families[0].arrays(True)
    assert type(arrays) is kind
    if known:
        assert arrays.states == (0,) * known


@pytest.mark.parametrize(("cards", "known"), [((2, 2), 2), ((16, 16), 16), ((17, 17), 0)])
def test_variables_of_equally_many_states_are_known_to_their_kernel(cards, known):
    messages = Messages(Model(cards, ()).build())
    assert messages.states == (0,) * known


def test_variables_of_different_cardinalities_are_not():
    assert Messages(Model((2, 3), ()).build()).states == ()
    assert Messages(Model((), ()).build()).states == ()


@pytest.mark.parametrize("states", [2, 3, 17])
def test_beliefs_do_not_depend_on_whether_states_are_known(states):
    graph = star(4, states).build()
    known, unknown = Messages(graph), Messages(graph)
    unknown.states = ()
    for messages in (known, unknown):
        for _ in range(3):
            messages.send_from_factors(0.0)
            messages.refresh()
    np.testing.assert_allclose(known.marginals(), unknown.marginals(), rtol=1e-14)
