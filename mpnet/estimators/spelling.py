"""Structured factors spelled out as small tables with hidden variables: for what needs tables."""

from __future__ import annotations

import math

import numpy as np

from mpnet.content import Content
from mpnet.dense import DenseTables, share
from mpnet.graph import FactorGraph, assemble
from mpnet.kernels.layout import FloatArray

WHOLE = 256
"""Entries up to which a structured factor becomes one table."""


def spell_out(graph: FactorGraph) -> FactorGraph:
    """The same distribution with dense factors only, hidden variables after all others.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified. It is returned itself if all factors are dense.

    Raises
    ------
    TooLargeError
        If a factor has neither a small table nor small parts.

    """
    if all(isinstance(family.content, DenseTables) for family in graph.families):
        return graph
    counts = [int(n) for n in graph.cardinalities]
    names = [v.name for v in graph.variables]
    unary = [graph.unary_of(v) for v in range(len(counts))]
    constant = graph.log_constant
    found: dict[tuple[int, ...], list[tuple[tuple[int, ...], FloatArray, str]]] = {}
    for family in graph.families:
        for number in range(family.first, family.last):
            factor = graph.factors[number]
            size = math.prod(counts[v] for v in factor.scope)
            hidden, tables = _parts(family.content, number - family.first, size)
            scope = (*factor.scope, *range(len(counts), len(counts) + len(hidden)))
            names += [f"{factor.name}#{n}" for n in range(len(hidden))]
            unary += [np.zeros(n) for n in hidden]
            counts += hidden
            for axes, table in tables:
                part = tuple(scope[axis] for axis in axes)
                if not part:
                    constant += float(table)
                elif len(part) == 1:
                    unary[part[0]] = unary[part[0]] + table
                else:
                    found.setdefault(table.shape, []).append((part, table, factor.name))
    groups = []
    for shape, members in found.items():
        where, values = share([np.ascontiguousarray(table) for _, table, _ in members])
        scopes = np.array([scope for scope, _, _ in members], dtype=np.int64)
        groups.append((scopes, DenseTables(shape, where, values, log=True)))
    return assemble(
        np.array(counts, dtype=np.int64),
        groups,
        np.concatenate(unary),
        constant,
        names=names,
        factor_names=[name for members in found.values() for _, _, name in members],
    )


def _parts(
    content: Content, number: int, size: int
) -> tuple[list[int], list[tuple[tuple[int, ...], FloatArray]]]:
    """States of hidden variables, and tables with the axes of each: scope first, hidden after."""
    if isinstance(content, DenseTables) or size <= WHOLE:
        table = content.table(number)
        return [], [(tuple(range(table.ndim)), table)]
    parts = content.parts(number)
    return list(parts.hidden), list(parts.tables)
