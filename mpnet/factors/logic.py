"""Logical kinds: OR, AND, NOT, implication and clauses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mpnet.content import Label, Maker
from mpnet.dense import DenseTables, frozen
from mpnet.errors import GraphError
from mpnet.factors.base import Names, Written, listed, need_arity, need_binary, need_numbers
from mpnet.factors.gate import OR, Gates
from mpnet.kernels.layout import IntArray


@dataclass(frozen=True)
class Or(Written):
    """The child is on exactly if at least one parent is.

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

    Examples
    --------
    >>> Or("wet", ["rain", "sprinkler"]).scope
    ('rain', 'sprinkler', 'wet')

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
        return self.batch(negations(self.scope, self.negated, self.label))

    @staticmethod
    def batch(negated: ArrayLike = 0) -> Maker:
        """Many such factors at once, for ``FactorGraph.from_arrays``.

        Parameters
        ----------
        negated : bool[F, arity] or bool[arity]
            Whether each variable counts as on where it is off; the child is the last.

        """

        def make(counts: IntArray, label: Label) -> Gates:
            return Gates.plain(OR, flips_of(negated, counts, label, "OR", 1))

        return make


@dataclass(frozen=True)
class And(Written):
    """The child is on exactly if all parents are.

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
        return self.batch(negations(self.scope, self.negated, self.label))

    @staticmethod
    def batch(negated: ArrayLike = 0) -> Maker:
        """Many such factors at once, for ``FactorGraph.from_arrays``.

        Parameters
        ----------
        negated : bool[F, arity] or bool[arity]
            Whether each variable counts as on where it is off; the child is the last.

        """

        def make(counts: IntArray, label: Label) -> Gates:
            # De Morgan: the child is off exactly if a parent is.
            return Gates.plain(OR, 1 - flips_of(negated, counts, label, "AND", 1))

        return make


@dataclass(frozen=True)
class Clause(Written):
    """At least one variable is on.

    *Evolving.*

    Parameters
    ----------
    variables : sequence of str
        Variables with two states.
    negated : sequence of str
        Which of them count as on where they are off.
    weights : (float, float)
        Potentials of a violated and of a satisfied clause.
    name : str
        For messages and figures.

    """

    variables: Sequence[str]
    negated: Names = ()
    weights: tuple[float, float] = (0.0, 1.0)

    @property
    def scope(self) -> tuple[str, ...]:
        """The variables."""
        return tuple(self.variables)

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        return self.batch(negations(self.scope, self.negated, self.label), self.weights)

    @staticmethod
    def batch(negated: ArrayLike = 0, weights: ArrayLike = (0.0, 1.0)) -> Maker:
        """Many such factors at once, for ``FactorGraph.from_arrays``.

        Parameters
        ----------
        negated : bool[F, arity] or bool[arity]
            Whether each variable counts as on where it is off.
        weights : float[F, 2] or float[2]
            Potentials of violated and satisfied clauses.

        """

        def make(counts: IntArray, label: Label) -> Gates:
            flips = flips_of(negated, counts, label, "a clause", 1)
            return Gates.plain(OR, flips, need_numbers(weights, (len(counts), 2), label, "weights"))

        return make


@dataclass(frozen=True)
class Implies(Written):
    """Where all premises are on, so is the conclusion.

    *Evolving.*

    Parameters
    ----------
    premises : str or sequence of str
        Variables with two states.
    conclusion : str
        A variable with two states.
    negated : sequence of str
        Which of them count as on where they are off.
    name : str
        For messages and figures.

    """

    premises: Names
    conclusion: str
    negated: Names = ()

    @property
    def scope(self) -> tuple[str, ...]:
        """Premises, then the conclusion."""
        return (*listed(self.premises), self.conclusion)

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        return self.batch(negations(self.scope, self.negated, self.label))

    @staticmethod
    def batch(negated: ArrayLike = 0) -> Maker:
        """Many such factors at once, for ``FactorGraph.from_arrays``.

        Parameters
        ----------
        negated : bool[F, arity] or bool[arity]
            Whether each variable counts as on where it is off; the conclusion is the last.

        """

        def make(counts: IntArray, label: Label) -> Gates:
            flips = flips_of(negated, counts, label, "an implication", 1)
            flips[:, :-1] ^= 1
            return Gates.plain(OR, flips, np.tile([0.0, 1.0], (len(counts), 1)))

        return make


@dataclass(frozen=True)
class Not(Written):
    """The child is on exactly if the parent is off; kept as a table.

    *Evolving.*

    Parameters
    ----------
    child, parent : str
        Variables with two states.
    name : str
        For messages and figures.

    """

    child: str
    parent: str

    @property
    def scope(self) -> tuple[str, ...]:
        """The parent, then the child."""
        return self.parent, self.child

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        return self.batch()

    @staticmethod
    def batch() -> Maker:
        """Many such factors at once, for ``FactorGraph.from_arrays``."""

        def make(counts: IntArray, label: Label) -> DenseTables:
            need_binary(counts, label, "NOT")
            if counts.shape[1] != 2:
                raise GraphError(f"{label(0)}: NOT is for 2 variables, got {counts.shape[1]}")
            table = frozen(np.array([0.0, 1.0, 1.0, 0.0]))
            return DenseTables((2, 2), frozen(np.zeros(len(counts)), np.int32), table, log=False)

        return make


def negations(scope: Sequence[str], negated: Names, label: str) -> NDArray[np.uint8]:
    """Which variables of a scope are negated, uint8[1, arity].

    Parameters
    ----------
    scope : sequence of str
        The variables.
    negated : sequence of str
        Some of them.
    label : str
        What to call the factor.

    Raises
    ------
    GraphError
        If a negated variable is not in the scope.

    """
    wanted = listed(negated)
    for number, name in enumerate(wanted):
        if name not in scope:
            raise GraphError(f"{label}: negated[{number}] is {name!r}, which is not in its scope")
    return np.array([[name in wanted for name in scope]], dtype=np.uint8)


def flips_of(
    negated: ArrayLike, counts: IntArray, label: Label, what: str, least: int
) -> NDArray[np.uint8]:
    """Check that a batch is of variables with two states; uint8[F, arity], one where negated.

    Parameters
    ----------
    negated : bool[F, arity], bool[arity] or bool
        Whether each variable is negated.
    counts : int64[F, arity]
        Number of states of each variable.
    label : callable
        What to call a factor.
    what : str
        The kind, for the message.
    least : int
        Fewest variables.

    Raises
    ------
    GraphError
        If a variable has not two states, there are too few, or the shape is wrong.

    """
    need_arity(counts, label, what, least)
    need_binary(counts, label, what)
    found = np.asarray(negated)
    try:
        wide = np.broadcast_to(found, counts.shape)
    except ValueError:
        raise GraphError(
            f"{label(0)}: negated has shape {found.shape}; it must be {counts.shape[1:]}"
        ) from None
    flips: NDArray[np.uint8] = (wide != 0).astype(np.uint8)
    return flips
