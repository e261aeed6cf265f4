"""``mpnet gallery``: every shipped scenario runs, and gets a page with all figures that apply."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from mpnet.cli.output import console, print_error, print_result

if TYPE_CHECKING:
    from mpnet.record import Record
    from mpnet.scenario.library import Shipped


class Step(Protocol):
    """Says how far the gallery is: what is worked at, and how many steps that completes."""

    def __call__(self, what: str, done: float = 0.0) -> None:
        """Say it."""


@click.command(name="gallery")
@click.argument("names", nargs=-1, metavar="[SCENARIO]...")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("gallery"),
    help="Folder of the pages (gallery); pages of the same scenarios are replaced.",
)
@click.option("--data", metavar="FOLDER", help="Folder of data that are not shipped.")
@click.option("--theme", type=click.Choice(["light", "dark"]), default="light", help="Light.")
def command(names: tuple[str, ...], out: Path, data: str | None, theme: str) -> int:
    """Run the shipped scenarios (or those named) and write a page with all figures for each.

    Exit codes: 0 all went as expected, 8 an expectation was not met.
    """
    import os

    from mpnet.datafolder import VARIABLE
    from mpnet.errors import OutputError
    from mpnet.gallery import index

    if data is not None:
        os.environ[VARIABLE] = data
    chosen = _chosen(names)
    try:
        out.mkdir(parents=True, exist_ok=True)
        written, shown, unmet = _pages(chosen, out, theme)
        if not names:
            (out / "README.md").write_text(index(written, shown), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{error.filename} can't be written: {error.strerror}") from error
    drawn = sum(map(len, shown.values()))
    print_result(f"{len(written)} pages with {drawn} figures in {out}")
    return 8 if unmet else 0


def _chosen(names: Sequence[str]) -> list[Shipped]:
    from mpnet.errors import UsageError
    from mpnet.names import suggestion
    from mpnet.scenario.library import shipped

    known = {one.name: one for one in shipped()}
    for name in names:
        if name not in known:
            near = suggestion(name, known, "scenarios")
            raise UsageError(f"there is no shipped scenario {name!r}; {near}")
    return [known[name] for name in (names or known)]


def _pages(
    chosen: Sequence[Shipped], out: Path, theme: str
) -> tuple[list[tuple[Shipped, str]], dict[str, list[str]], int]:
    """Write the pages: which, the scenarios that each figure is shown for, expectations not met."""
    from mpnet.errors import DataError

    written: list[tuple[Shipped, str]] = []
    shown: dict[str, list[str]] = {}
    unmet = 0
    with _progress(len(chosen)) as step:
        for number, one in enumerate(chosen, start=1):
            place = f"{number}/{len(chosen)} {one.name}"
            step(one.name)
            try:
                figures, missed = _write(one, out, theme, step)
            except DataError as error:
                print_error(f"{place}: left out, {error}")
                continue
            unmet += missed
            said = f", {missed} not as expected" if missed else ""
            print_error(f"{place}: {len(figures)} figures{said}")
            written.append((one, f"{one.name}.md"))
            for figure in figures:
                shown.setdefault(figure, []).append(one.name)
    return written, shown, unmet


@contextmanager
def _progress(count: int) -> Iterator[Step]:
    """A bar on a terminal; nothing elsewhere, where a line per scenario has to do."""
    out = console(stderr=True)
    if not out.is_terminal:
        yield lambda what, done=0.0: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns: list[Any] = [TextColumn("{task.description}", markup=False), BarColumn()]
    columns += [MofNCompleteColumn(), TimeElapsedColumn()]
    with Progress(*columns, console=out, transient=True, redirect_stderr=False) as bar:
        task = bar.add_task("gallery", total=count)

        def step(what: str, done: float = 0.0) -> None:
            bar.update(task, description=what, advance=done)

        yield step


def _write(one: Shipped, out: Path, theme: str, step: Step) -> tuple[list[str], int]:
    """Run one scenario and write its page and figures; their names, and expectations not met."""
    from mpnet.gallery import figures_of, page
    from mpnet.scenario.library import open_scenario
    from mpnet.simulation.loading import check_scenario
    from mpnet.simulation.running import run_scenario

    record = run_scenario(check_scenario(open_scenario(f"@{one.name}")))
    pictures = {}
    for name in figures_of(record):
        step(f"{one.name}: {name}")
        file = _draw(name, record, out / one.name, theme)
        if file is not None:
            pictures[name] = f"{one.name}/{file}"
    (out / f"{one.name}.md").write_text(page(one, record, pictures), encoding="utf-8")
    step(one.name, 1.0)
    return list(pictures), sum(not claim.met for claim in record.expectations)


def _draw(name: str, record: Record, folder: Path, theme: str) -> str | None:
    """Draw one figure, small enough for a page; its file's name, None if there is nothing."""
    from mpnet.plots import draw
    from mpnet.plots.files import save_small

    figure = draw(name, record, theme=theme)
    if figure is None:
        return None
    folder.mkdir(exist_ok=True)
    return save_small(figure, folder / f"{name}.png", record).name
