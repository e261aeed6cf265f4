"""Weighted automata: whatever can be said by reading the variables of a factor one by one."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from mpnet.content import Label, Maker
from mpnet.dense import WIDEST_RANGE, frozen, logs_of
from mpnet.errors import GraphError, TooLargeError, size
from mpnet.factors.base import Chained, Written, logs, need_arity
from mpnet.kernels.chains import ChainArrays
from mpnet.kernels.layout import FloatArray, IndexArray, IntArray

SCRATCH = 2**27
"""Most partial results of one factor, in numbers: variables times hidden states (1 GB)."""

Arc = tuple[int, int, int, float]
"""State before, state of the variable, state after, weight."""


@dataclass(frozen=True, eq=False)
class Link:
    """How an automaton reads one variable.

    Parameters
    ----------
    before, state, after : int32[A]
        Hidden state before, state of the variable and hidden state after, for each arc.
    weights : float64[A]
        Weights >= 0.

    """

    before: IndexArray
    state: IndexArray
    after: IndexArray
    weights: FloatArray

    @classmethod
    def of(cls, arcs: Iterable[Arc]) -> Link:
        """From a list of arcs."""
        rows = list(arcs)
        before, state, after = (
            frozen(np.array([row[i] for row in rows], dtype=np.int32), np.int32) for i in range(3)
        )
        weights = frozen(np.array([row[3] for row in rows], dtype=np.float64))
        return cls(before, state, after, weights)

    @cached_property
    def key(self) -> bytes:
        """Equal for equal links."""
        return b"".join(a.tobytes() for a in (self.before, self.state, self.after, self.weights))

    @cached_property
    def widths(self) -> tuple[int, int]:
        """Number of hidden states before and after."""
        return int(self.before.max(initial=0)) + 1, int(self.after.max(initial=0)) + 1

    @cached_property
    def is_deterministic(self) -> bool:
        """Whether the state after follows from the state before and the variable."""
        pairs = self.before.astype(np.int64) * (int(self.state.max(initial=0)) + 1) + self.state
        return np.unique(pairs).size == pairs.size

    def raised(self, power: float) -> Link:
        """The link with its weights raised to a power."""
        return replace(self, weights=frozen(self.weights**power))


@dataclass(frozen=True, eq=False)
class Automata(Chained):
    """Factors that are automata over variables of the same cardinalities.

    Parameters
    ----------
    sizes : tuple of int
        Number of states of each variable.
    edge_link : int32[F, arity]
        For each variable of each factor, which link reads it.
    store : tuple of Link
        The links.

    """

    sizes: tuple[int, ...]
    edge_link: IndexArray
    store: tuple[Link, ...]

    @property
    def kind(self) -> str:
        """Its kernels."""
        return "chain"

    @property
    def count(self) -> int:
        """How many factors there are."""
        return len(self.edge_link)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of states of each variable."""
        return self.sizes

    @property
    def alike(self) -> Hashable:
        """Automata over variables of the same cardinalities can be joined."""
        return Automata

    @cached_property
    def width(self) -> int:
        """Most hidden states."""
        return max(max(link.widths) for link in self.store)

    def links(self, number: int) -> list[FloatArray]:
        """Tables of the chain of one factor."""
        own = [self.store[i] for i in self.edge_link[number]]
        ends = [link.widths for link in own]
        cuts = [1, *(max(a[1], b[0]) for a, b in pairwise(ends)), 1]
        sizes = [a * n * b for a, n, b in zip(cuts[:-1], self.sizes, cuts[1:], strict=True)]
        self.need_short_links(sum(sizes))
        found = []
        for place, link in enumerate(own):
            table = np.zeros((cuts[place], self.sizes[place], cuts[place + 1]))
            kept = (link.before < cuts[place]) & (link.after < cuts[place + 1])
            where = link.before[kept], link.state[kept], link.after[kept]
            np.add.at(table, where, link.weights[kept])
            found.append(logs(table))
        return found

    def taken(self, numbers: IntArray) -> Automata:
        """Some of the factors, by their places in the family."""
        return replace(self, edge_link=self.edge_link[numbers])

    def joined(self, others: Sequence[Automata]) -> Automata:
        """All factors in a row; equal links are kept once."""
        store: dict[bytes, tuple[int, Link]] = {}
        rows = []
        for content in (self, *others):
            new = [store.setdefault(link.key, (len(store), link))[0] for link in content.store]
            rows.append(np.array(new, dtype=np.int32)[content.edge_link])
        return Automata(self.sizes, np.concatenate(rows), tuple(link for _, link in store.values()))

    def is_linear(self) -> bool:
        """Whether the weights of each link keep within the range of linear space."""
        for link in self.store:
            some = link.weights[link.weights > 0.0]
            if some.size and some.min() < WIDEST_RANGE * some.max():
                return False
        return True

    @cached_property
    def is_deterministic(self) -> bool:
        """Whether each assignment has one path: then powers and maxima are taken arc by arc."""
        return all(link.is_deterministic for link in self.store)

    def maximised(self) -> Any:
        """The same where each assignment has one path, else tables."""
        if self.is_deterministic:
            return self
        return self.tabulated("max-product over an automaton with several paths takes its table")

    def tempered(self, powers: FloatArray) -> Any:
        """Automata again where each assignment has one path, else tables."""
        if not self.is_deterministic:
            return super().tempered(powers)
        first, *others = [
            Automata(
                self.sizes,
                self.edge_link[powers == power],
                tuple(link.raised(float(power)) for link in self.store),
            )
            for power in np.unique(powers)
        ]
        order = np.concatenate([np.flatnonzero(powers == power) for power in np.unique(powers)])
        return first.joined(others).taken(np.argsort(order))

    def arrays(self, first: int, linear: bool, dtype: DTypeLike) -> tuple[Any, float]:
        """What the kernels read, and the log of what all factors were divided by (nats)."""
        best = np.array([link.weights.max(initial=0.0) for link in self.store])
        best[best == 0.0] = 1.0
        values = np.concatenate([link.weights / b for link, b in zip(self.store, best)])
        starts = np.cumsum([0, *(link.weights.size for link in self.store)])
        before, state, after = (
            frozen(np.concatenate([getattr(link, name) for link in self.store]), np.int32)
            for name in ("before", "state", "after")
        )
        arrays = ChainArrays(
            first,
            self.width,
            frozen(self.edge_link.reshape(-1), np.int32),
            frozen(starts, np.int32),
            before,
            state,
            after,
            frozen(values if linear else logs_of(values), dtype),
        )
        return arrays, float(np.log(best)[self.edge_link].sum())


