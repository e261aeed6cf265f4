"""Finds node types by the name in ``type:``.

Built-in types and plugins enter by the same entry-point group, ``mpnet.nodes``. Only types that a
scenario names are loaded. Types of other distributions are code of others: they load only
after being enabled by name, on the command line (``--plugin``) or in ``MPNET_PLUGINS``. Types may
also come from a Python file that is named there, or as classes from a program; never from a
scenario.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from os import PathLike
from typing import Any

from mpnet.errors import PluginError, shown
from mpnet.extensions import GROUPS, OWN, allowed_names, owner_of
from mpnet.names import suggestion
from mpnet.nodes.base import Node
from mpnet.nodes.calling import ORIGINS
from mpnet.nodes.files import is_file, type_name, types_in

GROUP = "mpnet.nodes"
API = 1

Plugin = str | PathLike[str] | type[Node]
"""A node type or distribution to enable, a Python file that defines node types, or a node type."""


@dataclass(frozen=True)
class NodeType:
    """A node type: its name, where it comes from, and whether it may load.

    ``entry_point`` is None where it did not come by one; ``distribution`` is then the file, and
    ``found`` the type. ``rivals`` are others that offer a type of its name.
    """

    name: str
    distribution: str
    version: str
    entry_point: EntryPoint | None
    enabled: bool
    found: type[Node] | None = None
    rivals: tuple[str, ...] = ()
    disputed: bool = False

    @property
    def built_in(self) -> bool:
        """Whether it comes with mpnet itself."""
        return self.distribution == OWN

    @property
    def origin(self) -> str:
        """Where it comes from, such as ``lamps 0.2`` or ``lamps.py``."""
        return f"{self.distribution} {self.version}".strip()

    def load(self) -> type[Node]:
        """Import the type and check that it is one.

        Raises
        ------
        PluginError
            If two offer one name, the import fails for whatever reason, or the result is not a
            node type.

        """
        where = f"node type {self.name!r} of {self.origin}"
        if self.disputed:
            raise PluginError(
                f"node type {self.name!r} comes from both {self.origin} and "
                f"{' and '.join(self.rivals)}; uninstall one of them, or rename its type"
            )
        found: Any = self.found
        if self.entry_point is not None:
            try:
                found = self.entry_point.load()
            except (Exception, SystemExit) as error:
                raise PluginError(
                    f"{where} failed to import ({type(error).__name__}: {error}); other types work"
                ) from error
        if not (isinstance(found, type) and issubclass(found, Node)):
            raise PluginError(
                f"{where} is {shown(repr(found))}; it must be a class that inherits "
                "mpnet.nodes.base.Node"
            )
        if found.api != API:
            older = "update mpnet" if found.api > API else f"update {self.distribution}"
            raise PluginError(
                f"{where} was written for node interface {found.api}; this is {API}; {older}"
            )
        ORIGINS[found] = f"{self.name!r} of {self.origin}"
        return found


def named(enabled: Iterable[Plugin]) -> list[str]:
    """Plugins that are given by name, and not as files or types."""
    return [each for each in enabled if isinstance(each, str) and not is_file(each)]


def node_types(enabled: Collection[Plugin] = ()) -> dict[str, NodeType]:
    """All installed node types by name, and those of files; only files are imported.

    Parameters
    ----------
    enabled : collection of str, path or type
        What may load besides what ``MPNET_PLUGINS`` names (separated by commas; ``all`` for
        all that is installed, ``off`` for nothing of others): names of types or of
        distributions, Python files, and node types themselves.

    Raises
    ------
    PluginError
        If a name is that of no plugin, a file is at fault, or its types have names that are
        taken.

    """
    allowed = allowed_names(each for each in enabled if isinstance(each, str))
    found: dict[str, NodeType] = {}
    for point in entry_points(group=GROUP):
        owner, version = owner_of(point)
        may = owner == OWN or bool({point.name, owner, "all"} & allowed)
        entry = NodeType(point.name, owner, version, point, may)
        other = found.get(point.name)
        found[point.name] = entry if other is None else _rivals(other, entry, allowed)
    if not found:
        raise PluginError("no node types are installed; install mpnet with pip (pip install .)")
    _refuse_unknown(named(enabled), found)
    for entry in _given(enabled, allowed):
        other = found.get(entry.name)
        if other is not None and not _is_same(other, entry):
            raise PluginError(
                f"node type {entry.name!r} comes from both {other.origin} and {entry.origin}; "
                f"give the one in {entry.origin} another type_name"
            )
        found[entry.name] = entry
    return dict(sorted(found.items()))


def _rivals(first: NodeType, second: NodeType, allowed: Collection[str]) -> NodeType:
    """Two distributions offer one name: mpnet's own stays, unless the other is asked for."""
    if first.distribution == second.distribution:
        return second
    if second.built_in:
        first, second = second, first
    disputed = not first.built_in or first.name in allowed or second.distribution in allowed
    return replace(first, rivals=(*first.rivals, second.origin), disputed=disputed)


def _is_same(installed: NodeType, given: NodeType) -> bool:
    """Whether a type that was given is the installed one of its name; loads only its own package."""
    if installed.found is given.found or installed.entry_point is None or given.found is None:
        return installed.found is given.found
    home = given.found.__module__.partition(".")[0]
    if installed.entry_point.module.partition(".")[0] != home:
        return False
    return installed.entry_point.load() is given.found


def _refuse_unknown(given: Collection[str], found: Collection[str]) -> None:
    """A name that was given and is nobody's is a mistake."""
    unknown = {*given} - {*found, "all", "off"}
    if not unknown:
        return
    points = [point for group in GROUPS for point in entry_points(group=group)]
    known = {point.name for point in points} | {owner_of(point)[0] for point in points}
    others = sorted({p.name for p in points if owner_of(p)[0] != OWN})
    for name in sorted(unknown - known):
        raise PluginError(
            f"no installed plugin is called {name!r}; {suggestion(name, others, 'plugins')}; "
            "write a path that ends with .py for a file"
        )


def _given(enabled: Iterable[Plugin], allowed: Collection[str]) -> Iterable[NodeType]:
    """Types that were given as files or as they are."""
    if "off" in allowed:
        return
    paths: list[str | PathLike[str]] = [each for each in enabled if isinstance(each, PathLike)]
    for file in [*paths, *sorted(name for name in allowed if is_file(name))]:
        for name, kind in types_in(file).items():
            yield NodeType(name, str(file), "", None, True, kind)
    for each in enabled:
        if isinstance(each, type):
            yield NodeType(type_name(each), each.__module__, "", None, True, each)
