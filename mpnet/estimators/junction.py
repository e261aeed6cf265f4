"""Exact answers for larger parts through pgmpy's junction tree, a separate referee."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from mpnet.errors import NumericalError, TooLargeError, size
from mpnet.estimators.exact import Part, unknown
from mpnet.estimators.joints import marginalise
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray

CLIQUE_ENTRIES = 2**22
"""Largest clique table that is attempted, in entries."""

AGREEMENT = 1e-9
"""How far the sums of calibrated clique tables may be apart, relative to the first."""

SMALLEST = 1e-250
"""Least sum of a calibrated clique table that is believed; below, entries may have underflowed."""

METHOD = "pgmpy's junction tree"


def junction_tree(graph: FactorGraph, variables: tuple[int, ...], factors: tuple[int, ...]) -> Part:
    """Exact log Z and joints of one connected part.

    Raises
    ------
    TooLargeError
        If the widest clique of a min-fill order would have more than 2^22 entries.
    NumericalError
        If pgmpy, which multiplies probabilities and not logs, runs out of range, or calibrates
        its cliques only in part.

    """
    bags = _bags(graph, variables, factors)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cliques, log_scale, solver = _calibrate(graph, variables, factors, bags)
    if solver is None:
        return Part(variables, -math.inf, unknown(graph), METHOD)
    totals = np.array([table.sum() for table in cliques.values()])
    total = float(totals[0])
    if not np.isfinite(totals).all():
        raise NumericalError(f"pgmpy's clique tables hold {total}; the model is out of its range")
    if np.abs(totals - total).max() > AGREEMENT * total:
        # pgmpy takes tables for equal that differ by less than 1e-8, and stops too early.
        raise NumericalError(
            f"pgmpy's cliques disagree about the partition sum, from {totals.min()} to {totals.max()}"
        )
    if total < SMALLEST:
        raise NumericalError(
            f"pgmpy's partition sum is {total}, which may be no more than underflow"
        )

    def of(scope: tuple[int, ...]) -> FloatArray:
        homes = [c for c in cliques if set(scope) <= set(c)]
        if not homes:
            return _query(solver, scope)
        home = min(homes, key=len)
        table = marginalise(cliques[home], home, scope)
        result: FloatArray = table / table.sum()
        return result

    return Part(variables, math.log(total) + log_scale, of, METHOD)


def _query(solver: Any, scope: tuple[int, ...]) -> FloatArray:
    """Joint of variables that no clique holds together."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = solver.query([int(v) for v in scope], show_progress=False)
    table = np.asarray(found.values, dtype=float)
    table = table.transpose([found.variables.index(int(v)) for v in scope])
    result: FloatArray = table / table.sum()
    return result


def _bags(
    graph: FactorGraph, variables: tuple[int, ...], factors: tuple[int, ...]
) -> list[frozenset[int]]:
    """The cliques of a min-fill order; refused where their tables are too large."""
    import networkx
    from networkx.algorithms.approximation import treewidth_min_fill_in

    drawn = networkx.Graph()
    drawn.add_nodes_from(variables)
    for number in factors:
        scope = graph.factors[number].scope
        drawn.add_edges_from((a, b) for a in scope for b in scope if a < b)
    _, tree = treewidth_min_fill_in(drawn)
    sizes = [math.prod(len(graph.variables[v].states) for v in clique) for clique in tree.nodes]
    if max(sizes) > CLIQUE_ENTRIES:
        raise TooLargeError(
            f"an exact answer would need a clique table of {size(max(sizes))} entries; at most "
            f"{CLIQUE_ENTRIES} are attempted; use the estimator clamped or flat"
        )
    return list(tree.nodes)


def _calibrate(
    graph: FactorGraph,
    variables: tuple[int, ...],
    factors: tuple[int, ...],
    bags: Sequence[frozenset[int]],
) -> tuple[dict[tuple[int, ...], FloatArray], float, Any]:
    """Calibrated clique tables by scope, the log of their scale, the solver.

    There is no solver where some factor allows nothing. Variables go by number: pgmpy works in the
    order of its sets, which for text changes with the hash seed, and with it the last digits.

    With all edges of the cliques the model is triangulated: left to itself pgmpy may fill in so
    many that its tables do not fit (a 10 x 10 grid: 64 GB).
    """
    from pgmpy.factors.discrete import DiscreteFactor
    from pgmpy.inference import BeliefPropagation
    from pgmpy.models import DiscreteMarkovNetwork

    model: Any = DiscreteMarkovNetwork()
    model.add_nodes_from([int(v) for v in variables])
    log_scale = 0.0
    # pgmpy takes factors that compare equal for one and the same: one factor per scope.
    merged: dict[tuple[int, ...], FloatArray] = {(v,): graph.unary_of(v) for v in variables}
    for number in factors:
        scope = graph.factors[number].scope
        key = tuple(sorted(scope))
        table = graph.table_of(number).transpose([scope.index(v) for v in key])
        merged[key] = merged[key] + table if key in merged else table
    for scope, logs in merged.items():
        best = float(logs.max())
        if best == -np.inf:
            return {}, -math.inf, None
        log_scale += best
        names = [int(v) for v in scope]
        model.add_edges_from((a, b) for a in names for b in names if a < b)
        model.add_factors(DiscreteFactor(names, list(logs.shape), np.exp(logs - best)))
    for bag in bags:
        names = [int(v) for v in sorted(bag)]
        model.add_edges_from((a, b) for n, a in enumerate(names) for b in names[n + 1 :])
    solver = BeliefPropagation(model)
    solver.calibrate()
    found = solver.get_clique_beliefs()
    tables = {tuple(f.variables): np.asarray(f.values, dtype=float) for f in found.values()}
    return tables, log_scale, solver
