import numpy as np
import pytest

from mpnet.batch import copies, infer_batch
from mpnet.errors import UsageError
from mpnet.graph import FactorGraph
from mpnet.inference import infer
from tests.graphs import complete, grid, random_loopy


def draw(graph, count, seen, seed=0):
    rng = np.random.default_rng(seed)
    picks = [rng.choice(len(graph.variables), seen, replace=False) for _ in range(count)]
    return [{int(v): int(rng.integers(graph.cardinalities[v])) for v in p} for p in picks]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_each_answer_is_that_of_a_run_of_its_own(seed, dtype):
    graph = random_loopy(seed).build()
    evidence = draw(graph, 6, 1, seed)
    tolerance = 1e-9 if dtype == "float64" else 1e-5
    answers = infer_batch(graph, evidence, tolerance=tolerance, dtype=dtype)
    for seen, answer in zip(evidence, answers, strict=True):
        single = infer(graph, seen, tolerance=tolerance, dtype=dtype)
        assert answer.status == single.status
        assert dict(answer.evidence) == seen
        if single.converged:
            np.testing.assert_allclose(answer.beliefs, single.beliefs, atol=100 * tolerance)
            assert answer.log_z == pytest.approx(single.log_z, abs=1000 * tolerance)


def test_joints_are_those_of_the_copy():
    graph = grid(3, 3, 0.4, 0.1).build()
    evidence = draw(graph, 4, 2)
    for seen, answer in zip(evidence, infer_batch(graph, evidence), strict=True):
        expected = infer(graph, seen).estimate.joint((0, 1))
        np.testing.assert_allclose(answer.estimate.joint((0, 1)), expected, atol=1e-7)


def test_those_that_contradict_or_swing_get_a_verdict_of_their_own():
    table = np.array([[1.0, 0.0], [0.0, 1.0]])
    graph = FactorGraph.from_arrays([2, 2, 2], [([[0, 1], [1, 2]], table)])
    answers = infer_batch(graph, [{0: 1}, {0: 1, 2: 0}, {}])
    assert [a.status for a in answers] == ["converged", "inconsistent", "converged"]
    assert "together contradict" in answers[1].reason
    swinging = complete(4, -2.0, 0.1).build()
    answers = infer_batch(swinging, [{}, {0: 1, 1: 0}], damping=0.0)
    assert [a.status for a in answers] == ["oscillating", "converged"]
    answers = infer_batch(swinging, [{}, {0: 1, 1: 0}])
    assert [a.status for a in answers] == ["converged", "converged"]


def test_potentials_beyond_linear_space_keep_their_log_z():
    graph = grid(3, 3, 0.4, 300.0).build()
    evidence = draw(graph, 3, 1)
    for seen, answer in zip(evidence, infer_batch(graph, evidence), strict=True):
        assert answer.log_z == pytest.approx(infer(graph, seen).log_z, abs=1e-6)


def test_copies_share_their_tables():
    graph = grid(3, 3, 0.4, 0.1).build()
    many = copies(graph, [graph.unary] * 5)
    assert len(many.variables) == 45
    assert len(many.factors) == 60
    arrays = many.families[0].arrays(linear=True)[0]
    assert arrays.tables.size == graph.families[0].arrays(linear=True)[0].tables.size
    np.testing.assert_array_equal(many.table_of(13), graph.table_of(1))


def test_nothing_asked_nothing_answered():
    graph = grid(2, 2, 0.4, 0.1).build()
    assert infer_batch(graph, []) == []
    with pytest.raises(UsageError, match="there is no schedule"):
        infer_batch(graph, [{}], schedule="none")
