"""All schedules in one place: the same fixed points, exact answers on forests, honest residuals."""

import numpy as np
import pytest

from mpnet.errors import NumericalError, UsageError
from mpnet.messages import Messages
from mpnet.schedules import make_schedule
from mpnet.schedules.base import Settings
from mpnet.schedules.flooding import Flooding
from mpnet.schedules.tree import spanning_order
from tests import reference
from tests.graphs import (
    Model,
    chain,
    cycle,
    gentle_loopy,
    grid,
    logs,
    random_forest,
    random_loopy,
    star,
)
from tests.schedules.runs import NAMES, assert_truly_settled, run

OTHERS = [name for name in NAMES if name != "flooding"]


def three_states(side, seed=0):
    """A grid of three-state variables with weak couplings of all kinds."""
    rng = np.random.default_rng(seed)
    scopes = grid(side, side, 0.1).scopes
    tables = [((a, b), 0.2 * rng.normal(size=(3, 3))) for a, b in scopes]
    unaries = [((v,), rng.normal(size=3)) for v in range(side * side)]
    return Model((3,) * side**2, (*tables, *unaries))


UNIQUE = {
    "cycle": cycle(5, 0.4, field=0.2),
    "antiferromagnetic cycle": cycle(5, -0.4, field=0.2),
    "grid": grid(5, 5, 0.3, field=0.2),
    "three states": three_states(4),
    **{f"loopy {seed}": gentle_loopy(seed) for seed in (1, 2, 3, 5)},
}
"""Couplings so weak that there is one fixed point, whatever leads there."""


