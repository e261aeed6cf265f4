"""What an exact pass over a join tree does, step by step, and where each table lies.

Messages are tables over separators; a cluster's own table is never stored. Up to the root each
cluster sends one message, down again one to each child. Messages that come back into use later
are kept where memory allows; else some are dropped on the way up and made again on the way down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mpnet.kernels.layout import IntArray
from mpnet.kernels.regions import SCRATCH, Program, lay_out
from mpnet.regions.arenas import Arena
from mpnet.regions.reduction import Scope
from mpnet.regions.trees import JoinTree, Ranked

ENTRY_BYTES = 8

READ_TOGETHER = 2**18
"""Entries of a table from which several reads of one cluster are made, at most."""

READ_PART = 16
"""Such a table may have one entry for so many of the cluster's."""


@dataclass(frozen=True)
class Read:
    """A table to be read off: over which ranks, and where.

    That is a cluster or, if ``above``, the separator between it and its parent.
    """

    scope: Scope
    cluster: int
    above: bool


@dataclass(eq=False)
class Plan:
    """Contractions in their order.

    Tables have numbers: factors first, then the message of each cluster to its parent, then that
    of its parent to each, then reads.

    Parameters
    ----------
    operands : list of list of int
        Numbers of the tables of each contraction, the result first.
    places : list of list of int
        Where in the arena each of them starts.
    factor_places : list of int
        Where the factors' tables start.
    entries : int
        Length of the arena.
    work : float
        Entries of all products together.
    last : dict of int to int
        Where each table lies at the end, of those that still do.

    """

    operands: list[list[int]] = field(default_factory=list)
    places: list[list[int]] = field(default_factory=list)
    factor_places: list[int] = field(default_factory=list)
    entries: int = 0
    work: float = 0.0
    last: dict[int, int] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Bytes that the arena takes."""
        return self.entries * ENTRY_BYTES


class Planner:
    """Makes plans for one tree.

    Parameters
    ----------
    model : Ranked
        The factors.
    tree : JoinTree
        Clusters that hold them.
    reads : sequence of Read
        Tables to be read off on the way down.

    """

    def __init__(self, model: Ranked, tree: JoinTree, reads: Sequence[Read]) -> None:
        self.model, self.tree, self.reads = model, tree, reads
        self.children = tree.children()
        clusters = len(tree.scopes)
        self.up = len(model.scopes)
        self.down = self.up + clusters
        self.read = self.down + clusters
        self.scopes = [
            *model.scopes,
            *tree.separators,
            *tree.separators,
            *(read.scope for read in reads),
        ]
        self.work = [float(model.size(scope)) for scope in tree.scopes]
        self.inside: list[list[int]] = [[] for _ in tree.scopes]
        self.above: list[list[int]] = [[] for _ in tree.scopes]
        for number, read in enumerate(reads):
            (self.above if read.above else self.inside)[read.cluster].append(number)
        self.groups = [self._together(cluster) for cluster in range(clusters)]
        self.sizes = [model.size(scope) for scope in self.scopes]
        self.asked = [bool(found) for found in self.inside]
        for cluster, parent in enumerate(tree.parents):
            if parent >= 0 and (self.asked[cluster] or self.above[cluster]):
                self.asked[parent] = True

    def _together(self, cluster: int) -> list[tuple[int, list[int]]]:
        """Reads of a cluster in groups, each with a table that holds all of it (or -1)."""
        most = min(READ_TOGETHER, self.work[cluster] / READ_PART)
        groups: list[tuple[set[int], list[int]]] = []
        for number in self.inside[cluster]:
            ranks = set(self.reads[number].scope)
            if groups and self.model.size(tuple(groups[-1][0] | ranks)) <= most:
                groups[-1][0].update(ranks)
                groups[-1][1].append(number)
            else:
                groups.append((ranks, [number]))
        found = []
        for ranks, numbers in groups:
            if len(numbers) > 1:
                self.scopes.append(tuple(sorted(ranks)))
            found.append((len(self.scopes) - 1 if len(numbers) > 1 else -1, numbers))
        return found

    def plan(self, *, segment: int = 0, keep: bool = False) -> Plan:
        """Work out the order of the steps and where tables lie.

        Parameters
        ----------
        segment : int
            Entries of messages that are dropped in a row on the way up; 0 drops none.
        keep : bool
            Whether all messages stay until the end, so that other tables can be read off then.

        """
        return _Making(self, segment, keep).made()

    def program(self, plan: Plan) -> Program:
        """The contractions of a plan as the kernels read them."""
        return program_of(self.model.counts, self.scopes, plan.operands, plan.places)


def program_of(
    counts: IntArray,
    scopes: Sequence[Scope],
    operands: Sequence[Sequence[int]],
    places: Sequence[Sequence[int]],
) -> Program:
    """Contractions as the kernels read them.

    Parameters
    ----------
    counts : int64[R]
        States of the variable of each rank.
    scopes : sequence of tuple of int
        Ranks of each table, ascending.
    operands : sequence of sequence of int
        Tables of each contraction, the result first.
    places : sequence of sequence of int
        Where in the arena each of them starts.

    """
    starts = _starts([len(scope) for scope in scopes])
    ranks = _row(scopes).astype(np.int32)
    op_operands = _starts([len(tables) for tables in operands])
    made = lay_out(
        np.ascontiguousarray(counts, dtype=np.int64),
        starts,
        ranks,
        op_operands,
        _row(operands).astype(np.int32),
    )
    program = Program(op_operands, _row(places), *made)
    for array in program:
        array.flags.writeable = False
    return program


def _starts(lengths: Sequence[int]) -> IntArray:
    starts = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts


def _row(parts: Sequence[Sequence[int]]) -> IntArray:
    return np.array([value for part in parts for value in part], dtype=np.int64)


class _Making:
    """A plan while it is made."""

    def __init__(self, planner: Planner, segment: int, keep: bool) -> None:
        self.of, self.segment, self.keep = planner, segment, keep
        self.arena = Arena()
        self.plan = Plan()
        self.place: dict[int, int] = {}
        for factor in range(len(planner.model.scopes)):
            self.plan.factor_places.append(self._take(factor))

    def made(self) -> Plan:
        of = self.of
        roots = [c for c, parent in enumerate(of.tree.parents) if parent < 0]
        stored = self._stored()
        first = 0
        for root in roots:
            for cluster in range(first, root + 1):
                self._send_up(cluster)
                self._free([of.up + d for d in of.children[cluster] if not stored[d]])
            first = root + 1
            if of.asked[root]:
                self._downwards(root)
        self.plan.entries = self.arena.peak + SCRATCH
        self.plan.last = self.place
        return self.plan

    def _stored(self) -> list[bool]:
        """Which upward messages stay until the way down."""
        if self.keep or self.segment == 0:
            return [True] * len(self.of.tree.scopes)
        stored: list[bool] = []
        passed = [0] * len(self.of.tree.scopes)
        for cluster, children in enumerate(self.of.children):
            size = self.of.sizes[self.of.up + cluster]
            passed[cluster] = size + sum(passed[d] for d in children if not stored[d])
            stored.append(passed[cluster] > self.segment and bool(children))
        return stored

    def _downwards(self, root: int) -> None:
        of = self.of
        waiting = [root]
        while waiting:
            cluster = waiting.pop()
            if not any(of.asked[d] or of.above[d] for d in of.children[cluster]):
                self._read(cluster)
                continue
            for child in of.children[cluster]:
                self._send_up_again(child)
            self._read(cluster)
            wanted = [d for d in of.children[cluster] if of.asked[d] or of.above[d]]
            for child in wanted:
                others = [of.up + d for d in of.children[cluster] if d != child]
                self._add(of.down + child, cluster, [*others, *self._from_above(cluster)])
                for number in of.above[child]:
                    both = [of.up + child, of.down + child]
                    self._take_read(number, both, of.sizes[of.up + child])
            self._free(self._from_above(cluster))
            self._free([of.up + d for d in of.children[cluster]])
            self._free([of.down + d for d in wanted if not of.asked[d]])
            waiting += [d for d in wanted if of.asked[d]]

    def _read(self, cluster: int) -> None:
        of = self.of
        said = [of.up + d for d in of.children[cluster]]
        if of.inside[cluster]:
            for child in of.children[cluster]:
                self._send_up_again(child)
        operands = [*of.tree.factors[cluster], *said, *self._from_above(cluster)]
        for together, numbers in of.groups[cluster]:
            if together < 0:
                self._take_read(numbers[0], operands, of.work[cluster])
                continue
            self._note_result(together, operands)
            self.plan.work += of.work[cluster]
            for number in numbers:
                self._take_read(number, [together], of.sizes[together])
            self._free([together])
        if not any(of.asked[d] or of.above[d] for d in of.children[cluster]):
            self._free(self._from_above(cluster))
            self._free(said)

    def _take_read(self, number: int, operands: list[int], work: float) -> None:
        self._note_result(self.of.read + number, operands)
        self.plan.work += work

    def _from_above(self, cluster: int) -> list[int]:
        return [self.of.down + cluster] if self.of.tree.parents[cluster] >= 0 else []

    def _send_up(self, cluster: int) -> None:
        of = self.of
        self._add(of.up + cluster, cluster, [of.up + d for d in of.children[cluster]])

    def _send_up_again(self, cluster: int) -> None:
        """Make a message that was dropped again, and those that it needs."""
        waiting = [cluster]
        while waiting:
            here = waiting[-1]
            missing = [d for d in self.of.children[here] if self.of.up + d not in self.place]
            if self.of.up + here in self.place:
                waiting.pop()
            elif missing:
                waiting += missing
            else:
                self._send_up(here)

    def _add(self, result: int, cluster: int, messages: list[int]) -> None:
        self._note_result(result, [*self.of.tree.factors[cluster], *messages])
        self.plan.work += self.of.work[cluster]

    def _note_result(self, result: int, read: list[int]) -> None:
        self._take(result)
        operands = [result, *read]
        self.plan.operands.append(operands)
        self.plan.places.append([self.place[table] for table in operands])

    def _take(self, table: int) -> int:
        place = self.arena.take(self.of.sizes[table])
        self.place[table] = place
        return place

    def _free(self, tables: list[int]) -> None:
        if self.keep:
            return
        for table in tables:
            if table in self.place:
                self.arena.give_back(self.place.pop(table), self.of.sizes[table])
