"""Scenes: how likely a society finds them, what explains them, and scenes drawn from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from mpnet.errors import NumericalError
from mpnet.estimators import make_estimator
from mpnet.estimators.base import Options, Problem, ignore
from mpnet.estimators.compiling import compile_graph
from mpnet.estimators.exact import solve
from mpnet.graph import FactorGraph, freeze
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.nodes.base import Observation
from mpnet.society import Society

FLAT = 1e-9
"""Deviation below which all scenes of an explanation are equally likely, in nats."""

Explanation = tuple[int, ...]
"""A state for every node that a scene does not show."""


@dataclass(frozen=True)
class Usual:
    """Mean and standard deviation of log Z over scenes of one explanation, in nats."""

    mean: float
    deviation: float

    def score(self, log_z: float) -> float:
        """How many deviations a log Z lies above the mean."""
        return (log_z - self.mean) / max(self.deviation, FLAT)


@dataclass(frozen=True, eq=False)
class Viewer:
    """A society that looks at scenes; a scene is a state for each node that is seen.

    Parameters
    ----------
    society : Society
        Whoever is awake.
    shown : sequence of str
        Nodes that a scene shows; nothing is predicted by them.
    given : mapping of str to Observation
        Evidence on other nodes, the same for all scenes.
    options : Options
        How to compute.
    estimator : str
        By which estimator.
    samples : int
        Scenes drawn to learn what an explanation usually gives.

    """

    society: Society
    shown: tuple[str, ...]
    given: Mapping[str, Observation]
    options: Options
    estimator: str
    samples: int
    _usual: dict[Explanation, Usual] = field(default_factory=dict)

    @cached_property
    def graph(self) -> FactorGraph:
        """The society with nothing shown."""
        return self.society.assemble(self.given)

    @cached_property
    def hidden(self) -> tuple[str, ...]:
        """Nodes with a variable that no scene shows, in the order of the graph."""
        shown = set(self.shown)
        return tuple(v.name for v in self.graph.variables if v.name not in shown)

    @cached_property
    def _starts(self) -> tuple[IntArray, IntArray]:
        """Where states of shown and of hidden nodes begin among beliefs."""
        starts = self.graph.arrays.variable_states
        index = self.graph.index
        first, second = (
            np.array([starts[index[name]] for name in names], dtype=np.int64)
            for names in (self.shown, self.hidden)
        )
        return first, second

    def _held(self, starts: IntArray, states: IntArray | Explanation) -> FactorGraph:
        """The graph with the variables that begin there held at these states."""
        ends = self.graph.arrays.variable_states
        unary = self.graph.unary.copy()
        for start, state in zip(starts.tolist(), states, strict=True):
            end = int(ends[np.searchsorted(ends, start, side="right")])
            kept = unary[start + int(state)]
            unary[start:end] = -np.inf
            unary[start + int(state)] = kept
        return replace(self.graph, unary=freeze(unary))

    def look(self, scene: IntArray) -> tuple[float, Explanation]:
        """Log Z of a scene, in nats, and what explains it: each hidden node's likeliest state.

        Raises
        ------
        NumericalError
            If the run does not converge; says why.

        """
        graph = self._held(self._starts[0], scene)
        found = make_estimator(self.estimator).estimate(Problem(graph), self.options, ignore)
        if found.log_z is None:
            seen = ", ".join(
                f"{name} {self.society.domains[name][state]}"
                for name, state in zip(self.shown, scene, strict=True)
            )
            raise NumericalError(f"the scene {seen}: {found.reason}")
        counts = [len(self.society.domains[name]) for name in self.hidden]
        explanation = tuple(
            int(np.argmax(found.beliefs[start : start + count]))
            for start, count in zip(self._starts[1].tolist(), counts, strict=True)
        )
        return found.log_z, explanation

    def surprise(self, scene: IntArray) -> float:
        """Deviations of log Z from its mean under the winning explanation; far below 0: confused."""
        log_z, explanation = self.look(scene)
        return self.usual(explanation).score(log_z)

    def usual(self, explanation: Explanation) -> Usual:
        """What log Z usually is for scenes of an explanation; drawn once, then remembered."""
        if explanation not in self._usual:
            draw = np.random.default_rng([self.options.seed, *explanation])
            scenes = self.scenes_of(explanation, self.samples, draw)
            values = np.array([self.look(scene)[0] for scene in scenes])
            self._usual[explanation] = Usual(float(values.mean()), float(values.std(ddof=1)))
        return self._usual[explanation]

    def scenes_of(
        self, explanation: Explanation, count: int, draw: np.random.Generator
    ) -> IntArray:
        """Scenes that an explanation gives, int64[count, shown].

        All that is predicted of a shown node is known then, so shown nodes are independent.
        """
        graph = self._held(self._starts[1], explanation)
        beliefs = make_estimator("flat").estimate(Problem(graph), Options(), ignore).beliefs
        columns = []
        for name, start in zip(self.shown, self._starts[0].tolist(), strict=True):
            chances = beliefs[start : start + len(self.society.domains[name])]
            columns.append(draw.choice(chances.size, size=count, p=chances / chances.sum()))
        return np.stack(columns, axis=1).astype(np.int64)

    def explanations(self, count: int, draw: np.random.Generator) -> list[Explanation]:
        """Explanations as often as they occur when nothing is shown: exact draws.

        Raises
        ------
        TooLargeError
            If the hidden nodes have too many joint states to enumerate; says how many.

        """
        compiled = compile_graph(self.graph, self.shown, self.hidden)
        free = [name for name in self.hidden if name not in compiled.fixed]
        answer = solve(compiled.graph, junction=False)
        table = answer.joint(tuple(compiled.graph.index[name] for name in free))
        picks = draw.choice(table.size, size=count, p=table.ravel() / table.sum())
        found = []
        for pick in picks:
            states = dict(zip(free, np.unravel_index(int(pick), table.shape), strict=True))
            found.append(tuple(int(states.get(n, compiled.fixed.get(n, 0))) for n in self.hidden))
        return found

    def scenes(self, count: int, draw: np.random.Generator) -> IntArray:
        """Scenes as the society expects them when nothing is shown, int64[count, shown]."""
        parts = [self.scenes_of(e, 1, draw) for e in self.explanations(count, draw)]
        return np.concatenate(parts)


def auroc(low: Sequence[float] | FloatArray, high: Sequence[float] | FloatArray) -> float:
    """Chance that a random member of ``low`` lies below one of ``high``; ties count half."""
    first, second = np.asarray(low)[:, None], np.asarray(high)[None, :]
    return float(np.mean((first < second) + 0.5 * (first == second)))


def roc(low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Shares of ``high`` (false alarms) and of ``low`` (hits) below each threshold in turn."""
    levels = np.concatenate([[-np.inf], np.unique(np.concatenate([low, high])), [np.inf]])
    false = np.array([np.mean(high < level) for level in levels])
    true = np.array([np.mean(low < level) for level in levels])
    return false, true
