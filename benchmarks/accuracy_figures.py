"""Figures of accuracy: error against i-bound, and the bracket of log Z over coupling strength."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import figures, instances
from mpnet.plots.style import BLUE, DASHES, FAINT, GREY, INK, PALETTE, SKY, VERMILLION, context

SHOWN = 6
"""Lines in the figure of i-bounds."""

FLOOR = 1e-7
"""Errors below this are drawn here: references have six figures."""


def i_bounds(lines: list[dict[str, Any]], folder: Path | None) -> None:
    """Error of marginals against the i-bound of the region estimator, on several problems."""
    curves = {}
    for line in lines:
        bound = _bound(line["estimator"])
        if bound and line.get("mean") is not None:
            curves.setdefault((line["family"], line["problem"]), {})[bound] = line["mean"]
    # One problem a family, the one with the most to show.
    best: dict[str, tuple[str, dict[int, float]]] = {}
    for (family, problem), curve in curves.items():
        fall = max(curve.values()) / max(min(curve.values()), FLOOR)
        held = best.get(family)
        if len(curve) > 2 and (held is None or fall > held[2]):
            best[family] = (problem, curve, fall)
    chosen = sorted(best.values(), key=lambda item: -item[2])[:SHOWN]
    if not chosen:
        return
    with context():
        figure, axes = figures.new(
            "Larger clusters err less, but not always",
            "region estimator; i-bound 1 is flat propagation, dots below the line are exact to the "
            "reference's six figures",
            width=8.0,
            room=1.9,
        )
        labels = []
        for (problem, curve, _), color, dash in zip(chosen, PALETTE, DASHES):
            x = np.array(sorted(curve))
            y = np.maximum([curve[bound] for bound in x], FLOOR)
            axes.plot(x, y, color=color, linestyle=dash, marker="o", markersize=3.5)
            labels.append((float(y[-1]), problem, color))
        axes.set_yscale("log")
        axes.set_ylim(FLOOR / 2, 1)
        axes.axhline(1e-6, color=FAINT, linewidth=0.8, linestyle=(0, (2, 2)))
        figures.decades(axes.yaxis, -7, 0)
        axes.set_xticks(sorted({bound for _, curve, _ in chosen for bound in curve}))
        axes.set_xlabel("i-bound: most variables of a function between clusters")
        axes.set_ylabel("mean absolute error of marginals")
        figures.label_ends(axes, labels)
        figures.save(figure, "i_bound", folder)


def _bound(name: str) -> int:
    if name == "flat":
        return 1
    return int(name[7:-1]) if name.startswith("region(") else 0


def bounds(folder: Path | None, quick: bool) -> None:
    """Mean field and tree-reweighted bounds around exact log Z, per variable."""
    from mpnet.estimators.base import Options
    from mpnet.estimators.bounds import bracket
    from mpnet.inference import infer

    side = 5 if quick else 10
    couplings = np.linspace(0.0, 2.0, 9 if quick else 21)
    low, high, flat, exact = [], [], [], []
    for coupling in couplings:
        graph = instances.to_graph(instances.binary_grid(side, float(coupling), 0.3, seed=3))
        exact.append(infer(graph, estimator="exact").log_z)
        found = bracket(graph, Options())
        low.append(found[0])
        high.append(found[1])
        result = infer(graph, tolerance=1e-6)
        flat.append(result.log_z)
    scale = side * side
    exact, low, high = np.array(exact), np.array(low, float), np.array(high, float)
    flat = np.array([np.nan if value is None else value for value in flat])
    with context():
        figure, axes = figures.new(
            "Log Z between its bounds",
            f"spin glass on a {side}² grid, couplings normal; differences from exact log Z per variable",
            width=7.6,
            room=2.2,
        )
        axes.fill_between(
            couplings, (low - exact) / scale, (high - exact) / scale, color=SKY, alpha=0.18, lw=0
        )
        lines = (
            (high, "tree-reweighted, above", BLUE, DASHES[0]),
            (low, "mean field, below", VERMILLION, DASHES[1]),
            (flat, "Bethe, where flat converges", GREY, DASHES[2]),
        )
        labels = [(0.0, "exact", "#000000")]
        for values, name, color, dash in lines:
            y = (values - exact) / scale
            axes.plot(couplings, y, color=color, linestyle=dash, linewidth=1.6)
            last = y[np.isfinite(y)][-1]
            labels.append((float(last), name, color if color in INK else GREY))
        axes.axhline(0.0, color="#000000", linewidth=1.0, linestyle=(0, (1, 1.6)))
        axes.set_xlim(couplings[0], couplings[-1])
        axes.set_xlabel("standard deviation of the couplings, nats")
        axes.set_ylabel("log Z minus exact, nats per variable")
        figures.label_ends(axes, labels)
        figures.save(figure, "bounds", folder)
    inside = bool(np.all(low <= exact + 1e-6) and np.all(high >= exact - 1e-6))
    print(f"log Z within its bounds at all {len(couplings)} couplings: {inside}")
