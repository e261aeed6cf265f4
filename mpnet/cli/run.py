"""``mpnet run``: check, infer, save, draw, and tell the story."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from mpnet.cli.output import console, print_error, print_result
from mpnet.cli.plugging import plugin_option

EXIT_NOT_CONVERGED, EXIT_INCONSISTENT, EXIT_UNEXPECTED = 4, 7, 8


@click.command(name="run")
@click.argument("scenario")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change any value, such as evidence.image=7.",
)
@click.option("--evidence", multiple=True, metavar="NODE=STATE", help="Observe one more node.")
@click.option("--estimator", help="flat, clamped, exact, ... (mpnet list estimators).")
@click.option("--schedule", help="Order in which messages move.")
@click.option("--damping", help="Weight of the old message, in [0, 1), or auto.")
@click.option("--tol", type=float, help="Undamped residual to converge at, in nats.")
@click.option("--max-iter", type=int, help="Sweeps before giving up.")
@click.option("--on-failure", type=click.Choice(["stop", "ladder"]), help="If not converged.")
@click.option("--seed", type=int, help="Seed of every random choice.")
@click.option("--ask", multiple=True, metavar="NODE", help="One more node in question.")
@click.option(
    "--exact", is_flag=True, help="Exact answers beside, by pgmpy where enumeration is too large."
)
@click.option("--explain-compile", is_flag=True, help="Say what the compile pass did.")
@click.option("--data", metavar="FOLDER", help="Folder of data that are not shipped.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to make for this run.")
@click.option(
    "--plot", "figures", multiple=True, metavar="FIGURE", help="Draw this figure (repeatable)."
)
@click.option(
    "--format", "formats", default="png,svg", help="Of figures: png, svg, pdf, by commas."
)
@click.option("--theme", default="light", help="Of figures: light or dark.")
@click.option("--no-plots", is_flag=True, help="Draw no figures.")
@click.option("--report", is_flag=True, help="Write the run as one HTML page, too.")
@plugin_option
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document instead of the story."
)
@click.option("--live", is_flag=True, help="Show who is believed while it runs.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
def command(scenario: str, **options: Any) -> int:
    """Run SCENARIO: a path, - for standard input, or the name of a shipped one.

    Exit codes: 0 converged and as expected, 3 scenario at fault, 4 not converged, 5 can't write,
    6 plugin missing, 7 contradictory evidence, 8 an expectation not met.
    """
    from mpnet.datafolder import VARIABLE
    from mpnet.scenario.library import open_scenario, override

    if options["data"] is not None:
        os.environ[VARIABLE] = options["data"]
    document = override(open_scenario(scenario), [*options["settings"], *as_settings(options)])
    return run_document(document, options)


def as_settings(options: dict[str, Any]) -> list[str]:
    """Options that are short for a setting."""
    names = {"estimator": "estimator", "schedule": "schedule", "damping": "damping"}
    names |= {"on_failure": "on_failure"}
    names |= {"tol": "tolerance", "max_iter": "max_iterations", "seed": "seed"}
    found = [
        f"inference.{key}={options[option]}"
        for option, key in names.items()
        if options.get(option) is not None
    ]
    return found + (["inference.exact=always"] if options.get("exact") else [])


def run_document(document: Any, options: dict[str, Any]) -> int:
    """Run a document with the options of ``run`` and return the exit code."""
    from mpnet.cli.drawing import Draughtsman, Manner
    from mpnet.runs import write_run
    from mpnet.scenario.document import set_value
    from mpnet.simulation.loading import check_scenario

    for pair in options.get("evidence", ()):
        node, equals, state = pair.partition("=")
        if not equals:
            raise click.UsageError(f"--evidence {pair}: write NODE=STATE")
        from mpnet.scenario.document import parse_scalar

        value = parse_scalar(state)
        document = set_value(document, ("evidence", node), value)
    for name in options.get("ask", ()):
        asked = (document.data.get("inference") or {}).get("ask") or []
        document = set_value(document, ("inference", "ask"), [*asked, name])
    check_figures(options.get("figures", ()))
    manner = Manner.of(options.get("formats", "png,svg"), options.get("theme", "light"))
    checked = check_scenario(document, options.get("plugins", ()))
    check_figures(checked.spec.plots or ())
    quiet = options["quiet"] or options["as_json"]
    with Draughtsman(not options["no_plots"], manner) as draughtsman:
        record = _watched_run(checked, quiet, options.get("live", False))
        folder = write_run(record, checked, options.get("out"), Path("runs"))
        wanted = options.get("figures") or checked.spec.plots
        drawn = [] if options["no_plots"] else draughtsman.draw(record, folder, wanted)
    page = _report(record, folder) if options.get("report") else {}
    if options["as_json"]:
        print_result(
            json.dumps(
                {**record.to_json(), "run_dir": str(folder), "figures": drawn, **page},
                allow_nan=False,
                indent=1,
            )
        )
    elif not options["quiet"]:
        _tell(record, folder, drawn, options["explain_compile"])
        for path in page.values():
            print_result(f"report {path}")
    return _exit_code(record, options["quiet"] or options["as_json"])


def _report(record: Any, folder: Path) -> dict[str, str]:
    """Write the page of a run; its path, as the JSON document says it."""
    from mpnet.cli.report import write

    return {"report": str(write(record, folder))}


def _watched_run(scenario: Any, quiet: bool, live: bool) -> Any:
    """Run a scenario, saying on stderr what takes long, or showing all of it."""
    from dataclasses import replace

    from mpnet.cli.waiting import watch
    from mpnet.simulation.running import run_scenario

    if not live:
        return run_scenario(scenario, watch(quiet))
    from mpnet.cli.live import LiveView

    with LiveView(scenario, console(stderr=True)) as view:
        return run_scenario(scenario, replace(watch(quiet), watcher=view.watcher))


def check_figures(names: Sequence[str]) -> None:
    """Refuse figures that do not exist, before anything is run."""
    from mpnet.errors import UsageError
    from mpnet.names import suggestion
    from mpnet.plots import FIGURES

    for name in names:
        if name not in FIGURES:
            raise UsageError(f"there is no figure {name!r}; {suggestion(name, FIGURES, 'figures')}")


def _tell(record: Any, folder: Path, drawn: Sequence[str], explain: bool) -> None:
    from mpnet.cli.telling import tell_record

    out = console()
    tell_record(out, record, explain)
    figures = f"  figures: {', '.join(drawn)}" if drawn else ""
    out.print(f"\nsaved {folder}{figures}")
    out.print(f"next: mpnet show {record.scenario} · mpnet plot {record.scenario} society")


def _exit_code(record: Any, speak: bool) -> int:
    """The code of the gravest thing that is wrong; said on stderr where the story was not told."""
    unmet = [e for e in record.expectations if not e.met]
    code = 0
    if record.status == "inconsistent":
        code = EXIT_INCONSISTENT
    elif record.status != "converged":
        code = EXIT_NOT_CONVERGED
    elif unmet:
        code = EXIT_UNEXPECTED
    if code and speak:
        said = [record.verdict] if code != EXIT_UNEXPECTED else []
        said += [f"expected {e.text}, got {e.got}" for e in unmet]
        print_error("\n".join(said))
    return code
