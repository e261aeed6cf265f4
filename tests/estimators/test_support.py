"""The search for assignments that hard zeros allow, against going through all."""

import itertools

import numpy as np
import pytest

from mpnet.estimators import support
from mpnet.estimators.support import Support
from tests import reference
from tests.graphs import Model, examples, logs, random_loopy


def colouring(edges, count, colours):
    table = logs(1.0 - np.eye(colours))
    return Model((colours,) * count, tuple((edge, table) for edge in edges))


def queens(size):
    """A queen per row, its column the state: none attacks another."""
    factors = []
    for one, other in itertools.combinations(range(size), 2):
        gap = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
        factors.append(((one, other), logs((gap != 0) & (gap != other - one))))
    return Model((size,) * size, tuple(factors))


def sparse(seed):
    """Tables of which two thirds are zero: about half of the models have no assignment."""
    rng = np.random.default_rng(seed)
    cards = (2, 3, 2, 3, 2)
    factors = []
    for scope in [(0, 1, 2), (1, 3), (3, 4, 0), (2, 4), (1, 4)]:
        shape = [cards[v] for v in scope]
        factors.append((scope, logs(rng.random(shape) * (rng.random(shape) < 0.45))))
    return Model(cards, tuple(factors))


@pytest.mark.parametrize("seed", range(examples(60)))
def test_it_finds_one_if_and_only_if_there_is_one(seed):
    model = sparse(seed)
    found = Support(model.build())
    states = found.find(np.zeros(sum(model.cards)))
    if reference.log_z(model) == -np.inf:
        assert states is None
        assert found.exhausted
    else:
        assert reference.log_score(model, states.tolist()) > -np.inf


def test_both_kinds_of_models_were_among_them():
    kinds = {reference.log_z(sparse(seed)) == -np.inf for seed in range(examples(60))}
    assert kinds == {False, True}


@pytest.mark.parametrize("seed", range(examples(40)))
def test_states_that_are_left_hold_all_that_are_possible(seed):
    model = random_loopy(seed)
    alive = Support(model.build()).possible()
    assert alive[reference.marginals(model) > 0.0].all()


def test_the_likeliest_states_come_first():
    model = colouring([(0, 1), (1, 2)], 3, 3)
    guess = np.zeros(9)
    guess[[2, 3, 7]] = 1.0
    assert Support(model.build()).find(guess).tolist() == [2, 0, 1]


def test_it_goes_back_from_a_wrong_choice():
    found = Support(queens(8).build())
    states = found.find(np.random.default_rng(1).normal(size=64))
    assert reference.log_score(queens(8), states.tolist()) == 0.0


def test_an_odd_cycle_cannot_be_coloured_with_two():
    found = Support(colouring([(0, 1), (1, 2), (2, 0)], 3, 2).build())
    assert found.possible() is not None
    assert found.find(np.zeros(6)) is None
    assert found.exhausted


def test_giving_up_is_no_proof(monkeypatch):
    monkeypatch.setattr(support, "VISITS", 5)
    found = Support(queens(6).build())
    assert found.find(np.zeros(36)) is None
    assert not found.exhausted


def test_a_variable_without_states_is_a_proof():
    found = Support(Model((2,), (((0,), logs([0.0, 0.0])),)).build())
    assert found.find(np.zeros(2)) is None
    assert found.exhausted


def test_variables_without_hard_zeros_take_their_likeliest_state():
    model = Model((3, 2), (((0, 1), np.zeros((3, 2))), ((0,), logs([1.0, 0.0, 1.0]))))
    states = Support(model.build()).find(np.array([0.0, 9.0, 1.0, 0.0, 1.0]))
    assert states.tolist() == [2, 1]
