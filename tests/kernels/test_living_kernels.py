import numpy as np
import pytest

from mpnet.kernels.living import (
    DEAD_FACTOR,
    DEAD_VARIABLE,
    add_up,
    take_back,
    weigh_factor,
    weigh_variable,
)
from mpnet.kernels.living_arrays import TRIAL, WRITING, WRITTEN
from tests.graphs import Model, examples, gentle_loopy, logs, random_forest, random_loopy
from tests.kernels.living import Engine, Twin, log_sum

# Both sides add a few dozen logs of size 10 or so.
CLOSE = {"rtol": 1e-11, "atol": 1e-11}
PLACE = np.empty(64, dtype=np.int64)


def models():
    """Arity 2 to 4, 1 to 5 states, hard zeros, variables without factors."""
    count = examples(25)
    return [random_loopy(seed) for seed in range(count)] + [random_forest(s) for s in range(count)]


def same(twin, engine):
    for edge in twin.edges:
        for name in ("to_variable", "to_factor"):
            found, expected = engine.message(name, *edge), getattr(twin, name)[edge]
            np.testing.assert_allclose(found, expected, **CLOSE, err_msg=f"{name} {edge}")


@pytest.mark.parametrize(
    "numbers", [[0.0], [-1.5, 2.0, 0.3], [-np.inf, 1.0], [700.0, 710.0], [-1000.0, -1001.0]]
)
def test_logs_add_up(numbers):
    padded = np.array([*numbers, 5.0])
    assert add_up(padded, np.int32(len(numbers))) == pytest.approx(log_sum(numbers), rel=1e-14)


def test_impossible_numbers_add_up_to_an_impossible_one():
    assert add_up(np.full(3, -np.inf), np.int32(3)) == -np.inf


@pytest.mark.parametrize(
    "numbers", [[np.nan, 1.0], [1.0, np.nan], [np.nan, -np.inf], [np.inf, 1.0]]
)
def test_what_is_no_number_shows(numbers):
    assert np.isnan(add_up(np.array(numbers), np.int32(2)))


@pytest.mark.parametrize(("tolerance", "damping"), [(0.0, 0.0), (0.02, 0.0), (0.0, 0.4)])
def test_rounds_are_those_of_the_twin(tolerance, damping):
    for model in models():
        twin, engine = Twin(model), Engine(model)
        for _ in range(3):
            found, expected = engine.round(tolerance, damping), twin.round(tolerance, damping)
            # Below the tolerance, rounding decides whether a factor is asked at all.
            np.testing.assert_allclose(max(found, tolerance), max(expected, tolerance), **CLOSE)
            same(twin, engine)
            if tolerance:  # without, rounding in the last place is a change
                assert (engine.waiting, engine.owing) == (twin.front, twin.owing)


def test_variables_and_factors_are_weighed_as_by_the_twin():
    sums, zeros = np.empty(20), np.empty(20, dtype=np.int64)
    for model in models():
        twin, engine = Twin(model), Engine(model)
        for run in (twin, engine, twin, engine):
            run.round(0.0, 0.0)
        g = engine.graph.arrays
        for variable in range(len(model.cards)):
            assert weigh_variable(g, np.int32(variable), sums, zeros)
            expected = twin.belief(variable)
            np.testing.assert_allclose(engine.belief(variable), expected, **CLOSE)
            np.testing.assert_allclose(g.variable_term[variable], log_sum(expected), **CLOSE)
        for factor in range(len(model.wide)):
            found = weigh_factor(g, np.int32(factor), engine.fresh, PLACE)
            assert found == g.factor_term[factor]
            np.testing.assert_allclose(found, log_sum(twin.heard(factor)), **CLOSE)
        for factor, axis in twin.edges:
            edge = g.factor_edge[factor] + axis
            np.testing.assert_allclose(g.edge_term[edge], twin.term((factor, axis)), **CLOSE)


def test_a_variable_without_a_possible_state_is_named():
    engine = Engine(Model((2, 2), (((1,), logs([0, 0])), ((0, 1), np.zeros((2, 2))))))
    assert engine.round(0.0, 0.0) == np.inf
    assert engine.counts[DEAD_VARIABLE] == 1
    assert engine.owing == {0}


def test_a_factor_without_a_possible_entry_is_named_and_those_after_it_still_owe():
    wrong = ((0, 1), logs([[0, 1], [1, 1]]))
    fine = ((1, 2), np.zeros((2, 2)))
    seen = (((0,), logs([1, 0])), ((1,), logs([1, 0])))
    engine = Engine(Model((2, 2, 2), (fine, wrong, fine, *seen)))
    assert engine.round(0.0, 0.0) == np.inf
    assert engine.counts[DEAD_FACTOR] == 1
    assert engine.owing == {1, 2}


def test_damped_factors_owe_until_they_have_said_all():
    model = Model((2, 2), (((0, 1), logs([[2, 1], [1, 3]])), ((0,), logs([3, 1]))))
    engine = Engine(model)
    while engine.waiting or engine.owing:
        engine.round(1e-12, 0.5)
    expected = logs([2 * 3 + 1, 3 + 3])
    np.testing.assert_allclose(
        engine.message("to_variable", 0, 1), expected - expected.max(), atol=1e-11
    )


def test_what_does_not_get_through_is_said_again():
    model = Model((2, 2), (((0, 1), logs([[2, 1], [1, 3]])), ((0,), logs([3, 1]))))
    engine = Engine(model)
    engine.round(0.0, 0.0, 0.5, np.array([0.9, 0.1] + [0.0] * 14))
    assert engine.message("to_factor", 0, 0).tolist() == [0.0, 0.0]
    assert 0 in engine.waiting
    engine.round(0.0, 0.0, 0.5, np.full(16, 0.4))
    np.testing.assert_allclose(engine.message("to_factor", 0, 0), logs([1, 1 / 3]), atol=1e-15)


def test_what_a_trial_overwrote_is_taken_back_to_the_last_bit():
    for seed in range(examples(25)):
        model = gentle_loopy(seed)
        engine = Engine(model)
        while engine.waiting:
            engine.round(1e-3, 0.0)
        g = engine.graph.arrays
        before = [array.copy() for array in g]
        g.journal_state[WRITING], g.journal_state[TRIAL] = 1, 7
        for variable in range(len(model.cards)):
            g.unary[g.variable_states[variable]] += 0.5
        engine.front[: len(model.cards)] = np.arange(len(model.cards))
        engine.counts[3:5] = -1, len(model.cards)
        for _ in range(3):
            engine.round(0.0, 0.0)
        g.unary[:] = before[g._fields.index("unary")]
        take_back(g, engine.fresh)
        assert g.journal_state.tolist() == [0, 0, 7]
        told = {int(v) for v in g.edge_variable[: sum(len(scope) for scope in model.scopes)]}
        for name in ("to_variable", "to_factor", "edge_term", "factor_term"):
            assert (getattr(g, name) == before[g._fields.index(name)]).all(), name
        for variable in told:
            at = g.variable_states[variable]
            old = before[g._fields.index("belief")][at : at + g.cardinality[variable]]
            np.testing.assert_array_equal(engine.belief(variable), old)
    assert WRITTEN == 1
