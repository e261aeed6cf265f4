"""The figure of recognition: drawn from findings alone, labelled, nothing overlapping."""

import itertools

import builders
import numpy as np
import pytest

from mpnet import plots
from mpnet.plots import style
from mpnet.record import Findings

WHO = ("society", "naive Bayes", "nearest neighbour")


def record(wrong):
    accuracy = np.linspace(0.4, 0.97, 3 * wrong * 4).reshape(3, wrong, 4)
    curves = {
        "seen": np.array([0.02, 0.1, 0.2, 0.5]),
        "wrong": np.linspace(0.0, 0.3, wrong),
        "accuracy": accuracy,
        "loss": accuracy[:2],
        "cases": np.array([40.0]),
    }
    return builders.one_node(findings=Findings("recognition", {}, curves, {"who": WHO}))


@pytest.mark.parametrize("wrong", [1, 2, 3])
def test_one_panel_per_share_of_wrong_features(wrong, tmp_path):
    found = record(wrong)
    assert "recognition" in plots.default_figures(found)
    figure = plots.draw("recognition", found)
    assert len(figure.axes) == wrong
    assert len(plots.save(figure, tmp_path / "r", found)) == 2
    with style.context():
        figure.canvas.draw()
        labels = [t for axes in figure.axes for t in axes.texts if t.get_gid() == "end-label"]
        boxes = [label.get_window_extent() for label in labels]
    assert len(labels) == 3 * wrong
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    assert all(box.x1 <= figure.bbox.x1 for box in boxes)


def test_without_findings_there_is_no_figure():
    assert plots.draw("recognition", builders.one_node()) is None
