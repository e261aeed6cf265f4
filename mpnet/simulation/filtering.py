"""A stream step by step: predict the next input, hear it, go on; look back at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from mpnet.estimators import make_estimator
from mpnet.estimators.base import Options, Problem, ignore
from mpnet.estimators.clusters import solve_by_clusters
from mpnet.estimators.flat import flat_estimate, run_flat, start_messages
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray
from mpnet.nodes.base import Observation
from mpnet.unrolling import Unrolled, at_step, step_of

Carried = Mapping[tuple[str, str], FloatArray]
"""Log messages by names of factor and variable, in nats."""


@dataclass(frozen=True)
class Belief:
    """What is believed on one graph: probabilities by variable, and messages to go on from.

    ``sweeps`` were needed; ``settled`` is false where the messages had not come to rest, and
    ``possible`` is false where the evidence contradicts the model, so that nothing is believed.
    """

    beliefs: Mapping[str, FloatArray]
    carried: Carried
    sweeps: int = 0
    settled: bool = True
    possible: bool = True


Believe = Callable[[FactorGraph, Carried], Belief]


@dataclass(frozen=True)
class Filtered:
    """A stream filtered and then smoothed, one entry per step unless said otherwise.

    Parameters
    ----------
    predicted : tuple of mapping of str to float64[states]
        Probabilities of each streamed node's states before its input arrived.
    filtered : tuple of mapping of str to float64[states]
        Beliefs of all nodes that change, once it had.
    smoothed : tuple of mapping of str to float64[states]
        The same at the end of the stream.
    sweeps : tuple of int
        Sweeps that each step took.
    unsettled : int
        Steps at which messages had not come to rest.
    contradicted : int
        The step whose input the model rules out, from 1; 0 if there is none. Later steps are
        left out.

    """

    predicted: tuple[Mapping[str, FloatArray], ...]
    filtered: tuple[Mapping[str, FloatArray], ...]
    smoothed: tuple[Mapping[str, FloatArray], ...]
    sweeps: tuple[int, ...]
    unsettled: int
    contradicted: int


def filter_stream(society: Unrolled, seen: Mapping[str, Observation], believe: Believe) -> Filtered:
    """Feed a stream step by step to a society that grows with it.

    Before an input arrives, the society reaches to its step and no further: a stream has no known
    end. Messages of the step before are where those of the next begin.

    Parameters
    ----------
    society : Unrolled
        Along the whole stream.
    seen : mapping of str to Observation
        Evidence by variable; what has no step is known from the beginning.
    believe : callable
        Turns a graph, and messages to start from, into beliefs.

    """
    predicted: list[Mapping[str, FloatArray]] = []
    filtered: list[Mapping[str, FloatArray]] = []
    sweeps: list[int] = []
    belief, unsettled = Belief({}, {}), 0
    for step in range(1, society.steps + 1):
        grown = society.until(step)
        past = {name: o for name, o in seen.items() if (step_of(name) or 0) < step}
        now = {name: o for name, o in seen.items() if step_of(name) == step}
        before = believe(grown.assemble(past), belief.carried)
        predicted.append(_at(before, society.temporal, step))
        belief = believe(grown.assemble({**past, **now}), before.carried)
        sweeps.append(before.sweeps + belief.sweeps)
        unsettled += not (before.settled and belief.settled)
        if not belief.possible:
            return Filtered(tuple(predicted), tuple(filtered), (), tuple(sweeps), unsettled, step)
        filtered.append(_at(belief, society.temporal, step))
    smoothed = [_at(belief, society.temporal, step) for step in range(1, society.steps + 1)]
    return Filtered(tuple(predicted), tuple(filtered), tuple(smoothed), tuple(sweeps), unsettled, 0)


def _at(belief: Belief, temporal: tuple[str, ...], step: int) -> dict[str, FloatArray]:
    names = {name: at_step(name, step) for name in temporal}
    return {n: belief.beliefs[at] for n, at in names.items() if at in belief.beliefs}


def by_estimator(name: str, options: Options) -> Believe:
    """What an estimator believes; flat goes on from messages that were carried over.

    Parameters
    ----------
    name : str
        The estimator.
    options : Options
        How to run.

    """

    def believe(graph: FactorGraph, carried: Carried) -> Belief:
        if name == "flat":
            messages = start_messages(graph, options, _placed(graph, carried))
            found = flat_estimate(messages, run_flat(messages, options, ignore))
            carried = _carried(graph, messages.log_messages())
        else:
            every = tuple(range(len(graph.variables)))
            found = make_estimator(name).estimate(Problem(graph, every), options, ignore)
        possible = found.status != "inconsistent"
        return Belief(
            _by_name(graph, found.beliefs) if possible else {},
            carried,
            found.iterations,
            found.status == "converged",
            possible,
        )

    return believe


def exactly(graph: FactorGraph, carried: Carried) -> Belief:
    """Exact beliefs by a join tree, which need no messages to start from."""
    log_z, beliefs, _ = solve_by_clusters(graph)
    possible = log_z != -np.inf
    return Belief(_by_name(graph, beliefs) if possible else {}, {}, possible=possible)


def _by_name(graph: FactorGraph, beliefs: FloatArray) -> dict[str, FloatArray]:
    return {v.name: beliefs[graph.states_of(n)] for n, v in enumerate(graph.variables)}


def _edges(graph: FactorGraph) -> list[tuple[str, str]]:
    """Names of factor and variable of each edge; edges are numbered factor by factor."""
    names = [variable.name for variable in graph.variables]
    return [(factor.name, names[v]) for factor in graph.factors for v in factor.scope]


def _carried(graph: FactorGraph, messages: FloatArray) -> Carried:
    parts = np.split(messages, graph.arrays.edge_states[1:-1])
    return dict(zip(_edges(graph), parts, strict=True)) if messages.size else {}


def _placed(graph: FactorGraph, carried: Carried) -> FloatArray:
    """Messages to start from: carried ones where they were, others uniform."""
    starts = graph.arrays.edge_states
    found = np.zeros(int(starts[-1]))
    for edge, key in enumerate(_edges(graph)):
        if key in carried:
            found[starts[edge] : starts[edge + 1]] = carried[key]
    return found
