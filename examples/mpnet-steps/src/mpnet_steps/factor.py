"""Factors over two variables on a ladder of states, as users and programs write them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from mpnet.errors import GraphError
from mpnet.families import (
    WIDEST_RANGE,
    FloatArray,
    IndexArray,
    IntArray,
    Label,
    Maker,
    OwnContent,
    Written,
    frozen,
    logs,
    logs_of,
    need_numbers,
)
from mpnet_steps.kernels import NAME, StepArrays


@dataclass(frozen=True, eq=False)
class Ladders(OwnContent):
    """Factors of one shape; those with equal rungs share a ladder.

    Parameters
    ----------
    states : int
        Of each variable on the ladder.
    switched : bool
        Whether each factor has a switch with two states in front.
    ladder : int32[F]
        Which ladder each factor uses.
    ladders : tuple of float64[2, states - 1]
        Weights of the rungs, on the way up and on the way down.

    """

    states: int
    switched: bool
    ladder: IndexArray
    ladders: tuple[FloatArray, ...]

    @property
    def kind(self) -> str:
        """Its kernels."""
        return NAME

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of states of each variable of a scope."""
        return (2,) * self.switched + (self.states, self.states)

    @property
    def alike(self) -> Hashable:
        """Those of one shape."""
        return Ladders, self.shape

    def table(self, number: int) -> FloatArray:
        """Log potentials of one factor as a table, in nats."""
        self.need_small()
        climbed = on_the_way(self.ladders[self.ladder[number]])
        return np.stack([np.zeros_like(climbed), climbed]) if self.switched else climbed

    def is_linear(self) -> bool:
        """Whether what is possible weighs enough for numbers."""
        return all(weight > np.log(WIDEST_RANGE) for weight in map(_least, self.ladders))

    def tempered(self, powers: FloatArray) -> Ladders:
        """Ladders again: the power of a product is the product of powers."""
        pairs = [(int(i), float(p)) for i, p in zip(self.ladder, powers, strict=True)]
        place = {pair: number for number, pair in enumerate(dict.fromkeys(pairs))}
        ladders = tuple(self.ladders[i] ** power for i, power in place)
        return replace(self, ladder=_numbers([place[pair] for pair in pairs]), ladders=ladders)

    def joined(self, others: Sequence[Ladders]) -> Ladders:
        """All factors in a row; equal ladders are kept once."""
        store: dict[bytes, tuple[int, FloatArray]] = {}
        found: list[int] = []
        for content in (self, *others):
            new = [
                store.setdefault(each.tobytes(), (len(store), each))[0] for each in content.ladders
            ]
            found += [new[number] for number in content.ladder]
        ladders = tuple(ladder for _, ladder in store.values())
        return replace(self, ladder=_numbers(found), ladders=ladders)

    def arrays(self, first: int, linear: bool, dtype: DTypeLike) -> tuple[Any, float]:
        """What the kernels read; nothing was divided out, for weights are at most one."""
        up, down = np.concatenate(self.ladders, axis=1)
        arrays = StepArrays(
            first,
            int(self.switched),
            frozen(self.ladder * (self.states - 1), np.int32),
            frozen(up if linear else logs_of(up), dtype),
            frozen(down if linear else logs_of(down), dtype),
        )
        return arrays, 0.0


def _numbers(values: Sequence[int]) -> IndexArray:
    return frozen(np.array(values, dtype=np.int32), np.int32)


def on_the_way(ladder: FloatArray) -> FloatArray:
    """Sum of the logs of all rungs between two states, in nats, shape (states, states)."""
    count = ladder.shape[1] + 1
    table = np.zeros((count, count))
    up, down = logs(ladder)
    for state in range(1, count):
        # From any state below: as far as the one before, and one rung more.
        table[:state, state] = table[:state, state - 1] + up[state - 1]
        table[state, :state] = table[state - 1, :state] + down[state - 1]
    return table


def _least(ladder: FloatArray) -> float:
    """Log of the smallest weight that is possible, in nats."""
    table = on_the_way(ladder)
    return float(table[table > -np.inf].min())


@dataclass(frozen=True)
class Steps(Written):
    """Each step between two variables, along the states that both have, costs something.

    The potential is the product of the weights of the rungs between the state of the first
    variable and that of the second: of ``up`` where the second is above, of ``down`` where it is
    below, one where both are the same. A weight of zero can't be passed, so ``down=0`` says that
    the second is not below the first.

    Parameters
    ----------
    one, two : str
        Variables with equally many states, at least two, in an order.
    up, down : float or sequence of float
        Weight of each rung in [0, 1]; one for all, or one for each, from the lowest.
    switch : str
        A variable with two states; while it is in the first of them, all assignments weigh one.
        No switch where empty.
    name : str
        For messages and figures.

    Examples
    --------
    >>> near = Steps("yesterday", "today", up=0.4, down=0.4)
    >>> not_below = Steps("low", "high", up=1.0, down=0.0)

    """

    one: str
    two: str
    up: float | Sequence[float] = 0.5
    down: float | Sequence[float] = 0.5
    switch: str = ""

    @property
    def scope(self) -> tuple[str, ...]:
        """The switch, if there is one, and both variables."""
        return (self.switch, self.one, self.two) if self.switch else (self.one, self.two)

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        return self.batch(self.up, self.down)

    @staticmethod
    def batch(up: ArrayLike, down: ArrayLike) -> Maker:
        """Many such factors with the same rungs at once, for ``FactorGraph.from_arrays``.

        Parameters
        ----------
        up, down : float or float[states - 1]
            Weights of rungs.

        """

        def make(counts: IntArray, label: Label) -> Ladders:
            _check(counts, label)
            rungs = int(counts[0, -1]) - 1
            ladder = np.concatenate(
                [
                    need_numbers(_spread(weights, rungs), (1, rungs), label, what, 1.0)
                    for weights, what in ((up, "up"), (down, "down"))
                ]
            )
            switched = counts.shape[1] == 3
            return Ladders(rungs + 1, switched, _numbers([0] * len(counts)), (frozen(ladder),))

        return make


def _spread(weights: ArrayLike, rungs: int) -> Any:
    """One weight for all rungs as one for each."""
    return [weights] * rungs if isinstance(weights, int | float) else weights


def _check(counts: IntArray, label: Label) -> None:
    *switch, one, two = counts[0].tolist()
    if len(switch) > 1:
        raise GraphError(f"{label(0)}: steps are between two variables, with a switch or without")
    if switch and switch[0] != 2:
        raise GraphError(f"{label(0)}: the switch has {switch[0]} states; it must have 2")
    if one != two or one < 2:
        raise GraphError(
            f"{label(0)}: steps are between variables with equally many states, two or more; got "
            f"{one} and {two}"
        )
