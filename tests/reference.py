"""Slow, obvious twins of the engine: loops over states, dictionaries of messages, one formula each.

Nothing here imports the kernels. A model is anything with ``cards``, ``constant``, ``unary`` (one
log vector per variable), ``scopes`` and ``tables`` (log tables), as ``tests.graphs.Model`` has.
"""

import itertools
import math

import numpy as np


def log_sum(values):
    """Log of the sum of exponentials; nothing is log 0."""
    with np.errstate(invalid="ignore"):  # a planted NaN
        return float(np.logaddexp.reduce(np.array([*values, -np.inf], dtype=float)))


def scaled(message):
    """The message with its largest entry at 0; as it is where nothing is possible."""
    best = np.max(message)
    return message if best == -np.inf else message - best


def change(old, new):
    """Span of the change between two log messages over the states, whatever their scales.

    Impossible before and after is no change; impossible at one time only is an infinite one.
    """
    both = [(a, b) for a, b in zip(old, new, strict=True) if a != -np.inf or b != -np.inf]
    if any(np.isnan(a) or np.isnan(b) for a, b in both):
        return np.nan
    if any(-np.inf in pair for pair in both):
        return np.inf
    moves = [b - a for a, b in both]
    return max(moves) - min(moves) if moves else 0.0


def max_with_nan(numbers):
    """The largest number, NaN if there is one, 0 of none."""
    return float(np.max(numbers)) if len(numbers) else 0.0


def damped(old, new, damping):
    """Weighted geometric mean; an entry that is or becomes impossible is taken as proposed."""
    mixed = [
        new_entry
        if damping == 0.0 or -np.inf in {old_entry, new_entry}
        else damping * old_entry + (1.0 - damping) * new_entry
        for old_entry, new_entry in zip(old, new, strict=True)
    ]
    return scaled(np.array(mixed))


class Lbp:
    """Flooding sum-product with one dictionary entry per message."""

    def __init__(self, model, damping=0.0):
        self.model = model
        self.damping = damping
        self.messages = {
            (factor, variable): np.zeros(model.cards[variable])
            for factor, scope in enumerate(model.scopes)
            for variable in scope
        }

    def table(self, factor):
        return self.model.tables[factor]

    def variable_sum(self, variable, without=None):
        """Log belief of a variable, leaving one factor's message out."""
        total = self.model.unary[variable].copy()
        for (factor, receiver), message in self.messages.items():
            if receiver == variable and factor != without:
                total = total + message
        return total

    def to_factor(self, variable, factor):
        return scaled(self.variable_sum(variable, without=factor))

    def to_variable(self, factor, variable):
        """What a factor says, summing over all assignments of its other variables."""
        scope = self.model.scopes[factor]
        said = {v: self.to_factor(v, factor) for v in scope if v != variable}
        axis = scope.index(variable)
        terms = [[] for _ in range(self.model.cards[variable])]
        for states in itertools.product(*(range(self.model.cards[v]) for v in scope)):
            score = self.table(factor)[states]
            for other, state in zip(scope, states, strict=True):
                if other != variable:
                    score = score + said[other][state]
            terms[states[axis]].append(score)
        return scaled(np.array([log_sum(column) for column in terms]))

    def propose(self):
        return {edge: self.to_variable(*edge) for edge in self.messages}

    def sweep(self):
        """One flooding iteration; the undamped residual."""
        proposed = self.propose()
        residual = self.residual(self.messages, proposed)
        self.messages = self.accepted(proposed)
        return residual

    def accepted(self, proposed):
        return {e: damped(self.messages[e], proposed[e], self.damping) for e in self.messages}

    def residual(self, old, new):
        return max_with_nan([change(old[edge], new[edge]) for edge in old])

    def to_variable_array(self):
        """All messages in a row, factor by factor in the order of each scope."""
        rows = [
            self.messages[factor, variable]
            for factor, scope in enumerate(self.model.scopes)
            for variable in scope
        ]
        return np.concatenate(rows) if rows else np.empty(0)

    def log_belief(self, variable):
        scores = self.variable_sum(variable)
        return scores - log_sum(scores)

    def log_factor_belief(self, factor):
        scope = self.model.scopes[factor]
        scores = self.table(factor).copy()
        for axis, variable in enumerate(scope):
            shape = [1] * len(scope)
            shape[axis] = -1
            scores = scores + self.to_factor(variable, factor).reshape(shape)
        return scores - log_sum(scores.ravel())

    def beliefs(self):
        return np.exp(np.concatenate([self.log_belief(v) for v in range(len(self.model.cards))]))

    def count(self, variable):
        """The power, less one, that divides a variable's belief out: its factors."""
        return sum(variable in scope for scope in self.model.scopes) - 1

    def log_z(self, assignment):
        """Log Z_B of any messages from beliefs at one possible assignment x.

        Reparameterisation: p(x) = Z_B * prod_a b_a(x_a) * prod_i b_i(x_i)^(1 - d_i), with d_i the
        factors of arity two or more at i; true at every iteration and for every x.
        """
        result = log_score(self.model, assignment)
        for factor, scope in enumerate(self.model.scopes):
            states = tuple(assignment[v] for v in scope)
            result -= self.log_factor_belief(factor)[states]
        for variable, state in enumerate(assignment):
            result += self.count(variable) * self.log_belief(variable)[state]
        return result

    def bethe(self):
        """Minus the Bethe free energy of the beliefs: log Z_B where messages are at a fixed point."""
        result = self.model.constant
        for factor in range(len(self.model.scopes)):
            logs = self.log_factor_belief(factor)
            here = logs != -np.inf
            result -= np.sum(np.exp(logs[here]) * (logs[here] - self.table(factor)[here]))
        for variable in range(len(self.model.cards)):
            logs = self.log_belief(variable)
            here = logs != -np.inf
            energy = np.exp(logs[here]) * self.model.unary[variable][here]
            result += np.sum(energy) + self.count(variable) * np.sum(
                np.exp(logs[here]) * logs[here]
            )
        return result


