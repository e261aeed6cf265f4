"""Maximum and noisy maximum: the child's state is the highest that any parent brings about."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from mpnet.content import Label, Maker
from mpnet.dense import WIDEST_RANGE, frozen, logs_of
from mpnet.errors import GraphError
from mpnet.factors.base import Chained, Written, logs, need_arity, need_numbers
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.kernels.maxima import MaximaArrays

ROUNDING = 1e-6
"""How far probabilities that should sum to one may be from it."""


@dataclass(frozen=True, eq=False)
class Maxima(Chained):
    """Maxima of one shape, as ``mpnet.kernels.maxima.MaximaArrays``.

    Parameters
    ----------
    sizes : tuple of int
        Number of states of each parent, then of the child.
    noisy : bool
        Whether parents bring grades about by chance.
    chances : float64[F, states of all parents, grades]
        Probability of each grade given each state of each parent; none without noise.
    leaks : float64[F, grades]
        Probability of each grade without any parent.

    """

    sizes: tuple[int, ...]
    noisy: bool
    chances: FloatArray
    leaks: FloatArray

    @property
    def kind(self) -> str:
        """Its kernels."""
        return "maximum"

    @property
    def count(self) -> int:
        """How many factors there are."""
        return len(self.leaks)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of states of each variable."""
        return self.sizes

    @property
    def alike(self) -> Hashable:
        """Those with noise and those without."""
        return Maxima, self.noisy, self.sizes

    def links(self, number: int) -> list[FloatArray]:
        """The maximum so far, up to each parent; then the child has to equal it."""
        grades = self.sizes[-1]
        self.need_short_links(grades * grades * sum(self.sizes))
        links, row = [], 0
        for count in self.sizes[:-1]:
            given = self.chances[number, row : row + count] if self.noisy else np.eye(count, grades)
            row += count
            link = np.zeros((grades, count, grades))
            for before in range(grades):
                for grade in range(grades):
                    link[before, :, max(before, grade)] += given[:, grade]
            links.append(link)
        links.append(np.eye(grades)[:, :, None])
        links[0] = np.tensordot(self.leaks[number], links[0], 1)[None]
        return [logs(link) for link in links]

    def is_linear(self) -> bool:
        """Whether the probabilities keep within the range of linear space."""
        return all(not ((v > 0.0) & (v < WIDEST_RANGE)).any() for v in (self.chances, self.leaks))

    def tempered(self, powers: FloatArray) -> Any:
        """The same without noise, else tables."""
        return super().tempered(powers) if self.noisy else self

    def maximised(self) -> Any:
        """The same without noise, else tables: the kernels sum over what the parents bring about."""
        if not self.noisy:
            return self
        return self.tabulated(
            "max-product over a noisy maximum sums over hidden causes inside the factor, which "
            "takes its whole table"
        )

    def arrays(self, first: int, linear: bool, dtype: DTypeLike) -> tuple[Any, float]:
        """What the kernels read; nothing is divided out."""
        values = [v.reshape(-1) for v in (self.chances, self.leaks)]
        chances, leaks = (frozen(v if linear else logs_of(v), dtype) for v in values)
        return MaximaArrays(first, (0,) * self.noisy, chances, leaks), 0.0


@dataclass(frozen=True)
class Max(Written):
    """The child's state is the highest state of any parent.

    *Evolving.*

    Parameters
    ----------
    child : str
        A variable with at least as many states as each parent.
    parents : sequence of str
        Variables of any cardinalities.
    name : str
        For messages and figures.

    """

    child: str
    parents: Sequence[str]

    @property
    def scope(self) -> tuple[str, ...]:
        """Parents, then the child."""
        return (*self.parents, self.child)

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        return self.batch()

    @staticmethod
    def batch() -> Maker:
        """Many such factors at once, for ``FactorGraph.from_arrays``."""

        def make(counts: IntArray, label: Label) -> Maxima:
            sizes = _sizes(counts, label)
            if max(sizes) > sizes[-1]:
                place = int(np.argmax(sizes))
                raise GraphError(
                    f"{label(0)}: parent {place} has {sizes[place]} states; the child, which takes "
                    f"the highest, has {sizes[-1]}"
                )
            leaks = np.tile(np.eye(sizes[-1])[0], (len(counts), 1))
            return Maxima(sizes, False, np.empty((len(counts), 0, sizes[-1])), leaks)

        return make


@dataclass(frozen=True)
class NoisyMax(Written):
    """The child's state is the highest of grades that parents bring about by chance.

    *Evolving.*

    p(child <= y | parents) is the product, over the parents and the leak, of the probability that
    each brings no grade above y about. Max-product is exact by the table, up to 2^17 entries.

    Parameters
    ----------
    child : str
        The variable whose states are the grades, in their order.
    parents : sequence of str
        Variables of any cardinalities.
    tables : sequence of arrays
        For each parent, the probability of each grade given its state, float[states, grades];
        rows sum to 1.
    leak : sequence of float, optional
        Probability of each grade without any parent; the lowest for sure where not given.
    name : str
        For messages and figures.

    """

    child: str
    parents: Sequence[str]
    tables: Sequence[ArrayLike]
    leak: Sequence[float] | None = None

    @property
    def scope(self) -> tuple[str, ...]:
        """Parents, then the child."""
        return (*self.parents, self.child)

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        return self.batch(self.tables, self.leak)

    @staticmethod
    def batch(tables: Sequence[ArrayLike], leak: ArrayLike | None = None) -> Maker:
        """Many such factors at once, for ``FactorGraph.from_arrays``.

        Parameters
        ----------
        tables : sequence of float[F, states, grades] or float[states, grades]
            One for each parent.
        leak : float[F, grades] or float[grades], optional
            Probability of each grade without any parent.

        """

        def make(counts: IntArray, label: Label) -> Maxima:
            sizes = _sizes(counts, label)
            count, grades = len(counts), sizes[-1]
            if len(tables) != len(sizes) - 1:
                raise GraphError(
                    f"{label(0)}: there are {len(tables)} tables for {len(sizes) - 1} parents"
                )
            given = [
                _rows_of(table, (count, states, grades), label, f"tables[{i}]")
                for i, (table, states) in enumerate(zip(tables, sizes))
            ]
            chances = np.concatenate([np.empty((count, 0, grades)), *given], axis=1)
            held = np.eye(grades)[0] if leak is None else leak
            return Maxima(sizes, True, chances, _rows_of(held, (count, grades), label, "leak"))

        return make


def _sizes(counts: IntArray, label: Label) -> tuple[int, ...]:
    need_arity(counts, label, "a maximum", 2)
    return tuple(map(int, counts[0]))


def _rows_of(values: ArrayLike, shape: tuple[int, ...], label: Label, what: str) -> FloatArray:
    found = need_numbers(values, shape, label, what, 1.0)
    wrong = np.abs(found.sum(axis=-1) - 1.0) > ROUNDING
    if wrong.any():
        row, *index = (int(i) for i in np.argwhere(wrong)[0])
        total = found.sum(axis=-1)[(row, *index)]
        raise GraphError(f"{label(row)}: {what}{index or ''} sums to {total}; it must be 1")
    return found
