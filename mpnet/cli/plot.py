"""``mpnet plot``: figures of a run, drawn again from its record."""

from __future__ import annotations

from pathlib import Path

import click

from mpnet.cli.output import print_result


@click.command(name="plot")
@click.argument("run", default="latest")
@click.argument("figures", nargs=-1)
@click.option(
    "--format", "formats", default="png,svg", help="png, svg or both, separated by a comma."
)
@click.option(
    "--anim", type=click.Choice(["gif", "mp4"]), help="Let the society move over the iterations."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for the files; the run's own if left out.",
)
def command(
    run: str, figures: tuple[str, ...], formats: str, anim: str | None, out: Path | None
) -> None:
    """Draw FIGURES (all that apply if none is named) of RUN: a folder, a scenario, or latest."""
    from mpnet.cli.animating import animate, check_animated
    from mpnet.cli.drawing import draw_figures
    from mpnet.cli.run import check_figures
    from mpnet.errors import UsageError
    from mpnet.plots import default_figures
    from mpnet.runs import find_run, read_run

    check_figures(figures)
    if anim is not None:
        check_animated(figures)
    wanted = [part.strip() for part in formats.split(",") if part.strip()]
    if not wanted or set(wanted) - {"png", "svg"}:
        raise UsageError(f"--format {formats}: write png, svg or png,svg")
    folder = find_run(run, Path("runs"))
    record = read_run(folder)
    target = folder if out is None else out
    target.mkdir(parents=True, exist_ok=True)
    if anim is not None:
        animate(record, target, anim)
        return
    for name in draw_figures(record, target, figures or default_figures(record), wanted):
        for extension in wanted:
            print_result(str(target / "plots" / f"{name}.{extension}"))
