"""Images: the data that pattern models look at."""

import numpy as np
import pytest

from mpnet.nodes.images import load_images
from tests.nodes.societies import faults, load

HELD_OUT_FIRST = [4, 5, 7, 9, 10, 12, 14, 16]
HELD_OUT_SUM = 524389


def observed(value):
    return load(f"nodes: {{image: {{type: images}}}}\nevidence: {{image: {value}}}")


def test_split_is_fixed():
    found = load_images(1200, 0)
    assert found.images.shape == (1797, 8, 8)
    assert (found.training.sum(), (~found.training).sum()) == (1200, 597)
    # Written down once: the split must be the same on every machine and with every numpy.
    held_out = np.flatnonzero(~found.training)
    assert held_out[:8].tolist() == HELD_OUT_FIRST
    assert int(held_out.sum()) == HELD_OUT_SUM


def test_grey_values_are_between_zero_and_one():
    images = load_images(1200, 0).images
    assert (images.min(), images.max()) == (0.0, 1.0)


def test_another_seed_is_another_split_of_the_same_size():
    one, two = load_images(1200, 0), load_images(1200, 1)
    assert two.training.sum() == 1200
    assert (one.training != two.training).any()


def test_held_out_cases_are_the_images_that_are_not_for_training():
    node = load("nodes: {image: {type: images}}").society.nodes["image"]
    cases = node.cases("held_out")
    assert len(cases) == 597
    training = node.image_set().training
    assert not any(training[number] for number, _ in cases)
    assert {truth for _, truth in cases} == {str(d) for d in range(10)}


def test_images_own_no_variable():
    society = load("nodes: {image: {type: images}, f: {type: feature}}").society
    assert society.states_of("image") == ()
    assert [v.name for v in society.assemble({}).variables] == ["f"]


def test_an_image_that_the_models_learnt_from_is_noted():
    learnt = int(np.flatnonzero(load_images(1200, 0).training)[0])
    assert observed(learnt).notes == (f"image {learnt} is one that the models learnt from",)
    assert observed(HELD_OUT_FIRST[0]).notes == ()


def test_an_image_of_ones_own_is_taken_row_by_row():
    rows = [[0.0, 0.25, 0.5, 0.75, 1.0, 1, 0, 0.125]] * 8
    scenario = observed(str(rows))
    np.testing.assert_array_equal(scenario.seen["image"].data, np.array(rows))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("1797", "evidence.image: there is no image 1797; 0 to 1796"),
        ("-1", "evidence.image: there is no image -1; 0 to 1796"),
        ("seven", "evidence.image: must be an image's number, got 'seven'; 0 to 1796"),
        ("true", "evidence.image: must be an image's number, got True; 0 to 1796"),
        ("7.0", "evidence.image: must be an image's number, got 7.0; 0 to 1796"),
        ("[[1, 2], [3, 4]]", "evidence.image: 2 rows, the images have 8"),
        (str([[0] * 7] * 8), "evidence.image[0]: must be a row of 8 grey values"),
        (
            str([[0] * 8] * 7 + [[0] * 7 + [2]]),
            "evidence.image[7][7]: must be a grey value in [0, 1], got 2",
        ),
        (
            str([[0] * 8] * 7) [:-1] + ", [0, 0, 0, 0, 0, 0, 0, .nan]]",
            "evidence.image[7][7]: must be a grey value in [0, 1], got nan",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_image_is_said_with_its_place(value, told):
    assert faults(f"nodes: {{image: {{type: images}}}}\nevidence: {{image: {value}}}") == [told]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("dataset: faces", "nodes.image.dataset: must be 'digits', got 'faces'"),
        ("train: 5", "nodes.image.train: must be at least 100, got 5"),
        ("train: 1797", "nodes.image.train: must be at most 1700, got 1797"),
        ("seed: -1", "nodes.image.seed: must be at least 0, got -1"),
    ],
)
def test_what_is_wrong_with_a_set_of_images_is_said_with_its_place(keys, told):
    assert faults(f"nodes: {{image: {{type: images, {keys}}}}}") == [told]


def test_a_set_of_cases_that_does_not_exist_is_told():
    text = """
        nodes:
          image: {type: images}
          "0": {type: ppca, sees: image, label: 0}
          who: {type: choice, among: ["0"]}
        batch: {node: image, cases: all, answer: who}
        """
    assert faults(text) == ["batch.cases: there is no set of images called 'all'; known: held_out"]
