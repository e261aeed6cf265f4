"""Nodes that come with others, such as the features of a table of concepts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mpnet.errors import Fault
from mpnet.nodes.base import Node, NodeFaults
from mpnet.nodes.calling import code_of


def brought_nodes(
    nodes: Mapping[str, Node], written: Mapping[str, object]
) -> tuple[dict[str, Mapping[str, object]], list[Fault]]:
    """Nodes that come with others, as if the scenario had written them, unless it did.

    Parameters
    ----------
    nodes : mapping of str to Node
        Those that are written.
    written : mapping
        ``nodes`` of the scenario.

    Returns
    -------
    tuple
        Keys of the brought nodes by name, and the faults of those who bring them.

    Raises
    ------
    PluginError
        If a type's own code fails.

    """
    found: dict[str, Mapping[str, object]] = {}
    faults: list[Fault] = []
    for name, node in nodes.items():
        try:
            brought = _ask(name, node)
        except NodeFaults as error:
            faults += [replace(f, path=("nodes", name, *f.path)) for f in error.faults]
            continue
        for other, keys in brought.items():
            if other not in written and found.setdefault(other, keys) != keys:
                what = f"{name!r} brings {other!r} otherwise than another node does"
                faults.append(Fault(("nodes", name), what, "write that node out"))
    return found, faults


def _ask(name: str, node: Node) -> Mapping[str, Mapping[str, object]]:
    with code_of(name, node, "brings"):
        return node.brings(name)
