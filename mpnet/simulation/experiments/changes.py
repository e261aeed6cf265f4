"""Variants of a scenario: other values of written keys, nodes taken out, predictions cut."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mpnet.errors import Fault
from mpnet.names import suggestion
from mpnet.nodes.base import NodeFaults, Path
from mpnet.scenario.document import set_value
from mpnet.society import Link, Society

if TYPE_CHECKING:
    from mpnet.simulation.loading import Scenario

EVERY = "*"
"""Step of a written key that stands for every entry of a mapping or list."""


def written_at(data: Any, key: str) -> list[Path]:
    """Paths that a key such as ``nodes.duck.predicts.*.no`` leads to, in the order of the text.

    Parameters
    ----------
    data : object
        Content of a scenario, as plain data.
    key : str
        Steps with dots between them; a step ``*`` is every entry.

    Raises
    ------
    NodeFaults
        If it leads to nothing or to something that is no number; says where it ends.

    """
    found = list(_walk(data, key.split("."), ()))
    values = [_entry(data, path) for path in found]
    if not found or not all(_is_number(value) for value in values):
        what = f"{key!r} leads to " + ("nothing" if not found else f"{values[0]!r}, no number")
        hint = "write steps with dots between, such as nodes.duck.predicts.beak.yes; * is every one"
        raise NodeFaults([Fault((), what, hint)])
    return found


def _walk(here: Any, steps: Sequence[str], path: Path) -> Iterator[Path]:
    if not steps:
        yield path
        return
    entries = dict(enumerate(here)) if isinstance(here, list) else here
    if not isinstance(entries, Mapping):
        return
    for name, value in entries.items():
        if steps[0] in (EVERY, str(name)):
            yield from _walk(value, steps[1:], (*path, name))


def _entry(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def with_value(scenario: Scenario, keys: Collection[str], value: float) -> Scenario:
    """Set the same number at some keys of a scenario and check and assemble it anew.

    Parameters
    ----------
    scenario : Scenario
        Not modified; the new one has no experiment and no expectations.
    keys : collection of str
        As for ``written_at``.
    value : float
        The number.

    Raises
    ------
    ScenarioError
        If the scenario makes no sense with it; says where and why.

    """
    from mpnet.simulation.loading import check_scenario

    document = scenario.document
    for key in keys:
        for path in written_at(document.data, key):
            document = set_value(document, path, value)
    bare = {k: v for k, v in document.data.items() if k not in ("experiment", "expect", "batch")}
    plugins = set(scenario.society.types.values())
    return check_scenario(replace(document, data=bare), plugins)


def without_nodes(society: Society, names: Collection[str]) -> Society:
    """The society with some nodes gone, and all predictions by them and of them.

    Parameters
    ----------
    society : Society
        Not modified.
    names : collection of str
        Nodes to take out.

    Raises
    ------
    NodeFaults
        If one is no node, or another node needs it for more than a prediction.

    """
    gone = set(names)
    faults = [
        Fault((), f"there is no node {name!r}", suggestion(name, society.nodes, "nodes"))
        for name in names
        if name not in society.nodes
    ]
    joined = {(link.source, link.target) for link in society.links}
    for name, node in society.nodes.items():
        for reference in node.references() if name not in gone else ():
            if reference.name in gone and (name, reference.name) not in joined:
                what = f"{reference.name!r} can't be taken out, for {name!r} needs it"
                faults.append(Fault((), what, f"take {name!r} out as well"))
    if faults:
        raise NodeFaults(faults)
    kept = [name for name in society.nodes if name not in gone]
    return replace(
        society,
        nodes={name: society.nodes[name] for name in kept},
        types={name: society.types[name] for name in kept},
        domains={name: society.domains[name] for name in kept},
        bases={name: rates for name, rates in society.bases.items() if name not in gone},
        links=tuple(k for k in society.links if not gone & {k.source, k.target}),
        rules=tuple(r for r in society.rules if not gone & set(r.scope)),
    )


def without_links(society: Society, cut: Callable[[Link], bool]) -> Society:
    """The society without the predictions for which ``cut`` is true; everything else stays."""
    return replace(society, links=tuple(link for link in society.links if not cut(link)))
