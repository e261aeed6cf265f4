"""Patterns as vectors of +1 and -1, and what a memory of them recalls from a cue."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CELLS = {"#": 1.0, ".": -1.0, "?": 0.0}
"""What a character says about a cell: on, off, not seen."""


def cells(rows: Sequence[str]) -> Floats:
    """Rows of ``#``, ``.`` and ``?`` as +1, -1 and 0, shape (height, width).

    Raises
    ------
    ValueError
        If rows differ in length or hold something else.

    """
    for row in rows:
        if len(row) != len(rows[0]) or not row:
            raise ValueError(f"rows must be equally long; {row!r} has {len(row)} cells")
        for character in row:
            if character not in CELLS:
                raise ValueError(
                    f"{character!r} is no cell; write # for on, . for off, ? for unseen"
                )
    return np.array([[CELLS[character] for character in row] for row in rows])


def scores(patterns: Floats, cue: Floats, beta: float) -> Floats:
    """Log-likelihood of a cue under each pattern, less that under chance, in nats.

    Each cell that was seen agrees with the pattern with probability 1 / (1 + exp(-2 beta)), and
    by chance with 1/2.

    Parameters
    ----------
    patterns : float64[patterns, cells]
        Of +1 and -1.
    cue : float64[cells]
        Of +1, -1, and 0 for what was not seen.
    beta : float
        How exact the memory is, in nats for each cell.

    Returns
    -------
    float64[patterns]

    """
    # log(2 / (1 + exp(-2 b x))) = b x - log cosh b, where x is +1 or -1.
    log_cosh = np.logaddexp(beta, -beta) - np.log(2.0)
    found: Floats = beta * patterns @ cue - np.count_nonzero(cue) * log_cosh
    return found


def recall(patterns: Floats, cue: Floats, beta: float) -> Floats:
    """Mean of the patterns, by how well each agrees with a cue: X softmax(beta X^T cue).

    This is one step of a modern Hopfield network (Ramsauer et al., "Hopfield networks is all you
    need", 2020), and the posterior mean of a mixture whose patterns are equally likely before.
    """
    logs = scores(patterns, cue, beta)
    weights = np.exp(logs - logs.max())
    found: Floats = weights @ patterns / weights.sum()
    return found
