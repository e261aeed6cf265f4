"""Scores of assignments: how much one joint state weighs, and what each single change would do."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mpnet.errors import GraphError
from mpnet.graph import FactorGraph
from mpnet.kernels.families import FAMILIES
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.kernels.semiring import LogMax
from mpnet.messages import Messages


def log_score(graph: FactorGraph, assignment: ArrayLike) -> float:
    """Log of the product of all factors at one assignment, in nats; ``-inf`` if it is impossible.

    Parameters
    ----------
    graph : FactorGraph
        The graph.
    assignment : int[V]
        A state for each variable.

    Raises
    ------
    GraphError
        If there is not one state for each variable; names the first variable at fault.

    """
    states = np.array(assignment, dtype=np.int64)
    counts = graph.cardinalities
    if states.shape != counts.shape:
        raise GraphError(f"an assignment has {counts.size} states, this one {states.size}")
    wrong = (states < 0) | (states >= counts)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise GraphError(
            f"variable {graph.variables[first].name!r} has states 0 to {counts[first] - 1}, "
            f"not {states[first]}"
        )
    starts = graph.arrays.variable_states[:-1]
    total = graph.log_constant + float(graph.unary[starts + states].sum())
    for family in graph.families:
        arrays, scale = family.arrays(linear=False)
        total += scale + FAMILIES[family.kind].log_potential(
            LogMax(), graph.arrays, arrays, family.first, family.last, states
        )
    return float(total)


def single_changes(graph: FactorGraph, assignment: IntArray) -> FloatArray:
    """Log score of each state of each variable while all others stay, up to a constant each.

    One sweep of max-sum whose variables speak for one state only: it serves every family.

    Parameters
    ----------
    graph : FactorGraph
        The graph.
    assignment : int64[V]
        A possible assignment.

    Returns
    -------
    float64[B]
        In nats; ``-inf`` where a change is impossible.

    """
    messages = Messages(graph, space="log", maximise=True)
    states = graph.arrays.edge_states
    messages.to_factor[:] = -np.inf
    messages.to_factor[states[:-1] + assignment[graph.arrays.edge_variable]] = 0.0
    messages.send_from_factors(0.0)
    messages.refresh()
    return messages.beliefs


def climb(graph: FactorGraph, assignment: IntArray, rounds: int = 1000) -> IntArray:
    """Change one state here and there while that raises the score (iterated conditional modes).

    Parameters
    ----------
    graph : FactorGraph
        The graph.
    assignment : int64[V]
        A possible assignment; not modified.
    rounds : int
        Sweeps, at most; variables that share no factor change in the same one.

    """
    states = assignment.copy()
    starts = graph.arrays.variable_states.astype(np.int64)
    owner = np.repeat(np.arange(states.size), np.diff(starts))
    for _ in range(rounds):
        scores = single_changes(graph, states)
        best = np.maximum.reduceat(scores, starts[:-1]) if scores.size else scores
        gain = best - scores[starts[:-1] + states]
        better = np.flatnonzero(gain > 1e-9)
        if not better.size:
            break
        touched = np.zeros(len(graph.factors), dtype=bool)
        first = np.flatnonzero(scores == best[owner])
        argmax = np.zeros(states.size, dtype=np.int64)
        argmax[owner[first[::-1]]] = (first - starts[owner[first]])[::-1]
        for variable in better[np.argsort(-gain[better], kind="stable")].tolist():
            slots = slice(*graph.arrays.variable_edges[variable : variable + 2])
            near = graph.edge_factor[graph.arrays.slot_edge[slots]]
            if not touched[near].any():
                touched[near] = True
                states[variable] = argmax[variable]
    return states
