"""Selections: exactly one of several variables, at most one, or one if a parent is on (a pool)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mpnet.content import Label, Maker
from mpnet.factors.base import Names, Written, need_numbers
from mpnet.factors.gate import ONE_OF, Gates
from mpnet.factors.logic import flips_of, negations
from mpnet.kernels.layout import IntArray


@dataclass(frozen=True)
class AtMostOne(Written):
    """No two variables are on.

    *Evolving.*

    Parameters
    ----------
    variables : sequence of str
        Variables with two states.
    negated : sequence of str
        Which of them count as on where they are off.
    name : str
        For messages and figures.

    """

    variables: Sequence[str]
    negated: Names = ()

    @property
    def scope(self) -> tuple[str, ...]:
        """The variables."""
        return tuple(self.variables)

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        return self.batch(negations(self.scope, self.negated, self.label))

    @staticmethod
    def batch(negated: ArrayLike = 0) -> Maker:
        """Many such factors at once, for ``FactorGraph.from_arrays``.

        Parameters
        ----------
        negated : bool[F, arity] or bool[arity]
            Whether each variable counts as on where it is off.

        """
        return one_of(negated, (1.0, 1.0), "at most one")


@dataclass(frozen=True)
class ExactlyOne(Written):
    """One variable is on, and all others are off.

    *Evolving.*

    Parameters
    ----------
    variables : sequence of str
        Variables with two states.
    negated : sequence of str
        Which of them count as on where they are off.
    name : str
        For messages and figures.

    """

    variables: Sequence[str]
    negated: Names = ()

    @property
    def scope(self) -> tuple[str, ...]:
        """The variables."""
        return tuple(self.variables)

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        return self.batch(negations(self.scope, self.negated, self.label))

    @staticmethod
    def batch(negated: ArrayLike = 0) -> Maker:
        """Many such factors at once, for ``FactorGraph.from_arrays``.

        Parameters
        ----------
        negated : bool[F, arity] or bool[arity]
            Whether each variable counts as on where it is off.

        """
        return one_of(negated, (0.0, 1.0), "exactly one")


@dataclass(frozen=True)
class Pool(Written):
    """Exactly one choice is on where the parent is on; none is where it is off.

    *Evolving.*

    Parameters
    ----------
    parent : str
        A variable with two states.
    choices : sequence of str
        Variables with two states.
    negated : sequence of str
        Which of them count as on where they are off.
    name : str
        For messages and figures.

    """

    parent: str
    choices: Sequence[str]
    negated: Names = ()

    @property
    def scope(self) -> tuple[str, ...]:
        """Choices, then the parent."""
        return (*self.choices, self.parent)

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        return self.batch(negations(self.scope, self.negated, self.label))

    @staticmethod
    def batch(negated: ArrayLike = 0) -> Maker:
        """Many such factors at once, for ``FactorGraph.from_arrays``.

        Parameters
        ----------
        negated : bool[F, arity] or bool[arity]
            Whether each variable counts as on where it is off; the parent is the last.

        """

        def make(counts: IntArray, label: Label) -> Gates:
            return Gates.plain(ONE_OF, flips_of(negated, counts, label, "a pool", 1))

        return make


def one_of(negated: ArrayLike, weights: ArrayLike, what: str) -> Maker:
    """Selections without a parent.

    Parameters
    ----------
    negated : bool[F, arity] or bool[arity]
        Whether each variable counts as on where it is off.
    weights : float[F, 2] or float[2]
        Potentials of none and of one.
    what : str
        The kind, for messages.

    """

    def make(counts: IntArray, label: Label) -> Gates:
        flips = flips_of(negated, counts, label, what, 1)
        held = need_numbers(weights, (len(counts), 2), label, "weights")
        return Gates.plain(ONE_OF, flips, np.ascontiguousarray(held))

    return make
