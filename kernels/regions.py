"""Products of tables, summed onto some of their variables: the one step of cluster propagation.

All tables of a run lie in one array, the arena. A *contraction* reads some of them, multiplies
them entry by entry over the union of their scopes, and adds up onto the scope of another one,
without ever storing the product. Axes of a table are sorted by the rank of their variables; the
last varies fastest.
"""

from typing import NamedTuple

import numpy as np

from mpnet.kernels.jit import kernel, reordering_kernel
from mpnet.kernels.layout import FloatArray, IndexArray, IntArray
from mpnet.kernels.semiring import Semiring, plus, times

TILE = 512
"""Entries of a row at most: a row of each table stays in the nearest cache."""

SCRATCH = 2**16
"""Entries at the end of every arena that a contraction may use for itself."""

SHORT = 8
"""Runs of a row shorter than this are gathered entry by entry."""

SCALAR, ROW, SPREAD = 0, 1, 2
"""What a table holds of a row: one entry, all of them in order, or some of them."""


class Program(NamedTuple):
    """Contractions, read-only: O of them, P operands, A axes.

    Operand ``op_operands[o]`` of contraction ``o`` is its result, those after it are read. Its
    axes are looped over in their order, the first slowest: axes of the result that are not in
    the row, axes that are added up, then the row's.
    """

    op_operands: IntArray
    """Start of each contraction's operands, shape (O + 1,)."""
    operand_start: IntArray
    """Where each operand's table starts in the arena, shape (P,)."""
    op_axes: IntArray
    """Start of each contraction's axes, shape (O + 1,)."""
    axis_count: IntArray
    """States of each axis, shape (A,)."""
    op_rows: IndexArray
    """Number of axes that make the row, shape (O,)."""
    op_kept: IndexArray
    """Number of axes before the row that the result has, shape (O,)."""
    op_strides: IntArray
    """Start of each contraction's strides, operand by operand, axis by axis, shape (O + 1,)."""
    strides: IntArray
    """Entries from one state of an axis to the next; 0 where the operand lacks the axis."""


@kernel
def lay_out(  # noqa: PLR0912, PLR0915
    counts: IntArray,
    table_scopes: IntArray,
    scope_rank: IndexArray,
    op_operands: IntArray,
    operand_table: IndexArray,
) -> tuple[IntArray, IntArray, IndexArray, IndexArray, IntArray, IntArray]:
    """Work out axes and strides of contractions.

    Parameters
    ----------
    counts : int64[R]
        States of the variable of each rank.
    table_scopes : int64[T + 1]
        Start of each table's scope.
    scope_rank : int32[table_scopes[T]]
        Ranks of each table's variables, ascending.
    op_operands : int64[O + 1]
        Start of each contraction's operands: its result first.
    operand_table : int32[P]
        The table that each operand is.

    Returns
    -------
    tuple
        ``op_axes``, ``axis_count``, ``op_rows``, ``op_kept``, ``op_strides`` and ``strides`` of
        ``Program``.

    """
    count = op_operands.size - 1
    op_axes = np.zeros(count + 1, dtype=np.int64)
    op_strides = np.zeros(count + 1, dtype=np.int64)
    op_rows = np.zeros(count, dtype=np.int32)
    op_kept = np.zeros(count, dtype=np.int32)
    seen = np.full(counts.size, -1, dtype=np.int64)
    for op in range(count):
        axes = 0
        for operand in range(op_operands[op], op_operands[op + 1]):
            table = operand_table[operand]
            for place in range(table_scopes[table], table_scopes[table + 1]):
                if seen[scope_rank[place]] != op:
                    seen[scope_rank[place]] = op
                    axes += 1
        op_axes[op + 1] = op_axes[op] + axes
        operands = op_operands[op + 1] - op_operands[op]
        op_strides[op + 1] = op_strides[op] + axes * operands
    axis_count = np.empty(op_axes[count], dtype=np.int64)
    strides = np.zeros(op_strides[count], dtype=np.int64)
    seen[:] = -1
    axis_of = np.empty(counts.size, dtype=np.int64)
    for op in range(count):
        first, axes = op_axes[op], op_axes[op + 1] - op_axes[op]
        ranks = np.empty(axes, dtype=np.int64)
        found = 0
        for operand in range(op_operands[op], op_operands[op + 1]):
            table = operand_table[operand]
            for place in range(table_scopes[table], table_scopes[table + 1]):
                rank = np.int64(scope_rank[place])
                if seen[rank] != op:
                    seen[rank] = op
                    ranks[found] = rank
                    found += 1
        ranks.sort()
        row, rows = 1, 0
        while rows < axes and row * counts[ranks[axes - 1 - rows]] <= TILE:
            row *= counts[ranks[axes - 1 - rows]]
            rows += 1
        op_rows[op] = rows
        result = operand_table[op_operands[op]]
        for axis in range(axes):
            axis_of[ranks[axis]] = -1
        for place in range(table_scopes[result], table_scopes[result + 1]):
            axis_of[scope_rank[place]] = 0
        at = 0
        for wanted in (0, -1):
            for axis in range(axes - rows):
                if axis_of[ranks[axis]] == wanted:
                    axis_of[ranks[axis]] = 1 + at
                    axis_count[first + at] = counts[ranks[axis]]
                    at += 1
            if wanted == 0:
                op_kept[op] = at
        for axis in range(axes - rows, axes):
            axis_of[ranks[axis]] = 1 + axis
            axis_count[first + axis] = counts[ranks[axis]]
        base = op_strides[op]
        for operand in range(op_operands[op], op_operands[op + 1]):
            table = operand_table[operand]
            step = 1
            for place in range(table_scopes[table + 1] - 1, table_scopes[table] - 1, -1):
                rank = np.int64(scope_rank[place])
                strides[base + axis_of[rank] - 1] = step
                step *= counts[rank]
            base += axes
    return op_axes, axis_count, op_rows, op_kept, op_strides, strides


