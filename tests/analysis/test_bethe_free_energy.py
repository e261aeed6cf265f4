"""The Bethe free energy against the slow twin, enumeration, and its own differences."""

import numpy as np
import pytest
from scipy.optimize import minimize

from mpnet.analysis.beliefs import fitted, log_beliefs
from mpnet.analysis.free_energy import bethe_gradient, free_energy, gradient_check
from mpnet.errors import InconsistentError, NumericalError, TooLargeError, UsageError
from mpnet.messages import Messages
from tests import reference
from tests.analysis.builders import settled, somewhere, without_tables
from tests.graphs import (
    Model,
    complete,
    cycle,
    gentle_loopy,
    grid,
    logs,
    random_forest,
    random_loopy,
)


def twin(model, messages):
    lbp = reference.Lbp(model)
    keys = [(f, v) for f, scope in enumerate(model.scopes) for v in scope]
    rows = reference.pieces(messages.log_messages(), messages.graph.arrays.edge_states)
    lbp.messages = dict(zip(keys, rows, strict=True))
    return lbp


def possible(messages):
    return not np.isnan(messages.marginals()).any()


@pytest.mark.parametrize("space", ["auto", "log"])
@pytest.mark.parametrize("seed", range(20))
def test_equals_the_twin_at_any_messages(seed, space):
    model = random_loopy(seed)
    messages = somewhere(model.build(), seed, space=space)
    if not possible(messages):
        pytest.skip("nothing is possible")
    found = free_energy(messages)
    # Sums of up to a thousand terms of order one.
    assert found.value == pytest.approx(-twin(model, messages).bethe(), abs=1e-11)
    assert found.value == pytest.approx(found.energy - found.entropy, abs=1e-12)


@pytest.mark.parametrize("seed", range(15))
def test_is_minus_log_z_at_fixed_points(seed):
    model = gentle_loopy(seed)
    messages = settled(model.build())
    assert free_energy(messages).value == pytest.approx(-messages.log_z(), abs=1e-10)


