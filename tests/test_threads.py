import hashlib
import itertools

import numpy as np
import pytest

from mpnet.estimators.base import Options, Problem
from mpnet.estimators.flat import Flat
from mpnet.graph import FactorGraph
from mpnet.messages import Messages
from mpnet.threads import LEAST, run_ranges


def large(seed=0, zeros=False):
    """A graph with enough factors of each shape to be shared out."""
    rng = np.random.default_rng(seed)
    count = 3 * LEAST
    counts = np.where(np.arange(count) < count // 2, 2, 3)
    low, high = np.arange(count // 2), np.arange(count // 2, count)
    pairs = np.stack([rng.permutation(low), rng.permutation(low)], 1)
    pairs = np.concatenate([pairs[pairs[:, 0] != pairs[:, 1]]] * 2)
    mixed = np.stack([np.resize(low, 2 * LEAST), np.resize(high, 2 * LEAST)], 1)
    tables = [
        np.exp(0.5 * rng.normal(size=(len(s), *shape)))
        for s, shape in ((pairs, (2, 2)), (mixed, (2, 3)))
    ]
    if zeros:
        tables[1][:, :, 0] = 0.0
    unary = np.exp(rng.normal(size=int(counts.sum())))
    return FactorGraph.from_arrays(counts, list(zip((pairs, mixed), tables, strict=True)), unary)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("damping", [0.0, 0.4])
def test_the_same_bits_for_any_number_of_threads(damping, dtype):
    graph = large()
    digests = set()
    for threads in (1, 2, 3, 3):
        options = Options(threads=threads, damping=damping, dtype=dtype, tolerance=1e-5)
        seen = []
        found = Flat().estimate(
            Problem(graph), options, lambda s, seen=seen: seen.append((s.residual, s.log_z))
        )
        data = found.beliefs.tobytes() + np.array(seen).tobytes()
        digests.add(hashlib.sha256(data).hexdigest())
    assert len(digests) == 1


def test_the_first_dead_factor_is_named_by_any_number_of_threads():
    graph = large(zeros=True)
    # Observing the first state of a late variable leaves its factors nothing.
    unary = graph.unary.copy()
    for variable in (len(graph.variables) - 2, len(graph.variables) - 1):
        unary[graph.states_of(variable)][1:] = -np.inf
    answers = {
        Messages(graph, unary, threads=threads).send_from_factors(0.0)[1] for threads in (1, 2, 4)
    }
    assert len(answers) == 1
    assert answers.pop() >= 0


def test_ranges_cover_everything_once_and_in_order():
    for threads in (1, 2, 5, 64):
        for last in (0, 7, LEAST, 4 * LEAST + 3):
            ranges = run_ranges(lambda a, b: (a, b), 3, 3 + last, threads)
            assert ranges[0][0] == 3
            assert ranges[-1][1] == 3 + last
            assert all(a[1] == b[0] for a, b in itertools.pairwise(ranges))
            assert len(ranges) <= threads
