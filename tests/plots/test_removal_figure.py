"""The figure ``removal`` on plausible and on awkward findings."""

from dataclasses import replace

import builders
import numpy as np

from mpnet import plots
from mpnet.plots import style
from mpnet.record import Findings


def findings(models=("dog", "puppy"), cost=(0.72, 9.0), flat=(-0.2, np.nan)):
    count = len(models)
    curves = {"cost": np.resize(cost, count), "cost as predictions": np.full(count, 9.0)}
    curves |= {"cost alone": np.full(count, 9.0), "cost alone as predictions": np.full(count, 9.0)}
    curves |= {"flat": np.resize(flat, count)}
    labels = {"models": tuple(models), "ways": ("flat",)}
    return Findings("removal", {}, curves, labels)


def drawn(found):
    figure = plots.draw("removal", replace(builders.purple_jar(), findings=found))
    assert figure is not None
    with style.context():
        figure.canvas.draw()
    return figure


def words(figure):
    (axes,) = figure.axes
    return [text.get_text() for text in (*axes.texts, *axes.get_legend().get_texts())]


def test_nothing_to_show_is_none():
    assert plots.draw("removal", builders.purple_jar()) is None


def test_bars_are_as_long_as_the_costs_and_say_so():
    figure = drawn(findings())
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert 0.72 in widths
    assert widths.count(9.0) == 7
    assert words(figure)[:4] == ["0.72", "9.00", "9.00", "9.00"]
    assert words(figure)[4:] == [
        "explains: noisy-OR",
        "if it were alone",
        "predicts: product",
        "by flat",
    ]


def test_infinite_costs_are_written_and_many_models_left_out():
    figure = drawn(findings(tuple(f"m{i}" for i in range(20)), cost=(np.inf, 1.0)))
    assert "∞" in words(figure)
    assert "the first 16 of 20 models" in words(figure)


def test_numbers_do_not_overlap():
    figure = drawn(findings(("a", "b", "c"), cost=(0.0, 5.0, 9.0)))
    with style.context():
        boxes = [
            t.get_window_extent() for t in figure.axes[0].texts if t.get_gid() == "removal-number"
        ]
    for number, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[number + 1 :])
