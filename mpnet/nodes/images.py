"""Images that pattern models look at: data, not a variable."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field

from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.nodes.base import Node, Observation, fault

HELD_OUT = "held_out"


class ImageSet(NamedTuple):
    """Images (N, height, width) in [0, 1], labels (N,), and which are for training (N,)."""

    images: FloatArray
    labels: IntArray
    training: np.ndarray[Any, np.dtype[np.bool_]]


class Images(Node):
    """Images with a training set; evidence is an image's number, or its rows of grey values."""

    kind: ClassVar[str] = "data"

    dataset: Literal["digits"] = Field(
        "digits", description="digits: 1,797 handwritten digits, 8 x 8, that scikit-learn brings."
    )
    train: int = Field(
        1200, ge=100, le=1700, description="Images to learn from; the rest is held out."
    )
    seed: int = Field(0, ge=0, description="Seed of the split, which is the same on every machine.")

    def domain(self) -> tuple[str, ...]:
        """No variable."""
        return ()

    def image_set(self) -> ImageSet:
        """All images with their split."""
        return load_images(self.train, self.seed)

    def observe(self, value: Any) -> Observation:
        """Read an image's number, or its rows of grey values in [0, 1]."""
        images = self.image_set().images
        if isinstance(value, list):
            return Observation("an image of one's own", data=_own_image(value, images.shape[1:]))
        if isinstance(value, bool) or not isinstance(value, int):
            raise fault((), f"must be an image's number, got {value!r}", f"0 to {len(images) - 1}")
        if not 0 <= value < len(images):
            raise fault((), f"there is no image {value}", f"0 to {len(images) - 1}")
        label, training = int(self.image_set().labels[value]), self.image_set().training[value]
        note = f"image {value} is one that the models learnt from" if training else ""
        return Observation(
            f"image {value} (a {label})",
            data=images[value],
            notes=(note,) if note else (),
        )

    def cases(self, name: str) -> list[tuple[Any, str]]:
        """``held_out``: every image that is not for training, with its label."""
        if name != HELD_OUT:
            raise fault((), f"there is no set of images called {name!r}", f"known: {HELD_OUT}")
        found = self.image_set()
        return [(int(i), str(found.labels[i])) for i in np.flatnonzero(~found.training)]


@cache
def load_images(train: int, seed: int) -> ImageSet:
    """The digits that come with scikit-learn, split by a stream that is the same everywhere."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    # Raw bits of a bit generator never change between versions of numpy; `permutation` may.
    order = np.argsort(np.random.PCG64(seed).random_raw(len(digits.target)), kind="stable")
    training = np.zeros(len(order), dtype=np.bool_)
    training[order[:train]] = True
    images = np.asarray(digits.images, dtype=np.float64) / 16.0
    return ImageSet(images, np.asarray(digits.target, dtype=np.int64), training)


def _own_image(rows: list[Any], shape: tuple[int, ...]) -> FloatArray:
    height, width = shape
    if len(rows) != height:
        raise fault((), f"{len(rows)} rows, the images have {height}")
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != width:
            raise fault((number,), f"must be a row of {width} grey values")
        for column, value in enumerate(row):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise fault((number, column), f"must be a grey value in [0, 1], got {value!r}")
    return np.array(rows, dtype=np.float64)
