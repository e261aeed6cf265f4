"""Which node a figure about one node is drawn for."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from mpnet.errors import UsageError, shown
from mpnet.record import Record

LISTED = 8


def known_node(record: Record, name: str, known: Collection[str], what: str = "") -> str:
    """Return a node's name where a figure can be drawn for it.

    Parameters
    ----------
    record : Record
        The run.
    name : str
        What was asked for.
    known : collection of str
        Names that would do.
    what : str
        Why a node that is there would not do, as ``no message reaches it``.

    Raises
    ------
    UsageError
        If it is not among them; suggests the nearest name.

    """
    if name in known:
        return name
    if any(node.name == name for node in record.nodes) and what:
        raise UsageError(f"node {shown(name)!r}: {what}; {_listed(known)}")
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {shown(near[0])!r}? " if near else ""
    raise UsageError(f"there is no node {shown(name)!r}; {hint}({_listed(known)})")


def _listed(known: Collection[str]) -> str:
    names = [shown(name, 30) for name in known][:LISTED]
    more = ", ..." if len(known) > len(names) else ""
    return f"nodes: {', '.join(names) or 'none'}{more}"
