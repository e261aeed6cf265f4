"""``mpnet report``: a run as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mpnet.cli.output import print_error, print_result


@click.command(name="report")
@click.argument("run", default="latest")
@click.option("--out", type=click.Path(path_type=Path), help="File; RUN/report.html if left out.")
@click.option(
    "--max-size",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    metavar="MB",
    show_default=True,
    help="Largest size in megabytes; iterations are left out until the page fits.",
)
@click.option("--open", "show", is_flag=True, help="Open it in the browser.")
def command(run: str, out: Path | None, max_size: float, show: bool) -> None:
    """Write RUN as one HTML page: a folder, a scenario that ran, or latest (the default).

    The page needs no network and no other file: scrub through the iterations, click a node to see
    what reaches it and why it is believed.
    """
    from mpnet.runs import find_run, read_run

    folder = find_run(run, Path("runs"))
    path = write(read_run(folder), folder, out, max_size)
    print_result(f"{path}  {path.stat().st_size / 1e6:.1f} MB")
    if show:
        click.launch(path.resolve().as_uri())


def write(record: Any, folder: Path, out: Path | None = None, megabytes: float = 10.0) -> Path:
    """Write the page of a run, and say on stderr what it leaves out."""
    from mpnet.report.writing import write_report

    path, page = write_report(record, folder, out, megabytes)
    for text in page.left_out:
        print_error(f"note: {text}")
    return path
