"""The messages of a run: the space they live in, where they start, and their awkward numbers."""

import numpy as np
import pytest

from mpnet.graph import FactorGraph
from mpnet.messages import Messages, compile_kernels
from mpnet.schedules.flooding import Flooding
from tests import reference
from tests.graphs import Model, cycle, grid, logs, random_forest, random_loopy, star, states_of


def swept(model, sweeps=3, damping=0.0, **how):
    graph = model if isinstance(model, FactorGraph) else model.build()
    messages = Messages(graph, **how)
    for _ in range(sweeps):
        Flooding().sweep(messages, damping)
    return messages


def same_state(found, expected, atol):
    """Fail unless two runs stand for the same messages, beliefs and log Z."""
    np.testing.assert_allclose(found.log_messages(), expected.log_messages(), rtol=0, atol=atol)
    np.testing.assert_allclose(found.marginals(), expected.marginals(), rtol=0, atol=atol)
    assert found.log_z() == pytest.approx(expected.log_z(), abs=10 * atol)


def hub(leaves, ratio):
    """One variable, and so many others that each say 1 : ratio about it."""
    scopes = np.stack([np.arange(1, leaves + 1), np.zeros(leaves, dtype=np.int64)], axis=1)
    return FactorGraph.from_arrays(np.full(leaves + 1, 2), [(scopes, [[1.0, ratio], [1.0, ratio]])])


# Where a run starts


def test_messages_start_uniform_and_beliefs_at_the_unaries():
    model = random_loopy(3)
    for space, linear in (("linear", True), ("log", False)):
        messages = Messages(model.build(), space=space)
        assert messages.linear == linear
        np.testing.assert_array_equal(messages.log_messages(), np.zeros(messages.to_variable.size))
        for variable, unary in enumerate(model.unary):
            odds = np.exp(unary - unary.max())
            found = messages.marginals()[states_of(model, variable)]
            np.testing.assert_allclose(found, odds / odds.sum(), rtol=1e-14)
        assert np.isnan(messages.edge_residual).all()


def test_the_start_is_copied():
    start = np.zeros(8)
    messages = Messages(cycle(2, 1.0).build(), start=start)
    Flooding().sweep(messages, 0.0)
    np.testing.assert_array_equal(start, np.zeros(8))


@pytest.mark.parametrize("space", ["linear", "log"])
@pytest.mark.parametrize("seed", range(5))
def test_a_run_goes_on_from_its_messages_as_logs(space, seed):
    model = random_loopy(seed)
    whole = swept(model, 5, space=space)
    half = swept(model, 2, space=space)
    rest = swept(model, 3, start=half.log_messages(), space=space)
    # One logarithm and one exponential more.
    same_state(rest, whole, 1e-12)
    other = swept(model, 3, start=half.log_messages() + 5.0, space=space)
    same_state(other, whole, 1e-12)


def test_a_start_that_numbers_can_not_hold_is_kept_in_logs():
    # Equality passes on what comes in: as a number, exp(-800) would be a hard zero for good.
    model = Model((2, 2), (((0, 1), logs(np.eye(2))), ((1, 0), logs(np.eye(2)))))
    start = np.array([0.0, -800.0] * 4)
    messages = Messages(model.build(), start=start)
    assert not messages.linear
    np.testing.assert_array_equal(messages.log_messages(), start)
    hard = Messages(model.build(), start=np.array([0.0, -np.inf] * 4))
    assert hard.linear
    single = Messages(model.build(), start=start / 8, dtype=np.float32)
    np.testing.assert_array_equal(single.log_messages(), start / 8)


def test_a_restart_is_a_new_beginning():
    model = random_loopy(4)
    messages = swept(model)
    messages.use_logs()
    messages.restart()
    assert messages.linear
    assert np.isnan(messages.edge_residual).all()
    same_state(messages, Messages(model.build()), 0.0)


def test_other_unaries_replace_those_of_the_graph():
    model = star(2)
    unary = np.array([1.0, -1.0, 0.0, 0.5, 0.0, 0.0])
    found = swept(model, unary=unary)
    expected = swept(model.plus(((0,), unary[0:2]), ((1,), unary[2:4])))
    np.testing.assert_array_equal(found.marginals(), expected.marginals())


# Linear and log space


