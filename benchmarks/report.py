"""Markdown tables from what the benchmark measured, and their place in the README.

python -m benchmarks.report            # the README's tables again, from benchmarks/results
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES

HERE = Path(__file__).resolve().parent
README = HERE / "README.md"
RESULTS = HERE / "results"

Line = dict[str, Any]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(row) + " |" for row in (heads, ["---"] * len(heads), *rows)]
    return "\n".join(lines) + "\n"


def number(value: float, digits: int = 3) -> str:
    """A number with so many figures that count, without an exponent where it can be avoided."""
    if value == 0.0:
        return "0"
    if abs(value) < 1e-3:
        return f"{value:.1e}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    text = f"{value:.{digits}g}"
    return text


def met(yes: bool) -> str:
    """Whether a target was reached."""
    return "yes" if yes else "**no**"


def machine(results: Line) -> str:
    """One paragraph: where, when and how loaded."""
    it = results["limits"]
    load = results["load"]
    return (
        f"{it['processor']}, {it['cores']} cores, {it['system']}, Python {it['python']}; load "
        f"average {load[0]:.2f} at the start and {load[1]:.2f} at the end of the run (the "
        f"benchmark itself makes about 1). One core copies {it['copy'] / 1e9:.1f} GB/s (bytes "
        f"read plus bytes written, arrays of 128 MB; {it['copy_cached'] / 1e9:.0f} GB/s where they "
        f"stay in the second-level cache) and does {it['flops'] / 1e9:.0f} Gflop/s (matrix "
        f"product, float64).\n"
    )


def speed(results: Line) -> str:
    """The table of rates: mpnet beside the best peer, the target and the machine's limit."""
    rows = []
    for case in CASES:
        lines = results["speed"].get(case.key)
        if not lines:
            continue
        ours = next(line for line in lines if line["entrant"] == "mpnet" and not line["small"])
        if ours["failed"]:
            rows.append([ours["instance"], f"failed: {ours['failed']}", *[""] * 6])
            continue
        peers = [
            line
            for line in lines
            if not line["entrant"].startswith("mpnet") and not line["failed"] and not line["small"]
        ]
        best = max(peers, key=lambda line: line["rate"], default=None)
        tables = f" (tables {100 * ours['table_share']:.0f} %)" if case.key == "potts32" else ""
        rows.append(
            [
                ours["instance"],
                f"{number(ours['rate'])} ({number(ours['median_rate'])})",
                f"{number(best['rate'])} ({best['entrant']})" if best else "none can",
                f"{number(ours['rate'] / best['rate'])} ×" if best else "",
                f"≥ {case.target:g}" if case.target else "runs",
                met(_reached(case.key, case.target, ours)),
                f"{ours['bytes'] / 1e6:.1f} MB",
                f"{100 * ours['share']:.0f} %{tables}",
            ]
        )
    heads = (
        "instance",
        "mpnet, M/s best (median)",
        "best peer, M/s",
        "ratio",
        "target",
        "met",
        "a sweep moves at least",
        "share of the limit",
    )
    return table(heads, rows)


def _reached(key: str, target: float | None, ours: Line) -> bool:
    enough = target is None or ours["rate"] >= target
    return enough and (key != "potts32" or ours["table_share"] >= 0.3)


