"""An explanation on a terminal: shares in nats with small bars, and their sum."""

from __future__ import annotations

import math

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from mpnet.errors import shown
from mpnet.explanation import Explanation, Share, near

HALF = 8
"""Characters of a bar on each side of zero."""
ROWS = 40
NAMES = 30
WIDEST = 400
PROTEST, SUPPORT = "dark_orange3", "blue"


def tell_explanation(out: Console, found: Explanation) -> None:
    """Print the reason, the shares and what they add up to."""
    out.print(Text(shown(found.headline, 2000), style="bold"))
    for note in found.notes:
        out.print(Text(f"  note   {shown(note, 2000)}", style="yellow"))
    if not found.shares:
        return
    table = _table(found)
    # Where nobody counts columns, a line may be as long as it is.
    wide = Measurement.get(out, out.options.update(max_width=WIDEST), table).maximum
    if not out.is_terminal:
        out.width = max(out.width, wide)
    out.print()
    out.print(table)


def _table(found: Explanation) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), show_edge=False)
    table.add_column("  share")
    table.add_column("of")
    table.add_column("nats", justify="right")
    table.add_column("")
    told = any(share.without is not None for share in found.shares)
    if told:
        table.add_column("without", justify="right", header_style="dim")
    table.add_column("")
    finite = [abs(s.nats) for s in found.shares if math.isfinite(s.nats)]
    scale = max([*finite, 1e-9])
    for share in found.shares[:ROWS]:
        table.add_row(*_cells(share, scale, told))
    if len(found.shares) > ROWS:
        rest = math.fsum(share.nats for share in found.shares[ROWS:])
        table.add_row("", f"... {len(found.shares) - ROWS} more: --json", f"{rest:+.4f}")
    state, against = shown(found.state, NAMES), shown(found.against, NAMES)
    sums = [Text("  sum"), Text(f"{state} against {against}"), Text(f"{found.log_odds:+.4f}")]
    sums += [Text("")] * (2 if told else 1)
    sums.append(Text(f"belief {near(found.belief)} · shares {found.reference}"))
    table.add_row(*sums, style="bold")
    return table


def _cells(share: Share, scale: float, told: bool) -> list[Text]:
    names = shown(", ".join(share.names), NAMES)
    cells = [Text(f"  {share.kind}"), Text(names), Text(f"{share.nats:+.4f}")]
    cells.append(Text(_bar(share.nats / scale), style=PROTEST if share.nats < 0 else SUPPORT))
    if told:
        cells.append(Text("" if share.without is None else near(share.without), style="dim"))
    return [*cells, Text(shown(share.text, 100), style="dim")]


def _bar(size: float) -> str:
    """From the middle: to the right for support, to the left for protest."""
    full = min(HALF, round(abs(size) * HALF)) if math.isfinite(size) else HALF
    if size < 0:
        return ("█" * full).rjust(HALF) + "│" + " " * HALF
    return " " * HALF + "│" + ("█" * full).ljust(HALF)
