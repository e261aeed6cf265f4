"""The experiment ``surprise``: scenes, how unusual they are, and the search."""

import itertools

import numpy as np
import pytest

import mpnet
from mpnet.errors import NumericalError, ScenarioError
from mpnet.estimators.base import Options
from mpnet.estimators.clusters import solve_by_clusters
from mpnet.simulation.experiments.changes import without_nodes
from mpnet.simulation.experiments.scenes import Viewer, auroc, roc

SMALL = {
    "size": {"type": "feature", "states": ["small", "large"], "base_rates": {"large": 0.2}},
    "sound": {"type": "feature", "states": ["none", "bark", "purr"], "base_rates": [0.8, 0.1, 0.1]},
    "dog": {"type": "model", "prior": 0.2, "predicts": {"size": "large", "sound": "bark"}},
    "cat": {
        "type": "model",
        "prior": 0.3,
        "predicts": {"sound": {"purr": 0.7}, "dog": {"wont": 0.95}},
    },
    "pair": {"type": "composite", "prior": 0.1, "parts": ["dog", "cat"]},
}


def viewer(estimator="exact", **options):
    nodes = {"nodes": SMALL, "evidence": {}, "expect": []}
    found = mpnet.load("purple_jar", inference={}, **nodes)
    return Viewer(found.society, ("size", "sound"), {}, Options(**options), estimator, 400)


def everything(seen):
    """Log weight of every joint state of (size, sound, dog, cat, pair), by enumeration."""
    graph = seen.graph
    order = [graph.index[name] for name in ("size", "sound", "dog", "cat", "pair")]
    table = np.zeros((2, 3, 2, 2, 2))
    for states in itertools.product(*map(range, table.shape)):
        given = dict(zip(order, states, strict=True))
        total = sum(graph.unary_of(v)[s] for v, s in given.items())
        for number, factor in enumerate(graph.factors):
            total += graph.table_of(number)[tuple(given[v] for v in factor.scope)]
        table[states] = total
    return table


@pytest.mark.parametrize("scene", [(0, 0), (1, 1), (0, 2), (1, 2)])
def test_log_z_and_explanation_of_a_scene(scene):
    seen = viewer()
    table = everything(seen)[scene]
    log_z, explanation = seen.look(np.array(scene))
    assert log_z == pytest.approx(np.log(np.exp(table).sum()), abs=1e-12)
    weights = np.exp(table)
    expected = [
        int(weights.sum(axis=tuple(a for a in range(3) if a != axis)).argmax()) for axis in range(3)
    ]
    assert seen.hidden == ("dog", "cat", "pair")
    assert list(explanation) == expected


def test_explanations_come_as_often_as_they_should():
    seen = viewer()
    weights = np.exp(everything(seen)).sum(axis=(0, 1)).ravel()
    drawn = seen.explanations(20_000, np.random.default_rng(3))
    counts = np.bincount([4 * a + 2 * b + c for a, b, c in drawn], minlength=8)
    # Four standard errors of a share from 20,000 draws are at most 0.0142.
    np.testing.assert_allclose(counts / 20_000, weights / weights.sum(), atol=0.0142)


def test_scenes_of_an_explanation_come_as_often_as_they_should():
    seen = viewer()
    weights = np.exp(everything(seen)[:, :, 1, 1, 0])
    drawn = seen.scenes_of((1, 1, 0), 20_000, np.random.default_rng(4))
    counts = np.bincount(3 * drawn[:, 0] + drawn[:, 1], minlength=6).reshape(2, 3)
    np.testing.assert_allclose(counts / 20_000, weights / weights.sum(), atol=0.0142)


def test_usual_log_z_is_that_of_the_explanation():
    seen = viewer()
    table = everything(seen)
    chances = np.exp(table[:, :, 1, 0, 0])
    chances /= chances.sum()
    log_z = np.log(np.exp(table).sum(axis=(2, 3, 4)))
    mean = (chances * log_z).sum()
    deviation = np.sqrt((chances * (log_z - mean) ** 2).sum())
    usual = seen.usual((1, 0, 0))
    # Four standard errors from 400 samples are 0.2 deviations.
    assert usual.mean == pytest.approx(mean, abs=0.2 * deviation)
    assert usual.deviation == pytest.approx(deviation, rel=0.35)
    assert usual.score(usual.mean - 2 * usual.deviation) == pytest.approx(-2.0)


def test_flat_propagation_is_exact_where_everything_is_shown():
    scenario = mpnet.load("confusion")
    awake = without_nodes(scenario, scenario.experiment.asleep).society
    shown = tuple(n for n in awake.nodes if awake.nodes[n].kind == "feature")
    flat = Viewer(awake, shown, {}, Options(), "flat", 20)
    for scene in np.random.default_rng(0).integers(2, size=(4, len(shown))):
        states = {n: awake.domains[n][s] for n, s in zip(shown, scene, strict=True)}
        graph = awake.assemble(awake.observe(states))
        log_z, _, _ = solve_by_clusters(graph)
        assert flat.look(scene)[0] == pytest.approx(log_z, abs=1e-9)


def test_a_scene_whose_run_does_not_converge_is_named():
    seen = viewer("flat", max_iterations=1)
    with pytest.raises(NumericalError, match="the scene size large, sound bark: "):
        seen.look(np.array([1, 1]))


def test_auroc_counts_pairs_and_roc_has_its_area():
    draw = np.random.default_rng(2)
    low, high = np.round(draw.normal(size=30), 1), np.round(draw.normal(1.0, size=20), 1)
    pairs = [1.0 if a < b else 0.5 if a == b else 0.0 for a in low for b in high]
    assert auroc(low, high) == pytest.approx(np.mean(pairs), abs=1e-12)
    false, true = roc(low, high)
    assert np.trapezoid(true, false) == pytest.approx(auroc(low, high), abs=1e-12)


def test_numbers_are_those_of_the_curves():
    keys = dict(mpnet.load("confusion").spec.experiment)
    keys |= {"scenes": 18, "samples": 40}
    found = mpnet.run("confusion", experiment=keys, expect=[]).findings
    numbers, curves = found.numbers, found.curves
    assert numbers["scenes"] == 54
    assert curves["unexplained"].size == 18
    flagged = sum(int((curves[k] < -2.0).sum()) for k in ("explained", "unexplained", "random"))
    assert numbers["searches"] == flagged
    assert numbers["auroc"] == pytest.approx(auroc(curves["unexplained"], curves["explained"]))
    assert np.all(curves["mended"] >= -2.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"asleep": ["kangoroo"]}, "there is no node 'kangoroo'; did you mean 'kangaroo'"),
        ({"asleep": ["fur"]}, "'fur' can't be active or inactive"),
        ({"show": ["fur", "lion"]}, r"experiment.show\[1\]: 'lion' can't be shown"),
        ({"threshold": 1.0}, "experiment.threshold"),
    ],
)
def test_faults_are_named(changes, message):
    keys = {**mpnet.load("confusion").spec.experiment, **changes}
    with pytest.raises(ScenarioError, match=message):
        mpnet.load("confusion", experiment=keys, expect=[])
