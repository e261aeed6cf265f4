"""A sequence: a model of several steps. It runs through phases, each with its own predictions."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator

from mpnet.kernels.layout import FloatArray
from mpnet.names import Name
from mpnet.nodes.base import (
    DISTRIBUTION_SLACK,
    Node,
    NodeFaults,
    Prediction,
    Reference,
    Surroundings,
    fault,
    moved,
    read_distribution,
)
from mpnet.nodes.model import WRITTEN, read_prediction
from mpnet.nodes.phases import OFF, long_run, reachable, transition_table

Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class Phase(BaseModel):
    """One phase of a sequence."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    name: Name | None = Field(None, description="Its state's name; its number if left out.")
    predicts: dict[str, Any] = Field(
        default_factory=dict, description=f"By node, what follows at its step: {WRITTEN}."
    )
    next: dict[str, float] | None = Field(
        None,
        description="By phase (or off), where an advance leads; the phase after it if left out.",
    )
    dwell: Probability | None = Field(None, description="As for the sequence, in this phase.")
    skip: Probability | None = Field(None, description="As for the sequence, in this phase.")
    abort: Probability | None = Field(None, description="As for the sequence, in this phase.")


class Sequence(Node):
    """A model of several steps: it starts, advances, dwells or breaks off, and predicts by phase."""

    in_time: ClassVar[bool] = True

    phases: list[Phase] = Field(
        min_length=1, description="In order; several may predict the same (clones)."
    )
    start: float = Field(
        0.05, gt=0.0, le=1.0, description="Probability to start at a step, while off."
    )
    begins: dict[str, float] | None = Field(
        None, description="By phase, where it starts; the first phase if left out."
    )
    dwell: Probability = Field(0.2, description="Probability to stay in a phase for another step.")
    skip: Probability = Field(0.0, description="Probability to leave out the next phase.")
    abort: Probability = Field(0.02, description="Probability to break off: to be off at the next.")
    repeats: Probability = Field(
        0.0, description="Probability that the first phase, and not off, follows the last."
    )

    @field_validator("phases")
    @classmethod
    def _names_differ(cls, phases: list[Phase]) -> list[Phase]:
        names = [OFF, "active", "inactive"]
        for number, phase in enumerate(phases, start=1):
            name = phase.name or str(number)
            if name in names:
                raise ValueError(f"phase {number} can't be called {name!r}: that is taken")
            names.append(name)
        return phases

    def domain(self) -> tuple[str, ...]:
        """Off, then the phases."""
        names = [phase.name or str(n) for n, phase in enumerate(self.phases, start=1)]
        return (OFF, *names)

    def references(self) -> list[Reference]:
        """Every node that some phase predicts."""
        return [
            Reference(target, ("phases", number, "predicts", target))
            for number, phase in enumerate(self.phases)
            for target in phase.predicts
        ]

    def transition(self, around: Surroundings) -> FloatArray:
        """Probability of each state at the next step given the state at this one; rows sum to 1.

        Raises
        ------
        NodeFaults
            If probabilities sum to more than 1, or a phase is named that is not there.

        """
        count = len(self.phases)
        follows = np.array([self._follows(number) for number in range(count)])
        begins = np.eye(count + 1)[1]
        if self.begins is not None:
            begins = self._shares(self.begins, ("begins",))
            if begins[0] > 0.0:
                raise fault(("begins", OFF), "a sequence can't begin by being off", "a phase")
        rates = np.array([self._rates(number) for number in range(count)])
        return transition_table(follows, self.start, begins, rates)

    def rates(self, around: Surroundings) -> FloatArray:
        """Share of steps in each state, in the long run, when nobody predicts anything.

        Raises
        ------
        NodeFaults
            If it depends on the start, or some phase has none.

        """
        table = self.transition(around)
        reach = reachable(table)
        states = self.domain()
        for number in np.flatnonzero(~reach[0]):
            what = f"phase {states[number]!r} is never reached"
            raise fault(("phases", int(number) - 1), what, "let some phase's next lead to it")
        shares = long_run(table)
        if shares is None:
            what = "which phases it ends in depends on chance alone"
            raise fault(("phases",), what, "let every phase break off (abort) or come to an end")
        for number in np.flatnonzero(shares[1:] == 0.0):
            what = f"phase {states[1 + number]!r} never comes back, so it has no base rate"
            raise fault(
                ("phases", int(number)), what, "let what follows break off or come to an end"
            )
        return shares

    def predictions(self, around: Surroundings) -> list[Prediction]:
        """Those of each phase, while the sequence is in it."""
        found, faults = [], []
        for number, phase in enumerate(self.phases):
            for target, written in phase.predicts.items():
                path = ("phases", number, "predicts", target)
                try:
                    said = read_prediction(target, written, path, around)
                    found.append(replace(said, when=number + 1))
                except NodeFaults as error:
                    faults += list(moved(error, *path).faults)
        if faults:
            raise NodeFaults(faults)
        return found

    def _follows(self, number: int) -> FloatArray:
        """Where an advance leads from a phase (counted from 0), shape (states,)."""
        written, count = self.phases[number].next, len(self.phases)
        if written is not None:
            return self._shares(written, ("phases", number, "next"))
        found = np.zeros(count + 1)
        if number + 1 < count:
            found[number + 2] = 1.0
        else:
            found[:2] = 1.0 - self.repeats, self.repeats
        return found

    def _shares(self, written: dict[str, float], path: tuple[str | int, ...]) -> FloatArray:
        try:
            total = float(sum(written.values()))
            found = read_distribution(written, self.domain(), None, sums_to_one=False)
        except NodeFaults as error:
            raise moved(error, *path) from None
        if abs(total - 1.0) > DISTRIBUTION_SLACK:
            raise fault(path, f"the probabilities sum to {total:g}, not 1")
        return np.where([state in written for state in self.domain()], found, 0.0) / total

    def _rates(self, number: int) -> list[float]:
        """Probabilities of staying, skipping and breaking off in a phase (counted from 0)."""
        phase = self.phases[number]
        found = []
        for key in ("dwell", "skip", "abort"):
            own = getattr(phase, key)
            found.append(getattr(self, key) if own is None else own)
        if sum(found) > 1.0 + DISTRIBUTION_SLACK:
            what = f"dwell, skip and abort of phase {number + 1} sum to {sum(found):g}"
            raise fault(("phases", number), what, "at most 1; what is left is to advance")
        return found
