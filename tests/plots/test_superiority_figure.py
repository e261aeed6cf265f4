"""The figure of letters in context: drawn from findings alone, labelled, nothing overlapping."""

import itertools

import builders
import numpy as np
import pytest

from mpnet import plots
from mpnet.plots import style
from mpnet.record import Findings


def record(shares, iterations):
    rng = np.random.default_rng(0)
    course = np.linspace([0.1, 0.1, 0.0], [0.97, 0.02, 0.01], iterations)
    curves = {
        "seen": np.linspace(0.2, 0.8, shares),
        "choice": rng.uniform(0.5, 1.0, (shares, 20, 3)),
        "watched in word": course,
        "watched alone": 0.5 * course,
    }
    labels = {"contexts": ("word", "alone", "no word"), "letters": ("k", "r", "h")}
    return builders.one_node(findings=Findings("superiority", {}, curves, labels))


@pytest.mark.parametrize(("shares", "iterations"), [(1, 2), (3, 5), (6, 40)])
def test_bars_and_course(shares, iterations, tmp_path):
    found = record(shares, iterations)
    assert "superiority" in plots.default_figures(found)
    figure = plots.draw("superiority", found)
    assert len(figure.axes[0].patches) == 3 * shares
    assert len(plots.save(figure, tmp_path / "s", found)) == 2
    with style.context():
        figure.canvas.draw()
        labels = [t for t in figure.axes[1].texts if t.get_gid() == "end-label"]
        boxes = [label.get_window_extent() for label in labels]
    assert len(labels) == 4
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    assert all(box.x1 <= figure.bbox.x1 for box in boxes)


def test_without_findings_there_is_no_figure():
    assert plots.draw("superiority", builders.one_node()) is None
