"""Where the log-odds of a belief come from: its prior, each observed feature, each neighbour.

The rest of a graph falls apart where a variable x is taken out. Given x the parts are independent,
so log p(x=1)/p(x=0) is its own unary log-odds plus, for each part, the log of Z(part | x=1) / Z(part
| x=0): exactly, in any graph. An observed feature is a part by itself, whose share is the log Bayes
factor of what was seen; neighbours that are joined behind x share one part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mpnet.builder import GraphBuilder
from mpnet.content import Content
from mpnet.errors import GraphError
from mpnet.estimators.compiling import compile_graph
from mpnet.estimators.exact import solve
from mpnet.graph import FactorGraph


@dataclass(frozen=True)
class Part:
    """A part of a graph that only one variable joins to the rest.

    Parameters
    ----------
    neighbours : tuple of int
        Variables of the part that share a factor with that one, in order.
    variables, factors : tuple of int
        Everything in it, but for that variable.

    """

    neighbours: tuple[int, ...]
    variables: tuple[int, ...]
    factors: tuple[int, ...]


def parts_around(graph: FactorGraph, variable: int) -> list[Part]:
    """Parts into which the graph falls without one variable, in the order of their neighbours.

    Observed variables join nothing: what evidence leaves one state for is a part by itself.
    """
    seen = {v for v in range(len(graph.variables)) if _observed(graph, v)} | {variable}
    taken: set[int] = set()
    found = []
    for factor in graph.factors_at[variable]:
        if factor not in taken:
            factors, variables = _reach(graph, factor, seen)
            taken |= factors
            touching = [
                graph.factors[f].scope for f in factors if variable in graph.factors[f].scope
            ]
            near = {v for scope in touching for v in scope} - {variable}
            found.append(_part(near, variables - {variable}, factors))
    return sorted(found, key=lambda part: (part.neighbours, part.factors))


def split_log_odds(graph: FactorGraph, variable: int) -> list[tuple[Part, float]]:
    """Share of each part in the log-odds of a variable with two states, in nats.

    Together with the unary log-odds of the variable they are its exact log-odds.

    Parameters
    ----------
    graph : FactorGraph
        With evidence as unary potentials, and not compiled.
    variable : int
        A variable with two states that is not observed.

    Raises
    ------
    GraphError
        If the variable has another number of states or only one is possible.
    TooLargeError
        If a part can't be solved exactly.

    """
    about = graph.variables[variable]
    if len(about.states) != 2 or _observed(graph, variable):
        raise GraphError(f"variable {about.name!r} needs two possible states to have log-odds")
    return [(part, _share(graph, variable, part)) for part in parts_around(graph, variable)]


def log_odds(graph: FactorGraph, variable: int) -> float:
    """Exact log-odds of a variable with two states, in nats."""
    name = graph.variables[variable].name
    compiled = compile_graph(graph, [], [name])
    answer = solve(compiled.graph)
    belief = compiled.full_beliefs(answer.marginals, answer.joint)[graph.states_of(variable)]
    with np.errstate(divide="ignore"):
        return float(np.log(belief[1]) - np.log(belief[0]))


def _part(neighbours: set[int], variables: set[int], factors: set[int]) -> Part:
    return Part(tuple(sorted(neighbours)), tuple(sorted(variables)), tuple(sorted(factors)))


def _observed(graph: FactorGraph, variable: int) -> bool:
    return int((graph.unary_of(variable) != -np.inf).sum()) == 1


def _reach(graph: FactorGraph, start: int, barrier: set[int]) -> tuple[set[int], set[int]]:
    """Factors and variables that are joined to a factor by variables outside ``barrier``."""
    factors, variables, waiting = {start}, set(), [start]
    while waiting:
        for v in graph.factors[waiting.pop()].scope:
            variables.add(v)
            if v not in barrier:
                new = set(graph.factors_at[v]) - factors
                factors |= new
                waiting += sorted(new)
    return factors, variables


def _share(graph: FactorGraph, variable: int, part: Part) -> float:
    builder = GraphBuilder()
    place: dict[int, int] = {}
    for number in (variable, *part.variables):
        place[number] = len(place)
        about = graph.variables[number]
        builder.add_variable(about.name, about.states)
        if number != variable:
            builder.add_factor([about.name], graph.unary_of(number), log=True)
    for number, content in _contents(graph, part.factors):
        factor = graph.factors[number]
        builder.add_content([place[v] for v in factor.scope], content, factor.name)
    return log_odds(builder.build(), 0)


def _contents(graph: FactorGraph, numbers: tuple[int, ...]) -> Iterator[tuple[int, Content]]:
    """What each of some factors holds, alone."""
    for family in graph.families:
        for number in numbers:
            if family.first <= number < family.last:
                yield number, family.content.taken(np.array([number - family.first]))
