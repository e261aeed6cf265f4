"""The figure of mirrors: drawn from findings alone, with and without an image of its own."""

import builders
import numpy as np
import pytest

from mpnet import plots
from mpnet.record import Findings

LABELS = {"relation": ("left_of",), "places": ("cross", "a square with a very long name")}


def record(**curves):
    odds = np.random.default_rng(0).normal([[[2.0]], [[-4.0]]], 1.0, (2, 30, 1))
    found = Findings("mirrors", {}, {"odds": odds} | curves, LABELS)
    return builders.one_node(findings=found)


def test_without_an_image_the_log_odds_are_drawn(tmp_path):
    found = record()
    assert "mirrors" in plots.default_figures(found)
    figure = plots.draw("mirrors", found)
    assert len(figure.axes) == 1
    assert len(plots.save(figure, tmp_path / "m", found)) == 2


@pytest.mark.parametrize("size", [(6, 9), (1, 12), (30, 3)])
def test_an_image_with_its_places(size, tmp_path):
    image = np.zeros(size)
    image[0, 0] = np.nan
    message = np.zeros(size)
    message[:, 0] = -np.inf
    curves = {"image": image, "message": message, "dilated": message}
    for name in ("first", "second"):
        curves[f"{name} fit"] = np.arange(float(image.size)).reshape(size)
        curves[f"{name} size"] = np.array([1.0, 1.0])
    found = record(**curves)
    figure = plots.draw("mirrors", found)
    assert len(plots.save(figure, tmp_path / "m", found)) == 2
    assert len(figure.axes) >= 4


def test_infinite_log_odds_are_drawn_at_the_edge(tmp_path):
    odds = np.array([[[np.inf], [1.0]], [[-np.inf], [-2.0]]])
    found = record(odds=odds)
    assert len(plots.save(plots.draw("mirrors", found), tmp_path / "m", found)) == 2


def test_without_findings_there_is_no_figure():
    assert plots.draw("mirrors", builders.one_node()) is None