@reordering_kernel
def contract(
    semiring: Semiring,
    program: Program,
    op: int,
    lead: float,
    arena: FloatArray,
) -> None:
    """Multiply tables and add the product up onto the scope of another.

    Parameters
    ----------
    semiring : Semiring
        What the values mean.
    program : Program
        All contractions; not modified.
    op : int
        Which one.
    lead : float
        A value of the semiring that everything is multiplied with.
    arena : float64[...]
        All tables, and ``SCRATCH`` entries more at the end; the result's table and the scratch
        are overwritten, the others are not modified.

    """
    first = program.op_operands[op]
    operands = program.op_operands[op + 1] - first
    begin, end = program.op_axes[op], program.op_axes[op + 1]
    axes = end - begin
    outer = axes - program.op_rows[op]
    width, steps = 1, 1
    for axis in range(axes):
        if axis < outer:
            steps *= program.axis_count[begin + axis]
        else:
            width *= program.axis_count[begin + axis]
    strides = np.empty((operands, axes), dtype=np.int64)
    offset = np.empty(operands, dtype=np.int64)
    kind = np.empty(operands, dtype=np.int64)
    wide = np.empty(operands, dtype=np.int64)
    run = np.ones(operands, dtype=np.int64)
    where = np.empty((operands, width), dtype=np.int64)
    rows = _set_up(program, op, width, steps, arena, strides, offset, kind, wide, run, where)
    total = np.empty(width, dtype=arena.dtype)
    product = np.empty(width, dtype=arena.dtype)
    total[:] = semiring.zero
    counter = np.zeros(outer + 1, dtype=np.int64)
    for _ in range(steps):
        single = lead
        for operand in range(1, operands):
            if kind[operand] == SCALAR:
                single = times(semiring, single, arena[offset[operand]])
        if single != semiring.zero:
            _add_row(
                semiring, arena, single, width, rows, wide, offset, kind, run, where, product, total
            )
        here = offset[0]
        axis = outer - 1
        while axis >= 0:
            counter[axis] += 1
            if counter[axis] < program.axis_count[begin + axis]:
                for operand in range(operands):
                    offset[operand] += strides[operand, axis]
                break
            back = counter[axis] - 1
            counter[axis] = 0
            for operand in range(operands):
                offset[operand] -= back * strides[operand, axis]
            axis -= 1
        if axis < program.op_kept[op]:
            # The next row adds to another part of the result.
            _store(semiring, program, op, arena, here, strides, width, total, product)


