"""What an experiment answers: measurements on a scenario that one run alone can't make.

An experiment is a class that inherits ``Experiment``: its fields are the keys that authors write
under ``experiment``, its ``measures`` are the numbers that ``expect`` may speak of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ConfigDict

from mpnet.record import Findings

if TYPE_CHECKING:  # scenarios are loaded with their experiments
    from mpnet.simulation.loading import Scenario

Tell = Callable[[int, int], None]
"""Called after each part of a long experiment: how many are done, how many there are."""


class Experiment(BaseModel):
    """Base of all experiments; inherit, declare the keys as fields, and measure.

    The first line of a type's docstring is what ``mpnet list experiments`` shows. *Evolving.*
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    along: ClassVar[bool] = False
    """Whether it follows a timeline and a lifecycle; others would leave them out."""

    def measures(self, scenario: Scenario) -> Mapping[str, str]:
        """Names of the numbers that a run will find, each with what it is and its unit."""
        raise NotImplementedError

    def check(self, scenario: Scenario) -> None:
        """Whatever can be wrong once all nodes are known.

        Raises
        ------
        NodeFaults
            With every fault; paths are relative to the experiment's keys.

        """

    def run(self, scenario: Scenario, tell: Tell) -> Findings:
        """Measure. Everything random is drawn from ``scenario.spec.inference.seed``.

        Raises
        ------
        MpnetError
            If it can't be done, such as where data are missing.

        """
        raise NotImplementedError


def difference(one: float, other: float) -> float:
    """How far two numbers are apart; 0 where both are the same infinity."""
    return 0.0 if one == other else abs(one - other)
