import numpy as np
import pytest

from mpnet.errors import UsageError
from mpnet.estimators.base import Options, Problem
from mpnet.estimators.flat import Flat
from mpnet.graph import FactorGraph
from mpnet.kernels.clocks import deliver
from tests.graphs import Model, gentle_loopy, grid, logs, random_forest


def run(model, **options):
    settings = Options(**{"tolerance": 1e-10, "max_iterations": 5000, **options})
    return Flat().estimate(Problem(model.build()), settings, lambda _: None)


def lossy(model, loss, delay=0.0, **options):
    return run(model, schedule="asynchronous", loss=loss, delay=delay, **options)


@pytest.mark.parametrize("loss", [0.0, 0.2, 0.5])
@pytest.mark.parametrize("delay", [0.0, 2.0])
def test_the_fixed_point_is_that_of_flooding(loss, delay):
    for model in (grid(5, 5, 0.3, 0.2), gentle_loopy(1), gentle_loopy(2), random_forest(4)):
        expected = run(model)
        found = lossy(model, loss, delay)
        assert found.status == "converged"
        np.testing.assert_allclose(found.beliefs, expected.beliefs, atol=1e-8)
        assert found.log_z == pytest.approx(expected.log_z, abs=1e-8)


def test_losing_half_of_the_messages_takes_about_twice_as_long():
    model = grid(8, 8, 0.3, 0.2)
    mean = {
        loss: np.mean([lossy(model, loss, seed=seed).iterations for seed in range(5)])
        for loss in (0.0, 0.5)
    }
    assert 1.6 < mean[0.5] / mean[0.0] < 2.4


def test_delays_slow_a_run_down():
    model = grid(5, 5, 0.3, 0.2)
    assert lossy(model, 0.0, 3.0).iterations > 1.5 * lossy(model, 0.0).iterations


def test_the_seed_is_all_the_chance_there_is():
    model = grid(4, 4, 0.3, 0.2)
    first, again, other = (lossy(model, 0.3, 1.0, seed=seed) for seed in (1, 1, 2))
    assert (first.beliefs == again.beliefs).all()
    assert first.iterations == again.iterations
    assert (first.beliefs != other.beliefs).any()


def test_nothing_that_is_still_to_be_heard_counts_as_settled():
    # Evidence walks down a chain; each lost message holds it up, and no sweep may say "settled".
    links = tuple(((v, v + 1), logs([[0.9, 0.1], [0.1, 0.9]])) for v in range(9))
    model = Model((2,) * 10, (*links, ((0,), logs([1.0, 0.01]))))
    for seed in range(5):
        found = lossy(model, 0.5, 1.0, seed=seed)
        np.testing.assert_allclose(found.beliefs, run(model).beliefs, atol=1e-9)


def test_hard_evidence_that_contradicts_is_found():
    model = Model((2, 2), (((0, 1), logs(np.eye(2))), ((0,), logs([1, 0])), ((1,), logs([0, 1]))))
    assert lossy(model, 0.3).status == "inconsistent"


def test_a_graph_without_factors_is_settled():
    assert lossy(Model((3,), ()), 0.5).status == "converged"


@pytest.mark.parametrize("options", [{"loss": 1.0}, {"loss": -0.1}, {"delay": -1.0}])
def test_what_makes_no_sense_is_refused(options):
    with pytest.raises(UsageError, match=next(iter(options))):
        Options(**options)


def link():
    """One edge of two states, with a message on its way and one that waits."""
    graph = FactorGraph.from_arrays([2, 2], [([[0, 1]], np.ones((2, 2)))])
    arrival = np.array([[3.0, np.inf], [2.0, np.inf]])
    moving, waiting, held = np.full(4, 1.0), np.full(4, 2.0), np.zeros(4)
    return graph.arrays, arrival, np.zeros((2, 2)), moving, waiting, held


def test_a_link_carries_one_message_at_a_time():
    arrays, arrival, lost, moving, waiting, held = link()
    for now, expected in [(2.9, 0.0), (3.0, 1.0), (4.9, 1.0), (5.0, 2.0), (99.0, 2.0)]:
        deliver(arrays, 0, now, arrival, lost, moving, waiting, held)
        assert held[:2].tolist() == [expected] * 2
        assert held[2:].tolist() == [0.0] * 2
    assert (arrival == np.inf).all()


def test_a_lost_message_frees_the_link_but_is_not_heard():
    arrays, arrival, lost, moving, waiting, held = link()
    lost[0, 0] = 1.0
    deliver(arrays, 0, 3.0, arrival, lost, moving, waiting, held)
    assert held.tolist() == [0.0] * 4
    deliver(arrays, 0, 5.0, arrival, lost, moving, waiting, held)
    assert held[:2].tolist() == [2.0] * 2
