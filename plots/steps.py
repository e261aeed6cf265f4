"""Nodes along a stream: which ones are steps of the same node, and what was observed at each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mpnet.record import NodeInfo, Record

_STEP = re.compile(r"(.*)@([0-9]{1,9})", re.DOTALL)


@dataclass(frozen=True)
class Walk:
    """A node along a stream: its variable at each step, in the order of time.

    ``steps`` are the numbers of the steps; ``nodes`` has one entry for each.
    """

    name: str
    steps: tuple[int, ...]
    nodes: tuple[NodeInfo, ...]

    @property
    def states(self) -> tuple[str, ...]:
        """States of the node, the same at every step."""
        return self.nodes[0].states


def walks(record: Record) -> list[Walk]:
    """Nodes that walk through phases along a stream, in the order of the record."""
    return [walk for walk in _along(record.nodes) if _has_phases(walk)]


def inputs(record: Record) -> list[Walk]:
    """Observed nodes along a stream."""
    return [walk for walk in _along(record.nodes) if any(n.evidence for n in walk.nodes)]


def _along(nodes: Sequence[NodeInfo]) -> list[Walk]:
    found: dict[tuple[str, str, tuple[str, ...]], dict[int, NodeInfo]] = {}
    for node in nodes:
        match = _STEP.fullmatch(node.name)
        if match and node.states:
            key = (match[1], node.type, node.states)
            found.setdefault(key, {})[int(match[2])] = node
    return [
        Walk(name, tuple(sorted(steps)), tuple(steps[step] for step in sorted(steps)))
        for (name, _, _), steps in found.items()
    ]


def _has_phases(walk: Walk) -> bool:
    first = walk.nodes[0]
    several = first.type == "sequence" or len(first.states) > 2
    return several and first.kind != "feature" and len(walk.steps) > 1
