"""How right: errors of every estimator and of peers on the UAI problems with references.

python -m benchmarks.accuracy [--data FOLDER] [--quick] [--only NAME ...] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import accuracy_figures, accuracy_tables, report
from benchmarks.contestants import ROOT, Entrant, PeerError, Worker, cores_for, pinned
from benchmarks.exchange import save
from benchmarks.problems import MISSING, Reference, answer, folder_of, problems, to_instance

LIMIT = 60.0
"""Seconds that one estimator may take for one problem."""

MEMORY = 2 * 10**9
COMMON = {"tolerance": 1e-8, "max_iterations": 2000}
I_BOUNDS = (2, 4, 8, 12)

RUNS: dict[str, dict[str, Any]] = {
    "flat": {"estimator": "flat"},
    "region": {"estimator": "region", "memory": MEMORY},
    **{f"region({i})": {"estimator": "region", "i_bound": i} for i in I_BOUNDS},
    "trw": {"estimator": "trw"},
    "fractional .8": {"estimator": "fractional", "fraction": 0.8},
    "mixture": {"estimator": "mixture"},
    "mean_field": {"estimator": "mean_field"},
    "double_loop": {"estimator": "double_loop"},
}

PEERS = (
    Entrant("pyAgrum exact", "pyagrum_exact", "pyagrum", memory=MEMORY),
    Entrant("pyAgrum LBP", "pyagrum_lbp", "pyagrum"),
    Entrant("PGMax LBP", "pgmax_lbp", "pgmax"),
)
DAMPING = 0.5
"""PGMax's own default."""


def run_one(problem: Reference, settings: dict[str, Any]) -> dict[str, Any]:
    """One estimator on one problem, in a process that is ended when its time is up."""
    order = json.dumps({"path": str(problem.path), "settings": {**COMMON, **settings}})
    started = time.perf_counter()
    with pinned(cores_for(1)):
        try:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.accuracy", "--one", order],
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=LIMIT + 5,  # for the interpreter and imports
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {"status": f"over {LIMIT:.0f} s", "seconds": time.perf_counter() - started}
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        return {"status": "failed", "reason": last[:300], "seconds": math.nan}
    return json.loads(done.stdout)


def run_peer(problem: Reference, entrant: Entrant, environments: Path) -> dict[str, Any]:
    """One peer on one problem, with the evidence as unary potentials."""
    from mpnet.inference import read_states
    from mpnet.interchange import read_model
    from mpnet.interchange.evidence import clamp

    graph = read_model(problem.path).graph
    seen = read_states(graph, problem.evidence).states
    instance = to_instance(graph, problem.name)
    if seen:
        logs = clamp(graph, seen)
        unary = np.exp(logs - np.repeat(*_best(graph, logs)))
        instance = type(instance)(instance.name, instance.cardinalities, unary, instance.groups)
    with tempfile.TemporaryDirectory() as name:
        path, out = str(Path(name) / "problem.npz"), str(Path(name) / "beliefs.npy")
        save(instance, path)
        worker = Worker(entrant, environments, cores_for(1))
        try:
            worker.ask("hello")
            setup = worker.ask("setup", LIMIT, path=path, dtype=entrant.dtype)["seconds"]
            left = max(1.0, LIMIT - setup)
            order = {"tolerance": 1e-8, "most": COMMON["max_iterations"], "damping": DAMPING}
            found = worker.ask("converge", left, **order)
            worker.ask("beliefs", path=out)
            beliefs = np.load(out)
        except PeerError as error:
            return {"status": "failed", "reason": str(error), "seconds": math.nan}
        finally:
            worker.stop()
    status = str(found["status"]) if np.isfinite(beliefs).all() else "NaN"
    errors = problem.errors(beliefs, None, graph.cardinalities, set(seen))
    return {"status": status, "seconds": setup + found["seconds"], **errors}


def _best(graph: Any, logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    starts = graph.arrays.variable_states
    return np.maximum.reduceat(logs, starts[:-1]), np.diff(starts)


def main() -> None:
    options = _options()
    if options.one:
        order = json.loads(options.one)
        path = Path(order["path"])
        print(json.dumps(answer(path, Reference(path).evidence, order["settings"])))
        return
    out = options.out or report.RESULTS
    out.mkdir(parents=True, exist_ok=True)
    folder = folder_of(options.data)
    chosen = problems(folder) if folder else []
    chosen = [p for p in chosen if not options.only or p.name in options.only]
    if not chosen:
        print(MISSING.format(folder=folder or "no folder that was named"), file=sys.stderr)
        print("the figure of bounds needs none:", file=sys.stderr)
        accuracy_figures.bounds(options.out, options.quick)
        raise SystemExit(2)
    if options.quick:
        chosen = chosen[:: max(1, len(chosen) // 4)]
    lines = measure(chosen, options, out)
    text = accuracy_tables.tables(lines)
    print(text)
    (out / "accuracy.md").write_text(text)
    (out / "accuracy.tsv").write_text(accuracy_tables.as_tsv(lines))
    accuracy_figures.i_bounds(lines, options.out)
    accuracy_figures.bounds(options.out, options.quick)
    if options.out is None and not options.quick:
        report.enter({"accuracy": text})


def measure(
    chosen: list[Reference], options: argparse.Namespace, out: Path
) -> list[dict[str, Any]]:
    """All estimators and peers on all problems; what is done already is not done again."""
    from mpnet.estimators import ESTIMATORS

    kept = out / "accuracy.jsonl"
    lines = []
    if kept.exists() and not options.fresh:
        lines = [json.loads(line) for line in kept.read_text().splitlines()]
    done = {(line["problem"], line["estimator"]) for line in lines}
    runs = {name: s for name, s in RUNS.items() if s["estimator"] in ESTIMATORS}
    peers = [peer for peer in PEERS if peer.is_installed(options.environments)]
    with kept.open("a" if lines else "w") as stream:
        for problem in chosen:
            for name in (*runs, *(peer.key for peer in peers)):
                if (problem.name, name) in done:
                    continue
                if name in runs:
                    found = run_one(problem, runs[name])
                else:
                    peer = next(peer for peer in peers if peer.key == name)
                    found = run_peer(problem, peer, options.environments)
                family = problem.path.parent.name
                line = {"family": family, "problem": problem.name, "estimator": name, **found}
                lines.append(line)
                stream.write(json.dumps(line) + "\n")
                stream.flush()
                seconds = line["seconds"]
                print(f"{problem.name}: {name}: {line['status']}, {seconds:.1f} s", file=sys.stderr)
    wanted = {problem.name for problem in chosen}
    return [line for line in lines if line["problem"] in wanted]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of UAI problems (default $MPNET_DATA)")
    parser.add_argument("--quick", action="store_true", help="a few problems")
    parser.add_argument("--only", nargs="+", default=[], help="these problems, by name")
    parser.add_argument("--fresh", action="store_true", help="forget results of earlier runs")
    parser.add_argument("--out", type=Path, help="folder (default benchmarks/results and figures)")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument(
        "--environments",
        type=Path,
        default=Path(os.environ.get("MPNET_BENCH_ENVS", report.HERE / ".envs")),
        help="folder of the peers' virtual environments (default $MPNET_BENCH_ENVS)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
