"""Tables of log potentials from a Python function of the states."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

from mpnet.dense import TABLE_ENTRIES
from mpnet.errors import shown
from mpnet.kernels.layout import FloatArray
from mpnet.nodes.base import Surroundings, fault
from mpnet.nodes.calling import WrongAnswerError


def tabulate(
    function: Callable[..., float],
    scope: Sequence[str],
    around: Surroundings,
    log: bool = False,
) -> FloatArray:
    """Ask a function about every assignment of some nodes.

    Parameters
    ----------
    function : callable
        Takes one state per node of ``scope``, as text, and returns a weight >= 0: 1 says nothing,
        0 makes the assignment impossible, 3 makes it three times as likely.
    scope : sequence of str
        The nodes.
    around : Surroundings
        To look up their states.
    log : bool
        Whether the function returns logs (nats; ``-inf`` for impossible).

    Returns
    -------
    float64 array
        Log potentials in nats, one axis per node; ready for ``Rule(name, scope, table)``.

    Raises
    ------
    NodeFaults
        If the table would be too large.

    """
    states = [around.states_of(name) for name in scope]
    shape = tuple(len(each) for each in states)
    if math.prod(shape) > TABLE_ENTRIES:
        what = f"a table of {' × '.join(map(str, shape))} entries; at most {TABLE_ENTRIES} fit"
        raise fault((), what, "nodes of fewer states, or a kind of factor instead of a table")
    said = [_weight(function, each, log) for each in itertools.product(*states)]
    table = np.array(said, dtype=np.float64).reshape(shape)
    if log:
        return table
    with np.errstate(divide="ignore"):
        logs: FloatArray = np.log(table)
    return logs


def _weight(function: Callable[..., float], states: tuple[str, ...], log: bool) -> float:
    found = function(*states)
    lowest = -math.inf if log else 0.0
    try:
        number = float(found)
        fits = lowest <= number < math.inf
    except (TypeError, ValueError):
        fits = False
    if fits:
        return number
    said = shown(", ".join(map(repr, states)))
    wanted = "a log, finite or -inf" if log else "a weight, finite and >= 0"
    raise WrongAnswerError(f"with {shown(repr(found))} for ({said}); it must be {wanted}")
