"""No centre: whoever has something to say wakes by a clock of its own, and messages are held up."""

from __future__ import annotations

import numpy as np

from mpnet.kernels.layout import FloatArray, IndexArray
from mpnet.schedules.asynchronous import FASTEST, SLOWEST


class Clocks:
    """Who speaks in a round, and what gets through.

    A variable that has something to say wakes within a round with the probability 1 - exp(-rate),
    its rate drawn once from the same range as by the schedule ``asynchronous``. A message gets
    through with the probability (1 - loss) / (1 + delay); one that does not is said anew whenever
    its variable wakes, with what is to be said by then. So a run has settled only when everything
    has been heard, and ends where one without losses does.

    Parameters
    ----------
    seed : int
        Of all that is drawn.
    loss : float
        Share of messages that get lost, in [0, 1).
    delay : float
        Mean delay of a message, in rounds, >= 0.

    """

    def __init__(self, seed: int = 0, loss: float = 0.0, delay: float = 0.0) -> None:
        self._draw = np.random.default_rng(seed)
        self._wakes: FloatArray = np.empty(0)
        self.chance = (1.0 - loss) / (1.0 + delay)

    def divide(self, waiting: IndexArray) -> int:
        """Put those who wake in this round first; how many they are.

        Parameters
        ----------
        waiting : int32[n]
            Variables that have something to say; overwritten with the same in another order.

        """
        missing = int(waiting.max(initial=-1)) + 1 - self._wakes.size
        if missing > 0:
            rates = self._draw.uniform(SLOWEST, FASTEST, size=max(missing, self._wakes.size))
            self._wakes = np.concatenate([self._wakes, -np.expm1(-rates)])
        awake = self._draw.random(waiting.size) < self._wakes[waiting]
        waiting[:] = np.concatenate([waiting[awake], waiting[~awake]])
        return int(awake.sum())

    def luck(self, edges: int) -> FloatArray:
        """A uniform random number for each edge, shape (edges,); none where all gets through."""
        return self._draw.random(edges if self.chance < 1.0 else 0)