def log_score(model, assignment):
    """Log of the product of all factors at one assignment."""
    score = model.constant
    for variable, state in enumerate(assignment):
        score = score + model.unary[variable][state]
    for scope, table in zip(model.scopes, model.tables, strict=True):
        score = score + table[tuple(assignment[v] for v in scope)]
    return score


def joint(model):
    """Log of the product of all factors at every assignment, one axis per variable."""
    where = np.indices(model.cards)
    return np.asarray(log_score(model, list(where)))


def log_z(model):
    return log_sum(joint(model).ravel())


def marginals(model):
    """Exact marginals of all variables in a row, by adding up every assignment."""
    scores = joint(model)
    odds = np.exp(scores - scores.max())
    odds /= odds.sum()
    axes = range(len(model.cards))
    return np.concatenate([odds.sum(axis=tuple(a for a in axes if a != v)) for v in axes])


def most_likely(model):
    scores = joint(model)
    return tuple(int(i) for i in np.unravel_index(np.argmax(scores), scores.shape))


# Twins of the kernels: arrays in, arrays out, everything in logs; ``maximise`` picks the semiring.


def pieces(array, starts):
    """The slices of an array between consecutive starts, as copies."""
    return [array[a:b].copy() for a, b in itertools.pairwise(starts)]


def joined(rows):
    return np.concatenate([*rows, []])


def combined(values, maximise):
    """Log of the sum, or the largest; NaN if one is, and nothing is log 0."""
    return float(np.max([*values, -np.inf])) if maximise else log_sum(values)


def first_dead(numbers, rows):
    """The first number whose row allows nothing, or -1."""
    dead = [n for n, row in zip(numbers, rows, strict=True) if np.all(row == -np.inf)]
    return dead[0] if dead else -1


def send_from_variables(graph, unary, to_variable):
    """Twin of the kernel of that name: (to_factor, beliefs, first dead variable)."""
    beliefs = pieces(unary, graph.variable_states)
    messages = pieces(to_variable, graph.edge_states)
    answers = []
    for edge, variable in enumerate(graph.edge_variable):
        answer = pieces(unary, graph.variable_states)[variable]
        for other, receiver in enumerate(graph.edge_variable):
            if receiver == variable and other != edge:
                answer = answer + messages[other]
        answers.append(scaled(answer))
        beliefs[variable] = beliefs[variable] + messages[edge]
    return joined(answers), joined(beliefs), first_dead(range(len(beliefs)), beliefs)


def table_of(graph, family, factor):
    """Edges of one factor, and its table with one axis for each."""
    edges = range(graph.factor_edges[factor], graph.factor_edges[factor + 1])
    shape = [graph.edge_states[edge + 1] - graph.edge_states[edge] for edge in edges]
    start = family.factor_table[factor - family.first]
    return edges, family.tables[start : start + math.prod(shape)].reshape(shape)


def scores_of(graph, family, factor, to_factor, without=None):
    """Log potential times all messages but one's, for each assignment of one factor."""
    edges, table = table_of(graph, family, factor)
    incoming = pieces(to_factor, graph.edge_states)
    for states in itertools.product(*map(range, table.shape)):
        said = [incoming[e][s] for e, s in zip(edges, states, strict=True) if e != without]
        yield states, table[states] + sum(said)


