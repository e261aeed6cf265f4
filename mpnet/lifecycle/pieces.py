"""What a society is made of, taken apart: one piece per factor, so that each can come and go."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from mpnet.content import Kind
from mpnet.factors import NoisyOr
from mpnet.kernels.layout import FloatArray
from mpnet.nodes.explaining import noisy_ors
from mpnet.society import Link, Society, link_tables

ENUMERATED = 2**8
"""Entries up to which a factor of another kind is used as one table."""

Scope = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Piece:
    """One factor of a society.

    Parameters
    ----------
    name : str
        For messages.
    scope : tuple of str
        Its nodes.
    table : float64[states of each] or None
        Log potentials, in nats.
    kind : Kind or None
        What it is where it is no table.
    predicts : str
        The node that it is about, which an intervention cuts off; empty for a constraint.
    owner : str
        The node that brings it, without which it is not there; one of the scope where empty.

    """

    name: str
    scope: Scope
    table: FloatArray | None = None
    kind: Kind | None = None
    predicts: str = ""
    owner: str = ""

    @property
    def at(self) -> Scope:
        """The nodes whose coming and going it takes notice of."""
        return self.scope if self.owner in ("", *self.scope) else (*self.scope, self.owner)


def pieces_of(society: Society) -> Iterator[Piece]:
    """All factors of a society over two nodes or more."""
    yield from pieces_from(society.links, society)
    for token, noisy_or in noisy_ors(society.causes, society.bases).items():
        yield Piece(noisy_or.name, noisy_or.scope, kind=noisy_or, predicts=token)
    for rule in society.rules:
        owner = rule.by if rule.by in society.nodes else rule.scope[0]
        yield Piece(rule.name, rule.scope, rule.table, rule.kind, rule.about, owner)


def pieces_from(links: Iterable[Link], society: Society) -> Iterator[Piece]:
    """The factors that predictions make."""
    for (source, target), table in link_tables(links, society.domains).items():
        yield Piece(f"{source} → {target}", (source, target), table, predicts=target)


def without_parents(noisy_or: NoisyOr, gone: Collection[str]) -> NoisyOr:
    """A noisy OR less some parents, which is the same as if they were off."""
    kept = [n for n, parent in enumerate(noisy_or.parents) if parent not in gone]
    return NoisyOr(
        noisy_or.child,
        [noisy_or.parents[n] for n in kept],
        [noisy_or.probabilities[n] for n in kept],
        leak=noisy_or.leak,
        name=noisy_or.name,
    )


def spelled(kind: Kind, counts: dict[str, int]) -> list[tuple[tuple[str | int, ...], FloatArray]]:
    """A factor of some kind as tables over its nodes and hidden variables, which are numbers.

    Parameters
    ----------
    kind : Kind
        Over nodes with these numbers of states.
    counts : dict of str to int
        Number of states by name.

    Returns
    -------
    list of (scope, float64 table)
        Log potentials, in nats. A hidden variable has as many states as its axis is long.

    """
    found: list[tuple[tuple[str | int, ...], FloatArray]] = []
    for part in kind.expanded:
        shape = np.array([[counts[name] for name in part.scope]], dtype=np.int64)
        content = part.content(shape, str)
        if np.prod(shape, dtype=np.float64) <= ENUMERATED:
            found.append((tuple(part.scope), content.table(0)))
            continue
        base = sum(len(scope) for scope, _ in found)
        for axes, table in content.parts(0).tables:
            arity = len(part.scope)
            scope = tuple(part.scope[a] if a < arity else base + a for a in axes)
            found.append((scope, table))
    return found
