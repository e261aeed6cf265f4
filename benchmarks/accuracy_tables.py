"""Tables of accuracy: every problem, and what each estimator comes to."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import report

COLUMNS = (
    "family",
    "problem",
    "estimator",
    "status",
    "log10_z_error",
    "mean",
    "hellinger",
    "seconds",
)
PEERS = ("pyAgrum exact", "pyAgrum LBP", "PGMax LBP")
ROUNDING = 2e-6
"""References have six figures: errors below this are none."""

GOOD = ("converged", "exact")

Line = dict[str, Any]


def as_tsv(lines: list[Line]) -> str:
    """All runs, one a line."""
    rows = ["\t".join(COLUMNS)]
    for line in lines:
        cells = [line.get(column) for column in COLUMNS]
        rows.append("\t".join("" if c is None else _plain(c) for c in cells))
    return "\n".join(rows) + "\n"


def _plain(cell: object) -> str:
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def tables(lines: list[Line]) -> str:
    """The whole section, in Markdown."""
    pictures = (
        "![Error against i-bound](figures/i_bound.svg)\n\n"
        "![Log Z between its bounds](figures/bounds.svg)\n"
    )
    return "\n".join(
        [_overall(lines), _promise(lines), _against_flat(lines), pictures, _each(lines)]
    )


def _against_flat(lines: list[Line]) -> str:
    """On how many problems each i-bound errs less than flat propagation, and on how many more."""
    errors: dict[str, dict[str, float]] = {}
    for line in lines:
        if line.get("mean") is not None:
            errors.setdefault(line["estimator"], {})[line["problem"]] = line["mean"]
    flat, parts = errors.get("flat", {}), []
    for name in (name for name in errors if name.startswith("region(")):
        shared = errors[name].keys() & flat.keys()
        less = sum(errors[name][one] < flat[one] - ROUNDING for one in shared)
        more = sum(errors[name][one] > flat[one] + ROUNDING for one in shared)
        parts.append(f"{name} less on {less} and more on {more} of {len(shared)}")
    return f"Mean error of marginals against flat propagation: {'; '.join(parts)}.\n"


def _names(lines: list[Line]) -> list[str]:
    return list(dict.fromkeys(line["estimator"] for line in lines))


def _overall(lines: list[Line]) -> str:
    """How often each estimator gave an answer, and how far that was from the reference."""
    rows = []
    for name in _names(lines):
        own = [line for line in lines if line["estimator"] == name]
        settled = [line for line in own if line["status"] in GOOD or name in PEERS]
        rows.append(
            [
                name,
                str(len(own)),
                str(sum(line["status"] in GOOD for line in own)),
                str(sum(line["status"] == "exact" for line in own)),
                *(_middle(settled, key) for key in ("log10_z_error", "mean", "hellinger")),
                _middle(settled, "seconds"),
                str(sum(line["status"].startswith(("over", "failed", "refused")) for line in own)),
            ]
        )
    heads = (
        "estimator",
        "problems",
        "settled",
        "exact",
        "median error of log10 Z",
        "of marginals",
        "Hellinger",
        "median seconds",
        "no answer in time or memory",
    )
    return report.table(heads, rows)


def _middle(lines: list[Line], key: str) -> str:
    found = [line[key] for line in lines if line.get(key) is not None]
    found = [value for value in found if np.isfinite(value)]
    return report.number(float(np.median(found)), 2) if found else ""


def _promise(lines: list[Line]) -> str:
    """Whether region is at least as good as the best peer wherever marginals are known."""
    worse, beaten, counted = [], 0, 0
    for problem in dict.fromkeys(line["problem"] for line in lines):
        own = {line["estimator"]: line for line in lines if line["problem"] == problem}
        ours = own.get("region", {}).get("mean")
        peers = [own[p]["mean"] for p in PEERS if p in own and own[p].get("mean") is not None]
        if not peers:
            continue
        counted += 1
        if ours is None or ours > min(peers) + ROUNDING:
            worse.append(problem)
        elif ours < min(peers) - ROUNDING:
            beaten += 1
    text = (
        f"Region within 2 GB against the best peer by the mean error of marginals, where a peer gives "
        f"any: {counted} problems, better on {beaten}, equal to six figures on "
        f"{counted - beaten - len(worse)}, worse on {len(worse)}"
    )
    return text + (f" ({', '.join(worse)}).\n" if worse else ".\n")


def _each(lines: list[Line]) -> str:
    """Error of marginals by problem and estimator; of log10 Z where marginals are not known."""
    names = _names(lines)
    rows = []
    for problem in dict.fromkeys(line["problem"] for line in lines):
        own = {line["estimator"]: line for line in lines if line["problem"] == problem}
        known = any(line.get("mean") is not None for line in own.values())
        key = "mean" if known else "log10_z_error"
        cells = [_cell(own.get(name), key) for name in names]
        rows.append([problem + ("" if known else " (log10 Z)"), *cells])
    note = (
        "Mean absolute error of marginals (of log10 Z where no marginals are known); *e* exact by its "
        "own word, in brackets not settled, – no answer within 60 s or the memory.\n\n"
    )
    return note + report.table(("problem", *names), rows)


def _cell(line: Line | None, key: str) -> str:
    if line is None or line.get(key) is None:
        return "–"
    text = report.number(line[key], 2) if line[key] > 1e-9 else "0"
    if line["status"] == "exact":
        return text + " *e*"
    settled = line["status"] == "converged" or line["estimator"] == "pyAgrum LBP"
    return text if settled else f"({text})"
