"""All that a plugin needs to bring a factor family with compiled kernels of its own.

A *family* is all factors of one kind and shape of a graph. It is served by three kernels, which
read a NamedTuple of arrays, and offered by two classes:

* a *content*, the factors as arrays, by their place in the family; inherit ``OwnContent``;
* a *kind*, one factor as a user writes it, by the names of its variables; inherit ``Written``.
  A node puts it into ``Rule(name, scope, kind=...)``, a program gives it to ``GraphBuilder.add``.

The kernels are entered where their module is imported, by ``register_family``; whoever has a
content has imported that module, so nothing else has to know of them. No entry point is needed:
a node type that uses a family imports it.

What kernels are given
----------------------
Every array is flat, and kernels write only where it says *overwritten*. With E edges and S states
of all edges in a row (see ``GraphArrays``; edges are numbered factor by factor, in the order of
each scope)::

    send(semiring, graph, family, first, last, to_factor, old, out, damping, edge_residual)
        -> (largest undamped residual, status)
    log_partition(semiring, graph, family, first, last, to_factor) -> nats
    log_potential(semiring, graph, family, first, last, assignment) -> nats

``semiring``
    Says what values mean; kernels are compiled once for each. ``plus(semiring, a, b)`` and
    ``times(semiring, a, b)`` are sums and products of numbers (``LinearSum``), maxima and products
    (``LinearMax``), or the same with logs, in nats (``LogSum``, ``LogMax``). ``semiring.zero`` is
    what is impossible, ``semiring.one`` neutral. A kernel that is written with these words serves
    all four; ``is_linear(semiring)`` is known while compiling, for code of one kind only.
``graph``
    ``GraphArrays``, read-only. The edges of factor ``f`` are
    ``graph.factor_edges[f]:graph.factor_edges[f + 1]``; the message of edge ``e`` is
    ``graph.edge_states[e]:graph.edge_states[e + 1]`` of ``to_factor``, ``old`` and ``out``.
``family``
    The NamedTuple that ``Content.arrays`` made: its first field is ``first``, the number of the
    first factor of the family, so that factor ``f`` is the row ``f - family.first``. Arrays are
    read-only; potentials are values of the semiring's space.
``first, last``
    The range ``first <= f < last`` of factors to serve: all of a family, a part of it (threads),
    or one (schedules that move one at a time).
``to_factor : float[S]``
    What variables say, of any scale; at least one entry of each message is possible.
``old, out : float[S]``
    What the factors said before, and, overwritten for their edges, what they say now: no entry
    above ``semiring.one``. They may be the same array.
``damping, edge_residual``
    Hand both to ``finish``, which scales, measures, damps and stores the messages of a factor.
    ``finish_wide`` does so for one message, undamped and in linear space, in half the time.
``assignment : int64[V]``
    A state for each variable of the graph: that of edge ``e`` is
    ``assignment[graph.edge_variable[e]]``.
``status``
    ``ALIVE``, or the first factor all of whose answers are impossible, or ``UNSAFE`` where a
    number became too small for linear space though it is no hard zero: mpnet then goes on in
    logs. ``is_small`` tells; a kernel in the semiring ``Boolean`` says what is possible at all.

``log_partition`` is the sum over the factors of the log of sum_x potential(x) prod_i
to_factor_i(x_i) (or the maximum of it, in the semiring's words); it alone gives the Bethe free
energy. ``log_potential`` is the sum of the logs of potentials of one assignment.

Compiled kernels are kept in mpnet's cache, in a folder named after the texts of their file and of
what it imports of its own package: keep them in a file that imports nothing of the rest, so that
changes elsewhere compile nothing. The first run of each version compiles, which takes some seconds
for each semiring and schedule.
*Evolving.*
"""

from __future__ import annotations

from mpnet.content import Content, Kind, Label, Maker, Parts
from mpnet.dense import WIDEST_RANGE, frozen, logs_of
from mpnet.factors.base import (
    Chained,
    Written,
    logs,
    need_arity,
    need_binary,
    need_numbers,
)
from mpnet.families.content import OwnContent
from mpnet.families.registering import register_family
from mpnet.kernels.answers import finish, finish_wide, inverse, is_small, lifted, smallest
from mpnet.kernels.families import FamilyKernels
from mpnet.kernels.jit import inlined, kernel, reordering_kernel
from mpnet.kernels.layout import (
    ALIVE,
    ONE,
    TWO,
    UNSAFE,
    FloatArray,
    GraphArrays,
    IndexArray,
    IntArray,
)
from mpnet.kernels.residuals import larger
from mpnet.kernels.semiring import (
    Boolean,
    LinearMax,
    LinearSum,
    LogMax,
    LogSum,
    Semiring,
    from_log,
    in_logs,
    is_linear,
    is_linear_sum,
    plus,
    times,
    to_log,
)

__all__ = [
    "ALIVE",
    "ONE",
    "TWO",
    "UNSAFE",
    "WIDEST_RANGE",
    "Boolean",
    "Chained",
    "Content",
    "FamilyKernels",
    "FloatArray",
    "GraphArrays",
    "IndexArray",
    "IntArray",
    "Kind",
    "Label",
    "LinearMax",
    "LinearSum",
    "LogMax",
    "LogSum",
    "Maker",
    "OwnContent",
    "Parts",
    "Semiring",
    "Written",
    "finish",
    "finish_wide",
    "from_log",
    "frozen",
    "in_logs",
    "inlined",
    "inverse",
    "is_linear",
    "is_linear_sum",
    "is_small",
    "kernel",
    "larger",
    "lifted",
    "logs",
    "logs_of",
    "need_arity",
    "need_binary",
    "need_numbers",
    "plus",
    "register_family",
    "reordering_kernel",
    "smallest",
    "times",
    "to_log",
]
