"""The bound that weighted messages prove: at any time, from any messages."""

import itertools

import numpy as np
import pytest

from mpnet.estimators.trees import edge_appearance
from mpnet.estimators.trw import weigh
from mpnet.estimators.weighted import InTurn, reparameterise
from mpnet.schedules.base import Settings
from mpnet.schedules.flooding import Flooding
from tests import reference
from tests.graphs import complete, cycle, examples, grid, logs, random_forest, random_loopy


def reparameterised(messages, constant):
    """Log p of every assignment as beliefs tell it, one axis per variable."""
    graph, beliefs = messages.graph, messages.marginals()
    where = np.indices([len(v.states) for v in graph.variables])
    total = np.full(where.shape[1:], constant)
    alone = [logs(beliefs[graph.states_of(v)]) for v in range(len(graph.variables))]
    for variable, belief in enumerate(alone):
        total = total + belief[where[variable]]
    for number, factor in enumerate(graph.factors):
        weight = messages.edge_power[graph.arrays.factor_edges[number]]
        belief = logs(messages.factor_belief(number))
        ratio = belief[tuple(where[v] for v in factor.scope)]
        for variable in factor.scope:
            with np.errstate(invalid="ignore"):
                ratio = ratio - alone[variable][where[variable]]
        total = total + weight * ratio
    return total


@pytest.mark.parametrize("sweeps", [0, 1, 2, 5])
@pytest.mark.parametrize("seed", range(examples(20)))
def test_the_beliefs_of_any_messages_make_up_the_distribution(seed, sweeps):
    model = random_loopy(seed)
    graph = model.build()
    messages = weigh(graph, edge_appearance(graph))
    for _ in range(sweeps):
        Flooding().sweep(messages, 0.3)
    exact = reference.joint(model)
    possible = exact != -np.inf
    found = reparameterised(messages, messages.log_z())
    # Sums of some tens of numbers below 100.
    np.testing.assert_allclose(found[possible], exact[possible], rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("space", ["linear", "log"])
@pytest.mark.parametrize("seed", range(examples(60)))
def test_the_bound_holds_from_random_messages_on(seed, space):
    model = random_loopy(seed)
    graph, exact = model.build(), reference.log_z(model)
    rng = np.random.default_rng(seed)
    start = rng.normal(size=int(graph.arrays.edge_states[-1])) * 2.0
    messages = weigh(graph, edge_appearance(graph), start)
    if space == "log":
        messages.use_logs()
    for _ in range(4):
        stand = reparameterise(messages)
        assert stand.upper >= exact - 1e-10
        assert stand.constant == pytest.approx(messages.log_z(), rel=1e-12, abs=1e-12)
        Flooding().sweep(messages, 0.3)


@pytest.mark.parametrize("seed", range(examples(30)))
def test_on_a_forest_the_bound_holds_from_both_sides(seed):
    model = random_forest(seed)
    graph, exact = model.build(), reference.log_z(model)
    rng = np.random.default_rng(seed)
    start = rng.normal(size=int(graph.arrays.edge_states[-1]))
    messages = weigh(graph, np.ones(len(graph.factors)), start)
    for _ in range(12):
        stand = reparameterise(messages)
        assert stand.constant + stand.below - 1e-10 <= exact <= stand.upper + 1e-10
        Flooding().sweep(messages, 0.0)
    assert stand.upper - stand.below - stand.constant < 1e-9


def test_less_than_an_appearance_probability_will_do():
    model = grid(3, 3, 0.8, 0.1)
    graph = model.build()
    weights = 0.7 * edge_appearance(graph)
    messages = weigh(graph, weights)
    for _ in range(50):
        Flooding().sweep(messages, 0.5)
    assert reparameterise(messages).upper >= reference.log_z(model)


def test_more_than_any_appearance_probability_may_fail():
    # Weight one is Bethe, which is below log Z for attractive couplings: the check can fail.
    model = cycle(4, 0.5, 0.1)
    messages = weigh(model.build(), np.ones(4))
    for _ in range(100):
        Flooding().sweep(messages, 0.0)
    assert reparameterise(messages).upper < reference.log_z(model) - 0.01


def test_information_is_that_of_the_beliefs():
    model = complete(4, 0.7, 0.2)
    graph = model.build()
    messages = weigh(graph, np.full(6, 0.5))
    for _ in range(200):
        Flooding().sweep(messages, 0.5)
    found = reparameterise(messages, information=True).information
    for number in range(6):
        joint = messages.factor_belief(number)
        rows, columns = joint.sum(axis=1), joint.sum(axis=0)
        wanted = sum(
            joint[s] * np.log(joint[s] / (rows[s[0]] * columns[s[1]]))
            for s in itertools.product((0, 1), (0, 1))
        )
        assert found[number] == pytest.approx(wanted, rel=1e-10)
    assert np.isnan(reparameterise(messages).information).all()


def test_a_random_order_repeats_with_its_seed():
    def run(seed):
        messages = weigh(grid(3, 3, 0.5, 0.1).build(), np.full(12, 0.6))
        schedule = InTurn(Settings(seed=seed), random=True)
        for _ in range(3):
            schedule.sweep(messages, 0.0)
        return messages.to_variable.tobytes()

    assert run(1) == run(1)
    assert run(1) != run(2)
