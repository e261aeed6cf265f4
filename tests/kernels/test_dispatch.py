"""One factor at a time, of whichever family it is."""

import numpy as np
import pytest

from mpnet.kernels.dispatch import SENDERS, send_one
from mpnet.kernels.families import FAMILIES
from mpnet.kernels.jit import kernel
from mpnet.kernels.semiring import LinearSum, LogMax
from tests import reference
from tests.graphs import Model
from tests.kernels.semirings import Run, Space, mixed, random_logs, scaled_messages, uneven

SPACES = [Space(LinearSum), Space(LogMax)]


@kernel
def send_all_in_turn(semiring, graph, families, to_factor, old, out, damping, edge_residual):
    status = -1
    for factor in range(graph.factor_edges.size - 1):
        _, answer = send_one(
            semiring, graph, families, factor, to_factor, old, out, damping, edge_residual
        )
        status = max(status, answer)
    return status


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("damping", [0.0, 0.4])
@pytest.mark.parametrize("states", [2, None])
def test_every_factor_is_sent_by_its_own_family(space, damping, states):
    graph = (mixed(3, 2) if states else uneven(3)).build()
    assert len(graph.families) == (3 if states else 2)
    run = Run(space, graph, random_logs(graph, 0))
    out = np.full_like(run.to_variable, np.nan)
    # Called from a kernel: from Python, an overload is the plain function.
    status = send_all_in_turn(
        space.semiring, graph.arrays, run.families, run.to_factor, run.to_variable, out, damping,
        run.edge_residual,
    )  # fmt: skip
    assert status == -1
    for twin, factors in run.twins:
        expected, residuals, _ = reference.send(
            graph.arrays, twin, factors, space.logs(run.to_factor), run.start, damping,
            space.maximise,
        )  # fmt: skip
        here, edges = ~np.isnan(expected), ~np.isnan(residuals)
        found = scaled_messages(graph, space.logs(out))
        # Sums of up to 81 terms, logs below 50.
        np.testing.assert_allclose(found[here], expected[here], rtol=0, atol=1e-12)
        np.testing.assert_allclose(run.edge_residual[edges], residuals[edges], rtol=0, atol=1e-12)
    assert not np.isnan(out).any()


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_plain_python_sends_the_same(space):
    graph = uneven(4).build()
    run = Run(space, graph, random_logs(graph, 0))
    messages = run.to_factor, run.to_variable
    out, plain = np.full_like(run.to_variable, np.nan), np.full_like(run.to_variable, np.nan)
    send_all_in_turn(space.semiring, graph.arrays, run.families, *messages, out, 0.0, np.empty(0))
    for factor in range(len(graph.factors)):
        send_one(
            space.semiring, graph.arrays, run.families, factor, *messages, plain, 0.0, np.empty(0)
        )
    np.testing.assert_array_equal(out, plain)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_a_graph_with_one_family(space):
    graph = Model((2, 2, 2), (((0, 1), np.eye(2)), ((1, 2), -np.eye(2)))).build()
    run = Run(space, graph, np.zeros(8))
    out = np.full_like(run.to_variable, np.nan)
    send_all_in_turn(
        space.semiring, graph.arrays, run.families, run.to_factor, run.to_variable, out, 0.0,
        np.empty(0),
    )  # fmt: skip
    assert not np.isnan(out).any()


def test_every_family_can_be_sent_one_by_one():
    assert set(SENDERS) == {kernels.arrays for kernels in FAMILIES.values()}
