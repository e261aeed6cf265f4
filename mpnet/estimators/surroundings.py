"""What speaks to a variable: the neighbours that can be told apart, and the tables they speak by.

A variable is heard together with those that it is seen through: variables beside it, such as
features that nobody observed, by which it and others speak to each other. Whoever shares a factor
with one of them is a speaker. Speakers that share a factor, and can't be silent in it one without the
other, speak as one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mpnet.estimators.attribution import Part
from mpnet.estimators.elimination import Table
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray

WHOLE = 2**8
"""Entries up to which a factor of another kind is used as one table."""


@dataclass(frozen=True)
class Manners:
    """How neighbours are silent.

    Parameters
    ----------
    through : frozenset of int
        Variables that others may be seen through, where they lie beside the one looked at.
    hidden : frozenset of int
        Variables inside a factor that was taken apart; others are seen through any of them.
    quiet : mapping of (int, int) to int
        The state in which a variable (second) says nothing in a factor (first). A speaker without
        such a state is silent in a factor if the factor is not there.

    """

    through: frozenset[int] = frozenset()
    hidden: frozenset[int] = frozenset()
    quiet: Mapping[tuple[int, int], int] = field(default_factory=dict)


PLAIN = Manners()
"""Everybody is silent by the absence of factors, and nobody is seen through."""

Held = tuple[int, tuple[int, ...], FloatArray]
"""A table, after the number of its factor; -1 for a unary potential."""


@dataclass(frozen=True)
class Surroundings:
    """One part around a variable.

    Parameters
    ----------
    variable : int
        The variable.
    hub : frozenset of int
        It, and those of the part that it is seen through.
    players : tuple of tuple of int
        Speakers, those that speak as one together.
    tables : tuple of (int, tuple of int, float64 array)
        Factors of the part and unary potentials (nats), with what is observed put in.
    observed : mapping of int to tuple of int
        Observed variables of each factor, by its number.
    scopes : mapping of int to frozenset of int
        The other variables of each factor, by its number.
    quiet : mapping of (int, int) to int
        As in ``Manners``.

    """

    variable: int
    hub: frozenset[int]
    players: tuple[tuple[int, ...], ...]
    tables: tuple[Held, ...]
    observed: Mapping[int, tuple[int, ...]]
    scopes: Mapping[int, frozenset[int]]
    quiet: Mapping[tuple[int, int], int]

    def heard(self, talking: Iterable[int], dropped: Collection[int] = ()) -> list[Held]:
        """Tables that are joined to the variable while some players talk and the rest are silent.

        Parameters
        ----------
        talking : iterable of int
            Players, by number.
        dropped : collection of int
            Factors that are not there.

        """
        loud = {v for number in talking for v in self.players[number]}
        silent = {v for player in self.players for v in player} - loud
        kept = []
        for held in self.tables:
            said = self._said(held, silent, dropped)
            if said is not None:
                kept.append(said)
        return joined_to(self.variable, kept)

    def _said(self, held: Held, silent: set[int], dropped: Collection[int]) -> Held | None:
        number, scope, table = held
        if number < 0 or self.scopes[number].isdisjoint(self.hub):
            return held
        if number in dropped:
            return None
        for speaker in sorted(self.scopes[number] & silent):
            state = self.quiet.get((number, speaker))
            if state is None:
                return None
            if speaker in scope:
                axis = scope.index(speaker)
                table = np.asarray(table.take(state, axis=axis))
                scope = (*scope[:axis], *scope[axis + 1 :])
        return number, scope, table


def surroundings(
    graph: FactorGraph, variable: int, part: Part, manners: Manners = PLAIN
) -> Surroundings:
    """Look at one part around a variable; see ``parts_around``."""
    states = {v: observed_state(graph, v) for v in part.variables}
    free = {v for v, state in states.items() if state is None}
    scopes = {f: frozenset(graph.factors[f].scope) & (free | {variable}) for f in part.factors}
    hub = _hub(variable, scopes, manners)
    speaking = {f: s - hub for f, s in scopes.items() if not s.isdisjoint(hub)}
    tables: list[Held] = [(-1, (v,), graph.unary_of(v)) for v in sorted(free)]
    extra = len(graph.variables)
    for number in part.factors:
        found, extra = _tables(graph, number, extra)
        tables += [(number, *_given(scope, table, states)) for scope, table in found]
    return Surroundings(
        variable=variable,
        hub=frozenset(hub),
        players=_players(speaking, manners.quiet),
        tables=tuple(tables),
        observed={
            f: tuple(v for v in graph.factors[f].scope if states.get(v) is not None)
            for f in part.factors
        },
        scopes=scopes,
        quiet=manners.quiet,
    )


def observed_state(graph: FactorGraph, variable: int) -> int | None:
    """The only state that the evidence leaves of a variable; None where there are more."""
    possible = np.flatnonzero(graph.unary_of(variable) != -np.inf)
    return int(possible[0]) if possible.size == 1 else None


def joined_to(variable: int, tables: Sequence[Held]) -> list[Held]:
    """Those of some tables that a path joins to a variable."""
    return [held for group in groups_at(variable, tables) for held in group]


def groups_at(variable: int, tables: Sequence[Held]) -> list[list[Held]]:
    """The tables that are joined to a variable, in groups that only this variable joins."""
    holding: dict[int, list[int]] = {}
    for index, (_, scope, _) in enumerate(tables):
        for v in scope:
            holding.setdefault(v, []).append(index)
    seen: set[int] = set()
    groups = []
    for start in holding.get(variable, ()):
        if start in seen:
            continue
        found, waiting, passed = {start}, [start], {variable}
        while waiting:
            for v in tables[waiting.pop()][1]:
                if v not in passed:
                    passed.add(v)
                    new = set(holding[v]) - found
                    found |= new
                    waiting += sorted(new)
        seen |= found
        groups.append([tables[i] for i in sorted(found)])
    return groups


def _hub(variable: int, scopes: Mapping[int, frozenset[int]], manners: Manners) -> set[int]:
    """The variable, and what lies beside it of those that others may be seen through."""
    hub, inside = {variable}, {variable}
    while True:
        beside = {v for s in scopes.values() if not inside.isdisjoint(s) for v in s} - hub
        hub |= beside & (manners.through | manners.hidden)
        new = (beside & manners.hidden) - inside
        if not new:
            return hub
        inside |= new


def _players(
    speaking: Mapping[int, frozenset[int]], quiet: Mapping[tuple[int, int], int]
) -> tuple[tuple[int, ...], ...]:
    """Speakers, and together those that can't be silent in a factor one without the other."""
    leader = {v: v for speakers in speaking.values() for v in speakers}

    def lead(v: int) -> int:
        while leader[v] != v:
            v = leader[v]
        return v

    for number, speakers in speaking.items():
        bound = sorted(v for v in speakers if (number, v) not in quiet)
        for other in bound[1:]:
            one, two = sorted((lead(bound[0]), lead(other)))
            leader[two] = one
    found: dict[int, list[int]] = {}
    for v in sorted(leader):
        found.setdefault(lead(v), []).append(v)
    return tuple(tuple(players) for players in found.values())


def _tables(graph: FactorGraph, number: int, extra: int) -> tuple[list[Table], int]:
    """One factor as tables, hidden variables counted from ``extra``, and the next free number."""
    scope = graph.factors[number].scope
    family = next(f for f in graph.families if f.first <= number < f.last)
    place = number - family.first
    if np.prod([len(graph.variables[v].states) for v in scope], dtype=np.float64) <= WHOLE:
        return [(scope, family.content.table(place))], extra
    parts = family.content.parts(place)
    arity = len(scope)
    tables = [
        (tuple(scope[a] if a < arity else extra + a - arity for a in axes), table)
        for axes, table in parts.tables
    ]
    return tables, extra + len(parts.hidden)


def _given(scope: tuple[int, ...], table: FloatArray, states: Mapping[int, int | None]) -> Table:
    """A table with what is observed put in."""
    where = tuple(slice(None) if states.get(v) is None else states[v] for v in scope)
    return tuple(v for v in scope if states.get(v) is None), np.asarray(table[where])
