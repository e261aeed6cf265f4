"""Estimators: how beliefs are read off a graph. One file each, entered here in one line."""

from __future__ import annotations

from importlib import import_module

from mpnet.errors import UsageError
from mpnet.estimators.base import Estimator

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

    """
    if name not in ESTIMATORS:
        raise UsageError(f"there is no estimator {name!r} (known: {', '.join(ESTIMATORS)})")
    module, _, attribute = ESTIMATORS[name].partition(":")
    estimator: Estimator = getattr(import_module(module), attribute)()
    return estimator
