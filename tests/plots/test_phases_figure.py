"""Phases along a stream, of any record that has some."""

from dataclasses import replace

import builders
import numpy as np
import pytest
import stories
from inspecting import assert_readable, laid_out, words

from mpnet.errors import UsageError
from mpnet.plots import phases
from mpnet.plots.steps import walks


def hostile():
    name, evidence = stories.HOSTILE[6], stories.HOSTILE[2]
    return stories.stream(name=name, evidence=evidence, phases=4)


RECORDS = {
    "two": stories.stream(),
    "short": stories.stream(steps=2, sequences=1, phases=2),
    "long": stories.stream(steps=150),
    "many": stories.stream(sequences=30, phases=5),
    "hostile": hostile(),
    "long names": stories.stream(name="n" * 300, evidence="e" * 300),
}


@pytest.mark.parametrize("case", RECORDS)
def test_no_text_lies_upon_another(case):
    figure = phases.draw(RECORDS[case])
    assert_readable(figure)
    assert not any("\x1b" in text for text in words(figure))


def test_cells_are_the_beliefs_of_phases_by_step():
    record = stories.stream(steps=5, sequences=1, phases=3)
    (mesh,) = laid_out(phases.draw(record)).axes[0].collections
    cells = np.asarray(mesh.get_array()).reshape(3, 5)
    for row, state in enumerate(("off", "phase 1", "phase 2")):
        expected = [record.beliefs[f"leap@{step}"][state] for step in range(1, 6)]
        np.testing.assert_allclose(cells[row], expected)


def test_the_leading_phase_is_marked_at_every_step():
    figure = laid_out(phases.draw(stories.stream(steps=5, sequences=1, phases=3)))
    line = figure.axes[0].get_lines()[0]
    assert line.get_xdata().tolist() == [1, 2, 3, 4, 5]
    assert line.get_ydata().tolist() == [1, 2, 0, 1, 2]


def test_steps_are_in_the_order_of_time_not_of_text():
    (walk,) = walks(stories.stream(steps=12, sequences=1))
    assert walk.steps == tuple(range(1, 13))


def test_what_does_not_fit_is_said_and_those_in_question_come_first():
    record = stories.stream(sequences=30, phases=5)
    assert "9 of 30 sequences" in words(phases.draw(record))


def test_one_sequence_can_be_named():
    record = stories.stream()
    for name in ("leap1", "leap1@3"):
        said = words(laid_out(phases.draw(record, node=name)))
        assert any(text.startswith("leap1 ·") for text in said)
        assert not any(text.startswith("leap ·") for text in said)
    with pytest.raises(UsageError, match="did you mean 'leap1'"):
        phases.draw(record, node="leep1")
    with pytest.raises(UsageError, match="node 'pose@1': it has no phases"):
        phases.draw(record, node="pose@1")


def test_the_distance_from_exact_is_said():
    record = stories.stream(sequences=1)
    shifted = {
        name: {s: p - 0.02 if i else p + 0.04 for i, (s, p) in enumerate(states.items())}
        for name, states in record.beliefs.items()
    }
    said = words(phases.draw(replace(record, exact=shifted)))
    assert "furthest from exact by 0.04" in said


def test_features_alone_are_no_phases():
    assert phases.draw(stories.stream(sequences=0)) is None
    assert phases.draw(builders.purple_jar()) is None
