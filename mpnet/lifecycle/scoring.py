"""What it would gain to wake a sleeping model, as far as present beliefs tell.

The score is the model's log-odds if it alone were woken:

    a_i = b_i + sum over targets j of log sum_x beta_j(x) r_ij(x) + what others say of it,

and waking it raises log Z by log(1 + e^a_i). That is exact where the model's neighbours are joined
to each other by nobody else; where they are, what they would answer each other is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import reduce

import numpy as np

from mpnet.factors import NoisyOr
from mpnet.kernels.layout import FloatArray
from mpnet.lifecycle.odds import ACTIVE, INACTIVE
from mpnet.lifecycle.pieces import ENUMERATED, Piece, spelled
from mpnet.lifecycle.population import Population

LARGEST = 6
"""Sleepers that are tried together, at most."""

MOVED = 1e-9
"""A belief that moved by less touches nobody."""


def gain_of(log_odds: float) -> float:
    """What a model adds to log Z by being awake: -log p(inactive), in nats, >= 0."""
    return float(np.logaddexp(0.0, log_odds))


class Scores:
    """Log-odds of sleeping models, kept up to date: only those at a touched node are scored.

    Parameters
    ----------
    population : Population
        Who is asleep, and what the others believe.

    """

    def __init__(self, population: Population) -> None:
        self.population = population
        self.log_odds: dict[str, float] = {}
        self._scored_at: dict[str, FloatArray] = {}
        self.scored = 0
        self.sums = 0

    def refresh(self) -> None:
        """Score whoever is asleep and has not been scored, or is at a node whose belief moved."""
        population = self.population
        touched = [*self._touched(), *(n for n in population.stirred if n in population.at)]
        population.stirred.clear()
        for name in list(self.log_odds):
            if name not in population.asleep:
                del self.log_odds[name]
        asleep = population.asleep
        wanted = dict.fromkeys(name for name in asleep if name not in self.log_odds)
        wanted |= dict.fromkeys(name for name in touched if name in asleep)
        for name in touched:
            for piece in population.at[name]:
                wanted |= dict.fromkeys(n for n in piece.scope if n in asleep)
        for name in wanted:
            self.log_odds[name] = score(population, name)
            self.sums += len(population.at[name])
        self.scored += len(wanted)

    def _touched(self) -> list[str]:
        """Awake nodes whose belief has moved since it was last looked at, and those that came or went."""
        population, found = self.population, []
        for name in [n for n in self._scored_at if not population.is_awake(n)]:
            del self._scored_at[name]
            found.append(name)
        for name in population.present:
            belief, before = population.belief(name), self._scored_at.get(name)
            # What was impossible was no number, which is not near to anything.
            if before is None or not np.all(np.abs(belief - before) <= MOVED):
                self._scored_at[name] = belief
                found.append(name)
        return found

    def best(self) -> list[tuple[str, float]]:
        """Sleeping models and their log-odds, the most promising first."""
        return sorted(self.log_odds.items(), key=lambda item: (-item[1], item[0]))

    def bound(self) -> float:
        """Sum of the probabilities that sleepers would have, as estimated.

        The total variation between the posterior with everybody and the one with these asleep
        is at most the sum of their probabilities in the former. Here each is what it would be if
        that sleeper woke alone, and besides, if it woke with the sleepers that it needs; those
        who would wake in other company are not counted.
        """
        together = [odds for _, odds in self.groups()]
        odds = np.array([*self.log_odds.values(), *together])
        return float(np.exp(-np.logaddexp(0.0, -odds)).sum())

    def groups(self) -> list[tuple[tuple[str, ...], float]]:
        """Sleepers with the sleepers that they need, and the log-odds of all against none."""
        found: dict[tuple[str, ...], float] = {}
        for name in self.population.asleep:
            group = company(self.population, name)
            if len(group) > 1 and group not in found:
                found[group] = score_together(self.population, group)
                self.sums += sum(len(self.population.at[each]) for each in group)
        return sorted(found.items(), key=lambda item: (-item[1], item[0]))


def score(population: Population, name: str) -> float:
    """Log-odds of a sleeping model if it alone were woken, in nats; may be infinite.

    A rule over very many models says nothing here: a trial has to show what it does.
    """
    logs = population.potential(name)
    said = [float(logs[ACTIVE] - logs[INACTIVE])]
    for piece in population.at[name]:
        if name in piece.scope and population.holds(piece):
            said.append(_said(population, piece, name))
    return -math.inf if -math.inf in said else sum(said)


def company(population: Population, name: str) -> tuple[str, ...]:
    """A sleeper with those sleepers that it says will be active, and those that they say so of."""
    found, waiting = {name: None}, [name]
    while waiting and len(found) < LARGEST:
        source = waiting.pop(0)
        for piece in population.at[source]:
            other = piece.predicts
            if other in found or other not in population.asleep or piece.scope[0] != source:
                continue
            if piece.table is not None and piece.table[ACTIVE, ACTIVE] > 0.0:
                found[other] = None
                waiting.append(other)
    return tuple(sorted(found))


def score_together(population: Population, names: tuple[str, ...]) -> float:
    """Log-odds of several sleepers being active together, against none of them, in nats."""
    said = []
    for name in names:
        logs = population.potential(name)
        said.append(float(logs[ACTIVE] - logs[INACTIVE]))
    pieces = dict.fromkeys(piece for name in names for piece in population.at[name])
    for piece in pieces:
        table = _table(population, piece) if population.holds(piece) else None
        if table is None:
            continue
        active = inactive = table
        heard: list[FloatArray] = []
        for other in piece.scope:
            if other in names:
                active, inactive = (
                    np.asarray(t.take(s, axis=len(heard)))
                    for t, s in ((active, ACTIVE), (inactive, INACTIVE))
                )
            else:
                heard.append(population.belief_without(other, piece))
        weights: FloatArray = reduce(np.multiply.outer, heard, np.ones(()))
        said.append(_log_ratio(_log_sum(weights, active), _log_sum(weights, inactive)))
    return -math.inf if -math.inf in said else sum(said)


def _said(population: Population, piece: Piece, name: str) -> float:
    """What one piece says for the model: log of the ratio of its sums with it active and not."""
    if isinstance(piece.kind, NoisyOr):
        return _explains(population, piece, piece.kind, name)
    table = _table(population, piece)
    if table is None:
        return 0.0
    axis = piece.scope.index(name)
    active, inactive = (np.asarray(table.take(s, axis=axis)) for s in (ACTIVE, INACTIVE))
    others = [other for other in piece.scope if other != name]
    if not inactive.any():  # the usual case: a model that predicts nothing while it sleeps
        heard = [population.belief(other) for other in others]
    else:
        heard = [population.belief_without(other, piece) for other in others]
    weights: FloatArray = reduce(np.multiply.outer, heard, np.ones(()))
    return _log_ratio(_log_sum(weights, active), _log_sum(weights, inactive))


def _table(population: Population, piece: Piece) -> FloatArray | None:
    """A piece's log potentials as one table, in nats; None where that would be large."""
    counts = {name: len(population.society.domains[name]) for name in piece.scope}
    if piece.kind is None or math.prod(counts.values()) > ENUMERATED:
        return piece.table
    ((_, table),) = spelled(piece.kind, counts)
    return table


