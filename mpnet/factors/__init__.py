"""Kinds of factors whose messages cost no more than their variables, one file per kind.

Each is written down by the names of its variables and given to ``GraphBuilder.add``; its
``batch`` makes many at once for ``FactorGraph.from_arrays``.
"""

from __future__ import annotations

from mpnet.factors.automaton import Automaton
from mpnet.factors.cardinality import AtLeast, AtMost, Cardinality, LinearThreshold
from mpnet.factors.logic import And, Clause, Implies, Not, Or
from mpnet.factors.maximum import Max, NoisyMax
from mpnet.factors.noisy import NoisyAnd, NoisyOr
from mpnet.factors.parity import Parity, Xor
from mpnet.factors.potts import Differ, Equal, Potts
from mpnet.factors.selection import AtMostOne, ExactlyOne, Pool
from mpnet.factors.sparse import SparseTable

__all__ = [
    "And",
    "AtLeast",
    "AtMost",
    "AtMostOne",
    "Automaton",
    "Cardinality",
    "Clause",
    "Differ",
    "Equal",
    "ExactlyOne",
    "Implies",
    "LinearThreshold",
    "Max",
    "NoisyAnd",
    "NoisyMax",
    "NoisyOr",
    "Not",
    "Or",
    "Parity",
    "Pool",
    "Potts",
    "SparseTable",
    "Xor",
]
