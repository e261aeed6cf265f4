"""A contest of two rivals: equal chances for both, and all fixed points that it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mpnet.analysis.fixed_point import find_fixed_point
from mpnet.analysis.stability import stability
from mpnet.errors import NumericalError
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages
from mpnet.nodes.base import Observation
from mpnet.society import Society

LEAD = 20.0
"""Evidence that gives a rival the lead before it is taken away again, in nats."""

SAME = 1e-4
"""Fixed points whose beliefs differ by less are one."""

CALM, SWEEPS = 0.5, 300
"""Damping that breaks the common swing of rivals, and sweeps before Newton's method."""


@dataclass(frozen=True)
class Contest:
    """Two rivals of a society, and what is seen besides.

    Parameters
    ----------
    society : Society
        In which both are models.
    seen : mapping of str to Observation
        Evidence.
    rivals : (str, str)
        The two models.
    balanced : bool
        Whether both get evidence such that "both awake" is as likely as "both asleep".

    """

    society: Society
    seen: Mapping[str, Observation]
    rivals: tuple[str, str]
    balanced: bool = True

    def couplings(self) -> FloatArray:
        """Compatibility of the two by shared target, in nats, where it is not 0."""
        found = self.society.compatibility(self.seen, self.rivals)
        first, second = (found.names.index(name) for name in self.rivals)
        each = [matrix[first][second] for matrix in found.by_target.values()]
        return np.array([value for value in each if value != 0.0])

    def radius(self) -> float:
        """Spectral radius of what rivals tell each other when undecided; one fixed point below 1.

        Target k hands tanh(abs(C_k) / 4) on of what all the other targets say: (n - 1) times
        that, where n targets are alike.
        """
        handed = np.tanh(np.abs(self.couplings()) / 4.0)
        if handed.size < 2:
            return 0.0
        matrix = np.repeat(handed[:, None], handed.size, axis=1)
        np.fill_diagonal(matrix, 0.0)
        return float(np.abs(np.linalg.eigvals(matrix)).max())

    def graph(self, push: Mapping[str, float] | None = None) -> FactorGraph:
        """The society's own graph, nothing summed out.

        Parameters
        ----------
        push : mapping of str to float
            Evidence for being active besides all else, by rival, as a log-likelihood ratio in
            nats.

        """
        extra = self._balance() if self.balanced else dict.fromkeys(self.rivals, 0.0)
        for name, odds in (push or {}).items():
            extra[name] = extra.get(name, 0.0) + odds
        seen = dict(self.seen)
        for name, odds in extra.items():
            logs = np.array([0.0, odds])
            before = self.seen.get(name)
            if before is not None and before.log_likelihood is not None:
                logs = logs + before.log_likelihood
            seen[name] = Observation(f"active by {odds:+.2f} nats", logs)
        return self.society.assemble(seen)

    def _balance(self) -> dict[str, float]:
        scores = self.society.scores(self.seen)
        half = float(self.couplings().sum()) / 2.0
        return {name: -(scores[name] + half) for name in self.rivals}


@dataclass(frozen=True, eq=False)
class Point:
    """A fixed point: log messages (nats), beliefs (probabilities, shape (B,)), and its kind.

    ``stable`` says whether some damping makes messages come back to it after a small push.
    """

    messages: FloatArray
    beliefs: FloatArray
    stable: bool


def fixed_points(
    graph: FactorGraph,
    rivals: Sequence[str],
    near: Sequence[Point] = (),
    draw: np.random.Generator | None = None,
    random: int = 0,
) -> list[Point]:
    """Fixed points of sum-product: stable ones, and unstable ones between them.

    Each rival gets the lead for a while and loses it again; then Newton's method looks near
    fixed points that are known from a graph nearby, and half-way between any two stable ones.

    Parameters
    ----------
    graph : FactorGraph
        The contest.
    rivals : sequence of str
        Who gets the lead.
    near : sequence of Point
        Fixed points of a graph with the same structure.
    draw : Generator, optional
        For random starts.
    random : int
        Random starts besides.

    """
    found: list[Point] = []
    size = int(graph.arrays.edge_states[-1])
    starts = [_lead(graph, name) for name in rivals]
    if draw is not None:
        starts += [draw.normal(scale=4.0, size=size) for _ in range(random)]
    for start in starts:
        _add(found, graph, start, (CALM,))
    _add(found, graph, np.zeros(size), ())
    for point in near:
        _add(found, graph, point.messages, ())
    stable = [point for point in found if point.stable]
    for number, first in enumerate(stable):
        for second in stable[number + 1 :]:
            _add(found, graph, 0.5 * (first.messages + second.messages), ())
    return found


def count_stable(graph: FactorGraph, rivals: Sequence[str]) -> int:
    """How many different fixed points the rivals lead to when each had the lead, stable ones only."""
    found: list[Point] = []
    for name in rivals:
        _add(found, graph, _lead(graph, name), (CALM,))
    return sum(point.stable for point in found)


def _lead(graph: FactorGraph, name: str) -> FloatArray:
    """Log messages of a run in which one rival has strong evidence."""
    unary = graph.unary.copy()
    unary[graph.states_of(graph.index[name]).start + 1] += LEAD
    messages = Messages(graph, unary)
    for _ in range(SWEEPS // 10):
        messages.send_from_factors(CALM)
        messages.refresh()
    return messages.log_messages()


def _add(
    found: list[Point], graph: FactorGraph, start: FloatArray, dampings: tuple[float, ...]
) -> None:
    try:
        messages = find_fixed_point(
            graph, start=start, dampings=dampings, iterations=SWEEPS, tolerance=1e-9
        )
    except NumericalError:
        return
    beliefs = messages.marginals()
    if all(np.abs(beliefs - other.beliefs).max() >= SAME for other in found):
        stable = stability(messages).smallest_damping is not None
        found.append(Point(messages.log_messages(), beliefs, stable))
