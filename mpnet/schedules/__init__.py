"""Schedules: in which order messages move. One file each, entered here in one line."""

from __future__ import annotations

from importlib import import_module

from mpnet.errors import UsageError
from mpnet.schedules.base import Schedule, Settings

SCHEDULES: dict[str, str] = {
    "flooding": "mpnet.schedules.flooding:Flooding",
    "sequential": "mpnet.schedules.sequential:Sequential",
    "random": "mpnet.schedules.sequential:RandomOrder",
    "tree": "mpnet.schedules.tree:Tree",
    "residual": "mpnet.schedules.residual:Residual",
    "asynchronous": "mpnet.schedules.asynchronous:Asynchronous",
}
"""Name in a scenario -> ``module:class``; a class takes ``Settings``."""


def make_schedule(name: str, settings: Settings | None = None) -> Schedule:
    """Return the schedule of that name.

    Raises
    ------
    UsageError
        If there is none.

    """
    if name not in SCHEDULES:
        raise UsageError(f"there is no schedule {name!r} (known: {', '.join(SCHEDULES)})")
    module, _, attribute = SCHEDULES[name].partition(":")
    schedule: Schedule = getattr(import_module(module), attribute)(settings or Settings())
    return schedule
