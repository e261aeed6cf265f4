"""A family of a plugin goes wherever built-in ones go: every schedule, estimator, space and more.

The family is that of the example ``mpnet-steps``; the same model of tables is beside it.
"""

import numpy as np
import pytest

import mpnet.threads
from mpnet.analysis.free_energy import free_energy
from mpnet.analysis.jacobian import jacobian
from mpnet.batch import infer_batch
from mpnet.builder import GraphBuilder
from mpnet.inference import infer
from mpnet.messages import Messages
from tests.examples import EXAMPLES

STATES = 4


@pytest.fixture(scope="module")
def steps():
    (example,) = (each for each in EXAMPLES if each.package == "mpnet-steps")
    example.load()
    from mpnet_steps import Steps

    return Steps


def society(steps, seed=0, loops=True):
    """A graph with steps, some of them switched, and the same of tables."""
    rng = np.random.default_rng(seed)
    builders = [GraphBuilder(), GraphBuilder()]
    names = [f"v{place}" for place in range(5)]
    evidence = rng.uniform(0.5, 1.0, (5, STATES))
    for builder in builders:
        builder.add_variable("switch", 2)
        for name, row in zip(names, evidence, strict=True):
            builder.add_variable(name, STATES)
            builder.add_factor([name], row)
    pairs = [(0, 1), (1, 2), (2, 3), (3, 4), *([(4, 0)] if loops else [])]
    for number, (one, two) in enumerate(pairs):
        up, down = rng.uniform(0.3, 1.0, (2, STATES - 1)).tolist()
        kind = steps(names[one], names[two], up, down, switch="switch" if number == 1 else "")
        builders[0].add(kind)
        counts = np.array([[2] * (number == 1) + [STATES, STATES]])
        table = kind.content(counts, lambda _: "").table(0)
        builders[1].add_factor(kind.scope, table, log=True)
    return [builder.build() for builder in builders]


@pytest.mark.parametrize(
    "schedule", ["flooding", "sequential", "random", "tree", "residual", "asynchronous"]
)
@pytest.mark.parametrize("temperature", [1.0, 0.0])
def test_every_schedule_finds_the_fixed_point_of_tables(steps, schedule, temperature):
    how = {"schedule": schedule, "temperature": temperature, "damping": 0.2, "seed": 3}
    graph, tables = society(steps, loops=temperature > 0.0)
    found, expected = (
        infer(each, tolerance=1e-12, max_iterations=3000, **how) for each in (graph, tables)
    )
    assert (found.status, expected.status) == ("converged", "converged")
    # Both within 1e-12 nats of one fixed point.
    np.testing.assert_allclose(found.estimate.beliefs, expected.estimate.beliefs, rtol=0, atol=1e-9)
    assert found.log_z == pytest.approx(expected.log_z, abs=1e-9)


@pytest.mark.parametrize(
    "estimator",
    ["flat", "clamped", "mixture", "trw", "fractional", "mean_field", "double_loop", "region", "exact"],
)  # fmt: skip
def test_every_estimator_answers_as_for_tables(steps, estimator):
    graph, tables = society(steps)
    found, expected = (
        infer(each, estimator=estimator, tolerance=1e-11) for each in (graph, tables)
    )
    assert found.status == expected.status
    np.testing.assert_allclose(found.estimate.beliefs, expected.estimate.beliefs, rtol=0, atol=1e-7)


def test_exact_answers_are_those_of_enumeration(steps):
    from mpnet.testing import brute

    graph, tables = society(steps, 1)
    expected = brute.beliefs(tables)
    found = infer(graph, estimator="exact")
    for name, belief in expected.items():
        np.testing.assert_allclose(list(found.marginals[name].values()), belief, rtol=0, atol=1e-12)


def test_batches_are_runs_of_their_own(steps):
    graph, _ = society(steps)
    evidence = [{1: 0}, {2: 3, 4: 1}, {}]
    for seen, answer in zip(evidence, infer_batch(graph, evidence, tolerance=1e-11), strict=True):
        single = infer(graph, seen, tolerance=1e-11)
        np.testing.assert_allclose(answer.beliefs, single.beliefs, rtol=0, atol=1e-8)
        assert answer.log_z == pytest.approx(single.log_z, abs=1e-8)


def test_two_threads_give_the_same_bits(steps, monkeypatch):
    monkeypatch.setattr(mpnet.threads, "LEAST", 1)
    graph, _ = society(steps)
    one, two = (infer(graph, threads=threads, max_iterations=30).estimate for threads in (1, 2))
    np.testing.assert_array_equal(one.beliefs, two.beliefs)
    assert one.log_z == two.log_z


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("space", ["linear", "log"])
def test_spaces_and_precisions_agree(steps, dtype, space):
    graph, tables = society(steps)
    found, expected = Messages(graph, space=space, dtype=dtype), Messages(tables)
    for messages in (found, expected):
        for _ in range(5):
            messages.send_from_factors(0.3)
            messages.refresh()
    assert found.linear == (space == "linear")
    # Five sweeps, each rounded a dozen times.
    atol = 1e-12 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(found.marginals(), expected.marginals(), rtol=0, atol=atol)


def test_analysis_reads_it(steps):
    graph, tables = society(steps)
    runs = [Messages(graph), Messages(tables)]
    for messages in runs:
        for _ in range(60):
            messages.send_from_factors(0.0)
            messages.refresh()
    found, expected = (free_energy(messages) for messages in runs)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    sizes = [np.sort(np.abs(np.linalg.eigvals(jacobian(m).toarray()))) for m in runs]
    np.testing.assert_allclose(sizes[0][-6:], sizes[1][-6:], rtol=0, atol=1e-6)
