"""Building graphs: what is stored, what is frozen and what is refused."""

import numpy as np
import pytest

from mpnet.builder import GraphBuilder
from mpnet.errors import GraphError, TooLargeError
from mpnet.graph import FactorGraph
from tests.graphs import chain, cycle, random_forest, random_loopy, star


def rain():
    builder = GraphBuilder()
    builder.add_variable("rain", ["no", "yes"])
    builder.add_variable("wet", 3)
    return builder


@pytest.mark.parametrize("seed", range(20))
def test_tables_and_unaries_are_stored_as_given(seed):
    model = random_loopy(seed)
    graph = model.build()
    assert [f.scope for f in graph.factors] == model.scopes
    for number, table in enumerate(model.tables):
        np.testing.assert_array_equal(graph.table_of(number), table)
    for number, unary in enumerate(model.unary):
        np.testing.assert_array_equal(graph.unary_of(number), unary)
    assert tuple(graph.cardinalities) == model.cards
    assert graph.log_constant == model.constant


def test_potentials_and_their_logs_make_the_same_graph():
    table = np.array([[1.0, 2.0, 0.0], [3.0, 4.0, 5.0]])
    plain, logs = rain(), rain()
    plain.add_factor(["rain", "wet"], table)
    with np.errstate(divide="ignore"):
        logs.add_factor(["rain", "wet"], np.log(table), log=True)
    np.testing.assert_array_equal(plain.build().table_of(0), logs.build().table_of(0))


def test_the_axes_follow_the_scope():
    builder = rain()
    builder.add_factor(["wet", "rain"], np.ones((3, 2)))
    assert builder.build().factors[0].scope == (1, 0)


def test_a_graph_without_anything_can_be_built():
    assert repr(GraphBuilder().build()) == "FactorGraph(0 variables, 0 factors, 0 edges)"


def test_every_array_is_frozen():
    graph = star(3).build()
    family, _ = graph.families[0].arrays(linear=True)
    arrays = [graph.unary, *graph.arrays, family.factor_table, family.tables, graph.clamped(0, 1)]
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_the_table_is_copied():
    builder, table = rain(), np.ones((2, 3))
    builder.add_factor(["rain", "wet"], table, log=True)
    table[:] = 7.0
    assert builder.build().table_of(0).max() == 1.0


def test_the_builder_can_go_on():
    builder = rain()
    before = builder.build()
    builder.add_factor(["rain"], [0.5, 2.0])
    assert before.unary_of(0).tolist() == [0.0, 0.0]
    assert builder.build().unary_of(0)[1] == np.log(2.0)


def test_edges_lie_between_their_starts():
    arrays = star(3, states=2).build().arrays
    assert arrays.edge_variable.tolist() == [0, 1, 0, 2, 0, 3]
    assert arrays.variable_edges.tolist() == [0, 3, 4, 5, 6]
    assert arrays.slot_edge.tolist() == [0, 2, 4, 1, 3, 5]
    assert arrays.factor_edges.tolist() == [0, 2, 4, 6]
    assert arrays.edge_states.tolist() == [0, 2, 4, 6, 8, 10, 12]


def test_clamping_leaves_the_potential_of_the_state_that_is_kept():
    builder = rain()
    builder.add_factor(["wet"], [1.0, 2.0, 4.0])
    kept = builder.build().clamped(1, 2)
    np.testing.assert_array_equal(kept, [0.0, 0.0, -np.inf, -np.inf, np.log(4.0)])


def test_forests_and_graphs_with_loops_are_told_apart():
    assert all(random_forest(seed).build().is_forest() for seed in range(30))
    assert chain(5, 1.0).build().is_forest()
    assert not cycle(3, 1.0).build().is_forest()
    # Two factors between the same two variables are a loop.
    assert not cycle(2, 1.0).build().is_forest()


@pytest.mark.parametrize(
    ("scope", "table", "message"),
    [
        (["rain", "sun"], [[1]], "factor 'f(rain, sun)': there is no variable 'sun'"),
        (["rain", "rain"], [[1]], "factor 'f(rain, rain)': variable 'rain' is twice in its scope"),
        (["rain"], [1, 2, 3], "factor 'f(rain)': the table has shape (3,), its scope (2,)"),
        (["rain"], [1, -1], "factor 'f(rain)': entry [1] is -1.0; it must be finite and >= 0"),
        (["rain"], [np.nan, 1], "factor 'f(rain)': entry [0] is nan; it must be finite and >= 0"),
        (["rain"], [1, np.inf], "factor 'f(rain)': entry [1] is inf; it must be finite and >= 0"),
    ],
)
def test_a_wrong_factor_is_refused_with_its_place(scope, table, message):
    with pytest.raises(GraphError) as caught:
        rain().add_factor(scope, table)
    assert str(caught.value) == message


