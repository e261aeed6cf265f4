"""Conditional tables: what a variable of many states says of another, state by state."""

from __future__ import annotations

import numpy as np

from mpnet.kernels.layout import FloatArray
from mpnet.nodes.base import Rule


def conditional(
    source: str, target: str, rows: FloatArray, base: FloatArray, hard: bool = False
) -> Rule:
    """If ``source`` is in state s, ``target`` follows row s.

    The table holds log(p_s(x) / q(x)), so that an unobserved target sends an exactly neutral
    message to its source: saying more costs and gains nothing.

    Parameters
    ----------
    source, target : str
        The nodes.
    rows : float64[states of source, states of target]
        Probabilities; each row sums to 1.
    base : float64[states of target]
        Base rates q of the target; a state that never occurs must have 0 in every row.
    hard : bool
        Whether the rows are certain.

    """
    possible = base > 0.0
    table = np.zeros(rows.shape)
    with np.errstate(divide="ignore"):
        table[:, possible] = np.log(rows[:, possible]) - np.log(base[possible])
    return Rule(f"{source} → {target}", (source, target), table, hard=hard)
