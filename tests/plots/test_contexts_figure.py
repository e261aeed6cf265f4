"""The figure ``contexts`` on plausible and on awkward findings."""

from dataclasses import replace

import builders
import numpy as np

from mpnet import plots
from mpnet.plots import style
from mpnet.record import Findings


def findings(beliefs=((0.6, 0.03), (0.999, 1.0)), shares=(-2.2, 3.5, 0.0), split=True):
    labels = {"contexts": ("bird", "penguin"), "watch": ("flies=yes", "bird"), "split": ()}
    curves = {"beliefs": np.array(beliefs), "exact": np.array(beliefs)}
    if split:
        case = "bird in penguin"
        labels |= {"split": (case,), f"shares {case}": ("prior", "wings", "x" * 60)}
        curves[f"shares {case}"] = np.array(shares)
    return Findings("contexts", {}, curves, labels)


def drawn(found):
    figure = plots.draw("contexts", replace(builders.purple_jar(), findings=found))
    assert figure is not None
    with style.context():
        figure.canvas.draw()
    return figure


def numbers(axes):
    return [text.get_text() for text in axes.texts if text.get_gid() == "contexts-number"]


def test_nothing_to_show_is_none():
    assert plots.draw("contexts", builders.purple_jar()) is None


def test_beliefs_and_shares_are_written():
    left, right = drawn(findings()).axes
    assert numbers(left) == ["0.60", ">0.99", "0.03", "1.00"]
    assert numbers(right) == ["−2.20", "+3.50", "0", "+1.30"]


def test_a_waterfall_starts_where_the_bar_before_ended():
    _, right = drawn(findings()).axes
    spans = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in right.patches]
    np.testing.assert_allclose(spans, [(0, -2.2), (-2.2, 1.3), (1.3, 1.3), (0, 1.3)], atol=1e-12)


def test_beliefs_alone_need_no_second_panel():
    assert len(drawn(findings(split=False)).axes) == 1


def test_awkward_numbers_are_told():
    left, right = drawn(findings(((np.nan, 0.5), (0.5, 0.5)), (-np.inf, 1.0, 0.0))).axes
    assert "not converged" in numbers(left)
    assert "−∞" in numbers(right)


def test_labels_do_not_overlap():
    figure = drawn(findings())
    with style.context():
        boxes = [t.get_window_extent() for axes in figure.axes for t in axes.texts]
        boxes += [t.get_window_extent() for axes in figure.axes for t in axes.get_yticklabels()]
    for number, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[number + 1 :])
