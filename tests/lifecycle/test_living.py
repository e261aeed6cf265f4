"""A graph that changes against a graph that is built at once."""

import numpy as np
import pytest

from mpnet.errors import GraphError, NumericalError
from mpnet.estimators.exact import solve
from mpnet.lifecycle.clocks import Clocks
from mpnet.lifecycle.living import LivingGraph
from tests.graphs import (
    Model,
    chain,
    complete,
    examples,
    flat,
    gentle_loopy,
    grid,
    logs,
    random_forest,
)
from tests.kernels.living import build

TOLERANCE = 1e-12


def settled(graph, **options):
    ended = graph.settle(TOLERANCE, 5000, **options)
    assert ended.status == "converged"
    return ended


def beliefs(graph, count):
    return graph.beliefs(range(count))


def same_as(graph, model, numbers=None):
    """Beliefs and log Z are those of the engine on a graph built at once."""
    expected = flat(model)
    found = graph.beliefs(range(len(model.cards)) if numbers is None else numbers)
    # Messages are settled to 1e-12 on both sides; loops add up what is left.
    np.testing.assert_allclose(found, expected.beliefs, atol=1e-9)
    assert graph.log_z() == pytest.approx(expected.log_z, abs=1e-9)


@pytest.mark.parametrize("seed", range(examples(20)))
def test_the_fixed_point_is_that_of_flat_propagation(seed):
    model = gentle_loopy(seed)
    graph = build(model)
    settled(graph)
    same_as(graph, model)


@pytest.mark.parametrize("damping", [0.0, 0.5])
@pytest.mark.parametrize("seed", range(examples(10)))
def test_forests_are_exact(seed, damping):
    model = random_forest(seed)
    graph = build(model)
    settled(graph, damping=damping)
    exact = solve(model.build())
    np.testing.assert_allclose(beliefs(graph, len(model.cards)), exact.marginals, atol=1e-9)
    assert graph.log_z() == pytest.approx(exact.log_z, abs=1e-9)


@pytest.mark.parametrize("seed", range(examples(20)))
def test_any_changes_in_a_row_end_where_a_graph_built_at_once_does(seed):
    rng = np.random.default_rng(seed)
    graph, variables, factors, unaries = LivingGraph(), [], {}, {}
    for _ in range(60):
        kind = rng.choice(["variable", "factor", "factor", "unary", "less", "gone", "settle"])
        if kind == "variable" or len(variables) < 3:
            unary = rng.normal(size=rng.integers(1, 5))
            variables.append(graph.add_variable(unary))
            unaries[variables[-1]] = unary
        elif kind == "factor":
            scope = rng.choice(variables, size=rng.integers(1, 4), replace=False).tolist()
            table = 0.15 * rng.normal(size=[unaries[v].size for v in scope])
            factors[graph.add_factor(scope, table)] = (scope, table)
        elif kind == "unary":
            variable = int(rng.choice(variables))
            unaries[variable] = rng.normal(size=unaries[variable].size)
            graph.set_unary(variable, unaries[variable])
        elif kind == "less" and factors:
            factor = int(rng.choice(list(factors)))
            graph.remove_factor(factor)
            del factors[factor]
        elif kind == "gone":
            free = [v for v in variables if not any(v in scope for scope, _ in factors.values())]
            for variable in free[:1]:
                graph.remove_variable(variable)
                variables.remove(variable)
                del unaries[variable]
        elif kind == "settle":
            settled(graph)
    settled(graph)
    place = {variable: n for n, variable in enumerate(variables)}
    model = Model(
        tuple(unaries[v].size for v in variables),
        (
            *(((place[v],), unaries[v]) for v in variables),
            *((tuple(place[v] for v in scope), table) for scope, table in factors.values()),
        ),
    )
    same_as(graph, model, variables)
    sizes = {"variables": len(variables), "factors": len(factors)}
    assert graph.sizes == sizes | {"edges": sum(len(scope) for scope, _ in factors.values())}


def everything(graph, count):
    arrays = [graph.arrays.to_variable, graph.arrays.to_factor, graph.arrays.belief]
    return [array.copy() for array in arrays], beliefs(graph, count), graph.log_z()


@pytest.mark.parametrize("rounds", [0, 2, 1000])
@pytest.mark.parametrize("seed", range(examples(10)))
def test_a_trial_leaves_no_trace(seed, rounds):
    model = gentle_loopy(seed)
    graph = build(model)
    alone = graph.add_variable(np.array([0.1, 0.2]))
    settled(graph)
    before, believed, log_z = everything(graph, alone + 1)
    for variable in (0, alone):
        unary = graph.unary(variable)
        with graph.trial():
            graph.set_unary(variable, unary - 3.0 * np.arange(unary.size))
            graph.settle(TOLERANCE, rounds)
            graph.set_unary(variable, unary)
        after, again, again_log_z = everything(graph, alone + 1)
        for one, other in zip(before, after, strict=True):
            np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(believed, again)
        assert log_z == again_log_z
    assert settled(graph).rounds == 0