def automata(sizes: Sequence[int], edge_link: Any, store: Sequence[Link], label: Label) -> Automata:
    """Automata, unless they are too wide.

    Parameters
    ----------
    sizes : sequence of int
        Number of states of each variable.
    edge_link : int[F, arity]
        For each variable of each factor, which link reads it.
    store : sequence of Link
        The links.
    label : callable
        What to call a factor.

    Raises
    ------
    TooLargeError
        If a factor's partial results would not fit.

    """
    found = Automata(tuple(map(int, sizes)), np.asarray(edge_link, dtype=np.int32), tuple(store))
    if len(sizes) * found.width > SCRATCH:
        raise TooLargeError(
            f"{label(0)}: {len(sizes)} variables times {found.width} hidden states are "
            f"{size(len(sizes) * found.width)} partial results; at most {SCRATCH} fit"
        )
    return found


@dataclass(frozen=True)
class Automaton(Written):
    """A weighted automaton that reads its variables in order.

    *Evolving.*

    The potential of an assignment is the sum over paths of the product of weights along the
    arcs, from ``start`` to a final state, times that state's weight.

    Parameters
    ----------
    variables : sequence of str
        Variables with equally many states.
    arcs : sequence of (int, int, int, float)
        State before, state of the variable, state after, weight.
    final : mapping of int to float
        Weights of the states in which it may end.
    start : int
        State in which it starts.
    name : str
        For messages and figures.

    Examples
    --------
    Words over {0, 1} without two ones in a row:

    >>> arcs = [(0, 0, 0, 1.0), (0, 1, 1, 1.0), (1, 0, 0, 1.0)]
    >>> word = Automaton(["a", "b", "c"], arcs, {0: 1.0, 1: 1.0})

    """

    variables: Sequence[str]
    arcs: Sequence[Arc]
    final: Mapping[int, float]
    start: int = 0

    @property
    def scope(self) -> tuple[str, ...]:
        """The variables."""
        return tuple(self.variables)

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        return self.batch(self.arcs, self.final, self.start)

    @staticmethod
    def batch(arcs: Sequence[Arc], final: Mapping[int, float], start: int = 0) -> Maker:
        """Many equal automata at once, for ``FactorGraph.from_arrays``.

        Parameters
        ----------
        arcs : sequence of (int, int, int, float)
            State before, state of the variable, state after, weight.
        final : mapping of int to float
            Weights of the states in which it may end.
        start : int
            State in which it starts.

        """

        def make(counts: IntArray, label: Label) -> Automata:
            need_arity(counts, label, "an automaton", 1)
            _check_arcs(arcs, final, counts, label)
            swap = {start: 0, 0: start}
            moved = [(swap.get(a, a), x, swap.get(b, b), w) for a, x, b, w in arcs]
            ends = {swap.get(state, state): weight for state, weight in final.items()}
            last: dict[tuple[int, int], float] = {}
            for before, state, after, weight in moved:
                if weight * ends.get(after, 0.0) > 0.0:
                    key = before, state
                    last[key] = last.get(key, 0.0) + weight * ends[after]
            arity = counts.shape[1]
            opening = Link.of(arc for arc in moved if arc[0] == 0)
            closing = Link.of(
                (before, state, 0, weight) for (before, state), weight in last.items()
            )
            if arity == 1:
                closing = Link.of((b, s, 0, w) for (b, s), w in last.items() if b == 0)
            middle = [1] * max(0, arity - 2)
            edge_link = [2] if arity == 1 else [0, *middle, 2]
            store = (opening, Link.of(moved), closing)
            return automata(counts[0].tolist(), [edge_link] * len(counts), store, label)

        return make


def _check_arcs(
    arcs: Sequence[Arc], final: Mapping[int, float], counts: IntArray, label: Label
) -> None:
    least = int(counts.min())
    for number, (before, state, after, weight) in enumerate(arcs):
        if before < 0 or after < 0 or not 0 <= state < least:
            raise GraphError(
                f"{label(0)}: arcs[{number}] is {(before, state, after, weight)}; hidden states are "
                f"at least 0 and states of the variable 0 to {least - 1}"
            )
        if not 0.0 <= weight < np.inf:
            raise GraphError(
                f"{label(0)}: arcs[{number}] has the weight {weight}; it must be finite and >= 0"
            )
    for state, weight in final.items():
        if state < 0 or not 0.0 <= weight < np.inf:
            raise GraphError(
                f"{label(0)}: final[{state}] is {weight}; states and weights must be at least 0"
            )
