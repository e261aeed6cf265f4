"""What the kinds of factors have in common: names, checks, and factors as chains of small tables."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mpnet.content import Label, Maker, Parts
from mpnet.dense import TABLE_ENTRIES, DenseTables, tabulated
from mpnet.errors import GraphError, TooLargeError, size
from mpnet.kernels.layout import FloatArray, IntArray

ENUMERATED = 2**17
"""Largest table, in entries, that a factor may become for what its own kernels can't do."""

MOST_AXES = 60
"""Most axes of a table."""

Names = str | Sequence[str]
"""One name or several."""


def listed(names: Names) -> tuple[str, ...]:
    """Names as a tuple, also if there is one only."""
    return (names,) if isinstance(names, str) else tuple(names)


@dataclass(frozen=True)
class Written:
    """A kind as it is written down; kinds inherit this.

    *Evolving.*
    """

    name: str = field(default="", kw_only=True)
    """For messages and figures; made up from the scope where empty."""

    @property
    def scope(self) -> tuple[str, ...]:
        """Names of the variables."""
        raise NotImplementedError

    @property
    def hidden(self) -> Mapping[str, int]:
        """Variables that come with the factor: number of states by name."""
        return {}

    @property
    def expanded(self) -> tuple[Written, ...]:
        """The factors that stand for this one: itself."""
        return (self,)

    @property
    def label(self) -> str:
        """What an error calls it."""
        return f"factor {self.name or type(self).__name__!r}"

    def maker(self) -> Maker:
        """What makes the content of this one factor."""
        raise NotImplementedError

    def content(self, counts: IntArray, label: Label) -> Any:
        """What a family of this one factor holds.

        Parameters
        ----------
        counts : int64[1, arity]
            Number of states of each variable of the scope.
        label : callable
            What to call the factor in an error.

        Raises
        ------
        GraphError
            If cardinalities or parameters do not fit; names the factor and the index.

        """
        return self.maker()(counts, label)


