"""Kinds of factors whose messages cost no more than their variables, one file per kind.

Each is written down by the names of its variables and given to ``GraphBuilder.add``; its
``batch`` makes many at once for ``FactorGraph.from_arrays``.
"""

from __future__ import annotations

from mpnet.factors.logic import And, Clause, Implies, Not, Or
from mpnet.factors.noisy import NoisyAnd, NoisyOr
from mpnet.factors.parity import Parity, Xor
from mpnet.factors.selection import AtMostOne, ExactlyOne, Pool

__all__ = [
    "And",
    "AtMostOne",
    "Clause",
    "ExactlyOne",
    "Implies",
    "NoisyAnd",
    "NoisyOr",
    "Not",
    "Or",
    "Parity",
    "Pool",
    "Xor",
]
