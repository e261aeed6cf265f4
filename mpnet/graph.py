"""Factor graphs: names on the outside, frozen arrays on the inside.

Letters of shapes are those of ``mpnet.kernels.layout``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from mpnet.dense import DenseTables, frozen, logs_of, share
from mpnet.errors import GraphError, TooLargeError, size
from mpnet.kernels.layout import FloatArray, GraphArrays, IndexArray, IntArray

TABLE_ENTRIES = 2**26
"""Largest table that a graph accepts, in entries (512 MB)."""

INDEX_LIMIT = 2**31 - 1
"""Most edges, states or table entries of a graph."""


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


class Content(Protocol):
    """What the factors of one family hold, by their place in the family."""

    @property
    def kind(self) -> str:
        """The kernels that serve it, a key of ``mpnet.kernels.families.FAMILIES``."""
        ...

    @property
    def reach(self) -> int:
        """How many incoming entries one term of a message multiplies, at most."""
        ...

    def table(self, number: int) -> FloatArray:
        """Log potentials of one factor as a table, in nats."""
        ...

    def is_linear(self) -> bool:
        """Whether the potentials fit linear space."""
        ...

    def tempered(self, powers: FloatArray) -> Content:
        """The same factors with their potentials raised to powers > 0, one per factor."""
        ...

    def arrays(self, first: int, linear: bool, dtype: DTypeLike) -> tuple[Any, float]:
        """What the kernels read, and the log (nats) of what all factors were divided by."""
        ...


@dataclass(frozen=True, eq=False)
class Family:
    """All factors of one kind and shape: a range of factors and what they hold."""

    first: int
    last: int
    content: Content
    _made: dict[tuple[bool, str], tuple[Any, float]] = field(default_factory=dict, repr=False)

    @property
    def kind(self) -> str:
        """A key of ``mpnet.kernels.families.FAMILIES``."""
        return self.content.kind

    def arrays(self, linear: bool, dtype: DTypeLike = np.float64) -> tuple[Any, float]:
        """What the kernels read in one space, and the log of what it was divided by (nats)."""
        key = linear, np.dtype(dtype).name
        if key not in self._made:
            self._made[key] = self.content.arrays(self.first, linear, dtype)
        return self._made[key]


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


@dataclass(frozen=True, eq=False)
class FactorGraph:
    """A factor graph, built whole by ``GraphBuilder.build`` or ``from_arrays`` and never changed.

    Unary factors live in ``unary``, constants in ``log_constant``; every other factor belongs
    to a family. *Stable.*

    Parameters
    ----------
    variables : sequence of Variable
        In the order of their indices.
    factors : sequence of Factor
        In the order of their indices: family by family.
    unary : float64[B]
        Log unary potentials of all states in a row, in nats; read-only.
    log_constant : float
        Log of the product of all factors without variables, in nats.
    arrays : GraphArrays
        What the kernels read.
    families : tuple of Family
        Ranges that cover all factors.

    """

    variables: Variables
    factors: Factors
    unary: FloatArray
    log_constant: float
    arrays: GraphArrays
    families: tuple[Family, ...]

    @classmethod
    def from_arrays(
        cls,
        cardinalities: ArrayLike,
        groups: Iterable[tuple[ArrayLike, ArrayLike]],
        unary: ArrayLike | None = None,
        *,
        log: bool = False,
        names: Sequence[str] | None = None,
    ) -> FactorGraph:
        """Build a graph from arrays: no Python object per variable or factor.

        Parameters
        ----------
        cardinalities : int[V]
            Number of states of each variable.
        groups : iterable of (scopes, tables)
            Factors of one shape each: scopes are variable indices, int[F, arity]; tables are
            float[F, states, ...], or float[states, ...] for one table shared by all.
        unary : float[B], optional
            Unary potentials of all states in a row.
        log : bool
            Whether tables and unary hold logs (nats, ``-inf`` allowed) and not potentials >= 0.
        names : sequence of str, optional
            Names of the variables; ``x0``, ``x1``, ... where not given.

        Raises
        ------
        GraphError
            If a scope names no variable or one twice, a shape does not fit, or an entry is NaN,
            infinite or (unless ``log``) negative; names the group, the factor and the entry.

        """
        counts = np.array(cardinalities, dtype=np.int64).reshape(-1)
        if (counts < 1).any():
            raise GraphError(f"variable {int(np.argmin(counts))} has no states")
        checked = [_checked_group(g, counts, log, i) for i, g in enumerate(groups)]
        logs = np.zeros(int(counts.sum()))
        if unary is not None:
            logs = _checked_logs(unary, logs.shape, "unary", log)
        return _assemble(counts, checked, logs, 0.0, names=names)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Variable index by name."""
        return {variable.name: i for i, variable in enumerate(self.variables)}

    @cached_property
    def cardinalities(self) -> IntArray:
        """Number of states of each variable, shape (V,)."""
        return np.diff(self.arrays.variable_states).astype(np.int64)

    @cached_property
    def factors_at(self) -> tuple[tuple[int, ...], ...]:
        """Factors that each variable belongs to, by index."""
        found: list[list[int]] = [[] for _ in self.variables]
        for number, factor in enumerate(self.factors):
            for variable in factor.scope:
                found[variable].append(number)
        return tuple(map(tuple, found))

    @cached_property
    def edge_factor(self) -> IndexArray:
        """Factor at the end of each edge, shape (E,)."""
        starts = self.arrays.factor_edges
        result: IndexArray = frozen(
            np.repeat(np.arange(len(self.factors)), np.diff(starts)), np.int32
        )
        return result

    def states_of(self, variable: int) -> slice:
        """Where one variable's states are in ``unary`` or in beliefs."""
        starts = self.arrays.variable_states
        return slice(int(starts[variable]), int(starts[variable + 1]))

    def unary_of(self, variable: int) -> FloatArray:
        """Log unary potential of one variable, shape (states,), in nats."""
        return self.unary[self.states_of(variable)]

    def table_of(self, factor: int) -> FloatArray:
        """Log potentials of one factor, one axis per variable of its scope, in nats."""
        family = next(f for f in self.families if f.first <= factor < f.last)
        return family.content.table(factor - family.first)

    def clamped(self, variable: int, state: int) -> FloatArray:
        """Unary potentials with all other states of one variable made impossible; read-only."""
        unary = self.unary.copy()
        where = self.states_of(variable)
        kept = unary[where.start + state]
        unary[where] = -np.inf
        unary[where.start + state] = kept
        return freeze(unary)

    def tempered(self, powers: ArrayLike, unary_power: float = 1.0) -> FactorGraph:
        """The same graph with factor potentials raised to powers; impossible stays impossible.

        Parameters
        ----------
        powers : float or float[F]
            Powers > 0, one for all factors or one for each.
        unary_power : float
            Power of unary potentials and of the constant.

        """
        each = np.broadcast_to(np.asarray(powers, dtype=np.float64), (len(self.factors),))
        return replace(
            self,
            unary=_raised(self.unary, unary_power),
            log_constant=self.log_constant * unary_power,
            families=tuple(
                Family(f.first, f.last, f.content.tempered(each[f.first : f.last]))
                for f in self.families
            ),
        )

    def is_forest(self) -> bool:
        """Whether no two paths join any two variables, so that belief propagation is exact."""
        count = len(self.variables)
        edges = self.arrays.edge_variable
        if edges.size >= max(count + len(self.factors), 1):
            return False
        leader = list(range(count + len(self.factors)))
        for variable, factor in zip(edges.tolist(), self.edge_factor.tolist(), strict=True):
            ends = []
            for node in (variable, count + factor):
                while leader[node] != node:
                    leader[node] = leader[leader[node]]
                    node = leader[node]
                ends.append(node)
            if ends[0] == ends[1]:
                return False
            leader[ends[0]] = ends[1]
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
        """Freeze what was collected into a graph; the builder can go on being used.

        Factors of one shape come together, in the order in which they were added.
        """
        counts = np.array([len(v.states) for v in self._variables], dtype=np.int64)
        by_shape: dict[tuple[int, ...], list[tuple[Factor, FloatArray]]] = {}
        for factor, table in self._factors:
            by_shape.setdefault(table.shape, []).append((factor, table))
        groups, names = [], []
        for shape, members in by_shape.items():
            scopes = np.array([factor.scope for factor, _ in members], dtype=np.int64)
            where, values = share([table for _, table in members])
            groups.append((scopes, DenseTables(shape, where, values, log=True)))
            names += [factor.name for factor, _ in members]
        return _assemble(
            counts,
            groups,
            np.concatenate(self._unary) if self._unary else np.empty(0),
            self._log_constant,
            names=[v.name for v in self._variables],
            states=[v.states for v in self._variables],
            factor_names=names,
        )


