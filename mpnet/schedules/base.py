"""What a schedule answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mpnet.messages import Messages


@dataclass(frozen=True)
class Sweep:
    """What came of one iteration.

    Parameters
    ----------
    residual : float
        Largest change that an undamped update of any message would have made, in nats.
    dead_factor, dead_variable : int
        The first factor or variable that was left without support, or -1.
    updates : int
        Factor-to-variable messages that were moved.

    """

    residual: float
    dead_factor: int = -1
    dead_variable: int = -1
    updates: int = 0

    @property
    def consistent(self) -> bool:
        """Whether every factor and variable still has a possible state."""
        return self.dead_factor < 0 and self.dead_variable < 0


@dataclass(frozen=True)
class Settings:
    """What a schedule may want to know; the fields are those of ``Options``."""

    tolerance: float = 1e-8
    seed: int = 0
    loss: float = 0.0
    delay: float = 0.0


class Schedule(Protocol):
    """One iteration of message passing; it may keep state between sweeps."""

    def sweep(self, messages: Messages, damping: float) -> Sweep:
        """Move about as many messages as there are edges, or fewer once all have settled.

        Leaves ``to_factor`` and ``beliefs`` in step with ``to_variable``.
        """
        ...
