"""The figure ``surprise`` on plausible and on awkward findings."""

from dataclasses import replace

import builders
import numpy as np
import pytest

from mpnet import plots
from mpnet.record import Findings


def findings(**changes):
    draw = np.random.default_rng(0)
    curves = {
        "explained": draw.normal(size=40),
        "unexplained": draw.normal(-5, 1, size=40),
        "random": draw.normal(-20, 5, size=40),
        "mended": draw.normal(size=38),
        "false alarms": np.array([0.0, 0.0, 1.0]),
        "hits": np.array([0.0, 0.9, 1.0]),
        "threshold": np.array([-2.0]),
    }
    numbers = {"auroc": 0.99, "false alarms": 0.02, "flagged": 0.97, "scenes": 120.0}
    numbers |= {"searches": 80.0, "needless searches": 1.0, "mended": 0.95, "mended random": 0.0}
    return Findings("surprise", numbers, {**curves, **changes})


def drawn(found):
    return plots.draw("surprise", replace(builders.purple_jar(), findings=found))


def test_kinds_threshold_and_roc_are_shown():
    figure = drawn(findings())
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert "40 scenes explained by who is awake" in titles
    assert "AUROC 0.990" in titles
    shown = [t.get_text() for axes in figure.axes for t in axes.texts]
    assert {"search below −2", "95%", "80"} <= set(shown)
    assert any("further left" in text for text in shown)


@pytest.mark.parametrize("kind", ["mended", "random"])
def test_empty_kinds_and_infinite_scores(kind, tmp_path):
    record = replace(builders.purple_jar(), findings=findings(**{kind: np.empty(0)}))
    assert plots.save(plots.draw("surprise", record), tmp_path / "s", record)
    odd = replace(record, findings=findings(**{kind: np.array([-np.inf, 1.0])}))
    assert plots.save(plots.draw("surprise", odd), tmp_path / "t", odd)


def test_it_is_drawn_for_that_experiment_only():
    assert drawn(Findings("losses", {})) is None
