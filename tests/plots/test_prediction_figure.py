"""The figure of a stream, on plausible and on awkward findings."""

from dataclasses import replace

import builders
import numpy as np
import pytest

from mpnet import plots
from mpnet.plots import style
from mpnet.record import Findings


def findings(trials=2, sequences=2, phases=4, steps=9, ruled_out=False, exact=True):
    draw = np.random.default_rng(trials)
    rows = [(f"sequence {n}", f"phase {k}") for n in range(sequences) for k in range(phases)]
    curves, labels = {}, {}
    for number in range(trials):
        for kind in ("filtered", "smoothed"):
            curves[f"{kind} {number}"] = draw.dirichlet(np.ones(len(rows)), size=steps).T
        curves[f"loss {number}"] = draw.uniform(0.1, 3.0, steps)
        curves[f"base loss {number}"] = np.full(steps, 1.8)
        if exact:
            curves[f"exact loss {number}"] = curves[f"loss {number}"].copy()
        labels[f"inputs {number}"] = tuple(f"state {t % 3}, other" for t in range(steps))
    if ruled_out:
        curves["loss 0"][4:] = np.inf, *[np.nan] * (steps - 5)
        curves["smoothed 0"][:] = np.nan
    labels |= {
        "trials": tuple(f"trial {n}" for n in range(trials)),
        "rows": tuple(" ".join(row) for row in rows),
        "owners": tuple(name for name, _ in rows),
    }
    return Findings("prediction", {}, curves, labels)


RECORDS = {
    "two": findings(),
    "one": findings(trials=1, sequences=1, phases=1, steps=1),
    "six": findings(trials=6),
    "long": findings(trials=3, steps=120),
    "tall": findings(sequences=6, phases=8),
    "ruled out": findings(ruled_out=True),
    "without exact": findings(exact=False),
}


def drawn(found):
    figure = plots.draw("prediction", replace(builders.purple_jar(), findings=found))
    assert figure is not None
    with style.context():
        figure.canvas.draw()
    return figure


@pytest.mark.parametrize("name", RECORDS)
def test_it_draws_one_column_per_trial_and_nothing_sticks_out(name):
    figure = drawn(RECORDS[name])
    shown = min(4, len(RECORDS[name].labels["trials"]))
    assert len(figure.axes) == 3 * shown + 1
    with style.context():
        boxes = [t.get_window_extent() for axes in figure.axes for t in axes.texts]
        boxes += [
            tick.get_window_extent()
            for axes in figure.axes
            for tick in (*axes.get_xticklabels(), *axes.get_yticklabels())
            if tick.get_text()
        ]
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width for box in boxes)
    assert all(box.y0 >= 0 and box.y1 <= figure.bbox.height for box in boxes)


def test_headings_of_trials_do_not_meet():
    figure = drawn(findings(trials=4))
    with style.context():
        boxes = [
            text.get_window_extent()
            for axes in figure.axes
            for text in axes.texts
            if text.get_gid() == "heading"
        ]
    assert len(boxes) == 8
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            across = min(one.x1, other.x1) - max(one.x0, other.x0)
            assert across <= 1 or min(one.y1, other.y1) - max(one.y0, other.y0) <= 1


def test_trials_that_are_left_out_are_counted():
    texts = [text.get_text() for text in drawn(findings(trials=6)).texts]
    assert "2 more trials are not shown" in texts


def test_other_records_have_nothing_to_show():
    assert plots.draw("prediction", builders.purple_jar()) is None
    other = replace(builders.purple_jar(), findings=Findings("losses", {}))
    assert plots.draw("prediction", other) is None