def test_an_impossible_trial_leaves_no_trace():
    graph = build(chain(4, 0.5).plus(((0,), logs([1, 0]))))
    graph.add_factor([0, 3], logs(np.eye(2)))
    settled(graph)
    before, believed, log_z = everything(graph, 4)
    with graph.trial():
        graph.set_unary(3, logs([0, 1]))
        assert graph.settle(TOLERANCE, 100).status == "inconsistent"
        graph.set_unary(3, np.zeros(2))
    after, again, again_log_z = everything(graph, 4)
    assert all((one == other).all() for one, other in zip(before, after, strict=True))
    assert (believed == again).all()
    assert log_z == again_log_z


def test_a_trial_before_anybody_spoke_keeps_everybody_waiting():
    model = random_forest(3)
    graph = build(model)
    with graph.trial():
        graph.settle(TOLERANCE, 100)
    settled(graph)
    same_as(graph, model)


def test_nothing_comes_or_goes_in_a_trial():
    graph = build(chain(3, 0.5))
    for change in (
        lambda: graph.add_variable(np.zeros(2)),
        lambda: graph.add_factor([0, 2], np.zeros((2, 2))),
        lambda: graph.remove_factor(0),
        lambda: graph.remove_variable(0),
        lambda: graph.trial().__enter__(),
    ):
        with graph.trial(), pytest.raises(GraphError, match="trial"):
            change()


def test_room_is_used_again():
    graph = build(grid(3, 3, 0.2))
    settled(graph)
    shapes = None
    for number in range(examples(10_000)):
        variable = graph.add_variable(np.zeros(3))
        factor = graph.add_factor([0, variable], 0.1 * np.arange(6.0).reshape(2, 3))
        if number % 500 == 0:
            settled(graph)
        graph.remove_factor(factor)
        graph.remove_variable(variable)
        shapes = shapes or [array.shape for array in graph.arrays]
    assert [array.shape for array in graph.arrays] == shapes
    settled(graph)
    same_as(graph, grid(3, 3, 0.2))


@pytest.mark.parametrize("damping", [0.0, 0.3])
def test_what_is_impossible_is_inconsistent_and_can_be_mended(damping):
    model = chain(5, 0.4).plus(((0, 4), logs(np.eye(2))))
    graph = build(model)
    settled(graph, damping=damping)
    graph.set_unary(0, logs([1, 0]))
    graph.set_unary(4, logs([0, 1]))
    for _ in range(2):  # and stays so, if nothing changes
        ended = graph.settle(TOLERANCE, 100, damping)
        assert ended.status == "inconsistent"
        assert max(ended.dead_variable, ended.dead_factor) >= 0
        assert not np.isnan(beliefs(graph, 5)).all()
    graph.set_unary(4, np.zeros(2))
    settled(graph, damping=damping)
    same_as(graph, model.plus(((0,), logs([1, 0]))))


def test_a_variable_without_a_possible_state_is_named_at_once():
    graph = build(chain(3, 0.5))
    graph.set_unary(1, np.full(2, -np.inf))
    assert graph.settle(TOLERANCE, 10).dead_variable == 1
    assert np.isnan(graph.belief(1)).all()
    assert graph.log_z() == -np.inf


def test_an_impossible_constant_is_inconsistent_until_it_goes():
    graph = build(chain(3, 0.5))
    settled(graph)
    log_z = graph.log_z()
    graph.multiply(-np.inf)
    assert graph.settle(TOLERANCE, 10).status == "inconsistent"
    assert graph.log_z() == -np.inf
    graph.divide(-np.inf)
    settled(graph)
    assert graph.log_z() == log_z


def test_what_is_no_number_is_an_error_and_no_answer():
    graph = build(chain(3, 0.5))
    settled(graph)
    graph.arrays.to_variable[0] = np.nan
    graph.set_unary(0, np.array([0.0, 1.0]))
    with pytest.raises(NumericalError, match="NaN in round 1"):
        graph.settle(TOLERANCE, 10)


def test_oscillation_is_damped():
    model = complete(5, -0.6, 0.1)
    assert flat(model).status != "converged"
    graph = build(model)
    damped = []
    settled(graph, after_round=lambda residual, damping: damped.append(damping))
    assert set(damped[:100]) == {0.0}
    assert set(damped[100:]) == {0.5}
    expected = flat(model, damping=0.5)
    np.testing.assert_allclose(beliefs(graph, 5), expected.beliefs, atol=1e-9)


