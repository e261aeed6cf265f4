"""What changes while belief propagation runs: messages and the beliefs that follow from them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mpnet.graph import FactorGraph, freeze
from mpnet.kernels import free_energy, jit, residuals, variables
from mpnet.kernels.families import FAMILIES
from mpnet.kernels.layout import FloatArray


class Messages:
    """The messages of one run on one graph, in the log domain, in nats.

    ``to_variable`` is the state of the run; everything else follows from it. Letters of
    shapes are those of ``mpnet.kernels.layout``. *Evolving.*

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.
    unary : float64[B], optional
        Log unary potentials used instead of the graph's: other evidence, same structure.
    start : float64[S], optional
        Factor-to-variable log messages to start from (copied); uniform where not given.

    """

    def __init__(
        self, graph: FactorGraph, unary: FloatArray | None = None, start: FloatArray | None = None
    ) -> None:
        size = int(graph.arrays.edge_states[-1])
        self.graph = graph
        self.unary = graph.unary if unary is None else freeze(unary)
        self.to_variable = np.zeros(size) if start is None else np.array(start, dtype=np.float64)
        self.to_factor = np.zeros(size)
        self.proposed = np.zeros(size)
        self.log_beliefs = np.zeros(self.unary.size)
        self.edge_residual = np.full(graph.arrays.edge_variable.size, np.nan)
        self.refresh()

    def refresh(self) -> int:
        """Recompute what variables say from ``to_variable``; -1, or the variable left impossible."""
        return variables.send_from_variables(
            self.graph.arrays, self.unary, self.to_variable, self.to_factor, self.log_beliefs
        )

    def propose(self) -> int:
        """Compute what all factors would say next; -1, or the first factor that allows nothing."""
        dead = -1
        for family in self.graph.families:
            answer = FAMILIES[family.kind].send(
                self.graph.arrays,
                family.arrays,
                family.first,
                family.last,
                self.to_factor,
                self.proposed,
            )
            dead = answer if dead < 0 else dead
        return dead

    def accept(self, damping: float) -> float:
        """Take the damped step to what was proposed; the undamped residual, in nats."""
        return residuals.accept(
            self.graph.arrays, self.proposed, float(damping), self.to_variable, self.edge_residual
        )

    def log_z(self) -> float:
        """Bethe log partition sum of the present messages, in nats, constants included."""
        result = self.graph.log_constant + free_energy.variable_and_edge_terms(
            self.graph.arrays, self.log_beliefs, self.to_factor, self.to_variable
        )
        for family in self.graph.families:
            result += FAMILIES[family.kind].log_partition(
                self.graph.arrays, family.arrays, family.first, family.last, self.to_factor
            )
        return float(result)

    def marginals(self) -> FloatArray:
        """Beliefs as probabilities, shape (B,); NaN for a variable that is left impossible."""
        out = np.empty(self.unary.size)
        variables.marginals(self.graph.arrays.variable_states, self.log_beliefs, out)
        return out

    def factor_belief(self, factor: int) -> FloatArray:
        """Joint belief over one factor's scope, a probability table with one axis per variable."""
        scores = self.graph.table_of(factor).copy()
        first = int(self.graph.arrays.factor_edges[factor])
        for axis in range(scores.ndim):
            states = self.graph.arrays.edge_states[first + axis : first + axis + 2]
            shape = [1] * scores.ndim
            shape[axis] = -1
            scores += self.to_factor[states[0] : states[1]].reshape(shape)
        scores -= scores.max()
        joint: FloatArray = np.exp(scores)
        joint /= joint.sum()
        return joint


def compile_kernels(announce: Callable[[], None] = lambda: None) -> None:
    """Compile every kernel into the cache if that was not done before.

    Parameters
    ----------
    announce : callable
        Called once, before a compilation that takes seconds.

    """
    from mpnet.kernels import cache

    if jit.is_compiled():
        return
    announce()
    try:
        _touch_kernels()
    except Exception:  # a cache file that numba can't read may raise anything
        cache.wipe(jit.FOLDER)
        _touch_kernels()
    cache.seal(jit.FOLDER)


def _touch_kernels() -> None:
    from mpnet.graph import GraphBuilder

    builder = GraphBuilder()
    builder.add_variable("a", 2)
    builder.add_variable("b", 2)
    builder.add_factor(["a", "b"], [[2.0, 1.0], [1.0, 2.0]])
    messages = Messages(builder.build())
    messages.propose()
    messages.accept(0.5)
    messages.refresh()
    messages.log_z()
    messages.marginals()
    assignment = np.zeros(2, dtype=np.int64)
    for family in messages.graph.families:
        kernels = FAMILIES[family.kind]
        kernels.log_potential(messages.graph.arrays, family.arrays, 0, 1, assignment)
