"""``mpnet explain``: why a node is believed, as shares in nats, and why not another state."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mpnet.cli.output import console, print_error, print_result
from mpnet.cli.plugging import plugin_option

if TYPE_CHECKING:
    from mpnet.explanation import Explanation
    from mpnet.record import Record

SCHEMA = "mpnet.explanation/1"
EXIT_NOT_CONVERGED = 4


@click.command(name="explain")
@click.argument("run", default="latest")
@click.argument("node", required=False)
@click.option("--state", help="Explain this state, against the one believed most besides.")
@click.option("--why-not", metavar="STATE", help="Explain why this state is not believed instead.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--figure",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw the shares into this file, png or svg.",
)
@click.option("--no-plots", is_flag=True, help="Draw nothing into the run folder.")
@click.option("--data", metavar="FOLDER", help="Folder of data that are not shipped.")
@plugin_option
def command(run: str, node: str | None, **options: Any) -> int:
    """Say why NODE of RUN is believed: a run folder, a scenario that ran, or latest.

    Its log-odds are split into the prior, what was observed, and what each neighbour says for it
    (+) or against it (-), alone and together. Without NODE, one sentence for each node in question.
    """
    from mpnet.datafolder import VARIABLE
    from mpnet.errors import InconsistentError, UsageError
    from mpnet.runs import find_run, read_run

    if options["data"] is not None:
        os.environ[VARIABLE] = options["data"]
    if node is None and (options["state"] or options["why_not"]):
        raise UsageError("--state and --why-not need a NODE")
    figure = options["figure"]
    if figure is not None and figure.suffix not in (".png", ".svg"):
        raise UsageError(f"--figure {figure}: the name must end in .png or .svg")
    folder = find_run(run, Path("runs"))
    record = read_run(folder)
    if record.status == "inconsistent":
        raise InconsistentError(
            f"nothing is believed, so nothing can be explained: {record.verdict}"
        )
    found = _explained(folder, record, node, options)
    if options["as_json"]:
        print_result(_document(folder, record, found))
    else:
        _tell(found, node is not None)
    for path in _drawn(folder, record, found, node, options):
        if not options["as_json"]:
            print_result(f"  figure {path}")
    if record.status != "converged":
        if options["as_json"]:
            print_error(record.verdict)
        return EXIT_NOT_CONVERGED
    return 0


def _explained(
    folder: Path, record: Record, node: str | None, options: dict[str, Any]
) -> tuple[Explanation, ...]:
    """The explanation of a node, or of all in question."""
    from mpnet.cli.waiting import watch
    from mpnet.messages import compile_kernels
    from mpnet.simulation.explaining import Wanted, explain, explain_in_question
    from mpnet.simulation.reviving import revive
    from mpnet.simulation.scene import scene_of

    scenario = revive(folder, record, options["plugins"])
    if scenario.timeline:
        compile_kernels(watch(options["as_json"]).compiling)
    scene = scene_of(scenario, record)
    if node is None:
        return explain_in_question(scene)
    return (explain(scene, Wanted(node, options["state"], options["why_not"])),)


def _document(folder: Path, record: Record, found: tuple[Explanation, ...]) -> str:
    from dataclasses import replace

    from mpnet.runs import dump_json

    whole = replace(record, explanations=found).to_json()
    kept = ("scenario", "status", "verdict", "estimator", "explanations")
    return dump_json(
        {"schema": SCHEMA, "run_dir": str(folder), **{name: whole[name] for name in kept}}
    )


def _tell(found: Sequence[Explanation], whole: bool) -> None:
    from rich.text import Text

    from mpnet.cli.telling_shares import tell_explanation
    from mpnet.errors import shown

    out = console()
    for explanation in found:
        if whole:
            tell_explanation(out, explanation)
        else:
            out.print(Text(shown(explanation.headline, 2000)))
    if not found:
        out.print("no node of this run is in question; name one: mpnet explain RUN NODE")


def _drawn(
    folder: Path,
    record: Record,
    found: tuple[Explanation, ...],
    node: str | None,
    options: dict[str, Any],
) -> list[Path]:
    """Draw the shares where that is wanted, and return the files."""
    from dataclasses import replace

    from mpnet.names import file_name
    from mpnet.plots import draw, save

    target: Path | None = options["figure"]
    formats: tuple[str, ...] = ("png", "svg")
    if target is not None:
        stem, formats = target.with_suffix(""), (target.suffix[1:],)
    elif options["no_plots"] or node is None:
        return []
    else:
        stem = folder / "plots" / f"explain-{file_name(node)}"
    shown_record = replace(record, explanations=found)
    figure = draw("waterfall", shown_record)
    if figure is None:
        return []
    stem.parent.mkdir(parents=True, exist_ok=True)
    return save(figure, stem, shown_record, formats)