def test_who_does_not_settle_says_so_and_goes_on_later():
    model = complete(5, -0.6, 0.1)
    graph = build(model)
    ended = graph.settle(TOLERANCE, 90)
    assert (ended.status, ended.rounds) == ("max_iterations", 90)
    assert ended.residual > 0.01
    assert graph.settle(TOLERANCE, 10**6, seconds=0.0).status == "max_iterations"
    settled(graph, damping=0.5)
    np.testing.assert_allclose(beliefs(graph, 5), flat(model, damping=0.5).beliefs, atol=1e-9)


@pytest.mark.parametrize("damping", [0.0, 0.4])
def test_rounds_in_pieces_are_rounds_in_one(damping):
    model = grid(4, 4, 0.3, 0.2)
    one, other = build(model), build(model)
    settled(one, damping=damping)
    while other.settle(TOLERANCE, 1, damping).status != "converged":
        pass
    np.testing.assert_array_equal(beliefs(one, 16), beliefs(other, 16))


@pytest.mark.parametrize("shape", [lambda n: chain(n, 0.3), lambda n: grid(4, n // 4, 0.1)])
def test_a_change_in_a_corner_costs_the_same_in_a_large_graph(shape):
    counts = set()
    for size in (60, 600):
        graph = build(shape(size))
        graph.settle(1e-6, 1000)
        graph.set_unary(0, np.array([0.3, 0.0]))
        ended = graph.settle(1e-6, 1000)
        counts.add((ended.rounds, ended.updates, ended.computed))
    assert len(counts) == 1
    assert 10 < counts.pop()[2] < 300


@pytest.mark.parametrize(("loss", "delay"), [(0.0, 0.0), (0.5, 0.0), (0.2, 2.0)])
def test_clocks_change_when_but_not_what(loss, delay):
    for model in (grid(4, 4, 0.3, 0.2), gentle_loopy(1), random_forest(4)):
        graph = build(model)
        ended = settled(graph, clocks=Clocks(1, loss, delay))
        assert ended.rounds > settled(build(model)).rounds
        same_as(graph, model)


def test_losing_half_of_the_messages_takes_longer_and_the_seed_is_all_the_chance():
    def rounds(seed, loss):
        return settled(build(grid(5, 5, 0.3, 0.2)), clocks=Clocks(seed, loss)).rounds

    assert rounds(1, 0.5) == rounds(1, 0.5)
    mean = {loss: np.mean([rounds(seed, loss) for seed in range(5)]) for loss in (0.0, 0.5)}
    assert mean[0.5] > 1.3 * mean[0.0]


def test_what_is_heard_and_said_can_be_asked():
    model = random_forest(5)
    graph = build(model)
    settled(graph)
    for variable, count in enumerate(model.cards):
        both = graph.unary(variable) + graph.heard(variable)
        odds = np.exp(both - both.max())
        np.testing.assert_allclose(graph.belief(variable), odds / odds.sum(), atol=1e-12)
        assert odds.size == count
    for factor, (scope, table) in enumerate(model.wide):
        np.testing.assert_array_equal(graph.table(factor), table)
        for axis in range(len(scope)):
            assert graph.said_to(factor, axis).shape == (table.shape[axis],)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda g: g.set_unary(0, np.array([0.0, np.nan])), "unary potentials of variable 0"),
        (lambda g: g.set_unary(0, np.array([0.0, np.inf])), "finite or -inf"),
        (lambda g: g.set_unary(0, np.zeros(3)), "must be 2 logs"),
        (lambda g: g.add_variable(np.array([np.nan])), "unary potentials"),
        (lambda g: g.add_factor([0, 1], np.zeros((2, 3))), "2, 3.*2, 2"),
        (lambda g: g.add_factor([0, 0], np.zeros((2, 2))), "over variables"),
        (lambda g: g.add_factor([], np.zeros(())), "shape"),
        (lambda g: g.add_factor([0, 1], np.full((2, 2), np.nan)), "NaN"),
        (lambda g: g.remove_variable(0), "still in a factor"),
    ],
)
def test_what_can_not_be_is_refused(change, match):
    graph = build(chain(3, 0.5))
    with pytest.raises(GraphError, match=match):
        change(graph)


def test_looking_shows_beliefs_before_anybody_spoke():
    graph = build(Model((2, 2), (((0,), logs([1, 3])), ((0, 1), np.zeros((2, 2))))))
    graph.look()
    np.testing.assert_allclose(graph.belief(0), [0.25, 0.75])
    assert graph.beliefs([]).size == 0
