"""Compatibility of models, derived from what they predict; nobody declares it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mpnet.kernels.layout import FloatArray
from mpnet.record import Compatibility


def pairwise_compatibility(
    predictions: Sequence[tuple[str, str, FloatArray]], weights: Mapping[str, FloatArray]
) -> Compatibility:
    """Sum over shared targets of log Z(AB) Z(0) / (Z(A) Z(B)), for every pair, in nats.

    Parameters
    ----------
    predictions : sequence of (str, str, float64[states])
        Source, target and log ratio r of each prediction, in nats.
    weights : mapping of str to float64[states]
        Base rate times likelihood of each target's states, up to a factor.

    """
    by_target: dict[str, list[tuple[str, FloatArray]]] = {}
    for source, target, ratio in predictions:
        by_target.setdefault(target, []).append((source, ratio))
    names = tuple(dict.fromkeys(source for source, _, _ in predictions))
    place = {name: number for number, name in enumerate(names)}
    total = np.zeros((len(names), len(names)))
    shared = {}
    for target, found in by_target.items():
        if len(found) < 2:
            continue
        matrix = np.zeros_like(total)
        rows = [place[source] for source, _ in found]
        matrix[np.ix_(rows, rows)] = _pairs([ratio for _, ratio in found], weights[target])
        np.fill_diagonal(matrix, 0.0)
        total += matrix
        shared[target] = _rows(matrix)
    return Compatibility(names, _rows(total), shared)


def _pairs(ratios: list[FloatArray], weights: FloatArray) -> FloatArray:
    """Log Z(AB) Z(0) / (Z(A) Z(B)) for all pairs that predict one target, in nats."""
    r = np.exp(np.stack(ratios))
    weights = weights / weights.sum()
    alone = r @ weights
    together = (r * weights) @ r.T
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(together) - np.log(alone[:, None]) - np.log(alone[None, :])
    # Rounding leaves 1e-16 where two models say nothing about each other's differences.
    cleaned: FloatArray = np.where(np.abs(found) < 1e-14, 0.0, found)
    return np.nan_to_num(cleaned, nan=0.0, neginf=-np.inf)


def _rows(matrix: FloatArray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(x) for x in row) for row in matrix)