def freeze(array: FloatArray) -> FloatArray:
    """Return a contiguous read-only copy: the one array type that kernels compile for."""
    copy: FloatArray = np.array(array, dtype=np.float64, order="C")
    copy.flags.writeable = False
    return copy


def _raised(logs: FloatArray, power: float) -> FloatArray:
    return logs if power == 1.0 else freeze(np.where(logs == -np.inf, -np.inf, logs * power))


Group = tuple[IntArray, Content]


def _checked_group(
    group: tuple[ArrayLike, ArrayLike], counts: IntArray, log: bool, number: int
) -> Group:
    scopes = np.array(group[0], dtype=np.int64, ndmin=2)
    label = f"group {number}"
    if scopes.size and not (scopes.min() >= 0 and scopes.max() < counts.size):
        bad = int(np.argmax(((scopes < 0) | (scopes >= counts.size)).any(axis=1)))
        raise GraphError(
            f"{label}: factor {bad} has scope {scopes[bad].tolist()}; "
            f"variables are 0 to {counts.size - 1}"
        )
    ordered = np.sort(scopes, axis=1)
    if (twice := (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)).any():
        bad = int(np.argmax(twice))
        raise GraphError(f"{label}: factor {bad} has a variable twice: {scopes[bad].tolist()}")
    sizes = counts[scopes]
    if not scopes.size or (sizes != sizes[0]).any():
        raise GraphError(f"{label}: factors of one group must all have the same shape")
    shape = tuple(map(int, sizes[0]))
    given = np.asarray(group[1])
    shared = given.ndim == len(shape)
    wanted = shape if shared else (len(scopes), *shape)
    values = _checked_numbers(given, wanted, label, log)
    step = 0 if shared else math.prod(shape)
    where = frozen(np.arange(len(scopes)) * step, np.int32)
    return scopes, DenseTables(shape, where, frozen(values.reshape(-1)), log)


