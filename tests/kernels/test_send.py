"""What every family's ``send`` promises, against its twin: ``tables``, ``pairs`` and ``triples``."""

import numpy as np
import pytest

from mpnet.kernels import tables
from mpnet.kernels.families import FAMILIES
from mpnet.kernels.semiring import LinearMax, LinearSum, LogMax
from tests import reference
from tests.graphs import Model, examples, logs
from tests.kernels.semirings import SPACES, Space, mixed, plain, random_logs, scaled_messages

SINGLE = [Space(kind, np.float32) for kind in (LinearSum, LogMax)]
NOWHERE = np.empty(0)


def edges_of(graph, first, last):
    """Edges and message entries of a range of factors."""
    edges = graph.factor_edges[[first, last]]
    return slice(*edges), slice(*graph.edge_states[edges])


def sent(space, graph, family, factors, to_factor, old, out, damping, *, found=NOWHERE):
    """One call of the family's kernel; arguments as logs, but for ``out``."""
    arrays, _ = space.family(family)
    return FAMILIES[family.kind].send(
        space.semiring, graph, arrays, *factors, to_factor, old, out, damping, found
    )


def check(space, graph, seed, damping=0.0, zeros=0.0, atol=1e-12, size=3.0):
    """Compare all families of a graph with the twin, with and without per-edge residuals."""
    arrays = graph.arrays
    to_factor = space.values(random_logs(graph, seed, zeros, size))
    old = space.values(random_logs(graph, seed + 999, zeros / 4))
    kinds = set()
    for family in graph.families:
        kinds.add(family.kind)
        _, twin = space.family(family)
        expected, changes, dead = reference.send(
            arrays,
            twin,
            range(family.first, family.last),
            space.logs(to_factor),
            space.logs(old),
            damping,
            space.maximise,
        )
        edges, entries = edges_of(arrays, family.first, family.last)
        here = family.first, family.last
        out = np.full_like(old, np.nan)
        found = np.full(arrays.edge_variable.size, np.nan)
        worst, status = sent(space, arrays, family, here, to_factor, old, out, damping, found=found)
        np.testing.assert_allclose(
            scaled_messages(graph, space.logs(out))[entries], expected[entries], rtol=0, atol=atol
        )
        np.testing.assert_allclose(found, changes, rtol=0, atol=atol)
        assert worst == pytest.approx(changes[edges].max(), abs=atol)
        assert status == dead
        largest = np.nanmax(space.logs(out), initial=-np.inf)
        assert largest <= atol
        # Nobody asks for residuals, and the messages are changed where they stand.
        moved = old.copy()
        quick, status = sent(space, arrays, family, here, to_factor, moved, moved, damping)
        assert quick == pytest.approx(worst, rel=1e-6 if space.dtype is np.float32 else 1e-12)
        assert status == dead
        np.testing.assert_array_equal(moved[entries], out[entries])
        moved[entries] = old[entries]
        np.testing.assert_array_equal(moved, old)
    return kinds


