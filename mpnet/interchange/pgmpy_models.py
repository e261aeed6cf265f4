"""Models of pgmpy as graphs, and graphs as models of pgmpy; names and their order are kept."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import numpy as np

from mpnet.builder import GraphBuilder
from mpnet.dense import TABLE_ENTRIES
from mpnet.errors import GraphError, UsageError, shown, size
from mpnet.graph import FactorGraph
from mpnet.interchange import Model
from mpnet.interchange.building import ARITY_LIMIT, Listed, build
from mpnet.interchange.cpts import Cpt, cpts_of
from mpnet.interchange.linear import REACH
from mpnet.kernels.layout import FloatArray
from mpnet.names import suggestion

KINDS = ("auto", "bayesian", "markov", "factor_graph")


@dataclass(frozen=True)
class Named:
    """A graph, and what pgmpy calls its variables and states.

    Parameters
    ----------
    graph : FactorGraph
        With names as text.
    variables : tuple
        pgmpy's own names, in the order of the graph.
    states : tuple of tuple
        Its names of their states.

    """

    graph: FactorGraph
    variables: tuple[Hashable, ...]
    states: tuple[tuple[Hashable, ...], ...]


def from_pgmpy(model: Any) -> FactorGraph:
    """Turn a model of pgmpy into a factor graph.

    *Evolving.*

    Parameters
    ----------
    model : DiscreteBayesianNetwork, DiscreteMarkovNetwork, FactorGraph or JunctionTree
        Of pgmpy, with all its tables.

    Returns
    -------
    FactorGraph
        One factor for each table, the child last; variables in pgmpy's order. Names that are
        not text become text.

    Raises
    ------
    GraphError
        If a table is missing, is not finite or is negative, or two tables differ about the
        states of a variable; names them.
    UsageError
        If it is another kind of model.

    """
    return named_graph(model).graph


def named_graph(model: Any) -> Named:
    """As ``from_pgmpy``, with pgmpy's names, which need not be text."""
    pgmpy = pgmpy_parts()
    if isinstance(model, pgmpy.DiscreteBayesianNetwork):
        order, tables = list(model.nodes()), _cpds(model)
    elif isinstance(model, pgmpy.DiscreteMarkovNetwork):
        order, tables = list(model.nodes()), _factors(model.factors)
    elif isinstance(model, (pgmpy.FactorGraph, pgmpy.JunctionTree)):
        tables = _factors(model.factors)
        order = list(dict.fromkeys(v for scope, _, _ in tables for v in scope))
    else:
        kinds = "DiscreteBayesianNetwork, DiscreteMarkovNetwork, FactorGraph, JunctionTree"
        raise UsageError(f"can't read a {type(model).__name__}; models of pgmpy: {kinds}")
    return _named(order, tables)


def to_pgmpy(graph: FactorGraph | GraphBuilder | Model, kind: str = "auto") -> Any:
    """Turn a graph into a model of pgmpy.

    *Evolving.*

    Parameters
    ----------
    graph : FactorGraph, GraphBuilder or Model
        A graph, or a model that was read from a file.
    kind : str
        ``bayesian``, ``markov`` or ``factor_graph``; ``auto`` is bayesian where the factors are
        the tables of a Bayesian network, else markov.

    Returns
    -------
    DiscreteBayesianNetwork, DiscreteMarkovNetwork or FactorGraph
        States are called by their names, which are text. The last two have one factor for each
        set of variables, for pgmpy takes equal factors for one and the same.

    Raises
    ------
    GraphError
        If the factors are no Bayesian network and one is asked for, or do not fit a double.

    """
    if kind not in KINDS:
        raise UsageError(
            f"there is no kind {shown(str(kind))!r}; {suggestion(str(kind), KINDS, 'kinds')}"
        )
    if isinstance(graph, Model):
        graph = graph.graph
    elif isinstance(graph, GraphBuilder):
        graph = graph.build()
    if kind in ("auto", "bayesian"):
        try:
            return _bayesian(graph, cpts_of(graph))
        except GraphError:
            if kind == "bayesian":
                raise
    return _undirected(graph, kind == "factor_graph")


