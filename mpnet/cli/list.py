"""``mpnet list``: what there is."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

import click

from mpnet.cli.output import print_result
from mpnet.cli.plugging import plugin_option

if TYPE_CHECKING:
    from mpnet.nodes.registry import NodeType

Rows = list[tuple[str, str]]
Plugins = tuple[str, ...]


def _scenarios(plugins: Plugins) -> Rows:
    from mpnet.scenario.library import shipped

    return [(s.name, s.shows) for s in shipped()]


def _nodes(plugins: Plugins) -> Rows:
    from mpnet.nodes.registry import node_types

    return [(name, _said(found)) for name, found in node_types(plugins).items()]


def _said(found: NodeType) -> str:
    """What a type says it is, and where it comes from; why it does not load."""
    from mpnet.errors import PluginError

    if not found.enabled:
        return f"of {found.origin}, not enabled (--plugin {found.name})"
    try:
        said = f"{_first_line(found.load())} ({found.origin})"
    except PluginError as error:
        return f"broken: {error}"
    also = f"; {', '.join(found.rivals)} offer it too, in vain" if found.rivals else ""
    return said + also


def _registered(module: str, table: str) -> Rows:
    from mpnet.errors import PluginError
    from mpnet.extensions import loaded

    entries: dict[str, str] = getattr(import_module(module), table)
    rows = []
    for name, where in entries.items():
        try:
            rows.append((name, _first_line(loaded(name, where))))
        except PluginError as error:
            rows.append((name, f"broken: {error}"))
    return rows


def _extensible(module: str, table: str, group: str) -> Callable[[Plugins], Rows]:
    """Rows of a table that plugins extend, with those that are not allowed."""

    def rows(plugins: Plugins) -> Rows:
        from mpnet.extensions import extend

        extend(group, getattr(import_module(module), table), plugins)
        return _registered(module, table)

    return rows


def _figures(plugins: Plugins) -> Rows:
    from mpnet.plots import FIGURES

    return list(FIGURES.items())


def _plugins(plugins: Plugins) -> Rows:
    from importlib.metadata import entry_points

    from mpnet.extensions import GROUPS, OWN, allowed_names, owner_of
    from mpnet.nodes.registry import node_types

    rows = [(t.name, f"node type: {_said(t)}") for t in node_types(plugins).values()]
    theirs = {t.name for t in node_types(plugins).values() if not t.built_in}
    found = [row for row in rows if row[0] in theirs]
    for point in entry_points(group="mpnet.nodes"):
        owner, version = owner_of(point)
        if owner != OWN and point.name not in theirs:
            said = f"node type of {owner} {version}, in vain: mpnet has one of that name"
            found.append((point.name, said))
    for group in GROUPS[1:]:
        for point in entry_points(group=group):
            owner, version = owner_of(point)
            may = bool({point.name, owner, "all"} & allowed_names(plugins))
            leave = "enabled" if may else f"not enabled (--plugin {point.name})"
            found.append((point.name, f"{group} of {owner} {version}, {leave}"))
    return found


KINDS: dict[str, Callable[[Plugins], Rows]] = {
    "scenarios": _scenarios,
    "nodes": _nodes,
    "estimators": _extensible("mpnet.estimators", "ESTIMATORS", "mpnet.estimators"),
    "schedules": _extensible("mpnet.schedules", "SCHEDULES", "mpnet.schedules"),
    "experiments": lambda _: _registered("mpnet.simulation.experiments", "EXPERIMENTS"),
    "figures": _figures,
    "plugins": _plugins,
}


@click.command(name="list")
@click.argument("kind", required=False, type=click.Choice(list(KINDS)))
@plugin_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(kind: str | None, plugins: tuple[str, ...], as_json: bool) -> None:
    """List one KIND of thing, or all of them."""
    chosen = [kind] if kind else list(KINDS)
    found = {name: KINDS[name](plugins) for name in chosen}
    if as_json:
        print_result(json.dumps({name: dict(rows) for name, rows in found.items()}, indent=1))
        return
    for name, rows in found.items():
        width = max((len(row[0]) for row in rows), default=0)
        print_result(f"{name}:")
        for entry, said in rows:
            print_result(f"  {entry:<{width}}  {said}")
        if not rows:
            print_result("  none")


def _first_line(thing: object) -> str:
    return (thing.__doc__ or "").strip().splitlines()[0] if thing.__doc__ else ""
