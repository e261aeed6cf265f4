"""Tree: up and down a spanning tree, another one in each sweep.

On a forest one sweep is the two-pass algorithm and is exact; on a graph with loops this is the
schedule of tree-based reparameterisation (Wainwright, Jaakkola and Willsky 2003).
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree

from mpnet.graph import FactorGraph
from mpnet.kernels.layout import IndexArray
from mpnet.messages import Messages
from mpnet.schedules.base import Settings, Sweep
from mpnet.schedules.sequential import sweep_in_order


class Tree:
    """Variables from the leaves of a random spanning forest to its roots and back."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._draw = np.random.default_rng((settings or Settings()).seed)

    def sweep(self, messages: Messages, damping: float) -> Sweep:
        """Update every message twice."""
        down = spanning_order(messages.graph, self._draw)
        order = np.concatenate([down[::-1], down]).astype(np.int32)
        return sweep_in_order(messages, order, damping)


def spanning_order(graph: FactorGraph, draw: np.random.Generator) -> IndexArray:
    """Variables of a random spanning forest of the factor graph, breadth first from its roots.

    Returns
    -------
    int32[V]

    """
    count, factors = len(graph.variables), len(graph.factors)
    variables = graph.arrays.edge_variable
    size = count + factors
    weights = draw.uniform(0.5, 1.5, size=variables.size)
    links = csr_array((weights, (variables, count + graph.edge_factor)), shape=(size, size))
    forest = minimum_spanning_tree(links)
    _, part = connected_components(forest, directed=False)
    # One more node joins all parts, so that one walk visits all; it is taken out again.
    _, roots = np.unique(part, return_index=True)
    pairs = forest.tocoo()
    rows = np.concatenate([pairs.row, np.full(roots.size, size)])
    columns = np.concatenate([pairs.col, roots])
    joined = csr_array((np.ones(rows.size), (rows, columns)), shape=(size + 1, size + 1))
    walk = breadth_first_order(joined, size, directed=False, return_predecessors=False)
    order: IndexArray = walk[walk < count].astype(np.int32)
    return order
