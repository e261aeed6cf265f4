"""The figure ``ablation`` on plausible and on awkward findings."""

import itertools
from dataclasses import replace

import builders
import numpy as np
import pytest

from mpnet import plots
from mpnet.plots import style
from mpnet.record import Findings

WATCHED = np.array([[[0.9], [0.92], [0.95]], [[0.5], [0.55], [0.6]], [[0.1], [0.1], [np.nan]]])


def findings(layers=True, names=("up", "down"), watched=WATCHED):
    labels = {
        "classes": names,
        "estimators": ("exact", "clamped", "flat"),
        "watch": ("colour purple",),
        "watched nodes": ("colour",),
        "recognise": ("purple_jar",),
        "layers": ("features", "models") if layers else (),
        "layer features": ("colour", "shape", "motion", "size"),
        "layer models": (*builders.MODELS[:4], "purple_jar"),
        f"sources {names[0]}": ("purple", "jar"),
        f"targets {names[0]}": ("colour", "shape"),
        f"sources {names[1]}": ("purple_jar",),
        f"targets {names[1]}": ("purple",),
    }
    curves = {"watched": watched, "recognised": watched[:, :, 0], "base": np.array([0.1])}
    curves |= {"evidence": np.array([-4.0, -6.0, -3.5]), "unseen": np.array([0.2])}
    return Findings("ablation", {}, curves, labels)


def drawn(found):
    figure = plots.draw("ablation", replace(builders.purple_jar(), findings=found))
    with style.context():
        figure.canvas.draw()
    return figure


def test_bars_say_what_is_left_and_what_is_lost():
    figure = drawn(findings())
    shown = [t.get_text() for axes in figure.axes for t in axes.texts]
    assert {"0.90", "0.50", "no answer", "−2.00", "+0.50", "base rate"} <= set(shown)
    assert len(figure.axes) == len(drawn(findings(layers=False)).axes) + 1


def test_labels_of_nodes_do_not_overlap():
    figure = drawn(findings())
    found = [t for axes in figure.axes for t in axes.texts if t.get_gid() == "node-label"]
    assert len(found) == 9
    with style.context():
        boxes = [t.get_window_extent() for t in found]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


@pytest.mark.parametrize("name", ["$\\frac{1}{", "a" * 300])
def test_odd_names(name, tmp_path):
    record = replace(builders.purple_jar(), findings=findings(names=(name, "down")))
    assert plots.save(plots.draw("ablation", record), tmp_path / "a", record)


def test_it_is_drawn_for_that_experiment_only():
    assert plots.draw("ablation", builders.purple_jar()) is None
