"""Whether hard zeros alone rule everything out, found apart from any message passing.

Messages may overflow where nothing is impossible: only what is proven here may be called a
contradiction of a model that was asked by loopy propagation.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpnet.dense import DenseTables
from mpnet.errors import shown
from mpnet.graph import FactorGraph, Family
from mpnet.kernels.families import FAMILIES
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.kernels.semiring import LogMax

SECONDS = 2.0
"""Time that the search for a small set of evidence may take."""

SWEEPS = 2000
"""Times that all factors are looked at, at most: long chains need as many as links."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Place:
    """Where support runs out: a factor that allows nothing, or a variable without states."""

    factor: int = -1
    variable: int = -1


class Support:
    """States that hard zeros leave possible: what every factor allows, again and again.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.

    """

    def __init__(self, graph: FactorGraph) -> None:
        self.graph = graph
        self._families: list[_Tables | _Kernels] = []
        for family in graph.families:
            if not isinstance(family.content, DenseTables):
                self._families.append(_Kernels(graph, family))
            elif not (tables := _Tables(graph, family)).allowed.all():
                self._families.append(tables)

    def dead_end(self, unary: FloatArray) -> Place | None:
        """Where nothing is possible under unary potentials (nats), or None if nothing shows.

        None is no promise: every variable has a state that each factor allows by itself.
        """
        alive = unary != -np.inf
        variables = self.graph.arrays.variable_states
        if self.graph.log_constant == -np.inf:
            return Place()
        left = -1
        for _ in range(SWEEPS):
            if left == (left := int(alive.sum())):
                break
            if (empty := ~np.logical_or.reduceat(alive, variables[:-1])).any():
                return Place(variable=int(np.argmax(empty)))
            for family in self._families:
                found = family.narrow(alive)
                if found >= 0:
                    return Place(factor=found)
        return None


class _Tables:
    """What dense factors of one family allow, (factors, states, ...), and where the states are."""

    def __init__(self, graph: FactorGraph, family: Family) -> None:
        count = family.last - family.first
        self.first = family.first
        self.allowed = np.array([family.content.table(i) != -np.inf for i in range(count)])
        edges = graph.arrays.factor_edges[family.first : family.last]
        starts = graph.arrays.variable_states.astype(np.int64)
        self.states: list[IntArray] = []
        for axis in range(self.allowed.ndim - 1):
            at = starts[graph.arrays.edge_variable[edges + axis]]
            self.states.append(at[:, None] + np.arange(self.allowed.shape[axis + 1]))

    def narrow(self, alive: Mask) -> int:
        """Overwrite ``alive`` with what is left; the first factor that leaves nothing, or -1."""
        live = self.allowed.copy()
        axes = range(1, live.ndim)
        for axis, where in zip(axes, self.states, strict=True):
            shape = [len(live)] + [1] * (live.ndim - 1)
            shape[axis] = -1
            live &= alive[where].reshape(shape)
        some = live.any(axis=tuple(axes))
        if not some.all():
            return self.first + int(np.argmin(some))
        for axis, where in zip(axes, self.states, strict=True):
            kept = live.any(axis=tuple(other for other in axes if other != axis))
            np.logical_and.at(alive, where, kept)
        return -1


class _Kernels:
    """What factors of another kind allow: their max-product messages, of yes and no."""

    def __init__(self, graph: FactorGraph, family: Family) -> None:
        self.graph, self.family = graph, family
        self.arrays, _ = family.arrays(linear=False)
        arrays = graph.arrays
        edges = slice(*(int(arrays.factor_edges[f]) for f in (family.first, family.last)))
        starts = arrays.edge_states[edges.start : edges.stop + 1].astype(np.int64)
        self.entries = slice(int(starts[0]), int(starts[-1]))
        self.starts = starts[:-1] - starts[0]
        offsets = np.arange(starts[-1] - starts[0]) - np.repeat(self.starts, np.diff(starts))
        first = arrays.variable_states[arrays.edge_variable[edges]]
        self.where = np.repeat(first, np.diff(starts)) + offsets
        self.edges = edges
        self.messages = np.full(int(arrays.edge_states[-1]), -np.inf)
        self.answers = np.full_like(self.messages, -np.inf)

    def narrow(self, alive: Mask) -> int:
        """Overwrite ``alive`` with what is left; the first factor that leaves nothing, or -1."""
        here = alive[self.where]
        self.messages[self.entries] = np.where(here, 0.0, -np.inf)
        FAMILIES[self.family.kind].send(
            LogMax(),
            self.graph.arrays,
            self.arrays,
            self.family.first,
            self.family.last,
            self.messages,
            self.messages,
            self.answers,
            0.0,
            np.empty(0),
        )
        kept = self.answers[self.entries] != -np.inf
        some = np.logical_or.reduceat(kept & here, self.starts)
        if not some.all():
            edge = self.edges.start + int(np.argmin(some))
            return int(self.graph.edge_factor[edge])
        np.logical_and.at(alive, self.where, kept)
        return -1


def explain(
    graph: FactorGraph, evidence: Mapping[int, int], numbers: IntArray | None = None
) -> str | None:
    """One sentence that names evidence which can't be true together, and where that shows.

    Parameters
    ----------
    graph : FactorGraph
        The graph, without the evidence.
    evidence : mapping of int to int
        Observed states by variable.
    numbers : int64[factors], optional
        What to call each factor.

    Returns
    -------
    str or None
        None where hard zeros do not show a contradiction.

    """
    support = Support(graph)
    place = support.dead_end(_clamped(graph, evidence))
    if place is None:
        return None
    needed, until = dict(evidence), time.monotonic() + SECONDS
    for variable in evidence:
        if time.monotonic() > until:
            break
        without = {v: s for v, s in needed.items() if v != variable}
        found = support.dead_end(_clamped(graph, without))
        if found is not None:
            needed, place = without, found
    where = _told(graph, place, numbers)
    if not needed:
        return f"the model contradicts itself without any evidence: {where}"
    verb = "contradicts" if len(needed) == 1 else "together contradict"
    return f"impossible evidence: {_said(graph, needed)} {verb} the model: {where}"


def _clamped(graph: FactorGraph, evidence: Mapping[int, int]) -> FloatArray:
    unary = graph.unary.copy()
    for variable, state in evidence.items():
        where = graph.states_of(variable)
        others = np.arange(where.stop - where.start) != state
        unary[where][others] = -np.inf  # a slice is a view
    return unary


def _told(graph: FactorGraph, place: Place, numbers: IntArray | None) -> str:
    if place.factor >= 0:
        names = [shown(graph.variables[v].name) for v in graph.factors[place.factor].scope]
        more = ", ..." if len(names) > 8 else ""
        number = place.factor if numbers is None else int(numbers[place.factor])
        return f"factor {number} ({', '.join(names[:8])}{more}) allows nothing then"
    if place.variable >= 0:
        return f"no state of {shown(graph.variables[place.variable].name)!r} is possible"
    return "a factor without variables is zero"


def _said(graph: FactorGraph, states: Mapping[int, int]) -> str:
    found = []
    for variable, state in list(states.items())[:8]:
        about = graph.variables[variable]
        found.append(f"{shown(about.name)} = {shown(about.states[state])}")
    more = f" and {len(states) - 8} more" if len(states) > 8 else ""
    return " and ".join(found) + more
