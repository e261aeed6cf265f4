"""A composite: a model made of other models. It predicts that its parts are active."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from mpnet.errors import Fault
from mpnet.names import Name
from mpnet.nodes.base import ACTIVATION, NodeFaults, Prediction, Reference, Surroundings
from mpnet.nodes.model import Model


class Composite(Model):
    """A model that predicts that its parts are active, such as "purple jar"."""

    kind: ClassVar[str] = "composite"
    in_question: ClassVar[bool] = True

    parts: list[Name] = Field(min_length=1, description="The nodes it is made of.")
    holds_parts: float = Field(
        0.9995,
        gt=0.0,
        le=1.0,
        description="Probability that each part is active while the composite is.",
    )

    def references(self) -> list[Reference]:
        """The parts, and whatever it predicts besides."""
        parts = [Reference(p, ("parts", i), "activation") for i, p in enumerate(self.parts)]
        return parts + super().references()

    def predictions(self, around: Surroundings) -> list[Prediction]:
        """One per part, then those under ``predicts``."""
        faults = []
        for number, part in enumerate(self.parts):
            if part in self.parts[:number]:
                faults.append(Fault(("parts", number), f"part {part!r} is there twice"))
            elif part in self.predicts:
                what = f"{part!r} is a part already, so it is predicted"
                faults.append(Fault(("predicts", part), what, "leave one of the two out", True))
        if faults:
            raise NodeFaults(faults)
        active = np.array([1.0 - self.holds_parts, self.holds_parts])
        made_of = [
            Prediction(part, active, 1.0, ("parts", number))
            for number, part in enumerate(self.parts)
            if self._is_there(part, around)
        ]
        return made_of + super().predictions(around)

    @staticmethod
    def _is_there(part: str, around: Surroundings) -> bool:
        """Whether a part can be active; if not, that was said of the reference already."""
        try:
            return around.states_of(part) == ACTIVATION and around.base_rates_of(part).size > 0
        except NodeFaults:
            return False
