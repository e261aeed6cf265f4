"""The content of gates: what ``mpnet.kernels.gates`` serves, for all kinds that are one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mpnet.dense import frozen, logs_of
from mpnet.factors.base import Chained, logs
from mpnet.kernels.gates import NOISY_OR, ONE_OF, OR, PARITY, GateArrays
from mpnet.kernels.layout import FloatArray

__all__ = ["NOISY_OR", "ONE_OF", "OR", "PARITY", "Gates"]

# The bit after an input that is on, by rule and bit before; -1 where that is impossible.
_TURNED = {OR: (1, 1), NOISY_OR: (1, 1), ONE_OF: (1, -1), PARITY: (1, 0)}


@dataclass(frozen=True, eq=False)
class Gates(Chained):
    """Gates of one rule and one arity, as ``mpnet.kernels.gates.GateArrays``.

    Parameters
    ----------
    rule : tuple of int
        ``OR``, ``ONE_OF``, ``PARITY`` or ``NOISY_OR``.
    child : bool
        Whether the last variable is a child.
    flips : uint8[F, arity]
        One for each negated variable.
    weights : float64[F, 2]
        Potentials of the bit at the end, off and on; not used where there is a child.
    starts : float64[F, 2]
        Potentials of the bit at the start.
    noise : float64[F, inputs, 2] or float64[F, 0, 2]
        Probabilities that an input that is on counts as off and as on; none without noise.

    """

    rule: tuple[int, ...]
    child: bool
    flips: NDArray[np.uint8]
    weights: FloatArray
    starts: FloatArray
    noise: FloatArray

    @classmethod
    def plain(
        cls, rule: tuple[int, ...], flips: NDArray[np.uint8], weights: FloatArray | None = None
    ) -> Gates:
        """Gates without noise; those without weights have a child."""
        count = len(flips)
        starts = np.tile([1.0, 0.0], (count, 1))
        held = np.ones((count, 2)) if weights is None else weights
        return cls(rule, weights is None, flips, held, starts, np.empty((count, 0, 2)))

    @property
    def kind(self) -> str:
        """Its kernels."""
        return "gate"

    @property
    def count(self) -> int:
        """How many factors there are."""
        return len(self.flips)

    @property
    def shape(self) -> tuple[int, ...]:
        """All variables have two states."""
        return (2,) * int(self.flips.shape[1])

    @property
    def noisy(self) -> bool:
        """Whether inputs are noisy."""
        return self.rule == NOISY_OR

    def links(self, number: int) -> list[FloatArray]:
        """The bit between inputs; a leak is in the first link, what becomes of the bit in the last."""
        inputs = self.flips.shape[1] - self.child
        links = []
        for place in range(inputs):
            link = np.zeros((2, 2, 2))
            link[[0, 1], 0, [0, 1]] = 1.0
            passed = self.noise[number, place] if self.noisy else (0.0, 1.0)
            for bit, after in enumerate(_TURNED[self.rule]):
                link[bit, 1, bit] += passed[0]
                if after >= 0:
                    link[bit, 1, after] += passed[1]
            if self.flips[number, place]:
                link = link[:, ::-1]
            links.append(link)
        if self.child:
            link = np.eye(2)[:, :, None]
            links.append(link[:, ::-1] if self.flips[number, -1] else link)
        elif inputs:
            links[-1] = (links[-1] @ self.weights[number])[:, :, None]
        links[0] = np.tensordot(self.starts[number], links[0], 1)[None]
        return [logs(link) for link in links]

    def given(self, place: int, state: int) -> Gates:
        """The same gates with one variable fixed, which leaves their scopes.

        Parameters
        ----------
        place : int
            Of the variable in the scope; at least one other must be left.
        state : int
            Its state, 0 or 1.

        """
        flips = np.delete(self.flips, place, axis=1)
        on = (self.flips[:, place] != state)[:, None]
        if self.child and place == self.flips.shape[1] - 1:
            return replace(
                self, child=False, flips=flips, weights=np.where(on, [0, 1], [1, 0]) * 1.0
            )
        passed = self.noise[:, place] if self.noisy else np.tile([0.0, 1.0], (self.count, 1))
        moved = self.starts * passed[:, :1]
        for bit, after in enumerate(_TURNED[self.rule]):
            if after >= 0:
                moved[:, after] += self.starts[:, bit] * passed[:, 1]
        noise = np.delete(self.noise, place, axis=1) if self.noisy else self.noise
        return replace(self, flips=flips, starts=np.where(on, moved, self.starts), noise=noise)

    def as_product(self, number: int) -> tuple[float, list[FloatArray]] | None:
        """One gate as a constant and a table per input (nats), where it is such a product.

        That is so for an OR, noisy or not, that may not be on: each input is kept from turning it on.
        """
        if self.child or self.weights[number, 1] > 0.0 or self.rule not in (OR, NOISY_OR):
            return None
        inputs = self.flips.shape[1]
        fails = self.noise[number, :, 0] if self.noisy else np.zeros(inputs)
        tables = np.stack([np.ones(inputs), fails], axis=1)
        flipped = self.flips[number] == 1
        tables[flipped] = tables[flipped, ::-1]
        constant = float(logs(self.starts[number, 0] * self.weights[number, 0]))
        return constant, list(logs(tables))

    def is_linear(self) -> bool:
        """Whether weights keep within the range of linear space."""
        return all(_narrow(values) for values in (self.weights, self.starts, self.noise))

    def tempered(self, powers: FloatArray) -> Any:
        """Gates again, but for noisy ones."""
        if self.noisy:
            return super().tempered(powers)
        return replace(self, weights=self.weights ** powers[:, None])

    def maximised(self) -> Any:
        """Tables for noisy gates, which sum over what caused the bit; else the same."""
        if not self.noisy:
            return self
        return self.tabulated(
            "max-product over a noisy gate sums over hidden causes inside the factor, which takes "
            "its whole table (explicit=True makes the causes variables instead)"
        )

    def arrays(self, first: int, linear: bool, dtype: DTypeLike) -> tuple[Any, float]:
        """What the kernels read, and the log of what all factors were divided by (nats)."""
        scale = self._scales
        parts = (self.weights / scale[:, None], self.starts, self.noise)
        values = [part.reshape(-1) if linear else logs_of(part.reshape(-1)) for part in parts]
        arrays = GateArrays(
            first,
            self.rule,
            (0,) * self.child,
            frozen(self.flips.reshape(-1), np.uint8),
            *(frozen(value, dtype) for value in values),
        )
        return arrays, float(np.log(scale).sum())

    @cached_property
    def _scales(self) -> FloatArray:
        best: FloatArray = self.weights.max(axis=1, initial=0.0)
        best[best == 0.0] = 1.0
        return best


def _narrow(values: FloatArray) -> bool:
    flat = values.reshape(-1)
    some = flat[flat > 0.0]
    return not some.size or bool(some.min() >= 1e-100 * max(1.0, some.max()))
