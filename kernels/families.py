"""The factor families: each is one kernel file, entered here in one line.

A family answers with one fixed signature each (see ``mpnet.kernels.tables`` for the words):
``send(graph, family, first, last, to_factor, out)``,
``log_partition(graph, family, first, last, to_factor)`` and
``log_potential(graph, family, first, last, assignment)``.
"""

from collections.abc import Callable
from typing import NamedTuple

from mpnet.kernels import tables


class FamilyKernels(NamedTuple):
    """The three kernels of one factor family."""

    send: Callable[..., int]
    log_partition: Callable[..., float]
    log_potential: Callable[..., float]


FAMILIES: dict[str, FamilyKernels] = {
    "table": FamilyKernels(tables.send, tables.log_partition, tables.log_potential),
}
