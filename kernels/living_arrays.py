"""The arrays of a graph that changes, and of the journal of a trial."""

from typing import NamedTuple

from mpnet.kernels.layout import FloatArray, IndexArray, IntArray

WRITING, WRITTEN, TRIAL = range(3)
"""Places of the journal's state: whether it is kept, edges in it, and the number of the trial."""


class LivingArrays(NamedTuple):
    """A graph with room to grow, and its messages; all of it changes.

    With room for V variables, E edges, F factors, B states, S message and T table entries.
    """

    first_edge: IndexArray
    """First edge of each variable, or -1, shape (V,)."""
    cardinality: IndexArray
    """States of each variable; 0 where there is none, shape (V,)."""
    variable_states: IndexArray
    """Start of each variable's states, shape (V,)."""
    next_edge: IndexArray
    """The edge after each one at the same variable, or -1, shape (E,)."""
    edge_variable: IndexArray
    """Variable at the end of each edge, shape (E,)."""
    edge_factor: IndexArray
    """Factor at the other end, shape (E,)."""
    edge_states: IndexArray
    """Start of each edge's messages, shape (E,)."""
    factor_edge: IndexArray
    """First edge of each factor; the others follow, shape (F,)."""
    arity: IndexArray
    """Edges of each factor; 0 where there is none, shape (F,)."""
    factor_table: IndexArray
    """Start of each factor's table, shape (F,)."""
    tables: FloatArray
    """Log potentials, in nats, the last variable fastest, shape (T,)."""
    unary: FloatArray
    """Log unary potentials, in nats, shape (B,)."""
    belief: FloatArray
    """Log beliefs, not normalised, shape (B,)."""
    to_variable: FloatArray
    """Messages, shape (S,)."""
    to_factor: FloatArray
    """Messages, shape (S,)."""
    variable_term: FloatArray
    """What each variable adds to the Bethe log partition sum, in nats, shape (V,)."""
    factor_term: FloatArray
    """What each factor adds, shape (F,)."""
    edge_term: FloatArray
    """What each edge takes away, shape (E,)."""
    variable_round: IntArray
    """The round for which each variable was last put into a front, shape (V,)."""
    factor_round: IntArray
    """The round in which each factor last heard something new, shape (F,)."""
    heard: IndexArray
    """Factors of a round, those that owe an answer first, shape (F,)."""
    trial_of: IntArray
    """The trial in whose journal each edge is, shape (E,)."""
    journal_edge: IndexArray
    """Edges that the trial overwrote, shape (E,)."""
    journal: FloatArray
    """Their messages before, at the places of the messages, shape (2, S)."""
    journal_term: FloatArray
    """Their terms before, at the places of the edges, shape (E,)."""
    journal_state: IntArray
    """See ``WRITING``, shape (3,)."""
