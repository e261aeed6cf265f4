"""Places: where something is on a grid, found by how well its shape fits the image there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from pydantic import Field, field_validator, model_validator

from mpnet.kernels.layout import FloatArray
from mpnet.names import Name
from mpnet.nodes.base import Node, Observation, Reference, Surroundings, fault
from mpnet.nodes.bitmap import PIXELS, Bitmap, pixels


class Place(Node):
    """Where something is: one cell of a grid, or a position on a line where it has one row."""

    kind: ClassVar[str] = "feature"

    width: int = Field(ge=1, le=100, description="Cells across.")
    height: int = Field(1, ge=1, le=100, description="Cells down.")
    sees: Name | None = Field(None, description="The node of type bitmap that it looks at.")
    shape: list[str] | None = Field(
        None, description="What is there: rows of # (on), . (off) and ? (either)."
    )
    noise: float = Field(
        0.05, gt=0.0, lt=0.5, description="Probability that a pixel of the shape is wrong."
    )
    background: float = Field(
        0.05, gt=0.0, lt=1.0, description="Probability that a pixel elsewhere is on."
    )

    @field_validator("shape")
    @classmethod
    def _is_a_rectangle(cls, shape: list[str] | None) -> list[str] | None:
        for row in shape or ():
            if not row or len(row) != len((shape or [""])[0]) or not set(row) <= set(PIXELS):
                raise ValueError(f"{row!r} is no row; all have one length, of # . and ?")
        if shape is not None and not shape:
            raise ValueError("a shape has at least one row")
        return shape

    @model_validator(mode="after")
    def _has_both_or_neither(self) -> Place:
        if (self.sees is None) != (self.shape is None):
            raise ValueError("sees and shape go together: what it looks at, and what for")
        return self

    def references(self) -> list[Reference]:
        """The image, if it looks at one."""
        return [] if self.sees is None else [Reference(self.sees, ("sees",), "data")]

    def domain(self) -> tuple[str, ...]:
        """Cells as ``x,y`` from the upper left, row by row; for one row, ``x``."""
        if self.height == 1:
            return tuple(str(x) for x in range(self.width))
        return tuple(f"{x},{y}" for y in range(self.height) for x in range(self.width))

    def rates(self, around: Surroundings) -> FloatArray:
        """Every cell alike."""
        return np.full(self.width * self.height, 1.0 / (self.width * self.height))

    def check(self, around: Surroundings) -> None:
        """Whether the shape fits into the image at each cell, and only there."""
        if self.sees is None or self.shape is None:
            return
        image = around.node(self.sees)
        if not isinstance(image, Bitmap):
            raise fault(("sees",), f"{self.sees!r} is not a node of type bitmap")
        fits = image.width - len(self.shape[0]) + 1, image.height - len(self.shape) + 1
        if fits != (self.width, self.height):
            what = f"{self.width} × {self.height} cells, but the shape fits {fits[0]} × {fits[1]}"
            raise fault(("width",), what, "as many as the shape has places in the image")

    def log_likelihood(
        self, seen: Mapping[str, Observation], around: Surroundings
    ) -> FloatArray | None:
        """Log ratio, at each cell, of the shape being there to background alone, in nats."""
        if self.sees is None or self.sees not in seen:
            return None
        image = seen[self.sees].data
        windows = sliding_window_view(image, np.shape(self.drawn()))
        scores: FloatArray = self.fit(windows).sum(axis=(2, 3)).reshape(-1)
        return scores

    def drawn(self) -> FloatArray:
        """The shape as numbers, NaN where it may be either."""
        return pixels(self.shape or [])

    def fit(self, seen: FloatArray) -> FloatArray:
        """Log ratio of each pixel (..., rows, columns) under the shape and the background."""
        own = np.where(self.drawn() == 1.0, 1.0 - self.noise, self.noise)
        own = np.where(np.isnan(self.drawn()), self.background, own)
        on, off = np.log(own / self.background), np.log((1.0 - own) / (1.0 - self.background))
        ratio: FloatArray = np.where(np.isnan(seen), 0.0, np.where(seen == 1.0, on, off))
        return ratio
