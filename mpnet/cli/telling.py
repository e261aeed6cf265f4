"""The story of a run on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mpnet.errors import shown
from mpnet.record import EstimateRow, NodeInfo, Record
from mpnet.story import sentences

BAR = 10
ROWS = 20
EVENTS = 60


def tell_record(out: Console, record: Record, explain: bool = False) -> None:
    """Print who won, how sure, after how many iterations, converged or not, and why."""
    out.print(_headline(record))
    style = "green" if record.status == "converged" else "bold red"
    out.print(Text(_printable(record.verdict), style=style))
    for text in sentences(record):
        out.print(Text(f"  {_printable(text)}", style="bold"))
    if record.beliefs:
        out.print()
        out.print(_beliefs_table(record))
    if record.batch is not None and record.batch.errors:
        out.print(_errors_table(record))
    if record.phases:
        _tell_events(out, record)
    else:
        for event in record.events:
            if event.kind in ("overtake", "tie"):
                out.print(f"  event  {event.text} after {event.iteration} iterations")
    for text in record.findings.notes if record.findings else ():
        out.print(Text(f"  found  {_printable(text)}"))
    for note in record.notes:
        out.print(Text(f"  note   {_printable(note)}", style="yellow"))
    if explain:
        for line in record.compiled:
            out.print(f"  compile: {_printable(line)}")
    for claim in record.expectations:
        mark, style = ("met", "green") if claim.met else ("NOT MET", "bold red")
        out.print(Text(f"  expect {mark}: {_printable(claim.text)} (got {claim.got})", style=style))


def _tell_events(out: Console, record: Record) -> None:
    """What happened along a timeline, iteration by iteration."""
    out.print()
    for event in record.events[:EVENTS]:
        effect = "" if event.effect is None else f"  [{event.effect:+.2f} nats]"
        text = _printable(f"{event.text}{effect}")
        out.print(Text(f"  {event.iteration:>5}  {event.kind:<12} {text}"))
    if len(record.events) > EVENTS:
        out.print(f"         ... {len(record.events) - EVENTS} more events: --json")


def _printable(text: str) -> str:
    return shown(text, 2000)


def _headline(record: Record) -> str:
    models = sum(node.kind in ("model", "composite") for node in record.nodes)
    return (
        f"{record.scenario} · {len(record.nodes)} nodes ({models} models), "
        f"{sum(not p.hard for p in record.predictions)} predictions · {record.estimator}, "
        f"{record.schedule}, damping {record.damping:g} · seed {record.seed} · "
        f"{record.seconds['inference']:.2f} s"
    )


def _beliefs_table(record: Record) -> Table:
    """Beliefs of the nodes in question first, then of the others that own a variable."""
    rows = {row.node: row for row in record.estimates}
    table = Table(box=None, pad_edge=False, padding=(0, 1), show_edge=False)
    table.add_column("  node")
    table.add_column("state")
    table.add_column("belief")
    table.add_column("", justify="right")
    if record.exact:
        table.add_column("exact", justify="right")
    if rows:
        for name in ("flat", "clamped", "exact"):
            table.add_column(f"{name}", justify="right", header_style="dim")
        table.title = "log-odds gained over the prior, in nats, on the right" if rows else None
        table.title_justify, table.title_style = "right", "dim"
    nodes = sorted(
        (n for n in record.nodes if n.states),
        key=lambda n: (not n.in_question, n.kind == "feature"),
    )
    for node in nodes[:ROWS]:
        _add_node(table, record, node, rows.get(node.name), bool(rows))
    if len(nodes) > ROWS:
        table.add_row(f"  ... {len(nodes) - ROWS} more: mpnet show {record.scenario}")
    return table


def _add_node(
    table: Table, record: Record, node: NodeInfo, row: EstimateRow | None, gains: bool
) -> None:
    belief = record.beliefs[node.name]
    states = (
        ["active"]
        if "active" in belief and len(belief) == 2
        else sorted(belief, key=lambda s: -belief[s])[:3]
    )
    for number, state in enumerate(states):
        value = belief[state]
        name = f"  {shown(node.name, 24)}" if number == 0 else ""
        seen = " (seen)" if node.evidence and number == 0 else ""
        cells = [name + seen, shown(state, 20), _bar(value), _number(value)]
        if record.exact:
            cells.append(_number(record.exact[node.name][state]))
        if gains:
            found = (row.flat, row.clamped, row.exact) if row else (None, None, None)
            cells += ["" if g is None else f"{g:+.3f}" for g in found]
        table.add_row(*[Text(cell) for cell in cells])


def _bar(value: float) -> str:
    full = round(value * BAR)
    return "█" * full + "░" * (BAR - full)


def _number(value: float) -> str:
    return f"{value:.3f}" if 0.0005 <= value <= 0.9995 or value in (0.0, 1.0) else f"{value:.3g}"


def _errors_table(record: Record) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for title in ("  wrong case", "truth", "winner", "belief"):
        table.add_column(title)
    for case, truth, winner, belief in (record.batch.errors if record.batch else ())[:ROWS]:
        table.add_row(*[Text(c) for c in (f"  {case}", truth, winner, f"{belief:.3f}")])
    return table
