"""The factor families: each is one kernel file, entered here in one line.

A family answers with one fixed signature each (see ``mpnet.kernels.tables`` for the words):
``send(semiring, graph, family, first, last, to_factor, old, out, damping, edge_residual)``,
``log_partition(semiring, graph, family, first, last, to_factor)`` and
``log_potential(semiring, graph, family, first, last, assignment)``.
"""

from collections.abc import Callable
from typing import NamedTuple

from mpnet.kernels import (
    chains,
    counts,
    gate_totals,
    gates,
    maxima,
    pairs,
    potts,
    sparse,
    tables,
    triples,
)
from mpnet.kernels.chains import ChainArrays
from mpnet.kernels.counts import CountArrays
from mpnet.kernels.gates import GateArrays
from mpnet.kernels.layout import (
    DenseArrays,
    FloatArray,
    GraphArrays,
    IntArray,
    PairArrays,
    TableArrays,
    TripleArrays,
)
from mpnet.kernels.maxima import MaximaArrays
from mpnet.kernels.potts import PottsArrays
from mpnet.kernels.semiring import Semiring
from mpnet.kernels.sparse import SparseArrays


class FamilyKernels(NamedTuple):
    """The kernels of one factor family, and the NamedTuple that they know it by."""

    arrays: type
    send: Callable[..., tuple[float, int]]
    log_partition: Callable[..., float]
    log_potential: Callable[..., float]


def _plain(family: DenseArrays) -> TableArrays:
    """The same tables for a kernel that is compiled once, and not for each number of states."""
    return TableArrays(family.first, family.factor_table, family.tables)


def _log_partition(
    semiring: Semiring,
    graph: GraphArrays,
    family: DenseArrays,
    first: int,
    last: int,
    to_factor: FloatArray,
) -> float:
    return tables.log_partition(semiring, graph, _plain(family), first, last, to_factor)


def _log_potential(
    semiring: Semiring,
    graph: GraphArrays,
    family: DenseArrays,
    first: int,
    last: int,
    assignment: IntArray,
) -> float:
    return tables.log_potential(semiring, graph, _plain(family), first, last, assignment)


FAMILIES: dict[str, FamilyKernels] = {
    "table": FamilyKernels(TableArrays, tables.send, tables.log_partition, tables.log_potential),
    "triple": FamilyKernels(TripleArrays, triples.send, _log_partition, _log_potential),
    "pair": FamilyKernels(PairArrays, pairs.send, _log_partition, _log_potential),
    "gate": FamilyKernels(
        GateArrays, gates.send, gate_totals.log_partition, gate_totals.log_potential
    ),
    "potts": FamilyKernels(PottsArrays, potts.send, potts.log_partition, potts.log_potential),
    "count": FamilyKernels(CountArrays, counts.send, counts.log_partition, counts.log_potential),
    "maximum": FamilyKernels(MaximaArrays, maxima.send, maxima.log_partition, maxima.log_potential),
    "sparse": FamilyKernels(SparseArrays, sparse.send, sparse.log_partition, sparse.log_potential),
    "chain": FamilyKernels(ChainArrays, chains.send, chains.log_partition, chains.log_potential),
}
