"""Models wake, retire and compose: one change after another, until nothing more is worth it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mpnet.compatibility import pairwise_compatibility
from mpnet.lifecycle.living import Settled
from mpnet.lifecycle.odds import ACTIVE, log_odds_of
from mpnet.lifecycle.population import Population
from mpnet.lifecycle.scoring import Scores, gain_of, promising


@dataclass(frozen=True)
class Thresholds:
    """When a model wakes and when it goes, in nats of log Z.

    ``sleep_below`` is less than ``wake_above``, so that nobody wakes and sleeps in turn.
    """

    wake_above: float = 0.1
    sleep_below: float = 0.02
    fight_below: float = -1.0


@dataclass(frozen=True)
class Change:
    """Something that happened: what, to whom, why, and by how much log Z rose (nats)."""

    kind: str
    node: str
    text: str
    cause: str = ""
    effect: float | None = None


Settle = Callable[[], Settled]
Tell = Callable[[Change], None]
Propose = Callable[[], Mapping[str, str]]
"""Sleeping models that are worth a trial whatever their score, and who says so."""


def nobody() -> Mapping[str, str]:
    """Propose nothing."""
    return {}


@dataclass
class Lifecycle:
    """Wakes and retires models of a library.

    Parameters
    ----------
    population : Population
        Who is awake.
    thresholds : Thresholds
        When that changes.
    library : set of str
        Models that may wake and go.
    settle : callable
        Lets messages settle, in view of everybody.
    quietly : callable
        The same inside a trial.
    tell : callable
        Hears of each change.
    propose : callable
        Names sleepers to try once no score is promising.

    """

    population: Population
    thresholds: Thresholds
    library: set[str]
    settle: Settle
    quietly: Settle
    tell: Tell
    propose: Propose = nobody
    ever: set[str] = field(default_factory=set)
    protested: set[frozenset[str]] = field(default_factory=set)
    _refused: dict[str, float] = field(default_factory=dict)
    _fought: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Nobody has been scored yet."""
        self.scores = Scores(self.population)
        self._ended = "converged"

    def announce(self) -> None:
        """Tell who is most promising before anybody wakes."""
        self.scores.refresh()
        best = list(promising(self.scores, self.thresholds.wake_above))
        if best:
            names = ", ".join(f"{name} {odds:+.1f}" for name, odds in best[:3])
            text = (
                f"of {len(self.scores.log_odds)} asleep, {len(best)} look promising: {names} nats"
            )
            self.tell(Change("feed_forward", best[0][0], text, "evidence", gain_of(best[0][1])))

    def run(self) -> None:
        """Change until nothing is worth it; everybody wakes and goes at most once a time.

        Ends early where messages do not settle: what they say then is no reason to change.
        """
        woken: set[str] = set()
        self._ended = "converged"
        while self._ended == "converged" and (
            self._retire_one(woken)
            or self._wake_one(woken)
            or self._wake_group(woken)
            or self._wake_proposed(woken)
        ):
            pass

    def rescue(self) -> None:
        """Wake those without whom nothing that is seen or ruled would be possible."""
        self.population.graph.look()
        for _ in range(len(self.library)):
            self.scores.refresh()
            best = self.scores.best()[:1]
            if not best or best[0][1] != math.inf:
                return
            name = best[0][0]
            self.population.wake(name)
            self.ever.add(name)
            text = f"{name} wakes: without it nothing is possible"
            self.tell(Change("awaken", name, text, "possibility"))
            self.population.graph.look()

    def _wake_group(self, woken: set[str]) -> bool:
        """Wake sleepers that need one another, where all together survive being held active."""
        for group, guess in self.scores.groups():
            if gain_of(guess) <= self.thresholds.wake_above:
                return False
            key = "+".join(group)
            known = self._refused.get(key)
            if not woken.isdisjoint(group) or (known is not None and abs(known - guess) < 0.1):
                continue
            before = self.population.graph.log_z()
            for name in group:
                self.population.wake(name)
            with self.population.held_all(group, ACTIVE):
                ended = self.quietly()
                held = self.population.graph.log_z()
            log_odds = held - before if ended.status == "converged" else -math.inf
            if gain_of(log_odds) > self.thresholds.wake_above:
                return self._keep_group(group, log_odds, guess, woken)
            for name in group:
                self.population.sleep(name)
            self._ended = self.quietly().status
            self._refused[key] = guess
            if self._ended != "converged":
                return False
        return False

    def _keep_group(
        self, group: tuple[str, ...], log_odds: float, guess: float, woken: set[str]
    ) -> bool:
        """Let those stay awake who survived together."""
        woken.update(group)
        self.ever.update(group)
        names = " and ".join(group)
        text = f"{names} wake together (held active, they have {log_odds:+.2f} nats; scored {guess:+.2f})"
        for name in group:
            self.tell(Change("awaken", name, text, "score", gain_of(log_odds)))
        self._ended = self.settle().status
        if self._ended == "converged":
            for name in group:
                self._fights_of(name)
        return True

    def _wake_one(self, woken: set[str]) -> bool:
        self.scores.refresh()
        for name, guess in promising(self.scores, self.thresholds.wake_above):
            known = self._refused.get(name)
            if name in woken or (known is not None and abs(known - guess) < 0.1):
                continue
            if self._try(name, guess):
                woken.add(name)
                return True
            self._refused[name] = guess
            if self._ended != "converged":
                return False
        return False

    def _wake_proposed(self, woken: set[str]) -> bool:
        """Try whom other nodes propose: a score does not see what neighbours answer each other."""
        for name, by in self.propose().items():
            guess = self.scores.log_odds.get(name)
            if guess is None or name in woken or name in self._refused:
                continue
            if self._try(name, guess, f", proposed by {by}"):
                woken.add(name)
                return True
            self._refused[name] = guess
            if self._ended != "converged":
                return False
        return False

    def _try(self, name: str, guess: float, by: str = "") -> bool:
        """Wake a model, hold it active, and see whether it survives; else let it sleep on."""
        population = self.population
        log_odds = self.wake(name)
        gain = gain_of(log_odds)
        if gain <= self.thresholds.wake_above:
            population.sleep(name)
            self._ended = self.quietly().status
            self.scores.log_odds[name] = log_odds if math.isfinite(log_odds) else guess
            why = f"its score of {guess:+.2f} nats did not hold: held active it has {log_odds:+.2f}"
            self.tell(Change("refuse", name, f"{name} sleeps on: {why}", "trial", gain))
            return False
        self.ever.add(name)
        self._refused.pop(name, None)
        text = f"{name} wakes (held active, it has {log_odds:+.2f} nats; scored {guess:+.2f}{by})"
        self.tell(Change("awaken", name, text, "proposal" if by else "score", gain))
        self._ended = self.settle().status
        if self._ended == "converged":
            self._fights_of(name)
        return True

    def wake(self, name: str) -> float:
        """Wake a model, and return the log-odds that it has if it is held active, in nats.

        Minus infinity where it can't be active, or messages do not settle while it is.
        """
        population = self.population
        before = population.graph.log_z()
        population.wake(name)
        with population.held(name, ACTIVE):
            ended = self.quietly()
            held = population.graph.log_z()
        return held - before if ended.status == "converged" else -math.inf

    def _retire_one(self, woken: set[str]) -> bool:
        """Let the most superfluous model go, if any is."""
        population = self.population
        told = {*woken, *population.evidence, *population.done}
        costs = [
            (gain_of(log_odds_of(population.belief(name))), name)
            for name in population.models()
            if name in self.library and name not in told
        ]
        if not costs or min(costs)[0] >= self.thresholds.sleep_below:
            return False
        cost, name = min(costs)
        population.sleep(name)
        text = f"{name} goes: without it log Z loses {cost:.2g} nats"
        self.tell(Change("retire", name, text, "superfluous", -cost))
        self._ended = self.settle().status
        return True

    def _fights_of(self, name: str) -> None:
        """Tell whom a model that woke contradicts."""
        for rival, strength, where in contradictions(self.population, name):
            pair = (min(name, rival), max(name, rival))
            if strength > self.thresholds.fight_below or pair in self._fought:
                continue
            self._fought.add(pair)
            ahead = max(pair, key=self.population.active)
            behind = pair[0] if ahead == pair[1] else pair[1]
            text = (
                f"{name} and {rival} contradict each other about {' and '.join(where)} "
                f"(C = {strength:+.2f}): {ahead} leads, {self.population.active(ahead):.2g} to "
                f"{self.population.active(behind):.2g}"
            )
            self.tell(Change("fight", ahead, text, f"C({pair[0]}, {pair[1]})", strength))


