"""Exact passes over a join tree: up to the roots and down again.

Sums run on numbers, each table with its own scale. Where products may fall below the smallest
number, what that can cost is bounded and carried along; if the bound is not far below the
rounding of the arithmetic, everything is done again on logs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mpnet.kernels import regions
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.kernels.regions import Program
from mpnet.kernels.semiring import LinearSum, LogMax, LogSum, Semiring, is_linear
from mpnet.regions.plans import Plan, Planner, program_of
from mpnet.regions.reduction import Scope

LOWEST = math.log(1e-290)
"""Products whose logs can't fall below this keep all their digits."""

TINY = 1e-300
"""What a product loses at most where it falls below the smallest number."""

ACCURATE = 1e-14
"""Share of a result that may have been lost; less than rounding costs."""

WIDE = 40.0
"""A table whose largest entry is further than this from one, in nats, is scaled in place."""


class LostError(ArithmeticError):
    """Numbers left the range of linear space; nothing was concluded."""


@dataclass(eq=False)
class Tables:
    """The arena of a run and, for each table by number, what is known of it.

    A table stands for its entries times ``exp(scale)``. ``high`` is the log of its largest
    entry, ``low`` that of its smallest possible one relative to the largest, ``lost`` what an
    entry may be wrong by, relative to the largest.
    """

    semiring: Semiring
    arena: FloatArray
    scale: list[float]
    high: list[float]
    low: list[float]
    lost: list[float]

    def run(
        self,
        program: Program,
        op: int,
        operands: Sequence[int],
        place: int,
        size: int,
        summed: float,
    ) -> bool:
        """Do one contraction; False if nothing is possible.

        Parameters
        ----------
        program : Program
            All contractions.
        op : int
            Which one.
        operands : sequence of int
            Numbers of its tables, the result first.
        place, size : int
            Where the result is, in entries.
        summed : float
            Entries of the product per entry of the result.

        Raises
        ------
        LostError
            If linear space can't tell whether anything is possible.

        """
        result, *read = operands
        linear = is_linear(self.semiring)
        raised = -math.fsum(self.high[t] for t in read)
        lead = math.exp(raised) if linear else raised
        regions.contract(self.semiring, program, op, lead, self.arena)
        best, least = regions.extremes(self.semiring, self.arena, place, size)
        lost = sum(self.lost[t] for t in read)
        if linear and sum(self.low[t] for t in read) < LOWEST:
            lost += TINY
        if best == self.semiring.zero:
            if lost > 0.0:
                raise LostError
            return False
        if linear:
            self.lost[result] = lost * summed / best
            best, least = math.log(best), math.log(least)
        self.scale[result] = math.fsum(self.scale[t] + self.high[t] for t in read)
        self.high[result], self.low[result] = best, least - best
        if abs(best) > WIDE:
            factor = math.exp(-best) if linear else -best
            regions.rescale(self.semiring, self.arena, place, size, factor)
            self.scale[result] += best
            self.high[result] = 0.0
        return True

    def value(self, number: int, place: int, shape: Sequence[int]) -> FloatArray:
        """A table scaled to a largest entry of one (a copy).

        Raises
        ------
        LostError
            If too much of it may be missing.

        """
        if self.lost[number] > ACCURATE:
            raise LostError
        part = self.arena[place : place + math.prod(shape)].reshape(shape)
        if is_linear(self.semiring):
            return part * math.exp(-self.high[number])
        result: FloatArray = np.exp(part - self.high[number])
        return result


def load(
    planner: Planner, plan: Plan, semiring: Semiring, arena: FloatArray | None = None
) -> Tables:
    """An arena with the factors' tables in their places."""
    count = len(planner.scopes)
    made = Tables(
        semiring,
        np.empty(plan.entries) if arena is None else arena,
        [0.0] * count,
        [0.0] * count,
        [0.0] * count,
        [0.0] * count,
    )
    for number, table in enumerate(planner.model.tables):
        best = float(table.max())
        possible = table[table != -np.inf]
        low = float(possible.min()) - best if possible.size else 0.0
        values = table - best if best != -np.inf else table
        if is_linear(semiring):
            if low < LOWEST:
                made.lost[number], low = math.exp(LOWEST), LOWEST
                values = np.where(values < LOWEST, -np.inf, values)
            values = np.exp(values)
        place = plan.factor_places[number]
        made.arena[place : place + table.size] = values.reshape(-1)
        made.scale[number] = best if best != -np.inf else 0.0
        made.low[number] = low
    return made


