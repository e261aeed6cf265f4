"""The figure ``laws`` on plausible and on awkward findings."""

from dataclasses import replace

import builders
import numpy as np

from mpnet import plots
from mpnet.plots import style
from mpnet.record import Findings


def drawn(laws=2, contexts=2, rivals=3, belief=0.25):
    labels = {"laws": ("at_most_one", "independent")[:laws]}
    labels |= {"contexts": tuple(f"context number {i}" for i in range(contexts))}
    labels |= {"rivals": tuple(f"rival_{i}" for i in range(rivals))}
    beliefs = np.full((laws, contexts, rivals), belief)
    found = Findings("laws", {}, {"beliefs": beliefs, "exact": beliefs}, labels)
    figure = plots.draw("laws", replace(builders.purple_jar(), findings=found))
    assert figure is not None
    with style.context():
        figure.canvas.draw()
    return figure


def test_nothing_to_show_is_none():
    assert plots.draw("laws", builders.purple_jar()) is None


def test_every_belief_has_a_bar_and_its_number():
    figure = drawn()
    assert len(figure.axes) == 2
    for axes in figure.axes:
        numbers = [t.get_text() for t in axes.texts if t.get_gid() == "laws-number"]
        assert numbers == ["0.25"] * 6
        assert sorted({bar.get_width() for bar in axes.patches}) == [0.25, 1.0]
    headings = [t.get_text() for t in figure.axes[0].texts if t.get_gid() == "laws-heading"]
    assert headings == ["at_most_one", "independent"]


def test_what_did_not_converge_and_what_is_left_out_are_told():
    figure = drawn(contexts=6, belief=np.nan)
    assert len(figure.axes) == 4
    assert "2 more contexts not shown" in [t.get_text() for t in figure.texts]
    assert figure.axes[0].texts[-1].get_text() == "none"


def test_labels_do_not_overlap():
    figure = drawn(contexts=4)
    with style.context():
        boxes = [t.get_window_extent() for axes in figure.axes for t in axes.texts]
        boxes += [t.get_window_extent() for t in figure.axes[0].get_yticklabels()]
        boxes += [axes._left_title.get_window_extent() for axes in figure.axes]
    for number, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[number + 1 :])
