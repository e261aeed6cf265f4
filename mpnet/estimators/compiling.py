"""The compile pass: a smaller graph with the same distribution, made before any message.

Evidence is absorbed, unobserved leaves are summed out, factors of equal scope are multiplied
and factors inside another's scope are absorbed. Factors of other kinds than tables stay as they
are, with their variables, unless their tables are small or evidence makes them simpler: a gate loses
its observed variables, a noisy OR seen to be off is a product, and such factors of equal scope are
multiplied while the table is not too large. No step changes an exact marginal or log Z, and each takes
short loops away from belief propagation.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mpnet.builder import GraphBuilder
from mpnet.content import Content
from mpnet.dense import DenseTables
from mpnet.estimators.base import Joint
from mpnet.estimators.compile_report import report_of
from mpnet.factors.gate import Gates
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray, IntArray

LEAF_ENTRIES = 2**12
"""A leaf is summed out only if the table that replaces it stays this small, in entries."""

WHOLE = 256
"""Entries up to which a factor of another kind is turned into a table."""

NEUTRAL = 1e-13
"""A table that varies by less than this is constant, in nats."""


@dataclass(frozen=True)
class Leaf:
    """A variable that was summed out: its neighbours and its table given them.

    ``given`` holds p(leaf | neighbours), probabilities, the leaf on the last axis.
    """

    name: str
    neighbours: tuple[str, ...]
    given: FloatArray


@dataclass(frozen=True)
class Compiled:
    """A compiled graph, and how to read the original's beliefs off it.

    Parameters
    ----------
    original, graph : FactorGraph
        Before and after.
    fixed : mapping of str to int
        Variables that evidence left with one state.
    leaves : mapping of str to Leaf
        Variables that were summed out.
    report : tuple of str
        What was done, a sentence each.
    impossible : str
        The first variable or factor found to be ruled out altogether; empty if none was.

    """

    original: FactorGraph
    graph: FactorGraph
    fixed: dict[str, int]
    leaves: dict[str, Leaf]
    report: tuple[str, ...]
    impossible: str = ""

    def full_beliefs(
        self, beliefs: FloatArray, joint: Joint, wanted: Collection[str] | None = None
    ) -> FloatArray:
        """Beliefs of all original variables, probabilities, shape (B of the original,).

        Parameters
        ----------
        beliefs : float64[B of the compiled graph]
            Probabilities.
        joint : callable
            Joint belief over variables that one factor of the compiled graph contains.
        wanted : collection of str, optional
            Variables that are looked at; others that were summed out may be left at 0.

        """
        out = np.zeros(self.original.unary.size)
        out[self._ones] = 1.0
        to, where_from = self._kept
        out[to] = beliefs[where_from]
        for name, leaf in self.leaves.items():
            if wanted is None or name in wanted:
                where = self.original.states_of(self.original.index[name])
                out[where] = self._leaf_belief(leaf, joint)
        return out

    @cached_property
    def _ones(self) -> IntArray:
        """Entries of the original's beliefs that evidence left as the only ones possible."""
        index, states_of = self.original.index, self.original.states_of
        ones = [states_of(index[name]).start + state for name, state in self.fixed.items()]
        return np.array(ones, dtype=np.int64)

    @cached_property
    def _kept(self) -> tuple[IntArray, IntArray]:
        """Where beliefs that the compiled graph still has stand in the original's, and in its own."""
        gone = self.fixed.keys() | self.leaves.keys()
        kept = [v for v, about in enumerate(self.original.variables) if about.name not in gone]
        places = [self.graph.index[self.original.variables[v].name] for v in kept]
        return _entries(self.original, kept), _entries(self.graph, places)

    def _leaf_belief(self, leaf: Leaf, joint: Joint) -> FloatArray:
        if not leaf.neighbours:
            return leaf.given
        table = joint(tuple(self.graph.index[name] for name in leaf.neighbours))
        result: FloatArray = np.tensordot(table, leaf.given, axes=table.ndim)
        return result


def _entries(graph: FactorGraph, variables: Sequence[int]) -> IntArray:
    """Entries of some variables in a row of beliefs, one variable after another."""
    every = np.arange(graph.unary.size)
    found = [every[graph.states_of(variable)] for variable in variables]
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


