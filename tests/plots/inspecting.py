"""What tests of figures look at: every text that is drawn, and where."""

import itertools

from mpnet.plots import style


def laid_out(figure):
    """The figure, with every text in its place."""
    assert figure is not None
    with style.context():
        figure.canvas.draw()
    return figure


def texts(figure):
    found = list(figure.texts)
    for axes in figure.axes:
        found += [*axes.texts, axes.title, axes._left_title]
        found += [label for axis in (axes.xaxis, axes.yaxis) for label in _tick_labels(axis)]
        found += [axes.xaxis.label, axes.yaxis.label]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def _tick_labels(axis):
    """Labels of ticks that are in view; matplotlib keeps others as well."""
    low, high = sorted(axis.get_view_interval())
    return [t.label1 for t in axis.get_major_ticks() if low <= t.get_loc() <= high] + [
        t.label2 for t in axis.get_major_ticks() if low <= t.get_loc() <= high
    ]


def words(figure):
    return [text.get_text() for text in texts(figure)]


def overlapping(one, other):
    """Whether two boxes share more than a pixel in both directions."""
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    return across > 1 and min(one.y1, other.y1) - max(one.y0, other.y0) > 1


def assert_readable(figure):
    """No text lies upon another or sticks out of the figure."""
    laid_out(figure)
    with style.context():
        found = [(text.get_text(), text.get_window_extent()) for text in texts(figure)]
    for name, box in found:
        assert box.x0 >= -1, name
        assert box.y0 >= -1, name
        assert box.x1 <= figure.bbox.x1 + 1, name
        assert box.y1 <= figure.bbox.y1 + 1, name
    for (name, one), (beside, other) in itertools.combinations(found, 2):
        assert not overlapping(one, other), (name, beside)
