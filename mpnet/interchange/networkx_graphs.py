"""Factor graphs as bipartite graphs of networkx, to be drawn, measured or changed there."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpnet.builder import GraphBuilder
from mpnet.errors import GraphError, shown
from mpnet.graph import FactorGraph
from mpnet.interchange import Model

VARIABLE, FACTOR = 0, 1
"""Sides of the graph: the attribute ``bipartite`` of its nodes."""


def to_networkx(graph: FactorGraph | GraphBuilder | Model) -> Any:
    """Turn a factor graph into a bipartite graph of networkx.

    *Evolving.*

    Parameters
    ----------
    graph : FactorGraph, GraphBuilder or Model
        A graph, or a model that was read from a file.

    Returns
    -------
    networkx.Graph
        Variables are nodes by their names, with ``bipartite`` 0, ``states`` (names) and
        ``logs`` (unary log potentials, nats); factors are nodes ``("factor", number)`` with
        ``bipartite`` 1, ``name``, ``scope`` (names) and ``logs`` (one axis per variable); an
        edge has its ``axis``. The graph's own attribute is ``log_constant``.

    Raises
    ------
    TooLargeError
        If a factor is too large for a table.

    """
    import networkx as nx

    if isinstance(graph, Model):
        graph = graph.graph
    elif isinstance(graph, GraphBuilder):
        graph = graph.build()
    found = nx.Graph(log_constant=graph.log_constant)
    for number, variable in enumerate(graph.variables):
        logs = graph.unary_of(number).copy()
        found.add_node(variable.name, bipartite=VARIABLE, states=variable.states, logs=logs)
    for number, factor in enumerate(graph.factors):
        scope = tuple(graph.variables[v].name for v in factor.scope)
        node = ("factor", number)
        logs = graph.table_of(number)
        found.add_node(node, bipartite=FACTOR, name=factor.name, scope=scope, logs=logs)
        found.add_edges_from((node, name, {"axis": axis}) for axis, name in enumerate(scope))
    return found


def from_networkx(graph: Any) -> FactorGraph:
    """Turn a bipartite graph of networkx into a factor graph.

    *Evolving.*

    Parameters
    ----------
    graph : networkx.Graph
        As ``to_networkx`` makes it. In a graph of your own, a node that has ``states`` (names,
        or how many) is a variable, and any other is a factor: with ``logs`` (nats) or ``table``
        (potentials >= 0), and ``scope`` in the order of their axes. A variable may have either
        as well. Names that are not text become text.

    Returns
    -------
    FactorGraph
        Variables and factors in the order of the nodes.

    Raises
    ------
    GraphError
        If a factor has no table or scope, or another scope than its edges say, or a table does
        not fit; names it.

    """
    builder = GraphBuilder()
    variables = {node: about for node, about in graph.nodes(data=True) if "states" in about}
    for node, about in variables.items():
        states = about["states"]
        builder.add_variable(
            str(node), states if isinstance(states, int) else list(map(str, states))
        )
    for node, about in variables.items():
        if "logs" in about or "table" in about:
            _add(builder, [str(node)], about, str(node))
    for node, about in graph.nodes(data=True):
        if node not in variables:
            scope = _scope(graph, node, about)
            _add(builder, scope, about, str(about.get("name", node)))
    constant = float(graph.graph.get("log_constant", 0.0))
    if constant:
        builder.add_factor([], constant, log=True)
    return builder.build()


def _scope(graph: Any, node: Any, about: Any) -> list[str]:
    label = shown(str(about.get("name", node)))
    if "scope" not in about:
        raise GraphError(f"factor {label!r} has no scope; say the order of its variables")
    scope = [str(name) for name in about["scope"]]
    around = {str(name) for name in graph.neighbors(node)}
    if set(scope) != around:
        said = f"its scope is {sorted(scope)}, its edges lead to {sorted(around)}"
        raise GraphError(f"factor {label!r}: {shown(said, 300)}; they must be the same")
    return scope


def _add(builder: GraphBuilder, scope: list[str], about: Any, name: str) -> None:
    if "logs" in about:
        builder.add_factor(scope, np.asarray(about["logs"]), log=True, name=name)
    elif "table" in about:
        builder.add_factor(scope, np.asarray(about["table"]), name=name)
    else:
        raise GraphError(f"factor {shown(name)!r} has neither logs nor table")
