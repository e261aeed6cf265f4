"""The figure of generalisation: drawn from findings alone."""

import builders
import numpy as np
import pytest

from mpnet import plots
from mpnet.record import Findings

LABELS = {
    "who": ("separate models", "one model per combination", "ceiling"),
    "which": ("seen", "unseen"),
}


@pytest.mark.parametrize("height", [0.0, 0.6, 1.0])
def test_four_bars(height, tmp_path):
    curves = {
        "accuracy": np.full((3, 2), height),
        "error": np.full((3, 2), 0.02),
        "chance": np.array([0.02]),
        "combinations": np.array([48.0, 16.0]),
    }
    record = builders.one_node(findings=Findings("generalisation", {}, curves, LABELS))
    assert "generalisation" in plots.default_figures(record)
    figure = plots.draw("generalisation", record)
    assert len(figure.axes[0].patches) == 4
    assert len(plots.save(figure, tmp_path / "g", record)) == 2


def test_without_findings_there_is_no_figure():
    assert plots.draw("generalisation", builders.one_node()) is None
