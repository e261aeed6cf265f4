"""Where the nodes of a society stand: in layers, ordered so that few predictions cross."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mpnet.plots.chosen import known_node
from mpnet.record import NodeInfo, PredictionInfo, Record

LAYERS = {"data": 0, "feature": 1, "model": 2, "composite": 3, "choice": 4}
"""Layer of each kind, from the bottom; kinds that are not listed stand with the models."""
PER_ROW = 9
SWEEPS = 8


@dataclass(frozen=True)
class Layout:
    """Rows of node names from the bottom, and the predictions between them."""

    rows: tuple[tuple[str, ...], ...]
    predictions: tuple[PredictionInfo, ...]
    left_out: int


def lay_out(
    record: Record,
    limit: int,
    chosen: Collection[str] | None = None,
    per_row: int = PER_ROW,
) -> Layout:
    """Arrange the nodes, the ``limit`` most connected if there are more.

    Parameters
    ----------
    record : Record
        The run.
    limit : int
        Nodes, at most.
    chosen : collection of str, optional
        The nodes to arrange, instead of the most connected.
    per_row : int
        Nodes of a row, at most; longer layers are folded.

    """
    known = {node.name for node in record.nodes}
    edges = [p for p in record.predictions if p.source in known and p.target in known]
    if chosen is None:
        nodes = _most_connected(record.nodes, edges, limit)
    else:
        wanted = set(chosen)
        nodes = [node for node in record.nodes if node.name in wanted]
    kept = {node.name for node in nodes}
    edges = [p for p in edges if p.source in kept and p.target in kept]
    layers = _layers(nodes)
    _order(layers, _neighbours(edges))
    rows = [row for layer in layers for row in _fold(layer, per_row)]
    return Layout(tuple(rows), tuple(edges), len(record.nodes) - len(nodes))


def nearest(record: Record, node: str, limit: int) -> list[str]:
    """Names of the nodes nearest to one, by links, itself first; at most ``limit``.

    Raises
    ------
    UsageError
        If there is no such node.

    """
    known_node(record, node, [info.name for info in record.nodes])
    known = {info.name for info in record.nodes}
    beside = _neighbours(record.predictions)
    found, queue = {node: None}, [node]
    while queue and len(found) < limit:
        fresh = [n for n in beside.get(queue.pop(0), ()) if n in known and n not in found]
        found |= dict.fromkeys(fresh)
        queue += dict.fromkeys(fresh)
    return list(found)[:limit]


def _most_connected(
    nodes: Sequence[NodeInfo], edges: Sequence[PredictionInfo], limit: int
) -> list[NodeInfo]:
    degree = {node.name: 0 for node in nodes}
    for edge in edges:
        degree[edge.source] += 1
        degree[edge.target] += 1
    ranked = sorted(range(len(nodes)), key=lambda i: (-degree[nodes[i].name], i))[:limit]
    return [nodes[i] for i in sorted(ranked)]


def _layers(nodes: Sequence[NodeInfo]) -> list[list[str]]:
    found: dict[int, list[str]] = {}
    for node in nodes:
        found.setdefault(LAYERS.get(node.kind, LAYERS["model"]), []).append(node.name)
    return [found[level] for level in sorted(found)]


def _neighbours(edges: Sequence[PredictionInfo]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for edge in edges:
        found.setdefault(edge.source, []).append(edge.target)
        found.setdefault(edge.target, []).append(edge.source)
    return found


def _order(layers: list[list[str]], neighbours: Mapping[str, Sequence[str]]) -> None:
    """Sort each layer by the mean place of its neighbours, up and down, a few times."""
    place = {name: _share(i, layer) for layer in layers for i, name in enumerate(layer)}
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 else reversed(layers):
            inside = set(layer)
            means = {}
            for name in layer:
                others = [place[n] for n in neighbours.get(name, ()) if n not in inside]
                means[name] = sum(others) / len(others) if others else place[name]
            layer.sort(key=lambda name: (means[name], place[name]))
            place.update({name: _share(i, layer) for i, name in enumerate(layer)})


def _share(index: int, layer: Sequence[str]) -> float:
    return (index + 0.5) / len(layer)


def _fold(layer: Sequence[str], per_row: int) -> list[tuple[str, ...]]:
    """Split a long layer into rows of equal length, dealing the nodes in turn."""
    count = -(-len(layer) // per_row)
    return [tuple(layer[row::count]) for row in range(count)]
