"""A feature: something that can be observed, in one of several states."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field, field_validator

from mpnet.kernels.layout import FloatArray
from mpnet.names import Name
from mpnet.nodes.base import Node, NodeFaults, Surroundings, fault, moved, read_distribution


class Feature(Node):
    """Something observable with named states and base rates, such as a colour."""

    kind: ClassVar[str] = "feature"

    states: list[Name] = Field(
        default=["no", "yes"], min_length=1, description="Names of its states."
    )
    base_rates: dict[str, float] | list[float] | None = Field(
        None,
        description="How often each state occurs when nobody predicts anything; equal if left out.",
    )

    @field_validator("states")
    @classmethod
    def _states_differ(cls, states: list[str]) -> list[str]:
        for number, state in enumerate(states):
            if state in states[:number]:
                raise ValueError(f"state {state!r} is there twice; states must differ")
        return states

    def domain(self) -> tuple[str, ...]:
        """The named states."""
        return tuple(self.states)

    def rates(self, around: Surroundings) -> FloatArray:
        """Base rates as written; states left out of a mapping share the rest equally."""
        given = self.base_rates
        if given is None:
            return np.full(len(self.states), 1.0 / len(self.states))
        if isinstance(given, list):
            if len(given) != len(self.states):
                what = f"{len(given)} base rates for {len(self.states)} states"
                raise fault(("base_rates",), what, "one number per state")
            given = dict(zip(self.states, given, strict=True))
        try:
            return read_distribution(given, self.domain(), None)
        except NodeFaults as error:
            raise moved(error, "base_rates") from None
