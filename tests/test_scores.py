import itertools

import numpy as np
import pytest

from mpnet.errors import GraphError
from mpnet.scores import climb, log_score, single_changes
from tests import reference
from tests.graphs import examples, random_loopy


@pytest.mark.parametrize("seed", range(examples(20)))
def test_scores_are_the_product_of_all_factors(seed):
    model = random_loopy(seed)
    graph = model.build()
    rng = np.random.default_rng(seed)
    for _ in range(5):
        states = rng.integers(np.array(model.cards))
        expected = reference.log_score(model, tuple(states))
        assert log_score(graph, states) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(examples(20)))
def test_single_changes_are_differences_of_scores(seed):
    model = random_loopy(seed)
    graph = model.build()
    states = np.array(reference.most_likely(model))
    if log_score(graph, states) == -np.inf:
        return
    found = single_changes(graph, states)
    for variable, count in enumerate(model.cards):
        where = graph.states_of(variable)
        for state in range(count):
            changed = states.copy()
            changed[variable] = state
            difference = log_score(graph, changed) - log_score(graph, states)
            got = found[where.start + state] - found[where.start + states[variable]]
            assert got == pytest.approx(difference, abs=1e-9)


@pytest.mark.parametrize("seed", range(examples(20)))
def test_climbing_never_loses_and_ends_where_no_single_change_helps(seed):
    model = random_loopy(seed)
    graph = model.build()
    states = next(
        (
            np.array(s)
            for s in itertools.product(*map(range, model.cards))
            if log_score(graph, s) > -np.inf
        ),
        None,
    )
    if states is None:
        return
    top = climb(graph, states)
    assert log_score(graph, top) >= log_score(graph, states)
    for variable, count in enumerate(model.cards):
        for state in range(count):
            changed = top.copy()
            changed[variable] = state
            assert log_score(graph, changed) <= log_score(graph, top) + 1e-9


def test_an_assignment_that_does_not_fit_names_the_variable():
    graph = random_loopy(0).build()
    with pytest.raises(GraphError, match="an assignment has"):
        log_score(graph, [0])
    wrong = np.zeros(len(graph.variables), dtype=int)
    wrong[1] = 99
    with pytest.raises(GraphError, match="variable 'v1' has states 0 to"):
        log_score(graph, wrong)
