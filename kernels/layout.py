"""The arrays that every kernel reads.

Letters of shapes: V variables, B states of all variables in a row, F factors of arity two or
more, E edges (one per factor and variable of its scope), S states of all edges in a row,
T table entries. Names read ``<index>_<value>``; a plural value is a CSR start.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class GraphArrays(NamedTuple):
    """Variables and edges of a factor graph, read-only.

    Edges are numbered factor by factor, in the order of each factor's scope. The message along
    edge ``e`` is the slice ``edge_states[e]:edge_states[e + 1]`` of any message array.
    """

    variable_states: IntArray
    """Start of each variable's states, shape (V + 1,); the last entry is B."""
    variable_edges: IntArray
    """Start of each variable's edges in ``slot_edge``, shape (V + 1,)."""
    slot_edge: IntArray
    """Edges sorted by variable, shape (E,)."""
    edge_variable: IntArray
    """Variable at the end of each edge, shape (E,)."""
    edge_states: IntArray
    """Start of each edge's message, shape (E + 1,); the last entry is S."""
    factor_edges: IntArray
    """Start of each factor's edges, shape (F + 1,); the last entry is E."""


class TableArrays(NamedTuple):
    """The family of dense tables, read-only.

    The table of factor ``f`` starts at ``factor_table[f]``, its last variable varying
    fastest; factors with equal tables share one.
    """

    factor_table: IntArray
    """Start of each factor's table by factor index, shape (F,); unread for other families."""
    tables: FloatArray
    """Log potentials, shape (T,), in nats; ``-inf`` is a hard zero."""
