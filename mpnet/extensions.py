"""What other distributions bring by entry points: who may load, and tables that they extend."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from mpnet.errors import PluginError

OWN = "mpnet"
"""The distribution whose parts need nobody's leave."""

ENABLING_VARIABLE = "MPNET_PLUGINS"

GROUPS = ("mpnet.nodes", "mpnet.estimators", "mpnet.schedules")
"""Entry-point groups."""


def allowed_names(enabled: Iterable[str] = ()) -> set[str]:
    """Names that may load: those given and those in ``MPNET_PLUGINS``; only ``off`` if that is there."""
    written = os.environ.get(ENABLING_VARIABLE, "").split(",")
    asked = {part.strip() for part in written} - {""}
    return {"off"} if "off" in asked else {*enabled, *asked}


def owner_of(point: EntryPoint) -> tuple[str, str]:
    """Name and version of the distribution that brings an entry point."""
    return (point.dist.name, point.dist.version) if point.dist else ("unknown", "?")


def extend(group: str, table: dict[str, str], enabled: Iterable[str] = ()) -> None:
    """Enter what other distributions bring, and may, into a table of ``name: module:class``.

    It stays there as long as the process lives.

    Parameters
    ----------
    group : str
        The entry-point group, such as ``mpnet.estimators``.
    table : dict of str to str
        What there is; changed in place.
    enabled : iterable of str
        Names or distributions that may load, besides those in ``MPNET_PLUGINS``.

    Raises
    ------
    PluginError
        If an enabled name is taken; shows both.

    """
    allowed = allowed_names(enabled)
    if not allowed - {"off"}:
        return
    for point in entry_points(group=group):
        owner, version = owner_of(point)
        if owner == OWN or not {point.name, owner, "all"} & allowed:
            continue
        if table.setdefault(point.name, point.value) != point.value:
            raise PluginError(
                f"{point.name!r} of {owner} {version} ({point.value}) is there already: "
                f"{table[point.name]}; uninstall {owner}, or rename what it brings"
            )


def loaded(name: str, where: str) -> Any:
    """What stands at ``module:attribute``, imported now.

    Raises
    ------
    PluginError
        If that fails, for whatever reason, with what calls itself ``name``.

    """
    module, _, attribute = where.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"{name!r} ({where}) failed to import ({type(error).__name__}: {error}); "
            "everything else works"
        ) from error
