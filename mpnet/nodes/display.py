"""A display of letters as lines, some of which may not be seen; and the lines themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mpnet.kernels.layout import FloatArray
from mpnet.names import Name
from mpnet.nodes.base import Node, NodeFaults, Observation, Reference, Surroundings, fault
from mpnet.nodes.lexicon import BLANK, SYMBOLS, Font, lines_of

UNSEEN = -1
"""In place of 0 or 1, a line of which nothing is known."""
NOTHING = "unseen"
FORMS = f"write letters, {BLANK} or {NOTHING}; of k|r, what both share is seen"


class Display(Node):
    """Letters as they are drawn: data. Evidence is a list of letters, such as [w, o, r, k|r]."""

    kind: ClassVar[str] = "data"

    places: int = Field(ge=1, le=32, description="How many letters there is room for.")
    font: Font = Field("segments", description="How letters are drawn.")

    def domain(self) -> tuple[str, ...]:
        """No variable."""
        return ()

    def observe(self, value: Any) -> Observation:
        """Read what stands at each place."""
        if not isinstance(value, list) or len(value) != self.places:
            raise fault((), f"must be a list of {self.places} places, got {value!r}", FORMS)
        lines, faults = [], []
        for place, written in enumerate(value):
            try:
                lines.append(self._read(place, written))
            except NodeFaults as error:
                faults += list(error.faults)
        if faults:
            raise NodeFaults(faults)
        return Observation(" ".join(map(str, value)), data=np.array(lines, dtype=np.float64))

    def _read(self, place: int, written: Any) -> NDArray[np.int64]:
        """Lines of one place (lines,): 1 drawn, 0 not drawn, -1 not seen."""
        font = lines_of(self.font)
        if written == NOTHING:
            return np.full(font.shape[1], UNSEEN)
        names = str(written).split("|")
        for name in names:
            if name not in SYMBOLS:
                raise fault((place,), f"{name!r} is no letter", FORMS)
        drawn = font[[SYMBOLS.index(name) for name in names]].astype(np.int64)
        return np.where((drawn == drawn[0]).all(axis=0), drawn[0], UNSEEN)


class Line(Node):
    """One line of a letter on a display: drawn or not."""

    kind: ClassVar[str] = "feature"

    sees: Name = Field(description="The node of type display that it looks at.")
    place: int = Field(ge=0, description="The place of its letter, from 0.")
    number: int = Field(ge=0, description="Its own number in the letter, from 0.")
    rate: float = Field(0.5, gt=0.0, lt=1.0, description="How often it is drawn.")

    def references(self) -> list[Reference]:
        """The display."""
        return [Reference(self.sees, ("sees",), "data")]

    def domain(self) -> tuple[str, ...]:
        """Not drawn and drawn."""
        return ("no", "yes")

    def rates(self, around: Surroundings) -> FloatArray:
        """As written."""
        return np.array([1.0 - self.rate, self.rate])

    def check(self, around: Surroundings) -> None:
        """Whether the display has such a place and such a line."""
        display = around.node(self.sees)
        if not isinstance(display, Display):
            raise fault(("sees",), f"{self.sees!r} is not a node of type display")
        if self.place >= display.places:
            raise fault(("place",), f"there is no place {self.place}", f"0 to {display.places - 1}")
        last = lines_of(display.font).shape[1] - 1
        if self.number > last:
            raise fault(("number",), f"there is no line {self.number}", f"0 to {last}")

    def log_likelihood(
        self, seen: Mapping[str, Observation], around: Surroundings
    ) -> FloatArray | None:
        """What the display shows, for certain, where it is seen at all."""
        if self.sees not in seen:
            return None
        line = seen[self.sees].data[self.place, self.number]
        if line == UNSEEN:
            return None
        return np.array([0.0, -np.inf] if line == 0 else [-np.inf, 0.0])
