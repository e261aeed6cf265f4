"""What must not change, on graphs drawn by hypothesis; the same graphs on every run."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpnet import schedules
from mpnet.errors import NumericalError
from mpnet.estimators.base import Options
from mpnet.estimators.loop import propagate
from mpnet.messages import Messages
from mpnet.schedules.base import Sweep
from mpnet.schedules.flooding import Flooding
from tests import reference
from tests.graphs import (
    Model,
    complete,
    cycle,
    examples,
    flat,
    gentle_loopy,
    random_forest,
    random_loopy,
    states_of,
)

SEEDS = st.integers(0, 2**20)

repeatable = settings(derandomize=True, deadline=None, database=None, max_examples=examples(40))


def swept(model, sweeps, damping=0.0, start=None):
    messages = Messages(model.build(), start=start)
    for _ in range(sweeps):
        Flooding().sweep(messages, damping)
    return messages


def same_answer(found, expected, shift=0.0):
    # The same numbers added in another order: logs below 100, a few dozen roundings.
    np.testing.assert_allclose(found.beliefs, expected.beliefs, rtol=0, atol=1e-11)
    assert found.log_z == pytest.approx(expected.log_z + shift, abs=1e-10)


@repeatable
@given(SEEDS, st.sampled_from([0, 1, 2, 5]), st.sampled_from([0.0, 0.5]))
def test_beliefs_reparameterise_the_model_at_every_sweep(seed, sweeps, damping):
    model = random_loopy(seed)
    messages = swept(model, sweeps, damping)
    scores = np.zeros(model.cards)
    where = np.indices(model.cards)
    with np.errstate(divide="ignore", invalid="ignore"):
        for factor, scope in enumerate(model.scopes):
            belief = np.log(messages.factor_belief(factor))
            scores = scores + belief[tuple(where[v] for v in scope)]
        for variable in range(len(model.cards)):
            degree = sum(variable in scope for scope in model.scopes)
            belief = np.log(messages.marginals()[states_of(model, variable)])
            power = np.zeros(belief.size) if degree == 1 else (1 - degree) * belief
            scores = scores + power[where[variable]]
        odds = np.exp(scores - np.nanmax(scores))
    # Impossible states of a variable divide 0 by 0; the product there is 0.
    odds[np.isnan(odds)] = 0.0
    exact = np.exp(reference.joint(model) - reference.log_z(model))
    # Wainwright, Jaakkola and Willsky: exact at every iteration; 1e-12 in probability.
    np.testing.assert_allclose(odds / odds.sum(), exact, rtol=0, atol=1e-12)


@repeatable
@given(SEEDS)
def test_the_order_of_variables_factors_and_axes_does_not_matter(seed):
    model, rng = gentle_loopy(seed), np.random.default_rng(seed)
    order = rng.permutation(len(model.cards))
    place = np.argsort(order)
    factors = []
    for number in rng.permutation(len(model.factors)):
        scope, table = model.factors[number]
        axes = rng.permutation(len(scope))
        factors.append((tuple(int(place[scope[a]]) for a in axes), table.transpose(axes)))
    moved = Model(tuple(model.cards[v] for v in order), tuple(factors))
    before, after = flat(model), flat(moved)
    beliefs = [after.beliefs[states_of(moved, int(place[v]))] for v in range(len(model.cards))]
    same_answer(replace(after, beliefs=np.concatenate(beliefs)), before)


@repeatable
@given(SEEDS, st.sampled_from([1e300, 1e-300, 0.5]))
def test_scaling_a_table_shifts_log_z_and_nothing_else(seed, scale):
    model = gentle_loopy(seed)
    if not model.factors:
        return
    (scope, table), *rest = model.factors
    scaled = Model(model.cards, ((scope, table + np.log(scale)), *rest))
    same_answer(flat(scaled), flat(model), shift=np.log(scale))


@repeatable
@given(SEEDS)
def test_a_factor_of_ones_changes_nothing(seed):
    model = gentle_loopy(seed)
    scope = tuple(range(min(3, len(model.cards))))
    same_answer(flat(model.plus((scope, np.zeros([model.cards[v] for v in scope])))), flat(model))


@repeatable
@given(SEEDS)
def test_a_variable_with_one_state_changes_nothing(seed):
    model = gentle_loopy(seed)
    last = len(model.cards)
    joined = ((0, last), np.zeros((model.cards[0], 1)))
    found = flat(Model((*model.cards, 1), (*model.factors, joined)))
    same_answer(replace(found, beliefs=found.beliefs[:-1]), flat(model))


@repeatable
@given(SEEDS)
def test_splitting_a_unary_changes_nothing(seed):
    model = gentle_loopy(seed)
    whole = np.random.default_rng(seed).normal(size=model.cards[0])
    halves = model.plus(((0,), 0.5 * whole), ((0,), 0.5 * whole))
    same_answer(flat(halves), flat(model.plus(((0,), whole))))


def test_splitting_a_pair_does_change_loopy_answers():
    # On one edge, two square roots make a loop: 0.75 becomes 0.762 (a known figure).
    table = 0.5 * np.log(3.0) * np.eye(2) * 2
    one = Model((2, 2), (((0, 1), table), ((0,), np.array([60.0, 0.0]))))
    two = Model((2, 2), (((0, 1), table / 2), ((0, 1), table / 2), one.factors[1]))
    assert flat(one).beliefs[2] == pytest.approx(0.75, abs=1e-12)
    free = Model((2, 2), (((0, 1), table / 2), ((0, 1), table / 2), ((0,), np.array([0.5, 0]))))
    exact = reference.marginals(free)[2]
    assert abs(flat(free).beliefs[2] - exact) > 1e-3
    # Where the other end is certain, the loop is cut.
    assert flat(two).beliefs[2] == pytest.approx(0.75, abs=1e-12)


@repeatable
@given(SEEDS, st.integers(1, 6))
def test_an_isolated_variable_adds_the_log_of_its_states(seed, states):
    model = gentle_loopy(seed)
    found = flat(Model((*model.cards, states), model.factors))
    uniform = found.beliefs[-states:]
    np.testing.assert_allclose(uniform, 1 / states, rtol=1e-14)
    trimmed = replace(found, beliefs=found.beliefs[:-states])
    same_answer(trimmed, flat(model), shift=np.log(states))


@repeatable
@given(SEEDS, SEEDS)
def test_a_disjoint_union_adds_up(first, second):
    one, two = gentle_loopy(first), gentle_loopy(second)
    shift = len(one.cards)
    moved = tuple((tuple(v + shift for v in scope), table) for scope, table in two.factors)
    both, a, b = flat(Model(one.cards + two.cards, one.factors + moved)), flat(one), flat(two)
    beliefs = np.concatenate([a.beliefs, b.beliefs])
    same_answer(both, replace(a, beliefs=beliefs), shift=b.log_z)
    assert both.iterations == max(a.iterations, b.iterations)


@repeatable
@given(SEEDS)
def test_a_restart_from_the_answer_takes_one_sweep(seed):
    messages = Messages(gentle_loopy(seed).build())
    assert propagate(messages, Options()).status == "converged"
    again = Messages(messages.graph, start=messages.log_messages())
    outcome = propagate(again, Options())
    assert outcome.iterations == 1
    assert outcome.residual <= Options().tolerance


@repeatable
@given(SEEDS, st.sampled_from([0.1, 0.5, 0.9]))
def test_damping_leaves_the_fixed_point_of_a_forest(seed, damping):
    model = random_forest(seed)
    # A residual of 1e-12 with damping 0.9 leaves ten times that, some hops away.
    plain, slow = flat(model), flat(model, damping=damping)
    np.testing.assert_allclose(slow.beliefs, plain.beliefs, rtol=0, atol=1e-9)
    assert slow.log_z == pytest.approx(plain.log_z, abs=1e-9)


@repeatable
@given(SEEDS)
def test_belief_form_equals_message_form_at_fixed_points(seed):
    model = gentle_loopy(seed)
    other = reference.Lbp(model)
    found = flat(model)
    for _ in range(found.iterations):
        other.sweep()
    # At residual 1e-12 the two differ in second order; the rest is rounding.
    assert found.log_z == pytest.approx(other.bethe(), abs=1e-10)


@repeatable
@given(SEEDS)
def test_a_certain_unary_equals_a_sliced_table(seed):
    model, rng = gentle_loopy(seed), np.random.default_rng(seed)
    seen = int(rng.integers(len(model.cards)))
    state = int(rng.integers(model.cards[seen]))
    mask = np.full(model.cards[seen], -np.inf)
    mask[state] = 0.0
    sliced = []
    for scope, table in model.factors:
        rest = tuple(v for v in scope if v != seen)
        part = np.take(table, state, axis=scope.index(seen)) if seen in scope else table
        sliced.append((rest, np.asarray(part)))
    masked, cut = flat(model.plus(((seen,), mask))), flat(Model(model.cards, tuple(sliced)))
    others = [v for v in range(len(model.cards)) if v != seen]
    for variable in others:
        where = states_of(model, variable)
        np.testing.assert_allclose(masked.beliefs[where], cut.beliefs[where], rtol=0, atol=1e-11)
    # The sliced variable is isolated and adds the log of its states.
    assert masked.log_z == pytest.approx(cut.log_z - np.log(model.cards[seen]), abs=1e-10)


class Lying:
    """A schedule that never moves and says that it has converged."""

    def __init__(self, settings=None):
        pass

    def sweep(self, messages, damping):
        return Sweep(0.0, -1, messages.refresh())


def test_flooding_s_residual_is_that_of_the_messages_it_started_from(monkeypatch):
    messages = Messages(complete(4, -2.0, field=0.1).build())
    for _ in range(30):
        before = messages.log_messages().reshape(-1, 2)
        residual = Flooding().sweep(messages, 0.0).residual
        moved = messages.log_messages().reshape(-1, 2) - before
        # One logarithm of a ratio instead of four.
        assert residual == pytest.approx(np.abs(moved[:, 1] - moved[:, 0]).max(), abs=1e-12)
    monkeypatch.setitem(schedules.SCHEDULES, "lying", f"{__name__}:Lying")
    lying = Messages(messages.graph, start=messages.log_messages())
    assert propagate(lying, Options(schedule="lying")).status == "converged"
    # One honest sweep from there gives the lie away.
    assert Flooding().sweep(lying, 0.0).residual > 1.0


@pytest.mark.parametrize("most", [3, 10, 100, 501])
def test_a_graph_that_oscillates_never_counts_as_converged(most):
    outcome = propagate(
        Messages(complete(4, -2.0, field=0.1).build()), Options(max_iterations=most)
    )
    assert outcome.status in {"oscillating", "max_iterations"}
    assert outcome.iterations == min(most, 100)


@pytest.mark.parametrize("where", [0, 5, -1])
@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_a_planted_nan_ends_the_run_with_the_name_of_a_factor(where, damping):
    messages = Messages(cycle(6, 0.5).build())
    messages.to_variable[where] = np.nan
    with pytest.raises(NumericalError, match=r"factor 'f\(v\d, v\d\)' became NaN in iteration 1;"):
        propagate(messages, Options(damping=damping))


def test_a_nan_that_reached_the_beliefs_is_not_taken_for_a_contradiction():
    messages = Messages(cycle(6, 0.5).build())
    messages.to_variable[:] = np.nan
    messages.refresh()
    with pytest.raises(NumericalError, match="became NaN in iteration 1"):
        propagate(messages, Options())


@pytest.mark.parametrize("seed", range(5))
def test_the_same_run_twice_is_bitwise_the_same(seed):
    def run():
        rows = []
        found = flat(
            random_loopy(seed),
            lambda s: rows.append([s.residual, s.log_z, *s.messages.marginals()]),
            damping=0.2,
            max_iterations=60,
        )
        return np.array(rows).tobytes(), found.beliefs.tobytes(), found.reason

    assert run() == run()
