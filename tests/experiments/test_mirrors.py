"""The experiment ``mirrors``: dilations, drawn scenes, numbers and faults."""

import numpy as np
import pytest
from scipy.ndimage import grey_dilation

import mpnet
from mpnet.errors import ScenarioError
from mpnet.nodes.place import Place
from mpnet.nodes.relation import Relation
from mpnet.simulation.experiments.mirrors import dilated, max_message


@pytest.mark.parametrize(
    "keys",
    [
        {"how": "attached", "within": 2},
        {"how": "left_of"},
        {"how": "above", "within": 1},
        {"x": [-1, 3], "y": [0, 2]},
        {"x": [2, 2]},
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_the_max_product_message_of_a_box_is_a_grey_dilation(keys, seed):
    relation = Relation(between=["a", "b"], **keys)
    places = [Place(width=7, height=5), Place(width=7, height=5)]
    fit = np.random.default_rng(seed).normal(scale=3.0, size=(5, 7))
    message = max_message(relation, places, fit)
    # Both add no numbers up: the maximum of equal numbers is equal.
    np.testing.assert_allclose(message, dilated(relation, places, fit), atol=1e-12)
    if keys == {"how": "attached", "within": 2}:
        plain = grey_dilation(fit, size=(5, 5), mode="constant", cval=-np.inf)
        np.testing.assert_allclose(message, plain - plain.max(), atol=1e-12)


def test_the_message_is_the_best_cell_in_the_box_cell_by_cell():
    relation = Relation(between=["a", "b"], x=[-1, 2], y=[0, 1])
    places = [Place(width=4, height=3), Place(width=6, height=2)]
    fit = np.random.default_rng(1).normal(size=(3, 4))
    wanted = np.full((2, 6), -np.inf)
    for y in range(2):
        for x in range(6):
            inside = [
                fit[v, u]
                for v in range(3)
                for u in range(4)
                if -1 <= x - u <= 2 and 0 <= y - v <= 1
            ]
            wanted[y, x] = max(inside, default=-np.inf)
    wanted -= wanted.max()
    np.testing.assert_allclose(max_message(relation, places, fit), wanted, atol=1e-12)
    np.testing.assert_allclose(dilated(relation, places, fit), wanted, atol=1e-12)


def load(expect=(), **experiment):
    keys = {"type": "mirrors", "relation": "left_of", **experiment}
    return mpnet.load("compose_space", experiment=keys, expect=list(expect))


def test_numbers_are_those_of_the_curves():
    scenario = load(trials=5, opposite="right_of")
    found = mpnet.run(scenario).findings
    assert set(found.numbers) == set(scenario.experiment.measures(scenario))
    odds = found.curves["odds"]
    assert odds.shape == (2, 5, 2)
    assert found.numbers["recognised"] == (odds[0, :, 0] > 0).mean()
    # Mirroring swaps the two relations, which have the same box but for its sign.
    np.testing.assert_allclose(odds[0, :, 0], odds[1, :, 1], atol=0.05)


def test_top_and_bottom_can_be_swapped():
    numbers = mpnet.run(load(relation="above", flip="down", trials=10)).findings.numbers
    assert numbers["recognised"] > 0.8
    assert numbers["recognised mirrored"] < 0.2


def test_a_relation_that_a_mirror_keeps_is_recognised_in_both():
    numbers = mpnet.run(load(relation="above", flip="across", trials=10)).findings.numbers
    assert numbers["recognised"] == numbers["recognised mirrored"] > 0.8


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"relation": "cross"}, "experiment.relation: 'cross' is not a node of type relation"),
        ({"opposite": "nobody"}, "experiment.opposite: 'nobody' is not a node of type relation"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(keys, told):
    with pytest.raises(ScenarioError, match=told):
        load(**keys)


def test_a_shape_that_a_mirror_changes_is_told():
    nodes = {
        "image": {"type": "bitmap", "width": 6, "height": 2},
        "a": {"type": "place", "width": 5, "height": 1, "sees": "image", "shape": ["#.", "##"]},
        "b": {"type": "place", "width": 5, "height": 1, "sees": "image", "shape": ["##", "##"]},
        "r": {"type": "relation", "between": ["a", "b"], "how": "left_of"},
    }
    keys = {"type": "mirrors", "relation": "r"}
    with pytest.raises(ScenarioError, match="'a' looks otherwise in a mirror; its shape must"):
        mpnet.load("compose_space", nodes=nodes, evidence={}, experiment=keys, expect=[])
