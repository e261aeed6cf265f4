"""Fixed points, stable or not: nothing moves at them, and flooding alone would not find them."""

import numpy as np
import pytest

from mpnet.analysis import fixed_point as module
from mpnet.analysis.fixed_point import find_fixed_point
from mpnet.analysis.stability import stability
from mpnet.analysis.sweeps import next_messages
from mpnet.errors import InconsistentError, NumericalError
from mpnet.estimators.base import Options
from mpnet.estimators.loop import propagate
from mpnet.messages import Messages
from tests import reference
from tests.analysis.builders import near, somewhere
from tests.graphs import Model, complete, grid, ising, logs, random_forest, random_loopy


@pytest.mark.parametrize("space", ["auto", "log"])
@pytest.mark.parametrize("seed", range(10))
def test_one_sweep_ahead_is_a_sweep(seed, space):
    messages = somewhere(random_loopy(seed).build(), seed, space=space)
    before = messages.log_messages()
    residual, ahead = next_messages(messages)
    np.testing.assert_array_equal(messages.log_messages(), before)
    told, _ = messages.send_from_factors(0.0)
    assert residual == told
    # A largest entry that is not quite one, in linear space.
    np.testing.assert_allclose(messages.log_messages(), ahead, rtol=0, atol=1e-14)


def test_one_sweep_ahead_of_linear_space():
    # Products of these leave the range of numbers; logs do not.
    factors = [((0, v), 200.0 * np.array([[1.0, -1.0], [-1.0, 1.0]])) for v in range(1, 5)]
    fields = [((v,), np.array([0.0, 150.0])) for v in range(1, 5)]
    model = Model((2,) * 5, (*factors, *fields))
    graph = model.build()
    messages = Messages(graph)
    for _ in range(3):
        residual, ahead = next_messages(messages)
        told, _ = messages.send_from_factors(0.0)
        messages.refresh()
        assert residual == pytest.approx(told)
        np.testing.assert_allclose(messages.log_messages(), ahead, rtol=1e-12, atol=1e-12)


def twin_residual(model, messages):
    """How far the slow engine would move these messages, in nats."""
    lbp = reference.Lbp(model)
    keys = [(f, v) for f, scope in enumerate(model.scopes) for v in scope]
    rows = reference.pieces(messages.log_messages(), messages.graph.arrays.edge_states)
    lbp.messages = dict(zip(keys, rows, strict=True))
    return lbp.sweep()


FRUSTRATED = [
    complete(5, -0.6, 0.05),
    complete(4, -2.0, 0.1),
    ising([(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 2), (0, 4)], 5, -1.5, 0.3),
    grid(3, 3, 0.2).plus(*complete(9, -0.5, 0.1).factors),
]


@pytest.mark.parametrize("model", FRUSTRATED)
def test_where_flooding_oscillates_a_fixed_point_is_found(model):
    graph = model.build()
    options = Options(damping=0.0, tolerance=1e-8, max_iterations=500)
    assert propagate(Messages(graph), options).status != "converged"
    found = find_fixed_point(graph)
    assert twin_residual(model, found) < 2e-10
    assert stability(found).smallest_damping > 0.0


@pytest.mark.parametrize("dense", [0, 1500])
@pytest.mark.parametrize("model", FRUSTRATED)
def test_newton_alone_finds_one_too(model, dense, monkeypatch):
    monkeypatch.setattr(module, "DENSE", dense)
    found = find_fixed_point(model.build(), dampings=(0.9,), iterations=20, tolerance=1e-11)
    assert twin_residual(model, found) < 1e-10


def test_newton_finds_the_unstable_point_between_two_stable_ones():
    graph = complete(4, 1.0).build()
    assert (
        propagate(Messages(graph, start=near(graph, 1e-3)), Options(damping=0.5)).status
        == "converged"
    )
    found = find_fixed_point(graph, start=near(graph, 1e-3), dampings=())
    assert np.abs(found.log_messages()).max() < 1e-9
    assert stability(found).smallest_damping is None


@pytest.mark.parametrize("seed", range(8))
def test_fixed_points_of_forests_are_exact(seed):
    model = random_forest(seed)
    found = find_fixed_point(model.build())
    assert found.log_z() == pytest.approx(reference.log_z(model), abs=1e-9)


def test_other_evidence_is_heeded():
    model = complete(5, -0.6, 0.05)
    seen = model.plus(((2,), logs([1.0, 0.0])))
    graph = model.build()
    found = find_fixed_point(graph, unary=graph.clamped(2, 0))
    assert found.log_z() == pytest.approx(find_fixed_point(seen.build()).log_z(), abs=1e-8)


def test_failure_is_told_with_what_was_reached(monkeypatch):
    monkeypatch.setattr(module, "STEPS", 0)
    with pytest.raises(NumericalError, match=r"residual of .* nats, wanted 1e-10; try other"):
        find_fixed_point(complete(4, -2.0, 0.1).build(), dampings=(0.0,), iterations=3)


def test_contradictions_are_told():
    links = tuple(((v, v + 1), logs(np.eye(2))) for v in range(2))
    ends = (((0,), logs([1, 0])), ((2,), logs([0, 1])))
    with pytest.raises(InconsistentError, match="nothing that is possible"):
        find_fixed_point(Model((2, 2, 2), (*links, *ends)).build())


def test_nothing_to_find():
    assert find_fixed_point(Model((3,), ()).build()).log_z() == pytest.approx(np.log(3))
