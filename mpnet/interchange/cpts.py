"""Whether a graph is a Bayesian network: which factor is the table of which variable.

A variable without children belongs to one factor only, which is then its table; take both away,
and again there is one. What is found so is the only way to read the graph as a network.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from mpnet.errors import GraphError, shown
from mpnet.graph import FactorGraph
from mpnet.interchange.faults import ROW_TOLERANCE
from mpnet.interchange.linear import linear_table
from mpnet.kernels.layout import FloatArray

CONSTANT = 1e-9
"""How far the log of a constant (nats) may be from 0: rounding of what was split from tables."""

SAID = 5
"""Variables that an error names, at most."""


@dataclass(frozen=True)
class Cpt:
    """One conditional probability table.

    Parameters
    ----------
    child : int
        The variable whose table it is.
    parents : tuple of int
        In the order of the factor's scope.
    table : float64[states of parents..., states of child]
        Probabilities; those of the child sum to 1.

    """

    child: int
    parents: tuple[int, ...]
    table: FloatArray


def cpts_of(graph: FactorGraph) -> list[Cpt]:
    """The tables of a Bayesian network, one for each variable, in their order.

    Raises
    ------
    GraphError
        If the graph is none; says what is in the way.

    """
    if abs(graph.log_constant) > CONSTANT:
        raise GraphError(
            f"not a Bayesian network: there is a constant factor, of log {graph.log_constant:g}"
        )
    return _Peeling(graph).tables()


@dataclass
class _Peeling:
    """Takes away one childless variable after another, with its table."""

    graph: FactorGraph
    found: dict[int, Cpt] = field(default_factory=dict)

    def __post_init__(self) -> None:
        graph = self.graph
        self.left: list[set[int]] = [set(factors) for factors in graph.factors_at]
        own = len(graph.factors)  # numbers from here on are unary potentials
        for variable in range(len(graph.variables)):
            if graph.unary_of(variable).any():
                self.left[variable].add(own + variable)

    def tables(self) -> list[Cpt]:
        """The tables in the order of their variables."""
        ready = deque(v for v, factors in enumerate(self.left) if len(factors) == 1)
        while ready:
            variable = ready.popleft()
            if len(self.left[variable]) != 1 or variable in self.found:
                continue
            (number,) = self.left[variable]
            table = self._as_table_of(variable, number)
            if table is not None:
                self.found[variable] = table
                ready.extend(self._take_away(number, (*table.parents, variable)))
        return list(self._complete())

    def _take_away(self, number: int, scope: tuple[int, ...]) -> Iterator[int]:
        for variable in scope:
            self.left[variable].discard(number)
            if len(self.left[variable]) == 1:
                yield variable

    def _as_table_of(self, variable: int, number: int) -> Cpt | None:
        """A factor as the table of a variable, if its probabilities sum to 1."""
        if number >= len(self.graph.factors):
            scope: tuple[int, ...] = (variable,)
            table: FloatArray = np.exp(self.graph.unary_of(variable))
        else:
            scope = self.graph.factors[number].scope
            family = next(f for f in self.graph.families if f.first <= number < f.last)
            table, scale = linear_table(self.graph, family, number - family.first)
            table = table * np.exp(scale) if scale else table
        table = np.moveaxis(table, scope.index(variable), -1)
        if np.abs(table.sum(axis=-1) - 1.0).max() > ROW_TOLERANCE * table.shape[-1]:
            return None
        return Cpt(variable, tuple(v for v in scope if v != variable), table)

    def _complete(self) -> Iterator[Cpt]:
        """All tables; a variable of one state needs none."""
        several = [
            v
            for v, factors in enumerate(self.left)
            if factors or (v not in self.found and self.graph.cardinalities[v] > 1)
        ]
        if several:
            raise self._refused(several)
        for variable in range(len(self.left)):
            yield self.found.get(variable) or Cpt(variable, (), np.ones(1))

    def _refused(self, stuck: list[int]) -> GraphError:
        names = [repr(shown(self.graph.variables[v].name)) for v in stuck[:SAID]]
        more = f" and {len(stuck) - SAID} more" if len(stuck) > SAID else ""
        return GraphError(
            "not a Bayesian network: the factors of "
            f"{', '.join(names)}{more} are not one table of probabilities for each variable"
        )
