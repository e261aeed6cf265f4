"""Joint beliefs of several variables, read off the messages of a run."""

from __future__ import annotations

from functools import cache

import numpy as np

from mpnet.estimators.base import Joint
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages


def joint_of(messages: Messages) -> Joint:
    """Joint beliefs of the present messages: a factor's, or independent where none joins them."""
    graph = messages.graph

    @cache
    def marginals() -> FloatArray:
        return messages.marginals()

    def joint(scope: tuple[int, ...]) -> FloatArray:
        if len(scope) == 1:
            return marginals()[graph.states_of(scope[0])]
        for number in graph.factors_at[scope[0]]:
            around = graph.factors[number].scope
            if set(scope) <= set(around):
                return marginalise(messages.factor_belief(number), around, scope)
        # No factor is left between them: the compile pass dropped one that said nothing.
        table = np.ones(())
        for variable in scope:
            table = np.multiply.outer(table, marginals()[graph.states_of(variable)])
        return table

    return joint


def marginalise(table: FloatArray, scope: tuple[int, ...], onto: tuple[int, ...]) -> FloatArray:
    """Sum a table over the variables of ``scope`` that are not in ``onto``, in the latter's order."""
    gone = tuple(axis for axis, variable in enumerate(scope) if variable not in onto)
    left = [variable for variable in scope if variable in onto]
    result: FloatArray = table.sum(axis=gone).transpose([left.index(v) for v in onto])
    return result
