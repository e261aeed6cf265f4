"""Everything that reaches one node, and what it adds up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mpnet.errors import UsageError, shown
from mpnet.plots.chosen import known_node
from mpnet.record import NodeInfo, Record
from mpnet.trace import FloatArray


@dataclass(frozen=True)
class Heard:
    """One message that reaches a node.

    ``logs`` are in nats, one per state of the node; ``residual`` is NaN where it was not sent.
    """

    source: str
    logs: FloatArray
    residual: float
    settled: int

    @property
    def sent(self) -> bool:
        """Whether it was sent over and over, rather than known from the start."""
        return not np.isnan(self.residual)


def hearing_nodes(record: Record) -> list[str]:
    """Nodes that messages reach, in the order of the record."""
    reached = set(record.messages.targets) if record.messages is not None else set()
    return [node.name for node in record.nodes if node.name in reached]


def chosen_node(record: Record, name: str | None) -> NodeInfo:
    """The node to show: the one named, else the node in question with the most messages.

    Raises
    ------
    UsageError
        If there is no such node, or no message reaches it.

    """
    known = hearing_nodes(record)
    if not known:
        raise UsageError(f"run {shown(record.scenario)}: no message is left of it")
    if name is not None:
        known_node(
            record, name, known, "no message to it is kept, for the compile pass took it out"
        )
    nodes = {node.name: node for node in record.nodes}
    if name is not None:
        return nodes[name]
    assert record.messages is not None  # noqa: S101 - by hearing_nodes
    targets = record.messages.targets
    asked = [n for n in known if nodes[n].in_question] or known

    def rank(name: str) -> tuple[int, float]:
        return targets.count(name), max(record.beliefs.get(name, {"": 0.0}).values())

    return nodes[max(asked, key=rank)]


def heard_by(record: Record, node: NodeInfo) -> list[Heard]:
    """What reaches a node: its prior, what was observed, then messages by their spread."""
    table = record.messages
    assert table is not None  # noqa: S101 - by hearing_nodes
    found = []
    for number, target in enumerate(table.targets):
        if target == node.name:
            logs = table.values[table.offsets[number] : table.offsets[number + 1]]
            residual, settled = float(table.residual[number]), int(table.settled[number])
            found.append(Heard(table.sources[number], logs, residual, settled))
    return sorted(found, key=_rank)


def _rank(heard: Heard) -> tuple[bool, bool, float]:
    finite = heard.logs[np.isfinite(heard.logs)]
    spread = float(np.ptp(finite)) if finite.size == heard.logs.size else np.inf
    known = not heard.sent and heard.source in ("prior", "evidence")
    return not (known and heard.source == "prior"), not known, -spread


def total(messages: Sequence[Heard]) -> FloatArray:
    """Log belief that messages add up to, in nats, up to a constant; the largest is 0."""
    logs: FloatArray = np.array([heard.logs for heard in messages]).sum(axis=0)
    top = logs.max(initial=-np.inf)
    scaled: FloatArray = logs - top if np.isfinite(top) else logs
    return scaled


def log_ratio(logs: FloatArray, state: int, against: int) -> float:
    """Log ratio of two states, in nats; 0 where neither is possible."""
    with np.errstate(invalid="ignore"):
        ratio = float(logs[state] - logs[against])
    return 0.0 if np.isnan(ratio) else ratio


def probabilities(logs: FloatArray) -> FloatArray:
    """Beliefs from log beliefs; NaN where nothing is possible."""
    with np.errstate(invalid="ignore"):
        numbers = np.exp(logs - logs.max())
        found: FloatArray = numbers / numbers.sum()
    return found
