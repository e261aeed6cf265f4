"""Belief propagation between clusters that overlap in loops."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mpnet.kernels import regions
from mpnet.kernels.layout import ALIVE, UNSAFE, FloatArray
from mpnet.kernels.regions_sweep import send
from mpnet.kernels.semiring import LinearSum, LogMax, LogSum, Semiring, is_linear
from mpnet.regions.buckets import JoinGraph
from mpnet.regions.plans import ENTRY_BYTES, program_of
from mpnet.regions.reduction import Scope
from mpnet.regions.trees import Ranked

LOWEST = math.log(1e-280)
"""Products whose logs can't fall below this keep all their digits."""


def planned(model: Ranked, graph: JoinGraph) -> tuple[int, float]:
    """Bytes that passing on a join graph takes, and entries of all products of a sweep."""
    work = sum(
        2.0 * (model.size(graph.scopes[one]) + model.size(graph.scopes[two])) / 2.0
        for one, two, _ in graph.arcs
    )
    sizes = [model.size(label) for _, _, label in graph.arcs]
    entries = (
        sum(table.size for table in model.tables)
        + 2 * sum(sizes)
        + max(sizes, default=0)
        + regions.SCRATCH
    )
    return entries * ENTRY_BYTES, work


class Passing:
    """The messages of one run on a join graph.

    Parameters
    ----------
    model : Ranked
        The factors.
    graph : JoinGraph
        Clusters that hold them.
    maximise : bool
        Max-product instead of sum-product.

    """

    def __init__(self, model: Ranked, graph: JoinGraph, *, maximise: bool = False) -> None:
        self.model, self.graph = model, graph
        factors = len(model.scopes)
        arcs = len(graph.arcs)
        # Tables by number: factors, messages to the later end of each arc, to the earlier end.
        self.scopes = [*model.scopes, *(label for _, _, label in graph.arcs)]
        self.scopes += self.scopes[factors:]
        self.sizes = [model.size(scope) for scope in self.scopes]
        self.places = np.cumsum([0, *self.sizes])
        self.incoming: list[list[tuple[int, int]]] = [[] for _ in graph.scopes]
        for arc, (one, two, _) in enumerate(graph.arcs):
            self.incoming[two].append((arc, factors + arc))
            self.incoming[one].append((arc, factors + arcs + arc))
        forth = sorted(range(arcs), key=lambda a: graph.arcs[a][:2])
        back = sorted(range(arcs), key=lambda a: (-graph.arcs[a][1], -graph.arcs[a][0]))
        self.sent = [factors + a for a in forth] + [factors + arcs + a for a in back]
        self.senders = [graph.arcs[a][0] for a in forth] + [graph.arcs[a][1] for a in back]
        operands = [
            [number, *self._read_by(cluster, (number - factors) % max(arcs, 1))]
            for number, cluster in zip(self.sent, self.senders, strict=True)
        ]
        self.fresh = int(self.places[-1])
        places = [[self.fresh, *(int(self.places[t]) for t in read[1:])] for read in operands]
        self.program = program_of(model.counts, self.scopes, operands, places)
        self.operand_table = np.array([t for row in operands for t in row], dtype=np.int32)
        self.target = np.array([self.places[number] for number in self.sent], dtype=np.int64)
        self.size = np.array([self.sizes[number] for number in self.sent], dtype=np.int64)
        self.op_residual = np.full(len(self.sent), np.nan)
        self._enter(LogMax() if maximise else LinearSum())

    def _read_by(self, cluster: int, without: int = -1) -> list[int]:
        """Tables that a cluster multiplies, but for the message of one arc."""
        said = [number for arc, number in self.incoming[cluster] if arc != without]
        return [*self.graph.factors[cluster], *said]

    def tables_at(self, cluster: int) -> list[tuple[Scope, FloatArray]]:
        """What a cluster multiplies: scopes and entries, in the values of the semiring."""
        return [
            (self.scopes[t], self.arena[self.places[t] : self.places[t + 1]])
            for t in self._read_by(cluster)
        ]

    def _enter(self, semiring: Semiring) -> None:
        """Fill the arena: factors, and uniform messages."""
        self.semiring = semiring
        linear = is_linear(semiring)
        widest = max(self.sizes[len(self.model.scopes) :], default=0)
        self.arena = np.full(self.fresh + widest + regions.SCRATCH, semiring.one)
        self.low = np.zeros(len(self.scopes))
        self.log_scale = 0.0
        for number, table in enumerate(self.model.tables):
            best = float(table.max())
            if best != -np.inf:
                self.log_scale += best
                possible = table[table != -np.inf]
                self.low[number] = float(possible.min()) - best
            logs = table - best if best != -np.inf else table
            values = np.exp(logs) if linear else logs
            self.arena[self.places[number] : self.places[number + 1]] = values.reshape(-1)

    def use_logs(self) -> None:
        """Go on in log space, from the messages as they are."""
        first = int(self.places[len(self.model.scopes)])
        with np.errstate(divide="ignore"):
            messages = np.log(self.arena[first : self.fresh])
        self._enter(LogSum())
        self.arena[first : self.fresh] = messages

    def log_messages(self) -> FloatArray:
        """All messages as logs, largest entry 0, in a row; a copy."""
        messages = self.arena[self.places[len(self.model.scopes)] : self.fresh].copy()
        if is_linear(self.semiring):
            with np.errstate(divide="ignore"):
                np.log(messages, out=messages)
        return messages

    def sweep(self, damping: float) -> tuple[float, int]:
        """Send all messages, once through the clusters and back again.

        Parameters
        ----------
        damping : float
            Weight of the old message, in the log domain, in [0, 1).

        Returns
        -------
        float
            The largest undamped residual, in nats.
        int
            The first cluster that allows nothing, or ``ALIVE``.

        """
        worst, status = self._send(damping)
        if status == UNSAFE:
            self.use_logs()
            again, status = self._send(damping)
            worst = max(worst, again)
        return worst, ALIVE if status == ALIVE else self.senders[status]

    def _send(self, damping: float) -> tuple[float, int]:
        return send(
            self.semiring,
            self.program,
            0,
            len(self.sent),
            self.operand_table,
            self.target,
            self.size,
            LOWEST,
            self.arena,
            self.low,
            damping,
            self.op_residual,
        )

    def _contract(self, wanted: Sequence[tuple[Scope, list[int]]]) -> list[FloatArray]:
        """Products of tables onto scopes, in the values of the semiring."""
        sizes = [self.model.size(scope) for scope, _ in wanted]
        scopes = [*self.scopes, *(scope for scope, _ in wanted)]
        first = len(self.scopes)
        operands = [[first + n, *read] for n, (_, read) in enumerate(wanted)]
        here = [int(self.places[-1]) for _ in wanted]
        places = [
            [place, *(int(self.places[t]) for t in read)]
            for place, (_, read) in zip(here, wanted, strict=True)
        ]
        room = self.fresh + max(sizes, default=0) + regions.SCRATCH
        if self.arena.size < room:
            self.arena = np.concatenate([self.arena, np.empty(room - self.arena.size)])
        program = program_of(self.model.counts, scopes, operands, places)
        found = []
        for op, (scope, _) in enumerate(wanted):
            regions.contract(self.semiring, program, op, self.semiring.one, self.arena)
            shape = [int(self.model.counts[rank]) for rank in scope]
            table = self.arena[self.fresh : self.fresh + sizes[op]].reshape(shape).copy()
            found.append(table)
        return found

    def log_z(self) -> float:
        """Log partition sum of the clusters less that of the arcs, in nats."""
        clusters = [((), self._read_by(cluster)) for cluster in range(len(self.graph.scopes))]
        factors, arcs = len(self.model.scopes), len(self.graph.arcs)
        between = [((), [factors + a, factors + arcs + a]) for a in range(arcs)]
        totals = np.array([float(t) for t in self._contract([*clusters, *between])])
        with np.errstate(divide="ignore"):
            logs = np.log(totals) if is_linear(self.semiring) else totals
        split = len(clusters)
        return self.log_scale + math.fsum(logs[:split]) - math.fsum(logs[split:])

    def beliefs(self) -> list[FloatArray]:
        """Marginals (or max-marginals) by rank, each summing to one."""
        homes: list[tuple[int, list[int]] | None] = [None] * self.model.counts.size
        factors, arcs = len(self.model.scopes), len(self.graph.arcs)
        tables = [
            (self.model.size(label), label, [factors + a, factors + arcs + a])
            for a, (_, _, label) in enumerate(self.graph.arcs)
        ] + [
            (self.model.size(scope), scope, self._read_by(cluster))
            for cluster, scope in enumerate(self.graph.scopes)
        ]
        for size, scope, read in sorted(tables, key=lambda t: t[0]):
            for rank in scope:
                if homes[rank] is None:
                    homes[rank] = size, read
        wanted = [((rank,), home[1]) for rank, home in enumerate(homes) if home is not None]
        return [self._scaled(table) for table in self._contract(wanted)]

    def joint(self, scope: Scope) -> FloatArray | None:
        """Belief over ranks (ascending) together, or None where no cluster has them all."""
        wanted = set(scope)
        homes = [n for n, found in enumerate(self.graph.scopes) if wanted <= set(found)]
        if not homes:
            return None
        home = min(homes, key=lambda n: self.model.size(self.graph.scopes[n]))
        return self._scaled(self._contract([(scope, self._read_by(home))])[0])

    def _scaled(self, table: FloatArray) -> FloatArray:
        if not is_linear(self.semiring):
            table = np.exp(table - table.max())
        result: FloatArray = table / table.sum()
        return result
