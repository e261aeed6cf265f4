"""A slow twin of message passing around a front: dictionaries of arrays, one factor at a time."""

import numpy as np

from mpnet.kernels.living import COMPUTED, NEXT, OWING, UPDATES, run_round
from mpnet.lifecycle.living import LivingGraph


def log_sum(logs):
    logs = np.asarray(logs, dtype=float)
    best = logs.max()
    return best if best == -np.inf else best + np.log(np.exp(logs - best).sum())


def build(model):
    """The graph of a model; variables and factors have the same numbers in both."""
    graph = LivingGraph()
    for row in model.unary:
        graph.add_variable(row)
    for scope, table in model.wide:
        graph.add_factor(list(scope), table)
    graph.multiply(model.constant)
    return graph


class Twin:
    def __init__(self, model):
        self.unary, self.factors = model.unary, model.wide
        self.edges = [
            (f, a) for f, (scope, _) in enumerate(self.factors) for a in range(len(scope))
        ]
        self.to_variable = {edge: np.zeros(self.count(*edge)) for edge in self.edges}
        self.to_factor = {edge: np.zeros(self.count(*edge)) for edge in self.edges}
        self.front, self.owing = set(range(len(self.unary))), set(range(len(self.factors)))

    def count(self, factor, axis):
        return self.factors[factor][1].shape[axis]

    def at(self, variable):
        return [(f, a) for f, a in self.edges if self.factors[f][0][a] == variable]

    def belief(self, variable, leaving=None):
        logs = self.unary[variable].copy()
        for edge in self.at(variable):
            if edge != leaving:
                logs += self.to_variable[edge]
        return logs

    def heard(self, factor):
        """The table with all that its variables say."""
        scope, table = self.factors[factor]
        for axis in range(len(scope)):
            shape = [1] * len(scope)
            shape[axis] = -1
            table = table + self.to_factor[factor, axis].reshape(shape)
        return table

    def answer(self, factor, axis):
        own = self.to_factor[factor, axis]
        self.to_factor[factor, axis] = np.zeros(own.size)
        table = np.moveaxis(self.heard(factor), axis, 0).reshape(own.size, -1)
        self.to_factor[factor, axis] = own
        return np.array([log_sum(row) for row in table])

    def term(self, edge):
        return log_sum(self.to_factor[edge] + self.to_variable[edge])

    def round(self, tolerance, damping):
        """One round; the largest change of an undamped message."""
        hearing = set(self.owing)
        for variable in self.front:
            for edge in self.at(variable):
                said = self.belief(variable, edge)
                said = said - said.max()
                if distance(said, self.to_factor[edge]) > 1e-13:
                    hearing.add(edge[0])
                self.to_factor[edge] = said
        self.front, self.owing, largest = set(), set(), 0.0
        for factor in hearing:
            for axis, variable in enumerate(self.factors[factor][0]):
                fresh, old = self.answer(factor, axis), self.to_variable[factor, axis]
                fresh = fresh - fresh.max()
                change = distance(fresh, old)
                largest = max(largest, change)
                if change > tolerance:
                    both = (fresh > -np.inf) & (old > -np.inf)
                    mixed = fresh.copy()
                    mixed[both] += damping * (old[both] - fresh[both])
                    self.to_variable[factor, axis] = mixed - mixed.max()
                    self.front.add(variable)
                    self.owing |= {factor} if damping else set()
        return largest


def distance(one, other):
    with np.errstate(invalid="ignore"):
        return np.max(np.where(one == other, 0.0, np.abs(one - other)))


class Engine:
    """The kernel, round by round, on a graph where everybody waits to speak."""

    def __init__(self, model):
        self.graph = build(model)
        self.counts, self.stamp = np.zeros(6, dtype=np.int64), 0
        self.front, self.following = (np.zeros(64, dtype=np.int32) for _ in range(2))
        self.front[: len(model.cards)] = np.arange(len(model.cards))
        self.counts[NEXT] = len(model.cards)
        self.counts[OWING] = len(model.wide)
        self.graph.arrays.heard[: len(model.wide)] = np.arange(len(model.wide))
        self.fresh = np.empty(20)

    def round(self, tolerance, damping, chance=1.0, luck=None):
        self.stamp += 1
        change = run_round(
            self.graph.arrays,
            self.front,
            int(self.counts[NEXT]),
            self.following,
            self.stamp,
            tolerance,
            damping,
            chance,
            np.empty(0) if luck is None else luck,
            self.counts,
            self.fresh,
        )
        self.front, self.following = self.following, self.front
        return change

    @property
    def waiting(self):
        return set(self.front[: self.counts[NEXT]].tolist())

    @property
    def owing(self):
        return set(self.graph.arrays.heard[: self.counts[OWING]].tolist())

    @property
    def moved(self):
        return int(self.counts[UPDATES]), int(self.counts[COMPUTED])

    def message(self, name, factor, axis):
        g = self.graph.arrays
        edge = g.factor_edge[factor] + axis
        start = g.edge_states[edge]
        return getattr(g, name)[start : start + g.cardinality[g.edge_variable[edge]]]

    def belief(self, variable):
        g = self.graph.arrays
        start = g.variable_states[variable]
        return g.belief[start : start + g.cardinality[variable]]