@pytest.mark.parametrize("model", UNIQUE.values(), ids=UNIQUE.keys())
@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("damping", [0.0, 0.4])
def test_all_lead_to_the_one_fixed_point(model, name, damping):
    expected, _ = run(model)
    found, outcome = run(model, name, damping=damping)
    assert outcome.status == "converged"
    np.testing.assert_allclose(found.marginals(), expected.marginals(), rtol=0, atol=1e-8)
    assert found.log_z() == pytest.approx(expected.log_z(), abs=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_all_are_exact_on_forests(name):
    for seed in range(6):
        model = random_forest(seed)
        found, outcome = run(model, name)
        assert outcome.status == "converged"
        # A dozen additions of logs below 50 on each path, tolerance 1e-11.
        np.testing.assert_allclose(found.marginals(), reference.marginals(model), rtol=0, atol=1e-9)
        assert found.log_z() == pytest.approx(reference.log_z(model), abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_a_run_that_calls_itself_settled_is(name, damping):
    for model in (UNIQUE["grid"], UNIQUE["loopy 2"], UNIQUE["three states"], random_forest(3)):
        assert_truly_settled(model, name, damping=damping)


@pytest.mark.parametrize("name", NAMES)
def test_what_variables_say_is_in_step_with_what_they_hear_after_each_sweep(name):
    for seed in (1, 2, 3):
        messages = Messages(random_loopy(seed).build())
        schedule = make_schedule(name)
        for _ in range(3):
            schedule.sweep(messages, 0.2)
            now = Messages(messages.graph, start=messages.log_messages())
            # The scale of a message is of no importance.
            np.testing.assert_allclose(now.marginals(), messages.marginals(), rtol=0, atol=1e-12)
            assert now.log_z() == pytest.approx(messages.log_z(), abs=1e-11)


# One by one


def test_flooding_and_turns_move_every_message_once_and_trees_twice():
    model = grid(4, 4, 0.2, field=0.1)
    edges = Messages(model.build()).edge_residual.size
    counts = {
        name: make_schedule(name).sweep(Messages(model.build()), 0.0).updates
        for name in ("flooding", "sequential", "random", "tree")
    }
    assert counts == dict.fromkeys(("flooding", "sequential", "random"), edges) | {
        "tree": 2 * edges
    }


def test_in_turn_along_a_chain_one_sweep_hears_all_that_comes_before():
    # Flooding takes a sweep per link.
    model = chain(9, 0.7, field=0.1)
    fast, slow = Messages(model.build()), Messages(model.build())
    make_schedule("sequential").sweep(fast, 0.0)
    Flooding().sweep(slow, 0.0)
    exact = reference.marginals(model)[-2:]
    np.testing.assert_allclose(fast.marginals()[-2:], exact, rtol=0, atol=1e-13)
    assert np.abs(slow.marginals()[-2:] - exact).max() > 1e-3


def test_turns_take_fewer_sweeps_than_flooding_on_a_grid():
    iterations = {name: run(grid(8, 8, 0.3, field=0.1), name)[1].iterations for name in NAMES}
    assert iterations["sequential"] < iterations["flooding"]
    assert iterations["random"] < iterations["flooding"]
    assert iterations["tree"] < iterations["flooding"]


@pytest.mark.parametrize("name", ["random", "tree"])
def test_chance_comes_from_the_seed_alone(name):
    def messages_after(seed, sweeps=3):
        messages = Messages(grid(4, 4, 0.5, field=0.1).build())
        schedule = make_schedule(name, Settings(seed=seed))
        for _ in range(sweeps):
            schedule.sweep(messages, 0.0)
        return messages.log_messages()

    np.testing.assert_array_equal(messages_after(1), messages_after(1))
    assert not np.array_equal(messages_after(1), messages_after(2))


@pytest.mark.parametrize("seed", range(6))
def test_one_sweep_over_the_tree_is_exact_on_a_forest(seed):
    model = random_forest(seed)
    messages = Messages(model.build())
    tree = make_schedule("tree", Settings(seed=seed))
    tree.sweep(messages, 0.0)
    # A dozen additions of logs below 50 on each path.
    np.testing.assert_allclose(messages.marginals(), reference.marginals(model), rtol=0, atol=1e-11)
    assert messages.log_z() == pytest.approx(reference.log_z(model), abs=1e-10)
    # A second one finds nothing to do.
    assert tree.sweep(messages, 0.0).residual < 1e-11


@pytest.mark.parametrize("seed", range(10))
def test_a_spanning_order_meets_each_part_from_its_root_outwards(seed):
    graph = random_loopy(seed).build()
    order = spanning_order(graph, np.random.default_rng(seed)).tolist()
    assert sorted(order) == list(range(len(graph.variables)))
    near = {v: set() for v in order}
    for factor in graph.factors:
        for variable in factor.scope:
            near[variable] |= set(factor.scope)
    parts = 0
    for place, variable in enumerate(order):
        parts += not near[variable] & set(order[:place])
    # Only the root of each part has nobody before it that it shares a factor with.
    left, expected = set(order), 0
    while left:
        expected += 1
        waiting = [left.pop()]
        while waiting:
            fresh = near[waiting.pop()] & left
            left -= fresh
            waiting += fresh
    assert parts == expected


def test_spanning_orders_differ():
    graph, draw = grid(4, 4, 0.1).build(), np.random.default_rng(0)
    assert len({tuple(spanning_order(graph, draw)) for _ in range(5)}) > 1


@pytest.mark.parametrize("model", [grid(10, 10, 0.5, field=0.1), three_states(6)], ids=["2", "3"])
def test_residual_moves_fewer_messages_than_flooding(model):
    flooding, residual = (run(model, name)[1] for name in ("flooding", "residual"))
    assert residual.status == flooding.status == "converged"
    assert residual.updates < 0.8 * flooding.updates


def test_residual_leaves_alone_what_has_settled():
    # Only a corner of the grid is disturbed; nothing else has to move.
    model = grid(12, 12, 0.2)
    corner = model.plus(((0,), np.array([0.5, 0.0])))
    messages = Messages(corner.build())
    sweep = make_schedule("residual", Settings(tolerance=1e-3)).sweep(messages, 0.0)
    assert sweep.residual <= 1e-3
    assert 0 < sweep.updates < messages.edge_residual.size / 4


@pytest.mark.parametrize("model", [grid(4, 4, 0.4, field=0.1), three_states(3)], ids=["2", "3"])
@pytest.mark.parametrize("damping", [0.0, 0.3])
def test_residual_moves_at_most_as_many_messages_as_there_are_and_knows_what_is_left(
    model, damping
):
    messages = Messages(model.build())
    schedule = make_schedule("residual", Settings(tolerance=1e-9))
    for _ in range(200):
        sweep = schedule.sweep(messages, damping)
        assert sweep.updates <= messages.edge_residual.size
        left = np.empty(messages.edge_residual.size)
        now = Messages(messages.graph, start=messages.log_messages())
        worst, _ = now.ask_factors(0.0, np.empty_like(now.to_variable), left)
        # Measured once more, after a logarithm and an exponential.
        assert sweep.residual == pytest.approx(worst, abs=1e-12)
        np.testing.assert_allclose(messages.edge_residual, left, rtol=0, atol=1e-12)
        if sweep.residual <= 1e-9:
            break
    assert sweep.residual <= 1e-9
    assert schedule.sweep(messages, damping).updates == 0


# Awkward graphs


@pytest.mark.parametrize("name", NAMES)
def test_a_graph_without_factors_is_settled(name):
    messages, outcome = run(Model((2, 3), (((0,), logs([0.25, 0.75])),)), name)
    assert (outcome.status, outcome.iterations) == ("converged", 1)
    np.testing.assert_allclose(messages.marginals()[:2], [0.25, 0.75], rtol=1e-15)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_evidence_that_contradicts_is_found(name, damping):
    force = [logs([[1, 0], [1, 0]]), logs([[0, 1], [0, 1]])]
    crossed = Model((2, 2, 2), (((0, 1), force[0]), ((2, 1), force[1])))
    nothing = Model((2, 2), (((0,), logs([0, 0])), ((0, 1), np.zeros((2, 2)))))
    alone = Model((2, 2, 2), (((2,), logs([0, 0])), ((0, 1), np.zeros((2, 2)))))
    for model in (crossed, nothing, alone):
        _, outcome = run(model, name, damping=damping)
        assert outcome.status == "inconsistent"
        assert outcome.guilty


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("model", [cycle(6, 0.5), three_states(3)], ids=["2", "3"])
@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_a_nan_ends_the_run(name, model, damping):
    class Planted:
        def __init__(self):
            self.inner = make_schedule(name)

        def sweep(self, messages, damping):
            messages.to_variable[0] = np.nan
            messages.refresh()
            return self.inner.sweep(messages, damping)

    with pytest.raises(NumericalError, match="became NaN in iteration 1"):
        run(model, schedule=Planted(), damping=damping)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("states", [2, 3])
def test_a_hub_that_needs_logs_is_still_exact(name, states):
    # 300 tables of 1 to exp(-4): their product at the hub is far below the smallest double.
    rng = np.random.default_rng(0)
    leaves = star(300, states).scopes
    tables = [(scope, -4.0 * rng.random((states, states))) for scope in leaves]
    tilt = ((0,), np.arange(states) * -100.0)
    model = Model((states,) * 301, (*tables, tilt))
    messages, outcome = run(model, name)
    assert outcome.status == "converged"
    scores = tilt[1] + sum(np.logaddexp.reduce(table, axis=1) for _, table in tables)
    # 300 logs below 4: 1e-13 of 1200 nats.
    assert messages.log_z() == pytest.approx(reference.log_sum(scores), rel=1e-12)
    expected = np.exp(scores - reference.log_sum(scores))
    np.testing.assert_allclose(messages.marginals()[:states], expected, rtol=0, atol=1e-9)


def test_an_unknown_schedule_is_refused_with_those_that_are_known():
    with pytest.raises(UsageError, match=r"no schedule 'fastest' \(known: flooding, sequential"):
        make_schedule("fastest")
