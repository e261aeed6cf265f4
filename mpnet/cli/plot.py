"""``mpnet plot``: figures of a run, drawn again from its record."""

from __future__ import annotations

from pathlib import Path

import click

from mpnet.cli.output import print_result


@click.command(name="plot")
@click.argument("run", default="latest")
@click.argument("figures", nargs=-1)
@click.option("--format", "formats", default="png,svg", help="png, svg, pdf, separated by commas.")
@click.option("--theme", default="light", help="light or dark.")
@click.option("--node", help="The node to draw, for figures about one.")
@click.option("--at", type=int, help="The iteration to draw, for figures of one moment.")
@click.option(
    "--anim", type=click.Choice(["gif", "mp4"]), help="Let the society move over the iterations."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for the files; the run's own if left out.",
)
def command(
    run: str,
    figures: tuple[str, ...],
    formats: str,
    theme: str,
    node: str | None,
    at: int | None,
    anim: str | None,
    out: Path | None,
) -> None:
    """Draw FIGURES (all that apply if none is named) of RUN: a folder, a scenario, or latest.

    With --node or --at and no FIGURES, those that take it are drawn.
    """
    from mpnet.cli.animating import animate, check_animated
    from mpnet.cli.drawing import Manner, draw_figures
    from mpnet.cli.run import check_figures
    from mpnet.errors import UsageError
    from mpnet.plots import check_choice, takes
    from mpnet.plots.contents import figures_with
    from mpnet.runs import find_run, read_run

    check_figures(figures)
    if anim is not None:
        check_animated(figures)
    manner = Manner.of(formats, theme, node, at)
    for name in figures:
        check_choice(name, theme, manner.chosen)
    folder = find_run(run, Path("runs"))
    record = read_run(folder)
    target = folder if out is None else out
    if not figures:
        figures = figures_with(record, unasked=False)
        figures = tuple(name for name in figures if set(manner.chosen) <= takes(name))
        if manner.chosen and not figures:
            said = " and ".join(f"--{key}" for key in manner.chosen)
            raise UsageError(f"no figure of this run takes {said}")
    target.mkdir(parents=True, exist_ok=True)
    if anim is not None:
        animate(record, target, anim, node)
        return
    for path in draw_figures(record, target, figures, manner):
        print_result(str(path))
