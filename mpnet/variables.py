"""The variables and factors of a graph, by name: made when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mpnet.kernels.layout import GraphArrays, IndexArray


@dataclass(frozen=True)
class Variable:
    """A discrete variable: a name and the names of its states."""

    name: str
    states: tuple[str, ...]


@dataclass(frozen=True)
class Factor:
    """A factor of arity two or more: a name and the indices of its variables."""

    name: str
    scope: tuple[int, ...]


class Variables(Sequence[Variable]):
    """The variables of a graph, made when asked for: a million of them cost nothing."""

    def __init__(
        self,
        cardinalities: IndexArray,
        names: Sequence[str] | None = None,
        states: Sequence[tuple[str, ...]] | None = None,
    ) -> None:
        self._cardinalities, self._names, self._states = cardinalities, names, states

    def __len__(self) -> int:
        """How many there are."""
        return self._cardinalities.size

    def __getitem__(self, number: Any) -> Any:
        """One variable, or a tuple of them for a slice."""
        if isinstance(number, slice):
            return tuple(self[i] for i in range(*number.indices(len(self))))
        if not -len(self) <= number < len(self):
            raise IndexError(f"there is no variable {number}")
        number = int(number) % len(self)
        name = self._names[number] if self._names is not None else f"x{number}"
        if self._states is not None:
            return Variable(name, self._states[number])
        return Variable(name, tuple(map(str, range(int(self._cardinalities[number])))))


class Factors(Sequence[Factor]):
    """The factors of a graph, made when asked for."""

    def __init__(
        self, arrays: GraphArrays, variables: Variables, names: Sequence[str] | None = None
    ) -> None:
        self._arrays, self._variables, self._names = arrays, variables, names

    def __len__(self) -> int:
        """How many there are."""
        return self._arrays.factor_edges.size - 1

    def __getitem__(self, number: Any) -> Any:
        """One factor, or a tuple of them for a slice."""
        if isinstance(number, slice):
            return tuple(self[i] for i in range(*number.indices(len(self))))
        if not -len(self) <= number < len(self):
            raise IndexError(f"there is no factor {number}")
        number = int(number) % len(self)
        first, last = self._arrays.factor_edges[number : number + 2]
        scope = tuple(map(int, self._arrays.edge_variable[first:last]))
        if self._names is not None:
            return Factor(self._names[number], scope)
        return Factor(f"f({', '.join(self._variables[v].name for v in scope)})", scope)
