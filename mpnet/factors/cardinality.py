"""Cardinality: a potential of how many variables are on, or of a weighted sum of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mpnet.content import Label, Maker
from mpnet.errors import GraphError
from mpnet.factors.base import Names, Written, need_numbers
from mpnet.factors.counting import Counts, counts_of, need_room
from mpnet.factors.logic import flips_of, negations
from mpnet.kernels.layout import FloatArray, IntArray


@dataclass(frozen=True)
class Cardinality(Written):
    """A potential of how many variables are on.

    *Evolving.*

    Parameters
    ----------
    variables : sequence of str
        Variables with two states.
    potentials : sequence of float
        One for each count from none to all.
    negated : sequence of str
        Which variables count as on where they are off.
    name : str
        For messages and figures.

    """

    variables: Sequence[str]
    potentials: Sequence[float]
    negated: Names = ()

    @property
    def scope(self) -> tuple[str, ...]:
        """The variables."""
        return tuple(self.variables)

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        return self.batch([self.potentials], negations(self.scope, self.negated, self.label))

    @staticmethod
    def batch(potentials: ArrayLike, negated: ArrayLike = 0) -> Maker:
        """Many such factors at once, for ``FactorGraph.from_arrays``.

        Parameters
        ----------
        potentials : float[F, arity + 1] or float[arity + 1]
            One for each count.
        negated : bool[F, arity] or bool[arity]
            Whether each variable counts as on where it is off.

        """

        def make(counts: IntArray, label: Label) -> Counts:
            flips = flips_of(negated, counts, label, "a cardinality", 1)
            shape = len(counts), counts.shape[1] + 1
            weights, stays = _capped(need_numbers(potentials, shape, label, "potentials"))
            return counts_of(stays, flips, np.ones_like(counts), weights, label)

        return make


@dataclass(frozen=True)
class AtLeast(Written):
    """At least some number of variables is on.

    *Evolving.*

    Parameters
    ----------
    variables : sequence of str
        Variables with two states.
    least : int
        How many.
    negated : sequence of str
        Which variables count as on where they are off.
    name : str
        For messages and figures.

    """

    variables: Sequence[str]
    least: int
    negated: Names = ()

    @property
    def scope(self) -> tuple[str, ...]:
        """The variables."""
        return tuple(self.variables)

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        return self.batch(self.least, negations(self.scope, self.negated, self.label))

    @staticmethod
    def batch(least: int, negated: ArrayLike = 0) -> Maker:
        """Many such factors at once, for ``FactorGraph.from_arrays``.

        Parameters
        ----------
        least : int
            How many are on in each factor, at least.
        negated : bool[F, arity] or bool[arity]
            Whether each variable counts as on where it is off.

        """
        return LinearThreshold.batch(1, least, negated)


@dataclass(frozen=True)
class AtMost(Written):
    """At most some number of variables is on.

    *Evolving.*

    Parameters
    ----------
    variables : sequence of str
        Variables with two states.
    most : int
        How many.
    negated : sequence of str
        Which variables count as on where they are off.
    name : str
        For messages and figures.

    """

    variables: Sequence[str]
    most: int
    negated: Names = ()

    @property
    def scope(self) -> tuple[str, ...]:
        """The variables."""
        return tuple(self.variables)

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        return self.batch(self.most, negations(self.scope, self.negated, self.label))

    @staticmethod
    def batch(most: int, negated: ArrayLike = 0) -> Maker:
        """Many such factors at once, for ``FactorGraph.from_arrays``.

        Parameters
        ----------
        most : int
            How many are on in each factor, at most.
        negated : bool[F, arity] or bool[arity]
            Whether each variable counts as on where it is off.

        """

        def make(counts: IntArray, label: Label) -> Counts:
            flips = flips_of(negated, counts, label, "at most", 1)
            if most < 0:
                raise GraphError(f"{label(0)}: at most {most} can't be; it must be 0 or more")
            weights = np.ones((len(counts), min(most, counts.shape[1]) + 1))
            return counts_of(False, flips, np.ones_like(counts), weights, label)

        return make


@dataclass(frozen=True)
class LinearThreshold(Written):
    """A weighted sum of the variables that are on reaches a threshold.

    *Evolving.*

    A message costs as many steps as the threshold, less all negative weights.

    Parameters
    ----------
    variables : sequence of str
        Variables with two states.
    weights : sequence of int
        What each adds where it is on; may be negative.
    threshold : int
        The least sum that is possible.
    negated : sequence of str
        Which variables count as on where they are off.
    name : str
        For messages and figures.

    """

    variables: Sequence[str]
    weights: Sequence[int]
    threshold: int
    negated: Names = ()

    @property
    def scope(self) -> tuple[str, ...]:
        """The variables."""
        return tuple(self.variables)

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        flips = negations(self.scope, self.negated, self.label)
        return self.batch([self.weights], self.threshold, flips)

    @staticmethod
    def batch(weights: ArrayLike, threshold: int, negated: ArrayLike = 0) -> Maker:
        """Many such factors at once, for ``FactorGraph.from_arrays``.

        Parameters
        ----------
        weights : int[F, arity], int[arity] or int
            What each variable adds where it is on.
        threshold : int
            The least sum that is possible.
        negated : bool[F, arity] or bool[arity]
            Whether each variable counts as on where it is off.

        """

        def make(counts: IntArray, label: Label) -> Counts:
            flips = flips_of(negated, counts, label, "a threshold", 1)
            steps = _steps(weights, counts, label)
            # A negative weight is a positive one of the negated variable, and a lower threshold.
            below = steps < 0
            caps = np.maximum(threshold - np.where(below, steps, 0).sum(axis=1), 0)
            # What no sum reaches is impossible, however far away it is.
            caps = np.minimum(caps, np.abs(steps).sum(axis=1) + 1)
            need_room(int(caps.max()) + 1, counts.shape[1], label)
            held = np.zeros((len(counts), int(caps.max()) + 1))
            # Factors share a cap: where it is lower, counts between it and the cap are possible.
            held[np.arange(held.shape[1]) >= caps[:, None]] = 1.0
            return counts_of(True, flips ^ below.astype(np.uint8), np.abs(steps), held, label)

        return make


def _steps(weights: ArrayLike, counts: IntArray, label: Label) -> IntArray:
    given = np.asarray(weights)
    try:
        with np.errstate(invalid="ignore"):  # NaN and infinity are told of below
            steps: IntArray = np.broadcast_to(given, counts.shape).astype(np.int64)
    except ValueError:
        raise GraphError(
            f"{label(0)}: weights have shape {given.shape}; it must be {counts.shape[1:]}"
        ) from None
    if (wrong := steps != np.broadcast_to(given, counts.shape)).any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        value = np.broadcast_to(given, counts.shape)[row, column]
        raise GraphError(f"{label(row)}: weights[{column}] is {value}; it must be a whole number")
    return steps


def _capped(potentials: FloatArray) -> tuple[FloatArray, bool]:
    """Potentials without the last ones that are all equal, and whether those are not zero."""
    same = (potentials == potentials[:, -1:]).all(axis=0)
    different = np.flatnonzero(~same)
    kept = int(different[-1]) + 1 if different.size else 0
    if not potentials[:, -1].any():
        return potentials[:, : max(1, kept)].copy(), False
    return potentials[:, : kept + 1].copy(), True