def contestants(results: Line) -> str:
    """Every contestant on every instance."""
    rows = []
    for case in CASES:
        lines = results["speed"].get(case.key, [])
        for line in lines:
            own = next(
                (
                    other
                    for other in lines
                    if other["entrant"] == "mpnet" and other["small"] == line["small"]
                ),
                None,
            )
            name = line["instance"] + (" ¹" if line["given"] != line["instance"] else "")
            if line["failed"]:
                rows.append([name, line["entrant"], f"failed: {line['failed']}", *[""] * 5])
                continue
            ratio = own["rate"] / line["rate"] if own and not own["failed"] else 0.0
            rows.append(
                [
                    name,
                    line["entrant"],
                    f"{number(line['rate'])} ({number(line['median_rate'])})",
                    f"{number(ratio)} ×" if ratio and line is not own else "",
                    str(line["iterations"]),
                    f"{number(line['setup'])} + {number(line['compile'])}",
                    f"{line['difference']:.0e}" if "difference" in line else "",
                ]
            )
    heads = (
        "instance",
        "contestant",
        "M/s best (median)",
        "mpnet is faster by",
        "sweeps",
        "set-up + compile, s",
        "marginals differ from mpnet's by",
    )
    return table(heads, rows)


def versions(results: Line) -> str:
    """What each contestant is, and what it does otherwise."""
    seen: dict[tuple[str, str], str] = {}
    for lines in (*results["speed"].values(), results.get("agreement", [])):
        for line in lines:
            if line.get("version"):
                seen[line["entrant"], line["version"]] = line["differs"]
    return table(
        ("contestant", "version", "what it does in its own way"),
        [[*key, text] for key, text in seen.items()],
    )


def threads(results: Line) -> str:
    """One thread beside several."""
    rows = []
    for line in results["threads"]:
        goal = line["threads"] == 2
        rows.append(
            [
                line["instance"],
                str(line["threads"]),
                f"{number(line['rate'])} ({number(line['median_rate'])})",
                f"{number(line['gain'])} ×",
                "≥ 1.7 ×" if goal else "",
                met(line["gain"] >= 1.7) if goal else "",
                "yes" if line["same"] else "**no**",
            ]
        )
    heads = ("instance", "threads", "M/s best (median)", "gain", "target", "met", "same bits")
    return table(heads, rows)


def convergence(results: Line) -> str:
    """Seconds and updates until a grid has settled."""
    lines = results["convergence"]
    done = [x for x in lines if x["entrant"] == "mpnet" and x["status"] == "converged"]
    best = min(done, key=lambda line: line["seconds"], default=None)
    flooding = next((line for line in done if line["schedule"] == "flooding"), None)
    rows = []
    for line in lines:
        if line["failed"]:
            rows.append([line["entrant"], line["schedule"], line["failed"], *[""] * 6])
            continue
        goal, yes = "", ""
        if line is best:
            goal, yes = "best ≤ 0.4 s", met(line["seconds"] <= 0.4)
        if line["entrant"] == "mpnet" and line["schedule"] == "residual":
            fewer = flooding is None or line["updates"] < flooding["updates"]
            fast = line["updates"] / line["seconds"] >= 5e6
            goal = (goal + "; " if goal else "") + "≥ 5 M/s, fewer than flooding"
            yes = (yes + "; " if yes else "") + met(fewer and fast)
        rows.append(
            [
                line["entrant"],
                line["schedule"],
                line["status"],
                f"{line['tolerance']:.0e}",
                number(line["seconds"]),
                f"{line['updates'] / 1e6:.2f}",
                number(line["updates"] / line["seconds"] / 1e6),
                f"{line['difference']:.0e}",
                goal,
                yes,
            ]
        )
    heads = (
        "contestant",
        "schedule",
        "status",
        "tolerance",
        "seconds",
        "M updates",
        "M updates/s",
        "marginals differ by",
        "target",
        "met",
    )
    return f"{lines[0]['instance']}.\n\n" + table(heads, rows)


def batch(results: Line) -> str:
    """Many evidence sets at once."""
    rows = []
    for line in results["batch"]:
        if line["failed"]:
            rows.append([line["entrant"], f"failed: {line['failed']}", *[""] * 5])
            continue
        gain, ours = line["single"] / line["batch"], line["entrant"] == "mpnet"
        rows.append(
            [
                line["entrant"],
                number(1e3 * line["single"]),
                number(1e3 * line["batch"]),
                f"{number(gain)} ×",
                "≥ 4 ×" if ours else "",
                met(gain >= 4) if ours else "",
                f"{line['difference']:.0e}",
            ]
        )
    heads = ("contestant", "one by one, ms", "batch, ms", "gain", "target", "met", "differ by")
    return table(heads, rows)


