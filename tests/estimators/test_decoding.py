import numpy as np
import pytest

from mpnet.errors import UsageError
from mpnet.estimators.base import Options, Problem
from mpnet.estimators.best import most_likely, most_likely_by_clusters
from mpnet.estimators.decoding import METHODS, decode
from mpnet.scores import log_score
from tests import reference
from tests.graphs import JITTED, Model, complete, examples, logs, random_forest, random_loopy


def best_score(model):
    return reference.log_score(model, reference.most_likely(model))


@pytest.mark.parametrize("seed", range(examples(30)))
def test_forests_are_decoded_exactly_by_every_method(seed):
    model = random_forest(seed)
    best = best_score(model)
    if best == -np.inf:
        return
    for method in ("auto", *METHODS):
        found = decode(model.build(), Options(), method)
        assert found.log_score == pytest.approx(best, abs=1e-9)
        assert reference.log_score(model, tuple(found.assignment)) == pytest.approx(best, abs=1e-9)


def test_loopy_graphs_are_decoded_nearly_always():
    right, count = 0, examples(40)
    for seed in range(count):
        model = random_loopy(seed)
        best = best_score(model)
        found = decode(model.build(), Options(max_iterations=200))
        assert found.log_score <= best + 1e-9
        right += found.log_score >= best - 1e-9
    assert right >= 0.9 * count


def test_ties_are_stated_and_decided_together():
    # Two states as good as each other, but both variables must choose the same.
    model = Model((2, 2, 2), (((0, 1), logs(np.eye(2))), ((1, 2), logs(np.eye(2)))))
    found = decode(model.build(), Options())
    assert found.ties == (0, 1, 2)
    assert len(set(found.assignment.tolist())) == 1
    assert found.log_score == 0.0
    told = most_likely(Problem(model.build()), Options(), lambda _: None)
    assert not told.exact
    assert "several states tie at v0, v1, v2: one of them is told" in told.notes


def test_ties_that_want_to_differ_are_decided_by_decimation():
    model = Model((2, 2, 2, 2), tuple(((v, v + 1), logs(1.0 - np.eye(2))) for v in range(3)))
    found = decode(model.build(), Options(), "decimation")
    assert found.assignment.tolist() in ([0, 1, 0, 1], [1, 0, 1, 0])


def test_reinforcement_parts_states_that_tie():
    model = Model((2, 2, 2, 2), tuple(((v, v + 1), logs([[1, 9], [9, 1]])) for v in range(3)))
    found = decode(model.build(), Options(), "reinforcement")
    assert found.assignment.tolist() in ([0, 1, 0, 1], [1, 0, 1, 0])


def test_a_choice_that_leaves_nothing_is_taken_back():
    # An odd number of ones among three pairs that must be equal, by soft preferences misled.
    parity = np.array([[[0, 1], [1, 0]], [[1, 0], [0, 1]]], dtype=float)
    model = Model(
        (2,) * 5,
        (
            ((0, 1, 2), logs(parity)),
            ((2, 3, 4), logs(parity)),
            ((0, 3), logs(np.eye(2))),
            ((1, 4), logs(1.0 - np.eye(2))),
        ),
    )
    best = best_score(model)
    found = decode(model.build(), Options(max_iterations=50), "decimation")
    if best == -np.inf:
        assert found.assignment is None
    else:
        assert found.log_score == pytest.approx(best)


def test_a_run_that_does_not_converge_still_decodes_and_says_so():
    model = complete(4, -2.0, 0.1)
    told = most_likely(Problem(model.build()), Options(max_iterations=50), lambda _: None)
    assert told.status != "converged"
    assert told.log_z == pytest.approx(best_score(model))


def test_contradictions_have_no_assignment():
    model = Model((2, 2), (((0, 1), logs(np.eye(2))), ((0,), logs([1, 0])), ((1,), logs([0, 1]))))
    told = most_likely(Problem(model.build()), Options(), lambda _: None)
    assert (told.status, told.assignment, told.log_z) == ("inconsistent", None, None)


@pytest.mark.skipif(not JITTED, reason="clusters are slow as plain Python")
def test_clusters_find_the_best_and_say_that_it_is():
    for seed in range(20):
        model = random_loopy(seed)
        best = best_score(model)
        told = most_likely_by_clusters(Problem(model.build()), Options())
        if best == -np.inf:
            assert told.assignment is None
        else:
            assert told.exact
            assert told.log_z == pytest.approx(best, abs=1e-9)
            assert log_score(model.build(), told.assignment) == pytest.approx(best, abs=1e-9)


def test_an_unknown_decoder_is_refused():
    with pytest.raises(UsageError, match="there is no decoder 'guess'"):
        decode(random_forest(0).build(), Options(), "guess")
    with pytest.raises(UsageError, match="decoder must be"):
        Options(decoder="guess")
