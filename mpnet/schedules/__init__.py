"""Schedules: in which order messages move. One file each, entered here in one line."""

from __future__ import annotations

from mpnet.errors import UsageError
from mpnet.extensions import loaded
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
    PluginError
        If it comes from another distribution and fails to import.

    """
    if name not in SCHEDULES:
        raise UsageError(f"there is no schedule {name!r} (known: {', '.join(SCHEDULES)})")
    schedule: Schedule = loaded(name, SCHEDULES[name])(settings or Settings())
    return schedule
