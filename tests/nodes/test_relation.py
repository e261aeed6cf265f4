"""Bitmaps, places and relations: likelihoods, boxes and joint beliefs against loops by hand."""

import itertools

import numpy as np
import pytest

from mpnet.nodes.place import Place
from mpnet.nodes.relation import Relation
from tests.nodes.societies import exact, faults, load, log_odds

IMAGE = ["..#..", ".###.", "..#.#"]
SCENE = """
nodes:
  image: {{type: bitmap, width: 5, height: 3}}
  a: {{type: place, width: 3, height: 2, sees: image, shape: [".#?", "###"], noise: 0.1, background: 0.2}}
  b: {{type: place, width: 4, height: 3}}
  r: {{type: relation, between: [a, b], {keys}, prior: 0.3, holds: 0.9}}
"""


def by_hand(image, shape, noise, background, x, y):
    """Log ratio of a shape at one cell to background alone, pixel by pixel."""
    total = 0.0
    for row, column in itertools.product(range(len(shape)), range(len(shape[0]))):
        wanted, seen = shape[row][column], image[y + row][x + column]
        if wanted == "?" or seen == "?":
            continue
        on = 1 - noise if wanted == "#" else noise
        p, q = (on, background) if seen == "#" else (1 - on, 1 - background)
        total += np.log(p) - np.log(q)
    return total


@pytest.mark.parametrize("image", [IMAGE, ["?.#..", ".#?#.", "..#.?"]])
def test_a_place_is_likely_where_its_shape_fits(image):
    scenario = load(SCENE.format(keys="how: left_of"))
    seen = scenario.society.observe({"image": image})
    got = scenario.society.nodes["a"].log_likelihood(seen, scenario.society)
    wanted = [
        by_hand(image, [".#?", "###"], 0.1, 0.2, x, y) for y in range(2) for x in range(3)
    ]  # fmt: skip
    np.testing.assert_allclose(got, wanted, atol=1e-12)


BOXES = {
    "how: left_of": lambda dx, dy: dx >= 1,
    "how: left_of, within: 1": lambda dx, dy: dx >= 1 and abs(dy) <= 1,
    "how: right_of": lambda dx, dy: dx <= -1,
    "how: above": lambda dx, dy: dy >= 1,
    "how: below, within: 0": lambda dx, dy: dy <= -1 and dx == 0,
    "how: attached": lambda dx, dy: abs(dx) <= 1 and abs(dy) <= 1,
    "how: attached, within: 2": lambda dx, dy: abs(dx) <= 2 and abs(dy) <= 2,
    "x: [-1, 2]": lambda dx, dy: -1 <= dx <= 2,
    "x: [0, 1], y: [-2, 0]": lambda dx, dy: 0 <= dx <= 1 and -2 <= dy <= 0,
}


@pytest.mark.parametrize("keys", BOXES)
def test_beliefs_equal_a_sum_over_both_places(keys):
    scenario = load(SCENE.format(keys=keys))
    society = scenario.society
    log_z, beliefs = exact(scenario, image=IMAGE, b={"1,0": 0.5, "3,2": 0.4})
    fit = society.nodes["a"].log_likelihood(society.observe({"image": IMAGE}), society)
    seen_b = np.exp(society.observe({"b": {"1,0": 0.5, "3,2": 0.4}})["b"].log_likelihood)
    cells_a = [(x, y) for y in range(2) for x in range(3)]
    cells_b = [(x, y) for y in range(3) for x in range(4)]
    inside = {
        (a, b): BOXES[keys](xb - xa, yb - ya)
        for a, (xa, ya) in enumerate(cells_a)
        for b, (xb, yb) in enumerate(cells_b)
    }
    chance = sum(inside.values()) / len(inside)
    weights = np.zeros(2)
    for (a, b), holds in inside.items():
        own = np.exp(fit[a]) * seen_b[b] / len(inside)
        weights[0] += 0.7 * own
        weights[1] += 0.3 * own * (0.9 / chance if holds else 0.1 / (1 - chance))
    np.testing.assert_allclose(beliefs["r"], weights / weights.sum(), atol=1e-12)
    assert log_z == pytest.approx(np.log(weights.sum()), abs=1e-12)


def test_unobserved_places_leave_a_relation_at_its_prior():
    _, beliefs = exact(load(SCENE.format(keys="how: attached")))
    assert beliefs["r"][1] == pytest.approx(0.3, abs=1e-13)


