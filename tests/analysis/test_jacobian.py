"""The Jacobian of flooding against differences of the slow twin's messages."""

import numpy as np
import pytest

from mpnet.analysis.jacobian import jacobian
from mpnet.errors import InconsistentError, UsageError
from mpnet.messages import Messages
from tests import reference
from tests.analysis.builders import somewhere, without_tables
from tests.graphs import chain, complete, cycle, logs, random_forest, random_loopy


def twin(model, said):
    """The slow engine with given log messages in a row."""
    lbp = reference.Lbp(model)
    rows = np.split(said, np.cumsum([len(m) for m in lbp.messages.values()])[:-1])
    keys = [(f, v) for f, scope in enumerate(model.scopes) for v in scope]
    lbp.messages = dict(zip(keys, rows, strict=True))
    return lbp


def swept(model, said):
    lbp = twin(model, said)
    lbp.messages = lbp.propose()
    return lbp.to_variable_array()


def difference(model, said, update, direction, step=1e-3):
    """Change of the slow engine's log-ratios along a direction, to the fourth order."""
    change = np.zeros(said.size)
    change[update.entries] = direction * step
    steps = [update.log_ratios(swept(model, said + s * change)) for s in (1, -1, 2, -2)]
    return (8 * (steps[0] - steps[1]) - (steps[2] - steps[3])) / (12 * step)


def possible(model):
    """Whether the twin's messages leave every variable a state."""
    lbp = reference.Lbp(model)
    for _ in range(4):
        lbp.sweep()
    return bool(np.isfinite(lbp.beliefs()).all())


@pytest.mark.parametrize("space", ["auto", "log"])
@pytest.mark.parametrize("seed", range(20))
def test_equals_differences(seed, space):
    model = random_loopy(seed)
    if not model.scopes or not possible(model):
        pytest.skip("nothing is sent")
    messages = somewhere(model.build(), seed, space=space)
    update = jacobian(messages)
    said = messages.log_messages()
    for direction in np.random.default_rng(seed).uniform(-1.0, 1.0, size=(2, update.size)):
        expected = difference(model, said, update, direction)
        # What the fourth order leaves out, and rounding over the step.
        np.testing.assert_allclose(update.apply(direction), expected, rtol=0, atol=5e-11)


@pytest.mark.parametrize("seed", range(20))
def test_there_are_coordinates_for_every_ratio_that_may_move(seed):
    model = random_loopy(seed)
    if not model.scopes or not possible(model):
        pytest.skip("nothing is sent")
    messages = somewhere(model.build(), seed)
    said, count = reference.pieces(messages.log_messages(), model.build().arrays.edge_states), 0
    for (_, variable), row in zip(
        [(f, v) for f, scope in enumerate(model.scopes) for v in scope], said, strict=True
    ):
        count += np.sum((row != -np.inf) & (model.unary[variable] != -np.inf)) - 1
    assert jacobian(messages).size == count


@pytest.mark.parametrize("seed", range(12))
def test_factors_that_cannot_be_written_out_are_differentiated(seed):
    model = random_loopy(seed)
    if not model.scopes or not possible(model):
        pytest.skip("nothing is sent")
    graph = model.build()
    full = jacobian(somewhere(graph, seed))
    part = jacobian(somewhere(without_tables(graph, seed % len(graph.families)), seed))
    assert part.large
    # The fourth order of step 2e-3 and rounding over it.
    np.testing.assert_allclose(part.toarray(), full.toarray(), rtol=0, atol=1e-10)


def test_columns_side_by_side_and_one_by_one():
    update = jacobian(somewhere(complete(4, 0.5, 0.2).build()))
    changes = np.random.default_rng(1).normal(size=(update.size, 3))
    np.testing.assert_array_equal(update.apply(changes)[:, 1], update.apply(changes[:, 1]))
    np.testing.assert_array_equal(update.operator @ changes[:, 0], update.apply(changes[:, 0]))


@pytest.mark.parametrize("seed", range(20))
def test_only_loops_have_eigenvalues(seed):
    model = random_loopy(seed)
    if not possible(model):
        pytest.skip("nothing is sent")
    update = jacobian(somewhere(model.build(), seed))
    rest = np.setdiff1d(np.arange(update.size), update.looping)
    nilpotent = update.toarray(rest)
    # Exact zeros times anything.
    assert not np.linalg.matrix_power(nilpotent, rest.size + 1).any()
    # Traces of powers are sums of powers of eigenvalues: the loops' own are all there are.
    whole, loops = update.toarray(), update.toarray(update.looping)
    for power in (1, 2, 3, 4):
        assert np.trace(np.linalg.matrix_power(whole, power)) == pytest.approx(
            np.trace(np.linalg.matrix_power(loops, power)), abs=1e-12
        )


def test_a_forest_has_no_loops():
    assert jacobian(Messages(chain(6, 0.8).build())).looping.size == 0
    assert jacobian(somewhere(random_forest(4).build())).looping.size == 0


def test_uniform_messages_of_spins_move_by_tanh_of_the_coupling():
    update = jacobian(Messages(cycle(3, 0.7).build())).toarray()
    assert sorted(np.unique(np.round(np.abs(update), 12))) == pytest.approx([0, np.tanh(0.7)])


def test_max_product_and_contradictions_are_refused():
    graph = cycle(3, 0.7).build()
    with pytest.raises(UsageError, match="max-product has no derivative"):
        jacobian(Messages(graph, maximise=True))
    ring = cycle(3, 0.7).plus(((1,), logs([0.0, 0.0]))).build()
    with pytest.raises(InconsistentError, match="no state of 'v1' is possible"):
        jacobian(Messages(ring))
