"""The Bethe terms of variables and edges against their twin."""

import numpy as np
import pytest

from mpnet.kernels import free_energy
from mpnet.kernels.semiring import LogMax, LogSum
from tests import reference
from tests.graphs import Model, examples, logs, star
from tests.kernels.semirings import SPACES, Space, mixed, random_logs


def terms(space, graph, to_variable):
    to_factor, beliefs, _ = reference.send_from_variables(graph.arrays, graph.unary, to_variable)
    values = [space.values(array) for array in (beliefs, to_factor, to_variable)]
    found = free_energy.variable_and_edge_terms(space.semiring, graph.arrays, *values)
    expected = reference.variable_and_edge_terms(
        graph.arrays, beliefs, to_factor, to_variable, space.maximise
    )
    return found, expected


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("zeros", [0.0, 0.2])
def test_equals_the_twin(space, zeros):
    for seed in range(examples(20)):
        graph = mixed(seed).build()
        found, expected = terms(space, graph, random_logs(graph, seed, zeros))
        # Up to 40 terms below 50.
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_how_messages_are_scaled_cancels_with_the_factor_terms(space):
    graph = star(3).build()
    messages = random_logs(graph, 0)
    found, _ = terms(space, graph, messages)
    shifted, _ = terms(space, graph, messages + 50.0)
    # Beliefs rise by 50 once per edge, and so do the edges' terms: 1e-13 of 300 nats.
    assert shifted == pytest.approx(found, abs=1e-10)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_a_variable_without_a_state_makes_it_minus_infinity_and_not_nan(space):
    model = Model((2, 2), (((0,), logs([0, 0])), ((0, 1), np.zeros((2, 2)))))
    found, expected = terms(space, model.build(), np.zeros(4))
    assert found == expected == -np.inf


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_nan_is_not_dropped(space):
    graph = star(2).build()
    messages = np.zeros(8)
    messages[3] = np.nan
    assert np.isnan(terms(space, graph, messages)[0])


@pytest.mark.parametrize("kind", [LogSum, LogMax])
def test_messages_of_700_nats_stay_finite_in_log_space(kind):
    graph = star(2).build()
    found, expected = terms(Space(kind), graph, np.array([700.0, -700.0] * 4))
    assert found == pytest.approx(expected, rel=1e-13)
    assert np.isfinite(found)