@pytest.mark.parametrize("seed", range(10))
def test_energy_and_entropy_of_forests_are_exact(seed):
    model = random_forest(seed)
    found = free_energy(settled(model.build()))
    scores = reference.joint(model)
    p = np.exp(scores - reference.log_z(model))
    some = p > 0.0
    assert found.energy == pytest.approx(-np.sum(p[some] * scores[some]), abs=1e-9)
    assert found.entropy == pytest.approx(-np.sum(p[some] * np.log(p[some])), abs=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_factors_that_cannot_be_written_out_keep_the_value(seed):
    model = random_loopy(seed)
    messages = somewhere(model.build(), seed)
    if not model.scopes or not possible(messages):
        pytest.skip("nothing is possible")
    part = free_energy(somewhere(without_tables(model.build()), seed))
    assert (part.energy, part.entropy) == (None, None)
    assert part.value == pytest.approx(free_energy(messages).value, abs=1e-11)


def share(table, beliefs):
    """Least of sum b log (b / potential) over beliefs with given marginals, by its dual."""
    sizes = np.cumsum([0, *table.shape])

    def loss(flat):
        score = table
        for axis in range(table.ndim):
            shape = [1] * table.ndim
            shape[axis] = -1
            score = score + flat[sizes[axis] : sizes[axis + 1]].reshape(shape)
        total = np.logaddexp.reduce(score.ravel())
        p = np.exp(score - total)
        sums = [p.sum(axis=tuple(a for a in range(p.ndim) if a != axis)) for axis in range(p.ndim)]
        wanted = np.concatenate(beliefs)
        return total - wanted @ flat, np.concatenate(sums) - wanted

    found = minimize(loss, np.zeros(sizes[-1]), jac=True, method="BFGS", options={"gtol": 1e-10})
    return -found.fun


def surface(model, beliefs):
    """Bethe free energy of the variables' beliefs alone, factors following."""
    parts = np.split(beliefs, np.cumsum(model.cards)[:-1])
    result = -model.constant
    for variable, b in enumerate(parts):
        result -= b @ model.unary[variable]
        degree = sum(variable in scope for scope in model.scopes)
        result -= (degree - 1) * (b @ np.log(b))
    for scope, table in zip(model.scopes, model.tables, strict=True):
        result += share(table, [parts[v] for v in scope])
    return result


MODELS = [
    cycle(4, 0.6, 0.3),
    complete(4, -0.8, 0.2),
    Model(
        (2, 3, 2),
        (
            ((0, 1, 2), np.sin(np.arange(12.0)).reshape(2, 3, 2)),
            ((1, 2), np.cos(np.arange(6.0)).reshape(3, 2)),
            ((0,), np.array([0.2, -0.4])),
        ),
    ),
]


@pytest.mark.parametrize("model", MODELS)
def test_the_gradient_equals_differences(model):
    messages = somewhere(model.build(), 1)
    beliefs = messages.marginals()
    slope = bethe_gradient(messages)
    rng = np.random.default_rng(0)
    parts = np.cumsum(model.cards)[:-1]
    for _ in range(5):
        # Probabilities go on adding up to one.
        move = np.concatenate(
            [p - p.mean() for p in np.split(rng.normal(size=beliefs.size), parts)]
        )
        step = 1e-3 * beliefs.min()
        ends = [surface(model, beliefs + side * step * move) for side in (1, -1, 2, -2)]
        expected = (8 * (ends[0] - ends[1]) - (ends[2] - ends[3])) / (12 * step)
        # The dual is solved to a gradient of 1e-10 at best, over a step of 1e-4.
        assert slope @ move == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("model", [*MODELS, grid(3, 3, 0.5, 0.1), gentle_loopy(4), gentle_loopy(9)])
def test_fixed_points_are_stationary_and_nothing_else_is(model):
    graph = model.build()
    found = gradient_check(settled(graph, damping=0.5, tolerance=1e-12))
    # Residuals of 1e-12 on a handful of messages per variable.
    assert found.gradient < 1e-10
    assert found.disagreement < 1e-11
    off = gradient_check(somewhere(graph, 3, sweeps=1))
    assert off.gradient > 1e-3
    assert off.disagreement > 1e-3


@pytest.mark.parametrize("seed", range(15))
def test_fixed_points_with_hard_zeros_are_stationary(seed):
    messages = settled(random_forest(seed).build())
    assert gradient_check(messages).gradient < 1e-9


@pytest.mark.parametrize("seed", range(8))
def test_fitted_beliefs_agree_with_those_of_the_variables(seed):
    model = gentle_loopy(seed)
    messages = somewhere(model.build(), seed, sweeps=1)
    if not possible(messages):
        pytest.skip("nothing is possible")
    marginals = messages.marginals()
    starts = messages.graph.arrays.variable_states
    for found in fitted(messages):
        for number, factor in enumerate(found.batch.factors):
            belief = np.exp(found.beliefs[number])
            for axis, v in enumerate(messages.graph.factors[int(factor)].scope):
                others = tuple(a for a in range(belief.ndim) if a != axis)
                np.testing.assert_allclose(
                    belief.sum(axis=others), marginals[starts[v] : starts[v + 1]], atol=1e-11
                )


def test_log_beliefs_keep_what_probabilities_lose():
    model = Model((2,), (((0,), np.array([0.0, -900.0])),))
    assert log_beliefs(Messages(model.build()))[1] == -900.0
    assert gradient_check(Messages(model.build())).gradient < 1e-12


def test_what_has_no_free_energy_is_refused():
    graph = cycle(3, 0.5, 0.1).build()
    with pytest.raises(UsageError, match="use sum-product"):
        free_energy(Messages(graph, maximise=True))
    with pytest.raises(InconsistentError, match="no state of 'v1' is possible"):
        free_energy(Messages(graph, unary=np.array([0.0, 0.0, -np.inf, -np.inf, 0.0, 0.0])))
    with pytest.raises(TooLargeError, match=r"the table of factor 'f\(v0, v1\)' is too large"):
        bethe_gradient(Messages(without_tables(graph)))
    equal = Model((2, 2), (((0, 1), logs(np.eye(2))), ((0,), logs([1.0, 3.0]))))
    with pytest.raises(NumericalError, match=r"no belief of factor 'f\(v0, v1\)' was found"):
        # Before the first sweep the two believe different things, and must be equal.
        gradient_check(Messages(equal.build()))
