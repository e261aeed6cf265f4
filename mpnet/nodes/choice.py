"""A choice: exactly one of several models is active, or at most one."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator

from mpnet.kernels.layout import FloatArray
from mpnet.names import Name
from mpnet.nodes.base import ACTIVATION, Node, Reference, Rule, Surroundings

NONE = "none"


class Choice(Node):
    """Rivals of which exactly one (or at most one) is active; its states are their names."""

    kind: ClassVar[str] = "choice"
    in_question: ClassVar[bool] = True

    among: list[Name] = Field(min_length=1, description="The rival models.")
    rule: Literal["exactly_one", "at_most_one"] = Field(
        "exactly_one", description="Whether somebody must be active; at_most_one adds a state none."
    )

    @field_validator("among")
    @classmethod
    def _rivals_differ(cls, among: list[str]) -> list[str]:
        for number, rival in enumerate(among):
            if rival in among[:number]:
                raise ValueError(f"{rival!r} is there twice; rivals must differ")
            if rival in ACTIVATION:
                raise ValueError(f"a rival can't be called {rival!r}, which every model can be")
            if rival == NONE:
                raise ValueError(f"a rival can't be called {NONE!r}, the state of no rival at all")
        return among

    def references(self) -> list[Reference]:
        """The rivals."""
        return [Reference(name, ("among", i), "activation") for i, name in enumerate(self.among)]

    def domain(self) -> tuple[str, ...]:
        """Names of the rivals, then ``none`` where nobody need be active."""
        return (*self.among, NONE) if self.rule == "at_most_one" else tuple(self.among)

    def rates(self, around: Surroundings) -> FloatArray:
        """What the rivals' priors leave of each choice, when nobody predicts anything."""
        rates = [around.base_rates_of(name) for name in self.among]
        odds = [float(r[1] / r[0]) for r in rates] + [1.0] * (self.rule == "at_most_one")
        return np.array(odds) / sum(odds)

    def unary(self, around: Surroundings) -> FloatArray:
        """Nothing: the rivals' own priors are weighed already."""
        return np.zeros(len(self.domain()))

    def rules(self, name: str, around: Surroundings) -> list[Rule]:
        """Tie each rival to its state: it is active if and only if it is chosen."""
        states = self.domain()
        found = []
        for rival in self.among:
            table = np.full((len(states), 2), -np.inf)
            table[:, 0] = 0.0
            chosen = states.index(rival)
            table[chosen] = -np.inf, 0.0
            found.append(Rule(f"{name} chooses {rival}", (name, rival), table))
        return found
