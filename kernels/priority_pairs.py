"""Residual belief propagation for two states and pairs, laid out for random access to memory.

What the schedule costs is where it looks: each update visits another corner of the graph. So all
that an update needs of a message lies in one cache line, a record of eight numbers, and the
records of all messages to one variable lie side by side, after a record of the variable itself.
Messages are odds (second state over first).
"""

import numpy as np

from mpnet.kernels.buckets import Queue, bucket_of, pop, push
from mpnet.kernels.jit import inlined, kernel
from mpnet.kernels.layout import (
    ALIVE,
    ONE,
    THREE,
    TWO,
    UNSAFE,
    FloatArray,
    GraphArrays,
    IndexArray,
    Limits,
    PairArrays,
)
from mpnet.kernels.prefetching import prefetch
from mpnet.kernels.semiring import Semiring, plus

RECORD = np.uintp(8)
"""Numbers of a record."""

WORDS = np.uintp(16)
"""Whole numbers of half the size that a record has room for."""

SAID, FRESH, BOTH_OFF, FROM_ON, TO_ON, BOTH_ON = (np.uintp(i) for i in range(6))
"""Numbers in the record of a message: the message, what its factor would say now, and the table by
the states of the other variable and of this one (off-off, on-off, off-on, on-on)."""

BLOCK, FAR, BUCKET = (np.uintp(i) for i in range(12, 15))
"""Words in the record of a message: the record of its variable, of the factor's other message, and
the bucket it waits in, -1 for none."""

AHEAD = 8
"""Messages that are picked at once, so that the memory of one is fetched while another moves."""

FIELD, COUNT = np.uintp(0), np.uintp(12)
"""In the record of a variable: unary odds (a number), and how many messages follow (a word)."""


