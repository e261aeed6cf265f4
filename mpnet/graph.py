"""Factor graphs: names on the outside, frozen arrays on the inside.

Letters of shapes are those of ``mpnet.kernels.layout``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from mpnet.content import Content, Maker
from mpnet.dense import DenseTables, checked_logs, checked_numbers, frozen, taken_or_copied
from mpnet.errors import GraphError, TooLargeError, shown, size
from mpnet.kernels.families import FAMILIES
from mpnet.kernels.layout import FloatArray, GraphArrays, IndexArray, IntArray
from mpnet.variables import Factors, Variables

INDEX_LIMIT = 2**31 - 1
"""Most edges, states or table entries of a graph."""


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
        groups: Iterable[tuple[ArrayLike, ArrayLike | Maker]],
        unary: ArrayLike | None = None,
        *,
        log: bool = False,
        names: Sequence[str] | None = None,
    ) -> FactorGraph:
        """Build a graph from arrays: no Python object per variable or factor.

        Arrays are copied, but for float64 tables in C order that are read-only, and so is
        whatever they are views of: those are shared.

        Parameters
        ----------
        cardinalities : int[V]
            Number of states of each variable.
        groups : iterable of (scopes, tables or maker)
            Factors of one shape each: scopes are variable indices, int[F, arity]; tables are
            float[F, states, ...], or float[states, ...] for one table shared by all; a maker,
            such as ``Or.batch()``, is what the kinds of ``mpnet.factors`` offer.
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
            logs = frozen_here(checked_logs(unary, logs.shape, "unary", log))
        return assemble(counts, checked, logs, 0.0, names=names)

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

    def maximised(self) -> FactorGraph:
        """The same graph for max-product: kinds that sum inside a factor become tables.

        Raises
        ------
        TooLargeError
            If such a table would be too large.

        """
        found = [(f, f.content.maximised()) for f in self.families]
        if all(content is f.content for f, content in found):
            return self
        families = tuple(
            f if content is f.content else Family(f.first, f.last, content) for f, content in found
        )
        return replace(self, families=families)

    def is_forest(self) -> bool:
        """Whether no two paths join any two variables, so that belief propagation is exact."""
        count = len(self.variables)
        edges = self.arrays.edge_variable
        if edges.size >= max(count + len(self.factors), 1):
            return False
        leader = list(range(count + len(self.factors)))
        for variable, factor in zip(edges.tolist(), self.edge_factor.tolist(), strict=True):
            ends = []
            for end in (variable, count + factor):
                node = end
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


def freeze(array: FloatArray) -> FloatArray:
    """A contiguous read-only array, a copy where needed: the one type that kernels compile for."""
    result: FloatArray = frozen(array)
    return result


def frozen_here(array: NDArray[Any]) -> Any:
    """The same array, read-only from now on: for one that nobody else has."""
    array.flags.writeable = False
    return array


def _raised(logs: FloatArray, power: float) -> FloatArray:
    return logs if power == 1.0 else freeze(np.where(logs == -np.inf, -np.inf, logs * power))


Group = tuple[IntArray | IndexArray, Content]


