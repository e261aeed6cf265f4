"""``mpnet schema``: the scenario format for editors."""

from __future__ import annotations

import json

import click

from mpnet.cli.output import print_result
from mpnet.cli.plugging import plugin_option


@click.command(name="schema")
@plugin_option
@click.option(
    "--draft", type=click.Choice(["7", "2020-12"]), default="7", help="Version of JSON Schema."
)
def command(plugins: tuple[str, ...], draft: str) -> None:
    """Write the JSON Schema of scenario files, node types included, to stdout."""
    from mpnet.simulation.schema import scenario_schema

    print_result(json.dumps(scenario_schema(plugins, draft), indent=1))
