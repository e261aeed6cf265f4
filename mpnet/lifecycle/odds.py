"""From logs to probabilities and odds."""

from __future__ import annotations

import numpy as np

from mpnet.kernels.layout import FloatArray

INACTIVE, ACTIVE = 0, 1
"""States of a model."""


def normalised(logs: FloatArray) -> FloatArray:
    """Probabilities from logs, in nats; zeros where nothing is possible."""
    best = float(logs.max())
    odds: FloatArray = np.exp(logs - best) if best > -np.inf else np.zeros(logs.size)
    return odds / max(float(odds.sum()), 1.0)


def log_odds_of(belief: FloatArray) -> float:
    """Log of active over inactive, in nats; infinite where one is impossible."""
    with np.errstate(divide="ignore"):
        return float(np.log(belief[ACTIVE]) - np.log(belief[INACTIVE]))
