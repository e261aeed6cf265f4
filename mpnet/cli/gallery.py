"""``mpnet gallery``: every shipped scenario runs, and gets a page with its main figure."""

from __future__ import annotations

from pathlib import Path

import click

from mpnet.cli.output import print_error, print_result


@click.command(name="gallery")
@click.argument("names", nargs=-1, metavar="[SCENARIO]...")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("gallery"),
    help="Folder of the pages (gallery); pages of the same scenarios are replaced.",
)
@click.option("--data", metavar="FOLDER", help="Folder of data that are not shipped.")
def command(names: tuple[str, ...], out: Path, data: str | None) -> int:
    """Run the shipped scenarios (or those named) and write a page for each.

    Exit codes: 0 all went as expected, 8 an expectation was not met.
    """
    import os

    from mpnet.datafolder import VARIABLE
    from mpnet.errors import DataError, OutputError, UsageError
    from mpnet.gallery import index
    from mpnet.names import suggestion
    from mpnet.scenario.library import shipped

    if data is not None:
        os.environ[VARIABLE] = data
    known = {one.name: one for one in shipped()}
    for name in names:
        if name not in known:
            near = suggestion(name, known, "scenarios")
            raise UsageError(f"there is no shipped scenario {name!r}; {near}")
    chosen = [known[name] for name in (names or known)]
    written, unmet = [], 0
    try:
        out.mkdir(parents=True, exist_ok=True)
        for number, one in enumerate(chosen, start=1):
            try:
                missed = _write(one, out)
            except DataError as error:
                print_error(f"{number}/{len(chosen)} {one.name}: left out, {error}")
                continue
            unmet += missed
            said = f", {missed} not as expected" if missed else ""
            print_error(f"{number}/{len(chosen)} {one.name}{said}")
            written.append((one, f"{one.name}.md"))
        if not names:
            (out / "README.md").write_text(index(written), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{error.filename} can't be written: {error.strerror}") from error
    print_result(f"{len(written)} pages in {out}")
    return 8 if unmet else 0


def _write(one: object, out: Path) -> int:
    """Run one scenario and write its page and figure; how many expectations were not met."""
    from mpnet.gallery import main_figure, page
    from mpnet.plots import draw, save
    from mpnet.scenario.library import Shipped, open_scenario
    from mpnet.simulation.loading import check_scenario
    from mpnet.simulation.running import run_scenario

    assert isinstance(one, Shipped)  # noqa: S101 - for the type checker
    record = run_scenario(check_scenario(open_scenario(f"@{one.name}")))
    figure = draw(main_figure(record), record)
    picture = None
    if figure is not None:
        (path,) = save(figure, out / one.name, record, ("png",))
        picture = path.name
    (out / f"{one.name}.md").write_text(page(one, record, picture), encoding="utf-8")
    return sum(not claim.met for claim in record.expectations)
