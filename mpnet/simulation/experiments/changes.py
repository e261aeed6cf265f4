"""Variants of a scenario: other values of written keys, nodes taken out, predictions cut."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mpnet.errors import Fault, ScenarioError
from mpnet.names import suggestion
from mpnet.nodes.base import NodeFaults, Path, Reference, moved
from mpnet.scenario.document import Document, set_value
from mpnet.society import Link, Society

if TYPE_CHECKING:
    from mpnet.simulation.loading import Scenario

BESIDES = ("experiment", "expect", "batch", "plots")
"""What a variant leaves out: it is measured, and claims nothing."""

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
    document = scenario.document
    for key in keys:
        for path in written_at(document.data, key):
            document = set_value(document, path, value)
    return _assembled(scenario, document)


def without_nodes(scenario: Scenario, names: Collection[str]) -> Scenario:
    """The scenario with some nodes gone: what others say of them goes as well.

    Parameters
    ----------
    scenario : Scenario
        Not modified; the new one has no experiment and no expectations.
    names : collection of str
        Nodes to take out, with all predictions by them and of them, their places among parts
        and rivals, and their evidence.

    Raises
    ------
    NodeFaults
        If one is no node.
    ScenarioError
        If a node that stays can't do without them; says which and why.

    """
    society, gone = scenario.society, set(names)
    faults = [
        Fault((), f"there is no node {name!r}", suggestion(name, society.nodes, "nodes"))
        for name in names
        if name not in society.nodes
    ]
    if faults:
        raise NodeFaults(faults)
    document = scenario.document
    nodes = {
        name: _without(keys, society.nodes[name].references(), gone)
        for name, keys in document.data["nodes"].items()
        if name not in gone
    }
    evidence = {n: v for n, v in (document.data.get("evidence") or {}).items() if n not in gone}
    data = {**document.data, "nodes": nodes, "evidence": evidence}
    return _assembled(scenario, replace(document, data=data))


def _without(keys: Any, references: Collection[Reference], gone: Collection[str]) -> Any:
    """Keys of a node without what they say of nodes that are gone."""
    lost = [reference.path for reference in references if reference.name in gone]
    # From the end, so that places in lists stay what they are.
    for path in sorted(lost, key=lambda path: str(path[-1]).zfill(9), reverse=True):
        keys = _dropped(keys, path)
    return keys


def _dropped(keys: Any, path: Path) -> Any:
    """A copy without the entry at a path; as it is where no such entry was written."""
    step, rest = path[0], path[1:]
    if isinstance(keys, dict) and step in keys:
        if not rest:
            return {k: v for k, v in keys.items() if k != step}
        return {**keys, step: _dropped(keys[step], rest)}
    if isinstance(keys, list) and isinstance(step, int) and step < len(keys):
        new = [] if not rest else [_dropped(keys[step], rest)]
        return [*keys[:step], *new, *keys[step + 1 :]]
    return keys


def _assembled(scenario: Scenario, document: Document) -> Scenario:
    from mpnet.simulation.loading import check_scenario

    bare = {k: v for k, v in document.data.items() if k not in BESIDES}
    inference = {k: v for k, v in (bare.get("inference") or {}).items() if k != "ask"}
    return check_scenario(
        replace(document, data={**bare, "inference": inference}), scenario.plugins
    )


def without_links(society: Society, cut: Callable[[Link], bool]) -> Society:
    """The society without the predictions for which ``cut`` is true; everything else stays."""
    return replace(society, links=tuple(link for link in society.links if not cut(link)))


def collect(faults: list[Fault], path: tuple[str | int, ...], step: Callable[[], object]) -> None:
    """Do a step of a check; its faults are said to be at ``path``, a key of the experiment."""
    try:
        step()
    except NodeFaults as error:
        faults += moved(error, *path).faults
    except ScenarioError as error:
        faults += [Fault(path, f"makes no sense there: {f.what}", f.hint) for f in error.faults]
