"""What it would gain to wake a sleeping model, as far as present beliefs tell.

The score is the model's log-odds if it alone were woken and nothing else moved:

    a_i = b_i + sum over targets j of log sum_x beta_j(x) r_ij(x) + what others say of it,

and waking it raises log Z by log(1 + e^a_i) - log(1), up to what the others would answer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from mpnet.factors import NoisyOr
from mpnet.kernels.layout import FloatArray
from mpnet.lifecycle.pieces import Piece
from mpnet.lifecycle.population import ACTIVE, INACTIVE, Population

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

    def refresh(self) -> None:
        """Score whoever is asleep and has not been scored, or is at a node whose belief moved."""
        population = self.population
        touched = self._touched()
        for name in list(self.log_odds):
            if name not in population.asleep:
                del self.log_odds[name]
        wanted = {name for name in population.asleep if name not in self.log_odds}
        for name in touched:
            for piece in population.at[name]:
                wanted.update(n for n in piece.scope if n in population.asleep)
        for name in wanted:
            self.log_odds[name] = score(population, name)
        self.scored += len(wanted)

    def _touched(self) -> list[str]:
        """Awake nodes whose belief has moved since it was last looked at, and those that came or went."""
        population, found = self.population, []
        for name in [n for n in self._scored_at if not population.is_awake(n)]:
            del self._scored_at[name]
            found.append(name)
        for name in population.present:
            belief, before = population.belief(name), self._scored_at.get(name)
            if before is None or np.abs(belief - before).max() > MOVED:
                self._scored_at[name] = belief
                found.append(name)
        return found

    def best(self) -> list[tuple[str, float]]:
        """Sleeping models and their log-odds, the most promising first."""
        return sorted(self.log_odds.items(), key=lambda item: (-item[1], item[0]))

    def bound(self) -> float:
        """Sum of the probabilities that sleepers would have: how far all beliefs can be off.

        The total variation between the posterior with everybody and the one with these asleep
        is at most the sum of their probabilities in the former; these are its estimates.
        """
        odds = np.array(list(self.log_odds.values()))
        return float((1.0 / (1.0 + np.exp(-odds))).sum()) if odds.size else 0.0


def score(population: Population, name: str) -> float:
    """Log-odds of a sleeping model if it alone were woken, in nats."""
    prior = np.asarray(population.society.nodes[name].unary(population.society), dtype=np.float64)
    if name in population.evidence:
        prior = prior + population.evidence[name]
    total = float(prior[ACTIVE] - prior[INACTIVE])
    for piece in population.at[name]:
        if population.absent.isdisjoint(piece.scope) and piece.predicts not in population.done:
            total += _said(population, piece, name)
    return total


def _said(population: Population, piece: Piece, name: str) -> float:
    """What one piece says for the model: log of the ratio of its sums with it active and not."""
    if isinstance(piece.kind, NoisyOr):
        return _explains(population, piece.kind, name)
    table = piece.table
    if table is None:
        return 0.0
    axis = piece.scope.index(name)
    # Beliefs hold what the piece says while the model sleeps: only the ratio is new.
    with np.errstate(invalid="ignore"):
        ratio: FloatArray = np.asarray(
            table.take(ACTIVE, axis=axis) - table.take(INACTIVE, axis=axis)
        )
    weights: FloatArray = np.ones(())
    for other in piece.scope:
        if other != name:
            weights = np.multiply.outer(weights, population.belief(other))
    possible = (weights > 0.0) & ~np.isnan(ratio)
    if not possible.any():
        return 0.0
    peak = float(ratio[possible].max())
    if not math.isfinite(peak):
        return peak
    return peak + math.log(float((weights[possible] * np.exp(ratio[possible] - peak)).sum()))


def _explains(population: Population, kind: NoisyOr, name: str) -> float:
    """For a noisy OR: one more cause, or a token whose causes are awake."""
    off = 1.0 - kind.leak
    own = 0.0
    for parent, probability in zip(kind.parents, kind.probabilities, strict=True):
        if parent == name:
            own = probability
        elif population.is_awake(parent):
            off *= 1.0 - population.active(parent) * probability
    if name == kind.child:
        return math.log1p(-off) - math.log(off) if 0.0 < off < 1.0 else 0.0
    token = population.belief(kind.child)
    on = (1.0 - (1.0 - own) * off) / (1.0 - off) if off < 1.0 else 1.0
    return math.log(float(token[INACTIVE] * (1.0 - own) + token[ACTIVE] * on))


def promising(scores: Scores, above: float) -> Iterable[tuple[str, float]]:
    """Sleeping models whose gain is above a threshold (nats), the most promising first."""
    for name, log_odds in scores.best():
        if gain_of(log_odds) <= above:
            return
        yield name, log_odds
