"""Which nodes a page shows, where they stand, and which of them have a line of their own."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mpnet.plots.layout import lay_out
from mpnet.record import NodeInfo, Record
from mpnet.trace import FloatArray

NODES = 1500
"""Nodes on a page, at most."""
LINES = 12
"""Nodes with a line of their own from the start, at most."""
NARROW = 9
"""Nodes side by side in a small society."""
BAND = 0.9
"""Room between two kinds of node, in rows."""


@dataclass(frozen=True)
class Chosen:
    """The nodes of a page.

    Parameters
    ----------
    nodes : tuple of NodeInfo
        In the order of the record.
    moved : float64[N]
        By how much the belief of each moved over the run: largest minus smallest probability.
    text : str
        Which nodes these are, where they are not all.

    """

    nodes: tuple[NodeInfo, ...]
    moved: FloatArray
    text: str


def choose(record: Record, most: int = NODES) -> Chosen:
    """Choose the nodes to show: those in question, then the movers, then the most connected."""
    moved = _movement(record)
    degree = dict.fromkeys((node.name for node in record.nodes), 0)
    for edge in record.predictions:
        for name in {edge.source, edge.target} & degree.keys():
            degree[name] += 1

    def rank(index: int) -> tuple[bool, float, int, int]:
        node = record.nodes[index]
        change = round(moved.get(node.name, 0.0), 2)
        return (not node.in_question, -change, -degree[node.name], index)

    kept = sorted(sorted(range(len(record.nodes)), key=rank)[:most])
    nodes = tuple(record.nodes[index] for index in kept)
    text = ""
    if len(nodes) < len(record.nodes):
        text = (
            f"{len(nodes):,} of {len(record.nodes):,} nodes are shown: those in question, those "
            "whose belief moved most, then the most connected"
        )
    return Chosen(nodes, np.array([moved.get(n.name, 0.0) for n in nodes]), text)


def _movement(record: Record) -> dict[str, float]:
    """Largest minus smallest belief of each node's state that moved most."""
    trace = record.trace
    if not trace.beliefs.size:
        return {}
    values = np.nan_to_num(trace.beliefs)
    change = values.max(axis=0) - values.min(axis=0)
    starts = trace.offsets[:-1]
    return dict(zip(trace.nodes, np.maximum.reduceat(change, starts).astype(float).tolist()))


def places(record: Record, chosen: Chosen) -> list[tuple[float, float]]:
    """Where each node stands: layers by kind, ordered so that few predictions cross.

    Returns
    -------
    list of tuple of float
        Across and up, in the order of ``chosen.nodes``; rows are 1 apart.

    """
    count = len(chosen.nodes)
    per_row = max(NARROW, round(math.sqrt(2.2 * count)))
    layout = lay_out(record, count, [node.name for node in chosen.nodes], per_row)
    kinds = {node.name: node.kind for node in chosen.nodes}
    widest = max((len(row) for row in layout.rows), default=1)
    spots: dict[str, tuple[float, float]] = {}
    height, before = 0.0, ""
    for level, row in enumerate(layout.rows):
        kind = kinds[row[0]]
        height += 0.0 if not level else 1.0 if kind == before else 1.0 + BAND
        before = kind
        pitch = widest / (len(row) + 0.5 * (len(row) > 3))
        shift = 0.5 + 0.5 * (level % 2) * (len(row) > 3)
        for index, name in enumerate(row):
            spots[name] = (round((index + shift) * pitch, 3), round(height, 3))
    return [spots[node.name] for node in chosen.nodes]


def lined(chosen: Chosen) -> list[int]:
    """Indices of the nodes with a line of their own: in question, then those that moved most."""
    owners = [i for i, node in enumerate(chosen.nodes) if node.states]
    order = sorted(
        owners,
        key=lambda i: (
            not chosen.nodes[i].in_question,
            bool(chosen.nodes[i].evidence),
            -round(float(chosen.moved[i]), 6),
            i,
        ),
    )
    asked = sum(chosen.nodes[i].in_question for i in owners)
    return order[: LINES if asked > 3 else min(LINES, max(asked, 6))]
