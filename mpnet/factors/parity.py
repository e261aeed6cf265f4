"""Parity: an even or odd number of variables is on, as in parity checks and XOR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike

from mpnet.content import Label, Maker
from mpnet.factors.base import Names, Written, need_numbers
from mpnet.factors.gate import PARITY, Gates
from mpnet.factors.logic import flips_of, negations
from mpnet.kernels.layout import IntArray


@dataclass(frozen=True)
class Parity(Written):
    """How many variables are on is even; or odd, or one of the two is likelier.

    *Evolving.*

    Parameters
    ----------
    variables : sequence of str
        Variables with two states.
    weights : (float, float)
        Potentials of even and odd; (0, 1) asks for odd.
    negated : sequence of str
        Which of them count as on where they are off.
    name : str
        For messages and figures.

    """

    variables: Sequence[str]
    weights: tuple[float, float] = (1.0, 0.0)
    negated: Names = ()

    @property
    def scope(self) -> tuple[str, ...]:
        """The variables."""
        return tuple(self.variables)

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        return self.batch(self.weights, negations(self.scope, self.negated, self.label))

    @staticmethod
    def batch(weights: ArrayLike = (1.0, 0.0), negated: ArrayLike = 0) -> Maker:
        """Many such factors at once, for ``FactorGraph.from_arrays``.

        Parameters
        ----------
        weights : float[F, 2] or float[2]
            Potentials of even and odd.
        negated : bool[F, arity] or bool[arity]
            Whether each variable counts as on where it is off.

        """

        def make(counts: IntArray, label: Label) -> Gates:
            flips = flips_of(negated, counts, label, "parity", 1)
            held = need_numbers(weights, (len(counts), 2), label, "weights")
            return Gates.plain(PARITY, flips, held)

        return make


@dataclass(frozen=True)
class Xor(Written):
    """The child is on exactly if an odd number of parents is.

    *Evolving.*

    Parameters
    ----------
    child : str
        A variable with two states.
    parents : sequence of str
        Variables with two states.
    negated : sequence of str
        Which of them count as on where they are off.
    name : str
        For messages and figures.

    """

    child: str
    parents: Sequence[str]
    negated: Names = ()

    @property
    def scope(self) -> tuple[str, ...]:
        """Parents, then the child."""
        return (*self.parents, self.child)

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        return Parity.batch(negated=negations(self.scope, self.negated, self.label))
