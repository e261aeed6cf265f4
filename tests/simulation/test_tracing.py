"""What a run keeps of its iterations: fewer rows, fewer nodes, less precision, the same answer."""

import numpy as np
import pytest

import mpnet
from mpnet.errors import ScenarioError
from mpnet.simulation.running import Progress, run_scenario
from mpnet.simulation.watching import Watcher

PARAGRAPH = "brain_paragraph"


def traced(scenario, **tracing):
    return mpnet.run(scenario, trace=tracing)


@pytest.mark.parametrize("scenario", ["purple_jar", PARAGRAPH])
def test_a_thinned_trace_holds_rows_of_the_full_one(scenario):
    full, thin = mpnet.run(scenario), traced(scenario, every=7)
    assert thin.trace.last == full.trace.last
    assert len(thin.trace.iterations) < len(full.trace.iterations) / 2
    rows = thin.trace.iterations
    np.testing.assert_array_equal(full.trace.iterations, np.arange(full.trace.last + 1))
    np.testing.assert_array_equal(thin.trace.beliefs, full.trace.beliefs[rows])
    np.testing.assert_array_equal(thin.trace.residual, full.trace.residual[rows])
    np.testing.assert_array_equal(thin.trace.log_z, full.trace.log_z[rows])
    assert set(range(0, full.trace.last, 7)) | {full.trace.last} <= set(rows.tolist())


def test_rows_that_events_come_after_stay():
    thin = traced(PARAGRAPH, every=1000)
    assert {event.iteration for event in thin.events} <= set(thin.trace.iterations.tolist())
    assert {phase.last for phase in thin.phases} <= set(thin.trace.iterations.tolist())
    assert [e.text for e in thin.events] == [e.text for e in mpnet.run(PARAGRAPH).events]


@pytest.mark.parametrize("scenario", ["purple_jar", PARAGRAPH])
def test_expectations_hold_whatever_is_kept(scenario):
    thin = traced(scenario, every=1000, nodes="asked", precision="float32", budget="1kB")
    assert all(claim.met for claim in thin.expectations)
    assert thin.trace.beliefs.dtype == np.float32


def test_a_budget_thins_by_itself():
    full = mpnet.run("frustrated_loop", damping=0.0)
    thin = mpnet.run("frustrated_loop", damping=0.0, trace={"budget": "500B"})
    assert thin.trace.beliefs.nbytes <= 500 + 2 * thin.trace.beliefs[0].nbytes
    assert thin.trace.every > 1
    assert thin.trace.last == full.trace.last
    assert thin.beliefs == full.beliefs


def test_chosen_nodes_are_followed_and_those_in_question():
    chosen = traced("purple_jar", nodes=["colour"])
    asked = traced("purple_jar", nodes="asked")
    assert set(asked.trace.nodes) == {n.name for n in asked.nodes if n.in_question}
    assert set(chosen.trace.nodes) == {*asked.trace.nodes, "colour"}
    full = mpnet.run("purple_jar").trace
    np.testing.assert_array_equal(
        chosen.trace.belief("colour", "purple"), full.belief("colour", "purple")
    )


def test_a_step_of_a_stream_counts_as_its_node():
    nodes = mpnet.load("multi_step").society.as_written().domains
    name = next(n for n, states in nodes.items() if len(states) > 2)
    followed = traced("multi_step", nodes=[name]).trace.nodes
    assert len([n for n in followed if n.rpartition("@")[0] == name]) > 1


@pytest.mark.parametrize(
    ("tracing", "match"),
    [
        ({"nodes": ["colr"]}, "there is no node 'colr'; did you mean 'colour'"),
        ({"every": 0}, "greater than or equal to 1|at least 1"),
        ({"budget": "lots"}, "write a size such as"),
        ({"budget": "0kB"}, "a size above 0"),
        ({"precision": "float16"}, "float64"),
    ],
)
def test_faults_are_named(tracing, match):
    with pytest.raises(ScenarioError, match=match):
        mpnet.load("purple_jar", trace=tracing)


def test_a_watcher_sees_every_iteration_and_event_as_they_happen():
    seen, told = [], []

    def glimpse(one):
        belief = one.belief("purple_jar")
        seen.append((one.iteration, float(belief[1]), one.residual))
        assert one.belief("nobody") is None

    watcher = Watcher(glimpse, told.append)
    record = run_scenario(mpnet.load("purple_jar"), Progress(watcher=watcher))
    assert [row[0] for row in seen] == record.trace.iterations.tolist()
    np.testing.assert_array_equal(
        [row[1] for row in seen], record.trace.belief("purple_jar", "active")
    )
    assert [event.kind for event in told] == ["clamp"]


def test_a_watcher_of_a_timeline_sees_who_takes_part():
    seen, told = [], []
    watcher = Watcher(lambda one: seen.append(dict(one.places)), told.append)
    record = run_scenario(mpnet.load(PARAGRAPH), Progress(watcher=watcher))
    assert len(seen) == record.trace.last + 1
    assert len(seen[0]) < len(seen[-1])
    assert [event.text for event in told if event.kind == "awaken"] == [
        event.text for event in record.events if event.kind == "awaken"
    ]


def test_the_size_of_a_large_trace_is_said_before_the_run():
    said = []
    many = mpnet.load("purple_jar", max_iterations=10**6)
    run_scenario(many, Progress(plan=said.append))
    assert said[0].startswith("trace of 10 nodes: 176 MB if all 1,000,000 iterations")
