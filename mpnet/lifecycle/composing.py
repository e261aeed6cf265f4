"""Composites that nobody wrote: two models that are active together become parts of a third."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np

from mpnet.lifecycle.changes import Change, Lifecycle, contradictions
from mpnet.lifecycle.scoring import gain_of, score
from mpnet.nodes.base import ACTIVATION
from mpnet.nodes.composite import Composite
from mpnet.society import Society, links_of

SURE = 0.5
"""Belief at which a model counts as active."""


def compose(lifecycle: Lifecycle, above: float) -> None:
    """Propose composites of models that are active together; keep those that pay for themselves.

    A composite's gain is set against its description length, the log of the number of pairs of
    models, which is its prior; it is what the composite has while it is held active. It is refused
    where its parts contradict each other, whatever it would gain: C is a protest, never a bonus.

    Parameters
    ----------
    lifecycle : Lifecycle
        Of a society that has settled.
    above : float
        Gain in log Z above which a composite stays, in nats.

    """
    population = lifecycle.population
    active = [n for n in population.models() if population.active(n) > SURE]
    simple = [n for n in active if not isinstance(population.society.nodes[n], Composite)]
    joined = {
        frozenset(node.parts)
        for node in population.society.nodes.values()
        if isinstance(node, Composite)
    }
    rivals: dict[str, dict[str, float]] = {}
    for first, second in combinations(sorted(simple), 2):
        if frozenset((first, second)) in joined:
            continue
        if first not in rivals:
            rivals[first] = {n: c for n, c, _ in contradictions(population, first)}
        against = rivals[first].get(second, 0.0)
        name = f"{first}+{second}"
        if name in population.society.nodes:
            continue
        if against < lifecycle.thresholds.fight_below:
            if frozenset((first, second)) in lifecycle.protested:
                continue
            lifecycle.protested.add(frozenset((first, second)))
            text = f"{name} is not proposed: its parts contradict each other (C = {against:+.2f})"
            lifecycle.tell(Change("refuse", name, text, "protest", against))
            continue
        if not _propose(lifecycle, name, (first, second), above):
            return


def _propose(lifecycle: Lifecycle, name: str, parts: tuple[str, str], above: float) -> bool:
    """Try a composite; whether messages have settled afterwards."""
    population = lifecycle.population
    population.extend(_with(population.society, name, parts), name)
    if gain_of(score(population, name)) <= above:
        population.forget(name)
        return True
    gain = gain_of(lifecycle.wake(name))
    if gain <= above:
        population.sleep(name)
        population.forget(name)
        return lifecycle.quietly().status == "converged"
    lifecycle.ever.add(name)
    text = f"{' and '.join(parts)} compose {name}, which gains {gain:.2f} nats"
    lifecycle.tell(Change("compose", name, text, "active together", gain))
    return lifecycle.settle().status == "converged"


def _with(society: Society, name: str, parts: tuple[str, str]) -> Society:
    """The society with one composite more; its prior is what it takes to name two of all models."""
    models = sum(states == ACTIVATION for states in society.domains.values())
    pairs = max(1, models * (models - 1) // 2)
    node = Composite(prior=1.0 / (1.0 + pairs), parts=list(parts))
    grown = replace(
        society,
        nodes={**society.nodes, name: node},
        types={**society.types, name: "composite"},
        domains={**society.domains, name: ACTIVATION},
        bases={**society.bases, name: np.array([1.0 - node.prior, node.prior])},
    )
    return replace(grown, links=(*society.links, *links_of(name, node, grown)))
