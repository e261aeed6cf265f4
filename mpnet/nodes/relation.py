"""Relations between places: a box that the step from one to the other lies in.

Such as |x_i - x_j| <= r; the max-product message through it is a grey dilation.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from mpnet.dense import TABLE_ENTRIES
from mpnet.kernels.layout import FloatArray
from mpnet.names import Name
from mpnet.nodes.base import Reference, Rule, Surroundings, fault
from mpnet.nodes.model import Model
from mpnet.nodes.place import Place

Span = tuple[float, float]

_AHEAD: Span = (1.0, np.inf)
_BEHIND: Span = (-np.inf, -1.0)


class Relation(Model):
    """A model of how two places lie: while active, the step between them is inside a box."""

    kind: ClassVar[str] = "composite"
    in_question: ClassVar[bool] = True

    between: list[Name] = Field(
        min_length=2, max_length=2, description="Two places: the step goes from the first."
    )
    how: Literal["left_of", "right_of", "above", "below", "attached"] | None = Field(
        None, description="What the first is to the second; or write x and y."
    )
    within: int | None = Field(
        None,
        ge=0,
        description="For attached, the most cells apart (1); for others, the most astray.",
    )
    x: list[int] | None = Field(
        None, min_length=2, max_length=2, description="Least and most cells to the right."
    )
    y: list[int] | None = Field(
        None, min_length=2, max_length=2, description="Least and most cells down."
    )
    holds: float = Field(
        0.99, gt=0.5, le=1.0, description="Probability that the box holds while it is active."
    )

    @field_validator("between")
    @classmethod
    def _are_two(cls, between: list[str]) -> list[str]:
        if between[0] == between[1]:
            raise ValueError(f"{between[1]!r} is there twice; a relation is between two")
        return between

    @field_validator("x", "y")
    @classmethod
    def _upwards(cls, span: list[int] | None) -> list[int] | None:
        if span is not None and span[0] > span[1]:
            raise ValueError(f"the least, {span[0]}, is above the most, {span[1]}")
        return span

    @model_validator(mode="before")
    @classmethod
    def _is_said_once(cls, keys: Any) -> Any:
        if isinstance(keys, dict):
            boxed = keys.get("x") is not None or keys.get("y") is not None
            if (keys.get("how") is not None) == boxed:
                raise ValueError("write either how, or x or y or both")
            if boxed and keys.get("within") is not None:
                raise ValueError("within goes with how")
        return keys

    def references(self) -> list[Reference]:
        """Both places, and whatever it predicts besides."""
        places = [Reference(name, ("between", i)) for i, name in enumerate(self.between)]
        return places + super().references()

    def box(self) -> tuple[Span, Span]:
        """Least and most steps to the right, and down."""
        aside = np.inf if self.within is None else float(self.within)
        across: Span = (-aside, aside)
        if self.how == "attached":
            reach = 1.0 if self.within is None else aside
            return (-reach, reach), (-reach, reach)
        if self.how is not None:
            ahead = _AHEAD if self.how in ("left_of", "above") else _BEHIND
            return (ahead, across) if self.how in ("left_of", "right_of") else (across, ahead)
        return _span(self.x), _span(self.y)

    def allowed(self, first: Place, second: Place) -> NDArray[np.bool_]:
        """Whether the step from each cell of the one to each of the other is in the box."""
        (left, right), (up, down) = self.box()
        (x0, y0), (x1, y1) = _cells(first), _cells(second)
        dx, dy = x1[None, :] - x0[:, None], y1[None, :] - y0[:, None]
        found: NDArray[np.bool_] = (left <= dx) & (dx <= right) & (up <= dy) & (dy <= down)
        return found

    def table(self, around: Surroundings) -> FloatArray:
        """Log ratio of both places given the activation to their base rates, in nats.

        Shape (2, cells, cells). Inactive, it says nothing; active, the box holds with the
        probability ``holds``, and within it and outside of it places stay as likely as they
        are. Unobserved places send an exactly neutral message.
        """
        places = [self._place(number, around) for number in range(2)]
        cells = [place.width * place.height for place in places]
        if 2 * math.prod(cells) > TABLE_ENTRIES:
            what = f"a table of 2 × {cells[0]} × {cells[1]} entries; at most {TABLE_ENTRIES} fit"
            raise fault(("between",), what, "places of fewer cells")
        inside = self.allowed(*places)
        rates = [around.base_rates_of(name) for name in self.between]
        chance = float(rates[0] @ inside @ rates[1])
        if not 0.0 < chance < 1.0 - 1e-12:
            often = "never" if chance == 0.0 else "always"
            raise fault((), f"the box {often} holds on these grids, so the relation says nothing")
        with np.errstate(divide="ignore"):
            out = np.log(1.0 - self.holds) - np.log1p(-chance)
        active = np.where(inside, np.log(self.holds) - np.log(chance), out)
        return np.stack([np.zeros_like(active), active])

    def rules(self, name: str, around: Surroundings) -> list[Rule]:
        """The table of the activation and both places."""
        table = self.table(around)
        return [Rule(f"{name} relates", (name, *self.between), table, hard=self.holds == 1.0)]

    def _place(self, number: int, around: Surroundings) -> Place:
        place = around.node(self.between[number])
        if not isinstance(place, Place):
            raise fault(
                ("between", number), f"{self.between[number]!r} is not a node of type place"
            )
        return place


def _span(written: list[int] | None) -> Span:
    return (-np.inf, np.inf) if written is None else (float(written[0]), float(written[1]))


def _cells(place: Place) -> tuple[FloatArray, FloatArray]:
    """Columns and rows of all cells, shape (cells,) each."""
    y, x = np.divmod(np.arange(place.width * place.height), place.width)
    return x.astype(np.float64), y.astype(np.float64)
