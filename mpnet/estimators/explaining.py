"""Why one state of a variable is believed rather than another: its log-odds, split.

Without the variable the graph falls into parts, which are independent given it: the log-odds are the
sum of what each part says (see ``attribution``). What a part says is split further among the
neighbours in it. Alone, a neighbour says what the part would say if all others were silent; what
several say together is what is left, as with two that contradict each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from mpnet.errors import GraphError, TooLargeError
from mpnet.estimators.attribution import parts_around
from mpnet.estimators.bethe import BetheOdds
from mpnet.estimators.elimination import summed_onto
from mpnet.estimators.surroundings import (
    PLAIN,
    Held,
    Manners,
    Surroundings,
    groups_at,
    surroundings,
)
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray

LISTED = 24
"""Neighbours of one part that are told one by one, at most."""
PAIRED = 6
"""Neighbours of one part of which every pair is told, at most."""
NAMED = 4
"""Members of what many say together that are named, at most."""
NOTHING = 1e-10
"""Nats that are no share."""
EXACT_ENTRIES = 2**18
"""Entries of a table on the way to an exact share."""


@dataclass(frozen=True)
class Term:
    """One summand of the log-odds.

    Parameters
    ----------
    kind : str
        ``own``, the variable's own potential; ``fixed``, what is observed, or what somebody that it
        is seen through says; ``alone``, a neighbour alone; ``together``, what several say beyond
        that; ``others``, many neighbours that are not told one by one.
    members : tuple of int
        The variables that it comes from.
    nats : float
        The summand; infinite where it forces a state.
    left_out : float or None
        By how much the log-odds would fall without it, in nats.
    count : int
        How many speak in it.

    """

    kind: str
    members: tuple[int, ...]
    nats: float
    left_out: float | None = None
    count: int = 1


@dataclass(frozen=True)
class Split:
    """The log-odds of one state of a variable against another, as a sum.

    ``reference`` is ``exact`` or ``clamped``; ``settled`` is false where propagation inside a part
    did not converge. If a term is infinite, there are only such terms: what forces a state.
    """

    terms: tuple[Term, ...]
    reference: str
    settled: bool = True

    @property
    def total(self) -> float:
        """The log-odds, in nats."""
        return math.fsum(term.nats for term in self.terms)


@dataclass(frozen=True)
class Question:
    """Which two states of a variable are compared, and how neighbours are silent.

    ``beliefs`` are probabilities of all states of the graph, shape (B,), by which the loudest of
    many neighbours are found; ``limit`` is how many entries a table may have on the way to an exact
    share; where more would be needed, ``clamped`` says whether propagation takes over.
    """

    graph: FactorGraph
    variable: int
    state: int
    against: int
    manners: Manners = PLAIN
    beliefs: FloatArray | None = None
    limit: int = EXACT_ENTRIES
    clamped: bool = True


def split(question: Question) -> Split:
    """Split the log-odds of a variable's state against another of its states.

    Parameters
    ----------
    question : Question
        What is asked. Its variable may have any number of states.

    Raises
    ------
    GraphError
        If neither state is possible.
    TooLargeError
        If a part is too large for an exact answer, and nothing else is wanted.

    """
    graph, variable = question.graph, question.variable
    unary = graph.unary_of(variable)
    terms = [Term("own", (variable,), _difference(unary, question))]
    reference, settled = "exact", True
    for part in parts_around(graph, variable):
        around = surroundings(graph, variable, part, question.manners)
        found, own_reference, done = _split_part(question, around)
        terms += found
        settled &= done
        reference = own_reference if own_reference != "exact" else reference
    forcing = [term for term in terms if not math.isfinite(term.nats)]
    if forcing:
        if len({term.nats for term in forcing}) > 1 or math.isnan(forcing[0].nats):
            raise _neither(question)
        return Split(tuple(forcing), reference, settled)
    return Split(tuple(terms), reference, settled)


Odds = Callable[[list[Held]], float]
"""Log-odds that some tables give the variable, in nats."""


def _split_part(question: Question, around: Surroundings) -> tuple[list[Term], str, bool]:
    """Terms of one part, where they come from, and whether that settled."""
    bethe = BetheOdds(question.variable, (question.state, question.against))
    odds: Odds = lambda tables: _exact(question, tables)  # noqa: E731
    reference = "exact"
    whole = around.heard(range(len(around.players)))
    try:
        everything = odds(whole)
    except TooLargeError:
        if not question.clamped:
            raise
        odds, reference = bethe, "clamped"
        everything = odds(whole)
    if math.isnan(everything):
        raise _neither(question)
    part = _Part(question, around, odds, everything)
    if not math.isfinite(everything):
        plain = _Part(question, replace(around, quiet={}), odds, everything)
        return plain.forced(), reference, bethe.settled
    found = part.terms()
    if found is None and around.quiet:
        # Silence as the others mean it would rule something out: they are silent by absence.
        found = _Part(question, _absent(question, around), odds, everything).terms()
    if found is None:
        every = tuple(v for player in around.players for v in player)
        found = [Term("together", every, everything, everything, len(every))]
    return found, reference, bethe.settled


def _absent(question: Question, around: Surroundings) -> Surroundings:
    """The same part, with nobody seen through who has a quiet state, and all silent by absence."""
    (part,) = (
        p
        for p in parts_around(question.graph, question.variable)
        if set(p.factors) == set(around.scopes)
    )
    manners = question.manners
    ruled = {f for f, _ in around.quiet}
    through = {v for v in manners.through if ruled.isdisjoint(question.graph.factors_at[v])}
    plain = replace(manners, quiet={}, through=frozenset(through))
    return surroundings(question.graph, question.variable, part, plain)


@dataclass(frozen=True)
class _Part:
    """One part, its log-odds in nats, and how to find those of less of it."""

    question: Question
    around: Surroundings
    odds: Odds
    everything: float
    _known: dict[frozenset[int], float] = field(default_factory=dict)

    def terms(self) -> list[Term] | None:
        """What it says, split; None where some silence rules a state out."""
        around = self.around
        loud, rest = self._ranked()
        found = self._fixed()
        silence = math.fsum(term.nats for term in found)
        alone = {player: self._heard([player]) - silence for player in loud}
        pairs = self._pairs(loud, alone, silence) if not rest else {}
        numbers = [silence, *alone.values(), *pairs.values()]
        without = {player: self.everything - self._without(player) for player in loud}
        if not all(map(math.isfinite, [*numbers, *without.values()])):
            return None
        found += [Term("alone", around.players[p], alone[p], without[p]) for p in loud]
        found += [
            Term("together", self._members(pair), nats, None, 2) for pair, nats in pairs.items()
        ]
        if rest:
            members, nats = self._members(rest), self._heard(rest) - silence
            left_out = self.everything - self.odds(around.heard(loud))
            found.append(Term("others", members, nats, left_out, len(rest)))
        left = self.everything - math.fsum(term.nats for term in found)
        if abs(left) > NOTHING and math.isfinite(left):
            told = self._mattering(alone, without)
            found.append(Term("together", self._members(told), left, None, len(loud)))
        return found if math.isfinite(left) else None

    def forced(self) -> list[Term]:
        """What of it forces a state: as little as will do."""
        fixed = [term for term in self._fixed() if not math.isfinite(term.nats)]
        if fixed:
            return fixed
        players = range(len(self.around.players))
        alone = [p for p in players if not math.isfinite(self._heard([p]))]
        if alone:
            return [Term("alone", self.around.players[p], self.everything) for p in alone]
        needed = list(players)
        for player in players:
            fewer = [p for p in needed if p != player]
            if not math.isfinite(self._heard(fewer)):
                needed = fewer
        return [Term("together", self._members(needed), self.everything, None, len(needed))]

    def _fixed(self) -> list[Term]:
        """What is said while all players are silent: by what is observed or seen through."""
        found = []
        for group in groups_at(self.question.variable, self.around.heard(())):
            numbers = dict.fromkeys(number for number, _, _ in group if number >= 0)
            observed = {v for n in numbers for v in self.around.observed[n]}
            inside = {v for n in numbers for v in self.around.scopes[n]} & self.around.hub
            members = observed | inside - {self.question.variable}
            nats = self.odds(group)
            if observed or abs(nats) > NOTHING or math.isnan(nats):
                beside = [n for n in numbers if self.question.variable in self._scope(n)]
                everyone = range(len(self.around.players))
                without = self.odds(self.around.heard(everyone, beside))
                left_out = self.everything - without
                known = left_out if math.isfinite(left_out) else None
                found.append(Term("fixed", tuple(sorted(members)), nats, known))
        return found

    def _scope(self, number: int) -> frozenset[int]:
        return self.around.scopes[number]

    def _heard(self, talking: Iterable[int]) -> float:
        players = frozenset(talking)
        if len(players) == len(self.around.players):
            return self.everything
        if players not in self._known:
            self._known[players] = self.odds(self.around.heard(players))
        return self._known[players]

    def _without(self, player: int) -> float:
        return self._heard(p for p in range(len(self.around.players)) if p != player)

    def _members(self, players: Iterable[int]) -> tuple[int, ...]:
        return tuple(v for p in players for v in self.around.players[p])

    def _pairs(
        self, loud: list[int], alone: dict[int, float], silence: float
    ) -> dict[tuple[int, int], float]:
        """What each two say beyond the sum of each alone, where they are few."""
        if not 2 < len(loud) <= PAIRED:
            return {}
        found = {
            (a, b): self._heard([a, b]) - silence - alone[a] - alone[b]
            for a, b in combinations(loud, 2)
        }
        return {pair: nats for pair, nats in found.items() if not abs(nats) <= NOTHING}

    def _mattering(self, alone: dict[int, float], without: dict[int, float]) -> list[int]:
        """Players whose share together is largest; all of them where they are few."""
        size = {p: abs(without[p] - alone[p]) for p in alone}
        ranked = sorted(size, key=lambda p: (-size[p], p))
        enough = [p for p in ranked[:NAMED] if size[p] > NOTHING]
        return sorted(enough or ranked[:NAMED])

    def _ranked(self) -> tuple[list[int], list[int]]:
        """The loudest players, and the others."""
        everyone = list(range(len(self.around.players)))
        if len(everyone) <= LISTED:
            return everyone, []
        guess = {p: abs(self._guessed(p)) for p in everyone}
        ranked = sorted(everyone, key=lambda p: (-guess[p], p))
        return sorted(ranked[:LISTED]), sorted(ranked[LISTED:])

    def _guessed(self, player: int) -> float:
        """What a player alone says if it is as it is believed to be, in nats."""
        graph, members = self.question.graph, set(self.around.players[player])
        near: list[Held] = []
        for held in self.around.heard([player]):
            number, scope, _ = held
            if (number >= 0 and not self.around.hub.isdisjoint(scope)) or (
                number < 0 and self.around.hub.issuperset(scope)
            ):
                near.append(held)
        beliefs = self.question.beliefs
        if beliefs is not None:
            with np.errstate(divide="ignore"):
                near += [(-1, (v,), np.log(beliefs[graph.states_of(v)])) for v in sorted(members)]
        try:
            return _exact(self.question, near)
        except TooLargeError:
            return math.inf


def _exact(question: Question, tables: list[Held]) -> float:
    if not tables:
        return 0.0
    states = len(question.graph.variables[question.variable].states)
    plain = [(scope, table) for _, scope, table in tables]
    return _difference(summed_onto(plain, question.variable, states, question.limit), question)


def _difference(logs: FloatArray, question: Question) -> float:
    """Of two states, in nats; NaN where neither is possible."""
    one, other = float(logs[question.state]), float(logs[question.against])
    return math.nan if one == other == -math.inf else one - other


def _neither(question: Question) -> GraphError:
    about = question.graph.variables[question.variable]
    return GraphError(
        f"neither {about.states[question.state]!r} nor {about.states[question.against]!r} is a "
        f"possible state of {about.name!r}"
    )
