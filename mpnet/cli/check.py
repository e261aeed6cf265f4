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
@click.option("--fix", is_flag=True, help="Mend in the files what is beyond doubt, then check.")
@click.option("-q", "--quiet", is_flag=True, help="Print faults only.")
def command(
    scenarios: tuple[str, ...], plugins: tuple[str, ...], style: str, fix: bool, quiet: bool
) -> int:
    """Check SCENARIOS without running them; exit 3 if any is at fault.

    With --fix, slips of the pen in keys, types, states and names of nodes are mended where one
    name only can be meant, numbers are quoted where text is wanted, and a missing "mpnet: 1" is
    added. All else of the file stays as it is.
    """
    fixes = {name: _mend(name, plugins) if fix else [] for name in scenarios}
    reports = [{**_check(name, plugins), "fixes": fixes[name]} for name in scenarios]
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


def _mend(name: str, plugins: tuple[str, ...]) -> list[dict[str, Any]]:
    """Mend a file; what was done. A file that can't be read has nothing to mend."""
    from mpnet.errors import ScenarioError
    from mpnet.simulation.mending import mend_file

    try:
        found = mend_file(name, plugins)
    except ScenarioError:
        return []
    return [{"line": f.line, "column": f.column, "text": f.text} for f in found]


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
    for made in report["fixes"]:
        place = f"{report['file']}:{made['line']}:{made['column']}"
        print_result(f"{place}: fixed: {_one_line(made['text'])}")
    if report["faults"]:
        print_error("\n".join(report["text"]))
    elif not quiet:
        print_result("\n".join(report["text"]))
        for note in report["notes"]:
            print_error(f"note: {note}")


def _one_line(text: str) -> str:
    return text.replace("%", "%25").replace("\r", " ").replace("\n", " ")
