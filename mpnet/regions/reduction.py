"""A graph made smaller before it is clustered, with the same distribution.

Wide factors that are products of small tables are taken apart, states that hard zeros rule out
are cut, variables with one state left are sliced away, and a variable on which a factor depends
only by a factor of its own leaves that factor. Each step keeps exact marginals, log Z, and the
fixed points of belief propagation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray, IntArray

NEUTRAL = 1e-13
"""Tables that differ by less than this, in nats, are taken for equal."""

WHOLE = 256
"""Entries up to which a factor's table is used even if it is a product of smaller ones."""

ROUNDS = 1000
"""Times that all factors are looked at for impossible states, at most."""

Scope = tuple[int, ...]
Factors = list[tuple[Scope, FloatArray]]


@dataclass(frozen=True, eq=False)
class Reduced:
    """What is left of a graph.

    Variables are those of the graph, then the hidden ones of factors that were taken apart.

    Parameters
    ----------
    graph : FactorGraph
        The original.
    alive : bool[all states in a row]
        States that are left possible.
    starts : int64[V + 1]
        Start of each variable's states.
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
        What was taken out, in nats; ``-inf`` where nothing is possible.
    guilty : tuple of int
        Variables of the graph at which nothing is possible, if that showed.

    """

    graph: FactorGraph
    alive: NDArray[np.bool_]
    starts: IntArray
    counts: IntArray
    unary: list[FloatArray] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    tables: list[FloatArray] = field(default_factory=list)
    log_constant: float = 0.0
    guilty: Scope = ()

    def states(self, variable: int) -> IntArray:
        """The possible states of a variable."""
        return np.flatnonzero(self.alive[self.starts[variable] : self.starts[variable + 1]])

    def spread(self, scope: Scope, table: FloatArray) -> FloatArray:
        """A table over possible states as one over all states, 0 where nothing is possible."""
        full = np.zeros([int(self.starts[v + 1] - self.starts[v]) for v in scope])
        full[np.ix_(*(self.states(v) for v in scope))] = table
        return full

    def merged(self) -> Reduced:
        """The same with each factor multiplied into the smallest one that has its variables."""
        scopes, tables = _absorbed(self.scopes, self.tables)
        return replace(self, scopes=scopes, tables=tables)


def reduce_graph(graph: FactorGraph, *, maximise: bool = False) -> Reduced:
    """Take apart, cut, slice and split, and let factors carry the unary potentials.

    Parameters
    ----------
    graph : FactorGraph
        With evidence as unary potentials; not modified.
    maximise : bool
        Whether it is for max-product: factors that sum inside are not taken apart then.

    """
    factors, hidden = _taken_apart(graph, maximise)
    widths = np.concatenate([graph.cardinalities, np.array(hidden, dtype=np.int64)])
    starts = np.concatenate([[0], np.cumsum(widths)]).astype(np.int64)
    logs = np.concatenate([graph.unary, np.zeros(int(starts[-1]) - graph.unary.size)])
    alive = logs != -np.inf
    place = _cut(alive, starts, factors)
    if place is None and graph.log_constant == -np.inf:
        place = ()
    counts = np.diff(np.concatenate([[0], np.cumsum(alive)])[starts])
    if place is not None:
        guilty = tuple(v for v in place if v < len(graph.variables))
        return Reduced(graph, alive, starts, counts, log_constant=-math.inf, guilty=guilty)
    kept = logs[alive]
    unary = [part.copy() for part in np.split(kept, np.cumsum(counts)[:-1])] if widths.size else []
    constant = graph.log_constant
    factors, taken = _split(_sliced(alive, starts, counts, factors), unary)
    constant += taken
    for variable in np.flatnonzero(counts == 1).tolist():
        constant += float(unary[variable][0])
        unary[variable] = np.zeros(1)
    scopes, tables = [scope for scope, _ in factors], [table for _, table in factors]
    _carry(scopes, tables, unary)
    return Reduced(graph, alive, starts, counts, unary, scopes, tables, constant)


def _taken_apart(graph: FactorGraph, maximise: bool) -> tuple[Factors, list[int]]:
    """Small tables that make up all factors, axes by variable, and states of hidden variables."""
    factors: Factors = []
    hidden: list[int] = []
    first_edges = graph.arrays.factor_edges
    variables = graph.arrays.edge_variable
    for family in graph.families:
        content = family.content.maximised() if maximise else family.content
        for number in range(family.first, family.last):
            scope = tuple(map(int, variables[first_edges[number] : first_edges[number + 1]]))
            if math.prod(int(graph.cardinalities[v]) for v in scope) <= WHOLE:
                found = [(scope, content.table(number - family.first))]
            else:
                parts = content.parts(number - family.first)
                base = len(graph.variables) + len(hidden)
                names = (*scope, *range(base, base + len(parts.hidden)))
                hidden += parts.hidden
                found = [
                    (tuple(names[axis] for axis in axes), table) for axes, table in parts.tables
                ]
            for names, table in found:
                order = sorted(range(len(names)), key=names.__getitem__)
                factors.append((tuple(names[axis] for axis in order), table.transpose(order)))
    return factors, hidden


