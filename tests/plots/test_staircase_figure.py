"""The staircase of log Z: events with their effects, phases, and who is awake."""

from dataclasses import replace

import builders
import numpy as np
import pytest
import stories
from inspecting import assert_readable, laid_out, words

from mpnet.plots import staircase
from mpnet.plots.awake import awake_counts
from mpnet.record import PhaseInfo
from mpnet.trace import Event


def crowd(count=60, at=10):
    """Many events at once."""
    events = [
        Event(at, "evidence", f"node {i}", f"node {i}: yes", "now", (-1) ** i * (1.0 + i))
        for i in range(count)
    ]
    phases = [PhaseInfo("now", 0, 30, "converged", -3.0, 3, 9)]
    return stories.lively(30, events=events, phases=phases)


def phases_of(count):
    return stories.timeline(iterations=max(30, count), count=count)


def hostile():
    events = [
        Event(i, "evidence", name, name, name, 1.0 + i) for i, name in enumerate(stories.HOSTILE)
    ]
    phases = [
        PhaseInfo(name, 3 * i, 3 * i + 3, "converged", -4.0, 3, 9)
        for i, name in enumerate(stories.HOSTILE)
    ]
    return stories.lively(21, events=events, phases=phases, models=stories.HOSTILE[:3])


RECORDS = {
    "three": stories.timeline(),
    "one row": stories.timeline(iterations=1, count=1),
    "crowd": crowd(),
    "late crowd": crowd(at=30),
    "hundred phases": phases_of(100),
    "hostile": hostile(),
    "thinned": stories.lively(
        1000, every=7, phases=[PhaseInfo("all", 0, 1000, "max_iterations", None, 3, 9)]
    ),
}


@pytest.mark.parametrize("case", RECORDS)
def test_no_text_lies_upon_another(case):
    figure = staircase.draw(RECORDS[case])
    assert_readable(figure)
    assert not any("\x1b" in text for text in words(figure))


def test_each_event_has_its_effect_in_nats():
    said = words(staircase.draw(stories.timeline()))
    assert {"+1.00 cat wakes", "+2.00 dog wakes", "+3.00 teapot wakes"} <= set(said)
    assert {"phase 0", "phase 1", "phase 2"} <= set(said)


def test_of_many_the_largest_effects_are_labelled_and_the_others_counted():
    said = words(staircase.draw(crowd()))
    assert "−60.00 node 59: yes" in said
    assert "+1.00 node 0: yes" not in said
    labelled = sum("node" in text for text in said)
    assert f"without a label: {60 - labelled} of the smallest effects" in said


def test_the_line_is_log_z():
    record = stories.timeline()
    figure = laid_out(staircase.draw(record))
    line = figure.axes[1].get_lines()[0]
    np.testing.assert_array_equal(line.get_xdata(), record.trace.iterations)
    np.testing.assert_array_equal(line.get_ydata(), record.trace.log_z)
    assert line.get_drawstyle() == "steps-post"


def test_models_are_counted_from_the_row_after_they_wake():
    iterations, counts = awake_counts(stories.timeline())
    assert iterations[-1] == 30
    assert counts[[0, 1, 2, 11, 12, 21, 22, 30]].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_models_that_go_are_counted_no_more():
    record = stories.timeline()
    gone = Event(25, "retire", "cat", "cat goes: superfluous", "superfluous", -0.1)
    last = replace(record.phases[-1], awake=2)
    record = replace(record, events=(*record.events, gone), phases=(*record.phases[:-1], last))
    _, counts = awake_counts(record)
    assert counts[[25, 26, 30]].tolist() == [3, 2, 2]


def test_phases_count_where_the_events_do_not_tell():
    record = replace(stories.timeline(), events=())
    _, counts = awake_counts(record)
    assert counts[[0, 10, 20, 30]].tolist() == [1, 2, 3, 3]


def test_runs_without_a_timeline_have_nothing_to_show():
    assert staircase.draw(builders.purple_jar()) is None
