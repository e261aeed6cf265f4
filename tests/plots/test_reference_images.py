"""Figures look as they did: compared with images that somebody has looked at."""

import numpy as np
import pytest

from tests.plots.looks import pictures
from tests.plots.references import difference, path_of, picture, reference, same_matplotlib

TOLERANCE = 12
"""Of the mean colour of 8 by 8 pixels, in 0 to 255. The levels of the references are off by up to 4,
and letters that are set a quarter of a pixel elsewhere, as by another build of FreeType, by up to
8 more; a label that is missing or moved is off by 15 and more."""


@pytest.mark.parametrize("case", pictures(), ids="-".join)
def test_looks_like_its_reference(case, tmp_path):
    if not same_matplotlib():
        pytest.skip("the references were made with another version of matplotlib")
    assert path_of(*case).exists(), "make it: python -m tests.plots.references"
    found = difference(picture(*case), reference(*case))
    assert found <= TOLERANCE, "look at it, then: python -m tests.plots.references"


def test_a_moved_line_is_a_difference():
    image = np.full((80, 80, 3), 255, dtype=np.uint8)
    image[40] = 0
    assert difference(image, image) == 0
    assert difference(image, np.roll(image, 2, axis=0)) == 0  # within one square
    assert difference(image, np.roll(image, 8, axis=0)) > TOLERANCE
    assert difference(image, image[:72]) == 255
