"""How fast a run contracts, read off its residuals, and how long it will take at that rate."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

WINDOW = 400
"""Residuals that are looked at, at most: the latest ones."""

FEWEST = 4
"""Residuals below which nothing is concluded."""


def contraction_rate(
    residuals: Sequence[float] | NDArray[np.float64], floor: float = 0.0
) -> float | None:
    """Factor by which a residual shrinks per iteration, on average.

    The geometric mean from the peak of the third quarter of the run to the peak of the fourth:
    peaks shrink at the rate even where a pair of complex eigenvalues makes the residual swing,
    and what happened in the first half does not count.

    Parameters
    ----------
    residuals : sequence of float
        Undamped residuals in nats, one per iteration. Only what comes after the last infinite
        or NaN one is used.
    floor : float
        Residuals at or below this, in nats, are rounding; those at the end are left out.

    Returns
    -------
    float or None
        Above 1 where the residual grows; None where there are too few to tell.

    """
    values = np.asarray(residuals, dtype=np.float64)
    broken = np.flatnonzero(~np.isfinite(values))
    values = values[broken[-1] + 1 :] if broken.size else values
    above = np.flatnonzero(values > max(floor, 0.0))
    values = values[: above[-1] + 1] if above.size else values[:0]
    if values.size < FEWEST:
        return None
    quarter = min(values.size, WINDOW) // 4
    late, early = values[-quarter:], values[-2 * quarter : -quarter]
    peak, before = int(np.argmax(late)), int(np.argmax(early))
    if early[before] <= 0.0:
        return None
    apart = quarter + peak - before
    return float(math.exp(math.log(late[peak] / early[before]) / apart))


def iterations_needed(residual: float, rate: float | None, tolerance: float) -> int | None:
    """Iterations after which a residual that shrinks at a constant rate meets a tolerance.

    Parameters
    ----------
    residual : float
        The present residual, in nats.
    rate : float or None
        Factor per iteration.
    tolerance : float
        What is wanted, in nats.

    Returns
    -------
    int or None
        0 where the tolerance is met; None where it never will be, as the rate is 1 or more, or
        where rate or residual are not known.

    """
    if residual <= tolerance:
        return 0
    if rate is None or not 0.0 <= rate < 1.0 or not math.isfinite(residual) or tolerance <= 0.0:
        return None
    if rate == 0.0:
        return 1
    return max(1, math.ceil(math.log(tolerance / residual) / math.log(rate) - 1e-9))
