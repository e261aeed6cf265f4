"""Variables that take turns, against a twin that computes everything again."""

import numpy as np
import pytest

from mpnet.kernels.layout import ALIVE, UNSAFE, Limits
from mpnet.kernels.semiring import LinearSum, LogMax
from mpnet.kernels.serial import update_in_turn
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


def turn(run, order, damping=0.0, limits=LIMITS):
    return update_in_turn(
        run.space.semiring, run.states, run.graph.arrays, run.graph.edge_factor, run.families,
        run.unary, np.array(order, dtype=np.int32), limits, damping,
        run.to_variable, run.to_factor, run.beliefs,
        np.full_like(run.to_variable, np.nan), run.edge_residual,
    )  # fmt: skip


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("damping", [0.0, 0.4])
def test_equals_the_twin(space, damping):
    for seed in range(examples(4)):
        graph = uneven(seed).build()
        run = Run(space, graph, random_logs(graph, seed))
        order = np.random.default_rng(seed).integers(5, size=5)
        expected, residuals = reference.in_turn(
            graph.arrays, run.twins, graph.unary, order, run.start, damping, space.maximise
        )
        worst, dead_factor, dead_variable = turn(run, order, damping)
        found = scaled_messages(graph, space.logs(run.to_variable))
        # Five moves in a row, each a sum of up to 81 terms and logs below 50.
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11)
        np.testing.assert_allclose(run.edge_residual, residuals, rtol=0, atol=1e-11)
        assert (dead_factor, dead_variable) == (ALIVE, ALIVE)
        # A variable may come twice: the largest of its residuals may be of its first turn.
        assert worst >= np.nanmax(residuals) - 1e-11
        if len(set(order)) == len(order):
            assert worst == pytest.approx(np.nanmax(residuals), abs=1e-11)
        run.same_as_heard()


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_each_variable_uses_what_those_before_it_said(space):
    # Along a chain, one turn in order carries the first variable's opinion to the last.
    near = logs([[0.9, 0.1], [0.1, 0.9]])
    model = Model((2,) * 4, (*(((i, i + 1), near) for i in range(3)), ((0,), logs([1.0, 0.1]))))
    graph = model.build()
    forward, backward = (Run(space, graph, np.zeros(12)) for _ in range(2))
    turn(forward, [0, 1, 2, 3])
    turn(backward, [3, 2, 1, 0])
    last = graph.states_of(3)
    assert np.ptp(space.logs(forward.beliefs)[last]) > 0.1
    assert np.ptp(space.logs(backward.beliefs)[last]) < 1e-14


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_an_empty_order_changes_nothing(space):
    graph = uneven(0).build()
    run = Run(space, graph, random_logs(graph, 0))
    assert turn(run, []) == (0.0, ALIVE, ALIVE)
    np.testing.assert_array_equal(run.to_variable, space.values(run.start))
    assert np.isnan(run.edge_residual).all()


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_the_first_that_allows_nothing_is_named(space):
    force = [logs([[1, 0], [1, 0]]), logs([[0, 1], [0, 1]])]
    graph = Model((2, 2, 2), (((0, 1), force[0]), ((2, 1), force[1]))).build()
    run = Run(space, graph, np.zeros(8))
    assert turn(run, [0, 1, 2])[1:] == (1, 1)
    nothing = Model((2, 2, 2), (((0, 1), np.zeros((2, 2))), ((1, 2), np.full((2, 2), -np.inf))))
    run = Run(space, nothing.build(), np.zeros(8))
    assert turn(run, [0, 1, 2])[1:] == (1, 1)


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_nan_is_not_swallowed(space, damping):
    graph = uneven(1).build()
    run = Run(space, graph, random_logs(graph, 0))
    run.to_variable[0] = np.nan
    run.listen()
    assert np.isnan(turn(run, range(5), damping)[0])


def test_leaving_the_range_ends_the_turn_at_once():
    # Strong pairs multiply to 1e-12 at the middle: too little for these limits.
    strong = logs([[1.0, 1e-4], [1.0, 1e-4]])
    graph = Model((2,) * 5, tuple(((leaf, 0), strong) for leaf in range(1, 5))).build()
    run = Run(Space(LinearSum), graph, np.zeros(16))
    worst, dead_factor, dead_variable = turn(run, range(5), limits=Limits(1e-6, 1e-10))
    assert (dead_factor, dead_variable) == (ALIVE, UNSAFE)
    heard = ~np.isnan(run.edge_residual)
    np.testing.assert_array_equal(heard, graph.arrays.edge_variable == 0)
    assert worst == pytest.approx(4 * np.log(10.0), rel=1e-14)
