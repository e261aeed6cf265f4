"""Answers in the UAI 2014 formats: ``PR``, ``MAR`` and ``MPE``."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from mpnet.kernels.layout import FloatArray, IntArray


def write_pr(log_z: float) -> bytes:
    """The log10 of the partition sum; ``log_z`` is in nats."""
    return f"PR\n{float(log_z) / math.log(10.0)!r}\n".encode()


def write_mar(beliefs: FloatArray, cardinalities: IntArray) -> bytes:
    """Marginals of all variables, observed ones too.

    Parameters
    ----------
    beliefs : float64[B]
        Probabilities of all states of all variables in a row.
    cardinalities : int64[V]
        Number of states of each variable.

    """
    ends = np.cumsum(cardinalities)
    texts = [f"{p:.12g}" for p in beliefs.tolist()]
    parts = [str(cardinalities.size)]
    for count, end in zip(cardinalities.tolist(), ends.tolist(), strict=True):
        parts += [str(count), *texts[end - count : end]]
    return f"MAR\n{' '.join(parts)}\n".encode()


def write_mpe(assignment: Iterable[int]) -> bytes:
    """A state for each variable."""
    states = [str(int(state)) for state in assignment]
    return f"MPE\n{' '.join([str(len(states)), *states])}\n".encode()
