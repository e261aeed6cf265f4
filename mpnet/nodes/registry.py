"""Finds node types by the name in ``type:``.

Built-in types and plugins enter by the same entry-point group, ``mpnet.nodes``. Only types that a
scenario names are loaded. Types of other distributions are code of others: they load only
after being enabled by name, on the command line (``--plugin``) or in ``MPNET_PLUGINS``.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from mpnet.errors import PluginError
from mpnet.nodes.base import Node

GROUP = "mpnet.nodes"
ENABLING_VARIABLE = "MPNET_PLUGINS"
API = 1


@dataclass(frozen=True)
class NodeType:
    """A node type that is installed: its name, where it comes from, and whether it may load."""

    name: str
    distribution: str
    version: str
    entry_point: EntryPoint
    enabled: bool

    @property
    def built_in(self) -> bool:
        """Whether it comes with mpnet itself."""
        return self.distribution == "mpnet"

    def load(self) -> type[Node]:
        """Import the type and check that it is one.

        Raises
        ------
        PluginError
            If the import fails for whatever reason, or the result is not a node type.

        """
        where = f"node type {self.name!r} of {self.distribution} {self.version}"
        try:
            found: Any = self.entry_point.load()
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"{where} failed to import ({type(error).__name__}: {error}); other types work"
            ) from error
        if not (isinstance(found, type) and issubclass(found, Node)):
            raise PluginError(
                f"{where} is {found!r}; it must be a class that inherits mpnet.nodes.base.Node"
            )
        if found.api != API:
            raise PluginError(f"{where} was written for node interface {found.api}; this is {API}")
        return found


def node_types(enabled: Collection[str] = ()) -> dict[str, NodeType]:
    """All installed node types by name; nothing is imported.

    Parameters
    ----------
    enabled : collection of str
        Types of other distributions that may load, besides those in ``MPNET_PLUGINS``
        (names separated by commas; ``all`` for all, ``off`` for none).

    Raises
    ------
    PluginError
        If two distributions offer one name.

    """
    asked = {part.strip() for part in os.environ.get(ENABLING_VARIABLE, "").split(",")}
    allowed = set() if "off" in asked else {*enabled, *asked}
    found: dict[str, NodeType] = {}
    for point in entry_points(group=GROUP):
        owner = point.dist.name if point.dist else "unknown"
        version = point.dist.version if point.dist else "?"
        may = owner == "mpnet" or point.name in allowed or "all" in allowed
        entry = NodeType(point.name, owner, version, point, may)
        other = found.get(point.name)
        if other is not None and other.distribution != owner:
            raise PluginError(
                f"node type {point.name!r} comes from both {other.distribution} and {owner}; "
                "uninstall one of them"
            )
        found[point.name] = entry
    if not found:
        raise PluginError("no node types are installed; install mpnet with pip (pip install .)")
    return dict(sorted(found.items()))