def _assemble(
    counts: IntArray,
    groups: Sequence[Group],
    unary: FloatArray,
    log_constant: float,
    *,
    names: Sequence[str] | None = None,
    states: Sequence[tuple[str, ...]] | None = None,
    factor_names: Sequence[str] | None = None,
) -> FactorGraph:
    families, first = [], 0
    for scopes, content in groups:
        families.append(Family(first, first + len(scopes), content))
        first += len(scopes)
    arrays = _layout(counts, [scopes for scopes, _ in groups])
    variables = Variables(counts.astype(np.int32), names, states)
    return FactorGraph(
        variables=variables,
        factors=Factors(arrays, variables, factor_names),
        unary=freeze(unary),
        log_constant=log_constant,
        arrays=arrays,
        families=tuple(families),
    )


def _checked_logs(table: ArrayLike, shape: tuple[int, ...], label: str, log: bool) -> FloatArray:
    values = _checked_numbers(table, shape, f"factor {label!r}", log)
    return values if log else logs_of(values)


def _checked_numbers(table: ArrayLike, shape: tuple[int, ...], label: str, log: bool) -> FloatArray:
    try:
        values = np.array(table, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise GraphError(f"{label}: the table is not an array of numbers ({error})") from None
    if values.shape != shape:
        raise GraphError(f"{label}: the table has shape {values.shape}, its scope {shape}")
    wrong = np.isnan(values) | (values == np.inf)
    if not log:
        wrong |= values < 0.0
    if wrong.any():
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        right = "below inf" if log else "finite and >= 0"
        raise GraphError(f"{label}: entry {list(where)} is {values[where]}; it must be {right}")
    return values


def _starts(counts: NDArray[Any]) -> IndexArray:
    starts = np.zeros(counts.size + 1, dtype=np.int64)
    np.cumsum(counts, out=starts[1:])
    if starts[-1] > INDEX_LIMIT:
        raise TooLargeError(
            f"the graph would have {size(int(starts[-1]))} states or edges in a row"
        )
    result: IndexArray = frozen(starts, np.int32)
    return result


def _layout(counts: IntArray, scopes: Sequence[IntArray]) -> GraphArrays:
    parts = [part.reshape(-1).astype(np.int32) for part in scopes]
    edge_variable = np.concatenate(parts) if parts else np.empty(0, dtype=np.int32)
    arities = np.repeat([s.shape[1] for s in scopes], [len(s) for s in scopes])
    degrees = np.bincount(edge_variable, minlength=counts.size)
    return GraphArrays(
        variable_states=_starts(counts),
        variable_edges=_starts(degrees),
        slot_edge=frozen(np.argsort(edge_variable, kind="stable"), np.int32),
        edge_variable=frozen(edge_variable, np.int32),
        edge_states=_starts(counts[edge_variable]),
        factor_edges=_starts(arities.astype(np.int64)),
    )
