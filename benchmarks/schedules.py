"""Residual against message updates, by each schedule, on one grid: a figure and a table.

python -m benchmarks.schedules [--quick] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import figures, instances, report
from mpnet.plots.style import DASHES, GREY, INK, PALETTE, context

TOLERANCE = 1e-8
MOST = 400
RUNS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("flooding", "flooding", {}),
    ("sequential", "sequential", {}),
    ("random", "random order", {}),
    ("tree", "tree", {}),
    ("residual", "residual", {}),
    ("asynchronous", "asynchronous", {}),
    ("asynchronous", "asynchronous, 50 % lost", {"loss": 0.5}),
)


def follow(graph: Any, schedule: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Run one schedule until it has settled; what the residual was after how many updates.

    Parameters
    ----------
    graph : FactorGraph
        What to run on.
    schedule : str
        A key of ``mpnet.schedules.SCHEDULES``.
    settings : dict
        Fields of ``mpnet.schedules.base.Settings``.

    """
    from mpnet.messages import Messages
    from mpnet.schedules import make_schedule
    from mpnet.schedules.base import Settings

    order = make_schedule(schedule, Settings(tolerance=TOLERANCE, **settings))
    messages = Messages(graph)
    updates, residuals, total = [], [], 0
    started = time.perf_counter()
    while len(residuals) < MOST and (not residuals or residuals[-1] > TOLERANCE):
        sweep = order.sweep(messages, 0.0)
        total += sweep.updates or graph.arrays.edge_variable.size
        updates.append(total)
        residuals.append(float(sweep.residual))
    return {
        "updates": np.array(updates),
        "residuals": np.array(residuals),
        "seconds": time.perf_counter() - started,
        "beliefs": messages.marginals(),
    }


def draw(found: dict[str, dict[str, Any]], what: str, edges: int, folder: Path | None) -> None:
    """The figure; each line's name hangs from its end, the last to settle highest."""
    ends = {name: run["updates"][-1] / edges for name, run in found.items()}
    row = {name: place for place, name in enumerate(sorted(ends, key=lambda n: -ends[n]))}
    with context():
        figure, axes = figures.new("Residual by schedule", what, 8.2, 5.0, room=0.3)
        axes.set_yscale("log")
        axes.set_xlim(0, max(ends.values()) * 1.42)
        axes.set_ylim(TOLERANCE * 1e-5, 10)
        for (name, run), color, dash in zip(found.items(), PALETTE, DASHES):
            x, y = run["updates"] / edges, np.maximum(run["residuals"], TOLERANCE / 3)
            axes.plot(x, y, color=color, linestyle=dash, linewidth=1.6)
            low = TOLERANCE / 4 * 0.2 ** row[name]
            axes.plot([x[-1]] * 2, [y[-1], low], color=color, linewidth=0.7)
            axes.text(
                x[-1],
                low,
                f" {name}: {ends[name]:.1f}",
                color=INK.get(color, color),
                size=8,
                va="center_baseline",
            )
        axes.axhline(TOLERANCE, color=GREY, linewidth=0.8, linestyle=(0, (2, 2)))
        right = axes.get_xlim()[1]
        axes.text(right, TOLERANCE * 1.4, "tolerance", color=GREY, size=8, ha="right")
        figures.decades(axes.yaxis, -8, 0, 2)
        axes.set_xlabel("factor-to-variable messages moved, per edge")
        axes.set_ylabel("largest residual, nats")
        figures.save(figure, "schedules", folder)


def table(found: dict[str, dict[str, Any]], edges: int) -> str:
    """Updates until settled, and whether all found the same."""
    reference = found["flooding"]["beliefs"]
    rows = [
        [
            name,
            "yes" if run["residuals"][-1] <= TOLERANCE else "**no**",
            f"{run['updates'][-1] / edges:.1f}",
            f"{np.abs(run['beliefs'] - reference).max():.0e}",
            report.number(run["seconds"]),
        ]
        for name, run in found.items()
    ]
    heads = ("schedule", "settled", "updates per edge", "marginals differ by", "seconds")
    picture = "![Residual against updates, by schedule](figures/schedules.svg)"
    return picture + "\n\n" + report.table(heads, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smaller grid")
    parser.add_argument("--out", type=Path, help="folder (default benchmarks/results and figures)")
    options = parser.parse_args()
    side = 20 if options.quick else 100
    instance = instances.binary_grid(side, coupling=0.5, field=0.5, seed=1)
    graph = instances.to_graph(instance)
    found = {}
    for schedule, name, settings in RUNS:
        follow(instances.to_graph(instances.binary_grid(4)), schedule, settings)  # compiles
        found[name] = follow(graph, schedule, settings)
    what = f"{instance.name}, couplings and fields normal with deviation 0.5, no damping"
    draw(found, what, instance.edges, options.out)
    text = table(found, instance.edges)
    print(text)
    ((options.out or report.RESULTS) / "schedules.md").write_text(text)
    if options.out is None:
        report.enter({"schedules": text})


if __name__ == "__main__":
    main()
