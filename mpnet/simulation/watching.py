"""What a run shows to whoever watches while it goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mpnet.kernels.layout import FloatArray
from mpnet.trace import Event


@dataclass(frozen=True)
class Glimpse:
    """One iteration, as it happens; arrays are live, copy to keep.

    Parameters
    ----------
    iteration : int
        Its number.
    residual, log_z : float
        In nats; the residual is NaN before any message.
    estimator : str
        Where the beliefs come from.
    places : mapping of str to slice
        Where each node that takes part stands in ``values``.
    values : float64[B]
        Beliefs, probabilities.

    """

    iteration: int
    residual: float
    log_z: float
    estimator: str
    places: Mapping[str, slice]
    values: FloatArray

    def belief(self, node: str) -> FloatArray | None:
        """Probabilities of a node's states; None while it does not take part."""
        place = self.places.get(node)
        return None if place is None else self.values[place]


@dataclass(frozen=True)
class Watcher:
    """Who watches: told of every iteration and of every event."""

    glimpse: Callable[[Glimpse], None] = lambda glimpse: None
    event: Callable[[Event], None] = lambda event: None


def places_of(nodes: Mapping[str, int]) -> dict[str, slice]:
    """Where nodes stand in a row, from the number of states of each."""
    found, start = {}, 0
    for name, count in nodes.items():
        found[name] = slice(start, start + count)
        start += count
    return found
