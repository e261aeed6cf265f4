"""Log-odds split by the parts of a graph: exactly, with loops, evidence and structured factors."""

import math

import numpy as np
import pytest

from mpnet.builder import GraphBuilder
from mpnet.errors import GraphError
from mpnet.estimators.attribution import log_odds, parts_around, split_log_odds
from mpnet.factors import NoisyOr
from tests.nodes.societies import enumerated


def random_society(seed):
    """Binary variables about v0: some joined to each other, some observed, and a noisy OR."""
    rng = np.random.default_rng(seed)
    builder = GraphBuilder()
    for number in range(9):
        builder.add_variable(f"v{number}", 2 if number < 7 else 3)
        states = 2 if number < 7 else 3
        weights = rng.gamma(1.0, size=states) + 0.1
        if number > 0 and rng.random() < 0.35:
            weights[1:] = 0.0
        builder.add_factor([f"v{number}"], weights)
    for number in range(1, 9):
        other = "v0" if rng.random() < 0.6 else f"v{rng.integers(0, min(number, 7))}"
        shape = [2, 2 if number < 7 else 3]
        builder.add_factor([other, f"v{number}"], rng.gamma(1.0, size=shape) + 0.05)
    builder.add(NoisyOr("v3", ["v0", "v1", "v2"], rng.random(3), leak=0.1))
    return builder.build()


@pytest.mark.parametrize("seed", range(40))
def test_shares_and_the_unary_add_up_to_the_exact_log_odds(seed):
    graph = random_society(seed)
    unary = graph.unary_of(0)
    shares = [share for _, share in split_log_odds(graph, 0)]
    _, beliefs = enumerated(graph)
    wanted = math.log(beliefs["v0"][1] / beliefs["v0"][0])
    # A few logs of sums of probabilities.
    assert unary[1] - unary[0] + math.fsum(shares) == pytest.approx(wanted, abs=1e-11)
    assert log_odds(graph, 0) == pytest.approx(wanted, abs=1e-11)


@pytest.mark.parametrize("seed", range(20))
def test_parts_share_no_factor_and_no_unobserved_variable(seed):
    graph = random_society(seed)
    parts = parts_around(graph, 0)
    factors = [f for part in parts for f in part.factors]
    assert len(factors) == len(set(factors))
    free = [v for part in parts for v in part.variables if (graph.unary_of(v) != -np.inf).sum() > 1]
    assert len(free) == len(set(free))
    assert all(0 not in part.variables for part in parts)


def test_a_feature_that_was_not_seen_brings_its_log_bayes_factor():
    builder = GraphBuilder()
    for name in ("m", "other", "f"):
        builder.add_variable(name, 2)
    builder.add_factor(["m"], [0.9, 0.1])
    builder.add_factor(["f"], [0.7, 0.0])
    p, q = 0.95, 0.3
    for name in ("m", "other"):
        builder.add_factor([name, "f"], [[1.0, 1.0], [(1 - p) / (1 - q), p / q]])
    graph = builder.build()
    # The feature is observed: that the other model predicts it as well changes nothing.
    ((part, share),) = split_log_odds(graph, 0)
    assert part.neighbours == (2,)
    assert share == pytest.approx(math.log((1 - p) / (1 - q)), abs=1e-13)


def test_rivals_behind_an_explained_token_are_one_part():
    builder = GraphBuilder()
    for name in ("a", "b", "f"):
        builder.add_variable(name, 2)
    builder.add_factor(["f"], [0.0, 1.0])
    builder.add(NoisyOr("f", ["a", "b"], [0.9, 0.9], leak=0.1))
    ((part, _),) = split_log_odds(builder.build(), 0)
    assert part.neighbours == (1, 2)


def test_what_is_observed_or_has_more_states_has_no_log_odds():
    builder = GraphBuilder()
    builder.add_variable("x", 3)
    builder.add_variable("y", 2)
    builder.add_factor(["y"], [1.0, 0.0])
    graph = builder.build()
    for number, name in enumerate("xy"):
        with pytest.raises(GraphError, match=f"variable '{name}' needs two possible states"):
            split_log_odds(graph, number)
