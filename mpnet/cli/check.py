"""``mpnet check``: every fault of scenario files, with line and column."""

from __future__ import annotations

import json
from typing import Any

import click

from mpnet.cli.output import print_error, print_result
from mpnet.cli.plugging import plugin_option

EXIT_INVALID = 3


@click.command(name="check")
@click.argument("scenarios", nargs=-1, required=True)
@plugin_option
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    help="How to print faults.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print faults only.")
def command(scenarios: tuple[str, ...], plugins: tuple[str, ...], style: str, quiet: bool) -> int:
    """Check SCENARIOS without running them; exit 3 if any is at fault."""
    reports = [_check(name, plugins) for name in scenarios]
    if style == "json":
        print_result(json.dumps(reports, indent=1))
    for report in reports:
        if style == "text":
            _print_text(report, quiet)
        elif style == "github":
            for f in report["faults"]:
                place = f"file={report['file']},line={f['line']},col={f['column']}"
                print_result(f"::error {place}::{_one_line(f['place'] + ': ' + f['what'])}")
    return EXIT_INVALID if any(r["faults"] for r in reports) else 0


def _check(name: str, plugins: tuple[str, ...]) -> dict[str, Any]:
    from mpnet.errors import ScenarioError
    from mpnet.scenario.library import open_scenario
    from mpnet.simulation.loading import check_scenario

    try:
        checked = check_scenario(open_scenario(name), plugins)
    except ScenarioError as error:
        faults = [
            {"line": f.line, "column": f.column, "place": f.place, "what": f.what, "hint": f.hint}
            for f in error.faults
        ]
        return {"file": error.source, "faults": faults, "text": error.report(), "notes": []}
    nodes, links = len(checked.society.nodes), len(checked.society.links)
    text = [f"{name}: no faults ({nodes} nodes, {links} predictions)"]
    return {"file": name, "faults": [], "text": text, "notes": list(checked.notes)}


def _print_text(report: dict[str, Any], quiet: bool) -> None:
    if report["faults"]:
        print_error("\n".join(report["text"]))
    elif not quiet:
        print_result("\n".join(report["text"]))
        for note in report["notes"]:
            print_error(f"note: {note}")


def _one_line(text: str) -> str:
    return text.replace("%", "%25").replace("\r", " ").replace("\n", " ")
