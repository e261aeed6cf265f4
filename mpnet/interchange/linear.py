"""A graph as the linear potentials that file formats hold."""

from __future__ import annotations

import math

import numpy as np

from mpnet.dense import DenseTables
from mpnet.errors import GraphError
from mpnet.graph import FactorGraph, Family
from mpnet.kernels.layout import FloatArray

REACH = 700.0
"""Largest size of a log potential (nats) whose exponential is a full double."""

LinearFactor = tuple[tuple[int, ...], FloatArray]


def linear_factors(graph: FactorGraph) -> list[LinearFactor]:
    """All factors as (scope, potentials >= 0): the graph's own, then unary ones, then constants.

    Their product is that of the graph. What does not fit a double is split where that changes
    nothing: constants and unary potentials into several factors.

    Raises
    ------
    GraphError
        If the potentials of a factor span more than a double does, or the constant is zero.

    """
    found: list[LinearFactor] = []
    constant = graph.log_constant
    for family in graph.families:
        constant += _add_family(graph, family, found)
    unary, scale = _unary_factors(graph)
    constant += scale
    if constant == -math.inf:
        raise GraphError("a factor without variables is zero; such a graph can't be written")
    parts = math.ceil(abs(constant) / REACH)
    value = np.array([math.exp(constant / parts)]) if parts else np.ones(1)
    return [*found, *unary, *[((), value)] * parts]


def _add_family(graph: FactorGraph, family: Family, found: list[LinearFactor]) -> float:
    """Add the factors of one family; the log of what they were divided by (nats)."""
    edges = graph.arrays.factor_edges[family.first : family.last + 1].tolist()
    around = graph.arrays.edge_variable[edges[0] : edges[-1]].tolist()
    scale = 0.0
    for number, start in enumerate(edges[:-1]):
        scope = tuple(around[start - edges[0] : edges[number + 1] - edges[0]])
        table, divided = linear_table(graph, family, number)
        found.append((scope, table))
        scale += divided
    return scale


def linear_table(graph: FactorGraph, family: Family, number: int) -> tuple[FloatArray, float]:
    """Potentials of one factor of a family, and the log of what they were divided by (nats).

    Raises
    ------
    GraphError
        If they span more than a double does.

    """
    content = family.content
    if isinstance(content, DenseTables) and not content.log:
        start = int(content.factor_table[number])
        values: FloatArray = content.values[start : start + math.prod(content.shape)]
        return values.reshape(content.shape), 0.0
    logs = content.table(number)
    scale = _scale(logs)
    if not _fits(logs - scale):
        name = graph.factors[family.first + number].name
        raise GraphError(
            f"factor {name!r} can't be written: its potentials span more than a double does"
        )
    return np.exp(logs - scale), scale


def _unary_factors(graph: FactorGraph) -> tuple[list[LinearFactor], float]:
    found: list[LinearFactor] = []
    total = 0.0
    starts = graph.arrays.variable_states.tolist()
    if len(starts) == 1:
        return found, total
    touched = np.logical_or.reduceat(graph.unary != 0.0, starts[:-1])
    for variable in np.flatnonzero(touched).tolist():
        logs = graph.unary[starts[variable] : starts[variable + 1]]
        scale = _scale(logs)
        finite = np.abs((logs - scale)[logs != -np.inf])
        parts = max(1, math.ceil(float(finite.max(initial=0.0)) / REACH))
        table = np.exp((logs - scale) / parts)
        found += [((variable,), table)] * parts
        total += scale
    return found, total


def _scale(logs: FloatArray) -> float:
    """What to divide by (a log, nats): nothing, where the potentials fit a double as they are."""
    best = float(logs.max())
    return 0.0 if _fits(logs) or best == -math.inf else best


def _fits(logs: FloatArray) -> bool:
    return bool((np.abs(logs[logs != -np.inf]) <= REACH).all())
