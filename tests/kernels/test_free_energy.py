"""The Bethe terms of variables and edges against their twin."""

import numpy as np
import pytest

from mpnet.kernels import free_energy
from tests import reference
from tests.graphs import Model, examples, logs, random_loopy, star


def terms(graph, to_variable):
    to_factor, beliefs, _ = reference.send_from_variables(graph.arrays, graph.unary, to_variable)
    found = free_energy.variable_and_edge_terms(graph.arrays, beliefs, to_factor, to_variable)
    expected = reference.variable_and_edge_terms(graph.arrays, beliefs, to_factor, to_variable)
    return found, expected


def random_messages(graph, seed, zeros=0.0, scale=5.0):
    rng = np.random.default_rng(seed)
    size = int(graph.arrays.edge_states[-1])
    return np.where(rng.random(size) < zeros, -np.inf, rng.normal(size=size) * scale)


@pytest.mark.parametrize("seed", range(examples(40)))
@pytest.mark.parametrize("zeros", [0.0, 0.2])
def test_equals_reference(seed, zeros):
    graph = random_loopy(seed).build()
    found, expected = terms(graph, random_messages(graph, seed, zeros))
    # Up to 40 terms below 50.
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_how_messages_are_scaled_cancels_with_the_factor_terms():
    graph = star(3).build()
    messages = random_messages(graph, 0)
    found, _ = terms(graph, messages)
    shifted, _ = terms(graph, messages + 100.0)
    # Beliefs rise by 100 once per edge, and so do the edges' terms: 1e-13 of 600 nats.
    assert shifted == pytest.approx(found, abs=1e-10)


def test_a_variable_without_a_state_makes_it_minus_infinity_and_not_nan():
    model = Model((2, 2), (((0,), logs([0, 0])), ((0, 1), np.zeros((2, 2)))))
    found, expected = terms(model.build(), np.zeros(4))
    assert found == expected == -np.inf


def test_nan_is_not_dropped():
    graph = star(2).build()
    messages = np.zeros(8)
    messages[3] = np.nan
    assert np.isnan(terms(graph, messages)[0])


def test_messages_of_700_nats_stay_finite():
    graph = star(2).build()
    found, expected = terms(graph, np.array([700.0, -700.0] * 4))
    assert found == pytest.approx(expected, rel=1e-13)
    assert np.isfinite(found)