@kernel
def fill_records(
    graph: GraphArrays,
    family: PairArrays,
    unary: FloatArray,
    to_variable: FloatArray,
    candidate: FloatArray,
    edge_residual: FloatArray,
    tolerance: float,
    records: FloatArray,
    words: IndexArray,
    queue: Queue,
) -> None:
    """Lay out the records and queue all messages that would move.

    Parameters
    ----------
    graph : GraphArrays
        Pairs of variables with two states; not modified.
    family : PairArrays
        All factors of the graph.
    unary : float[B]
        Unary potentials, all possible; not modified.
    to_variable, candidate : float[S]
        Messages and what factors would say now, all possible; not modified.
    edge_residual : float64[E]
        How far these are apart, in nats; not modified.
    tolerance : float
        Messages with a smaller residual are not queued, in nats.
    records : float64[(V + E) * RECORD]
        Overwritten.
    words : int32[(V + E) * WORDS]
        The same memory.
    queue : Queue
        Empty; filled.

    """
    place = np.empty(edge_residual.size, dtype=np.int32)
    for variable in range(graph.variable_edges.size - 1):
        for slot in range(graph.variable_edges[variable], graph.variable_edges[variable + 1]):
            place[graph.slot_edge[slot]] = slot + variable + 1
    for variable in range(graph.variable_edges.size - 1):
        begin, end = graph.variable_edges[variable], graph.variable_edges[variable + 1]
        block = np.uintp(begin + variable)
        records[RECORD * block + FIELD] = unary[2 * variable + 1] / unary[2 * variable]
        words[WORDS * block + COUNT] = end - begin
        for slot in range(begin, end):
            edge = np.uintp(graph.slot_edge[slot])
            here = block + np.uintp(slot - begin) + ONE
            record, word, entry = RECORD * here, WORDS * here, TWO * edge
            records[record + SAID] = to_variable[entry + ONE] / to_variable[entry]
            records[record + FRESH] = candidate[entry + ONE] / candidate[entry]
            # The pair's two edges are neighbours, the first one even.
            table = np.uintp(family.factor_table[edge // TWO])
            first_on, second_on = family.tables[table + TWO], family.tables[table + ONE]
            if edge % TWO == 0:
                first_on, second_on = second_on, first_on
            records[record + BOTH_OFF] = family.tables[table]
            records[record + FROM_ON] = first_on
            records[record + TO_ON] = second_on
            records[record + BOTH_ON] = family.tables[table + THREE]
            words[word + BLOCK] = block
            words[word + FAR] = place[edge ^ ONE]
            words[word + BUCKET] = -1
            if edge_residual[edge] > tolerance:
                bucket = bucket_of(np.expm1(edge_residual[edge]))
                words[word + BUCKET] = bucket
                push(here, bucket, queue)


@kernel
def update_most_urgent_pairs(
    semiring: Semiring,
    limits: Limits,
    tolerance: float,
    most: int,
    records: FloatArray,
    words: IndexArray,
    queue: Queue,
    outgoing: FloatArray,
) -> tuple[int, int]:
    """Move up to ``most`` messages, those with the largest residuals first.

    Largest is to within half an octave, and among all but the last ``AHEAD`` that moved: so many
    are picked at once.

    Parameters
    ----------
    semiring : Semiring
        Linear.
    limits : Limits
        Where linear space ends.
    tolerance : float
        Stop once no residual is larger, as odds less one.
    most : int
        Messages to move.
    records, words, queue
        Of ``fill_records``; kept up to date.
    outgoing : float64[most edges of a variable]
        Overwritten.

    Returns
    -------
    int, int
        Messages moved, and ``ALIVE`` or ``UNSAFE``.

    """
    moved = 0
    picked = np.empty(AHEAD, dtype=np.int32)
    while moved < most:
        several = _pick(min(AHEAD, most - moved), picked, records, words, queue)
        if several == 0:
            return moved, ALIVE
        for which in range(several):
            here = np.uintp(picked[which])
            words[WORDS * here + BUCKET] = -1
            records[RECORD * here + SAID] = records[RECORD * here + FRESH]
            moved += 1
            block = np.uintp(words[WORDS * here + BLOCK])
            count = np.uintp(words[WORDS * block + COUNT])
            odds = records[RECORD * block + FIELD]
            for number in range(count):
                outgoing[number] = odds
                odds *= records[RECORD * (block + np.uintp(number) + ONE) + SAID]
            if not (odds > limits.floor and odds * limits.floor < 1.0):
                return moved, UNSAFE
            odds = 1.0
            for back in range(count):
                last = count - ONE - np.uintp(back)
                near = block + last + ONE
                cavity = outgoing[last] * odds
                odds *= records[RECORD * near + SAID]
                if near != here:
                    far = np.uintp(words[WORDS * near + FAR])
                    if not _ask(semiring, far, cavity, tolerance, records, words, queue):
                        return moved, UNSAFE
    return moved, ALIVE


@inlined
def _pick(
    most: int, picked: IndexArray, records: FloatArray, words: IndexArray, queue: Queue
) -> int:
    """Take the most urgent messages from the queue and ask for what they touch; how many."""
    count = 0
    while count < most:
        item, bucket = pop(queue)
        if item < 0:
            break
        here = np.uintp(item)
        if words[WORDS * here + BUCKET] != bucket:
            continue
        words[WORDS * here + BUCKET] = -1
        prefetch(records, RECORD * np.uintp(words[WORDS * here + BLOCK]))
        picked[count] = item
        count += 1
    for number in range(count):
        block = np.uintp(words[WORDS * np.uintp(picked[number]) + BLOCK])
        for neighbour in range(np.uintp(words[WORDS * block + COUNT])):
            near = block + np.uintp(neighbour) + ONE
            prefetch(records, RECORD * np.uintp(words[WORDS * near + FAR]))
    return count


@inlined
def _ask(
    semiring: Semiring,
    far: np.uintp,
    cavity: float,
    tolerance: float,
    records: FloatArray,
    words: IndexArray,
    queue: Queue,
) -> bool:
    """What a factor would say now, given the odds it hears; whether both states are possible."""
    record = RECORD * far
    off = plus(semiring, records[record + BOTH_OFF], records[record + FROM_ON] * cavity)
    on = plus(semiring, records[record + TO_ON], records[record + BOTH_ON] * cavity)
    if not (off > 0.0 and on > 0.0):
        return False
    records[record + FRESH] = on / off
    before = off * records[record + SAID]
    key = abs(on - before) / min(on, before)
    bucket = bucket_of(key) if not key <= tolerance else -1
    if bucket != words[WORDS * far + BUCKET]:
        words[WORDS * far + BUCKET] = bucket
        if bucket >= 0:
            push(far, bucket, queue)
    return True


@kernel
def read_records(graph: GraphArrays, records: FloatArray, to_variable: FloatArray) -> None:
    """Write the messages back, largest entry one.

    Parameters
    ----------
    graph : GraphArrays
        The graph; not modified.
    records : float64[(V + E) * RECORD]
        Of ``fill_records``; not modified.
    to_variable : float[S]
        Overwritten.

    """
    for variable in range(graph.variable_edges.size - 1):
        for slot in range(graph.variable_edges[variable], graph.variable_edges[variable + 1]):
            odds = records[RECORD * np.uintp(slot + variable + 1) + SAID]
            entry = 2 * graph.slot_edge[slot]
            to_variable[entry] = 1.0 if odds <= 1.0 else 1.0 / odds
            to_variable[entry + 1] = odds if odds <= 1.0 else 1.0