class Chained:
    """A content whose factors are chains of small tables; contents inherit this.

    An heir is a frozen dataclass whose arrays have one row per factor, and says what its
    ``links`` are; all else has an answer here that it may replace.
    """

    @property
    def count(self) -> int:
        """How many factors there are."""
        raise NotImplementedError

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of states of each variable of a scope."""
        raise NotImplementedError

    @property
    def reach(self) -> int:
        """One: products are looked at where they are made."""
        return 1

    @property
    def alike(self) -> Hashable:
        """The class and whatever is no array."""
        own = [getattr(self, f.name) for f in fields(self)]  # type: ignore[arg-type]
        return type(self), *(value for value in own if not isinstance(value, np.ndarray))

    def links(self, number: int) -> list[FloatArray]:
        """Log potentials of the chain: one array [state before, variable, state after] each.

        The first has one state before, the last one state after.
        """
        raise NotImplementedError

    def parts(self, number: int) -> Parts:
        """The chain, with the states between as hidden variables."""
        links = self.links(number)
        arity = len(links)
        widths = [link.shape[2] for link in links[:-1]]
        wide = [i for i, width in enumerate(widths) if width > 1]
        place = {i: arity + n for n, i in enumerate(wide)}
        tables = []
        for i, link in enumerate(links):
            before, after = ([place[j]] if j in place else [] for j in (i - 1, i))
            scope = [*before, i, *after]
            table = link.reshape(
                [n for n, kept in zip(link.shape, (i - 1 in place, True, i in place)) if kept]
            )
            tables.append((tuple(scope), table))
        return Parts(tuple(widths[i] for i in wide), tuple(tables))

    def table(self, number: int) -> FloatArray:
        """Log potentials of one factor, from its chain, in nats."""
        self.need_small()
        table = np.zeros((1, 1))
        with np.errstate(invalid="ignore"):
            for link in self.links(number):
                before, _, after = link.shape
                grown = np.full((table.shape[0], link.shape[1], after), -np.inf)
                for state in range(before):
                    grown = np.logaddexp(grown, table[:, state, None, None] + link[state])
                table = grown.reshape(-1, after)
        return table.reshape(self.shape)

    def need_small(self) -> None:
        """Refuse tables that would not fit.

        Raises
        ------
        TooLargeError
            Says how large.

        """
        entries = math.prod(self.shape)
        if entries > TABLE_ENTRIES or len(self.shape) > MOST_AXES:
            raise TooLargeError(
                f"a factor over {len(self.shape)} variables would have a table of "
                f"{size(entries)} entries; at most {TABLE_ENTRIES} fit"
            )

    def need_short_links(self, entries: int) -> None:
        """Refuse chains whose tables would not fit.

        Parameters
        ----------
        entries : int
            Of all tables of one chain.

        Raises
        ------
        TooLargeError
            Says how large.

        """
        if entries > TABLE_ENTRIES:
            raise TooLargeError(
                f"a factor over {len(self.shape)} variables, taken apart, would have tables of "
                f"{size(entries)} entries; at most {TABLE_ENTRIES} fit"
            )

    def is_linear(self) -> bool:
        """Potentials of zero and one fit."""
        return True

    def maximised(self) -> Any:
        """The same: nothing is summed inside a factor."""
        return self

    def tempered(self, powers: FloatArray) -> Any:
        """The tables raised to powers, where those are small."""
        why = f"potentials of {type(self).__name__} at a temperature are kept as tables"
        return self.tabulated(why).tempered(powers)

    def tabulated(self, why: str) -> DenseTables:
        """The same factors as dense tables, where those are small."""
        return tabulated(self, self.count, ENUMERATED, why)  # type: ignore[arg-type]

    def taken(self, numbers: IntArray) -> Self:
        """Some of the factors, by their places in the family."""
        return self._with({k: v[numbers] for k, v in self._rows().items()})

    def joined(self, others: Sequence[Self]) -> Self:
        """All factors in a row."""
        if not others:
            return self
        rows = [content._rows() for content in (self, *others)]
        return self._with({key: np.concatenate([r[key] for r in rows]) for key in rows[0]})

    def _rows(self) -> dict[str, NDArray[Any]]:
        own = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        return {k: v for k, v in own.items() if isinstance(v, np.ndarray)}

    def _with(self, rows: Mapping[str, NDArray[Any]]) -> Self:
        return replace(self, **rows)  # type: ignore[type-var]


def logs(values: ArrayLike) -> FloatArray:
    """Logs, ``-inf`` for zeros."""
    with np.errstate(divide="ignore"):
        found: FloatArray = np.log(np.asarray(values, dtype=np.float64))
    return found


def need_binary(counts: IntArray, label: Label, what: str) -> None:
    """Refuse variables that do not have two states.

    Parameters
    ----------
    counts : int64[F, arity]
        Number of states of each variable.
    label : callable
        What to call a factor.
    what : str
        The kind, for the message.

    Raises
    ------
    GraphError
        Names the factor and the variable.

    """
    if (wrong := counts != 2).any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        raise GraphError(
            f"{label(row)}: variable {column} of its scope has {counts[row, column]} states; "
            f"{what} is for variables with 2"
        )


def need_arity(counts: IntArray, label: Label, what: str, least: int) -> None:
    """Refuse a scope that is too short.

    Parameters
    ----------
    counts : int64[F, arity]
        Number of states of each variable.
    label : callable
        What to call a factor.
    what : str
        The kind, for the message.
    least : int
        Fewest variables.

    Raises
    ------
    GraphError
        Names the factor.

    """
    if counts.shape[1] < least:
        plural = "" if least == 1 else "s"
        raise GraphError(
            f"{label(0)}: {what} needs at least {least} variable{plural}, got {counts.shape[1]}"
        )


def need_numbers(
    values: ArrayLike, shape: tuple[int, ...], label: Label, what: str, most: float = math.inf
) -> FloatArray:
    """Numbers for each factor of a batch: finite, at least 0 and at most ``most``; a copy.

    Parameters
    ----------
    values : array
        One row per factor, or one row for all.
    shape : tuple of int
        Factors, then the shape of a row.
    label : callable
        What to call a factor.
    what : str
        What the numbers are, for the message.
    most : float
        1 for probabilities.

    Raises
    ------
    GraphError
        If the shape is wrong or a number out of bounds; names the factor and the index.

    """
    try:
        found = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise GraphError(f"{label(0)}: {what} are not numbers ({error})") from None
    if found.ndim == len(shape) and found.shape[1:] == shape[1:] and len(found) == shape[0]:
        rows = found
    elif found.shape == shape[1:]:
        rows = np.broadcast_to(found, shape).copy()
    else:
        raise GraphError(f"{label(0)}: {what} have shape {found.shape}; it must be {shape[1:]}")
    wrong = ~((rows >= 0.0) & (rows <= most) & (rows < np.inf))
    if wrong.any():
        row, *index = (int(i) for i in np.argwhere(wrong)[0])
        right = "in [0, 1]" if most == 1.0 else "finite and >= 0"
        at = f"{what}{index}" if index else what
        raise GraphError(f"{label(row)}: {at} is {rows[(row, *index)]}; it must be {right}")
    return rows