def said_to(graph, family, factor, edge, to_factor, maximise=False):
    """What one factor says along one of its edges."""
    edges, table = table_of(graph, family, factor)
    axis = edges.index(edge)
    terms = [[] for _ in range(table.shape[axis])]
    for states, score in scores_of(graph, family, factor, to_factor, without=edge):
        terms[states[axis]].append(score)
    return scaled(np.array([combined(column, maximise) for column in terms]))


def send(graph, family, factors, to_factor, old, damping=0.0, maximise=False):
    """Twin of ``send`` of any family of tables over a range of factors.

    Returns (messages, NaN where not asked; residual of each edge, likewise; first dead factor).
    """
    out, residuals = np.full(old.size, np.nan), np.full(graph.edge_variable.size, np.nan)
    dead = -1
    for factor in factors:
        for edge in range(graph.factor_edges[factor], graph.factor_edges[factor + 1]):
            where = slice(graph.edge_states[edge], graph.edge_states[edge + 1])
            new = said_to(graph, family, factor, edge, to_factor, maximise)
            nothing = np.all(new == -np.inf)
            residuals[edge] = 0.0 if nothing else change(old[where], new)
            out[where] = damped(old[where], new, damping)
            dead = factor if nothing and dead < 0 else dead
    return out, residuals, dead


def log_partition(graph, family, factors, to_factor, maximise=False):
    """Twin of ``log_partition`` of any family of tables."""
    return sum(
        combined([score for _, score in scores_of(graph, family, f, to_factor)], maximise)
        for f in factors
    )


def log_potential(graph, family, factors, assignment):
    """Twin of ``log_potential`` of any family of tables."""
    tables = [table_of(graph, family, f) for f in factors]
    return sum(
        table[tuple(assignment[graph.edge_variable[e]] for e in edges)] for edges, table in tables
    )


def variable_and_edge_terms(graph, beliefs, to_factor, to_variable, maximise=False):
    """Twin of the kernel of that name."""
    terms = [combined(belief, maximise) for belief in pieces(beliefs, graph.variable_states)]
    edges = pieces(to_factor + to_variable, graph.edge_states)
    if -np.inf in terms:
        return -np.inf
    return math.fsum(terms) - math.fsum(combined(edge, maximise) for edge in edges)


def probabilities(variable_states, beliefs):
    """Twin of ``variables.marginals``: (probabilities, first dead variable)."""
    rows = pieces(beliefs, variable_states)
    totals = [log_sum(row) for row in rows]
    out = [
        np.full(row.size, np.nan) if total == -np.inf else np.exp(row - total)
        for row, total in zip(rows, totals, strict=True)
    ]
    return joined(out), first_dead(range(len(rows)), rows)


def in_turn(graph, families, unary, order, to_variable, damping=0.0, maximise=False):
    """Twin of ``serial.update_in_turn``: (messages, residual of each edge when it last moved).

    ``families`` are pairs of a family and its range of factors.
    """
    messages, residuals = to_variable.copy(), np.full(graph.edge_variable.size, np.nan)
    for variable in order:
        said = send_from_variables(graph, unary, messages)[0]
        for family, factors in families:
            new, changes, _ = send(graph, family, factors, said, messages, damping, maximise)
            for edge in np.flatnonzero(graph.edge_variable == variable):
                if not np.isnan(changes[edge]):
                    where = slice(graph.edge_states[edge], graph.edge_states[edge + 1])
                    messages[where], residuals[edge] = new[where], changes[edge]
    return messages, residuals


def most_urgent_first(
    graph, families, unary, to_variable, tolerance, most, damping=0.0, maximise=False
):
    """Residual belief propagation that computes everything again before each move.

    Returns (messages, residual of each edge afterwards, the edges moved in order).
    """
    messages, moved = to_variable.copy(), []
    while True:
        said = send_from_variables(graph, unary, messages)[0]
        new, changes = messages.copy(), np.zeros(graph.edge_variable.size)
        for family, factors in families:
            part, residuals, _ = send(graph, family, factors, said, messages, damping, maximise)
            here = ~np.isnan(residuals)
            changes[here] = residuals[here]
            new = np.where(np.isnan(part), new, part)
        edge = int(np.argmax(changes))
        if changes[edge] <= tolerance or len(moved) == most:
            return messages, changes, moved
        where = slice(graph.edge_states[edge], graph.edge_states[edge + 1])
        messages[where] = new[where]
        moved.append(edge)
