"""Texts of all figures on all made-up records: apart, inside the page, and readable."""

import itertools
from functools import cache

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mpnet import plots
from mpnet.plots import style
from mpnet.plots.contrast import READABLE, backgrounds, contrast, text_color, visible_texts
from tests.plots.looks import DRAWN, RECORDS


@cache
def drawn(name, case, theme="light"):
    return plots.draw(name, RECORDS[case], theme)


def texts(figure):
    with style.context():
        return visible_texts(figure)


def overlapping(found):
    """Pairs of texts whose boxes share more than a pixel in both directions."""
    return [
        (one.get_text(), other.get_text())
        for (one, a), (other, b) in itertools.combinations(found, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
    ]


def cut_off(figure, found):
    """Texts that reach over the edge of the page by more than half a pixel."""
    page = figure.bbox
    return [
        text.get_text()
        for text, box in found
        if min(box.x0, box.y0, page.x1 - box.x1, page.y1 - box.y1) < -0.5
    ]


@pytest.mark.parametrize(("name", "case"), DRAWN)
def test_texts_are_apart_and_inside_the_page(name, case):
    figure = drawn(name, case)
    found = texts(figure)
    assert len(found) > 3
    assert overlapping(found) == []
    assert cut_off(figure, found) == []


@pytest.mark.parametrize("theme", plots.THEMES)
@pytest.mark.parametrize(("name", "case"), DRAWN)
def test_texts_stand_out_from_what_is_behind_them(name, case, theme):
    with style.context():
        faint = [
            (text.get_text(), text_color(text), behind)
            for text, behind in backgrounds(drawn(name, case, theme))
            if contrast(text_color(text), behind) < READABLE - 0.05  # rounding of colours to bytes
        ]
    assert faint == []


def page(*words):
    figure = Figure(figsize=(2, 2), dpi=100)
    FigureCanvasAgg(figure)
    for x, y, text, color in words:
        figure.text(x, y, text, color=color)
    return figure


def test_the_checks_see_what_they_look_for():
    both = page((0.1, 0.1, "one", "black"), (0.15, 0.11, "other", "#CCCCCC"))
    assert overlapping(texts(both)) == [("one", "other")]
    assert cut_off(both, texts(both)) == []
    over = page((0.9, 0.5, "too far right", "black"))
    assert cut_off(over, texts(over)) == ["too far right"]
    ((_, _), (text, behind)) = backgrounds(page((0, 0.9, "a", "black"), (0, 0, "b", "#CCCCCC")))
    assert behind == (1, 1, 1)
    assert contrast(text_color(text), behind) == pytest.approx(1.6, abs=0.05)  # by WCAG's formula


def test_contrast_is_that_of_wcag():
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)
    # The grey that is known as the lightest with 4.5 on white.
    grey = (0x76 / 255,) * 3
    assert contrast(grey, (1, 1, 1)) == pytest.approx(4.54, abs=0.005)


def test_labels_of_ticks_beyond_the_limits_do_not_count():
    figure = Figure(figsize=(2, 2), dpi=100)
    axes = style.place(figure, 0.5, 0.5, 1, 1)
    axes.set_xticks([0, 1, 5], ["in", "edge", "out"])
    axes.set_xlim(0, 1)
    found = [text.get_text() for text, _ in texts(figure)]
    assert "in" in found
    assert "edge" in found
    assert "out" not in found
