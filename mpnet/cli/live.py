"""``mpnet run --live``: who is believed, iteration by iteration, while a run goes on."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from mpnet.errors import shown
from mpnet.trace import Event

if TYPE_CHECKING:  # what only types need must not load numba before the first word is said
    from mpnet.simulation.loading import Scenario
    from mpnet.simulation.watching import Glimpse, Watcher

BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 40
"""Characters of a line."""
KEPT = 16 * WIDTH
"""Values of a line that are kept; every second goes where there are more."""
LINES, EVENTS = 16, 5
FRAMES = 8
"""Pictures per second."""
PAUSE = 5.0
"""Seconds between two lines of text where there is no terminal."""


class Line:
    """One belief over the iterations, thinned so that it always fits."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.last = math.nan
        self._every, self._count = 1, 0

    def add(self, value: float) -> None:
        """The next iteration's value."""
        self.last = value
        if self._count % self._every == 0:
            self.values.append(value)
        self._count += 1
        if len(self.values) > KEPT:
            del self.values[1::2]
            self._every *= 2

    def drawn(self, top: float) -> str:
        """The line in blocks, from 0 to ``top``; the last one is the latest value."""
        every = [*self.values, self.last]
        count = min(WIDTH, len(every))
        picked = [every[(number + 1) * len(every) // count - 1] for number in range(count)]
        steps = len(BLOCKS) - 1
        heights = [0.0 if math.isnan(v) else min(1.0, v / top) for v in picked]
        return "".join(BLOCKS[round(height * steps)] for height in heights)


class LiveView:
    """What is shown while a scenario runs; a context that ends the display.

    Parameters
    ----------
    scenario : Scenario
        What runs.
    out : Console
        Where it is shown: as a moving picture on a terminal, line by line elsewhere.

    """

    def __init__(self, scenario: Scenario, out: Console) -> None:
        self._out, self._moving = out, out.is_terminal
        self._domains: Mapping[str, Sequence[str]] = scenario.society.domains
        self._nodes = [n for n in _watched(scenario) if self._domains[n]]
        self._lines = {name: Line() for name in self._nodes[:LINES]}
        self._states: dict[str, str] = {}
        self._events: list[Event] = []
        self._head = "waiting for the first iteration"
        self._said = time.monotonic()
        self._live: Live | None = None
        if self._moving:
            self._live = Live(
                console=out,
                get_renderable=self.picture,
                refresh_per_second=FRAMES,
                redirect_stdout=False,
                redirect_stderr=False,
            )

    @property
    def watcher(self) -> Watcher:
        """Whom a run has to tell."""
        from mpnet.simulation.watching import Watcher

        return Watcher(self._glimpse, self._event)

    def __enter__(self) -> LiveView:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
        elif kind is None:
            self._say()

    def _glimpse(self, seen: Glimpse) -> None:
        for name, line in self._lines.items():
            belief = seen.belief(name)
            state, value = self._leading(name, belief)
            self._states[name] = state
            line.add(value)
        residual = "" if math.isnan(seen.residual) else f" · residual {seen.residual:.1e} nats"
        self._head = (
            f"iteration {seen.iteration} · {seen.estimator}{residual} · log Z {seen.log_z:.4f}"
        )
        if not self._moving and time.monotonic() - self._said > PAUSE:
            self._say()

    def _leading(self, name: str, belief: object) -> tuple[str, float]:
        """Active, or the state most believed, and how much; nothing while a node is not there."""
        states = self._domains[name]
        if belief is None:
            return "asleep", math.nan
        values = [float(v) for v in belief]  # type: ignore[attr-defined]  # an array
        best = values.index(max(values))
        if "active" in states:
            best = list(states).index("active")
        return states[best], values[best]

    def _event(self, event: Event) -> None:
        self._events = [*self._events, event][-EVENTS:]
        if not self._moving:
            self._out.print(Text(f"{event.iteration:>6}  {event.kind:<12} {_clean(event.text)}"))

    def _say(self) -> None:
        """One line of text: where the run stands, and who leads."""
        self._said = time.monotonic()
        there = {n: line.last for n, line in self._lines.items() if not math.isnan(line.last)}
        leading = sorted(there, key=lambda name: -there[name])[:3]
        told = [f"{shown(name, 24)} {there[name]:.3g}" for name in leading]
        self._out.print(Text(f"{self._head} · {', '.join(told)}" if told else self._head))

    def picture(self) -> Group:
        """Everything, as it is now."""
        values = [v for line in self._lines.values() for v in line.values if not math.isnan(v)]
        top = max(values, default=1.0) or 1.0
        table = Table(box=None, pad_edge=False, padding=(0, 1), show_header=False)
        for name, line in self._lines.items():
            if not line.values:
                continue
            state = self._states.get(name, "")
            table.add_row(
                Text(f"  {shown(name, 24)}"),
                Text(shown(state, 16)),
                Text(line.drawn(top), style="cyan"),
                Text("–" if math.isnan(line.last) else f"{line.last:.3g}"),
            )
        scale = Text(f"  lines from 0 to {top:.2g}", style="dim")
        if len(self._nodes) > LINES:
            scale.append(f"; {LINES} of {len(self._nodes)} nodes in question")
        events = [
            Text(f"  {e.iteration:>6}  {e.kind:<12} {_clean(e.text)}", style="bold")
            for e in self._events
        ]
        return Group(Text(self._head), table, scale, *events)


def _watched(scenario: Scenario) -> list[str]:
    """Nodes in question; where nobody is, all models."""
    asked = list(scenario.in_question)
    domains = scenario.society.domains
    return asked or [name for name, states in domains.items() if "active" in states]


def _clean(text: str) -> str:
    return shown(text, 100)