@pytest.mark.parametrize("maximise", [False, True])
@pytest.mark.parametrize("damping", [0.0, 0.4])
def test_linear_and_log_space_agree(maximise, damping):
    for seed in range(20):
        model = random_loopy(seed)
        linear, log = (
            swept(model, 8, damping, space=space, maximise=maximise) for space in ("linear", "log")
        )
        assert linear.linear
        assert not log.linear
        same_state(linear, log, 1e-9)


def test_a_run_that_takes_logs_in_the_middle_notices_nothing():
    for seed in range(5):
        model = random_loopy(seed)
        found, expected = swept(model, 2), swept(model, 5)
        found.use_logs()
        assert not found.linear
        for _ in range(3):
            Flooding().sweep(found, 0.0)
        same_state(found, expected, 1e-12)


@pytest.mark.parametrize("maximise", [False, True])
def test_a_hub_of_100000_neighbours_goes_over_to_logs(maximise):
    leaves, ratio = 100_000, 0.9
    messages = swept(hub(leaves, ratio), 2, maximise=maximise)
    # exp(-10536) is far below the smallest double.
    assert not messages.linear
    told = messages.log_messages()[2:4]
    np.testing.assert_allclose(told, [0.0, np.log(ratio)], rtol=1e-14, atol=1e-15)
    assert messages.marginals()[:2].tolist() == [1.0, 0.0]
    # Each leaf has two states; 1e5 equal logs in a row are rounded to the same side.
    states = 1 if maximise else 2
    expected = leaves * np.log(states) + np.log1p(0.0 if maximise else ratio**leaves)
    assert messages.log_z() == pytest.approx(expected, rel=1e-11)


def test_a_hub_that_balances_itself_goes_over_to_logs_just_as_well():
    # Half say one thing, half the other: each product underflows, and beliefs are even.
    scopes = [(leaf, 0) for leaf in range(1, 5001)]
    tables = [[[1.0, 0.5]] * 2 if leaf % 2 else [[0.5, 1.0]] * 2 for leaf in range(1, 5001)]
    graph = FactorGraph.from_arrays(np.full(5001, 2), [(scopes, tables)])
    messages = swept(graph, 2)
    assert not messages.linear
    # 2500 logs of one half on either side.
    np.testing.assert_allclose(messages.marginals()[:2], [0.5, 0.5], rtol=1e-12)


def test_potentials_of_700_nats_start_in_log_space():
    table = np.array([[700.0, -700.0], [-700.0, 700.0]])
    model = Model((2, 2), (((0, 1), table), ((0,), np.array([0.0, -700.0]))))
    messages = swept(model)
    assert not messages.linear
    assert messages.log_z() == pytest.approx(reference.log_z(model), rel=1e-14)
    np.testing.assert_allclose(messages.marginals(), reference.marginals(model), rtol=1e-12)


@pytest.mark.parametrize("size", [50.0, 150.0, 300.0, 700.0])
def test_any_strength_is_exact_on_forests(size):
    for seed in range(10):
        model = random_forest(seed)
        strong = Model(
            model.cards,
            tuple(
                (scope, table * size / max(1.0, np.abs(table[table > -np.inf]).max()))
                for scope, table in model.factors
            ),
        )
        found = swept(strong, 12)
        # Logs up to 9 times the size, a dozen additions each way.
        np.testing.assert_allclose(
            found.marginals(), reference.marginals(strong), rtol=0, atol=1e-10
        )
        assert found.log_z() == pytest.approx(reference.log_z(strong), rel=1e-11, abs=1e-10)


def test_log_z_holds_where_the_product_of_all_messages_is_too_small_for_numbers():
    both = logs([[0, 0], [0, 1]])
    rare = logs([1.0, 1e-170])
    model = Model((2, 2), (((0,), rare), ((1,), rare), ((0, 1), both)))
    messages = swept(model)
    # Each message is in range; what they have in common, 1e-340, is not.
    assert messages.linear
    assert messages.log_z() == pytest.approx(reference.log_z(model), rel=1e-14)
    np.testing.assert_array_equal(messages.marginals(), [0.0, 1.0, 0.0, 1.0])


# Maximising, and single precision


