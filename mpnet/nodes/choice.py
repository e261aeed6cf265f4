"""A choice: models compete, by one of several laws, and a default may win when no rival does."""

from __future__ import annotations

from itertools import combinations
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from mpnet.factors import Cardinality, Or
from mpnet.kernels.layout import FloatArray
from mpnet.names import Name
from mpnet.nodes.base import ACTIVATION, Node, Reference, Rule, Surroundings

NONE = "none"
STRENGTH = 3.0
"""Nats, where a law needs a strength and none is written."""
DEEPEST = 600.0
"""Largest cost in nats that a single factor holds without underflow; pairs hold any."""

HARD = ("exactly_one", "at_most_one")
"""Laws under which the choice has a variable: who it is."""
SOFT = ("threshold", "winner_takes_all")
"""Laws with a strength."""


class Choice(Node):
    """Rivals that compete by one law: exactly_one, at_most_one, or a softer one.

    With s_i = 1 where rival i is active, and all else as the models themselves say, the law
    multiplies the joint distribution by

    * ``exactly_one``: 1 if sum_i s_i = 1, else 0; ``at_most_one``: 1 if sum_i s_i <= 1, else 0.
      The choice has a variable, whose states are the rivals (and ``none``);
    * ``independent``: 1. Every rival is for itself, as far as predictions do not make them fight;
    * ``threshold``: exp(-strength * sum_i s_i). A rival is active, which is to say believed with
      more than 1/2, where its prior log-odds and its evidence together exceed the threshold;
      rivals do not heed each other;
    * ``winner_takes_all``: exp(-strength * sum_{i<j} s_i s_j). Rivals inhibit each other, each
      active one all others by ``strength`` nats of their log-odds; the larger, the nearer to
      at_most_one. No cost falls on whoever wins alone.

    ``otherwise`` names one more model, which is active exactly when no rival is. These are the
    selection networks of Nengo SPA (independent accumulator, thresholding, winner-take-all with
    lateral inhibition, and a default output), written as factors.
    """

    kind: ClassVar[str] = "choice"
    in_question: ClassVar[bool] = True

    among: list[Name] = Field(min_length=1, description="The rival models.")
    rule: Literal["exactly_one", "at_most_one", "independent", "threshold", "winner_takes_all"] = (
        Field(
            "exactly_one",
            description="The law of competition: somebody must be active; at_most_one adds a state "
            "none; independent sets no law; threshold makes being active cost `strength` nats; "
            "winner_takes_all makes each pair that is active together cost `strength` nats.",
        )
    )
    strength: float | None = Field(
        None,
        gt=0.0,
        description=f"Nats, for threshold and winner_takes_all; {STRENGTH:g} if left out.",
    )
    otherwise: Name | None = Field(
        None, description="A model that is active exactly when no rival is: none of these."
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

    @field_validator("otherwise")
    @classmethod
    def _default_is_a_name(cls, otherwise: str | None) -> str | None:
        if otherwise in (*ACTIVATION, NONE):
            raise ValueError(f"the default can't be called {otherwise!r}, which is a state already")
        return otherwise

    @model_validator(mode="after")
    def _fits_together(self) -> Choice:
        if self.otherwise in self.among:
            raise ValueError(f"{self.otherwise!r} is a rival, so it can't be the default as well")
        if self.strength is not None and self.rule not in SOFT:
            raise ValueError(f"{self.rule} has no strength; it goes with {' and '.join(SOFT)}")
        return self

    @property
    def nats(self) -> float:
        """Strength of the law, in nats."""
        return STRENGTH if self.strength is None else self.strength

    def references(self) -> list[Reference]:
        """The rivals, and the default."""
        found = [Reference(name, ("among", i), "activation") for i, name in enumerate(self.among)]
        if self.otherwise is not None:
            found.append(Reference(self.otherwise, ("otherwise",), "activation"))
        return found

    def domain(self) -> tuple[str, ...]:
        """Who it is: the rivals, then the default or ``none``; no variable under softer laws."""
        if self.rule not in HARD:
            return ()
        if self.otherwise is not None:
            return (*self.among, self.otherwise)
        return (*self.among, NONE) if self.rule == "at_most_one" else tuple(self.among)

    def rates(self, around: Surroundings) -> FloatArray:
        """What the priors leave of each choice, when nobody predicts anything."""
        rates = [around.base_rates_of(name) for name in self.domain() if name != NONE]
        odds = [float(r[1] / r[0]) for r in rates] + [1.0] * (NONE in self.domain())
        return np.array(odds) / sum(odds)

    def unary(self, around: Surroundings) -> FloatArray:
        """Nothing: the rivals' own priors are weighed already."""
        return np.zeros(len(self.domain()))

    def rules(self, name: str, around: Surroundings) -> list[Rule]:
        """The law, as factors."""
        if self.rule in HARD:
            return [self._tie(name, rival) for rival in self.domain() if rival != NONE]
        found = self._costs(name)
        if self.otherwise is not None:
            label = f"{name}: {self.otherwise} if nobody else"
            scope = (*self.among, self.otherwise)
            nobody = Or(self.otherwise, self.among, negated=(self.otherwise,), name=label)
            found.append(Rule(label, scope, kind=nobody, by=name))
        return found

    def _tie(self, name: str, rival: str) -> Rule:
        """A rival is active if and only if it is chosen."""
        states = self.domain()
        table = np.full((len(states), 2), -np.inf)
        table[:, 0] = 0.0
        table[states.index(rival)] = -np.inf, 0.0
        return Rule(f"{name} chooses {rival}", (name, rival), table)

    def _costs(self, name: str) -> list[Rule]:
        """What a softer law costs."""
        if self.rule == "threshold":
            table = np.array([0.0, -self.nats])
            return [Rule(f"{name}: threshold of {r}", (r,), table, by=name) for r in self.among]
        count = len(self.among)
        if self.rule == "independent" or count == 1:
            return []
        pairs = np.arange(count + 1) * np.arange(-1, count) / 2
        label = f"{name}: winner takes all"
        if self.nats * pairs[-1] <= DEEPEST:
            law = Cardinality(self.among, list(np.exp(-self.nats * pairs)), name=label)
            return [Rule(label, tuple(self.among), kind=law, by=name)]
        table = np.array([[0.0, 0.0], [0.0, -self.nats]])
        return [
            Rule(f"{label}, {a} or {b}", (a, b), table, by=name)
            for a, b in combinations(self.among, 2)
        ]
