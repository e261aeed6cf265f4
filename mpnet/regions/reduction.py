"""A graph made smaller before it is clustered, with the same distribution.

States that hard zeros rule out are cut, variables with one state left are sliced away, and a
variable on which a factor depends only by a factor of its own leaves that factor. Each step
keeps exact marginals, log Z, and the fixed points of belief propagation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from mpnet.contradiction import Place, Support
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray, IntArray

NEUTRAL = 1e-13
"""Tables that differ by less than this, in nats, are taken for equal."""

Scope = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Reduced:
    """What is left of a graph.

    Parameters
    ----------
    graph : FactorGraph
        The original.
    alive : bool[B]
        States that are left possible.
    counts : int64[V]
        Number of possible states of each variable.
    unary : list of float64[counts[v]]
        Log potentials (nats) of the possible states of variables that no factor is left to
        carry for; zeros elsewhere.
    scopes : list of tuple of int
        Variables of each factor, ascending, two or more.
    tables : list of float64[counts of the scope]
        Log potentials of each factor, in nats.
    log_constant : float
        What was taken out, in nats.
    place : Place or None
        Where nothing is possible, if that showed.

    """

    graph: FactorGraph
    alive: NDArray[np.bool_]
    counts: IntArray
    unary: list[FloatArray]
    scopes: list[Scope] = field(default_factory=list)
    tables: list[FloatArray] = field(default_factory=list)
    log_constant: float = 0.0
    place: Place | None = None

    def states(self, variable: int) -> IntArray:
        """The possible states of a variable."""
        return np.flatnonzero(self.alive[self.graph.states_of(variable)])

    def spread(self, scope: Scope, table: FloatArray) -> FloatArray:
        """A table over possible states as one over all states, 0 where nothing is possible."""
        shape = [int(self.graph.cardinalities[v]) for v in scope]
        full = np.zeros(shape)
        full[np.ix_(*(self.states(v) for v in scope))] = table
        return full

    def merged(self) -> Reduced:
        """The same with each factor multiplied into the smallest one that has its variables."""
        scopes, tables = _absorbed(self.scopes, self.tables)
        return replace(self, scopes=scopes, tables=tables)


def reduce_graph(graph: FactorGraph) -> Reduced:
    """Cut, slice and split, and let factors carry the unary potentials.

    Parameters
    ----------
    graph : FactorGraph
        With evidence as unary potentials; not modified.

    """
    alive, place = Support(graph).possible(graph.unary)
    starts = graph.arrays.variable_states
    counts = np.add.reduceat(alive, starts[:-1], dtype=np.int64) if alive.size else np.empty(0)
    counts = counts.astype(np.int64)
    if place is not None:
        return Reduced(graph, alive, counts, [], place=place)
    kept = graph.unary[alive]
    unary = np.split(kept, np.cumsum(counts)[:-1]) if counts.size else []
    unary = [part.copy() for part in unary]
    scopes, tables = _sliced(graph, alive, counts)
    constant = graph.log_constant
    scopes, tables, taken = _split(scopes, tables, unary)
    constant += taken
    for variable in np.flatnonzero(counts == 1):
        constant += float(unary[variable][0])
        unary[variable] = np.zeros(1)
    _carry(scopes, tables, unary)
    return Reduced(graph, alive, counts, unary, scopes, tables, constant)


def _sliced(
    graph: FactorGraph, alive: NDArray[np.bool_], counts: IntArray
) -> tuple[list[Scope], list[FloatArray]]:
    """Tables over possible states, axes sorted by variable, without axes of length one."""
    whole = counts == graph.cardinalities
    scopes, tables = [], []
    for family in graph.families:
        for number in range(family.first, family.last):
            scope = graph.factors[number].scope
            table = family.content.table(number - family.first)
            if not whole[list(scope)].all():
                picked = (np.flatnonzero(alive[graph.states_of(v)]) for v in scope)
                table = table[np.ix_(*picked)]
            order = sorted(range(len(scope)), key=lambda axis: scope[axis])
            left = tuple(scope[axis] for axis in order if counts[scope[axis]] > 1)
            tables.append(table.transpose(order).reshape([int(counts[v]) for v in left]))
            scopes.append(left)
    return scopes, tables


def _split(
    scopes: list[Scope], tables: list[FloatArray], unary: list[FloatArray]
) -> tuple[list[Scope], list[FloatArray], float]:
    """Take out what a factor says about one variable alone; ``unary`` is added to.

    Tables of one shape are looked at together. Returns the factors over two variables or more,
    and what constants came to.
    """
    done_scopes: list[Scope] = []
    done_tables: list[FloatArray] = []
    constant = 0.0
    waiting = list(zip(scopes, tables, strict=True))
    while waiting:
        by_shape: dict[tuple[int, ...], list[tuple[Scope, FloatArray]]] = {}
        for scope, table in waiting:
            by_shape.setdefault(table.shape, []).append((scope, table))
        waiting = []
        for shape, members in by_shape.items():
            if len(shape) < 2:
                for scope, table in members:
                    if scope:
                        unary[scope[0]] += table
                    else:
                        constant += float(table)
                continue
            for (scope, table), axis, alone in _alone(members):
                if axis < 0:
                    done_scopes.append(scope)
                    done_tables.append(table)
                    continue
                unary[scope[axis]] += alone
                rest = scope[:axis] + scope[axis + 1 :]
                waiting.append((rest, np.take(table, 0, axis=axis)))
    return done_scopes, done_tables, constant


def _alone(
    members: list[tuple[Scope, FloatArray]],
) -> Iterator[tuple[tuple[Scope, FloatArray], int, FloatArray]]:
    """Each factor, an axis that says the same whatever the others are (or -1), and what it says."""
    together = np.stack([table for _, table in members])
    found = np.full(len(members), -1)
    said: list[FloatArray] = [np.empty(0)] * len(members)
    for axis in range(1, together.ndim):
        rows = np.moveaxis(together, axis, 1).reshape(len(members), together.shape[axis], -1)
        first = rows[:, :1]
        impossible = rows == -np.inf
        with np.errstate(invalid="ignore"):
            change = np.where(impossible, np.nan, rows - first)
        same = (impossible == impossible[:, :1]).all(axis=(1, 2))
        low = np.fmin.reduce(change, axis=2, initial=np.inf)
        high = np.fmax.reduce(change, axis=2, initial=-np.inf)
        some = ~impossible.all(axis=(1, 2))
        with np.errstate(invalid="ignore"):
            close = (high - low <= NEUTRAL).all(axis=1)
        for number in np.flatnonzero(same & some & close & (found < 0)):
            found[number] = axis - 1
            said[number] = 0.5 * (low[number] + high[number])
    return zip(members, found.tolist(), said, strict=True)


def _carry(scopes: list[Scope], tables: list[FloatArray], unary: list[FloatArray]) -> None:
    """Multiply each unary potential into the smallest factor at its variable."""
    home: dict[int, int] = {}
    for number, scope in enumerate(scopes):
        for variable in scope:
            if variable not in home or tables[number].size < tables[home[variable]].size:
                home[variable] = number
    for variable, number in home.items():
        if unary[variable].any():
            shape = [-1 if v == variable else 1 for v in scopes[number]]
            tables[number] = tables[number] + unary[variable].reshape(shape)
            unary[variable] = np.zeros(unary[variable].size)


def _absorbed(
    scopes: list[Scope], tables: list[FloatArray]
) -> tuple[list[Scope], list[FloatArray]]:
    by_scope: dict[Scope, FloatArray] = {}
    for scope, table in zip(scopes, tables, strict=True):
        by_scope[scope] = by_scope[scope] + table if scope in by_scope else table
    at: dict[int, set[Scope]] = {}
    for scope in by_scope:
        for variable in scope:
            at.setdefault(variable, set()).add(scope)
    for scope in sorted(by_scope, key=lambda s: (len(s), s)):
        wider = set.intersection(*(at[v] for v in scope)) - {scope}
        if not wider:
            continue
        home = min(wider, key=lambda s: (by_scope[s].size, s))
        by_scope[home] = by_scope[home] + aligned(by_scope.pop(scope), scope, home)
        for variable in scope:
            at[variable].discard(scope)
    return list(by_scope), list(by_scope.values())


def aligned(table: FloatArray, scope: Scope, onto: Scope) -> FloatArray:
    """A table, its scope ascending, with axes of length one for the other variables of ``onto``."""
    shape = iter(table.shape)
    return table.reshape([next(shape) if v in scope else 1 for v in onto])
