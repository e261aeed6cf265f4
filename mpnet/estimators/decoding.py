"""Decoding: from max-product beliefs to one assignment of all variables.

Where every variable has one best state, that is the answer. Where states tie, picking one for
each variable by itself may join halves of different answers; decimation fixes a few variables,
lets the messages settle and goes on, and reinforcement lets every belief pull at itself a little
more in each iteration (Braunstein and Zecchina 2006). The best candidate is improved by single
changes at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from mpnet.errors import UsageError
from mpnet.estimators.base import Options
from mpnet.estimators.flat import start_messages
from mpnet.estimators.loop import propagate
from mpnet.estimators.verdicts import Outcome
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.messages import Messages
from mpnet.scores import climb, log_score

TIE = 1e-6
"""States whose max-marginals differ by less are tied, in nats."""

SETTLING = 100
"""Iterations between two decisions of decimation, at most."""

SHARE = 0.05
"""Part of the undecided variables that decimation fixes at a time where messages do not settle."""

PULL = 0.99
"""The pull of reinforcement is 1 - PULL^iteration."""

NUDGE = 1e-3
"""What reinforcement adds to unary potentials at random, so that ties can part, in nats."""

REINFORCED = 500
"""Iterations of reinforcement, at most."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """An assignment and where it comes from.

    Parameters
    ----------
    assignment : int64[V] or None
        A state for each variable; None if no possible one was found.
    log_score : float
        Log of the product of all factors, in nats; ``-inf`` where there is no assignment.
    ties : tuple of int
        Variables with several best states, in the first max-product run.
    method : str
        ``argmax``, ``decimation`` or ``reinforcement``.
    tried : mapping of str to float
        Log score of each candidate, by method, in nats.
    outcome : Outcome
        How the first max-product run ended.
    messages : Messages
        As that run left them.

    """

    assignment: IntArray | None
    log_score: float
    ties: tuple[int, ...]
    method: str
    tried: Mapping[str, float]
    outcome: Outcome
    messages: Messages


def decode(
    graph: FactorGraph,
    options: Options,
    method: str = "auto",
    after_sweep: Callable[[Messages, float], None] = lambda messages, residual: None,
) -> Decoded:
    """Find a likely assignment.

    Parameters
    ----------
    graph : FactorGraph
        The graph, with its evidence.
    options : Options
        How to run max-product; the temperature is taken as 0.
    method : str
        ``argmax``, ``decimation``, ``reinforcement``; or ``auto``: the first where no states tie
        and the run converged, else the best of all three.
    after_sweep : callable
        Called with messages and residual after each sweep of the first run.

    Raises
    ------
    UsageError
        If the method is unknown.

    """
    if method not in ("auto", *METHODS):
        raise UsageError(f"there is no decoder {method!r} (known: auto, {', '.join(METHODS)})")
    options = replace(options, temperature=0.0)
    messages = start_messages(graph, options)
    outcome = propagate(messages, options, lambda residual: after_sweep(messages, residual))
    ties = _tied(messages)
    if outcome.status == "inconsistent":
        return Decoded(None, -np.inf, (), "", {}, outcome, messages)
    methods = [method] if method != "auto" else list(METHODS)
    if method == "auto" and outcome.status == "converged" and not ties:
        methods = ["argmax"]
    found: dict[str, IntArray] = {}
    for name in methods:
        assignment = METHODS[name](graph, messages, options)
        if assignment is not None and log_score(graph, assignment) > -np.inf:
            found[name] = climb(graph, assignment)
    scores = {name: log_score(graph, states) for name, states in found.items()}
    if not found:
        return Decoded(None, -np.inf, ties, "", scores, outcome, messages)
    best = max(scores, key=lambda name: scores[name])
    return Decoded(found[best], scores[best], ties, best, scores, outcome, messages)


def _log_beliefs(messages: Messages) -> tuple[FloatArray, IntArray]:
    """Max-marginals as logs, largest 0, and the variable of each entry."""
    with np.errstate(divide="ignore"):
        logs = np.log(messages.marginals())
    starts = messages.graph.arrays.variable_states
    counts = np.diff(starts)
    if logs.size:
        logs -= np.repeat(np.maximum.reduceat(logs, starts[:-1]), counts)
    return logs, np.repeat(np.arange(counts.size), counts)


def _tied(messages: Messages) -> tuple[int, ...]:
    logs, owner = _log_beliefs(messages)
    best = np.bincount(owner[logs >= -TIE], minlength=len(messages.graph.variables))
    return tuple(np.flatnonzero(best > 1).tolist())


def _gaps(messages: Messages) -> FloatArray:
    """How far each variable's second best state is behind, in nats; ``inf`` where it is alone."""
    logs, owner = _log_beliefs(messages)
    order = np.lexsort((-logs, owner))
    starts = messages.graph.arrays.variable_states.astype(np.int64)
    gaps = np.full(len(messages.graph.variables), np.inf)
    several = np.diff(starts) > 1
    gaps[several] = -logs[order][starts[:-1][several] + 1]
    return gaps


