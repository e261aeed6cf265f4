"""A factor graph that changes: variables and factors come and go, in arrays that double."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mpnet.errors import GraphError
from mpnet.kernels.layout import FloatArray
from mpnet.kernels.living_arrays import WRITING, LivingArrays

_SHAPES: dict[str, tuple[str, type, float]] = {
    "first_edge": ("V", np.int32, -1),
    "cardinality": ("V", np.int32, 0),
    "variable_states": ("V", np.int32, 0),
    "next_edge": ("E", np.int32, -1),
    "edge_variable": ("E", np.int32, 0),
    "edge_factor": ("E", np.int32, 0),
    "edge_states": ("E", np.int32, 0),
    "factor_edge": ("F", np.int32, 0),
    "arity": ("F", np.int32, 0),
    "factor_table": ("F", np.int32, 0),
    "tables": ("T", np.float64, 0.0),
    "unary": ("B", np.float64, 0.0),
    "belief": ("B", np.float64, 0.0),
    "to_variable": ("S", np.float64, 0.0),
    "to_factor": ("S", np.float64, 0.0),
    "variable_term": ("V", np.float64, 0.0),
    "factor_term": ("F", np.float64, 0.0),
    "edge_term": ("E", np.float64, 0.0),
    "variable_round": ("V", np.int64, 0),
    "factor_round": ("F", np.int64, 0),
    "heard": ("F", np.int32, 0),
    "trial_of": ("E", np.int64, 0),
    "journal_edge": ("E", np.int32, 0),
    "journal": ("2S", np.float64, 0.0),
    "journal_term": ("E", np.float64, 0.0),
    "journal_state": ("3", np.int64, 0),
}
"""Which size each array follows, its type, and what fresh places hold."""


class GrowingGraph:
    """Variables and factors, by number; numbers of what is gone are used again.

    ``arrays`` is another object once they have grown.
    """

    def __init__(self) -> None:
        self._room = dict.fromkeys("VEFTBS", 16)
        self._used = dict.fromkeys("VEFTBS", 0)
        self.arrays = LivingArrays(
            **{
                name: self._fresh(size, kind, value)
                for name, (size, kind, value) in _SHAPES.items()
            }
        )
        self._most = 2
        self._free_variables: dict[int, list[int]] = {}
        self._free_factors: dict[tuple[int, ...], list[int]] = {}
        self._shapes: dict[int, tuple[int, ...]] = {}
        # Variables that wait to speak, factors that owe an answer, variables told in a trial.
        self._front: dict[int, None] = {}
        self._owing: dict[int, None] = {}
        self._told: dict[int, None] = {}
        self._constant, self._zeros = 0.0, 0

    def add_variable(self, unary: FloatArray) -> int:
        """Add a variable with log unary potentials (nats, one per state) and return its number."""
        self._refuse_in_trial()
        count = unary.size
        free = self._free_variables.get(count)
        if free:
            variable = free.pop()
        else:
            begins = self._reserve(V=1, B=count)
            variable = begins["V"]
            self.arrays.variable_states[variable] = begins["B"]
        self._most = max(self._most, count)
        self.arrays.cardinality[variable] = count
        self.arrays.first_edge[variable] = -1
        self.set_unary(variable, unary)
        return variable

    def set_unary(self, variable: int, unary: FloatArray) -> None:
        """Replace a variable's log unary potentials, in nats.

        Raises
        ------
        GraphError
            If there is a NaN or plus infinity among them, or they are too many or too few.

        """
        count = int(self.arrays.cardinality[variable])
        if unary.shape != (count,) or not np.all(unary < np.inf):
            raise GraphError(
                f"unary potentials of variable {variable} are {unary.tolist()}; "
                f"they must be {count} logs, finite or -inf"
            )
        self.arrays.unary[self._states(variable)] = unary
        self._front[variable] = self._told[variable] = None

    def unary(self, variable: int) -> FloatArray:
        """A variable's log unary potentials, in nats; a copy."""
        return self.arrays.unary[self._states(variable)].copy()

    def remove_variable(self, variable: int) -> None:
        """Take a variable out; it may be in no factor.

        Raises
        ------
        GraphError
            If it is in one, or in a trial.

        """
        self._refuse_in_trial()
        if self.arrays.first_edge[variable] >= 0:
            raise GraphError(f"variable {variable} is still in a factor")
        count = int(self.arrays.cardinality[variable])
        self.arrays.cardinality[variable] = 0
        self.arrays.variable_term[variable] = 0.0
        self._front.pop(variable, None)
        self._told.pop(variable, None)
        self._free_variables.setdefault(count, []).append(variable)

    def add_factor(self, scope: Sequence[int], table: FloatArray) -> int:
        """Multiply by a table of logs (nats), one axis per variable; the factor's number.

        Its messages begin neutral.

        Raises
        ------
        GraphError
            If the table does not fit the variables, a variable is there twice, or a log is NaN
            or plus infinity; and in a trial.

        """
        self._refuse_in_trial()
        shape = table.shape
        counts = tuple(int(self.arrays.cardinality[variable]) for variable in scope)
        if shape != counts or not shape or len(set(scope)) < len(shape):
            raise GraphError(f"a table of shape {shape} over variables with {counts} states")
        if not np.all(table < np.inf):
            raise GraphError(f"a table over variables {list(scope)} holds NaN or plus infinity")
        free = self._free_factors.get(shape)
        factor = free.pop() if free else self._place_factor(shape)
        first = int(self.arrays.factor_edge[factor])
        self.arrays.arity[factor] = len(shape)
        where = int(self.arrays.factor_table[factor])
        self.arrays.tables[where : where + table.size] = table.reshape(-1)
        for edge, variable in enumerate(scope, start=first):
            self._enter(edge, factor, variable)
        self._owing[factor] = None
        return factor

    def table(self, factor: int) -> FloatArray:
        """Log potentials of a factor, in nats; a copy."""
        shape, start = self._shapes[factor], int(self.arrays.factor_table[factor])
        return self.arrays.tables[start : start + math.prod(shape)].reshape(shape).copy()

    def _place_factor(self, shape: tuple[int, ...]) -> int:
        """A number and memory for a factor that has never been."""
        begins = self._reserve(F=1, E=len(shape), S=sum(shape), T=math.prod(shape))
        factor = begins["F"]
        self.arrays.factor_edge[factor] = begins["E"]
        self.arrays.factor_table[factor] = begins["T"]
        starts = begins["S"] + np.cumsum([0, *shape[:-1]])
        self.arrays.edge_states[begins["E"] : begins["E"] + len(shape)] = starts
        self._shapes[factor] = shape
        return factor

    def _enter(self, edge: int, factor: int, variable: int) -> None:
        g = self.arrays
        g.edge_variable[edge], g.edge_factor[edge] = variable, factor
        g.next_edge[edge] = g.first_edge[variable]
        g.first_edge[variable] = edge
        start, count = int(g.edge_states[edge]), int(g.cardinality[variable])
        g.to_variable[start : start + count] = g.to_factor[start : start + count] = 0.0
        g.edge_term[edge] = 0.0
        self._front[variable] = None

    def remove_factor(self, factor: int) -> None:
        """Take a factor out, and what it said; not in a trial."""
        self._refuse_in_trial()
        g = self.arrays
        first = int(g.factor_edge[factor])
        for edge in range(first, first + int(g.arity[factor])):
            variable = int(g.edge_variable[edge])
            self._leave(edge, variable)
            g.edge_term[edge] = 0.0
            self._front[variable] = None
        g.arity[factor], g.factor_term[factor] = 0, 0.0
        self._owing.pop(factor, None)
        self._free_factors.setdefault(self._shapes[factor], []).append(factor)

    def _leave(self, edge: int, variable: int) -> None:
        """Unhook an edge from its variable's list."""
        g = self.arrays
        other = int(g.first_edge[variable])
        if other == edge:
            g.first_edge[variable] = g.next_edge[edge]
            return
        while g.next_edge[other] != edge:
            other = int(g.next_edge[other])
        g.next_edge[other] = g.next_edge[edge]

    def multiply(self, log: float) -> None:
        """Multiply everything by a constant, given as a log in nats; minus infinity is allowed."""
        if log == -math.inf:
            self._zeros += 1
        else:
            self._constant += log

    def divide(self, log: float) -> None:
        """Undo a ``multiply`` by the same constant."""
        if log == -math.inf:
            self._zeros -= 1
        else:
            self._constant -= log

    @property
    def constant(self) -> float:
        """Log of the product of all constants, in nats."""
        return -math.inf if self._zeros else self._constant

    @property
    def sizes(self) -> dict[str, int]:
        """How many variables, factors and edges there are now."""
        arity = self.arrays.arity[: self._used["F"]]
        alive = int((self.arrays.cardinality[: self._used["V"]] > 0).sum())
        return {"variables": alive, "factors": int((arity > 0).sum()), "edges": int(arity.sum())}

    # Where it is

    def _states(self, variable: int) -> slice:
        start = int(self.arrays.variable_states[variable])
        return slice(start, start + int(self.arrays.cardinality[variable]))

    def _refuse_in_trial(self) -> None:
        if self.arrays.journal_state[WRITING]:
            raise GraphError("nothing can come or go inside a trial")

    def _fresh(self, size: str, kind: type, value: float) -> Any:
        if size == "2S":
            return np.full((2, self._room["S"]), value, dtype=kind)
        count = 3 if size == "3" else self._room[size]
        return np.full(count, value, dtype=kind)

    def _reserve(self, **wanted: int) -> dict[str, int]:
        """Make room for more of each; where each begins."""
        begins = {size: self._used[size] for size in wanted}
        growing = False
        for size, count in wanted.items():
            self._used[size] += count
            while self._room[size] < self._used[size]:
                self._room[size] *= 2
                growing = True
        if growing:
            self._grow()
        return begins

    def _grow(self) -> None:
        grown: dict[str, Any] = {}
        for name, (size, kind, value) in _SHAPES.items():
            old = getattr(self.arrays, name)
            new = self._fresh(size, kind, value)
            if new.shape == old.shape:
                new = old
            elif size == "2S":
                new[:, : old.shape[1]] = old
            else:
                new[: old.size] = old
            grown[name] = new
        self.arrays = LivingArrays(**grown)