@dataclass(eq=False)
class Calibrated:
    """What an exact pass found.

    Parameters
    ----------
    log_z : float
        Log of the sum (or of the largest term), in nats; ``-inf`` where nothing is possible.
    reads : list of float64[...]
        The tables that were asked for, each summing to one.
    guilty : tuple of int
        Ranks of the cluster in which nothing is possible.
    tables : Tables or None
        All messages, where they were kept.

    """

    log_z: float
    reads: list[FloatArray] = field(default_factory=list)
    guilty: Scope = ()
    tables: Tables | None = None


def calibrate(
    planner: Planner, plan: Plan, *, maximise: bool = False, keep: bool = False
) -> Calibrated:
    """Pass tables up and down, on numbers if that is safe and on logs if not.

    Parameters
    ----------
    planner : Planner
        The tree and its reads.
    plan : Plan
        What the planner made.
    maximise : bool
        Max-product instead of sum-product.
    keep : bool
        Whether messages are wanted afterwards; the plan must have kept them.

    """
    program = planner.program(plan)
    if maximise:
        return _calibrate(planner, plan, program, LogMax(), keep)
    try:
        return _calibrate(planner, plan, program, LinearSum(), keep)
    except LostError:
        return _calibrate(planner, plan, program, LogSum(), keep)


def _calibrate(
    planner: Planner, plan: Plan, program: Program, semiring: Semiring, keep: bool
) -> Calibrated:
    tables = load(planner, plan, semiring)
    log_z = 0.0
    reads: list[FloatArray] = [np.empty(0)] * len(planner.reads)
    for op, operands in enumerate(plan.operands):
        number = operands[0]
        place, size = plan.places[op][0], planner.sizes[number]
        entries = math.prod(
            program.axis_count[program.op_axes[op] : program.op_axes[op + 1]].tolist()
        )
        if not tables.run(program, op, operands, place, size, entries / size):
            return Calibrated(-math.inf, guilty=_ranks(planner, operands))
        if planner.read <= number < planner.read + len(planner.reads):
            scope = planner.scopes[number]
            shape = [int(planner.model.counts[rank]) for rank in scope]
            belief = tables.value(number, place, shape)
            reads[number - planner.read] = belief / belief.sum()
        elif planner.up <= number < planner.down and planner.tree.parents[number - planner.up] < 0:
            if tables.lost[number] > ACCURATE:
                raise LostError
            log_z += tables.scale[number] + tables.high[number]
    return Calibrated(log_z, reads, tables=tables if keep else None)


def _ranks(planner: Planner, operands: Sequence[int]) -> Scope:
    return tuple(sorted({rank for number in operands for rank in planner.scopes[number]}))


def read_off(
    planner: Planner, plan: Plan, tables: Tables, scope: Scope, cluster: int, above: bool
) -> FloatArray:
    """A table over ranks (ascending) from messages that were kept, summing to one."""
    if above:
        numbers = [planner.up + cluster, planner.down + cluster]
    else:
        numbers = [
            *planner.tree.factors[cluster],
            *(planner.up + d for d in planner.children[cluster]),
        ]
        if planner.tree.parents[cluster] >= 0:
            numbers.append(planner.down + cluster)
    table = contract_once(
        tables.semiring,
        planner.model.counts,
        [planner.scopes[n] for n in numbers],
        [tables.arena[plan.last[n] : plan.last[n] + planner.sizes[n]] for n in numbers],
        scope,
        -math.fsum(tables.high[n] for n in numbers),
    )
    if not is_linear(tables.semiring):
        table = np.exp(table - table.max())
    result: FloatArray = table / table.sum()
    return result


def contract_once(
    semiring: Semiring,
    counts: IntArray,
    scopes: Sequence[Scope],
    tables: Sequence[FloatArray],
    onto: Scope,
    log_lead: float = 0.0,
) -> FloatArray:
    """A product of tables, added up onto some of their variables, in an arena of its own.

    Parameters
    ----------
    semiring : Semiring
        What the values mean.
    counts : int64[R]
        States of the variable of each rank.
    scopes : sequence of tuple of int
        Ranks of each table, ascending.
    tables : sequence of float64[...]
        Their entries, of any shape; not modified.
    onto : tuple of int
        Ranks of the result, ascending.
    log_lead : float
        Log of a number to multiply with.

    """
    shape = [int(counts[rank]) for rank in onto]
    size = math.prod(shape)
    places = np.cumsum([0, size, *(table.size for table in tables)])
    arena = np.empty(int(places[-1]) + regions.SCRATCH)
    for place, table in zip(places[1:], tables, strict=False):
        arena[place : place + table.size] = table.reshape(-1)
    every = [onto, *scopes]
    program = program_of(counts, every, [list(range(len(every)))], [places[:-1].tolist()])
    lead = math.exp(log_lead) if is_linear(semiring) else log_lead
    regions.contract(semiring, program, 0, lead, arena)
    return arena[:size].reshape(shape).copy()
