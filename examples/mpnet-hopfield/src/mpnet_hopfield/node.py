"""The node type ``hopfield``: a memory that recalls a whole pattern from a part of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from mpnet.plugin import (
    Fault,
    Field,
    FloatArray,
    Name,
    Node,
    NodeFaults,
    Observation,
    Prediction,
    Reference,
    Rule,
    Surroundings,
    fault,
    field_validator,
    read_evidence,
)
from mpnet_hopfield.patterns import Floats, cells, recall, scores

UNFAMILIAR = "unfamiliar"


class Hopfield(Node):
    """A memory of patterns over binary features: it recalls whole ones from noisy parts."""

    kind: ClassVar[str] = "choice"
    in_question: ClassVar[bool] = True

    patterns: dict[Name, list[str]] = Field(
        min_length=1, description="By name, rows of cells: # is on, . is off."
    )
    over: list[Name] | None = Field(
        None,
        description="Features with two states, off and on, one for each cell, row by row; if left "
        "out, the memory brings its own, called '<memory> <row>.<column>', from 1.",
    )
    beta: float = Field(
        1.0, gt=0.0, le=50.0, description="How exact it is: nats that each cell is worth."
    )
    unfamiliar: float | None = Field(
        None,
        gt=0.0,
        lt=1.0,
        description=f"Probability of no stored pattern at all, which adds the state {UNFAMILIAR}.",
    )

    @field_validator("patterns")
    @classmethod
    def _are_alike(cls, patterns: dict[str, list[str]]) -> dict[str, list[str]]:
        shapes = {}
        for name, rows in patterns.items():
            if not rows or "?" in "".join(rows):
                raise ValueError(
                    f"{name!r}: a stored pattern has rows of # and ., all of them seen"
                )
            shapes[name] = cells(rows).shape
        first = next(iter(shapes))
        for name, shape in shapes.items():
            if shape != shapes[first]:
                raise ValueError(
                    f"{name!r} has {_size(shape)}, {first!r} has {_size(shapes[first])}"
                )
        if UNFAMILIAR in patterns:
            raise ValueError(f"a pattern can't be called {UNFAMILIAR!r}")
        return patterns

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width, in cells."""
        rows = next(iter(self.patterns.values()))
        return len(rows), len(rows[0])

    @property
    def stored(self) -> Floats:
        """All patterns, of +1 and -1, shape (patterns, cells)."""
        return np.array([cells(rows).reshape(-1) for rows in self.patterns.values()])

    def features(self, name: str) -> list[str]:
        """The features of the memory called ``name``, one for each cell."""
        if self.over is not None:
            return list(self.over)
        height, width = self.shape
        return [f"{name} {row}.{column}" for row in range(1, height + 1)
                for column in range(1, width + 1)]  # fmt: skip

    def brings(self, name: str) -> dict[str, dict[str, Any]]:
        """A feature for each cell, unless others are named."""
        if self.over is not None:
            return {}
        return {each: {"type": "feature", "states": ["off", "on"]} for each in self.features(name)}

    def references(self) -> list[Reference]:
        """The named features."""
        return [Reference(each, ("over", i), "token") for i, each in enumerate(self.over or [])]

    def domain(self) -> tuple[str, ...]:
        """The patterns, and ``unfamiliar`` if that can be."""
        return (*self.patterns, *([UNFAMILIAR] if self.unfamiliar else []))

    def rates(self, around: Surroundings) -> FloatArray:
        """All patterns are equally likely; shape (states,)."""
        rest = self.unfamiliar or 0.0
        known = [(1.0 - rest) / len(self.patterns)] * len(self.patterns)
        return np.array([*known, *([rest] if rest else [])])

    def rules(self, name: str, around: Surroundings) -> list[Rule]:
        """A table for each cell: what a pattern says of it, less what its base rate says."""
        features = self.features(name)
        if len(features) != self.stored.shape[1]:
            what = f"{len(features)} features for {self.stored.shape[1]} cells"
            raise fault(("over",), what, "one for each cell, row by row")
        twice = [i for i, each in enumerate(features) if each in features[:i]]
        if twice:
            raise NodeFaults([Fault(("over", i), f"{features[i]!r} is there twice") for i in twice])
        return [
            Rule(f"{name}: {feature}", (name, feature), self._table(column, feature, around),
                 hard=False)
            for feature, column in zip(features, self.stored.T, strict=True)
        ]  # fmt: skip

    def _table(self, column: Floats, feature: str, around: Surroundings) -> FloatArray:
        """Log ratios in nats, shape (states, 2): zero where nothing is recalled."""
        base = around.base_rates_of(feature)
        on = 1.0 / (1.0 + np.exp(-2.0 * self.beta * column))
        rows = [Prediction(feature, np.array([1.0 - p, p])).log_ratio(base) for p in on]
        return np.array([*rows, *([np.zeros(2)] if self.unfamiliar else [])])

    def observe(self, value: Any) -> Observation:
        """Read a cue, as rows of #, . and ?; or a pattern by name, or likelihoods of patterns."""
        if not isinstance(value, list):
            return read_evidence(value, self.domain())
        if not all(isinstance(row, str) for row in value) or not value:
            raise fault((), "a cue must be rows of #, . and ?", "quote each row")
        try:
            cue = cells(value)
        except ValueError as error:
            raise fault((), str(error)) from None
        if cue.shape != self.shape:
            raise fault((), f"a cue of {_size(cue.shape)}; the patterns have {_size(self.shape)}")
        logs = scores(self.stored, cue.reshape(-1), self.beta)
        seen = int(np.count_nonzero(cue))
        if self.unfamiliar:
            logs = np.append(logs, 0.0)
        text = f"a cue, {seen} of {cue.size} cells seen"
        grey = np.where(cue == 0.0, np.nan, (cue + 1.0) / 2.0)
        return Observation(text, logs, grey, extra={"memory": self, "cue": cue.reshape(-1)})

    def picture(self, seen: Mapping[str, Observation], around: Surroundings) -> FloatArray | None:
        """What it recalls from a cue, as grey values in [0, 1], shape (height, width)."""
        own = (each.extra for each in seen.values() if each.extra.get("memory") is self)
        found = next(own, None)
        if found is None:
            return None
        recalled = recall(self.stored, found["cue"], self.beta)
        return (recalled.reshape(self.shape) + 1.0) / 2.0


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} rows of {shape[1]} cells"
