"""One factor at a time, of whichever family: for schedules that do not move all at once."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba.extending import overload

from mpnet.kernels.families import FAMILIES
from mpnet.kernels.jit import config
from mpnet.kernels.layout import FloatArray, GraphArrays
from mpnet.kernels.semiring import Semiring, class_of

SENDERS: dict[type, Callable[..., tuple[float, int]]] = {
    kernels.arrays: kernels.send for kernels in FAMILIES.values()
}
"""How each family sends, by the NamedTuple of its arrays."""


def send_one(
    semiring: Semiring,
    graph: GraphArrays,
    families: tuple[Any, ...],
    factor: int,
    to_factor: FloatArray,
    old: FloatArray,
    out: FloatArray,
    damping: float,
    edge_residual: FloatArray,
) -> tuple[float, int]:
    """Messages of one factor to all its variables.

    Parameters
    ----------
    families : tuple
        The arrays of all families, in the order of their factors.
    factor : int
        Index of the factor.
    semiring, graph, to_factor, old, out, damping, edge_residual
        As for ``mpnet.kernels.tables.send``, and so is what is returned.

    """
    family = next(f for f in reversed(families) if f.first <= factor)
    return SENDERS[type(family)](
        semiring, graph, family, factor, factor + 1, to_factor, old, out, damping, edge_residual
    )


def _choose(
    semiring: Any,
    graph: Any,
    families: Any,
    factor: Any,
    to_factor: Any,
    old: Any,
    out: Any,
    damping: Any,
    edge_residual: Any,
) -> Any:
    """The code of ``send_one`` for families of given types: a tree of comparisons.

    Indices are made as wide as those of ranges, so that no kernel is compiled for two widths.
    """
    send = SENDERS[class_of(families[0])]
    if len(families) == 1:
        return (
            lambda semiring, graph, families, factor, to_factor, old, out, damping, edge_residual: (
                send(
                    semiring,
                    graph,
                    families[0],
                    np.int64(factor),
                    np.int64(factor) + 1,
                    to_factor,
                    old,
                    out,
                    damping,
                    edge_residual,
                )
            )
        )

    half = len(families) // 2

    def one_of(
        semiring: Any,
        graph: Any,
        families: Any,
        factor: Any,
        to_factor: Any,
        old: Any,
        out: Any,
        damping: Any,
        edge_residual: Any,
    ) -> Any:
        if factor < families[half].first:
            return send_one(
                semiring, graph, families[:half], factor, to_factor, old, out, damping,
                edge_residual,
            )  # fmt: skip
        return send_one(
            semiring, graph, families[half:], factor, to_factor, old, out, damping, edge_residual
        )

    return one_of


if not config.DISABLE_JIT:
    overload(send_one, strict=False)(_choose)
