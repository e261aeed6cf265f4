"""``mpnet new``: a plugin or a scenario to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from mpnet.cli.output import print_result
from mpnet.cli.plugging import plugin_option

into = click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("."),
    help="Folder to write to; this one if left out.",
)


@click.group(name="new")
def command() -> None:
    """Write the beginning of a plugin or of a scenario; nothing is overwritten."""


@command.command(name="plugin")
@click.argument("name")
@into
def plugin(name: str, into: Path) -> None:
    """Write a package with the node type NAME, its tests and a scenario; all of it works at once."""
    from mpnet.starters import new_plugin

    written = new_plugin(name, into)
    folder = written[0].parent
    module = written[2].parent.name.removeprefix("mpnet_")
    for path in written:
        print_result(f"wrote {path}")
    print_result(
        f"next: cd {folder} && pip install -e '.[test]' && pytest\n"
        f"      mpnet run scenarios/{module}_demo.yaml --plugin {module}\n"
        f"or, without installing: mpnet run {written[4]} --plugin {written[2]}"
    )


@command.command(name="scenario")
@click.argument("name")
@into
@plugin_option
def scenario(name: str, into: Path, plugins: tuple[str, ...]) -> None:
    """Write the scenario NAME.yaml, with comments, and a schema for editors beside it."""
    from mpnet.starters import new_scenario

    written = new_scenario(name, into, plugins)
    for path in written:
        print_result(f"wrote {path}")
    print_result(f"next: mpnet run {written[0]}")