@dataclass
class _Work:
    """The graph while it is taken apart; factors are by number.

    ``kinds`` are the factors that are no tables, ``holding`` those that touch each variable.
    """

    states: dict[str, tuple[str, ...]]
    unary: dict[str, FloatArray]
    scopes: dict[int, tuple[str, ...]] = field(default_factory=dict)
    tables: dict[int, FloatArray] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    touching: dict[str, dict[int, None]] = field(default_factory=dict)
    kinds: dict[int, tuple[str, tuple[str, ...], Content]] = field(default_factory=dict)
    holding: dict[str, dict[int, None]] = field(default_factory=dict)
    constant: float = 0.0
    made: int = 0

    def add(self, name: str, scope: tuple[str, ...], table: FloatArray) -> None:
        """Add a factor: to the constant, to a unary, or as a new number."""
        if not scope:
            self.constant += float(table)
            return
        if len(scope) == 1:
            self.unary[scope[0]] = self.unary[scope[0]] + table
            return
        number, self.made = self.made, self.made + 1
        self.scopes[number], self.tables[number], self.names[number] = scope, table, name
        for variable in scope:
            self.touching.setdefault(variable, {})[number] = None

    def remove(self, number: int) -> None:
        for variable in self.scopes.pop(number):
            del self.touching[variable][number]
        del self.tables[number], self.names[number]

    def at(self, variable: str) -> list[int]:
        return list(self.touching.get(variable, ()))

    def size(self, scope: tuple[str, ...]) -> int:
        """Entries of a table over these variables."""
        return math.prod(len(self.states[name]) for name in scope)

    def add_kind(self, name: str, scope: tuple[str, ...], content: Content) -> None:
        """Add a factor that is no table: as one if that is small, as a product if it is one."""
        if self.size(scope) <= WHOLE:
            self.add(name, scope, content.table(0))
            return
        product = content.as_product(0) if isinstance(content, Gates) else None
        if product is not None:
            self.constant += product[0]
            for variable, table in zip(scope, product[1], strict=True):
                self.unary[variable] = self.unary[variable] + table
            return
        number, self.made = self.made, self.made + 1
        self.kinds[number] = name, scope, content
        for variable in scope:
            self.holding.setdefault(variable, {})[number] = None

    def take_kind(self, number: int) -> tuple[str, tuple[str, ...], Content]:
        """Remove such a factor, and return it."""
        taken = self.kinds.pop(number)
        for variable in taken[1]:
            del self.holding[variable][number]
        return taken


def compile_graph(graph: FactorGraph, leaves: Collection[str], keep: Collection[str]) -> Compiled:
    """Make the smaller graph.

    Parameters
    ----------
    graph : FactorGraph
        With evidence as unary potentials; not modified.
    leaves : collection of str
        Variables that may be summed out: nothing is predicted by them.
    keep : collection of str
        Variables that must stay (unless evidence fixes them): those in question.

    """
    work = _take_apart(graph)
    before = len(graph.variables), len(graph.factors)
    fixed, impossible = _absorb_evidence(work)
    _tabulate_equal(work)
    kept = {*keep, *fixed, *(name for name, kinds in work.holding.items() if kinds)}
    gone = {} if impossible else _sum_out(work, [n for n in leaves if n not in kept])
    merged = _merge_equal(work)
    absorbed = _absorb_smaller(work)
    neutral = _drop_neutral(work)
    compiled = _put_together(graph, work, {*fixed, *gone})
    report = report_of(
        before,
        compiled,
        fixed,
        {n: leaf.neighbours for n, leaf in gone.items()},
        (merged, absorbed, neutral),
    )
    return Compiled(graph, compiled, fixed, gone, report, impossible)


def leave_alone(graph: FactorGraph) -> Compiled:
    """The graph as it is, for runs without a compile pass."""
    return Compiled(graph, graph, {}, {}, ())


def _take_apart(graph: FactorGraph) -> _Work:
    variables = graph.variables
    work = _Work(
        states={v.name: v.states for v in variables},
        unary={v.name: graph.unary_of(i) for i, v in enumerate(variables)},
        constant=graph.log_constant,
    )
    for family in graph.families:
        for number in range(family.first, family.last):
            factor = graph.factors[number]
            scope = tuple(variables[v].name for v in factor.scope)
            if isinstance(family.content, DenseTables):
                work.add(factor.name, scope, graph.table_of(number))
            else:
                alone = family.content.taken(np.array([number - family.first]))
                work.add_kind(factor.name, scope, alone)
    return work


def _absorb_evidence(work: _Work) -> tuple[dict[str, int], str]:
    """Slice every table at the variables that have one possible state, until none is left."""
    fixed: dict[str, int] = {}
    sliced: set[str] = set()
    waiting = list(work.unary)
    while waiting:
        name = waiting.pop(0)
        possible = np.flatnonzero(work.unary[name] != -np.inf)
        if name in sliced:
            continue
        if possible.size == 0:
            return fixed, name
        if possible.size > 1 or work.unary[name].size == 1:
            continue
        state = int(possible[0])
        sliced.add(name)
        waiting += _slice_gates(work, name, state)
        if not work.holding.get(name):
            fixed[name] = state
            work.constant += float(work.unary[name][state])
        for number in work.at(name):
            scope, table, label = work.scopes[number], work.tables[number], work.names[number]
            work.remove(number)
            rest = tuple(v for v in scope if v != name)
            work.add(label, rest, np.take(table, state, axis=scope.index(name)))
            waiting += [v for v in rest if len(rest) == 1]
    return fixed, ""


