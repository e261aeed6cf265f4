"""``mpnet compare``: what differs between runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mpnet.cli.output import console, print_result

if TYPE_CHECKING:
    from mpnet.comparing import Comparison, Errors, Side

SCHEMA = "mpnet.comparison/1"
EXIT_DIFFERENT = 10
EXACT = "exact"
FOLDER = "comparisons"


@click.command(name="compare")
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN...")
@click.option(
    "--base", metavar="RUN", help="Errors from this run, or from each run's own answer: exact."
)
@click.option(
    "--tol",
    type=float,
    default=1e-6,
    show_default=True,
    help="Total variation of a belief, and nats of log Z, that are still the same.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help=f"Folder for the figure; runs/{FOLDER}/A-vs-B if left out.",
)
@click.option("--format", "formats", default="png,svg", help="png, svg, pdf, separated by commas.")
@click.option("--no-plots", is_flag=True, help="Draw no figure.")
def command(runs: tuple[str, ...], base: str | None, **options: Any) -> int:
    """Say what differs between the first RUN and each other one.

    A RUN is a run folder, the name of a scenario that ran, or latest; NAME~1 and latest~1 are the
    runs before. With --base one RUN is enough.

    Exit codes: 0 the answers (status, beliefs, log Z) are the same within --tol, 10 they differ.
    Settings, iterations and events are told, but may differ.
    """
    from mpnet.cli.drawing import Manner
    from mpnet.comparing import compare, errors_from, errors_from_exact

    tolerance = options["tol"]
    wanted = Manner.of(options["formats"]).formats
    _check(runs, base, tolerance)
    named = [*([base] if base not in (None, EXACT) else []), *runs]
    sides, folders = _sides([str(name) for name in named])
    comparisons = [compare(sides[0], side, tolerance) for side in sides[1:]]
    errors: list[Errors] = []
    if base == EXACT:
        errors = [errors_from_exact(side) for side in sides]
    elif base is not None:
        errors = [errors_from(side, sides[0]) for side in sides[1:]]
    drawn = []
    if len(sides) > 1 and not options["no_plots"]:
        drawn = _draw(sides, comparisons, options["out"], wanted)
    found = _document(base, tolerance, sides, folders, comparisons, errors, drawn)
    if options["as_json"]:
        from mpnet.runs import dump_json

        print_result(dump_json(found))
    else:
        from mpnet.cli.differences import tell_comparison, tell_errors

        out = console()
        for comparison in comparisons:
            tell_comparison(out, comparison)
        if errors:
            tell_errors(out, errors, tolerance)
        for path in drawn:
            print_result(f"figure {path}")
    return 0 if found["same"] else EXIT_DIFFERENT


def _check(runs: tuple[str, ...], base: str | None, tolerance: float) -> None:
    from mpnet.errors import UsageError

    if len(runs) < 2 and base is None:
        raise UsageError(
            "compare needs two runs, such as latest~1 latest; or one and --base RUN or --base exact"
        )
    if not 0.0 <= tolerance < math.inf:
        raise UsageError(f"--tol {tolerance:g}: write a number from 0")


def _sides(names: list[str]) -> tuple[list[Side], list[Path]]:
    """The runs that are named, each under a label of its own."""
    from mpnet.comparing import Side
    from mpnet.runs import find_run, read_resolved, read_run

    folders = [find_run(name, Path("runs")) for name in names]
    labels: list[str] = []
    for name, folder in zip(names, folders, strict=True):
        label = folder.name if (Path(name) / "summary.json").is_file() else name
        number = 2
        unique = label
        while unique in labels:
            unique, number = f"{label} ({number})", number + 1
        labels.append(unique)
    sides = [Side(n, read_run(f), read_resolved(f)) for n, f in zip(labels, folders, strict=True)]
    return sides, folders


def _draw(
    sides: list[Side], comparisons: list[Comparison], out: Path | None, formats: Sequence[str]
) -> list[str]:
    """Draw the figure and return its paths."""
    from mpnet.names import file_name
    from mpnet.plots.compare import draw, save

    if out is None:
        Path("runs").mkdir(exist_ok=True)
        pair = "-vs-".join(file_name(side.label.replace("~", "-")) for side in sides[:3])
        more = f"-and-{len(sides) - 3}-more" if len(sides) > 3 else ""
        out = Path("runs") / FOLDER / (pair + more)
    out.mkdir(parents=True, exist_ok=True)
    figure = draw(sides, comparisons)
    return [str(path) for path in save(figure, out / "compare", comparisons, formats)]


def _document(
    base: str | None,
    tolerance: float,
    sides: list[Side],
    folders: list[Path],
    comparisons: list[Comparison],
    errors: list[Errors],
    drawn: list[str],
) -> dict[str, Any]:
    """Everything found, as JSON data; ``same`` is what the exit code says."""
    from dataclasses import asdict

    shared = ("scenario", "status", "iterations", "log_z", "exact_log_z")
    return {
        "schema": SCHEMA,
        "same": all(c.same for c in comparisons) and not any(e.beyond(tolerance) for e in errors),
        "tolerance": tolerance,
        "base": base,
        "runs": [
            {
                "label": s.label,
                "run_dir": str(f),
                **{k: _plain(getattr(s.record, k)) for k in shared},
            }
            for s, f in zip(sides, folders, strict=True)
        ],
        "comparisons": [
            {
                "same": c.same,
                "overtaken": [b.node for b in c.overtaken],
                **_plain(asdict(c)),
            }
            for c in comparisons
        ],
        "errors": [_plain(asdict(e)) for e in errors],
        "figures": drawn,
    }


def _plain(value: Any) -> Any:
    """JSON data: infinite numbers are text, NaN is null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value