@pytest.mark.parametrize("entry", [np.inf, np.nan])
def test_a_wrong_log_is_refused(entry):
    with pytest.raises(GraphError, match=r"entry \[1\] is .*it must be below inf"):
        rain().add_factor(["rain"], [0.0, entry], log=True)


@pytest.mark.parametrize("table", [["a", "b"], [[1], [1, 2]], None, [1j, 2]])
def test_a_table_that_is_no_array_of_numbers_is_refused(table):
    with pytest.raises(GraphError, match=r"'f\(rain\)'"):
        rain().add_factor(["rain"], table)


def test_a_huge_table_is_refused_before_it_is_made():
    builder = GraphBuilder()
    for number in range(70):
        builder.add_variable(f"v{number}", 2)
    # 2**70 is 0 in 64 bits.
    with pytest.raises(TooLargeError, match=r"would have .*10\^21 entries"):
        builder.add_factor([f"v{n}" for n in range(70)], [1.0])


def test_wrong_variables_are_refused():
    builder = rain()
    with pytest.raises(GraphError, match="variable 'rain' is there already"):
        builder.add_variable("rain", 2)
    with pytest.raises(GraphError, match="variable 'sun' has no states"):
        builder.add_variable("sun", 0)
    with pytest.raises(GraphError, match="variable 'sun' has the state 'a' twice"):
        builder.add_variable("sun", ["a", "b", "a"])


def test_only_arrays_that_nobody_can_write_into_are_shared():
    scopes, table = np.array([[0, 1]], dtype=np.int32), np.ones((1, 2, 2))
    for share in (False, True):
        for array in (scopes, table):
            array.flags.writeable = not share
        graph = FactorGraph.from_arrays([2, 2], [(scopes, table)])
        assert np.shares_memory(graph.families[0].content.values, table) == share
        assert np.shares_memory(graph.arrays.edge_variable, scopes) == share
    # A view that is read-only of an array that is not.
    view = np.ones((1, 2, 2))[:]
    view.flags.writeable = False
    graph = FactorGraph.from_arrays([2, 2], [(scopes, view)])
    assert not np.shares_memory(graph.families[0].content.values, view)


def test_what_is_given_stays_writeable_and_changes_nothing_later():
    scopes, table, unary = np.array([[0, 1]]), np.ones((1, 2, 2)), np.ones(4)
    graph = FactorGraph.from_arrays([2, 2], [(scopes, table)], unary)
    scopes[:], table[:], unary[:] = 0, 5.0, 5.0
    np.testing.assert_array_equal(graph.arrays.edge_variable, [0, 1])
    np.testing.assert_array_equal(graph.table_of(0), np.zeros((2, 2)))
    np.testing.assert_array_equal(graph.unary, np.zeros(4))


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("numbers", [[0, 1, 2, 3], [3, 1, 1], [2]])
def test_taken_tables_are_those_asked_for(log, numbers):
    rng = np.random.default_rng(0)
    tables = rng.random((4, 2, 3))
    tables[3] = tables[1]
    graph = FactorGraph.from_arrays(
        [2, 3] * 4, [([[2 * i, 2 * i + 1] for i in range(4)], tables)], log=log
    )
    content = graph.families[0].content
    taken = content.taken(np.array(numbers))
    assert taken.values.size <= content.values.size
    for place, number in enumerate(numbers):
        np.testing.assert_array_equal(taken.table(place), content.table(number))


def test_a_factor_may_be_a_function_of_the_names_of_states():
    builder = GraphBuilder()
    builder.add_variable("rain", ["no", "yes"])
    builder.add_variable("hours", 3)
    builder.add_factor(["hours", "rain"], lambda hours, rain: int(hours) * (rain == "yes") + 0.5)
    found = np.exp(builder.build().table_of(0))
    np.testing.assert_allclose(found, [[0.5, 0.5], [0.5, 1.5], [0.5, 2.5]])


def test_a_function_that_answers_no_number_is_named_with_what_it_was_asked():
    builder = GraphBuilder()
    builder.add_variable("rain", ["no", "yes"])
    with pytest.raises(GraphError, match=r"'f\(rain\)': its function answers None for \('no',\)"):
        builder.add_factor(["rain"], lambda rain: None)
