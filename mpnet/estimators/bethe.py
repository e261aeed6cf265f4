"""Log-odds by propagation, where exact sums are out of reach: the variable held at each of two states."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mpnet.errors import NumericalError
from mpnet.estimators.base import Options
from mpnet.estimators.loop import propagate
from mpnet.estimators.surroundings import Held
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages

OPTIONS = Options(damping="auto", tolerance=1e-8, max_iterations=1000)


class BetheOdds:
    """log Z_Bethe with a variable held at one state, less that with it held at another.

    Parameters
    ----------
    variable : int
        The variable.
    states : tuple of int
        The state that it is asked for, and the one against that.

    """

    def __init__(self, variable: int, states: tuple[int, int]) -> None:
        self.variable = variable
        self.states = states
        self.settled = True

    def __call__(self, tables: Sequence[Held]) -> float:
        """In nats; NaN where neither state is possible."""
        if not tables:
            return 0.0
        one, other = (self._log_z(tables, state) for state in self.states)
        return math.nan if one == other == -math.inf else one - other

    def _log_z(self, tables: Sequence[Held], state: int) -> float:
        constant, held = 0.0, []
        for _, scope, table in tables:
            if self.variable in scope:
                axis = scope.index(self.variable)
                rest = (*scope[:axis], *scope[axis + 1 :])
                held.append((rest, np.asarray(table.take(state, axis=axis))))
            else:
                held.append((scope, table))
        constant = math.fsum(float(table) for scope, table in held if not scope)
        if constant == -math.inf:
            return constant
        graph = graph_of([(scope, table) for scope, table in held if scope])
        if any((graph.unary_of(v) == -np.inf).all() for v in range(len(graph.variables))):
            return -math.inf
        messages = Messages(graph, edge_residuals=False)
        try:
            outcome = propagate(messages, OPTIONS)
        except NumericalError:
            self.settled = False
            return -math.inf
        if outcome.status == "inconsistent":
            return -math.inf
        self.settled &= outcome.status == "converged"
        return constant + messages.log_z()


def graph_of(tables: Sequence[tuple[tuple[int, ...], FloatArray]]) -> FactorGraph:
    """A graph of log tables (nats), over variables by number; unary ones are added up."""
    numbers = sorted({v for scope, _ in tables for v in scope})
    place = {v: index for index, v in enumerate(numbers)}
    counts = {v: n for scope, table in tables for v, n in zip(scope, table.shape, strict=True)}
    starts = np.cumsum([0, *(counts[v] for v in numbers)])
    unary = np.zeros(int(starts[-1]))
    shapes: dict[tuple[int, ...], list[tuple[list[int], FloatArray]]] = {}
    for scope, table in tables:
        if len(scope) == 1:
            index = place[scope[0]]
            unary[starts[index] : starts[index + 1]] += table
        else:
            shapes.setdefault(table.shape, []).append(([place[v] for v in scope], table))
    groups = [
        (np.array([s for s, _ in members]), np.stack([t for _, t in members]))
        for members in shapes.values()
    ]
    return FactorGraph.from_arrays([counts[v] for v in numbers], groups, unary, log=True)