# Values are below 100 nats and sums have at most 81 terms: some 1e-13.
@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("damping", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("zeros", [0.0, 0.4])
def test_equals_the_twin(space, damping, zeros):
    kinds = set()
    for seed in range(examples(12)):
        states = (2, 3, None)[seed % 3]
        graph = mixed(seed, states, zeros).build()
        kinds |= check(space, graph, seed, damping, zeros)
    assert kinds == {"table", "pair", "triple"}


@pytest.mark.parametrize("space", SINGLE, ids=repr)
@pytest.mark.parametrize("damping", [0.0, 0.3])
def test_equals_the_twin_in_single_precision(space, damping):
    for seed in range(examples(6)):
        graph = mixed(seed, (2, 3, None)[seed % 3]).build()
        # Numbers below 30 to 24 bits: 2e-6 each, a few of them.
        check(space, graph, seed, damping, zeros=0.2, atol=2e-5)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_equals_the_twin_far_from_one(space):
    for seed in range(examples(6)):
        graph = mixed(seed, (2, 3, None)[seed % 3]).build()
        size = 60.0 if space.linear else 700.0
        # Logs up to 3000 have roundings of 5e-13, and exponents carry them over.
        check(space, graph, seed, size=size, zeros=0.2, atol=5e-12)


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("damping", [0.0, 0.3])
def test_only_the_factors_asked_for_are_written(space, damping):
    graph = mixed(1, 3).build()
    to_factor = space.values(random_logs(graph, 0))
    old = space.values(random_logs(graph, 1))
    for family in graph.families:
        whole, every = old.copy(), np.full(graph.arrays.edge_variable.size, np.nan)
        both = family.first, family.last
        sent(space, graph.arrays, family, both, to_factor, old, whole, damping, found=every)
        for factor in range(family.first, family.last):
            out, found = np.full_like(old, np.nan), np.full_like(every, np.nan)
            one = factor, factor + 1
            worst, _ = sent(
                space, graph.arrays, family, one, to_factor, old, out, damping, found=found
            )
            edges, entries = edges_of(graph.arrays, *one)
            np.testing.assert_array_equal(out[entries], whole[entries])
            np.testing.assert_array_equal(found[edges], every[edges])
            assert worst == every[edges].max()
            out[entries], found[edges] = 0.0, 0.0
            assert np.isnan(out).sum() == out.size - (entries.stop - entries.start)
            assert np.isnan(found).sum() == found.size - (edges.stop - edges.start)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_inputs_are_not_modified(space):
    graph = mixed(2, 2).build()
    to_factor, old = (space.values(random_logs(graph, s)) for s in (0, 1))
    before = to_factor.copy(), old.copy()
    for family in graph.families:
        here = family.first, family.last
        for damping in (0.0, 0.5):
            out = np.empty_like(old)
            sent(space, graph.arrays, family, here, to_factor, old, out, damping)
    np.testing.assert_array_equal(to_factor, before[0])
    np.testing.assert_array_equal(old, before[1])


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("damping", [0.0, 0.5])
@pytest.mark.parametrize("states", [2, 3])
@pytest.mark.parametrize("old_zeros", [False, True])
def test_nan_is_never_swallowed(space, damping, states, old_zeros):
    graph = mixed(3, states).build()
    starts = graph.arrays.edge_states
    for family in graph.families:
        here = family.first, family.last
        edges, _ = edges_of(graph.arrays, *here)
        for edge in range(edges.start, edges.stop):
            to_factor = space.values(random_logs(graph, 0))
            old = space.values(random_logs(graph, 1, zeros=0.5 if old_zeros else 0.0))
            to_factor[starts[edge]] = np.nan
            for found in (np.zeros(graph.arrays.edge_variable.size), NOWHERE):
                worst, status = sent(
                    space,
                    graph.arrays,
                    family,
                    here,
                    to_factor,
                    old,
                    old.copy(),
                    damping,
                    found=found,
                )
                assert np.isnan(worst)
                assert status == -1
                if found.size:
                    factor = graph.edge_factor[edge]
                    same = graph.edge_factor == factor
                    same[edge] = False
                    np.testing.assert_array_equal(np.isnan(found), same)


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("damping", [0.0, 0.5])
@pytest.mark.parametrize("states", [2, 3])
def test_nan_in_the_old_message_is_not_swallowed(space, damping, states):
    graph = mixed(3, states).build()
    for family in graph.families:
        here = family.first, family.last
        _, entries = edges_of(graph.arrays, *here)
        for entry in (entries.start, entries.stop - 1):
            to_factor, old = (space.values(random_logs(graph, s)) for s in (0, 1))
            old[entry] = np.nan
            found = np.zeros(graph.arrays.edge_variable.size)
            out = old.copy()
            worst, _ = sent(
                space, graph.arrays, family, here, to_factor, old, out, damping, found=found
            )
            assert np.isnan(worst)
            assert np.isnan(found).sum() == 1
            quick, _ = sent(space, graph.arrays, family, here, to_factor, old, out, damping)
            assert np.isnan(quick)


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("damping", [0.0, 0.5])
@pytest.mark.parametrize("arity", [2, 3, 4])
@pytest.mark.parametrize("states", [2, 3])
def test_lost_and_gained_support_is_an_infinite_residual(space, damping, arity, states):
    full = np.zeros((states,) * arity)
    cut = full.copy()
    cut[0] = -np.inf
    for table, before in ((cut, full[0].flat[:states]), (full, [-np.inf, *[0.0] * (states - 1)])):
        graph = Model((states,) * arity, ((tuple(range(arity)), table),)).build()
        uniform = space.values(np.zeros(states * arity))
        old = uniform.copy()
        old[:states] = space.values(np.array(before))
        out, found = np.full_like(old, np.nan), np.full(arity, np.nan)
        (family,) = graph.families
        worst, status = sent(
            space, graph.arrays, family, (0, 1), uniform, old, out, damping, found=found
        )
        assert worst == np.inf
        assert status == -1
        np.testing.assert_array_equal(found, [np.inf] + [0.0] * (arity - 1))
        # Zeros are taken and left at once: 0 * inf would be NaN.
        said = scaled_messages(graph, space.logs(out))
        np.testing.assert_allclose(said[:states], table.reshape(states, -1)[:, 0], atol=1e-15)


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("states", [2, 3])
@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_the_first_factor_that_allows_nothing_is_named(space, states, damping):
    one, nothing = np.zeros((states, states)), np.full((states, states), -np.inf)
    three = np.zeros((states,) * 3)
    model = Model(
        (states,) * 3,
        (
            ((0, 1), one),
            ((1, 2), nothing),
            ((0, 2), nothing),
            ((0, 1, 2), three),
            ((2, 1, 0), three - np.inf),
        ),
    )
    graph = model.build()
    uniform = space.values(np.zeros(int(graph.arrays.edge_states[-1])))
    statuses = []
    for family in graph.families:
        out, found = np.full_like(uniform, np.nan), np.full(graph.arrays.edge_variable.size, np.nan)
        here = family.first, family.last
        worst, status = sent(
            space, graph.arrays, family, here, uniform, uniform, out, damping, found=found
        )
        statuses.append(status)
        edges, _ = edges_of(graph.arrays, *here)
        # A message of nothing has no residual: the status tells.
        assert worst == 0.0
        np.testing.assert_array_equal(found[edges], np.zeros(edges.stop - edges.start))
        dead, entries = edges_of(graph.arrays, status, status + 1)
        np.testing.assert_array_equal(
            space.logs(out)[entries], np.full(states * (dead.stop - dead.start), -np.inf)
        )
    assert statuses == [1, 4]


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_incoming_zeros_that_meet_the_table_s_zeros_allow_nothing(space):
    one = Model((2, 2), (((0, 1), logs(np.eye(2))),)).build()
    crossed = space.values(np.array([0.0, -np.inf, -np.inf, 0.0]))
    cut = Model((2, 2), (((0, 1), logs([[0.0, 1.0], [0.0, 1.0]])),)).build()
    shut = space.values(np.array([0.0, 0.0, 0.0, -np.inf]))
    for graph, to_factor, expected in ((one, crossed, -1), (cut, shut, 0)):
        old = space.values(np.zeros(4))
        (family,) = graph.families
        _, status = sent(space, graph.arrays, family, (0, 1), to_factor, old, old.copy(), 0.0)
        # With the identity each direction still has one state: only the whole product is zero.
        assert status == expected


@pytest.mark.parametrize("states", [2, 3, 16])
@pytest.mark.parametrize(
    ("kind", "dtype"),
    [(LinearSum, np.float64), (LinearSum, np.float32), (LinearMax, np.float64)],
)
def test_the_quick_maximum_is_the_largest_edge_residual(states, kind, dtype):
    # Most messages hardly move, and which moves most is anywhere: each skipping must be harmless.
    space = Space(kind, dtype)
    rng = np.random.default_rng(0)
    count = 60
    scopes = rng.permuted(np.tile(np.arange(5), (count, 1)), axis=1)
    factors = [((int(a), int(b)), rng.normal(size=(states, states))) for a, b, *_ in scopes]
    if states < 16:
        more = [(tuple(map(int, s[:3])), rng.normal(size=(states,) * 3)) for s in scopes]
        factors += more
    graph = Model((states,) * 5, tuple(factors)).build()
    to_factor = space.values(random_logs(graph, 1))
    edges = graph.arrays.edge_variable.size
    for family in graph.families:
        here = family.first, family.last
        mine, _ = edges_of(graph.arrays, *here)
        settled = space.values(random_logs(graph, 2))
        sent(space, graph.arrays, family, here, to_factor, settled, settled, 0.0)
        for seed in range(examples(20)):
            draw = np.random.default_rng(seed)
            nudge = draw.normal(size=settled.size) * 10.0 ** draw.uniform(-12, 0, settled.size)
            old = (settled * np.exp(nudge)).astype(dtype)
            found = np.full(edges, np.nan)
            worst, _ = sent(
                space, graph.arrays, family, here, to_factor, old, old.copy(), 0.0, found=found
            )
            quick, _ = sent(space, graph.arrays, family, here, to_factor, old, old.copy(), 0.0)
            # Spans are measured by the same arithmetic, and compared with a few roundings.
            assert worst == pytest.approx(found[mine].max(), rel=4 * float(np.finfo(dtype).eps))
            assert quick == pytest.approx(worst, rel=16 * float(np.finfo(dtype).eps))


@pytest.mark.parametrize("states", [2, 3, 16])
@pytest.mark.parametrize("edge_residual", [NOWHERE, np.zeros(6)])
def test_a_residual_of_rounding_is_as_good_as_none(states, edge_residual):
    # Sums may be added up in another order where somebody asks again: 64 roundings count as none.
    space = Space(LinearSum)
    pair = np.random.default_rng(0).normal(size=(states, states))
    graph = Model((states,) * 3, (((0, 1), pair), ((1, 2), pair), ((2, 0), pair))).build()
    (family,) = graph.families
    to_factor = space.values(random_logs(graph, 0))
    messages = space.values(random_logs(graph, 1))
    call = (space, graph.arrays, family, (0, 3), to_factor)
    sent(*call, messages, messages, 0.0)
    jitter = np.random.default_rng(1).choice([-8.0, 0.0, 8.0], size=messages.size)
    near = messages * (1.0 + jitter * np.finfo(float).eps)
    worst, _ = sent(*call, near, near.copy(), 0.0, found=edge_residual)
    assert worst <= 128 * np.finfo(float).eps
    assert (edge_residual <= 128 * np.finfo(float).eps).all()
    far = messages * (1.0 + 1000.0 * jitter * np.finfo(float).eps)
    worst, _ = sent(*call, far, far.copy(), 0.0, found=edge_residual)
    assert worst > 1000 * np.finfo(float).eps


@pytest.mark.parametrize("space", SPACES, ids=repr)
@pytest.mark.parametrize("states", [2, 3])
def test_specialised_kernels_agree_with_the_general_one(space, states):
    graph = mixed(5, states, zeros=0.3).build()
    to_factor, old = (space.values(random_logs(graph, s, zeros=0.2)) for s in (0, 1))
    for family in graph.families:
        arrays, _ = space.family(family)
        edges = [np.zeros(graph.arrays.edge_variable.size) for _ in range(2)]
        outs = [old.copy(), old.copy()]
        answers = [
            send(
                space.semiring, graph.arrays, of, family.first, family.last,
                to_factor, old, out, 0.0, found,
            )
            for send, of, out, found in zip(
                (FAMILIES[family.kind].send, tables.send), (arrays, plain(arrays)), outs, edges
            )
        ]  # fmt: skip
        # The same sums, in another order.
        assert answers[0][0] == pytest.approx(answers[1][0], abs=1e-13)
        assert answers[0][1] == answers[1][1]
        np.testing.assert_allclose(edges[0], edges[1], rtol=0, atol=1e-13)
        found, expected = (scaled_messages(graph, space.logs(out)) for out in outs)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