def memory(results: Line) -> str:
    """Peak memory and set-up."""
    rows = []
    for line in results["memory"]:
        if line["failed"]:
            rows.append([line["instance"], line["entrant"], line["failed"], *[""] * 6])
            continue
        ratio, goal, yes = line["memory"] / line["needed"], "", ""
        if line["entrant"] == "mpnet" and line is results["memory"][0]:
            goal, yes = "≤ 2 ×", met(ratio <= 2)
        elif line["entrant"] == "mpnet":
            goal = "< 400 MB, < 2 s"
            yes = met(line["memory"] < 4e8 and line["setup"] < 2)
        rows.append(
            [
                line["instance"],
                line["entrant"],
                f"{line['needed'] / 1e6:.0f}",
                f"{line['memory'] / 1e6:.0f}",
                f"{number(ratio)} ×",
                f"{line['arrays'] / 1e6:.0f}" if "arrays" in line else "",
                number(line["setup"])
                + (f" + {number(line['compile'])}" if "compile" in line else ""),
                f"{line['base'] / 1e6:.0f}",
                goal,
                yes,
            ]
        )
    heads = (
        "instance",
        "contestant",
        "tables + messages, MB",
        "peak over the interpreter, MB",
        "ratio",
        "of which the arrays given, MB",
        "set-up (+ compile), s",
        "interpreter, MB",
        "target",
        "met",
    )
    return table(heads, rows)


def start(results: Line) -> str:
    """First answers."""
    goals = {"cold cache": 10.0, "warm cache": 1.0}
    rows = []
    for line in results["start"]:
        goal = goals.get(line["what"])
        if line["failed"]:
            rows.append([line["entrant"], line["what"], line["failed"], "", ""])
            continue
        rows.append(
            [
                line["entrant"],
                line["what"],
                number(line["seconds"]),
                f"< {goal:g} s" if goal else "",
                met(line["seconds"] < goal) if goal else "",
            ]
        )
    return table(("contestant", "what", "seconds, whole process", "target", "met"), rows)


def agreement(results: Line) -> str:
    """Settled marginals beside each other."""
    rows = [
        [line["entrant"], f"failed: {line['failed']}", ""]
        if line["failed"]
        else [line["entrant"], f"{line['from_mpnet']:.0e}", f"{line['from_exact']:.1e}"]
        for line in results["agreement"]
    ]
    return table(("contestant", "largest difference from mpnet's", "from exact marginals"), rows)


SECTIONS = {
    "limits": machine,
    "speed": speed,
    "contestants": contestants,
    "versions": versions,
    "threads": threads,
    "convergence": convergence,
    "batch": batch,
    "memory": memory,
    "start": start,
    "agreement": agreement,
}
"""What each marked section of the README is made by."""

NEEDS = {"contestants": "speed", "versions": "speed"}


def sections(results: Line) -> dict[str, str]:
    """All sections for which there are results."""
    return {
        name: make(results) for name, make in SECTIONS.items() if results.get(NEEDS.get(name, name))
    }


def enter(parts: dict[str, str], path: Path = README) -> None:
    """Replace what stands between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``."""
    text = path.read_text()
    for name, part in parts.items():
        marked = re.compile(f"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        text = marked.sub(lambda found, part=part: found[1] + "\n" + part + "\n" + found[2], text)
    path.write_text(text)


if __name__ == "__main__":
    speed_file = RESULTS / "speed.json"
    if speed_file.exists():
        enter(sections(json.loads(speed_file.read_text())))
    for path in sorted(RESULTS.glob("*.md")):
        enter({path.stem: path.read_text()})
    print(f"wrote {README}")
