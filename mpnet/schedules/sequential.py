"""Sequential: variables take turns, and each uses what those before it have just said."""

from __future__ import annotations

import numpy as np

from mpnet.kernels.layout import UNSAFE, IndexArray
from mpnet.kernels.serial import update_in_turn
from mpnet.messages import Messages
from mpnet.schedules.base import Settings, Sweep


def sweep_in_order(messages: Messages, order: IndexArray, damping: float) -> Sweep:
    """Let variables take turns.

    Parameters
    ----------
    messages : Messages
        Moved in place.
    order : int32[...]
        Variables; each hears all its factors and then speaks to all.
    damping : float
        Weight of the old message, in the log domain, in [0, 1).

    """
    graph = messages.graph
    if not graph.families:
        return Sweep(0.0, -1, messages.refresh())
    while True:
        residual, factor, variable = update_in_turn(
            messages.semiring,
            messages.states,
            graph.arrays,
            graph.edge_factor,
            messages.family_arrays,
            messages.potentials,
            order,
            messages.limits,
            float(damping),
            messages.to_variable,
            messages.to_factor,
            messages.beliefs,
            np.empty_like(messages.to_variable),
            messages.edge_residual,
        )
        if UNSAFE not in (factor, variable):
            break
        messages.use_logs()
    starts = graph.arrays.variable_edges
    updates = int((starts[order + 1] - starts[order]).sum())
    last = messages.refresh()
    return Sweep(residual, factor, variable if variable >= 0 else last, updates)


class Sequential:
    """Variables in the order of their indices."""

    def __init__(self, settings: Settings | None = None) -> None:
        """Nothing to set: the order is that of the graph."""

    def sweep(self, messages: Messages, damping: float) -> Sweep:
        """Update every message once."""
        order = np.arange(len(messages.graph.variables), dtype=np.int32)
        return sweep_in_order(messages, order, damping)


class RandomOrder:
    """Variables in an order that is drawn anew for each sweep."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._draw = np.random.default_rng((settings or Settings()).seed)

    def sweep(self, messages: Messages, damping: float) -> Sweep:
        """Update every message once."""
        order = self._draw.permutation(len(messages.graph.variables)).astype(np.int32)
        return sweep_in_order(messages, order, damping)
