"""Noisy OR and noisy AND: causes that may fail, each by itself.

J. Pearl, "Probabilistic Reasoning in Intelligent Systems" (1988), section 4.3.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mpnet.content import Label, Maker
from mpnet.factors.base import Names, Written, need_numbers
from mpnet.factors.gate import NOISY_OR, Gates
from mpnet.factors.logic import Or, flips_of, negations
from mpnet.kernels.layout import IntArray


@dataclass(frozen=True)
class NoisyOr(Written):
    """The child is on if any parent that is on turns it on, or something else does (a leak).

    *Evolving.*

    p(child off | parents) = (1 - leak) * product of (1 - p_i) over the parents that are on.

    Max-product is exact up to 16 parents, by the table. Above, use ``explicit``: whether each
    cause succeeds becomes a variable of its own (as in the model behind the formula). Marginals
    are the same; the likeliest state is then that of parents, child *and* causes together.

    Parameters
    ----------
    child : str
        A variable with two states.
    parents : sequence of str
        Variables with two states.
    probabilities : sequence of float
        For each parent, how probable it is that it, by itself, turns the child on.
    leak : float
        Probability that the child is on though no parent is.
    negated : sequence of str
        Which variables count as on where they are off.
    explicit : bool
        Whether the causes become variables, named ``<child> by <parent>``.
    name : str
        For messages and figures.

    """

    child: str
    parents: Sequence[str]
    probabilities: Sequence[float]
    leak: float = 0.0
    negated: Names = ()
    explicit: bool = False

    @property
    def scope(self) -> tuple[str, ...]:
        """Parents, then the child."""
        return (*self.parents, self.child)

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        flips = negations(self.scope, self.negated, self.label)
        return self.batch([self.probabilities], [self.leak], flips)

    @staticmethod
    def batch(probabilities: ArrayLike, leak: ArrayLike = 0.0, negated: ArrayLike = 0) -> Maker:
        """Many such factors at once, for ``FactorGraph.from_arrays``.

        Parameters
        ----------
        probabilities : float[F, parents] or float[parents]
            Probability that each parent, by itself, turns the child on.
        leak : float[F] or float
            Probability that the child is on though no parent is.
        negated : bool[F, arity] or bool[arity]
            Whether each variable counts as on where it is off; the child is the last.

        """

        def make(counts: IntArray, label: Label) -> Gates:
            flips = flips_of(negated, counts, label, "noisy OR", 1)
            shape = counts.shape[0], counts.shape[1] - 1
            on = need_numbers(probabilities, shape, label, "probabilities", 1.0)
            leaks = need_numbers(leak, shape[:1], label, "leak", 1.0)
            noise = np.stack([1.0 - on, on], axis=2)
            starts = np.stack([1.0 - leaks, leaks], axis=1)
            return Gates(NOISY_OR, True, flips, np.ones((len(counts), 2)), starts, noise)

        return make

    @property
    def hidden(self) -> Mapping[str, int]:
        """The causes, where they are explicit."""
        causes = [self._cause(parent) for parent in self.parents] if self.explicit else []
        if causes and self.leak > 0.0:
            causes.append(self._cause("leak"))
        return dict.fromkeys(causes, 2)

    @property
    def expanded(self) -> tuple[Written, ...]:
        """The factor itself; or one for each cause, and an OR of them, where they are explicit."""
        if not self.explicit:
            return (self,)
        self.maker()
        noisy: list[Written] = [
            NoisyOr(
                self._cause(parent),
                [parent],
                self.probabilities[number : number + 1],
                negated=[parent] if parent in self.negated else (),
                name=f"{self.name}[{number}]" if self.name else "",
            )
            for number, parent in enumerate(self.parents)
        ]
        causes = list(self.hidden)
        if self.leak > 0.0:
            noisy.append(NoisyOr(causes[-1], (), (), self.leak))
        flipped = [self.child] if self.child in self.negated else ()
        return (*noisy, Or(self.child, causes, negated=flipped, name=self.name))

    def _cause(self, parent: str) -> str:
        return f"{self.child} by {parent}"


@dataclass(frozen=True)
class NoisyAnd(Written):
    """The child is on unless a parent that is off keeps it off, or something else does (a leak).

    *Evolving.*

    p(child on | parents) = (1 - leak) * product of (1 - p_i) over the parents that are off. For
    max-product see ``NoisyOr``.

    Parameters
    ----------
    child : str
        A variable with two states.
    parents : sequence of str
        Variables with two states.
    probabilities : sequence of float
        For each parent, how probable it is that it keeps the child off, where it is off.
    leak : float
        Probability that the child is off though all parents are on.
    negated : sequence of str
        Which variables count as on where they are off.
    name : str
        For messages and figures.

    """

    child: str
    parents: Sequence[str]
    probabilities: Sequence[float]
    leak: float = 0.0
    negated: Names = ()

    @property
    def scope(self) -> tuple[str, ...]:
        """Parents, then the child."""
        return (*self.parents, self.child)

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        flips = negations(self.scope, self.negated, self.label)
        return self.batch([self.probabilities], [self.leak], flips)

    @staticmethod
    def batch(probabilities: ArrayLike, leak: ArrayLike = 0.0, negated: ArrayLike = 0) -> Maker:
        """Many such factors at once, for ``FactorGraph.from_arrays``.

        Parameters
        ----------
        probabilities : float[F, parents] or float[parents]
            Probability that each parent keeps the child off, where it is off.
        leak : float[F] or float
            Probability that the child is off though all parents are on.
        negated : bool[F, arity] or bool[arity]
            Whether each variable counts as on where it is off; the child is the last.

        """

        def make(counts: IntArray, label: Label) -> Gates:
            # De Morgan: what is on here is off there.
            flips = 1 - flips_of(negated, counts, label, "noisy AND", 1)
            make_or = NoisyOr.batch(probabilities, leak, flips)
            found: Gates = make_or(counts, label)  # type: ignore[assignment]
            return found

        return make
