"""Factor graphs: names on the outside, frozen arrays on the inside.

Letters of shapes are those of ``mpnet.kernels.layout``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from mpnet.errors import GraphError, TooLargeError, size
from mpnet.kernels.layout import FloatArray, GraphArrays, IntArray, TableArrays

TABLE_ENTRIES = 2**26
"""Largest table that a graph accepts, in entries (512 MB)."""


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


@dataclass(frozen=True)
class Family:
    """All factors of one kind: a range of factors and the arrays that its kernels read."""

    kind: str
    first: int
    last: int
    arrays: TableArrays


@dataclass(frozen=True, eq=False)
class FactorGraph:
    """A factor graph, built whole by ``GraphBuilder.build`` and never changed.

    Unary factors live in ``unary``, constants in ``log_constant``; every other factor belongs
    to a family. *Stable.*

    Parameters
    ----------
    variables : tuple of Variable
        In the order of their indices.
    factors : tuple of Factor
        In the order of their indices.
    unary : float64[B]
        Log unary potentials of all states in a row, in nats; read-only.
    log_constant : float
        Log of the product of all factors without variables, in nats.
    arrays : GraphArrays
        What the kernels read.
    families : tuple of Family
        Ranges that cover all factors.
    index : mapping of str to int
        Variable index by name.

    """

    variables: tuple[Variable, ...]
    factors: tuple[Factor, ...]
    unary: FloatArray
    log_constant: float
    arrays: GraphArrays
    families: tuple[Family, ...]
    index: Mapping[str, int]

    @property
    def cardinalities(self) -> IntArray:
        """Number of states of each variable, shape (V,)."""
        return np.diff(self.arrays.variable_states)

    @cached_property
    def factors_at(self) -> tuple[tuple[int, ...], ...]:
        """Factors that each variable belongs to, by index."""
        found: list[list[int]] = [[] for _ in self.variables]
        for number, factor in enumerate(self.factors):
            for variable in factor.scope:
                found[variable].append(number)
        return tuple(map(tuple, found))

    def states_of(self, variable: int) -> slice:
        """Where one variable's states are in ``unary`` or in beliefs."""
        starts = self.arrays.variable_states
        return slice(int(starts[variable]), int(starts[variable + 1]))

    def unary_of(self, variable: int) -> FloatArray:
        """Log unary potential of one variable, shape (states,), in nats."""
        return self.unary[self.states_of(variable)]

    def table_of(self, factor: int) -> FloatArray:
        """Log potentials of one factor, one axis per variable of its scope, in nats."""
        shape = tuple(len(self.variables[v].states) for v in self.factors[factor].scope)
        family = next(f for f in self.families if f.first <= factor < f.last)
        start = int(family.arrays.factor_table[factor])
        result: FloatArray = family.arrays.tables[start : start + math.prod(shape)].reshape(shape)
        return result

    def clamped(self, variable: int, state: int) -> FloatArray:
        """Unary potentials with all other states of one variable made impossible; read-only."""
        unary = self.unary.copy()
        where = self.states_of(variable)
        kept = unary[where.start + state]
        unary[where] = -np.inf
        unary[where.start + state] = kept
        return freeze(unary)

    def is_forest(self) -> bool:
        """Whether no two paths join any two variables, so that belief propagation is exact."""
        leader = list(range(len(self.variables) + len(self.factors)))

        def find(node: int) -> int:
            while leader[node] != node:
                leader[node] = leader[leader[node]]
                node = leader[node]
            return node

        for number, factor in enumerate(self.factors):
            for variable in factor.scope:
                here, there = find(len(self.variables) + number), find(variable)
                if here == there:
                    return False
                leader[here] = there
        return True

    def __repr__(self) -> str:
        """One line with the sizes."""
        edges = self.arrays.edge_variable.size
        return f"FactorGraph({len(self.variables)} variables, {len(self.factors)} factors, {edges} edges)"


