"""Factors and nodes of steps, beside slow twins."""

from pathlib import Path

import numpy as np
import pytest
from mpnet_steps import Steps, StepsModel

from mpnet.builder import GraphBuilder
from mpnet.errors import GraphError, ScenarioError
from mpnet.inference import infer
from mpnet.testing import FactorContract, FactorExample, NodeContract

HERE = Path(__file__).parents[1]


def potential(one, two, up, down):
    """Product of the weights of all rungs that are passed, one at a time."""
    weight = 1.0
    while two > one:
        weight *= up[one]
        one += 1
    while two < one:
        weight *= down[one - 1]
        one -= 1
    return weight


def rungs(rng, states):
    """Weights, every fifth of them a hard zero."""
    found = rng.random(states - 1)
    return np.where(rng.random(states - 1) < 0.2, 0.0, found).tolist()


class TestSteps(FactorContract):
    arities = (2,)

    def draw(self, rng, arity):
        states = int(rng.integers(2, 6))
        up, down = rungs(rng, states), rungs(rng, states)
        return FactorExample(
            (states, states),
            lambda v: Steps(v[0], v[1], up, down),
            lambda one, two: potential(one, two, up, down),
        )


class TestSwitchedSteps(FactorContract):
    arities = (3,)

    def draw(self, rng, arity):
        states = int(rng.integers(2, 5))
        up, down = rungs(rng, states), rungs(rng, states)
        return FactorExample(
            (2, states, states),
            lambda v: Steps(v[1], v[2], up, down, switch=v[0]),
            lambda on, one, two: potential(one, two, up, down) if on else 1.0,
        )


class TestStepsModel(NodeContract):
    node = StepsModel
    keys = {"along": ["a", "b", "c"], "up": 0.7, "down": [0.1, 0.0]}
    around = {name: {"type": "feature", "states": ["low", "mid", "high"]} for name in "abc"}
    evidence = {"a": "low", "c": {"mid": 0.3, "high": 0.6, "low": 0.1}}
    states = ("inactive", "active")
    demo = HERE / "scenarios" / "river.yaml"


def row(count, states, up, down):
    """A chain of variables on one ladder, and their evidence, float64[count, states]."""
    builder, evidence = GraphBuilder(), np.random.default_rng(3).uniform(0.1, 1.0, (count, states))
    for place in range(count):
        builder.add_variable(f"v{place}", states)
        builder.add_factor([f"v{place}"], evidence[place])
        if place:
            builder.add(Steps(f"v{place - 1}", f"v{place}", up, down))
    return builder.build(), evidence


def test_a_long_row_equals_forward_and_backward_sums():
    graph, evidence = row(40, 30, 0.6, 0.3)
    step = np.array(
        [[potential(a, b, [0.6] * 29, [0.3] * 29) for b in range(30)] for a in range(30)]
    )
    forward, log_z = [evidence[0]], 0.0
    for seen in evidence[1:]:
        forward.append((forward[-1] @ step) * seen)
        total = forward[-1].sum()
        forward[-1] /= total
        log_z += np.log(total)
    back = [np.ones(30)]
    for seen in evidence[:0:-1]:
        said = step @ (back[-1] * seen)
        back.append(said / said.sum())
    beliefs = np.array(forward) * np.array(back[::-1])
    beliefs /= beliefs.sum(axis=1, keepdims=True)
    found = infer(graph, tolerance=1e-12)
    # Forty factors, each rounded a few times.
    np.testing.assert_allclose(found.estimate.beliefs.reshape(40, 30), beliefs, rtol=0, atol=1e-12)
    # The first message was not scaled.
    assert found.log_z == pytest.approx(log_z, rel=1e-12)


def test_order_alone_counts_ascending_rows():
    # C(count + states - 1, count) rows of 5 never descend in 8 variables: C(12, 8) = 495.
    builder = GraphBuilder()
    for place in range(8):
        builder.add_variable(f"v{place}", 5)
        if place:
            builder.add(Steps(f"v{place - 1}", f"v{place}", up=1.0, down=0.0))
    assert np.exp(infer(builder.build()).log_z) == pytest.approx(495.0, rel=1e-12)


@pytest.mark.parametrize("schedule", ["flooding", "sequential", "residual", "asynchronous"])
def test_every_schedule_finds_the_same(schedule):
    graph, _ = row(6, 4, [0.9, 0.2, 0.5], [0.4, 0.0, 0.3])
    expected = infer(graph, estimator="exact")
    found = infer(graph, schedule=schedule, tolerance=1e-12)
    np.testing.assert_allclose(
        found.estimate.beliefs, expected.estimate.beliefs, rtol=0, atol=1e-10
    )


def test_tiny_weights_go_over_to_logs_and_stay_right():
    # (1e-9)^(2 * 39) = 1e-702 is no number of its own.
    states, small = 40, 1e-9
    builder = GraphBuilder()
    for name in "abc":
        builder.add_variable(name, states)
    builder.add(Steps("a", "b", small, small))
    builder.add(Steps("b", "c", small, small))
    builder.add_factor(["a"], np.eye(states)[0])
    builder.add_factor(["c"], np.eye(states)[-1])
    found = infer(builder.build(), tolerance=1e-12)
    # Whichever b is, 39 rungs are passed: 40 ways.
    assert found.log_z == pytest.approx(39 * np.log(small) + np.log(40), rel=1e-12)
    np.testing.assert_allclose(found.estimate.beliefs[states : 2 * states], 1 / 40, rtol=1e-10)


@pytest.mark.parametrize(
    ("steps", "cards", "told"),
    [
        (Steps("a", "b"), (3, 2), "equally many states, two or more; got 3 and 2"),
        (Steps("a", "b"), (1, 1), "two or more; got 1 and 1"),
        (Steps("a", "b", switch="c"), (3, 3, 3), "the switch has 3 states; it must have 2"),
        (Steps("a", "b", up=[0.5]), (3, 3), r"up have shape \(1,\); it must be \(2,\)"),
        (Steps("a", "b", down=1.5), (3, 3), r"down\[0\] is 1.5; it must be in \[0, 1\]"),
    ],
)
def test_what_makes_no_sense_is_refused(steps, cards, told):
    builder = GraphBuilder()
    for name, count in zip("abc", cards, strict=False):
        builder.add_variable(name, count)
    with pytest.raises(GraphError, match=told):
        builder.add(steps)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("along: [a]", "along"),
        ("along: [a, a]", "'a' is there twice"),
        ("along: [a, c]", "'c' has 2 states, 'a' has 3"),
        ("along: [a, b], up: [0.5]", "1 weights for 2 steps"),
        ("along: [a, b], up: 1.5", r"must be a weight in \[0, 1\], got 1.5"),
        ("along: [a, b], up: 0, down: 0", None),
    ],
)
def test_faults_of_a_scenario_are_told_where_they_are(keys, told, tmp_path):
    import mpnet

    file = tmp_path / "s.yaml"
    file.write_text(
        "mpnet: 1\nname: s\nnodes:\n"
        "  a: {type: feature, states: [x, y, z]}\n  b: {type: feature, states: [x, y, z]}\n"
        f"  c: {{type: feature}}\n  it: {{type: steps, {keys}}}\n"
    )
    if told is None:
        assert mpnet.run(file, plugins=[StepsModel]).status == "converged"
        return
    with pytest.raises(ScenarioError, match=told):
        mpnet.run(file, plugins=[StepsModel])
