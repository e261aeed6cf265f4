"""Estimators: how beliefs are read off a graph. One file each, entered here in one line."""

from __future__ import annotations

from mpnet.errors import UsageError
from mpnet.estimators.base import Estimator
from mpnet.extensions import loaded

ESTIMATORS: dict[str, str] = {
    "flat": "mpnet.estimators.flat:Flat",
    "clamped": "mpnet.estimators.clamped:Clamped",
    "mixture": "mpnet.estimators.mixture:Mixture",
    "trw": "mpnet.estimators.trw:Trw",
    "fractional": "mpnet.estimators.fractional:Fractional",
    "mean_field": "mpnet.estimators.mean_field:MeanField",
    "double_loop": "mpnet.estimators.double_loop:DoubleLoop",
    "region": "mpnet.estimators.region:Region",
    "exact": "mpnet.estimators.exact:Exact",
}
"""Name in a scenario -> ``module:class``."""


def make_estimator(name: str) -> Estimator:
    """Return the estimator of that name.

    Raises
    ------
    UsageError
        If there is none.
    PluginError
        If it comes from another distribution and fails to import.

    """
    if name not in ESTIMATORS:
        raise UsageError(f"there is no estimator {name!r} (known: {', '.join(ESTIMATORS)})")
    estimator: Estimator = loaded(name, ESTIMATORS[name])()
    return estimator
