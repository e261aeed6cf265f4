import numpy as np
import pytest

from mpnet.graph import FactorGraph
from mpnet.kernels.buckets import make_queue
from mpnet.kernels.layout import ALIVE, UNSAFE, Limits
from mpnet.kernels.priority_pairs import (
    BUCKET,
    FRESH,
    RECORD,
    WORDS,
    fill_records,
    read_records,
    update_most_urgent_pairs,
)
from mpnet.kernels.semiring import LinearMax, LinearSum
from mpnet.messages import Messages
from mpnet.schedules.base import Settings
from mpnet.schedules.residual import Residual


def random_pairs(seed, variables=12, factors=22, strength=0.6):
    rng = np.random.default_rng(seed)
    scopes = np.array([rng.choice(variables, 2, replace=False) for _ in range(factors)])
    tables = np.exp(strength * rng.normal(size=(factors, 2, 2)))
    unary = np.exp(0.5 * rng.normal(size=2 * variables))
    return FactorGraph.from_arrays([2] * variables, [(scopes, tables)], unary)


class Run:
    """The records of a graph, after so many moves."""

    def __init__(self, graph, moves, tolerance=1e-9, maximise=False, limits=None):
        messages = self.messages = Messages(graph, maximise=maximise)
        candidate = np.empty_like(messages.to_variable)
        residual = np.empty(messages.edge_residual.size)
        messages.ask_factors(0.0, candidate, residual)
        self.before = messages.to_variable.copy(), candidate, residual
        self.records = np.empty((len(graph.variables) + residual.size) * int(RECORD))
        self.words = self.records.view(np.int32)
        self.queue = make_queue(4 * residual.size + 4 * moves)
        fill_records(
            graph.arrays,
            messages.family_arrays[0],
            messages.potentials,
            messages.to_variable,
            candidate,
            residual,
            tolerance,
            self.records,
            self.words,
            self.queue,
        )
        self.moved, self.status = update_most_urgent_pairs(
            messages.semiring,
            limits or messages.limits,
            float(np.expm1(tolerance)),
            moves,
            self.records,
            self.words,
            self.queue,
            np.empty(len(graph.factors)),
        )
        read_records(graph.arrays, self.records, messages.to_variable)

    def fresh(self):
        """What factors would say now, as odds, by edge, read off the records."""
        arrays = self.messages.graph.arrays
        variables = arrays.edge_variable[arrays.slot_edge]
        places = np.arange(variables.size) + variables + 1
        odds = np.empty(variables.size)
        odds[arrays.slot_edge] = self.records.reshape(-1, int(RECORD))[places, int(FRESH)]
        queued = np.empty(variables.size, dtype=bool)
        queued[arrays.slot_edge] = self.words.reshape(-1, int(WORDS))[places, int(BUCKET)] >= 0
        return odds, queued


@pytest.mark.parametrize("maximise", [False, True])
@pytest.mark.parametrize("moves", [1, 2, 7, 40])
@pytest.mark.parametrize("seed", range(4))
def test_what_factors_would_say_is_always_known(seed, moves, maximise):
    run = Run(random_pairs(seed), moves, maximise=maximise)
    assert (run.moved, run.status) == (moves, ALIVE)
    messages = run.messages
    messages.refresh()
    now, residual = np.empty_like(messages.to_variable), np.empty(messages.edge_residual.size)
    messages.ask_factors(0.0, now, residual)
    odds, queued = run.fresh()
    np.testing.assert_allclose(odds, now[1::2] / now[::2], rtol=1e-11)
    assert (queued == (residual > 1e-9)).all()


@pytest.mark.parametrize("seed", range(6))
def test_the_first_to_move_has_the_largest_residual_to_within_half_an_octave(seed):
    run = Run(random_pairs(seed), 1)
    start, candidate, residual = run.before
    moved = np.flatnonzero((run.messages.to_variable != start).reshape(-1, 2).any(axis=1))
    assert moved.size == 1
    assert np.expm1(residual[moved[0]]) * 1.5 >= np.expm1(residual.max())
    np.testing.assert_allclose(
        run.messages.to_variable.reshape(-1, 2)[moved[0]],
        candidate.reshape(-1, 2)[moved[0]],
        rtol=1e-12,
    )


@pytest.mark.parametrize("seed", range(4))
def test_all_settle_and_nothing_is_left_in_the_queue(seed):
    run = Run(random_pairs(seed, strength=0.3), 10**5)
    assert run.status == ALIVE
    assert run.moved < 5000
    run.messages.refresh()
    residual, _ = run.messages.send_from_factors(0.0)
    assert residual <= 1e-9


def test_leaving_the_range_is_told():
    run = Run(random_pairs(0), 10, limits=Limits(floor=0.9999, tiny=1e-290))
    assert run.status == UNSAFE
    assert run.moved == 1


@pytest.mark.parametrize("semiring", [LinearSum, LinearMax])
def test_the_schedule_takes_the_quick_way_only_where_it_may(semiring, monkeypatch):
    graph = random_pairs(3, strength=0.3)
    calls = []
    quick = Residual._move_pairs
    monkeypatch.setattr(Residual, "_move_pairs", lambda *args: calls.append(1) or quick(*args))
    maximise = semiring is LinearMax
    found = {}
    for space in ("linear", "log"):
        messages = Messages(graph, space=space, maximise=maximise)
        schedule = Residual(Settings(tolerance=1e-11))
        while schedule.sweep(messages, 0.0).residual > 1e-11:
            pass
        found[space] = messages.marginals()
        assert bool(calls) == (space == "linear") or space == "log"
    count = len(calls)
    schedule.sweep(Messages(graph, space="linear", maximise=maximise), 0.3)
    assert len(calls) == count
    np.testing.assert_allclose(found["linear"], found["log"], atol=1e-9)