def _by_shape(factors: Factors) -> list[tuple[IntArray, FloatArray]]:
    """Scopes (one a row) and tables of the factors of each shape, together."""
    found: dict[tuple[int, ...], Factors] = {}
    for scope, table in factors:
        found.setdefault(table.shape, []).append((scope, table))
    return [
        (
            np.array([scope for scope, _ in members], dtype=np.int64).reshape(len(members), -1),
            np.stack([table for _, table in members]),
        )
        for members in found.values()
    ]


def _cut(alive: NDArray[np.bool_], starts: IntArray, factors: Factors) -> Scope | None:
    """Take away states that some factor rules out by itself, again and again.

    ``alive`` is overwritten. Returns the variables at which nothing is left, or None.
    """
    hard = []
    for scopes, tables in _by_shape([f for f in factors if (f[1] == -np.inf).any()]):
        states = [
            starts[scopes[:, axis]][:, None] + np.arange(tables.shape[axis + 1])
            for axis in range(scopes.shape[1])
        ]
        hard.append((scopes, tables != -np.inf, states))
    left = -1
    for _ in range(ROUNDS):
        if left == (left := int(alive.sum())):
            break
        empty = np.diff(np.concatenate([[0], np.cumsum(alive)])[starts]) == 0
        if empty.any():
            return (int(np.argmax(empty)),)
        for scopes, allowed, states in hard:
            dead = _narrow(alive, allowed, states)
            if dead >= 0:
                return tuple(map(int, scopes[dead]))
    return None


def _narrow(
    alive: NDArray[np.bool_], allowed: NDArray[np.bool_], states: Sequence[IntArray]
) -> int:
    """Overwrite ``alive`` with what factors of one shape leave; the first that leaves nothing, or -1."""
    live = allowed.copy()
    axes = tuple(range(1, live.ndim))
    for axis, where in zip(axes, states, strict=True):
        shape = [len(live)] + [1] * (live.ndim - 1)
        shape[axis] = -1
        live &= alive[where].reshape(shape)
    some = live.any(axis=axes)
    if not some.all():
        return int(np.argmin(some))
    for axis, where in zip(axes, states, strict=True):
        kept = live.any(axis=tuple(other for other in axes if other != axis))
        np.logical_and.at(alive, where, kept)
    return -1


def _sliced(
    alive: NDArray[np.bool_], starts: IntArray, counts: IntArray, factors: Factors
) -> Factors:
    """Tables over possible states, without axes of length one."""
    whole = counts == np.diff(starts)
    sliced = []
    for scope, table in factors:
        left = tuple(v for v in scope if counts[v] > 1)
        kept = table
        if not all(whole[v] for v in scope):
            picked = (np.flatnonzero(alive[starts[v] : starts[v + 1]]) for v in scope)
            kept = table[np.ix_(*picked)].reshape([int(counts[v]) for v in left])
        elif len(left) < len(scope):
            kept = table.reshape([int(counts[v]) for v in left])
        sliced.append((left, kept))
    return sliced


def _split(factors: Factors, unary: list[FloatArray]) -> tuple[Factors, float]:
    """Take out what a factor says about one variable alone; ``unary`` is added to.

    Returns the factors over two variables or more, and what constants came to.
    """
    done: Factors = []
    constant = 0.0
    waiting = factors
    while waiting:
        again: Factors = []
        for scopes, tables in _by_shape([f for f in waiting if len(f[0]) > 1]):
            for number, (axis, said) in enumerate(_alone(tables)):
                scope = tuple(map(int, scopes[number]))
                if axis < 0:
                    done.append((scope, tables[number]))
                    continue
                unary[scope[axis]] = unary[scope[axis]] + said
                rest = scope[:axis] + scope[axis + 1 :]
                again.append((rest, tables[number].take(0, axis=axis)))
        for scope, table in waiting:
            if len(scope) == 1:
                unary[scope[0]] = unary[scope[0]] + table
            elif not scope:
                constant += float(table)
        waiting = again
    return done, constant


def _alone(tables: FloatArray) -> Iterator[tuple[int, FloatArray]]:
    """For each factor, an axis that says the same whatever the others are, and what it says.

    The axis is -1 where there is none.
    """
    count = len(tables)
    found = np.full(count, -1)
    said: list[FloatArray] = [np.empty(0)] * count
    for axis in range(1, tables.ndim):
        rows = np.moveaxis(tables, axis, 1).reshape(count, tables.shape[axis], -1)
        impossible = rows == -np.inf
        with np.errstate(invalid="ignore"):
            change = np.where(impossible, np.nan, rows - rows[:, :1])
        low = np.fmin.reduce(change, axis=2, initial=np.inf)
        high = np.fmax.reduce(change, axis=2, initial=-np.inf)
        with np.errstate(invalid="ignore"):
            alone = (high - low <= NEUTRAL).all(axis=1)
        alone &= (impossible == impossible[:, :1]).all(axis=(1, 2)) & ~impossible.all(axis=(1, 2))
        for number in np.flatnonzero(alone & (found < 0)).tolist():
            found[number] = axis - 1
            said[number] = 0.5 * (low[number] + high[number])
    return zip(found.tolist(), said, strict=True)


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
