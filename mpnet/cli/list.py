"""``mpnet list``: what there is."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module

import click

from mpnet.cli.output import print_result

Rows = list[tuple[str, str]]


def _scenarios() -> Rows:
    from mpnet.scenario.library import shipped

    return [(s.name, s.shows) for s in shipped()]


def _nodes() -> Rows:
    from mpnet.errors import PluginError
    from mpnet.nodes.registry import node_types

    rows = []
    for name, found in node_types().items():
        if not found.enabled:
            said = f"of {found.distribution} {found.version}, not enabled (--plugin {name})"
        else:
            try:
                said = _first_line(found.load())
            except PluginError as error:
                said = f"broken: {error}"
        rows.append((name, said))
    return rows


def _registered(module: str, table: str) -> Rows:
    entries: dict[str, str] = getattr(import_module(module), table)
    rows = []
    for name, where in entries.items():
        home, _, attribute = where.partition(":")
        rows.append((name, _first_line(getattr(import_module(home), attribute))))
    return rows


def _figures() -> Rows:
    from mpnet.plots import FIGURES

    return list(FIGURES.items())


def _plugins() -> Rows:
    from mpnet.nodes.registry import node_types

    return [
        (t.name, f"{t.distribution} {t.version}, {'enabled' if t.enabled else 'not enabled'}")
        for t in node_types().values()
        if not t.built_in
    ]


KINDS: dict[str, Callable[[], Rows]] = {
    "scenarios": _scenarios,
    "nodes": _nodes,
    "estimators": lambda: _registered("mpnet.estimators", "ESTIMATORS"),
    "schedules": lambda: _registered("mpnet.schedules", "SCHEDULES"),
    "experiments": lambda: _registered("mpnet.simulation.experiments", "EXPERIMENTS"),
    "figures": _figures,
    "plugins": _plugins,
}


@click.command(name="list")
@click.argument("kind", required=False, type=click.Choice(list(KINDS)))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(kind: str | None, as_json: bool) -> None:
    """List one KIND of thing, or all of them."""
    chosen = [kind] if kind else list(KINDS)
    found = {name: KINDS[name]() for name in chosen}
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