@pytest.mark.parametrize("space", ["linear", "log"])
@pytest.mark.parametrize("seed", range(20))
def test_maximising_is_exact_on_forests(space, seed):
    model = random_forest(seed)
    messages = swept(model, 12, maximise=True, space=space)
    scores = reference.joint(model)
    for variable in range(len(model.cards)):
        others = tuple(v for v in range(len(model.cards)) if v != variable)
        best = scores.max(axis=others)
        odds = np.exp(best - best.max())
        found = messages.marginals()[states_of(model, variable)]
        np.testing.assert_allclose(found, odds / odds.sum(), rtol=0, atol=1e-12)
    assert messages.log_z() == pytest.approx(scores.max(), abs=1e-11)


@pytest.mark.parametrize("space", ["linear", "log"])
@pytest.mark.parametrize("damping", [0.0, 0.4])
def test_single_precision_is_right_to_single_precision(space, damping):
    for seed in range(10):
        model = random_loopy(seed)
        found = swept(model, 5, damping, space=space, dtype=np.float32)
        assert found.linear == (space == "linear")
        kept = (found.to_variable, found.to_factor, found.beliefs, found.potentials)
        assert {array.dtype for array in kept} == {np.dtype(np.float32)}
        assert {type(number) for number in found.semiring} == {np.float32}
        expected = swept(model, 5, damping)
        # Five sweeps of sums of up to 64 terms, logs below 30: 24 bits less a few.
        np.testing.assert_allclose(found.marginals(), expected.marginals(), rtol=0, atol=3e-5)
        assert found.log_z() == pytest.approx(expected.log_z(), abs=1e-3)


def test_single_precision_does_not_take_small_potentials_for_hard_zeros():
    # 1e-50 is no single number, but the only way to have the second state.
    wide = logs([[1.0, 1e-50], [1.0, 1e-51]])
    model = Model((2, 2), (((0,), logs([1.0, 1e-8])), ((0, 1), wide), ((1,), logs([0, 1]))))
    messages = swept(model, dtype=np.float32)
    assert not messages.linear
    assert Flooding().sweep(messages, 0.0).consistent
    assert messages.log_z() == pytest.approx(reference.log_z(model), rel=1e-6)
    # One state of the first variable has odds of 1e-9.
    np.testing.assert_allclose(
        messages.marginals(), reference.marginals(model), rtol=1e-4, atol=1e-30
    )


def test_single_precision_goes_over_to_logs_earlier():
    double, single = (swept(hub(20, 1e-3), 2, dtype=d) for d in (np.float64, np.float32))
    assert double.linear
    assert not single.linear
    np.testing.assert_allclose(
        single.log_messages()[:4], double.log_messages()[:4], rtol=1e-6, atol=1e-6
    )


# What is read off


@pytest.mark.parametrize("how", [{}, {"space": "log"}])
@pytest.mark.parametrize("seed", range(20))
def test_a_factor_belief_agrees_with_the_variables_on_forests(seed, how):
    model = random_forest(seed)
    messages = swept(model, sweeps=12, **how)
    for factor, scope in enumerate(model.scopes):
        joint = messages.factor_belief(factor)
        for axis, variable in enumerate(scope):
            others = tuple(a for a in range(len(scope)) if a != axis)
            # A few roundings of probabilities.
            np.testing.assert_allclose(
                joint.sum(axis=others),
                messages.marginals()[messages.graph.states_of(variable)],
                rtol=0,
                atol=1e-12,
            )


@pytest.mark.parametrize("how", [{}, {"space": "log"}])
def test_factor_beliefs_equal_the_twin_on_loops(how):
    for seed in range(10):
        model = random_loopy(seed)
        messages, other = swept(model, 4, **how), reference.Lbp(model)
        for _ in range(4):
            other.sweep()
        for factor in range(len(model.scopes)):
            np.testing.assert_allclose(
                messages.factor_belief(factor),
                np.exp(other.log_factor_belief(factor)),
                rtol=0,
                atol=1e-12,
            )


@pytest.mark.parametrize("seed", range(20))
def test_belief_form_equals_message_form_at_fixed_points(seed):
    model = random_forest(seed)
    messages, other = swept(model, sweeps=12), reference.Lbp(model)
    for _ in range(12):
        other.sweep()
    # Health figure of the message form: a dozen logs below 50.
    assert messages.log_z() == pytest.approx(other.bethe(), abs=1e-10)