def _best_states(messages: Messages) -> IntArray:
    """The best state of each variable by itself, the first of those that tie."""
    logs, owner = _log_beliefs(messages)
    starts = messages.graph.arrays.variable_states.astype(np.int64)
    best = np.flatnonzero(logs >= -TIE)[::-1]
    states = np.zeros(len(messages.graph.variables), dtype=np.int64)
    states[owner[best]] = best - starts[owner[best]]
    return states


def _argmax(graph: FactorGraph, messages: Messages, options: Options) -> IntArray | None:
    """Each variable by itself."""
    return _best_states(messages)


def _decimate(graph: FactorGraph, messages: Messages, options: Options) -> IntArray | None:
    """Fix variables step by step; a choice that leaves nothing possible is taken back."""
    brief = replace(options, max_iterations=min(options.max_iterations, SETTLING))
    unary, start = graph.unary.copy(), messages.log_messages()
    current, share = messages, SHARE
    for _ in range(4 * len(graph.variables) + 10):
        open_ = _open(graph, unary)
        if not open_.size:
            return _best_states(current)
        chosen = _choice(current, open_, share)
        states = _best_states(current)
        tried = unary.copy()
        for variable in chosen.tolist():
            where = graph.states_of(variable)
            kept = tried[where.start + states[variable]]
            tried[where] = -np.inf
            tried[where.start + states[variable]] = kept
        moved = Messages(graph, tried, start, maximise=True, dtype=options.dtype)
        outcome = propagate(moved, brief)
        if outcome.status != "inconsistent":
            unary, start, current, share = tried, moved.log_messages(), moved, SHARE
        elif chosen.size > 1:
            share = 0.0
        else:
            variable = int(chosen[0])
            unary[graph.states_of(variable).start + states[variable]] = -np.inf
            current = Messages(graph, unary, start, maximise=True, dtype=options.dtype)
            if propagate(current, brief).status == "inconsistent":
                return None
            start = current.log_messages()
    return None


def _open(graph: FactorGraph, unary: FloatArray) -> IntArray:
    """Variables with more than one state left."""
    if not unary.size:
        return np.empty(0, dtype=np.int64)
    left = np.add.reduceat(unary != -np.inf, graph.arrays.variable_states[:-1])
    return np.flatnonzero(left > 1)


def _choice(messages: Messages, open_: IntArray, share: float) -> IntArray:
    """The most decided variables: all that are clear, if any; one where all that is left ties."""
    gaps = _gaps(messages)[open_]
    order = open_[np.argsort(-gaps, kind="stable")]
    clear = int((gaps > TIE).sum())
    if not clear or share == 0.0:
        return order[:1]
    return order[: max(1, min(clear, int(np.ceil(share * open_.size))))]


def _reinforce(graph: FactorGraph, messages: Messages, options: Options) -> IntArray | None:
    """Let each belief pull at its own variable, more and more, until all are decided."""
    current = Messages(graph, graph.unary, messages.log_messages(), maximise=True)
    pull, best, score = 0.0, None, -np.inf
    # States that tie exactly would never part.
    nudge = NUDGE * np.random.default_rng(options.seed).normal(size=graph.unary.size)
    same, last = 0, None
    for iteration in range(1, REINFORCED + 1):
        logs, _ = _log_beliefs(current)
        pull = 1.0 - PULL**iteration
        # Without a bound, the field of a loser falls for ever and its messages leave all numbers.
        field = pull * np.maximum(logs, -50.0)
        unary = np.where(graph.unary == -np.inf, -np.inf, graph.unary + nudge + field)
        current = Messages(graph, unary, current.log_messages(), space="log", maximise=True)
        _, dead = current.send_from_factors(0.0)
        if dead >= 0 or current.refresh() >= 0:
            break
        states = _best_states(current)
        same = same + 1 if last is not None and (states == last).all() else 0
        last = states
        if same == 0 and (here := log_score(graph, states)) > score:
            best, score = states, here
        if same >= 20:
            break
    return best


METHODS: dict[str, Callable[[FactorGraph, Messages, Options], IntArray | None]] = {
    "argmax": _argmax,
    "decimation": _decimate,
    "reinforcement": _reinforce,
}
"""Decoders by name."""
