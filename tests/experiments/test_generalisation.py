"""The experiment ``generalisation``: worlds against the engine, counts by hand, and faults."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

import mpnet
from mpnet.errors import ScenarioError
from mpnet.simulation.answering import options_of
from mpnet.simulation.experiments.generalisation import Pupil, World, separate, split, together
from tests.nodes.societies import enumerated, exact
from tests.nodes.societies import load as load_text

SMALL = """
nodes:
  hue: {type: feature, states: [red, green, blue], base_rates: [0.5, 0.3, 0.2]}
  size: {type: feature, states: [small, large]}
  pace: {type: feature, states: [slow, fast], base_rates: [0.6, 0.4]}
  a: {type: model, prior: 0.4, predicts: {hue: {red: 0.9}, pace: {slow: 0.7}}}
  b: {type: model, prior: 0.4, predicts: {hue: {distribution: {blue: 0.8}, confidence: 0.5}}}
  c: {type: model, prior: 0.5, predicts: {size: {small: 0.9}, pace: {fast: 0.9}}}
  d: {type: model, prior: 0.5, predicts: {size: {large: 0.8}}}
  e: {type: model, prior: 0.5}
  one: {type: choice, among: [a, b]}
  two: {type: choice, among: [c, d, e]}
"""
RIVALS = [["a", "b"], ["c", "d", "e"]]


@pytest.fixture
def world():
    return World(load_text(SMALL).society, RIVALS, 0.2)


@pytest.mark.parametrize("combination", list(itertools.product(range(2), range(3))))
def test_a_world_expects_what_the_society_believes_when_its_rivals_are_active(world, combination):
    one, two = world.names(combination)
    _, beliefs = exact(load_text(SMALL), one=one, two=two)
    for feature, reported in zip(world.features, world.reported(combination), strict=True):
        np.testing.assert_allclose(world.expected(combination, feature), beliefs[feature])
        noisy = 0.2 * world.society.bases[feature] + 0.8 * beliefs[feature]
        np.testing.assert_allclose(reported, noisy)


def test_reports_are_drawn_as_often_as_expected(world):
    rng = np.random.default_rng(0)
    draws = np.array([world.draw((0, 2), rng) for _ in range(20_000)])
    for column, p in enumerate(world.reported((0, 2))):
        found = np.bincount(draws[:, column], minlength=p.size) / len(draws)
        # Four standard errors of a share of 20,000 draws.
        np.testing.assert_allclose(found, p, atol=0.015)


def test_pairs_that_are_held_out_never_occur_and_every_rival_does():
    every = list(itertools.product(range(3), range(4), range(2)))
    seen, unseen = split(every, 4, 2)
    assert len(seen) == len(unseen) == 12
    assert not {c[:2] for c in seen} & {c[:2] for c in unseen}
    for part, size in enumerate((3, 4, 2)):
        assert {c[part] for c in seen} == set(range(size))


def test_what_separate_models_learn_is_counted(world):
    lessons = [(0, 1), (0, 2), (1, 1)]
    reports = np.array([[0, 0, 1], [2, 1, 1], [0, 0, 0]])
    assert world.features == ["hue", "pace", "size"]
    nodes, _ = separate(world, lessons, reports)
    assert nodes["hue"]["base_rates"] == pytest.approx([3 / 6, 1 / 6, 2 / 6])
    learnt = nodes["a"]["predicts"]
    assert set(learnt) == {"hue", "pace"}
    assert learnt["hue"]["red"] == pytest.approx((1 + 3 / 6) / 3)
    assert learnt["hue"]["blue"] == pytest.approx((1 + 2 / 6) / 3)
    assert nodes["e"]["predicts"] == {}


def test_of_combinations_never_met_base_rates_are_expected(world):
    nodes, combinations = together(world, [(0, 1)], np.array([[0, 0, 1]]))
    assert combinations == world.combinations
    assert list(nodes["b + e"]["predicts"]["hue"].values()) == nodes["hue"]["base_rates"]
    assert nodes["a + d"]["predicts"]["hue"]["red"] == pytest.approx((1 + 0.5) / 2)


@pytest.mark.parametrize("way", [separate, together])
def test_pupils_answer_as_by_enumeration(world, way):
    rng = np.random.default_rng(1)
    lessons = [world.combinations[i] for i in rng.integers(6, size=60)]
    reports = np.array([world.draw(lesson, rng) for lesson in lessons])
    parts = ["one", "two"] if way is separate else ["combination"]
    pupil = Pupil(world, way(world, lessons, reports), parts, options_of(load_text(SMALL)))
    for report in reports[:8]:
        graph, unary = pupil.graph, pupil.graph.unary.copy()
        for where, state in zip(pupil.features, report, strict=True):
            rest = np.arange(where.stop - where.start) != state
            unary[where][rest] = -np.inf
        _, beliefs = enumerated(replace(graph, unary=unary))
        best = tuple(int(beliefs[part].argmax()) for part in parts)
        wanted = world.combinations[best[0]] if way is together else best
        assert pupil.recognise(report) == wanted


def load(**experiment):
    parts = {"parts": ["texture", "shape", "behaviour"]}
    keys = {"type": "generalisation", **parts, **experiment}
    return mpnet.load("compose_features", experiment=keys, expect=[])


def test_numbers_are_those_of_the_curves():
    scenario = load(tests=20, episodes=100)
    found = mpnet.run(scenario).findings
    assert set(found.numbers) == set(scenario.experiment.measures(scenario))
    assert found.numbers["flat, seen"] == found.curves["accuracy"][1, 0]
    assert found.numbers["chance"] == 1 / 64
    assert found.curves["combinations"].tolist() == [48, 16]


def test_pairs_never_met_are_for_separate_models_only():
    numbers = mpnet.run(load(tests=100, episodes=200, unseen=2)).findings.numbers
    assert numbers["flat, unseen"] < 0.05
    assert numbers["society, unseen"] > 0.4


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"parts": ["texture"]}, "experiment.parts: needs at least 2 entries, got a list of 1"),
        ({"parts": ["texture", "hue"]}, r"experiment.parts\[1\]: 'hue' is not a choice of exactly"),
        ({"parts": ["shape", "shape"]}, r"experiment.parts\[1\]: 'shape' is there twice"),
        ({"unseen": 4}, "experiment.unseen: 4 of 4 leaves no pairs to learn from; 1 to 3"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(keys, told):
    with pytest.raises(ScenarioError, match=told):
        load(**keys)
