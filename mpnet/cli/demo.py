"""``mpnet demo``: a shipped scenario, and what to look at next."""

from __future__ import annotations

from typing import Any

import click

from mpnet.cli.output import print_result


@click.command(name="demo")
@click.argument("name", default="purple_jar")
@click.option("--no-plots", is_flag=True, help="Draw no figures.")
def command(name: str, no_plots: bool) -> int:
    """Run the shipped scenario NAME (purple_jar if left out)."""
    from mpnet.cli.run import run_document
    from mpnet.scenario.library import open_scenario

    document = open_scenario(f"@{name.removeprefix('@')}")
    options: dict[str, Any] = {"no_plots": no_plots, "quiet": False, "as_json": False}
    code = run_document(document, {**options, "explain_compile": True})
    print_result("\nthe scenario:  mpnet list scenarios names all; look at convergence.png first")
    print_result(f"change it:     mpnet run {name} --set inference.estimator=flat")
    print_result("write one:     README, section Write a scenario")
    return code