@kernel
def _set_up(  # noqa: PLR0912  one branch per kind of operand
    program: Program,
    op: int,
    width: int,
    steps: int,
    arena: FloatArray,
    strides: IntArray,
    offset: IntArray,
    kind: IntArray,
    wide: IntArray,
    run: IntArray,
    where: IntArray,
) -> int:
    """Find out what each operand holds of a row; how many hold more than one entry.

    A small operand that holds some entries is written out, whole rows of it, into the scratch.
    """
    begin, end = program.op_axes[op], program.op_axes[op + 1]
    axes = end - begin
    outer = axes - program.op_rows[op]
    first = program.op_operands[op]
    free = arena.size - SCRATCH
    rows = 0
    for operand in range(offset.size):
        offset[operand] = program.operand_start[first + operand]
        for axis in range(axes):
            strides[operand, axis] = program.strides[program.op_strides[op] + operand * axes + axis]
        block, step, outside = 1, 1, 1
        every = True
        for axis in range(axes - 1, -1, -1):
            count, stride = program.axis_count[begin + axis], strides[operand, axis]
            if axis < outer:
                outside *= count if stride != 0 else 1
            else:
                block *= count if stride != 0 else 1
                every = every and (stride == step or count == 1)
                step *= count
        kind[operand] = ROW if every else (SPREAD if block > 1 else SCALAR)
        if operand == 0:
            continue
        if kind[operand] != SCALAR:
            wide[rows] = operand
            rows += 1
        if kind[operand] != SPREAD:
            continue
        where[operand, 0] = 0
        filled = 1
        same, going = 0, True
        for axis in range(axes - 1, outer - 1, -1):
            stride = strides[operand, axis]
            for state in range(1, program.axis_count[begin + axis]):
                for place in range(filled):
                    where[operand, state * filled + place] = where[operand, place] + state * stride
            filled *= program.axis_count[begin + axis]
            if filled > 1 and same == 0:
                same = 1 if stride == 0 else -1
            going = going and (stride == 0) == (same == 1)
            if going:
                run[operand] = same * filled
        size = outside * width
        if 4 * outside <= steps and free + size <= arena.size:
            for row in range(outside):
                source, target = offset[operand] + row * block, free + row * width
                for place in range(width):
                    arena[target + place] = arena[source + where[operand, place]]
            offset[operand] = free
            free += size
            kind[operand] = ROW
            for axis in range(outer):
                strides[operand, axis] = strides[operand, axis] // block * width
    # Whole rows last: the very last is multiplied in while the product is added up.
    last = rows - 1
    for number in range(rows - 1, -1, -1):
        if kind[wide[number]] == ROW:
            wide[number], wide[last] = wide[last], wide[number]
            last -= 1
    return rows


@reordering_kernel
def _add_row(
    semiring: Semiring,
    arena: FloatArray,
    single: float,
    width: int,
    rows: int,
    wide: IntArray,
    offset: IntArray,
    kind: IntArray,
    run: IntArray,
    where: IntArray,
    product: FloatArray,
    total: FloatArray,
) -> None:
    """Add one row of the product to ``total``; ``product`` is scratch."""
    if rows == 0:
        for place in range(width):
            total[place] = plus(semiring, total[place], single)
        return
    span = np.uintp(width)
    last = wide[rows - 1]
    end = np.uintp(offset[last])
    if rows == 1 and kind[last] == ROW:
        for place in range(span):
            total[place] = plus(semiring, total[place], times(semiring, single, arena[end + place]))
        return
    if rows == 2 and kind[wide[0]] == ROW:
        one = np.uintp(offset[wide[0]])
        for place in range(span):
            value = times(semiring, arena[one + place], arena[end + place])
            total[place] = plus(semiring, total[place], times(semiring, single, value))
        return
    for place in range(span):
        product[place] = single
    whole = 1 if kind[last] == ROW else 0
    for number in range(rows - whole):
        _multiply(semiring, arena, wide[number], span, offset, kind, run, where, product)
    if whole == 1:
        for place in range(span):
            value = times(semiring, product[place], arena[end + place])
            total[place] = plus(semiring, total[place], value)
    else:
        for place in range(span):
            total[place] = plus(semiring, total[place], product[place])