def test_an_active_relation_tells_one_place_where_the_other_is():
    _, beliefs = exact(load(SCENE.format(keys="how: left_of")), r="active", a="0,0")
    columns = beliefs["b"].reshape(3, 4).sum(axis=0)
    # Before a is seen b is in the box with 0.9; its first column is never right of a.
    assert columns[0] < 0.05
    assert columns[1:].min() > 0.25


def test_positions_on_a_line():
    scenario = load(
        """
        nodes:
          a: {type: place, width: 4}
          b: {type: place, width: 4}
          r: {type: relation, between: [a, b], x: [1, 1], holds: 1.0}
        """
    )
    assert scenario.society.states_of("a") == ("0", "1", "2", "3")
    _, beliefs = exact(scenario, r="active", b="2")
    np.testing.assert_allclose(beliefs["a"], [0, 1, 0, 0], atol=1e-15)
    assert log_odds(exact(scenario, a="1", b="2")[1]["r"]) > scenario.society.prior_log_odds("r")
    assert exact(scenario, a="2", b="1")[1]["r"][1] == 0.0


def test_boxes_between_grids_of_other_sizes():
    relation = Relation(between=["a", "b"], how="left_of")
    inside = relation.allowed(Place(width=2), Place(width=3, height=2))
    assert inside.astype(int).tolist() == [[0, 1, 1, 0, 1, 1], [0, 0, 1, 0, 0, 1]]


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        ("r: {type: relation, between: [p, q]}", "nodes.r: write either how, or x or y or both"),
        (
            "r: {type: relation, between: [p, q], how: above, x: [0, 1]}",
            "nodes.r: write either how, or x or y or both",
        ),
        (
            "r: {type: relation, between: [p, q], x: [0, 1], within: 2}",
            "nodes.r: within goes with how",
        ),
        (
            "r: {type: relation, between: [p, f], how: above}",
            "nodes.r.between[1]: 'f' is not a node of type place",
        ),
        (
            "r: {type: relation, between: [p, q], x: [2, 1]}",
            "nodes.r.x: the least, 2, is above the most, 1",
        ),
        (
            "r: {type: relation, between: [p, q], x: [7, 9]}",
            "nodes.r: the box never holds on these grids, so the relation says nothing",
        ),
        (
            "r: {type: relation, between: [p, p], how: above, within: 3}",
            "nodes.r.between: 'p' is there twice; a relation is between two",
        ),
        (
            "r: {type: relation, between: [p, q], how: attached, within: 9}",
            "nodes.r: the box always holds on these grids, so the relation says nothing",
        ),
        ("s: {type: place, width: 2, sees: i}", "nodes.s: sees and shape go together"),
        ('s: {type: place, width: 3, sees: f, shape: ["#"]}', "nodes.s.sees: 'f' is a variable"),
        (
            's: {type: place, width: 3, height: 2, sees: i, shape: ["##"]}',
            "nodes.s.width: 3 × 2 cells, but the shape fits 3 × 3",
        ),
        ('s: {type: place, width: 3, sees: i, shape: ["##", "#"]}', "nodes.s.shape: '#' is no row"),
        ("s: {type: place, width: 3, sees: i, shape: []}", "nodes.s.shape: a shape has at least"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(nodes, told):
    others = "p: {type: place, width: 4}, q: {type: place, width: 4}, f: {type: feature}"
    image = "i: {type: bitmap, width: 4, height: 3}"
    assert faults(f"nodes: {{{nodes}, {others}, {image}}}")[0].startswith(told)


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ("[..]", "evidence.i: must be a list of 2 rows, got 1 rows; write rows of #"),
        ("4", "evidence.i: must be a list of 2 rows, got 4; write rows of #"),
        ('["..", "..."]', "evidence.i[1]: must be 2 pixels, got '...'; write rows of #"),
        ('["..", ".x"]', "evidence.i[1]: 'x' is no pixel; write rows of #"),
    ],
)
def test_what_is_wrong_with_a_bitmap_is_said_with_its_place(seen, told):
    text = f"nodes: {{i: {{type: bitmap, width: 2, height: 2}}}}\nevidence: {{i: {seen}}}"
    assert faults(text)[0].startswith(told)


def test_a_relation_between_grids_that_are_too_large_is_refused_before_it_takes_memory():
    nodes = "a: {type: place, width: 100, height: 100}, b: {type: place, width: 100, height: 100}"
    relation = "r: {type: relation, between: [a, b], how: left_of}"
    (told,) = faults(f"nodes: {{{nodes}, {relation}}}")
    assert told.startswith("nodes.r.between: a table of 2 × 10000 × 10000 entries; at most")
