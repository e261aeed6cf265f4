"""What a change of structure costs in a society that lives, against how large the society is.

python -m benchmarks.changes [--quick] [--out FOLDER]

Societies are made of groups: ten models over twelve features, each model predicting five of its
group's. A change wakes one model, lets all settle, lets it sleep again and all settle.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import figures, report
from mpnet.lifecycle.population import Population
from mpnet.nodes.feature import Feature
from mpnet.nodes.model import Model
from mpnet.plots.style import BLUE, VERMILLION, context
from mpnet.society import Society, assemble_society

GROUPS = (10, 30, 100, 300, 1000, 3000)
MODELS, FEATURES, PREDICTED = 10, 12, 5
CHANGES = 40
TOLERANCE = 1e-8


def society(groups: int, seed: int = 0) -> Society:
    """So many groups that have nothing to do with one another."""
    draw = np.random.default_rng(seed)
    nodes: dict[str, Any] = {}
    for group in range(groups):
        features = [f"g{group}f{i}" for i in range(FEATURES)]
        nodes |= {name: Feature.model_validate({"base_rates": {"yes": 0.2}}) for name in features}
        for number in range(MODELS):
            chosen = draw.permutation(FEATURES)[:PREDICTED]
            said = {features[i]: {"yes": 0.7} for i in chosen.tolist()}
            keys = {"prior": 0.05, "predicts": said}
            nodes[f"g{group}m{number}"] = Model.model_validate(keys)
    kinds = {n: "feature" if isinstance(node, Feature) else "model" for n, node in nodes.items()}
    found, faults = assemble_society(nodes, kinds)
    if faults:
        raise ValueError(faults[0].what)
    return found


def measure(groups: int) -> dict[str, Any]:
    """Seconds of one change, of settling everything from nothing, and messages of a change."""
    whole = society(groups)
    sleepers = [f"g{group}m0" for group in range(groups)]
    started = time.perf_counter()
    population = Population(whole, sleepers)
    seen = np.array([-np.inf, 0.0])
    for group in range(groups):
        population.see(f"g{group}f0", seen)
    population.graph.settle(TOLERANCE, 1000)
    from_nothing = time.perf_counter() - started
    draw = np.random.default_rng(1)
    seconds, messages = [], []
    for name in [sleepers[i] for i in draw.integers(groups, size=CHANGES)]:
        started = time.perf_counter()
        population.wake(name)
        first = population.graph.settle(TOLERANCE, 1000)
        population.sleep(name)
        second = population.graph.settle(TOLERANCE, 1000)
        seconds.append(time.perf_counter() - started)
        messages.append(first.computed + second.computed)
    return {
        "groups": groups,
        "predictions": groups * MODELS * PREDICTED,
        "seconds": float(np.median(seconds)),
        "messages": float(np.median(messages)),
        "from_nothing": from_nothing,
    }


def draw_figure(lines: list[dict[str, Any]], folder: Path | None) -> None:
    with context():
        figure, axes = figures.new(
            "A change costs what it touches, not what there is",
            "one model wakes, settles, sleeps, settles; one core, medians of 40",
            width=8.2,
            room=2.6,
        )
        x = np.array([line["predictions"] for line in lines])
        labels = []
        for key, color, text in (
            ("seconds", BLUE, "one change"),
            ("from_nothing", VERMILLION, "all from nothing"),
        ):
            y = np.array([line[key] for line in lines])
            axes.plot(x, y, color=color, marker="o", markersize=3.5, linewidth=1.4)
            labels.append((y[-1], f"{text}: slope {figures.slope(x, y):.2f}", color))
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("predictions in the society")
        axes.set_ylabel("seconds")
        figures.decades(axes.xaxis, 2, 6)
        figures.decades(axes.yaxis, -4, 2)
        figures.label_ends(axes, labels)
        figures.save(figure, "changes", folder)


def table(lines: list[dict[str, Any]]) -> str:
    rows = [
        [
            f"{line['predictions']:,}",
            report.number(1e3 * line["seconds"]),
            f"{line['messages']:,.0f}",
            report.number(line["from_nothing"]),
            f"{line['from_nothing'] / line['seconds']:,.0f}",
        ]
        for line in lines
    ]
    heads = ("predictions", "one change, ms", "messages", "all from nothing, s", "ratio")
    return "![Seconds against size](figures/changes.svg)\n\n" + report.table(heads, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="up to 100 groups")
    parser.add_argument("--out", type=Path, help="folder (default benchmarks/results and figures)")
    options = parser.parse_args()
    measure(2)  # compiles
    lines = [measure(groups) for groups in (GROUPS[:3] if options.quick else GROUPS)]
    draw_figure(lines, options.out)
    text = table(lines)
    print(text)
    folder = options.out or report.RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "changes.json").write_text(json.dumps(lines, indent=1) + "\n")
    (folder / "changes.md").write_text(text)
    if options.out is None and not options.quick:
        report.enter({"changes": text})


if __name__ == "__main__":
    main()
