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
from mpnet.lifecycle.odds import ACTIVE, INACTIVE, normalised
from mpnet.lifecycle.pieces import Piece, pieces_from, pieces_of, spelled, without_parents
from mpnet.nodes.base import ACTIVATION
from mpnet.society import Society


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
    is absent is as if it had never been written, with all that it says and that is said of it; a
    rule over models goes on over those who are left. *Evolving.*

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
            for name in piece.at:
                self.at[name].append(piece)
        self.stirred: dict[str, None] = {}
        self._explained = {cause.target for cause in society.causes}
        self._placed: dict[Piece, _Placed] = {}
        self._extra: dict[str, dict[Piece, FloatArray]] = {}
        self._count_asleep(self.asleep)
        self._enter([n for n in society.domains if n not in self.asleep and n not in self.absent])

    def _count_asleep(self, names: Iterable[str]) -> None:
        """Weigh what sleeping models weigh: that each is inactive, and what is seen then."""
        for name in names:
            self.graph.multiply(float(self.potential(name)[INACTIVE]))

    def _count_awake(self, names: Iterable[str]) -> None:
        """Undo ``_count_asleep``."""
        for name in names:
            self.graph.divide(float(self.potential(name)[INACTIVE]))

    def potential(self, name: str) -> FloatArray:
        """Log potential of a node by itself and of what is seen of it, in nats; no prediction."""
        logs = np.zeros(len(self.society.domains[name]))
        if name not in self._explained:  # an explanation has the base rates in it
            logs += self.society.potential_of(name)
        return logs + self.evidence.get(name, 0.0)

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
        self._count_awake([name])
        self._enter([name])

    def sleep(self, name: str) -> None:
        """Take a model out; the others go on as if it were inactive."""
        self._leave(name)
        self.asleep[name] = None
        self._count_asleep([name])
        self._place_all(self.at[name])

    def add(self, names: Collection[str]) -> None:
        """Let absent nodes take part, all at once."""
        self.absent -= set(names)
        self._enter(list(names))

    def remove(self, name: str) -> None:
        """Take a node out for good, with all that is said by it and of it."""
        if name in self.asleep:
            self._count_awake([name])
            del self.asleep[name]
            self._take_away(self.at[name])
        else:
            self._leave(name)
        self.absent.add(name)
        self.evidence.pop(name, None)
        self.done.pop(name, None)
        self.stirred[name] = None
        self._place_all(self.at[name])

    def _enter(self, names: list[str]) -> None:
        for name in names:
            if self.society.domains[name]:
                self.variable[name] = self.graph.add_variable(self._unary(name))
        pieces = dict.fromkeys(piece for name in names for piece in self.at[name])
        self._take_away(pieces)
        self._place_all(pieces)

    def _leave(self, name: str) -> None:
        self._take_away(self.at[name])
        if name in self.variable:
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
            for each in piece.at:
                self.at[each].append(piece)
        self._count_asleep([name])
        self._place_all(self.at[name])

    def forget(self, name: str) -> None:
        """Take out a sleeping model that ``extend`` brought, as if it had never been."""
        self._take_away(self.at[name])
        self._count_awake([name])
        del self.asleep[name]
        for piece in self.at.pop(name):
            for each in piece.at:
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
        self._count_awake(sleeping)
        if logs is None:
            self.evidence.pop(name, None)
        else:
            self.evidence[name] = logs
        self._count_asleep(sleeping)
        self.stirred[name] = None
        self._refresh(name)

    def see_all(self, likelihoods: Mapping[str, FloatArray]) -> None:
        """Observe this and nothing else; nodes of which the same is seen as before go on."""
        for name in {**dict.fromkeys(self.evidence), **likelihoods}:
            if not self.society.domains[name] or name in self.absent:
                continue
            new, old = likelihoods.get(name), self.evidence.get(name)
            if new is None or old is None or not np.array_equal(new, old):
                self.see(name, new)

    def do(self, name: str, state: int | None) -> None:
        """Set a node to a state whatever is said of it, or let it follow the others again.

        A sleeping model wakes: what is done is done to somebody who is there.
        """
        if name in self.asleep:
            self.wake(name)
        self.stirred[name] = None
        if state is None:
            self.done.pop(name, None)
        else:
            self.done[name] = state
        about = [piece for piece in self.at[name] if piece.predicts == name]
        self._take_away(about)
        self._place_all(about)
        self._refresh(name)

    def _unary(self, name: str, leaving: Piece | None = None) -> FloatArray:
        """Log potentials on a node's variable, in nats, but for what one piece says."""
        if name in self.done:
            logs = np.full(len(self.society.domains[name]), -np.inf)
            logs[self.done[name]] = 0.0
        else:
            logs = self.potential(name)
        for piece, extra in self._extra.get(name, {}).items():
            if piece is not leaving:
                logs = logs + extra
        return logs

    def said_alone(self, name: str) -> dict[str, FloatArray]:
        """Log potentials (nats) that a node has from those who are not awake, by who they are."""
        found: dict[str, FloatArray] = {}
        if name not in self.done:
            for piece, logs in self._extra.get(name, {}).items():
                others = ", ".join(n for n in piece.scope if n != name)
                found[others] = found.get(others, 0.0) + logs
        return found

    def _refresh(self, name: str) -> None:
        if name in self.variable:
            self.graph.set_unary(self.variable[name], self._unary(name))

    # Where pieces go

    def _place_all(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            if self.holds(piece) and piece not in self._placed:
                self._place(piece)

    def holds(self, piece: Piece) -> bool:
        """Whether a piece is there: nothing that it needs is absent, and no intervention cuts it."""
        gone = self.absent.intersection(piece.at)
        if piece.predicts in self.done or (piece.owner or piece.predicts) in gone:
            return False
        if piece.predicts and not isinstance(piece.kind, NoisyOr):
            return not gone
        # Whoever left is inactive for a rule, and causes nothing.
        return all(self.society.domains[name] == ACTIVATION for name in gone)

    def _place(self, piece: Piece) -> None:
        placed = self._placed[piece] = _Placed()
        domains = self.society.domains
        if isinstance(piece.kind, NoisyOr):
            kind = without_parents(piece.kind, {*self.asleep, *self.absent})
            tables = spelled(kind, {n: len(domains[n]) for n in kind.scope})
        elif piece.kind is not None:
            tables = spelled(piece.kind, {n: len(domains[n]) for n in piece.scope})
        else:
            assert piece.table is not None  # noqa: S101 - a piece is a table or a kind
            tables = [(piece.scope, piece.table)]
        hidden: dict[int, int] = {}
        for scope, table in tables:
            self._place_table(piece, scope, table, placed, hidden)
        self.graph.multiply(placed.constant)
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
            self.graph.divide(placed.constant)
            for name, _ in placed.unary:
                self._extra[name].pop(piece, None)
                self._refresh(name)

    # What they believe

    def belief(self, name: str) -> FloatArray:
        """Probabilities of a node's states; a sleeping model is inactive."""
        if name in self.variable:
            return self.graph.belief(self.variable[name])
        found = np.zeros(len(self.society.domains[name]))
        found[INACTIVE] = 1.0
        return found

    def belief_without(self, name: str, piece: Piece) -> FloatArray:
        """Probabilities of a node's states if one piece said nothing; a sleeper is inactive."""
        variable, placed = self.variable.get(name), self._placed.get(piece)
        if variable is None or placed is None:
            return self.belief(name)
        for factor, scope in zip(placed.factors, placed.scopes, strict=True):
            if variable in scope:
                return normalised(self.graph.said_to(factor, scope.index(variable)))
        if piece not in self._extra.get(name, {}):
            return self.belief(name)
        return normalised(self._unary(name, piece) + self.graph.heard(variable))

    def active(self, name: str) -> float:
        """Belief that a model is active, a probability."""
        return float(self.belief(name)[ACTIVE])

    @contextmanager
    def held_all(self, names: Iterable[str], state: int) -> Iterator[None]:
        """Hold awake nodes at a state, as ``held`` does one."""
        variables = [self.variable[name] for name in names]
        before = [self.graph.unary(variable) for variable in variables]
        with self.graph.trial():
            for variable, logs in zip(variables, before, strict=True):
                held = np.full(logs.size, -np.inf)
                held[state] = logs[state]
                self.graph.set_unary(variable, held)
            try:
                yield
            finally:
                for variable, logs in zip(variables, before, strict=True):
                    self.graph.set_unary(variable, logs)

    @contextmanager
    def held(self, name: str, state: int) -> Iterator[None]:
        """Hold an awake node at a state; messages and beliefs are taken back at the end."""
        with self.held_all([name], state):
            yield

    def as_graph(self) -> FactorGraph:
        """Those who are awake as a graph of its own, with the same factors and the same log Z."""
        builder = GraphBuilder()
        names = {number: name for name, number in self.variable.items()}
        for name, number in self.variable.items():
            builder.add_variable(name, self.society.domains[name])
            builder.add_factor([name], self.graph.unary(number), log=True)
        for piece, placed in self._placed.items():
            for number in placed.hidden:
                names[number] = f"{piece.name} #{number}"
                builder.add_variable(names[number], int(self.graph.arrays.cardinality[number]))
            for factor, scope in zip(placed.factors, placed.scopes, strict=True):
                table = self.graph.table(factor)
                builder.add_factor([names[v] for v in scope], table, log=True, name=piece.name)
        builder.add_factor([], self.graph.constant, log=True)
        return builder.build()

    def models(self) -> list[str]:
        """Awake nodes that may be active or not."""
        return [name for name in self.variable if self.society.domains[name] == ACTIVATION]
