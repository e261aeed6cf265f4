"""The most urgent message first, against residual propagation that computes everything again."""

import numpy as np
import pytest

from mpnet.kernels import heap
from mpnet.kernels.dispatch import send_one
from mpnet.kernels.layout import ALIVE, UNSAFE, Limits
from mpnet.kernels.priority import update_most_urgent
from mpnet.kernels.semiring import LinearSum, LogMax
from tests import reference
from tests.graphs import Model, examples, logs
from tests.kernels.semirings import (
    LIMITS,
    Run,
    Space,
    random_logs,
    scaled_messages,
    uneven,
)

SPACES = [Space(LinearSum), Space(LogMax)]


class Urgent(Run):
    """A run with a queue of its messages."""

    def __post_init__(self):
        super().__post_init__()
        edges = self.edge_residual.size
        self.items, self.where = np.empty(edges, np.int32), np.empty(edges, np.int32)
        self.keys = np.empty(edges)
        self.candidate = np.full_like(self.to_variable, np.nan)

    def ask(self, damping):
        """What every factor would say now, and how far that is from what it said."""
        for factor in range(len(self.graph.factors)):
            send_one(
                self.space.semiring, self.graph.arrays, self.families, factor, self.to_factor,
                self.to_variable, self.candidate, damping, self.edge_residual,
            )  # fmt: skip
        heap.build(self.edge_residual, self.items, self.keys, self.where)

    def move(self, tolerance, most, damping=0.0, limits=LIMITS):
        return update_most_urgent(
            self.space.semiring, self.states, self.graph.arrays, self.graph.edge_factor,
            self.families, self.unary, limits, damping, tolerance, most,
            self.to_variable, self.to_factor, self.beliefs, self.candidate, self.edge_residual,
            self.items, self.keys, self.where,
        )  # fmt: skip


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("damping", [0.0, 0.4])
def test_moves_the_same_messages_in_the_same_order_as_the_twin(space, damping):
    for seed in range(examples(3)):
        graph = uneven(seed).build()
        run = Urgent(space, graph, random_logs(graph, seed))
        run.ask(damping)
        most = 12 if examples(100) == 100 else 3
        expected, residuals, edges = reference.most_urgent_first(
            graph.arrays, run.twins, graph.unary, run.start, 1e-9, most, damping,
            space.maximise,
        )  # fmt: skip
        order = []
        for edge in edges:
            order.append(int(run.items[0]))
            assert run.move(1e-9, 1, damping) == (1, ALIVE, ALIVE)
            if damping == 0.0:
                assert run.edge_residual[edge] == 0.0
        assert order == edges
        found = scaled_messages(graph, space.logs(run.to_variable))
        # A dozen moves in a row of logs below 50.
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)
        np.testing.assert_allclose(run.edge_residual, residuals, rtol=0, atol=1e-10)
        run.same_as_heard()


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("damping", [0.0, 0.4])
def test_all_residuals_are_up_to_date_after_many_moves(space, damping):
    graph = uneven(1).build()
    run = Urgent(space, graph, random_logs(graph, 1))
    run.ask(damping)
    moved, factor, variable = run.move(1e-12, 40, damping)
    assert (factor, variable) == (ALIVE, ALIVE)
    kept = run.edge_residual.copy(), run.candidate.copy()
    np.testing.assert_array_equal(run.keys[run.where], kept[0])
    assert run.keys[0] == kept[0].max()
    run.ask(damping)
    # What was not touched was not computed again: equal but for the order of products.
    np.testing.assert_allclose(kept[0], run.edge_residual, rtol=0, atol=1e-11)
    np.testing.assert_allclose(space.logs(kept[1]), space.logs(run.candidate), rtol=0, atol=1e-11)
    assert moved > 10


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_takes_as_many_moves_as_the_twin_and_ends_at_the_same_fixed_point(space):
    graph = uneven(3, strength=0.2).build()
    size = int(graph.arrays.edge_states[-1])
    run = Urgent(space, graph, np.zeros(size))
    run.ask(0.0)
    expected, residuals, edges = reference.most_urgent_first(
        graph.arrays, run.twins, graph.unary, run.start, 1e-5, 500, 0.0, space.maximise
    )
    moved, factor, variable = run.move(1e-5, 500)
    assert (moved, factor, variable) == (len(edges), ALIVE, ALIVE)
    assert 0 < moved < 500
    assert run.keys[0] <= 1e-5
    found = scaled_messages(graph, space.logs(run.to_variable))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11)
    np.testing.assert_allclose(run.edge_residual, residuals, rtol=0, atol=1e-11)
    assert run.move(1e-5, 500) == (0, ALIVE, ALIVE)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_support_that_changes_comes_first(space):
    table = logs([[1.0, 0.5], [0.5, 1.0]])
    shut = logs([[1.0, 0.0], [1.0, 0.0]])
    graph = Model((2,) * 4, (((0, 1), table), ((1, 2), shut), ((2, 3), table))).build()
    run = Urgent(space, graph, np.zeros(12))
    run.ask(0.0)
    assert run.keys[0] == np.inf
    assert run.move(1e-9, 1)[0] == 1
    # The message to the shut variable was first.
    np.testing.assert_array_equal(space.logs(run.beliefs)[graph.states_of(2)], [0.0, -np.inf])


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_the_variable_left_without_a_state_is_named(space):
    force = logs([[1, 0], [1, 0]])
    graph = Model((2, 2), (((1,), logs([0, 1])), ((0, 1), force))).build()
    run = Urgent(space, graph, np.zeros(4))
    run.ask(0.0)
    assert run.move(1e-9, 10) == (1, ALIVE, 1)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_the_factor_that_allows_nothing_is_named(space):
    # What the first factor says leaves the second nothing that it allows.
    force = [logs([[1, 0], [1, 0]]), logs([[0, 1], [0, 1]])]
    graph = Model((2, 2, 2), (((0, 1), force[0]), ((2, 1), force[1]))).build()
    run = Urgent(space, graph, np.zeros(8))
    run.ask(0.0)
    moved, factor, variable = run.move(1e-9, 10)
    # Whichever of the two moves first, the other one is at a loss.
    assert (moved, variable) == (1, ALIVE)
    assert factor in (0, 1)


def test_leaving_the_range_is_told():
    strong = logs([[1.0, 1e-4], [1.0, 1e-4]])
    graph = Model((2,) * 5, tuple(((leaf, 0), strong) for leaf in range(1, 5))).build()
    run = Urgent(Space(LinearSum), graph, np.zeros(16))
    run.ask(0.0)
    # One message of 1e-4 is fine, a second one is too much for those who hear both.
    assert run.move(1e-9, 10, limits=Limits(1e-7, 1e-10)) == (2, ALIVE, UNSAFE)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_nan_never_looks_settled(space):
    graph = uneven(2).build()
    run = Urgent(space, graph, random_logs(graph, 0))
    run.to_variable[0] = np.nan
    run.listen()
    run.ask(0.0)
    run.move(1e-9, 30)
    assert np.isnan(run.edge_residual).any()
