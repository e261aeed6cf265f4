"""One graph with factors of all kinds, by every schedule, in every space, and far from one."""

import itertools

import numpy as np
import pytest

from mpnet.factors import (
    AtMostOne,
    Automaton,
    Cardinality,
    Clause,
    Max,
    NoisyMax,
    NoisyOr,
    Or,
    Parity,
    Pool,
    Potts,
    SparseTable,
)
from mpnet.inference import infer
from mpnet.messages import Messages
from mpnet.schedules.flooding import Flooding
from tests import reference
from tests.factors.contract import Example, build, dense
from tests.graphs import logs

CARDS = (2,) * 8 + (3,) * 4


def potential_of_noise(a, b, child):
    off = 0.9 * (1 - 0.7 * a) * (1 - 0.4 * b)
    return 1 - off if child else off


def noisy_maximum(a, child):
    return [[0.8, 0.2, 0.0], [0.1, 0.5, 0.4]][a][child]


def rows(*states):
    return {(0, 0, 0): 1.0, (1, 2, 0): 0.5, (0, 1, 2): 2.0, (1, 1, 1): 0.7}.get(states, 0.0)


def no_two_ones(*word):
    return 0.5 ** sum(x == 2 for x in word) * ((1, 1) not in itertools.pairwise(word))


STRUCTURED = (
    ((0, 1, 2), lambda v: Or(v[2], v[:2]), lambda a, b, c: c == (a or b)),
    ((1, 2, 3), lambda v: Clause(v, v[:1]), lambda a, b, c: (1 - a) or b or c),
    ((2, 3, 4), AtMostOne, lambda *on: sum(on) <= 1),
    ((3, 4, 5), lambda v: Pool(v[2], v[:2]), lambda a, b, on: a + b == on),
    ((4, 5, 6), lambda v: Parity(v, (1.0, 0.5)), lambda *on: 0.5 if sum(on) % 2 else 1.0),
    ((5, 6, 7), lambda v: NoisyOr(v[2], v[:2], [0.7, 0.4], 0.1), potential_of_noise),
    ((6, 7, 0), lambda v: Cardinality(v, [1, 2, 0, 3]), lambda *on: (1, 2, 0, 3)[sum(on)]),
    ((7, 8), lambda v: Max(v[1], v[:1]), lambda a, child: a == child),
    ((0, 9), lambda v: NoisyMax(v[1], v[:1], [[[0.8, 0.2, 0], [0.1, 0.5, 0.4]]]), noisy_maximum),
    ((9, 10), lambda v: Potts(v, 1.5, 0.8), lambda a, b: 1.5 if a == b else 0.8),
    ((1, 10, 11), lambda v: SparseTable(v, list_of_rows()), rows),
    (
        (9, 10, 11),
        lambda v: Automaton(v, ARCS, {0: 1.0, 1: 1.0}),
        no_two_ones,
    ),
)

ARCS = [
    (a, x, int(x == 1), 0.5 if x == 2 else 1.0) for a in (0, 1) for x in (0, 1, 2) if a * x != 1
]


def list_of_rows():
    every = [(0, 0, 0), (1, 2, 0), (0, 1, 2), (1, 1, 1)]
    return {states: rows(*states) for states in every}


def everything(seed, size=1.0):
    """(structured graph, the same of tables): loops through factors of all kinds, and two tables."""
    rng = np.random.default_rng(seed)
    factors = [
        (scope, Example(tuple(CARDS[v] for v in scope), write, potential))
        for scope, write, potential in STRUCTURED
    ]
    factors.append(((2, 8), logs(rng.gamma(3.0, size=(2, 3)))))
    factors.append(((0, 4), logs(rng.gamma(3.0, size=(2, 2)))))
    factors += [((v,), size * rng.normal(size=n)) for v, n in enumerate(CARDS)]
    return build(CARDS, factors), dense(CARDS, factors)


@pytest.mark.parametrize("schedule", ["flooding", "sequential", "residual", "asynchronous"])
def test_every_schedule_finds_the_fixed_point_of_tables(schedule):
    for seed in range(3):
        graph, model = everything(seed)
        assert len(graph.families) == len(STRUCTURED) + 2
        expected = infer(model.build(), damping=0.3, tolerance=1e-12, max_iterations=2000)
        found = infer(
            graph, schedule=schedule, damping=0.3, tolerance=1e-12, max_iterations=2000, seed=seed
        )
        assert (found.status, expected.status) == ("converged", "converged")
        # Both within 1e-12 nats of one fixed point, contraction far from one.
        np.testing.assert_allclose(
            found.estimate.beliefs, expected.estimate.beliefs, rtol=0, atol=1e-10
        )
        assert found.log_z == pytest.approx(expected.log_z, abs=1e-10)


@pytest.mark.parametrize("estimator", ["exact", "region"])
def test_other_estimators_find_the_exact_answer(estimator):
    for seed in range(3):
        graph, model = everything(seed)
        found = infer(graph, estimator=estimator)
        np.testing.assert_allclose(
            found.estimate.beliefs, reference.marginals(model), rtol=0, atol=1e-10
        )
        assert found.log_z == pytest.approx(reference.log_z(model), abs=1e-10)


@pytest.mark.parametrize("size", [1.0, 60.0, 350.0])
def test_linear_and_log_space_agree(size):
    # Evidence of 350 nats and more is beyond numbers: then linear space goes over to logs.
    for seed in range(3):
        graph, _ = everything(seed, size)
        runs = [Messages(graph, space=space) for space in ("linear", "log")]
        for run in runs:
            for _ in range(6):
                Flooding().sweep(run, 0.2)
        linear, log = runs
        if size != 60.0:  # in the middle it depends on the draw
            assert linear.linear == (size == 1.0)
        # Logs up to 5000, half a dozen sweeps.
        np.testing.assert_allclose(linear.log_messages(), log.log_messages(), rtol=1e-12, atol=1e-9)
        np.testing.assert_allclose(linear.marginals(), log.marginals(), rtol=0, atol=1e-9)
        assert linear.log_z() == pytest.approx(log.log_z(), rel=1e-12, abs=1e-9)