def contradictions(population: Population, name: str) -> list[tuple[str, float, list[str]]]:
    """Awake models that speak of what a model speaks of, the worst contradiction first.

    Returns
    -------
    list of (str, float, list of str)
        The other model, C of the two in nats without evidence, and the targets they share.

    """
    society = population.society
    own = [
        piece.predicts
        for piece in population.at[name]
        if piece.predicts and piece.kind is None and piece.scope[0] == name
    ]
    others = {
        piece.scope[0]
        for target in own
        for piece in population.at.get(target, ())
        if piece.predicts == target and piece.scope[0] in population.variable
    } - {name}
    links = [
        (piece.scope[0], piece.predicts, piece.table[ACTIVE])
        for target in own
        for piece in population.at[target]
        if piece.predicts == target
        and piece.table is not None
        and len(piece.scope) == 2
        and len(piece.table) == 2
        and piece.scope[0] in {name, *others}
    ]
    found = pairwise_compatibility(links, society.bases)
    if name not in found.names:
        return []
    row = found.names.index(name)
    listed = []
    for column, other in enumerate(found.names):
        if other != name:
            where = [t for t, matrix in found.by_target.items() if abs(matrix[row][column]) > 0.05]
            listed.append((other, found.matrix[row][column], where))
    return sorted(listed, key=lambda item: item[1])
