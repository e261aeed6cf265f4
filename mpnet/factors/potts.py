"""Potts factors: variables that agree, or differ, with a weight for each."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from mpnet.content import Label, Maker
from mpnet.dense import WIDEST_RANGE, frozen, logs_of
from mpnet.errors import GraphError
from mpnet.factors.automaton import Arc, Automata, Link, automata
from mpnet.factors.base import Chained, Written, logs, need_arity, need_numbers
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.kernels.potts import PottsArrays


@dataclass(frozen=True, eq=False)
class PottsPairs(Chained):
    """Potts factors over two variables with equally many states.

    Parameters
    ----------
    states : int
        Number of states of a variable.
    same, other : float64[F]
        Potentials where both are in the same state, and where they are not.

    """

    states: int
    same: FloatArray
    other: FloatArray

    @property
    def kind(self) -> str:
        """Its kernels."""
        return "potts"

    @property
    def count(self) -> int:
        """How many factors there are."""
        return len(self.same)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of states of both."""
        return self.states, self.states

    @property
    def alike(self) -> Hashable:
        """Those with as many states."""
        return PottsPairs, self.states

    def links(self, number: int) -> list[FloatArray]:
        """The first variable's state is what lies between."""
        table = np.full((self.states, self.states), self.other[number])
        np.fill_diagonal(table, self.same[number])
        return [logs(np.eye(self.states)[None]), logs(table[:, :, None])]

    @cached_property
    def _best(self) -> FloatArray:
        best: FloatArray = np.maximum(self.same, self.other)
        best[best == 0.0] = 1.0
        return best

    def is_linear(self) -> bool:
        """Whether the weights keep within the range of linear space."""
        least = np.minimum(self.same, self.other) / self._best
        return not ((least > 0.0) & (least < WIDEST_RANGE)).any()

    def tempered(self, powers: FloatArray) -> PottsPairs:
        """Potts factors again."""
        return PottsPairs(self.states, self.same**powers, self.other**powers)

    def arrays(self, first: int, linear: bool, dtype: DTypeLike) -> tuple[Any, float]:
        """What the kernels read, and the log of what all factors were divided by (nats)."""
        pair = [self.same / self._best, self.other / self._best]
        same, other = (frozen(v if linear else logs_of(v), dtype) for v in pair)
        return PottsArrays(first, same, other), float(np.log(self._best).sum())


@dataclass(frozen=True)
class Potts(Written):
    """One potential where all variables are in the same state, another where they are not.

    *Evolving.*

    With more than two variables this is the "robust" clique potential of image segmentation
    without its slope (Kohli, Kumar and Torr, "P3 and beyond", CVPR 2007).

    Parameters
    ----------
    variables : sequence of str
        Two or more, with equally many states.
    same : float
        Potential where all agree.
    other : float
        Potential where they do not.
    name : str
        For messages and figures.

    """

    variables: Sequence[str]
    same: float
    other: float = 1.0

    @property
    def scope(self) -> tuple[str, ...]:
        """The variables."""
        return tuple(self.variables)

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        return self.batch([self.same], [self.other])

    @staticmethod
    def batch(same: ArrayLike, other: ArrayLike = 1.0) -> Maker:
        """Many such factors at once, for ``FactorGraph.from_arrays``.

        Parameters
        ----------
        same : float[F] or float
            Potentials where all agree.
        other : float[F] or float
            Potentials where they do not.

        """

        def make(counts: IntArray, label: Label) -> PottsPairs | Automata:
            need_arity(counts, label, "a Potts factor", 2)
            if (counts != counts[:, :1]).any():
                raise GraphError(
                    f"{label(0)}: a Potts factor is for variables with equally many states, "
                    f"got {counts[0].tolist()}"
                )
            agree = need_numbers(same, (len(counts),), label, "same")
            disagree = need_numbers(other, (len(counts),), label, "other")
            states = int(counts[0, 0])
            if counts.shape[1] == 2:
                return PottsPairs(states, agree, disagree)
            return _cliques(counts, agree, disagree, label)

        return make


@dataclass(frozen=True)
class Equal(Written):
    """All variables are in the same state.

    *Evolving.*

    Parameters
    ----------
    variables : sequence of str
        Two or more, with equally many states.
    name : str
        For messages and figures.

    """

    variables: Sequence[str]

    @property
    def scope(self) -> tuple[str, ...]:
        """The variables."""
        return tuple(self.variables)

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        return Potts.batch(1.0, 0.0)


@dataclass(frozen=True)
class Differ(Written):
    """Two variables are not in the same state.

    *Evolving.*

    Parameters
    ----------
    one, two : str
        Variables with equally many states.
    name : str
        For messages and figures.

    """

    one: str
    two: str

    @property
    def scope(self) -> tuple[str, ...]:
        """Both variables."""
        return self.one, self.two

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        return Potts.batch(0.0, 1.0)


def _cliques(counts: IntArray, same: FloatArray, other: FloatArray, label: Label) -> Automata:
    """As automata: the state that all have had so far, or that they differ (the last one)."""
    states, differ = int(counts[0, 0]), int(counts[0, 0])
    opening: list[Arc] = [(0, x, x, 1.0) for x in range(states)]
    middle: list[Arc] = [(differ, x, differ, 1.0) for x in range(states)]
    middle += [(a, x, a if a == x else differ, 1.0) for a in range(states) for x in range(states)]
    store, ends = [Link.of(opening), Link.of(middle)], {}
    pairs = list(zip(same.tolist(), other.tolist()))
    for pair in dict.fromkeys(pairs):
        ends[pair] = len(store)
        store.append(
            Link.of(
                (a, x, 0, pair[0] if a == x and b != differ else pair[1]) for a, x, b, _ in middle
            )
        )
    arity = counts.shape[1]
    rows = [[0, *[1] * (arity - 2), ends[pair]] for pair in pairs]
    return automata(counts[0].tolist(), rows, store, label)
