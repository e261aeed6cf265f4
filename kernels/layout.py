"""The arrays that every kernel reads.

Letters of shapes: V variables, B states of all variables in a row, F factors of arity two or
more, E edges (one per factor and variable of its scope), S states of all edges in a row,
T table entries. Names read ``<index>_<value>``; a plural value is a CSR start.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
"""Values of a semiring; float32 where the user asked for it."""

IntArray = NDArray[np.int64]
"""Assignments: a state per variable."""

IndexArray = NDArray[np.int32]
"""Structure: half the bytes of int64, and a graph that needs more does not fit a machine."""

States = tuple[int, ...]
"""A tuple as long as every variable has states, which makes the number known when a kernel is
compiled; empty where cardinalities differ."""

ONE, TWO, THREE = np.uintp(1), np.uintp(2), np.uintp(3)
"""Unsigned numbers, for indices in the tightest loops: a signed index may count from the end,
and is tested for that at each use."""

ALIVE = -1
"""Status of a kernel: everything still has a possible state."""

UNSAFE = -2
"""Status of a kernel: a number left the range in which linear space is exact; use logs."""


class Limits(NamedTuple):
    """Where linear space ends and logs are needed."""

    floor: float
    """The smallest possible entry of a message to a factor, relative to its largest."""
    tiny: float
    """The smallest product of possible values."""


class GraphArrays(NamedTuple):
    """Variables and edges of a factor graph, read-only.

    Edges are numbered factor by factor, in the order of each factor's scope. The message along
    edge ``e`` is the slice ``edge_states[e]:edge_states[e + 1]`` of any message array.
    """

    variable_states: IndexArray
    """Start of each variable's states, shape (V + 1,); the last entry is B."""
    variable_edges: IndexArray
    """Start of each variable's edges in ``slot_edge``, shape (V + 1,)."""
    slot_edge: IndexArray
    """Edges sorted by variable, shape (E,)."""
    edge_variable: IndexArray
    """Variable at the end of each edge, shape (E,)."""
    edge_states: IndexArray
    """Start of each edge's message, shape (E + 1,); the last entry is S."""
    factor_edges: IndexArray
    """Start of each factor's edges, shape (F + 1,); the last entry is E."""


class TableArrays(NamedTuple):
    """Dense tables of any arity and any cardinalities, read-only.

    The table of factor ``f`` starts at ``factor_table[f - first]``, its last variable varying
    fastest; factors with equal tables share one.
    """

    first: int
    """The first factor of the family."""
    factor_table: IndexArray
    """Start of each factor's table, shape (factors of the family,)."""
    tables: FloatArray
    """Potentials as values of the semiring, shape (T,)."""


class PairArrays(NamedTuple):
    """Dense tables over two variables with equally many states, as ``TableArrays``."""

    first: int
    factor_table: IndexArray
    tables: FloatArray
    states: Any
    """``States``: as long as each variable has states."""


class TripleArrays(NamedTuple):
    """Dense tables over three variables with equally many states, as ``PairArrays``."""

    first: int
    factor_table: IndexArray
    tables: FloatArray
    states: Any


DenseArrays = TableArrays | PairArrays | TripleArrays
"""What the kernels for any arity take."""
