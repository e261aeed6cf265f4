"""The factor families: each is one kernel file, entered here in one line.

A family answers with one fixed signature each (see ``mpnet.kernels.tables`` for the words):
``send(semiring, graph, family, first, last, to_factor, old, out, damping, edge_residual)``,
``log_partition(semiring, graph, family, first, last, to_factor)`` and
``log_potential(semiring, graph, family, first, last, assignment)``.
"""

from collections.abc import Callable
from typing import NamedTuple

from mpnet.kernels import gate_totals, gates, pairs, tables, triples
from mpnet.kernels.gates import GateArrays
from mpnet.kernels.layout import PairArrays, TableArrays, TripleArrays


class FamilyKernels(NamedTuple):
    """The kernels of one factor family, and the NamedTuple that they know it by."""

    arrays: type
    send: Callable[..., tuple[float, int]]
    log_partition: Callable[..., float]
    log_potential: Callable[..., float]


FAMILIES: dict[str, FamilyKernels] = {
    "table": FamilyKernels(TableArrays, tables.send, tables.log_partition, tables.log_potential),
    "triple": FamilyKernels(TripleArrays, triples.send, tables.log_partition, tables.log_potential),
    "pair": FamilyKernels(PairArrays, pairs.send, tables.log_partition, tables.log_potential),
    "gate": FamilyKernels(
        GateArrays, gates.send, gate_totals.log_partition, gate_totals.log_potential
    ),
}