def _checked_group(
    group: tuple[ArrayLike, ArrayLike | Maker], counts: IntArray, log: bool, number: int
) -> Group:
    label = f"group {number}"
    scopes = np.atleast_2d(taken_or_copied(group[0]))
    if scopes.size and scopes.dtype.kind not in "iu":
        raise GraphError(f"{label}: scopes must be whole numbers, not {scopes.dtype}")
    if scopes.size and not (scopes.min() >= 0 and scopes.max() < counts.size):
        bad = int(np.argmax(((scopes < 0) | (scopes >= counts.size)).any(axis=1)))
        raise GraphError(
            f"{label}: factor {bad} has scope {scopes[bad].tolist()}; "
            f"variables are 0 to {counts.size - 1}"
        )
    scopes = scopes.astype(np.int32, copy=False)
    if (twice := _repeated(scopes)).any():
        bad = int(np.argmax(twice))
        raise GraphError(f"{label}: factor {bad} has a variable twice: {scopes[bad].tolist()}")
    sizes = counts.astype(np.int32)[scopes]
    if not scopes.size or (sizes != sizes[0]).any():
        raise GraphError(f"{label}: factors of one group must all have the same shape")
    if callable(group[1]):
        return scopes, group[1](sizes, lambda factor: f"{label}: factor {factor}")
    shape = tuple(map(int, sizes[0]))
    given = np.asarray(group[1])
    shared = given.ndim == len(shape)
    wanted = shape if shared else (len(scopes), *shape)
    values = checked_numbers(given, wanted, label, log)
    step = 0 if shared else math.prod(shape)
    where = frozen(np.arange(len(scopes)) * step, np.int32)
    return scopes, DenseTables(shape, where, frozen(frozen_here(values).reshape(-1)), log)


def _repeated(scopes: IntArray | IndexArray) -> NDArray[np.bool_]:
    """Which scopes name a variable twice."""
    if scopes.shape[1] == 2:
        return np.asarray(scopes[:, 0] == scopes[:, 1])
    ordered = np.sort(scopes, axis=1)
    return np.asarray((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))


def assemble(
    counts: IntArray,
    groups: Sequence[Group],
    unary: FloatArray,
    log_constant: float,
    *,
    names: Sequence[str] | None = None,
    states: Sequence[tuple[str, ...]] | None = None,
    factor_names: Sequence[str] | None = None,
) -> FactorGraph:
    """Put checked parts together.

    Parameters
    ----------
    counts : int64[V]
        Number of states of each variable.
    groups : sequence of (int64[F, arity], Content)
        Scopes and what the factors hold.
    unary : float64[B]
        Log unary potentials, in nats.
    log_constant : float
        Log of the product of all factors without variables, in nats.
    names, states, factor_names : sequence, optional
        What variables, their states and factors are called; made up where not given.

    Raises
    ------
    TooLargeError
        If the graph has more edges or states than an index can count.
    GraphError
        If no kernels serve a content.

    """
    families, first = [], 0
    for scopes, content in groups:
        if content.kind not in FAMILIES:
            raise GraphError(
                f"no kernels serve the factor family {shown(content.kind)!r} (known: "
                f"{', '.join(FAMILIES)}); the module of {type(content).__name__} must register them"
            )
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


def _starts(counts: NDArray[Any]) -> IndexArray:
    if (total := int(counts.sum(dtype=np.int64))) > INDEX_LIMIT:
        raise TooLargeError(f"the graph would have {size(total)} states or edges in a row")
    starts = np.zeros(counts.size + 1, dtype=np.int32)
    np.cumsum(counts, out=starts[1:])
    result: IndexArray = frozen_here(starts)
    return result


_NOTHING = np.empty(0, dtype=np.int32)


def _layout(counts: IntArray, scopes: Sequence[IntArray | IndexArray]) -> GraphArrays:
    parts = [part.reshape(-1).astype(np.int32, copy=False) for part in scopes]
    edge_variable = parts[0] if len(parts) == 1 else np.concatenate([*parts, _NOTHING])
    edge_variable.flags.writeable = False
    sizes = np.array([s.shape[1] for s in scopes], dtype=np.int32)
    arities = np.repeat(sizes, [len(s) for s in scopes])
    degrees = np.bincount(edge_variable, minlength=counts.size)
    return GraphArrays(
        variable_states=_starts(counts),
        variable_edges=_starts(degrees),
        slot_edge=frozen(np.argsort(edge_variable, kind="stable"), np.int32),
        edge_variable=frozen(edge_variable, np.int32),
        edge_states=_starts(counts.astype(np.int32)[edge_variable]),
        factor_edges=_starts(arities),
    )
