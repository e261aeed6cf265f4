"""The experiment ``recognition``: what it computes against the engine's own full run, and faults."""

import numpy as np
import pytest

import mpnet
from mpnet.datafolder import data_folder
from mpnet.errors import ScenarioError
from mpnet.nodes.concepts import Concepts
from mpnet.simulation.answering import answer_evidence, options_of
from mpnet.simulation.experiments.recognition import Trial

pytestmark = pytest.mark.skipif(data_folder() is None, reason="needs the data folder")

ZOO = {"animal": {"type": "concepts", "table": "zoo"}}
SETTING = {"evidence": {}, "nodes": ZOO, "expect": []}


def load(**experiment):
    return mpnet.load("animals", experiment={"type": "recognition", **experiment}, **SETTING)


def test_a_trial_answers_as_the_whole_society_does():
    scenario = load()
    trial = Trial("animal", Concepts(table="zoo"), options_of(scenario))
    features, seen = trial.learnt.features, np.array([0, 3, 7])
    report, doubt = np.array([True, False, True]), 0.1
    evidence = {
        features[f]: {"yes": 0.9 if yes else 0.1, "no": 0.1 if yes else 0.9}
        for f, yes in zip(seen, report, strict=True)
    }
    answer = answer_evidence(scenario, scenario.society.observe(evidence))
    graph = answer.compiled.original
    wanted = answer.beliefs()[graph.states_of(graph.index["kind"])]
    got = trial.believe(trial.graph(seen), seen, report, [doubt])
    np.testing.assert_allclose(got, wanted, atol=1e-12)


def test_doubts_are_weighed_as_by_hand():
    trial = Trial("animal", Concepts(table="zoo"), options_of(load()))
    seen, report = np.array([1, 2, 5, 8]), np.array([True, True, False, True])
    doubts, whole = [0.01, 0.3], 0.0
    for doubt in doubts:
        p = trial.learnt.applies[:, seen] * (1 - 2 * doubt) + doubt
        whole = whole + trial.learnt.prior * np.where(report, p, 1 - p).prod(axis=1)
    wanted = np.bincount(trial.learnt.kind_of, whole) / whole.sum()
    got = trial.believe(trial.graph(seen), seen, report, doubts)
    np.testing.assert_allclose(got, wanted, atol=1e-12)


def test_numbers_are_those_of_the_curves():
    scenario = load(seen=[0.2, 1.0], wrong=[0.0], splits=1, views=2)
    found = mpnet.run(scenario).findings
    assert set(found.numbers) == set(scenario.experiment.measures(scenario))
    accuracy = found.curves["accuracy"]
    assert found.numbers["society at 1, 0 wrong"] == accuracy[0, 0, 1]
    lead = accuracy[0, 0].mean() - accuracy[2, 0].mean()
    assert found.numbers["lead over nearest neighbour, 0 wrong"] == pytest.approx(lead)
    assert found.numbers["society at 1, 0 wrong"] > 0.8


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"concepts": "kind"}, "experiment.concepts: 'kind' is not a node of type concepts"),
        ({"seen": [0.0]}, r"experiment.seen\[0\]: must be a share up to 1, got 0"),
        ({"wrong": [0.1, 0.7]}, r"experiment.wrong\[1\]: must be a share up to 0.5, got 0.7"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(keys, told):
    with pytest.raises(ScenarioError, match=told):
        load(**keys)
