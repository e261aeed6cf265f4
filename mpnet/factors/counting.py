"""The content of weighted counts: what ``mpnet.kernels.counts`` serves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mpnet.content import Label
from mpnet.dense import WIDEST_RANGE, frozen, logs_of
from mpnet.errors import TooLargeError, size
from mpnet.factors.base import Chained, logs
from mpnet.kernels.counts import CountArrays
from mpnet.kernels.layout import FloatArray, IndexArray

SCRATCH = 2**27
"""Most partial results of one factor, in numbers: variables times counts (1 GB)."""


@dataclass(frozen=True, eq=False)
class Counts(Chained):
    """Counts of one arity and one cap, as ``mpnet.kernels.counts.CountArrays``.

    Parameters
    ----------
    stays : bool
        Whether a count that would go beyond the cap stays there; else it is impossible.
    flips : uint8[F, arity]
        One for each negated variable.
    steps : int32[F, arity]
        What each variable adds, from 0 to the cap.
    weights : float64[F, cap + 1]
        Potentials of counts.

    """

    stays: bool
    flips: NDArray[np.uint8]
    steps: IndexArray
    weights: FloatArray

    @property
    def kind(self) -> str:
        """Its kernels."""
        return "count"

    @property
    def count(self) -> int:
        """How many factors there are."""
        return len(self.flips)

    @property
    def shape(self) -> tuple[int, ...]:
        """All variables have two states."""
        return (2,) * int(self.flips.shape[1])

    @property
    def alike(self) -> tuple[Any, ...]:
        """Those that are capped alike."""
        return Counts, self.stays, self.weights.shape[1]

    def links(self, number: int) -> list[FloatArray]:
        """The count between two variables, as far as it can have got."""
        cap = self.weights.shape[1] - 1
        reach = np.minimum(np.cumsum([0, *self.steps[number].tolist()]), cap) + 1
        self.need_short_links(2 * int((reach[:-1] * reach[1:]).sum()))
        links, reached = [], 0
        for flip, step in zip(
            self.flips[number].tolist(), self.steps[number].tolist(), strict=True
        ):
            beyond = min(reached + step, cap)
            link = np.zeros((reached + 1, 2, beyond + 1))
            for count in range(reached + 1):
                link[count, flip, count] += 1.0
                if self.stays or count + step <= cap:
                    link[count, 1 - flip, min(count + step, cap)] += 1.0
            links.append(link)
            reached = beyond
        links[-1] = (links[-1] @ self.weights[number, : reached + 1])[:, :, None]
        return [logs(link) for link in links]

    @cached_property
    def _best(self) -> FloatArray:
        best: FloatArray = self.weights.max(axis=1)
        best[best == 0.0] = 1.0
        return best

    def is_linear(self) -> bool:
        """Whether the weights keep within the range of linear space."""
        scaled = self.weights / self._best[:, None]
        return not ((scaled > 0.0) & (scaled < WIDEST_RANGE)).any()

    def tempered(self, powers: FloatArray) -> Counts:
        """Counts again."""
        return replace(self, weights=self.weights ** powers[:, None])

    def arrays(self, first: int, linear: bool, dtype: DTypeLike) -> tuple[Any, float]:
        """What the kernels read, and the log of what all factors were divided by (nats)."""
        weights = (self.weights / self._best[:, None]).reshape(-1)
        arrays = CountArrays(
            first,
            self.weights.shape[1],
            int(self.stays),
            frozen(self.flips.reshape(-1), np.uint8),
            frozen(self.steps.reshape(-1), np.int32),
            frozen(weights if linear else logs_of(weights), dtype),
        )
        return arrays, float(np.log(self._best).sum())


def counts_of(
    stays: bool,
    flips: NDArray[np.uint8],
    steps: NDArray[Any],
    weights: FloatArray,
    label: Label,
) -> Counts:
    """Counts, unless they are too wide.

    Parameters
    ----------
    stays : bool
        Whether a count that would go beyond the cap stays there.
    flips : uint8[F, arity]
        One for each negated variable.
    steps : int[F, arity]
        What each variable adds, at least 0; cut at the cap where the count stays there.
    weights : float64[F, cap + 1]
        Potentials of counts.
    label : callable
        What to call a factor.

    Raises
    ------
    TooLargeError
        If a factor's partial results would not fit.

    """
    width, arity = weights.shape[1], flips.shape[1]
    need_room(width, arity, label)
    # A step beyond the cap is impossible where nothing stays: one more than the cap says so.
    cut = np.minimum(steps, width - 1 if stays else width).astype(np.int32)
    return Counts(stays, flips, cut, weights)


def need_room(width: int, arity: int, label: Label) -> None:
    """Refuse counts that are too wide.

    Parameters
    ----------
    width : int
        Counts that are told apart.
    arity : int
        Number of variables.
    label : callable
        What to call a factor.

    Raises
    ------
    TooLargeError
        If a factor's partial results would not fit.

    """
    if width * arity > SCRATCH:
        raise TooLargeError(
            f"{label(0)}: {arity} variables times {width} counts are {size(width * arity)} partial "
            f"results; at most {SCRATCH} fit"
        )
