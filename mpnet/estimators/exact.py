"""Exact: the referee. Enumeration for small parts of a graph, pgmpy's junction tree above.

Larger parts with structured factors (see ``mpnet.factors``) go to the project's own join trees,
which take the factors apart into small tables with hidden variables.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mpnet.dense import DenseTables
from mpnet.errors import NumericalError, TooLargeError, size
from mpnet.estimators.base import Estimate, Observer, Options, Problem, Snapshot
from mpnet.estimators.joints import marginalise
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages


@dataclass(frozen=True)
class Part:
    """The exact answer for one connected part of a graph.

    ``joint`` answers with a probability table over any few of the part's variables.
    """

    variables: tuple[int, ...]
    log_z: float
    joint: Callable[[tuple[int, ...]], FloatArray]
    method: str


@dataclass(frozen=True)
class ExactAnswer:
    """Exact log Z (nats), marginals (probabilities, shape (B,)) and joints of factor scopes.

    ``log_z`` is ``-inf`` and the marginals are NaN where the evidence is contradictory.
    """

    log_z: float
    marginals: FloatArray
    parts: tuple[Part, ...]

    def joint(self, scope: tuple[int, ...]) -> FloatArray:
        """Exact joint of a few variables, as a probability table."""
        table: FloatArray = np.ones(())
        order: list[int] = []
        for part in self.parts:
            if inside := tuple(v for v in scope if v in part.variables):
                table = np.multiply.outer(table, part.joint(inside))
                order += inside
        return table.transpose([order.index(v) for v in scope])

    @property
    def method(self) -> str:
        """How it was done, in words."""
        return " and ".join(sorted({p.method for p in self.parts})) or "no variables"


class Exact:
    """Exact marginals: enumeration for small graphs, a junction tree above."""

    def estimate(self, problem: Problem, options: Options, observe: Observer) -> Estimate:
        """Compute; there are no iterations.

        Raises
        ------
        TooLargeError
            If some part is too large for both methods; says how large.

        """
        answer = solve(problem.graph, options.exact_limit, junction=True)
        messages = Messages(problem.graph)
        possible = answer.log_z != -np.inf
        overrides = {
            v: answer.marginals[problem.graph.states_of(v)]
            for v in range(len(problem.graph.variables))
        }
        nothing = np.full(messages.edge_residual.size, np.nan)
        if possible:
            observe(Snapshot("exact", messages, np.nan, nothing, lambda: answer.log_z, overrides))
        return Estimate(
            status="converged" if possible else "inconsistent",
            reason=f"exact, by {answer.method}" if possible else "the partition sum is zero",
            iterations=0,
            residual=0.0,
            log_z=answer.log_z if possible else None,
            beliefs=answer.marginals,
            joint=answer.joint,
            exact=possible,
        )


def solve(graph: FactorGraph, limit: int = 2**20, junction: bool = True) -> ExactAnswer:
    """Exact log Z and marginals, part by part.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.
    limit : int
        Joint states of a connected part that may be enumerated.
    junction : bool
        Whether larger parts go to a junction tree; otherwise they are refused.

    Raises
    ------
    TooLargeError
        If a part is too large; says how large and what the limit is.

    """
    parts = []
    for variables, factors in components(graph):
        count = math.prod(len(graph.variables[v].states) for v in variables)
        if count <= limit:
            parts.append(_enumerate(graph, variables, factors))
        elif junction and _is_structured(graph, factors):
            return _by_clusters(graph)
        elif junction:
            from mpnet.estimators.junction import junction_tree

            try:
                parts.append(junction_tree(graph, variables, factors))
            except NumericalError:
                return _by_clusters(graph)
        else:
            raise TooLargeError(
                f"enumeration would need {size(count)} joint states for the part around "
                f"{graph.variables[variables[0]].name!r}; at most {limit} are allowed"
            )
    log_z = graph.log_constant + math.fsum(part.log_z for part in parts)
    marginals = np.full(graph.unary.size, np.nan)
    if log_z != -np.inf:
        for part in parts:
            for variable in part.variables:
                marginals[graph.states_of(variable)] = part.joint((variable,))
    return ExactAnswer(log_z, marginals, tuple(parts))


def _is_structured(graph: FactorGraph, factors: tuple[int, ...]) -> bool:
    """Whether some of these factors have no table of their own."""
    ends = [family.last for family in graph.families]
    kinds = np.searchsorted(ends, factors, side="right")
    return not all(isinstance(graph.families[i].content, DenseTables) for i in np.unique(kinds))


def _by_clusters(graph: FactorGraph) -> ExactAnswer:
    """The whole graph by the project's own join tree."""
    from mpnet.estimators.clusters import solve_by_clusters

    log_z, beliefs, joint = solve_by_clusters(graph)
    variables = tuple(range(len(graph.variables)))
    part = Part(variables, log_z - graph.log_constant, joint, "a join tree")
    return ExactAnswer(log_z, beliefs, (part,))


def components(graph: FactorGraph) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Connected parts as (variables, factors), each in index order."""
    seen: set[int] = set()
    parts = []
    for start in range(len(graph.variables)):
        if start in seen:
            continue
        found, waiting, factors = {start}, [start], set()
        while waiting:
            for number in graph.factors_at[waiting.pop()]:
                if number not in factors:
                    factors.add(number)
                    new = set(graph.factors[number].scope) - found
                    found |= new
                    waiting += sorted(new)
        seen |= found
        parts.append((tuple(sorted(found)), tuple(sorted(factors))))
    return parts


def _enumerate(graph: FactorGraph, variables: tuple[int, ...], factors: tuple[int, ...]) -> Part:
    """Add up the log potentials of every joint state."""
    # An array has at most 64 axes; a variable with one state needs none.
    wide = tuple(v for v in variables if len(graph.variables[v].states) > 1)
    shape = tuple(len(graph.variables[v].states) for v in wide)
    scores = np.zeros(shape)
    for variable in variables:
        scores = scores + _spread(graph.unary_of(variable), (variable,), wide)
    for number in factors:
        scores = scores + _spread(graph.table_of(number), graph.factors[number].scope, wide)
    best = float(scores.max())
    if best == -np.inf:
        return Part(variables, -np.inf, unknown(graph), "enumeration")
    joint = np.exp(scores - best)
    total = float(joint.sum())
    joint /= total

    def of(scope: tuple[int, ...]) -> FloatArray:
        kept = tuple(v for v in scope if v in wide)
        table = marginalise(joint, wide, kept)
        return table.reshape([len(graph.variables[v].states) for v in scope])

    return Part(variables, best + math.log(total), of, "enumeration")


def unknown(graph: FactorGraph) -> Callable[[tuple[int, ...]], FloatArray]:
    """Joints of a part whose partition sum is zero: NaN, in the shape that was asked for."""
    return lambda scope: np.full([len(graph.variables[v].states) for v in scope], np.nan)


def _spread(table: FloatArray, scope: tuple[int, ...], wide: tuple[int, ...]) -> FloatArray:
    """Line a table up with the axes of the joint array."""
    kept = [v for v in scope if v in wide]
    squeezed = table.reshape([n for v, n in zip(scope, table.shape, strict=True) if v in wide])
    order = sorted(range(len(kept)), key=lambda axis: wide.index(kept[axis]))
    shape = [1] * len(wide)
    for axis in order:
        shape[wide.index(kept[axis])] = squeezed.shape[axis]
    result: FloatArray = squeezed.transpose(order).reshape(shape)
    return result
