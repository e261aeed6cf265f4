"""The experiment ``ablation``: what is cut is gone, and losses are of exact answers."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

import mpnet
from mpnet.errors import ScenarioError
from mpnet.simulation.experiments.ablation import read_edge
from mpnet.simulation.experiments.changes import without_links

NODES = {
    "seen": {"type": "feature", "base_rates": {"yes": 0.2}},
    "hidden": {"type": "feature", "base_rates": {"yes": 0.1}},
    "part": {
        "type": "model",
        "prior": 0.1,
        "predicts": {"seen": {"yes": 0.8}, "whole": {"will": 0.3}},
    },
    "other": {"type": "model", "prior": 0.1, "predicts": {"hidden": {"yes": 0.7}}},
    "whole": {
        "type": "composite",
        "prior": 0.1,
        "parts": ["part", "other"],
        "holds_parts": 0.6,
        "predicts": {"hidden": {"yes": 0.3}},
    },
}
KEYS = {
    "type": "ablation",
    "watch": {"hidden": "yes"},
    "recognise": "whole",
    "classes": {"up": ["part -> seen"], "down": ["whole -> *"], "all": ["* -> *"]},
}


def load(**changes):
    written = {"nodes": NODES, "evidence": {"seen": "yes"}, "expect": [], "inference": {}}
    return mpnet.load("purple_jar", experiment={**KEYS, **changes}, **written)


def enumerated(cut, seen=True):
    """Exact belief in hidden=yes and whole=active, and log Z, from the definition of r alone."""
    base = {"seen": 0.2, "hidden": 0.1, "part": 0.1, "other": 0.1, "whole": 0.1}
    says = {
        ("part", "seen"): 0.8,
        ("part", "whole"): 0.3,
        ("other", "hidden"): 0.7,
        ("whole", "part"): 0.6,
        ("whole", "other"): 0.6,
        ("whole", "hidden"): 0.3,
    }
    total = hidden = whole = 0.0
    for states in itertools.product((0, 1), repeat=5):
        given = dict(zip(base, states, strict=True))
        weight = np.prod([q if given[n] else 1 - q for n, q in base.items()])
        for (source, target), p in says.items():
            if given[source] and not cut(source, target):
                q = base[target]
                weight *= p / q if given[target] else (1 - p) / (1 - q)
        weight *= given["seen"] if seen else 1.0
        total += weight
        hidden += weight * given["hidden"]
        whole += weight * given["whole"]
    return hidden / total, whole / total, np.log(total)


CUTS = {
    "whole": lambda source, target: False,
    "up": lambda source, target: (source, target) == ("part", "seen"),
    "down": lambda source, target: source == "whole",
    "all": lambda source, target: True,
}


def test_losses_are_those_of_enumeration():
    numbers = mpnet.run(load()).findings.numbers
    exact = {name: enumerated(cut) for name, cut in CUTS.items()}
    quiet = {name: enumerated(cut, seen=False) for name, cut in CUTS.items()}
    assert numbers["belief whole"] == pytest.approx(exact["whole"][0], abs=1e-12)
    assert numbers["belief unseen"] == pytest.approx(quiet["whole"][0], abs=1e-12)
    assert numbers["recognition whole"] == pytest.approx(exact["whole"][1], abs=1e-12)
    evidence = {name: exact[name][2] - quiet[name][2] for name in CUTS}
    for name in ("up", "down", "all"):
        loss = exact["whole"][0] - exact[name][0]
        assert numbers[f"loss of {name}"] == pytest.approx(loss, abs=1e-12)
        lost = exact["whole"][1] - exact[name][1]
        assert numbers[f"recognition lost by {name}"] == pytest.approx(lost, abs=1e-12)
        less = evidence["whole"] - evidence[name]
        assert numbers[f"evidence lost by {name}"] == pytest.approx(less, abs=1e-12)


def test_with_everything_cut_base_rates_are_left():
    numbers = mpnet.run(load()).findings.numbers
    assert numbers["belief whole"] - numbers["loss of all"] == pytest.approx(0.1, abs=1e-12)
    assert numbers["base rate"] == pytest.approx(0.1)


def test_errors_are_those_of_the_curves():
    found = mpnet.run(load(estimators=["flat", "region"])).findings
    watched = found.curves["watched"]
    assert watched.shape == (4, 3, 1)
    errors = np.abs(watched - watched[:, :1]).max(axis=(0, 2))
    assert found.numbers["error flat"] == pytest.approx(errors[1])
    # Clusters may be as large as memory allows: then regions are exact.
    assert found.numbers["error region"] == pytest.approx(0.0, abs=1e-7)


def test_an_estimator_that_does_not_converge_has_no_answer():
    scenario = load()
    inference = scenario.spec.inference.model_copy(update={"max_iterations": 1, "compile": False})
    spec = scenario.spec.model_copy(update={"inference": inference})
    found = scenario.experiment.run(replace(scenario, spec=spec), lambda done, of: None)
    assert found.numbers["error flat"] == np.inf
    assert np.isnan(found.curves["watched"][0, 1]).all()
    assert np.isfinite(found.numbers["loss of up"])


def test_only_what_is_named_is_cut():
    society = mpnet.load("hierarchy").society
    cut = without_links(society, lambda link: link.source == "ride")
    assert len(society.links) - len(cut.links) == 4
    assert cut.nodes == society.nodes


@pytest.mark.parametrize("text", ["a", "a ->", "-> b", "->"])
def test_an_edge_has_two_ends(text):
    with pytest.raises(ValueError, match="must be SOURCE -> TARGET"):
        read_edge(text)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"classes": {"up": ["part -> sen"]}},
            "there is no prediction 'part -> sen'; did you mean",
        ),
        ({"classes": {"up": ["part"]}}, "must be SOURCE -> TARGET"),
        ({"watch": {"hiden": "yes"}}, "there is no node 'hiden'; did you mean 'hidden'"),
        ({"watch": {"hidden": "maybe"}}, "'hidden' has no state 'maybe'"),
        ({"watch": {"seen": "yes"}}, "'seen' is observed, so nothing fills it in"),
        ({"recognise": "seen"}, "'seen' can't be active or inactive"),
        ({"estimators": ["flatt"]}, "unknown estimator 'flatt'; did you mean 'flat'"),
        ({"layers": {"low": ["sean"]}}, r"experiment.layers.low\[0\]: there is no node 'sean'"),
    ],
)
def test_faults_are_named(changes, message):
    with pytest.raises(ScenarioError, match=message):
        load(**changes)