@pytest.mark.parametrize("space", ["linear", "log"])
@pytest.mark.parametrize("seed", range(20))
def test_log_z_and_marginals_of_forests_are_exact(space, seed):
    model = random_forest(seed)
    messages = swept(model, 12, space=space)
    assert messages.log_z() == pytest.approx(reference.log_z(model), abs=1e-10)
    np.testing.assert_allclose(messages.marginals(), reference.marginals(model), rtol=0, atol=1e-11)


@pytest.mark.parametrize("space", ["linear", "log"])
def test_asking_factors_changes_nothing(space):
    messages = swept(grid(3, 3, 0.4, 0.1), 2, space=space)
    before = messages.to_variable.copy(), messages.edge_residual.copy()
    out, residuals = np.full_like(messages.to_variable, np.nan), np.full(24, np.nan)
    worst, dead = messages.ask_factors(0.0, out, residuals)
    np.testing.assert_array_equal(messages.to_variable, before[0])
    np.testing.assert_array_equal(messages.edge_residual, before[1])
    assert dead == -1
    assert worst == residuals.max() > 0.0
    # What they say next is what they said when they were asked.
    assert messages.send_from_factors(0.0) == pytest.approx((worst, -1), rel=1e-12)
    np.testing.assert_allclose(messages.to_variable, out, rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_the_residual_is_the_largest_of_the_edges(damping):
    for seed in range(10):
        messages = swept(random_loopy(seed), 1)
        if messages.edge_residual.size:
            residual = Flooding().sweep(messages, damping).residual
            assert residual == pytest.approx(messages.edge_residual.max(), rel=1e-12)


# Contradictions


@pytest.mark.parametrize("space", ["linear", "log"])
def test_contradictory_evidence_makes_log_z_minus_infinity_and_not_nan(space):
    model = Model((2, 2), (((0,), logs([0, 0])), ((0, 1), np.zeros((2, 2)))))
    messages = Messages(model.build(), space=space)
    assert messages.log_z() == -np.inf
    np.testing.assert_array_equal(np.isnan(messages.marginals()), [True, True, False, False])
    assert Flooding().sweep(messages, 0.0).dead_variable == 0


def test_contradictory_evidence_on_an_isolated_variable_is_found_by_the_sweep():
    messages = Messages(Model((2,), (((0,), logs([0, 0])),)).build())
    assert not Flooding().sweep(messages, 0.0).consistent


@pytest.mark.parametrize("space", ["linear", "log"])
@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_a_product_that_is_zero_though_each_message_is_not_is_found(space, damping):
    # Two factors force different states on the same variable.
    force = [logs([[1, 0], [1, 0]]), logs([[0, 1], [0, 1]])]
    model = Model((2, 2, 2), (((0, 1), force[0]), ((2, 1), force[1])))
    sweep = Flooding().sweep(Messages(model.build(), space=space), damping)
    assert sweep.dead_variable == 1


def test_an_underflow_is_not_taken_for_a_contradiction():
    # The hub hears 400 times that its second state is unlikely, and that its first is impossible.
    hears = [((leaf, 0), logs([[1.0, 0.01]] * 2)) for leaf in range(1, 401)]
    model = Model((2,) * 401, (*hears, ((0,), logs([0, 1]))))
    messages = Messages(model.build())
    for _ in range(2):
        assert Flooding().sweep(messages, 0.0).consistent
    assert messages.marginals()[:2].tolist() == [0.0, 1.0]


def test_compiling_twice_says_nothing_the_second_time():
    compile_kernels()
    said = []
    compile_kernels(lambda: said.append("compiling"))
    assert said == []


def test_residuals_of_single_messages_need_not_be_kept():
    graph = random_loopy(3).build()
    asked, never = Messages(graph), Messages(graph, edge_residuals=False)
    for messages in (asked, never):
        messages.send_from_factors(0.0)
        messages.refresh()
    assert never.edge_residual.size == 0
    np.testing.assert_array_equal(asked.to_variable, never.to_variable)
    # Measured late, they are those of the next update.
    late = never.find_edge_residual()
    worst, _ = asked.send_from_factors(0.0)
    np.testing.assert_array_equal(late, asked.edge_residual)
    assert worst == pytest.approx(late.max(), rel=1e-12)
