"""A society of which some models are asleep, on a graph of those that are awake."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mpnet.builder import GraphBuilder
from mpnet.factors import NoisyOr
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray
from mpnet.lifecycle.living import LivingGraph
from mpnet.lifecycle.pieces import Piece, pieces_from, pieces_of, spelled, without_parents
from mpnet.nodes.base import ACTIVATION
from mpnet.society import Society

INACTIVE, ACTIVE = 0, 1


@dataclass
class _Placed:
    """What became of a piece: factors and hidden variables of the graph, unary terms, a constant."""

    factors: list[int] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)
    scopes: list[tuple[int, ...]] = field(default_factory=list)
    unary: list[tuple[str, FloatArray]] = field(default_factory=list)
    constant: float = 0.0


class Population:
    """Who is awake, what is seen and done, and the messages between them.

    A sleeping model counts as inactive: the others are what they would be given that. A node that
    is absent is as if it had never been written. *Evolving.*

    Parameters
    ----------
    society : Society
        With every node that there may ever be.
    asleep : collection of str
        Models that begin asleep.
    absent : collection of str
        Nodes that are not there yet.

    """

    def __init__(
        self, society: Society, asleep: Collection[str] = (), absent: Collection[str] = ()
    ) -> None:
        self.society = society
        self.graph = LivingGraph()
        self.asleep: dict[str, None] = {
            n: None for n in society.domains if n in set(asleep) - set(absent)
        }
        self.absent: set[str] = set(absent)
        self.variable: dict[str, int] = {}
        self.evidence: dict[str, FloatArray] = {}
        self.done: dict[str, int] = {}
        self.at: dict[str, list[Piece]] = {name: [] for name in society.domains}
        for piece in pieces_of(society):
            for name in piece.scope:
                self.at[name].append(piece)
        self._explained = {cause.target for cause in society.causes}
        self._placed: dict[Piece, _Placed] = {}
        self._extra: dict[str, dict[Piece, FloatArray]] = {}
        self._count_asleep(self.asleep, 1.0)
        self._enter([n for n, s in society.domains.items() if s and self._may_enter(n)])

    def _may_enter(self, name: str) -> bool:
        return name not in self.asleep and name not in self.absent

    def _count_asleep(self, names: Iterable[str], sign: float) -> None:
        """What sleeping models weigh: the probability that each is inactive, and what is seen then."""
        for name in names:
            logs = self._prior(name)
            if name in self.evidence:
                logs = logs + self.evidence[name]
            self.graph.constant += sign * float(logs[INACTIVE])

    def _prior(self, name: str) -> FloatArray:
        """Log potential of the node itself, in nats; nothing where others say it all."""
        if name in self._explained:
            return np.zeros(len(self.society.domains[name]))
        return np.asarray(self.society.nodes[name].unary(self.society), dtype=np.float64)

    # Who is there

    @property
    def present(self) -> tuple[str, ...]:
        """Nodes with a variable, in the order in which they came."""
        return tuple(self.variable)

    def is_awake(self, name: str) -> bool:
        """Whether a node has a variable."""
        return name in self.variable

    def wake(self, name: str) -> None:
        """Let a sleeping model take part."""
        del self.asleep[name]
        self._count_asleep([name], -1.0)
        self._enter([name])

    def sleep(self, name: str) -> None:
        """Take a model out; the others go on as if it were inactive."""
        self._leave(name)
        self.asleep[name] = None
        self._count_asleep([name], 1.0)
        self._place_all(self.at[name])

    def add(self, names: Collection[str]) -> None:
        """Let absent nodes take part, all at once."""
        self.absent -= set(names)
        self._enter(list(names))

    def remove(self, name: str) -> None:
        """Take a node out for good, with all that is said by it and of it."""
        if name in self.asleep:
            del self.asleep[name]
            self._count_asleep([name], -1.0)
            self._take_away(self.at[name])
        else:
            self._leave(name)
        self.absent.add(name)
        self.evidence.pop(name, None)
        self.done.pop(name, None)

    def _enter(self, names: list[str]) -> None:
        for name in names:
            self.variable[name] = self.graph.add_variable(self._unary(name))
        pieces = dict.fromkeys(piece for name in names for piece in self.at[name])
        self._take_away(pieces)
        self._place_all(pieces)

    def _leave(self, name: str) -> None:
        self._take_away(self.at[name])
        self.graph.remove_variable(self.variable.pop(name))

    def extend(self, society: Society, name: str) -> None:
        """Let the society have one model more, which is asleep and only predicts.

        Parameters
        ----------
        society : Society
            The same with the model and its predictions as the last ones.
        name : str
            The model.

        """
        self.society = society
        self.asleep[name] = None
        self.at[name] = []
        for piece in pieces_from([k for k in reversed(society.links) if k.source == name], society):
            for each in piece.scope:
                self.at[each].append(piece)
        self._count_asleep([name], 1.0)
        self._place_all(self.at[name])

    def forget(self, name: str) -> None:
        """Take out a sleeping model that ``extend`` brought, as if it had never been."""
        self._take_away(self.at[name])
        self._count_asleep([name], -1.0)
        del self.asleep[name]
        for piece in self.at.pop(name):
            for each in piece.scope:
                if each != name:
                    self.at[each].remove(piece)
        society = self.society

        def kept(mapping: Mapping[str, Any]) -> dict[str, Any]:
            return {key: value for key, value in mapping.items() if key != name}

        self.society = replace(
            society,
            nodes=kept(society.nodes),
            types=kept(society.types),
            domains=kept(society.domains),
            bases=kept(society.bases),
            links=tuple(link for link in society.links if link.source != name),
        )

    # What they are told

    def see(self, name: str, logs: FloatArray | None) -> None:
        """Observe a node (log-likelihoods by state, nats), or nothing of it any more."""
        sleeping = [name] if name in self.asleep else []
        self._count_asleep(sleeping, -1.0)
        if logs is None:
            self.evidence.pop(name, None)
        else:
            self.evidence[name] = logs
        self._count_asleep(sleeping, 1.0)
        if name in self.variable:
            self._refresh(name)

    def do(self, name: str, state: int | None) -> None:
        """Set a node to a state whatever is said of it, or let it follow the others again."""
        if state is None:
            self.done.pop(name, None)
        else:
            self.done[name] = state
        about = [piece for piece in self.at[name] if piece.predicts == name]
        self._take_away(about)
        self._place_all(about)
        self._refresh(name)

    def _unary(self, name: str) -> FloatArray:
        if name in self.done:
            logs = np.full(len(self.society.domains[name]), -np.inf)
            logs[self.done[name]] = 0.0
        else:
            logs = self._prior(name)
            if name in self.evidence:
                logs = logs + self.evidence[name]
        for extra in self._extra.get(name, {}).values():
            logs = logs + extra
        return logs

    def _refresh(self, name: str) -> None:
        self.graph.set_unary(self.variable[name], self._unary(name))

    # Where pieces go

    def _place_all(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            there = self.absent.isdisjoint(piece.scope) and piece.predicts not in self.done
            if there and piece not in self._placed:
                self._place(piece)

    def _place(self, piece: Piece) -> None:
        placed = self._placed[piece] = _Placed()
        domains = self.society.domains
        if isinstance(piece.kind, NoisyOr):
            kind = without_parents(piece.kind, set(self.asleep))
            tables = spelled(kind, {n: len(domains[n]) for n in kind.scope})
        elif piece.kind is not None:
            tables = spelled(piece.kind, {n: len(domains[n]) for n in piece.scope})
        else:
            assert piece.table is not None  # noqa: S101 - a piece is a table or a kind
            tables = [(piece.scope, piece.table)]
        hidden: dict[int, int] = {}
        for scope, table in tables:
            self._place_table(piece, scope, table, placed, hidden)
        self.graph.constant += placed.constant
        for name, _ in placed.unary:
            self._refresh(name)

    def _place_table(
        self,
        piece: Piece,
        scope: tuple[str | int, ...],
        table: FloatArray,
        placed: _Placed,
        hidden: dict[int, int],
    ) -> None:
        left: list[str | int] = []
        for name in scope:
            if isinstance(name, str) and name not in self.variable:
                table = np.asarray(table.take(INACTIVE, axis=len(left)))
            else:
                left.append(name)
        if not left:
            placed.constant += float(table)
        elif len(left) == 1 and isinstance(left[0], str):
            before = self._extra.setdefault(left[0], {}).get(piece, 0.0)
            self._extra[left[0]][piece] = before + table
            placed.unary.append((left[0], table))
        else:
            numbers = []
            for axis, name in enumerate(left):
                if isinstance(name, str):
                    numbers.append(self.variable[name])
                    continue
                if name not in hidden:
                    hidden[name] = self.graph.add_variable(np.zeros(table.shape[axis]))
                    placed.hidden.append(hidden[name])
                numbers.append(hidden[name])
            placed.factors.append(self.graph.add_factor(numbers, np.ascontiguousarray(table)))
            placed.scopes.append(tuple(numbers))

    def _take_away(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            placed = self._placed.pop(piece, None)
            if placed is None:
                continue
            for factor in placed.factors:
                self.graph.remove_factor(factor)
            for variable in placed.hidden:
                self.graph.remove_variable(variable)
            self.graph.constant -= placed.constant
            for name, _ in placed.unary:
                self._extra[name].pop(piece, None)
                if name in self.variable:
                    self._refresh(name)

    # What they believe

    def belief(self, name: str) -> FloatArray:
        """Probabilities of a node's states; a sleeping model is inactive."""
        if name in self.variable:
            return self.graph.belief(self.variable[name])
        found = np.zeros(len(self.society.domains[name]))
        found[INACTIVE] = 1.0
        return found

    def active(self, name: str) -> float:
        """Belief that a model is active, a probability."""
        return float(self.belief(name)[ACTIVE])

    @contextmanager
    def held(self, name: str, state: int) -> Iterator[None]:
        """Hold an awake node at a state; messages and beliefs are taken back at the end."""
        variable = self.variable[name]
        before = self.graph.unary(variable)
        held = np.full(before.size, -np.inf)
        held[state] = before[state]
        with self.graph.trial():
            self.graph.set_unary(variable, held)
            try:
                yield
            finally:
                self.graph.set_unary(variable, before)

    def as_graph(self) -> FactorGraph:
        """Those who are awake as a graph of its own, with the same factors and the same log Z."""
        builder = GraphBuilder()
        names = {number: name for name, number in self.variable.items()}
        for name, number in self.variable.items():
            builder.add_variable(name, self.society.domains[name])
            builder.add_factor([name], self.graph.unary(number), log=True)
        for piece, placed in self._placed.items():
            for place, number in enumerate(placed.hidden):
                names[number] = f"{piece.name} #{place}"
                builder.add_variable(names[number], int(self.graph.arrays.cardinality[number]))
            for factor, scope in zip(placed.factors, placed.scopes, strict=True):
                table = self.graph.table(factor)
                builder.add_factor([names[v] for v in scope], table, log=True, name=piece.name)
        builder.add_factor([], self.graph.constant, log=True)
        return builder.build()

    def models(self) -> list[str]:
        """Awake nodes that may be active or not."""
        return [name for name in self.variable if self.society.domains[name] == ACTIVATION]


def log_odds_of(belief: FloatArray) -> float:
    """Log of active over inactive, in nats; infinite where one is impossible."""
    with np.errstate(divide="ignore"):
        return float(np.log(belief[ACTIVE]) - np.log(belief[INACTIVE]))
