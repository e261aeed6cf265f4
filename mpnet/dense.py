"""Dense tables: kept once as they were given, and handed to the kernels in the space they work in."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from mpnet.content import Content, Parts
from mpnet.errors import GraphError, TooLargeError, size
from mpnet.kernels.layout import (
    FloatArray,
    IndexArray,
    IntArray,
    PairArrays,
    TableArrays,
    TripleArrays,
)

TABLE_ENTRIES = 2**26
"""Largest table that a graph accepts, in entries (512 MB)."""

WIDEST_RANGE = 1e-100
"""A table whose possible entries differ by more than this ratio is left to log space."""

KNOWN_STATES = 64
"""Most states for which a kernel with the number built in is compiled."""


@dataclass(frozen=True, eq=False)
class DenseTables:
    """The tables of one family: factors of the same arity and the same cardinalities.

    Parameters
    ----------
    shape : tuple of int
        One axis per variable of the scope.
    factor_table : int32[factors]
        Which table each factor uses: its start in ``values``.
    values : float64[T]
        Potentials or their logs, as they were given; read-only.
    log : bool
        Whether ``values`` holds logs, in nats.

    """

    shape: tuple[int, ...]
    factor_table: IndexArray
    values: FloatArray
    log: bool

    @property
    def kind(self) -> str:
        """Which kernels serve these tables."""
        if len(set(self.shape)) > 1 or self.shape[0] > KNOWN_STATES:
            return "table"
        return {2: "pair", 3: "triple"}.get(len(self.shape), "table")

    @property
    def reach(self) -> int:
        """How many incoming entries one term of a message multiplies, at most."""
        return len(self.shape) - 1

    @property
    def alike(self) -> Hashable:
        """Dense tables of one shape can always be joined."""
        return DenseTables

    def table(self, number: int) -> FloatArray:
        """Log potentials of one factor, by its place in the family, in nats."""
        start = int(self.factor_table[number])
        part = self.values[start : start + math.prod(self.shape)].reshape(self.shape)
        return part if self.log else logs_of(part)

    def parts(self, number: int) -> Parts:
        """The table itself."""
        return Parts((), ((tuple(range(len(self.shape))), self.table(number)),))

    def maximised(self) -> DenseTables:
        """The same."""
        return self

    def taken(self, numbers: IntArray) -> DenseTables:
        """Some of the factors; tables that they share stay shared."""
        entries = math.prod(self.shape)
        starts, where = np.unique(self.factor_table[numbers], return_inverse=True)
        if starts.size * entries == self.values.size:
            kept = frozen(self.factor_table[numbers], np.int32)
            return DenseTables(self.shape, kept, self.values, self.log)
        values = self.values[starts.astype(np.int64)[:, None] + np.arange(entries)].reshape(-1)
        return DenseTables(self.shape, frozen(where * entries, np.int32), frozen(values), self.log)

    def joined(self, others: Sequence[DenseTables]) -> DenseTables:
        """All factors in a row."""
        tables = [c.table(n) for c in (self, *others) for n in range(c.factor_table.size)]
        where, values = share(tables)
        return DenseTables(self.shape, where, values, log=True)

    def tempered(self, powers: FloatArray) -> DenseTables:
        """The same factors with their potentials raised to powers, one per factor."""
        if (powers == powers[:1]).all():
            # Tables that factors share stay shared.
            values, where, each = self.values, self.factor_table, powers[:1]
        else:
            entries = math.prod(self.shape)
            starts = self.factor_table.astype(np.int64)[:, None]
            values = self.values[starts + np.arange(entries)].reshape(-1)
            where = frozen(np.arange(len(powers)) * entries, np.int32)
            each = np.repeat(powers, entries)
        logs = values if self.log else logs_of(values)
        with np.errstate(invalid="ignore"):
            raised = np.where(logs == -np.inf, -np.inf, logs * each)
        return DenseTables(self.shape, where, frozen(raised), log=True)

    def repeated(self, times: int) -> DenseTables:
        """The same factors several times over; tables stay shared."""
        where = frozen(np.tile(self.factor_table, times), np.int32)
        return DenseTables(self.shape, where, self.values, self.log)

    def _rows(self) -> FloatArray:
        """One row per table."""
        rows: FloatArray = self.values.reshape(-1, math.prod(self.shape))
        return rows

    @cached_property
    def _linear(self) -> tuple[FloatArray, FloatArray] | None:
        """Tables as numbers, and the log of what each was divided by; None if that loses any.

        There are no logs where nothing was divided.
        """
        rows = self._rows()
        if self.log:
            scale = rows.max(axis=1, initial=-np.inf)
            scale[scale == -np.inf] = 0.0
            linear = np.exp(rows - scale[:, None])
            lost = (linear < WIDEST_RANGE) & (rows != -np.inf)
            return None if lost.any() else (frozen(linear.reshape(-1)), scale)
        best = rows.max(axis=1, initial=0.0)
        least = rows.min(axis=1, initial=np.inf, where=rows > 0.0)
        best[best == 0.0] = 1.0
        if (least / best < WIDEST_RANGE).any():
            return None
        if (best > 1e-10).all() and (best < 1e10).all():
            return self.values, np.empty(0)
        return frozen((rows / best[:, None]).reshape(-1)), np.log(best)

    def is_linear(self) -> bool:
        """Whether the tables fit linear space."""
        return self._linear is not None

    def arrays(self, first: int, linear: bool, dtype: DTypeLike) -> tuple[Any, float]:
        """What the kernels read, and the log (nats) of what all factors together were divided by."""
        scale = 0.0
        if linear:
            found = self._linear
            if found is None:
                raise ValueError("these tables don't fit linear space; ask is_linear() first")
            values, scales = found
            if scales.size:
                scale = float(scales[self.factor_table // math.prod(self.shape)].sum())
        else:
            values = self.values if self.log else frozen(logs_of(self.values))
        tables = frozen(values, dtype)
        if self.kind == "table":
            return TableArrays(first, self.factor_table, tables), scale
        known = (0,) * self.shape[0]
        kind = PairArrays if self.kind == "pair" else TripleArrays
        return kind(first, self.factor_table, tables, known), scale


def tabulated(content: Content, count: int, entries: int, why: str) -> DenseTables:
    """Write out the tables of a content of another kind.

    Parameters
    ----------
    content : Content
        Whose tables.
    count : int
        Its factors.
    entries : int
        Most entries of one table.
    why : str
        What needs tables, for the message.

    Raises
    ------
    TooLargeError
        If a table has more entries, or all tables together do not fit.

    """
    tables: list[FloatArray] = []
    for number in range(count):
        table = content.table(number)
        if table.size > entries or table.size * count > TABLE_ENTRIES:
            raise TooLargeError(
                f"{why}: a factor would have a table of {size(table.size)} entries (of {count} "
                f"factors); at most {entries} are enumerated"
            )
        tables.append(table)
    where, values = share(tables)
    return DenseTables(tables[0].shape, where, values, log=True)


def logs_of(values: FloatArray) -> FloatArray:
    """Logs, ``-inf`` for zeros, without a warning."""
    with np.errstate(divide="ignore"):
        logs: FloatArray = np.log(values)
    return logs


def frozen(values: NDArray[Any], dtype: DTypeLike = np.float64) -> Any:
    """A contiguous read-only array: the one kind that kernels compile for."""
    if values.dtype == dtype and values.flags.c_contiguous and not values.flags.writeable:
        return values
    copy = np.array(values, dtype=dtype, order="C")
    copy.flags.writeable = False
    return copy


def share(tables: Sequence[FloatArray]) -> tuple[IndexArray, FloatArray]:
    """Put equal tables of one shape together: (start of each, all in a row)."""
    starts: dict[bytes, int] = {}
    parts: list[FloatArray] = []
    where, size = [], 0
    for table in tables:
        key = table.tobytes()
        if key not in starts:
            starts[key] = size
            size += table.size
            parts.append(table.reshape(-1))
        where.append(starts[key])
    return frozen(np.array(where), np.int32), frozen(np.concatenate(parts))


def taken_or_copied(numbers: ArrayLike, dtype: DTypeLike | None = None) -> NDArray[Any]:
    """An array in C order: the one given, where nobody can write into it, or a copy."""
    if (
        isinstance(numbers, np.ndarray)
        and dtype in (None, numbers.dtype)
        and numbers.flags.c_contiguous
        and not _is_writeable(numbers)
    ):
        return numbers
    return np.array(numbers, dtype=dtype, order="C")


def _is_writeable(array: NDArray[Any]) -> bool:
    """Whether the array, or one that it is a view of, can be written into."""
    if array.flags.writeable:
        return True
    return isinstance(array.base, np.ndarray) and _is_writeable(array.base)


def checked_logs(table: ArrayLike, shape: tuple[int, ...], label: str, log: bool) -> FloatArray:
    """Log potentials of one factor, as ``checked_numbers`` lets them pass, in nats."""
    values = checked_numbers(table, shape, f"factor {label!r}", log)
    return values if log else logs_of(values)


def checked_numbers(table: ArrayLike, shape: tuple[int, ...], label: str, log: bool) -> FloatArray:
    """Numbers that may be potentials (or logs of some, where ``log``) of the right shape.

    An array that is read-only and fits is taken as it is; others are copied.

    Raises
    ------
    GraphError
        If the shape is wrong or an entry is NaN, infinite or (unless ``log``) negative; names
        ``label`` and the entry.

    """
    try:
        values: FloatArray = taken_or_copied(table, np.float64)
    except (TypeError, ValueError) as error:
        raise GraphError(f"{label}: the table is not an array of numbers ({error})") from None
    if values.shape != shape:
        raise GraphError(f"{label}: the table has shape {values.shape}, its scope {shape}")
    # Minimum and maximum tell of any fault, and take no memory.
    least, most = values.min(initial=np.inf), values.max(initial=-np.inf)
    if np.isnan(least) or most == np.inf or (least < 0.0 and not log):
        wrong = np.isnan(values) | (values == np.inf)
        if not log:
            wrong |= values < 0.0
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        right = "below inf" if log else "finite and >= 0"
        raise GraphError(f"{label}: entry {list(where)} is {values[where]}; it must be {right}")
    return values