@reordering_kernel
def _multiply(
    semiring: Semiring,
    arena: FloatArray,
    operand: int | np.unsignedinteger,
    span: int | np.unsignedinteger,
    offset: IntArray,
    kind: IntArray,
    run: IntArray,
    where: IntArray,
    product: FloatArray,
) -> None:
    """Multiply a row by what one operand holds of it."""
    one = np.uintp(offset[operand])
    length = np.uintp(abs(run[operand]))
    here = where[operand]
    if kind[operand] == ROW:
        for place in range(span):
            product[place] = times(semiring, product[place], arena[one + place])
    elif length < np.uintp(SHORT):
        for place in range(span):
            value = arena[one + np.uintp(here[place])]
            product[place] = times(semiring, product[place], value)
    elif run[operand] > 0:
        for block in range(np.uintp(0), span, length):
            value = arena[one + np.uintp(here[block])]
            for place in range(length):
                product[block + place] = times(semiring, product[block + place], value)
    else:
        for block in range(np.uintp(0), span, length):
            begin = one + np.uintp(here[block])
            for place in range(length):
                value = arena[begin + place]
                product[block + place] = times(semiring, product[block + place], value)


@reordering_kernel
def _store(
    semiring: Semiring,
    program: Program,
    op: int,
    arena: FloatArray,
    start: int,
    strides: IntArray,
    width: int,
    total: FloatArray,
    product: FloatArray,
) -> None:
    """Write a finished row of the result, and begin the next with nothing.

    Axes of the row that the result lacks are added up one after another, the first one first;
    what is left lies in the result as it lies in the row. ``product`` is scratch.
    """
    begin = program.op_axes[op]
    axes = program.op_axes[op + 1] - begin
    size, before = width, 1
    source, target = total, product
    for axis in range(axes - program.op_rows[op], axes):
        count = program.axis_count[begin + axis]
        if count == 1:
            continue
        if strides[0, axis] != 0:
            before *= count
            continue
        size //= count
        _shorten(semiring, before, count, size // before, source, target)
        source, target = target, source
    for place in range(size):
        arena[start + place] = source[place]
    for place in range(width):
        total[place] = semiring.zero


@reordering_kernel
def _shorten(
    semiring: Semiring, before: int, count: int, after: int, source: FloatArray, target: FloatArray
) -> None:
    """Add up the middle one of three axes."""
    if after == 1 and count == 2:
        for block in range(np.uintp(before)):
            pair = np.uintp(2) * block
            target[block] = plus(semiring, source[pair], source[pair + np.uintp(1)])
        return
    if after == 2 and count == 2:
        for block in range(np.uintp(before)):
            to, four = np.uintp(2) * block, np.uintp(4) * block
            target[to] = plus(semiring, source[four], source[four + np.uintp(2)])
            target[to + np.uintp(1)] = plus(
                semiring, source[four + np.uintp(1)], source[four + np.uintp(3)]
            )
        return
    span = np.uintp(after)
    for block in range(np.uintp(before)):
        to = block * span
        begin = to * np.uintp(count)
        if count == 2:
            for place in range(span):
                target[to + place] = plus(
                    semiring, source[begin + place], source[begin + span + place]
                )
            continue
        for place in range(span):
            target[to + place] = source[begin + place]
        for state in range(np.uintp(1), np.uintp(count)):
            for place in range(span):
                value = source[begin + state * span + place]
                target[to + place] = plus(semiring, target[to + place], value)


@reordering_kernel
def extremes(semiring: Semiring, arena: FloatArray, start: int, size: int) -> tuple[float, float]:
    """The largest entry of a table, and the smallest that is not a hard zero.

    Parameters
    ----------
    semiring : Semiring
        What the values mean.
    arena : float64[...]
        All tables; not modified.
    start, size : int
        Where the table is.

    Returns
    -------
    float, float
        ``(zero, inf)`` of the semiring where nothing is possible.

    """
    high, low = semiring.zero, np.inf
    for place in range(start, start + size):
        value = arena[place]
        high = value if value > high else high
        low = value if value < low and value != semiring.zero else low
    return high, low


@kernel
def rescale(semiring: Semiring, arena: FloatArray, start: int, size: int, factor: float) -> None:
    """Multiply a table of the arena with a value of the semiring, in place."""
    for place in range(start, start + size):
        arena[place] = times(semiring, arena[place], factor)
