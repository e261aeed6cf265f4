"""Seconds per flooding sweep against edges, from 10^3 to 10^7: is the cost linear?

python -m benchmarks.scaling [--quick] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import figures, instances, report
from benchmarks.contestants import ROOT, cores_for, pinned
from mpnet.plots.style import BLUE, GREEN, GREY, VERMILLION, context

EDGES = (1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7)
KINDS = {"binary grid": BLUE, "random binary pairs": VERMILLION, "parity, arity 6": GREEN}
SECONDS = 0.4
"""How long one repeat lasts at least."""


def make(kind: str, edges: float) -> Any:
    """An instance of a kind with about so many edges."""
    if kind == "binary grid":
        return instances.binary_grid(round((edges / 4) ** 0.5 + 0.5))
    if kind == "parity, arity 6":
        return instances.parity_checks(round(edges / 18) * 6)
    return instances.random_pairs(round(edges / 4), round(edges / 2))


def sweep_seconds(instance: Any, repeats: int = 5) -> float:
    """Best time of one flooding sweep, in this process."""
    from mpnet.messages import Messages

    messages = Messages(instances.to_graph(instance))
    messages.edge_residual = np.empty(0)

    def sweeps(count: int) -> float:
        started = time.perf_counter()
        for _ in range(count):
            messages.send_from_factors(0.0)
            messages.refresh()
        return (time.perf_counter() - started) / count

    sweeps(2)
    count = max(2, int(SECONDS / sweeps(2)))
    return min(sweeps(count) for _ in range(repeats))


def measure(quick: bool) -> list[dict[str, Any]]:
    """Every kind and size, each in a process of its own on one core."""
    lines = []
    for kind in KINDS:
        for edges in EDGES[:5] if quick else EDGES:
            with pinned(cores_for(1)):
                done = subprocess.run(
                    [sys.executable, "-m", "benchmarks.scaling", "--one", kind, str(edges)],
                    cwd=ROOT,
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                )
            lines.append({"kind": kind, **json.loads(done.stdout)})
            print(lines[-1], file=sys.stderr, flush=True)
    return lines


def draw(lines: list[dict[str, Any]], folder: Path | None) -> None:
    """The figure: double logarithmic, each line named with its slope."""
    with context():
        figure, axes = figures.new(
            "The cost of a sweep grows with the number of edges",
            "flooding, sum-product, float64, one core; best of several repeats",
            width=8.2,
            room=2.4,
        )
        labels = []
        for kind, color in KINDS.items():
            x = np.array([line["edges"] for line in lines if line["kind"] == kind])
            y = np.array([line["seconds"] for line in lines if line["kind"] == kind])
            axes.plot(x, y, color=color, marker="o", markersize=3.5, linewidth=1.4)
            labels.append((y[-1], f"{kind}: slope {figures.slope(x, y):.2f}", color))
        ends = np.array([x[0], x[-1]])
        axes.plot(ends, ends * 1e-8, color=GREY, linewidth=0.8, linestyle=(0, (2, 2)))
        axes.text(ends[1], ends[1] * 0.7e-8, "100 M/s", color=GREY, size=8, va="top", ha="center")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("edges (factor-to-variable messages of one sweep)")
        axes.set_ylabel("seconds per sweep")
        figures.decades(axes.xaxis, 3, 7)
        figures.decades(axes.yaxis, -5, 0)
        figures.label_ends(axes, labels)
        figures.save(figure, "scaling", folder)


def table(lines: list[dict[str, Any]]) -> str:
    """Slopes, in Markdown."""
    rows = []
    for kind in KINDS:
        own = [line for line in lines if line["kind"] == kind]
        x, y = (np.array([line[key] for line in own]) for key in ("edges", "seconds"))
        slope = figures.slope(x, y)
        rates = x / y / 1e6
        rows.append(
            [
                kind,
                f"{x[0]:,.0f} to {x[-1]:,.0f}",
                f"{slope:.3f}",
                f"{rates.max():.0f}",
                f"{rates[-1]:.0f}",
                ".95 to 1.1",
                report.met(0.95 <= slope <= 1.1),
            ]
        )
    heads = ("instance", "edges", "fitted slope", "best M/s", "M/s at the largest", "target", "met")
    picture = "![Seconds per sweep against edges](figures/scaling.svg)"
    return picture + "\n\n" + report.table(heads, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="up to 10^5 edges")
    parser.add_argument("--out", type=Path, help="folder (default benchmarks/results and figures)")
    parser.add_argument("--one", nargs=2, metavar=("KIND", "EDGES"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        instance = make(options.one[0], float(options.one[1]))
        found = {"edges": instance.edges, "seconds": sweep_seconds(instance)}
        print(json.dumps(found))
        return
    lines = measure(options.quick)
    draw(lines, options.out)
    text = table(lines)
    print(text)
    folder = options.out or report.RESULTS
    (folder / "scaling.json").write_text(json.dumps(lines, indent=1) + "\n")
    (folder / "scaling.md").write_text(text)
    if options.out is None:
        report.enter({"scaling": text})


if __name__ == "__main__":
    main()
