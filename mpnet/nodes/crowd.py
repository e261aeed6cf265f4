"""A crowd of models drawn at random, for studies of large libraries; brings them and their features."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, model_validator

from mpnet.kernels.layout import IntArray
from mpnet.nodes.base import Node

MOST_DRAWN = 2**25
"""Pairs of a model and a feature that are drawn from, at most: 256 MB of random bits."""


class Crowd(Node):
    """Many models, each of which predicts a few features that are drawn at random."""

    kind: ClassVar[str] = "data"

    models: int = Field(2000, ge=1, le=10**5, description="How many; called m0000, m0001, ....")
    features: int = Field(300, ge=1, le=10**5, description="How many; called f000, f001, ....")
    predicts: int = Field(10, ge=1, le=1000, description="Features that each model predicts.")
    prior: float = Field(0.001, gt=0.0, lt=1.0, description="Probability of each to be active.")
    probability: float = Field(
        0.9, gt=0.0, lt=1.0, description="Of a feature, while a model that predicts it is active."
    )
    base_rate: float = Field(0.1, gt=0.0, lt=1.0, description="Of a feature otherwise.")
    seed: int = Field(0, ge=0, description="Seed of the draw, which is the same on every machine.")

    @model_validator(mode="after")
    def _fits(self) -> Crowd:
        if self.models * self.features > MOST_DRAWN:
            raise ValueError(
                f"{self.models} models times {self.features} features are too many to draw from; "
                f"at most {MOST_DRAWN} pairs"
            )
        return self

    def domain(self) -> tuple[str, ...]:
        """No variable of its own."""
        return ()

    def brings(self, name: str) -> dict[str, dict[str, Any]]:
        """Features, then models."""
        wide, long = len(str(self.features - 1)), len(str(self.models - 1))
        labels = [f"f{i:0{wide}d}" for i in range(self.features)]
        nodes: dict[str, dict[str, Any]] = {
            label: {"type": "feature", "base_rates": {"yes": self.base_rate}} for label in labels
        }
        count = min(self.predicts, self.features)
        for i, row in enumerate(drawn(self.models, self.features, count, self.seed)):
            said = {labels[feature]: {"yes": self.probability} for feature in row.tolist()}
            nodes[f"m{i:0{long}d}"] = {"type": "model", "prior": self.prior, "predicts": said}
        return nodes


@cache
def drawn(models: int, features: int, predicts: int, seed: int) -> IntArray:
    """Features that each model predicts, ascending, int64[models, predicts]."""
    # Raw bits of a bit generator never change between versions of numpy.
    bits = np.random.PCG64(seed).random_raw(models * features).reshape(models, features)
    chosen: IntArray = np.sort(np.argsort(bits, axis=1, kind="stable")[:, :predicts], axis=1)
    chosen.flags.writeable = False
    return chosen
