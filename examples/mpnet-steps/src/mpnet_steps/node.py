"""The node type ``steps``: a model of how ordered features go on, from one to the next."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mpnet.plugin import (
    Fault,
    Field,
    FloatArray,
    Model,
    Name,
    NodeFaults,
    Reference,
    Rule,
    Surroundings,
    fault,
    field_validator,
)
from mpnet_steps.factor import Steps, on_the_way

Weight = float | list[float]


class StepsModel(Model):
    """A model of ordered features in a row: while active, each step between neighbours costs."""

    type_name: ClassVar[str] = "steps"
    kind: ClassVar[str] = "composite"
    in_question: ClassVar[bool] = True

    along: list[Name] = Field(
        min_length=2, description="Features with the same states, lowest first, in a row."
    )
    up: Weight = Field(
        0.5,
        description="Weight in [0, 1] of a step to the next state above, from one feature to the "
        "next; one for all steps, or one for each, from the lowest. 1 is free, 0 can't be.",
    )
    down: Weight = Field(0.5, description="Weight of a step to the next state below, as up.")

    @field_validator("up", "down")
    @classmethod
    def _are_weights(cls, weight: Weight) -> Weight:
        for number in weight if isinstance(weight, list) else [weight]:
            if not 0.0 <= number <= 1.0:
                raise ValueError(f"must be a weight in [0, 1], got {number:g}")
        return weight

    def references(self) -> list[Reference]:
        """The features in a row, and whatever it predicts besides."""
        row = [Reference(name, ("along", i)) for i, name in enumerate(self.along)]
        return row + super().references()

    def need_fit(self, around: Surroundings) -> None:
        """Refuse a row that makes no sense.

        Features differ and have equally many states; there are as many weights as steps.
        """
        faults = []
        counts = [len(around.states_of(name)) for name in self.along]
        for place, (name, count) in enumerate(zip(self.along, counts, strict=True)):
            if name in self.along[:place]:
                faults.append(Fault(("along", place), f"{name!r} is there twice"))
            if count < 2 or count != counts[0]:
                what = f"{name!r} has {count} states, {self.along[0]!r} has {counts[0]}"
                faults.append(Fault(("along", place), what, "equally many, two or more"))
        for key, weight in (("up", self.up), ("down", self.down)):
            if isinstance(weight, list) and len(weight) != counts[0] - 1:
                what = f"{len(weight)} weights for {counts[0] - 1} steps"
                faults.append(Fault((key,), what, "one weight for each step, or one for all"))
        if faults:
            raise NodeFaults(faults)

    def chance(self, around: Surroundings) -> float:
        """Log of the weight that the row has on average, by base rates; in nats."""
        rates = [around.base_rates_of(name) for name in self.along]
        steps = len(rates[0]) - 1
        ladder = np.array([w if isinstance(w, list) else [w] * steps for w in (self.up, self.down)])
        weights = np.exp(on_the_way(ladder))
        running, scale = rates[0], 0.0
        for rate in rates[1:]:
            running = (running @ weights) * rate
            total = float(running.sum())
            if total == 0.0:
                raise fault(
                    (), "no row of states with positive base rates can be, by these weights"
                )
            running, scale = running / total, scale + float(np.log(total))
        return scale

    def rules(self, name: str, around: Surroundings) -> list[Rule]:
        """One factor for each pair of neighbours; and its chance, so that it starts at its prior."""
        self.need_fit(around)
        neutral: FloatArray = np.array([0.0, -self.chance(around)])
        found = [Rule(f"{name} at its prior", (name,), neutral, hard=False)]
        hard = any(0.0 in np.atleast_1d(weight) for weight in (self.up, self.down))
        for one, two in zip(self.along[:-1], self.along[1:], strict=True):
            steps = Steps(one, two, self.up, self.down, switch=name, name=f"{name}: {one}, {two}")
            found.append(Rule(steps.name, steps.scope, kind=steps, hard=hard, by=name))
        return found
