"""Beliefs read off clusters: single, joint, and of variables that no cluster holds together."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mpnet.estimators.base import Joint
from mpnet.estimators.joints import marginalise
from mpnet.kernels.layout import FloatArray
from mpnet.regions.calibration import Calibrated, read_off
from mpnet.regions.clustering import Clustering, Exact
from mpnet.regions.homes import owners, scope_read
from mpnet.regions.passing import Passing
from mpnet.regions.reduction import Reduced, Scope


@dataclass(frozen=True, eq=False)
class Found:
    """What was computed of a reduced graph.

    Parameters
    ----------
    reduced : Reduced
        The graph.
    clustering : Clustering
        What was solved how.
    maximise : bool
        Whether it was max-product.
    exact : Calibrated or None
        The outcome for the exact parts.
    passing : Passing or None
        The messages of the others.

    """

    reduced: Reduced
    clustering: Clustering
    maximise: bool
    exact: Calibrated | None
    passing: Passing | None

    @cached_property
    def homes(self) -> dict[int, tuple[bool, int]]:
        """Whether a variable is in the exact part, and its rank there."""
        found = {}
        for is_exact, part in ((True, self.clustering.exact), (False, self.clustering.loopy)):
            if part is not None:
                model = part.planner.model if isinstance(part, Exact) else part.model
                found.update({int(v): (is_exact, rank) for rank, v in enumerate(model.variables)})
        return found

    def log_z(self) -> float:
        """Log partition sum, in nats."""
        parts = [self.reduced.log_constant]
        parts += [self._total(v) for v in range(self.reduced.counts.size) if v not in self.homes]
        if self.exact is not None:
            parts.append(self.exact.log_z)
        if self.passing is not None:
            parts.append(self.passing.log_z())
        return math.fsum(parts)

    def _total(self, variable: int) -> float:
        """Log sum (or largest) of a variable that no factor is left at."""
        logs = self.reduced.unary[variable]
        if self.maximise:
            return float(logs.max())
        return float(np.logaddexp.reduce(logs))

    def beliefs(self) -> FloatArray:
        """Marginals of all variables of the graph in a row."""
        reduced = self.reduced
        out = np.zeros(reduced.graph.unary.size)
        loopy = self.passing.beliefs() if self.passing is not None else []
        for variable in range(len(reduced.graph.variables)):
            if variable not in self.homes:
                logs = reduced.unary[variable]
                table = np.exp(logs - logs.max())
                table /= table.sum()
            else:
                is_exact, rank = self.homes[variable]
                table = self.exact.reads[rank] if is_exact and self.exact else loopy[rank]
            out[reduced.graph.states_of(variable)] = reduced.spread((variable,), table)
        return out


def joint_of(found: Found, beliefs: FloatArray, by_states: Callable[[Scope], FloatArray]) -> Joint:
    """Joint beliefs: of a cluster, else by other means where all is exact, else independent.

    Parameters
    ----------
    found : Found
        The run.
    beliefs : float64[B]
        Its marginals.
    by_states : callable
        Computes an exact joint of variables that no cluster holds.

    """
    graph = found.reduced.graph

    def joint(scope: Scope) -> FloatArray:
        if len(scope) == 1:
            return beliefs[graph.states_of(scope[0])]
        inside = _inside(found, tuple(v for v in scope if v in found.homes))
        if inside is not None:
            order, held = inside
            table = found.reduced.spread(order, held)
        elif found.clustering.loopy is None:
            return by_states(scope)
        else:
            order, table = (), np.ones(())
        for variable in scope:
            if variable not in order:
                order = (*order, variable)
                table = np.multiply.outer(table, beliefs[graph.states_of(variable)])
        return marginalise(table, order, scope)

    return joint


def _inside(found: Found, scope: Scope) -> tuple[Scope, FloatArray] | None:
    """Belief over variables that some cluster holds together; their order is the table's."""
    if not scope:
        return (), np.ones(())
    sides = {found.homes[v][0] for v in scope}
    if len(sides) > 1:
        return None
    ordered = tuple(sorted(scope, key=lambda v: found.homes[v][1]))
    ranks = tuple(found.homes[v][1] for v in ordered)
    if not sides.pop():
        table = found.passing.joint(ranks) if found.passing is not None else None
        return None if table is None else (ordered, table)
    part, exact = found.clustering.exact, found.exact
    if part is None or exact is None or exact.tables is None:
        return None
    planner = part.planner
    home = scope_read(
        planner.model, planner.tree, planner.children, owners(planner.model, planner.tree), ranks
    )
    if home is None:
        return None
    table = read_off(planner, part.plan, exact.tables, ranks, home.cluster, home.above)
    return ordered, table
