"""Factors multiplied into others that have all their variables: the same distribution, fewer loops.

What holds for the distribution whatever its factors, as bounds of log Z do, gains by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpnet.dense import DenseTables, share
from mpnet.graph import FactorGraph, assemble
from mpnet.kernels.layout import FloatArray, IntArray

MOST_FACTORS = 100_000
"""Factors of a graph that is looked at one by one; larger ones are left as they are."""


@dataclass(frozen=True)
class Absorbed:
    """A graph with fewer factors, and where the edges of the original are in it.

    Parameters
    ----------
    graph : FactorGraph
        Same variables, same distribution.
    edges : int64[E of the original]
        Edge of the new graph, or -1 where its factor is gone.

    """

    graph: FactorGraph
    edges: IntArray

    def spread(self, values: FloatArray) -> FloatArray:
        """One value per edge of the new graph, by the edges of the original; NaN where gone."""
        if self.edges.size == values.size:
            return values
        result: FloatArray = np.where(self.edges >= 0, values[np.maximum(self.edges, 0)], np.nan)
        return result


def absorb(graph: FactorGraph) -> Absorbed:
    """Multiply each dense factor into the smallest other one that has its variables.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.

    """
    homes = _homes(graph)
    if not homes:
        return Absorbed(graph, np.arange(graph.arrays.edge_variable.size))
    tables = _poured(graph, homes)
    groups, names, kept = [], [], []
    for family in graph.families:
        numbers = [f for f in range(family.first, family.last) if f not in homes]
        if not numbers:
            continue
        kept += numbers
        names += [graph.factors[f].name for f in numbers]
        scopes = np.array([graph.factors[f].scope for f in numbers], dtype=np.int64)
        content = family.content.taken(np.array(numbers) - family.first)
        if isinstance(content, DenseTables):
            where, values = share(
                [tables[f] if f in tables else graph.table_of(f) for f in numbers]
            )
            content = DenseTables(content.shape, where, values, log=True)
        groups.append((scopes, content))
    smaller = assemble(
        graph.cardinalities,
        groups,
        graph.unary,
        graph.log_constant,
        names=[v.name for v in graph.variables],
        states=[v.states for v in graph.variables],
        factor_names=names,
    )
    return Absorbed(smaller, _edges(graph, kept))


def _homes(graph: FactorGraph) -> dict[int, int]:
    """The factor that each absorbed one is multiplied into, which is itself not absorbed."""
    dense = [f for f in graph.families if isinstance(f.content, DenseTables)]
    numbers = [n for family in dense for n in range(family.first, family.last)]
    if not numbers or len(numbers) > MOST_FACTORS or _surely_none(graph):
        return {}
    scopes = {n: frozenset(graph.factors[n].scope) for n in numbers}
    sizes = {n: int(np.prod(graph.cardinalities[list(scopes[n])])) for n in numbers}
    at: dict[int, set[int]] = {}
    for number, scope in scopes.items():
        for variable in scope:
            at.setdefault(variable, set()).add(number)
    homes: dict[int, int] = {}
    for number in sorted(numbers, key=lambda n: (len(scopes[n]), -n)):
        wider = set.intersection(*(at[v] for v in scopes[number])) - {number}
        if wider:
            homes[number] = min(wider, key=lambda n: (sizes[n], n))
            for variable in scopes[number]:
                at[variable].discard(number)
    return {number: _last(homes, number) for number in homes}


def _last(homes: dict[int, int], number: int) -> int:
    while number in homes:
        number = homes[number]
    return number


def _surely_none(graph: FactorGraph) -> bool:
    """Whether all factors are over two variables, and no two over the same ones."""
    if (np.diff(graph.arrays.factor_edges) != 2).any():
        return False
    ends = np.sort(graph.arrays.edge_variable.reshape(-1, 2), axis=1)
    return len(np.unique(ends, axis=0)) == len(ends)


def _poured(graph: FactorGraph, homes: dict[int, int]) -> dict[int, FloatArray]:
    """Tables of factors that others were multiplied into, in nats."""
    tables: dict[int, FloatArray] = {}
    for number, home in homes.items():
        scope, wide = graph.factors[number].scope, graph.factors[home].scope
        order = sorted(range(len(scope)), key=lambda axis: wide.index(scope[axis]))
        table = graph.table_of(number).transpose(order)
        shape = iter(table.shape)
        spread = table.reshape([next(shape) if v in scope else 1 for v in wide])
        tables[home] = (tables[home] if home in tables else graph.table_of(home)) + spread
    return tables


def _edges(graph: FactorGraph, kept: list[int]) -> IntArray:
    starts = graph.arrays.factor_edges
    edges = np.full(graph.arrays.edge_variable.size, -1, dtype=np.int64)
    new = 0
    for number in kept:
        first, last = int(starts[number]), int(starts[number + 1])
        edges[first:last] = np.arange(new, new + last - first)
        new += last - first
    return edges
