"""Passing tables along the arcs of a join graph: one message after another."""

import numpy as np

from mpnet.kernels.jit import kernel
from mpnet.kernels.layout import ALIVE, UNSAFE, FloatArray, IndexArray, IntArray
from mpnet.kernels.regions import Program, contract, extremes
from mpnet.kernels.residuals import larger, settle
from mpnet.kernels.semiring import Semiring, is_linear


@kernel
def send(
    semiring: Semiring,
    program: Program,
    first: int,
    last: int,
    operand_table: IndexArray,
    target: IntArray,
    size: IntArray,
    lowest: float,
    arena: FloatArray,
    low: FloatArray,
    damping: float,
    op_residual: FloatArray,
) -> tuple[float, int]:
    """Recompute messages ``first`` to ``last - 1`` in their order, each from the latest others.

    Parameters
    ----------
    semiring : Semiring
        What the values mean.
    program : Program
        A contraction for each message; its result is a place for the new one; not modified.
    first, last : int
        Range of messages.
    operand_table : int32[P]
        The table that each operand of the program is: ``low`` goes by it.
    target, size : int64[O]
        Where each message lies in the arena, and its entries.
    lowest : float
        The least sum of ``low`` over what a message multiplies; unread in log space.
    arena : float64[...]
        All tables; the messages are overwritten.
    low : float64[T]
        Log of the smallest possible entry of each table relative to the largest; overwritten
        for the messages.
    damping : float
        Weight of the old message, in the log domain, in [0, 1).
    op_residual : float64[O]
        Overwritten with each message's undamped residual, in nats.

    Returns
    -------
    float
        The largest undamped residual, in nats; NaN if any message holds a NaN.
    int
        The first message that allows nothing, ``ALIVE``, or ``UNSAFE`` where a product may fall
        below the smallest number; the messages before it have moved.

    """
    worst = 0.0
    for op in range(first, last):
        result = program.op_operands[op]
        if is_linear(semiring):
            least = 0.0
            for operand in range(result + 1, program.op_operands[op + 1]):
                least += low[operand_table[operand]]
            if least < lowest:
                return worst, UNSAFE
        contract(semiring, program, op, semiring.one, arena)
        fresh = program.operand_start[result]
        change = settle(semiring, size[op], arena, fresh, arena, arena, target[op], damping)
        if change < 0.0:
            return worst, op
        op_residual[op] = change
        worst = larger(worst, change)
        if is_linear(semiring):
            best, smallest = extremes(semiring, arena, target[op], size[op])
            low[operand_table[result]] = np.log(smallest) - np.log(best)
    return worst, ALIVE