def pgmpy_parts() -> SimpleNamespace:
    """What is used of pgmpy, which takes seconds to import and warns while it does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pgmpy import models
        from pgmpy.factors import discrete
    return SimpleNamespace(
        DiscreteBayesianNetwork=models.DiscreteBayesianNetwork,
        DiscreteMarkovNetwork=models.DiscreteMarkovNetwork,
        FactorGraph=models.FactorGraph,
        JunctionTree=models.JunctionTree,
        TabularCPD=discrete.TabularCPD,
        DiscreteFactor=discrete.DiscreteFactor,
    )


_Table = tuple[list[Hashable], FloatArray, dict[Hashable, list[Hashable]]]
"""Scope, potentials with one axis per variable, and names of states by variable."""


def _cpds(model: Any) -> list[_Table]:
    """The tables of a Bayesian network in the order of its nodes, the child last."""
    found = {cpd.variable: cpd for cpd in model.cpds}
    tables: list[_Table] = []
    for node in model.nodes():
        if node not in found:
            raise GraphError(f"variable {shown(str(node))!r} has no CPD; add one to the model")
        cpd = found[node]
        if not hasattr(cpd, "values"):
            raise GraphError(f"the CPD of {shown(str(node))!r} is no table: {type(cpd).__name__}")
        scope = list(cpd.variables)
        if set(scope[1:]) != set(model.predecessors(node)):
            raise GraphError(f"the CPD of {shown(str(node))!r} has other parents than the model")
        values = np.moveaxis(np.asarray(cpd.values, dtype=np.float64), 0, -1)
        tables.append(([*scope[1:], scope[0]], values, cpd.state_names))
    return tables


def _factors(factors: Iterable[Any]) -> list[_Table]:
    return [
        (list(f.variables), np.asarray(f.values, dtype=np.float64), f.state_names) for f in factors
    ]


def _named(order: list[Hashable], tables: list[_Table]) -> Named:
    states = _states(order, tables)
    names = _as_text(order, "the model has two variables called")
    texts = [
        tuple(_as_text(own, f"variable {shown(name)!r} has two states called"))
        for name, own in zip(names, states, strict=True)
    ]
    index = {variable: number for number, variable in enumerate(order)}
    for number, (scope, values, _) in enumerate(tables):
        _check(number, scope, values)
    starts = np.cumsum([0, *(values.size for _, values, _ in tables)])
    listed = Listed(
        cardinalities=np.array([len(own) for own in states], dtype=np.int64),
        scopes=np.array([index[v] for scope, _, _ in tables for v in scope], dtype=np.int64),
        starts=np.cumsum([0, *(len(scope) for scope, _, _ in tables)]),
        values=np.concatenate([v.reshape(-1) for _, v, _ in tables] or [np.empty(0)]),
        places=starts[:-1],
    )
    graph, _ = build(listed, names, texts)
    return Named(graph, tuple(order), tuple(map(tuple, states)))


def _states(order: list[Hashable], tables: list[_Table]) -> list[list[Hashable]]:
    """Names of the states of each variable; all tables must agree, for pgmpy goes by position."""
    found: dict[Hashable, list[Hashable]] = {}
    for scope, _, names in tables:
        for variable in scope:
            own = list(names[variable])
            if found.setdefault(variable, own) != own:
                raise GraphError(
                    f"two tables differ about the states of {shown(str(variable))!r}: "
                    f"{shown(str(found[variable]))} and {shown(str(own))}"
                )
    for variable in order:
        if variable not in found:
            raise GraphError(f"variable {shown(str(variable))!r} is in no factor; add one")
    return [found[variable] for variable in order]


def _as_text(names: Sequence[Hashable], twice: str) -> list[str]:
    found = [str(name) for name in names]
    if len(set(found)) != len(found):
        again = next(name for name in found if found.count(name) > 1)
        raise GraphError(f"{twice} {shown(again)!r}; they must differ as text")
    return found


def _check(number: int, scope: list[Hashable], values: FloatArray) -> None:
    label = f"factor {number} ({shown(', '.join(map(str, scope)))})"
    if len(scope) > ARITY_LIMIT or values.size > TABLE_ENTRIES:
        raise GraphError(
            f"{label} is too large: {len(scope)} variables, {size(values.size)} entries"
        )
    if not np.isfinite(values).all() or (values < 0.0).any():
        raise GraphError(f"{label} holds what is no potential; they are finite and >= 0")


def _bayesian(graph: FactorGraph, cpts: list[Cpt]) -> Any:
    pgmpy, variables = pgmpy_parts(), graph.variables
    model = pgmpy.DiscreteBayesianNetwork()
    model.add_nodes_from([v.name for v in variables])
    found = []
    for cpt in cpts:
        child, parents = variables[cpt.child], [variables[p] for p in cpt.parents]
        model.add_edges_from([(p.name, child.name) for p in parents])
        columns = cpt.table.reshape(-1, len(child.states)).T
        found.append(
            pgmpy.TabularCPD(
                child.name,
                len(child.states),
                columns,
                evidence=[p.name for p in parents],
                evidence_card=[len(p.states) for p in parents],
                state_names={v.name: list(v.states) for v in (child, *parents)},
            )
        )
    model.add_cpds(*found)
    return model


def _undirected(graph: FactorGraph, as_factor_graph: bool) -> Any:
    pgmpy, variables = pgmpy_parts(), graph.variables
    factors = []
    for scope, logs in _one_per_scope(graph):
        around = [variables[v] for v in scope]
        factors.append(
            pgmpy.DiscreteFactor(
                [v.name for v in around],
                [len(v.states) for v in around],
                _linear(logs, around),
                state_names={v.name: list(v.states) for v in around},
            )
        )
    model = pgmpy.FactorGraph() if as_factor_graph else pgmpy.DiscreteMarkovNetwork()
    model.add_nodes_from([v.name for v in variables])
    for factor in factors:
        if as_factor_graph:
            model.add_node(factor)
            model.add_edges_from([(name, factor) for name in factor.variables])
        else:
            model.add_edges_from(combinations(factor.variables, 2))
    model.add_factors(*factors)
    return model


def _one_per_scope(graph: FactorGraph) -> list[tuple[tuple[int, ...], FloatArray]]:
    """Log potentials (nats) by set of variables; unary ones, and the constant in equal parts."""
    found: dict[frozenset[int], tuple[tuple[int, ...], FloatArray]] = {}
    for number, factor in enumerate(graph.factors):
        key, table = frozenset(factor.scope), graph.table_of(number)
        if key in found:
            first, logs = found[key]
            found[key] = first, logs + table.transpose([factor.scope.index(v) for v in first])
        else:
            found[key] = factor.scope, table
    joined = {variable for scope in found for variable in scope}
    for variable in range(len(graph.variables)):
        unary = graph.unary_of(variable)
        if unary.any() or variable not in joined:  # pgmpy wants a factor for each variable
            found[frozenset([variable])] = (variable,), unary
    share = graph.log_constant / max(len(found), 1)
    return [(scope, logs + share if share else logs) for scope, logs in found.values()]


def _linear(logs: FloatArray, around: Sequence[Any]) -> FloatArray:
    if (np.abs(logs[logs != -np.inf]) > REACH).any():
        names = ", ".join(v.name for v in around)
        raise GraphError(
            f"the factor of {shown(names)} can't be said in pgmpy: it spans more than a double does"
        )
    return np.asarray(np.exp(logs))
