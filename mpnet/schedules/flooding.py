"""Flooding: all messages at once, each from the messages of the iteration before."""

from __future__ import annotations

from mpnet.messages import Messages
from mpnet.schedules.base import Settings, Sweep


class Flooding:
    """Every factor answers, then every variable; the result does not depend on any order."""

    def __init__(self, settings: Settings | None = None) -> None:
        """Flooding has nothing to set."""

    def sweep(self, messages: Messages, damping: float) -> Sweep:
        """Update every message once."""
        residual, dead_factor = messages.send_from_factors(damping)
        edges = messages.graph.arrays.edge_variable.size
        return Sweep(residual, dead_factor, messages.refresh(), edges)
