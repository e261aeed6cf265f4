"""The figure ``bifurcation`` on plausible and on awkward findings."""

from dataclasses import replace

import builders
import numpy as np
import pytest

from mpnet import plots
from mpnet.plots import style
from mpnet.plots.bifurcation import _branches
from mpnet.record import Findings

VALUES = np.array([0.01, 0.02, 0.04, 0.08])
BELIEFS = np.array([[0.9, 0.5, 0.1], [0.8, 0.5, 0.2], [0.5, np.nan, np.nan], [0.5, np.nan, np.nan]])
STABLE = np.array([[1, 0, 1], [1, 0, 1], [1, np.nan, np.nan], [1, np.nan, np.nan]])


def findings(loop=True, threshold=0.03, name="n = 3"):
    curves = {f"value {name}": VALUES, f"belief {name}": BELIEFS, f"stable {name}": STABLE}
    numbers = {f"threshold {name}": threshold}
    if loop:
        evidence = np.linspace(-1, 1, 5)
        curves |= {
            "evidence": evidence,
            "belief up": np.array([0.0, 0.1, 0.2, 0.9, 1.0]),
            "belief down": np.array([0.0, 0.8, 0.9, 1.0, 1.0]),
            "exact": 0.5 + 0.4 * evidence,
        }
        numbers |= {"jump up": 0.25, "jump down": -0.75, "hysteresis": 1.0}
    labels = {"variants": (name,), "watch": ("duck", "active"), "spacing": ("log",)}
    labels["vary"] = ("", "nodes.duck.predicts.*.*", "nodes.rabbit.predicts.*.*")
    return Findings("bifurcation", numbers, curves, labels)


def drawn(found):
    figure = plots.draw("bifurcation", replace(builders.purple_jar(), findings=found))
    with style.context():
        figure.canvas.draw()
    return figure


def test_branches_are_lines_from_end_to_end():
    lines = _branches(VALUES, BELIEFS, STABLE)
    assert [solid for _, solid in lines] == [True, False, True]
    # All three meet where one is left; one of the stable ones goes on as that one.
    assert lines[0][0] == [(0.01, 0.9), (0.02, 0.8), (0.04, 0.5)]
    assert lines[1][0] == [(0.01, 0.5), (0.02, 0.5), (0.04, 0.5)]
    assert lines[2][0] == [(0.01, 0.1), (0.02, 0.2), (0.04, 0.5), (0.08, 0.5)]


def test_both_panels_say_what_was_found():
    figure = drawn(findings())
    shown = [t.get_text() for axes in figure.axes for t in axes.texts]
    assert {"n = 3: 0.0300", "+0.25", "−0.75"} <= set(shown)
    assert len(drawn(findings(loop=False)).axes) == 1


@pytest.mark.parametrize("name", ["$\\frac{1}{", "a" * 300])
def test_no_threshold_and_odd_names(name, tmp_path):
    found = findings(threshold=np.nan, name=name)
    record = replace(builders.purple_jar(), findings=found)
    figure = plots.draw("bifurcation", record)
    assert plots.save(figure, tmp_path / "b", record)
    assert any("none" in t.get_text() for t in figure.axes[0].texts)


def test_it_is_drawn_for_that_experiment_only():
    record = replace(builders.purple_jar(), findings=findings())
    assert plots.default_figures(record)[-1] == "bifurcation"
    assert plots.draw("bifurcation", replace(record, findings=Findings("losses", {}))) is None
