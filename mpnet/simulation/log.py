"""The log of a run along a timeline: rows and events as they come, within a budget of memory."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from mpnet.keeping import Keeper
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.lifecycle.changes import Change
from mpnet.lifecycle.population import Population
from mpnet.nodes.base import ACTIVATION
from mpnet.quantities import bytes_of
from mpnet.scenario.spec import Tracing
from mpnet.simulation.watching import Glimpse, Watcher, places_of
from mpnet.society import Society
from mpnet.trace import AnyFloats, Event, Trace


class _Present(NamedTuple):
    """Who takes part between two changes: the nodes followed, and their columns among all."""

    nodes: tuple[str, ...]
    columns: IntArray


class _Row(NamedTuple):
    """One iteration."""

    present: _Present
    beliefs: AnyFloats
    residual: float
    log_z: float
    seconds: float
    damping: float


class Log:
    """Rows and events of a run in which nodes come and go.

    Parameters
    ----------
    population : Population
        Who takes part; looked at for every row.
    tracing : Tracing
        What is kept.
    asked : collection of str
        Nodes in question.
    watcher : Watcher, optional
        Told of everything.

    """

    def __init__(
        self,
        population: Population,
        tracing: Tracing,
        asked: Collection[str],
        watcher: Watcher | None = None,
    ) -> None:
        self.population = population
        self.events: list[Event] = []
        self._tracing, self._asked, self._watcher = tracing, asked, watcher
        self._ever: dict[str, None] = {}
        self._presents: dict[tuple[str, ...], _Present] = {}
        self._started = time.perf_counter()
        self._keeper: Keeper[_Row] = Keeper(
            bytes_of(tracing.budget), tracing.every, lambda row: row.beliefs.nbytes
        )

    def row(self, residual: float, damping: float = 0.0) -> None:
        """Keep beliefs, residual and log Z as they are now."""
        names, graph = self.population.present, self.population.graph
        beliefs, present = graph.beliefs(self.population.variable.values()), self._present(names)
        seconds, log_z = time.perf_counter() - self._started, graph.log_z()
        kept = beliefs[present.columns].astype(self._tracing.precision)
        self._keeper.offer(_Row(present, kept, residual, log_z, seconds, damping))
        if self._watcher is not None:
            places = places_of({name: self._states(name) for name in names})
            self._watcher.glimpse(Glimpse(self.now, residual, log_z, "flat", places, beliefs))

    def _states(self, name: str) -> int:
        return len(self.population.society.domains[name])

    def _present(self, names: tuple[str, ...]) -> _Present:
        """Those of the nodes present that are followed; looked up once for each company."""
        if names not in self._presents:
            self._ever |= dict.fromkeys(names)
            counts = [self._states(name) for name in names]
            starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
            chosen = [
                (name, np.arange(start, start + count))
                for name, start, count in zip(names, starts[:-1], counts, strict=True)
                if self._tracing.follows(name, self._asked)
            ]
            parts = [columns for _, columns in chosen]
            columns = np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
            self._presents[names] = _Present(tuple(name for name, _ in chosen), columns)
        return self._presents[names]

    @property
    def now(self) -> int:
        """The latest iteration."""
        return max(0, self._keeper.count - 1)

    def mark(self) -> None:
        """Keep the latest row, whatever becomes of the others."""
        self._keeper.mark()

    def tell(self, change: Change) -> None:
        """Keep an event, and the row that it comes after."""
        found = Event(self.now, change.kind, change.node, change.text, change.cause, change.effect)
        self.events.append(found)
        self.mark()
        if self._watcher is not None:
            self._watcher.event(found)

    def columns(self) -> tuple[str, ...]:
        """Nodes that ever took part, in the order of the society."""
        return tuple(name for name in self.population.society.domains if name in self._ever)

    def trace(self) -> Trace:
        """Everything kept."""
        society = self.population.society
        nodes = tuple(n for n in self.columns() if self._tracing.follows(n, self._asked))
        rows = self._keeper.rows()
        return Trace(
            iterations=np.array([iteration for iteration, _ in rows], dtype=np.int64),
            nodes=nodes,
            states=tuple(society.domains[name] for name in nodes),
            beliefs=self._beliefs([row for _, row in rows], nodes),
            residual=np.array([row.residual for _, row in rows]),
            log_z=np.array([row.log_z for _, row in rows]),
            damping=np.array([row.damping for _, row in rows]),
            seconds=np.array([row.seconds for _, row in rows]),
            estimator=("flat",) * len(rows),
            messages=(),
            message_residual=np.empty((len(rows), 0)),
        )

    def _beliefs(self, rows: list[_Row], nodes: tuple[str, ...]) -> AnyFloats:
        """Beliefs of all nodes ever followed, at rest where they did not take part."""
        places = places_of({name: self._states(name) for name in nodes})
        resting = _at_rest(self.population.society, nodes).astype(self._tracing.precision)
        beliefs: AnyFloats = np.tile(resting, (len(rows), 1))
        every, targets = np.arange(resting.size), dict[int, IntArray]()
        for number, row in enumerate(rows):
            who = id(row.present)
            if who not in targets:
                parts = [every[places[name]] for name in row.present.nodes]
                targets[who] = np.concatenate(parts) if parts else every[:0]
            beliefs[number, targets[who]] = row.beliefs
        return beliefs


def _at_rest(society: Society, nodes: tuple[str, ...]) -> FloatArray:
    """What is shown of nodes that do not take part: models are inactive, others at base rates."""
    parts = []
    for name in nodes:
        inactive = np.array([1.0, 0.0])
        parts.append(inactive if society.domains[name] == ACTIVATION else society.bases[name])
    return np.concatenate(parts) if parts else np.empty(0)
