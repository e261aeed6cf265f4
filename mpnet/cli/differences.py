"""The story of a comparison on a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mpnet.comparing import BeliefChange, Change, Comparison, Errors
from mpnet.errors import shown

ROWS = 20
"""Lines of each part, at most; --json has all."""
MARKS = {"added": "+", "removed": "-", "changed": "~"}
WORDS = {"log_z": "log Z (nats)", "exact_log_z": "exact log Z (nats)"}
STYLES = {"added": "green", "removed": "red", "changed": ""}


def tell_comparison(out: Console, found: Comparison) -> None:
    """Print what differs from one run to another: the scenario, then the outcome."""
    names = f"{shown(found.before, 80)} → {shown(found.after, 80)}"
    out.print(Text(names, style="bold"))
    _tell_changes(out, "scenario", found.settings)
    _tell_changes(out, "outcome", [_worded(c) for c in found.outcome if _shows(c)])
    _tell_changes(out, "nodes", [_named(change) for change in found.nodes])
    _tell_changes(out, "events, by iteration", found.events)
    _tell_changes(out, "expectations met", found.expectations)
    for label in found.silent:
        out.print(Text(f"  {shown(label, 80)} has no beliefs to compare", style="yellow"))
    if found.differing:
        out.print(_beliefs_table(found))
    out.print(Text(_verdict(found), style="green" if found.same else "bold yellow"))
    out.print()


def _worded(change: Change) -> Change:
    return replace(change, path=WORDS.get(change.path, change.path))


def _shows(change: Change) -> bool:
    """Whether the two values are different as they are written."""
    return change.kind != "changed" or _value(change.before) != _value(change.after)


def _named(change: Change) -> Change:
    """A node that only one run has, without its numbers."""
    return Change(shown(change.path), change.kind)


def _tell_changes(out: Console, title: str, changes: Sequence[Change]) -> None:
    if not changes:
        return
    out.print(f"  {title}")
    for change in changes[:ROWS]:
        text = f"    {MARKS[change.kind]} {shown(change.path, 100)}{_values(change)}"
        out.print(Text(text, style=STYLES[change.kind]))
    if len(changes) > ROWS:
        out.print(f"    ... {len(changes) - ROWS} more: --json")


def _values(change: Change) -> str:
    known = [v for v in (change.before, change.after) if v is not None]
    return ": " + " → ".join(_value(v) for v in known) if known else ""


def _value(value: Any) -> str:
    """A value as it would stand in a scenario, in a few words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return shown(text, 60)


def _beliefs_table(found: Comparison) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2), show_edge=False)
    for title in ("  node", "state"):
        table.add_column(title, no_wrap=True)
    for title in (shown(found.before, 16), shown(found.after, 16), "change", "TV"):
        table.add_column(Text(title), justify="right")
    table.add_column("other winner")
    for belief in found.differing[:ROWS]:
        table.add_row(*[Text(cell) for cell in _belief_cells(belief)])
    left = len(found.differing) - ROWS
    if left > 0:
        table.add_row(f"  ... {left} more: --json")
    return table


def _belief_cells(belief: BeliefChange) -> Iterable[str]:
    state = belief.moved
    yield f"  {shown(belief.node, 30)}{' (other states)' if belief.other_states else ''}"
    yield shown(state, 24)
    for beliefs in (belief.before, belief.after):
        yield _probability(beliefs[state]) if state in beliefs else "-"
    yield f"{belief.difference(state):+.2g}"
    yield f"{belief.total_variation:.2g}"
    yield " → ".join(shown(winner, 20) for winner in belief.winners) if belief.overtaken else ""


def _probability(value: float) -> str:
    return f"{value:.4f}" if 0.0005 <= value <= 0.9995 or value in (0.0, 1.0) else f"{value:.4g}"


def _verdict(found: Comparison) -> str:
    if found.same:
        most = found.beliefs[0].total_variation if found.beliefs else 0.0
        return f"  same answers: no belief differs by more than {most:.2g} (tolerance {found.tolerance:g})"
    parts = [f"{len(found.differing)} of {len(found.beliefs)} beliefs"] if found.differing else []
    parts += [f"{len(found.overtaken)} winners"] if found.overtaken else []
    parts += [f"{len(found.nodes)} nodes in one of them alone"] if found.nodes else []
    if found.log_z_difference is not None and found.log_z_difference != 0.0:
        parts.append(f"log Z by {found.log_z_difference:+.4g} nats")
    parts += ["the status"] if any(c.path == "status" for c in found.outcome) else []
    return f"  different answers: {', '.join(parts) or 'one has no beliefs or no log Z'}"


def tell_errors(out: Console, errors: Sequence[Errors], tolerance: float) -> None:
    """Print how far each run is from the base, a line a run."""
    what = "|error| of a probability, total variation (TV) of a node, error of log Z in nats"
    out.print(Text(f"errors from {shown(errors[0].base, 80)}: {what}", style="bold"))
    table = Table(box=None, pad_edge=False, padding=(0, 2), show_edge=False)
    table.add_column("  run")
    for title in ("nodes", "mean", "max", "mean TV", "max TV"):
        table.add_column(title, justify="right")
    table.add_column("worst node")
    table.add_column("log Z", justify="right")
    for error in errors:
        table.add_row(*[Text(cell) for cell in _error_cells(error)])
    out.print(table)
    for error in errors:
        if error.left_out:
            said = f"{error.left_out} nodes are left out: not in both, or with other states"
            out.print(Text(f"  {shown(error.run, 80)}: {said}", style="yellow"))
    beyond = sum(error.beyond(tolerance) for error in errors)
    out.print(f"  {beyond} of {len(errors)} beyond the tolerance {tolerance:g}")


def _error_cells(error: Errors) -> list[str]:
    numbers = [error.mean_absolute, error.max_absolute]
    numbers += [error.mean_total_variation, error.max_total_variation]
    cells = [f"  {shown(error.run, 40)}", str(error.nodes)]
    cells += ["-" if n != n else f"{n:.3g}" for n in numbers]  # noqa: PLR0124 - NaN
    log_z = "-" if error.log_z is None else f"{error.log_z:+.4g}"
    return [*cells, shown(error.worst, 30), log_z]