def _slice_gates(work: _Work, name: str, state: int) -> list[str]:
    """Take an observed variable out of the gates that it touches; whose unaries that changes."""
    changed: list[str] = []
    for number in list(work.holding.get(name, ())):
        content = work.kinds[number][2]
        if isinstance(content, Gates):
            label, scope, _ = work.take_kind(number)
            rest = tuple(v for v in scope if v != name)
            work.add_kind(label, rest, content.given(scope.index(name), state))
            changed += rest
    return changed


def _tabulate_equal(work: _Work) -> None:
    """Make tables of factors that are none where another one has the same scope."""
    scopes = [frozenset(scope) for scope in work.scopes.values()]
    scopes += [frozenset(scope) for _, scope, _ in work.kinds.values()]
    count = Counter(scopes)
    for number in list(work.kinds):
        scope = work.kinds[number][1]
        if count[frozenset(scope)] > 1 and work.size(scope) <= LEAF_ENTRIES:
            label, _, content = work.take_kind(number)
            work.add(label, scope, content.table(0))


def _sum_out(work: _Work, candidates: list[str]) -> dict[str, Leaf]:
    """Replace each leaf by the coupling that it leaves between its neighbours."""
    gone: dict[str, Leaf] = {}
    leaves = set(candidates)
    for name in candidates:
        numbers = work.at(name)
        neighbours = tuple(dict.fromkeys(v for n in numbers for v in work.scopes[n] if v != name))
        if work.size(neighbours) > LEAF_ENTRIES or leaves & set(neighbours):
            continue
        scope = (*neighbours, name)
        table = aligned(work.unary[name], (name,), scope)
        for number in numbers:
            table = table + aligned(work.tables[number], work.scopes[number], scope)
            work.remove(number)
        shape = [len(work.states[v]) for v in scope]
        total, given = _normalise_last(np.broadcast_to(table, shape))
        gone[name] = Leaf(name, neighbours, given)
        work.add(f"seen through {name}", neighbours, total)
    return gone


def _normalise_last(table: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Log of the sum over the last axis, and the table's exponentials divided by that sum."""
    best = table.max(axis=-1, keepdims=True)
    best = np.where(best == -np.inf, 0.0, best)
    odds = np.exp(table - best)
    total = odds.sum(axis=-1, keepdims=True)
    given = np.divide(odds, total, out=np.zeros_like(odds), where=total > 0.0)
    with np.errstate(divide="ignore"):
        logs: FloatArray = (np.log(total) + best)[..., 0]
    return logs, given


def aligned(table: FloatArray, scope: tuple[str, ...], target: tuple[str, ...]) -> FloatArray:
    """Transpose and pad a table so that it broadcasts over the wider scope ``target``."""
    order = sorted(range(len(scope)), key=lambda axis: target.index(scope[axis]))
    moved = table.transpose(order)
    shape = [1] * len(target)
    for axis, source in enumerate(order):
        shape[target.index(scope[source])] = moved.shape[axis]
    return moved.reshape(shape)


def _merge_equal(work: _Work) -> int:
    first: dict[frozenset[str], int] = {}
    merged = 0
    for number in list(work.scopes):
        key = frozenset(work.scopes[number])
        if key not in first:
            first[key] = number
            continue
        _pour(work, number, first[key])
        merged += 1
    return merged


def _absorb_smaller(work: _Work) -> int:
    """Multiply each factor into the smallest factor whose scope contains its own."""
    absorbed = 0
    for number in sorted(work.scopes, key=lambda n: len(work.scopes[n])):
        scope = work.scopes[number]
        wider = [
            other
            for other in work.at(scope[0])
            if other != number and set(scope) < set(work.scopes[other])
        ]
        if wider:
            _pour(work, number, min(wider, key=lambda n: (work.tables[n].size, n)))
            absorbed += 1
    return absorbed


def _pour(work: _Work, number: int, into: int) -> None:
    scope = work.scopes[into]
    work.tables[into] = work.tables[into] + aligned(work.tables[number], work.scopes[number], scope)
    work.names[into] = f"{work.names[into]} · {work.names[number]}"
    work.remove(number)


def _drop_neutral(work: _Work) -> int:
    dropped = 0
    for number in list(work.scopes):
        table = work.tables[number]
        low, high = float(table.min()), float(table.max())
        if low != -np.inf and high - low <= NEUTRAL:
            work.constant += 0.5 * (low + high)
            work.remove(number)
            dropped += 1
    return dropped


def _put_together(graph: FactorGraph, work: _Work, without: set[str]) -> FactorGraph:
    builder = GraphBuilder()
    for variable in graph.variables:
        if variable.name not in without:
            builder.add_variable(variable.name, variable.states)
            builder.add_factor([variable.name], work.unary[variable.name], log=True)
    for number, scope in work.scopes.items():
        builder.add_factor(scope, work.tables[number], log=True, name=work.names[number])
    place = {name: i for i, name in enumerate(n for n in work.states if n not in without)}
    for label, scope, content in work.kinds.values():
        builder.add_content([place[name] for name in scope], content, label)
    builder.add_factor([], work.constant, log=True)
    return builder.build()
