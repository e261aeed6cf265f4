"""Black and white images that places look at: data, not a variable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from mpnet.kernels.layout import FloatArray
from mpnet.nodes.base import Node, Observation, fault

PIXELS = {"#": 1.0, ".": 0.0, "?": np.nan}
FORMS = "write rows of # (on), . (off) and ? (not seen)"


class Bitmap(Node):
    """An image of black and white pixels; evidence is its rows, such as [..#., .###]."""

    kind: ClassVar[str] = "data"

    width: int = Field(ge=1, le=200, description="Pixels across.")
    height: int = Field(ge=1, le=200, description="Pixels down.")

    def domain(self) -> tuple[str, ...]:
        """No variable."""
        return ()

    def observe(self, value: Any) -> Observation:
        """Read the rows."""
        if not isinstance(value, list) or len(value) != self.height:
            got = f"{len(value)} rows" if isinstance(value, list) else repr(value)
            raise fault((), f"must be a list of {self.height} rows, got {got}", FORMS)
        for number, row in enumerate(value):
            if not isinstance(row, str) or len(row) != self.width:
                raise fault((number,), f"must be {self.width} pixels, got {row!r}", FORMS)
            for pixel in row:
                if pixel not in PIXELS:
                    raise fault((number,), f"{pixel!r} is no pixel", FORMS)
        return observed(pixels(value))


def pixels(rows: Sequence[str]) -> FloatArray:
    """Rows of # . ? as numbers 1, 0 and NaN, shape (height, width)."""
    return np.array([[PIXELS[pixel] for pixel in row] for row in rows])


def observed(image: FloatArray) -> Observation:
    """An image (height, width) of 1, 0 and NaN as evidence."""
    height, width = image.shape
    return Observation(f"an image, {width} × {height}", data=image)
