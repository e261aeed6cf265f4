"""Measure mpnet beside its peers and the machine's limit.

    python -m benchmarks.run [--quick] [--only NAME ...] [--peers NAME ...] [--out FOLDER]

Prints the tables, writes them with all numbers to FOLDER/speed.json and FOLDER/speed.md, and, where
FOLDER is benchmarks/results, renews the marked sections of benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import (
    agreement,
    batches,
    convergence,
    footprint,
    limits,
    report,
    start,
    threads,
    throughput,
)
from benchmarks.cases import CASES
from benchmarks.contestants import MPNET, MPNET_F32, PEERS, wait_for_quiet

PARTS = {
    "convergence": convergence.measure,
    "batch": batches.measure,
    "memory": footprint.measure,
    "start": start.measure,
    "agreement": agreement.measure,
}
"""Parts that take peers and a plan."""

NAMES = (*(case.key for case in CASES), "threads", *PARTS)


def main() -> None:
    options = _options()
    if options.install:
        setup = [report.HERE / "setup_peers.sh", options.environments]
        subprocess.run(setup, check=False)
    peers = [
        peer
        for peer in PEERS
        if (options.peers is None or peer.environment in options.peers)
        and peer.is_installed(options.environments)
    ]
    absent = {p.environment for p in PEERS} - {p.environment for p in peers}
    if absent:
        _say("without " + ", ".join(sorted(absent)))
    plan = throughput.Plan(options.environments, options.repeats, options.quick, _say)
    load = wait_for_quiet(options.load, options.patience)
    path = (options.out or report.RESULTS) / "speed.json"
    results: dict[str, Any] = {"speed": {}}
    if options.only and path.exists() and not options.quick:
        results = json.loads(path.read_text())
    _say("the machine's limits")
    results |= {"limits": limits.measure(), "quick": options.quick, "load": [load, load]}
    results["date"] = time.strftime("%Y-%m-%d")
    for case in CASES:
        if case.key in options.only or not options.only:
            entrants = [MPNET, MPNET_F32, *peers]
            lines = throughput.measure(case, entrants, plan)
            throughput.add_shares(lines, case, options.quick, results["limits"])
            results["speed"][case.key] = lines
            _write(results, options.out, options.quick)
    if "threads" in options.only or not options.only:
        results["threads"] = threads.measure(options.threads, plan)
    for name, measure in PARTS.items():
        if name in options.only or not options.only:
            results[name] = measure(peers, plan)
            _write(results, options.out, options.quick)
    results["load"] = [load, os.getloadavg()[0]]
    _write(results, options.out, options.quick)
    for name, text in report.sections(results).items():
        print(f"## {name}\n\n{text}")


def _write(results: dict[str, Any], out: Path | None, quick: bool) -> None:
    """Keep what is there so far; a quick run is written only where it was asked for."""
    if quick and out is None:
        return
    folder = out or report.RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "speed.json").write_text(json.dumps(results, indent=1) + "\n")
    parts = report.sections(results)
    text = "\n".join(f"## {name}\n\n{part}" for name, part in parts.items())
    (folder / "speed.md").write_text(text)
    if folder.resolve() == report.RESULTS and not quick and report.README.exists():
        report.enter(parts)


def _say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small instances, a few minutes")
    parser.add_argument("--only", nargs="+", default=[], choices=NAMES, help="these parts only")
    known = sorted({peer.environment for peer in PEERS})
    parser.add_argument("--peers", nargs="*", choices=known, help="these peers only")
    parser.add_argument("--threads", type=int, default=2, help="threads beside one (default 2)")
    parser.add_argument("--repeats", type=int, help="of each run (default 7; 3 where quick)")
    parser.add_argument("--out", type=Path, help="folder for tables (default benchmarks/results)")
    parser.add_argument("--install", action="store_true", help="install the peers first")
    parser.add_argument(
        "--environments",
        type=Path,
        default=Path(os.environ.get("MPNET_BENCH_ENVS", report.HERE / ".envs")),
        help="folder of the peers' virtual environments (default $MPNET_BENCH_ENVS)",
    )
    parser.add_argument("--load", type=float, default=1.2, help="wait until the load is below")
    parser.add_argument("--patience", type=float, default=0.0, help="but no longer (seconds)")
    options = parser.parse_args()
    if options.repeats is None:
        options.repeats = 3 if options.quick else 7
    return options


if __name__ == "__main__":
    main()