@dataclass
class GraphBuilder:
    """Collects variables and factors by name, checks each, and builds a ``FactorGraph``.

    Examples
    --------
    >>> builder = GraphBuilder()
    >>> builder.add_variable("rain", ["no", "yes"])
    >>> builder.add_variable("wet", ["no", "yes"])
    >>> builder.add_factor(["rain"], [0.8, 0.2])
    >>> builder.add_factor(["rain", "wet"], [[0.9, 0.1], [0.2, 0.8]])
    >>> builder.build()
    FactorGraph(2 variables, 1 factors, 2 edges)

    """

    _variables: list[Variable] = field(default_factory=list)
    _index: dict[str, int] = field(default_factory=dict)
    _unary: list[FloatArray] = field(default_factory=list)
    _factors: list[tuple[Factor, FloatArray]] = field(default_factory=list)
    _log_constant: float = 0.0

    def add_variable(self, name: str, states: int | Sequence[str]) -> None:
        """Add a variable with named states, or with that many states called "0", "1", ....

        Raises
        ------
        GraphError
            If the name is taken, there are no states, or a state is named twice.

        """
        if name in self._index:
            raise GraphError(f"variable {name!r} is there already; names must differ")
        labels = tuple(map(str, range(states))) if isinstance(states, int) else tuple(states)
        if not labels:
            raise GraphError(f"variable {name!r} has no states; it needs at least one")
        if len(set(labels)) != len(labels):
            twice = next(s for s in labels if labels.count(s) > 1)
            raise GraphError(f"variable {name!r} has the state {twice!r} twice; states must differ")
        self._index[name] = len(self._variables)
        self._variables.append(Variable(name, labels))
        self._unary.append(np.zeros(len(labels)))

    def add_factor(
        self, scope: Sequence[str], table: ArrayLike, *, log: bool = False, name: str = ""
    ) -> None:
        """Multiply the model by a table over the variables in ``scope``.

        Parameters
        ----------
        scope : sequence of str
            Names of variables, each at most once; may be empty (a constant).
        table : array, one axis per variable
            Potentials >= 0, or their logs (nats, ``-inf`` allowed) where ``log`` is true; copied.
        log : bool
            Whether the table holds logs.
        name : str
            For messages and figures; made up from the scope where empty.

        Raises
        ------
        GraphError
            If a variable is unknown or repeated, or the table has the wrong shape, a NaN, an
            infinite or (unless ``log``) a negative entry; the message names factor and index.
        TooLargeError
            If the table has more than 2^26 entries.

        """
        label = name or f"f({', '.join(scope)})"
        indices = self._resolve(scope, label)
        shape = tuple(len(self._variables[v].states) for v in indices)
        if math.prod(shape) > TABLE_ENTRIES:
            raise TooLargeError(
                f"factor {label!r} would have {size(math.prod(shape))} entries; at most {TABLE_ENTRIES} fit"
            )
        logs = _checked_logs(table, shape, label, log)
        if not indices:
            self._log_constant += float(logs)
        elif len(indices) == 1:
            self._unary[indices[0]] = self._unary[indices[0]] + logs
        else:
            self._factors.append((Factor(label, indices), logs))

    def _resolve(self, scope: Sequence[str], label: str) -> tuple[int, ...]:
        for name in scope:
            if name not in self._index:
                raise GraphError(f"factor {label!r}: there is no variable {name!r}")
        if len(set(scope)) != len(scope):
            twice = next(n for n in scope if list(scope).count(n) > 1)
            raise GraphError(f"factor {label!r}: variable {twice!r} is twice in its scope")
        return tuple(self._index[name] for name in scope)

    def build(self) -> FactorGraph:
        """Freeze what was collected into a graph; the builder can go on being used."""
        factors = tuple(factor for factor, _ in self._factors)
        unary = np.concatenate(self._unary) if self._unary else np.empty(0)
        arrays = _layout([len(v.states) for v in self._variables], factors)
        tables = _share_tables([table for _, table in self._factors])
        return FactorGraph(
            variables=tuple(self._variables),
            factors=factors,
            unary=freeze(unary),
            log_constant=self._log_constant,
            arrays=arrays,
            families=(Family("table", 0, len(factors), tables),) if factors else (),
            index=dict(self._index),
        )


def freeze(array: FloatArray) -> FloatArray:
    """Return a contiguous read-only copy: the one array type that kernels compile for."""
    frozen = np.array(array, dtype=np.float64, order="C")
    frozen.flags.writeable = False
    return frozen


def _freeze_index(values: ArrayLike) -> IntArray:
    frozen = np.array(values, dtype=np.int64, order="C").reshape(-1)
    frozen.flags.writeable = False
    return frozen


def _checked_logs(table: ArrayLike, shape: tuple[int, ...], label: str, log: bool) -> FloatArray:
    try:
        values = np.array(table, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise GraphError(
            f"factor {label!r}: the table is not an array of numbers ({error})"
        ) from None
    if values.shape != shape:
        raise GraphError(f"factor {label!r}: the table has shape {values.shape}, its scope {shape}")
    wrong = np.isnan(values) | (values == np.inf)
    if not log:
        wrong |= values < 0.0
    if wrong.any():
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        right = "below inf" if log else "finite and >= 0"
        raise GraphError(
            f"factor {label!r}: entry {list(where)} is {values[where]}; it must be {right}"
        )
    if log:
        return values
    with np.errstate(divide="ignore"):
        logs: FloatArray = np.log(values)
    return logs


def _starts(counts: Sequence[int]) -> IntArray:
    return _freeze_index(np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]))


def _layout(cardinalities: Sequence[int], factors: Sequence[Factor]) -> GraphArrays:
    edge_variable = _freeze_index([v for factor in factors for v in factor.scope])
    sizes = np.array(cardinalities, dtype=np.int64)
    degrees = np.bincount(edge_variable, minlength=len(sizes))
    return GraphArrays(
        variable_states=_starts(cardinalities),
        variable_edges=_starts(degrees.tolist()),
        slot_edge=_freeze_index(np.argsort(edge_variable, kind="stable")),
        edge_variable=edge_variable,
        edge_states=_starts(sizes[edge_variable].tolist()),
        factor_edges=_starts([len(factor.scope) for factor in factors]),
    )


def _share_tables(tables: Sequence[FloatArray]) -> TableArrays:
    starts: dict[bytes, int] = {}
    parts: list[FloatArray] = []
    factor_table, size = [], 0
    for table in tables:
        key = table.tobytes()
        if key not in starts:
            starts[key] = size
            size += table.size
            parts.append(table.reshape(-1))
        factor_table.append(starts[key])
    joined = np.concatenate(parts) if parts else np.empty(0)
    return TableArrays(_freeze_index(factor_table), freeze(joined))