def _log_sum(weights: FloatArray, logs: FloatArray) -> float:
    """Log of the weighted sum of numbers that are given as logs, in nats."""
    possible = (weights > 0.0) & (logs > -np.inf)
    if not possible.any():
        return -math.inf
    peak = float(logs[possible].max())
    return peak + math.log(float((weights[possible] * np.exp(logs[possible] - peak)).sum()))


def _log_ratio(active: float, inactive: float) -> float:
    """Difference of two logs; nothing is said where both are impossible."""
    return 0.0 if active == inactive else active - inactive


def _explains(population: Population, piece: Piece, kind: NoisyOr, name: str) -> float:
    """For a noisy OR: one more cause, or a token whose causes are awake."""
    off = 1.0 - kind.leak
    own = 0.0
    for parent, probability in zip(kind.parents, kind.probabilities, strict=True):
        if parent == name:
            own = probability
        elif population.is_awake(parent):
            off *= 1.0 - float(population.belief_without(parent, piece)[ACTIVE]) * probability
    if name == kind.child:
        return _log_ratio(_log(1.0 - off), _log(off))
    token = population.belief_without(kind.child, piece)
    still_off = (1.0 - own) * off
    return _log_ratio(
        _log(float(token[INACTIVE] * still_off + token[ACTIVE] * (1.0 - still_off))),
        _log(float(token[INACTIVE] * off + token[ACTIVE] * (1.0 - off))),
    )


def _log(number: float) -> float:
    return math.log(number) if number > 0.0 else -math.inf


def promising(scores: Scores, above: float) -> Iterable[tuple[str, float]]:
    """Sleeping models whose gain is above a threshold (nats), the most promising first."""
    for name, log_odds in scores.best():
        if gain_of(log_odds) <= above:
            return
        yield name, log_odds
