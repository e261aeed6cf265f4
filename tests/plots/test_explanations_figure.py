"""Explanations in the graph of a society: dashed, in a colour of their own, and in the key."""

from dataclasses import replace

import builders
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

from mpnet import plots
from mpnet.plots import style
from mpnet.record import PredictionInfo


def lines_of(record):
    figure = plots.draw("society", record)
    with style.context():
        figure.canvas.draw()
    (lines,) = (c for c in figure.axes[0].collections if isinstance(c, LineCollection))
    words = [text.get_text() for axes in figure.axes for text in axes.texts]
    return lines, words


def test_explanations_are_dashed_and_explained():
    plain = builders.purple_jar()
    told = (*plain.predictions[:2], PredictionInfo("jar", "motion", "moving", 2.0, explains=True))
    lines, words = lines_of(replace(plain, predictions=told))
    colors = [to_hex(color[:3]).upper() for color in lines.get_colors()]
    assert [color == style.PINK.upper() for color in colors] == [False, False, True]
    assert [bool(dash) for _, dash in lines.get_linestyles()] == [False, False, True]
    assert "explains: may turn it on (noisy-OR)" in words


def test_the_key_is_as_it_was_where_nobody_explains():
    _, words = lines_of(builders.purple_jar())
    assert not any("explains" in word for word in words)
    assert "rule" in words
