"""Small models by seed, and how a run of the engine is compared with its twin."""

import os
from dataclasses import dataclass

import numpy as np

from mpnet.builder import GraphBuilder
from mpnet.estimators.base import Options, Problem
from mpnet.estimators.flat import Flat
from mpnet.messages import Messages
from mpnet.schedules.flooding import Flooding
from tests import reference

JITTED = os.environ.get("NUMBA_DISABLE_JIT", "0") in {"", "0"}

JOINT_STATES = 5000
"""Largest joint state space of a random model: brute force stays quick."""


def examples(count):
    """How many examples to draw: fewer where kernels run as plain Python, a hundred times slower."""
    return count if JITTED else max(4, count // 10)


@dataclass(frozen=True)
class Model:
    """A factor graph in plain numpy: what the twins read and ``build`` hands to the engine."""

    cards: tuple
    factors: tuple
    """Pairs of a scope (indices) and a log table."""

    @property
    def constant(self):
        return sum((float(table) for scope, table in self.factors if not scope), start=0.0)

    @property
    def unary(self):
        rows = [np.zeros(n) for n in self.cards]
        for scope, table in self.factors:
            if len(scope) == 1:
                rows[scope[0]] = rows[scope[0]] + table
        return rows

    @property
    def wide(self):
        """Factors of two variables or more, in the graph's order: those of one shape together."""
        wide = [(scope, table) for scope, table in self.factors if len(scope) > 1]
        shapes = list(dict.fromkeys(table.shape for _, table in wide))
        return sorted(wide, key=lambda factor: shapes.index(factor[1].shape))

    @property
    def scopes(self):
        return [scope for scope, _ in self.wide]

    @property
    def tables(self):
        return [table for _, table in self.wide]

    def plus(self, *factors):
        return Model(self.cards, (*self.factors, *factors))

    def build(self):
        builder = GraphBuilder()
        for number, count in enumerate(self.cards):
            builder.add_variable(f"v{number}", count)
        for scope, table in self.factors:
            builder.add_factor([f"v{v}" for v in scope], table, log=True)
        return builder.build()


def logs(table):
    with np.errstate(divide="ignore"):
        return np.log(np.asarray(table, dtype=float))


def names(*variables):
    return [f"v{v}" for v in variables]


def states_of(model, variable):
    start = sum(model.cards[:variable])
    return slice(start, start + model.cards[variable])


def random_table(rng, scope, cards, truth, zeros):
    """A positive table, some entries zero, but never the one that the hidden truth needs."""
    shape = [cards[v] for v in scope]
    table = rng.gamma(1.0, size=shape) + 1e-3
    table = np.where(rng.random(shape) < zeros, 0.0, table)
    table[tuple(truth[v] for v in scope)] = 0.5 + rng.random()
    return logs(table)


def random_cards(rng, most, count):
    cards = []
    for _ in range(count):
        card = int(rng.integers(1, most + 1))
        if np.prod([*cards, card]) <= JOINT_STATES:
            cards.append(card)
    return tuple(cards)


def random_unaries(rng, cards, truth, zeros):
    chosen = [v for v in range(len(cards)) if rng.random() < 0.6]
    return [((v,), random_table(rng, (v,), cards, truth, zeros)) for v in chosen]


def truth_of(rng, cards):
    return tuple(int(rng.integers(n)) for n in cards)


def random_forest(seed):
    """Up to 9 variables, 1 to 5 states, arity up to 4, some hard zeros, often several trees."""
    rng = np.random.default_rng(seed)
    cards = random_cards(rng, 5, int(rng.integers(1, 10)))
    truth, zeros = truth_of(rng, cards), rng.choice([0.0, 0.3])
    factors, grown, waiting = [], [0], list(range(1, len(cards)))
    while waiting:
        if rng.random() < 0.2:
            grown.append(waiting.pop(0))
            continue
        fresh = [waiting.pop(0) for _ in range(min(len(waiting), int(rng.integers(1, 4))))]
        scope = tuple(int(v) for v in rng.permutation([rng.choice(grown), *fresh]))
        factors.append((scope, random_table(rng, scope, cards, truth, zeros)))
        grown += fresh
    factors += random_unaries(rng, cards, truth, zeros)
    return Model(cards, (*factors, ((), np.array(rng.normal()))))


def random_loopy(seed):
    """Up to 8 variables, 1 to 4 states, arity up to 4; isolated parts and repeats as they fall."""
    rng = np.random.default_rng(seed)
    cards = random_cards(rng, 4, int(rng.integers(1, 9)))
    truth, zeros = truth_of(rng, cards), rng.choice([0.0, 0.0, 0.3])
    factors = []
    for _ in range(int(rng.integers(0, 9))):
        arity = min(len(cards), int(rng.integers(2, 5)))
        scope = tuple(int(v) for v in rng.choice(len(cards), size=arity, replace=False))
        factors.append((scope, random_table(rng, scope, cards, truth, zeros)))
        if rng.random() < 0.15:
            factors.append(factors[-1])
    factors += random_unaries(rng, cards, truth, zeros)
    return Model(cards, tuple(factors))


def gentle_loopy(seed):
    """A loopy model that is weak enough for one fixed point, reached without damping."""
    model = random_loopy(seed)
    return Model(
        model.cards,
        tuple((scope, 0.05 * np.maximum(table, -5.0)) for scope, table in model.factors),
    )


def ising(edges, count, coupling, field=0.0):
    """Spins +1 and -1 (in that order): exp(J s t) on each edge, exp(h s) on each spin."""
    spin = np.array([1.0, -1.0])
    couplings = coupling if isinstance(coupling, (list, tuple)) else [coupling] * len(edges)
    factors = [(edge, j * np.outer(spin, spin)) for edge, j in zip(edges, couplings, strict=True)]
    if field:
        factors += [((v,), field * spin) for v in range(count)]
    return Model((2,) * count, tuple(factors))


def cycle(count, coupling, field=0.0):
    return ising([(v, (v + 1) % count) for v in range(count)], count, coupling, field)


def chain(count, coupling, field=0.0):
    return ising([(v, v + 1) for v in range(count - 1)], count, coupling, field)


def grid(rows, columns, coupling, field=0.0):
    at = np.arange(rows * columns).reshape(rows, columns)
    edges = [*zip(at[:, :-1].flat, at[:, 1:].flat), *zip(at[:-1].flat, at[1:].flat)]
    return ising([(int(a), int(b)) for a, b in edges], rows * columns, coupling, field)


def torus(side, coupling):
    at = np.arange(side * side).reshape(side, side)
    pairs = [*zip(at.flat, np.roll(at, -1, 0).flat), *zip(at.flat, np.roll(at, -1, 1).flat)]
    return ising([(int(a), int(b)) for a, b in pairs], side * side, coupling)


def complete(count, coupling, field=0.0):
    edges = [(a, b) for a in range(count) for b in range(a + 1, count)]
    return ising(edges, count, coupling, field)


def star(leaves, states=2, seed=0):
    """One variable in the middle, a random pairwise table to each leaf."""
    rng = np.random.default_rng(seed)
    scopes = [(0, leaf) for leaf in range(1, leaves + 1)]
    tables = [rng.normal(size=(states, states)) for _ in scopes]
    return Model((states,) * (leaves + 1), tuple(zip(scopes, tables, strict=True)))


def contradiction(pull, rivalry, evidence):
    """Two rival explanations of the same two features: a loop through four variables."""
    agree = np.array([[0.0, 0.0], [0.0, pull]])
    factors = [((m, f), agree) for m in (0, 1) for f in (2, 3)]
    rivals = ((0, 1), np.array([[0.0, 0.0], [0.0, -rivalry]]))
    seen = [((f,), np.array([0.0, evidence])) for f in (2, 3)]
    priors = [((0,), np.array([0.0, -1.0])), ((1,), np.array([0.0, -1.3]))]
    return Model((2,) * 4, (*factors, rivals, *seen, *priors))


def flat(model, observe=lambda _: None, **options):
    """The engine's answer by flat propagation, to a residual of 1e-12 unless told otherwise."""
    settings = Options(**{"tolerance": 1e-12, "max_iterations": 3000, **options})
    return Flat().estimate(Problem(model.build()), settings, observe)


def assert_same_run(model, damping=0.0, sweeps=3, twin=reference.Lbp, nan_before=None):
    """Fail unless engine and twin agree on everything after each of some sweeps.

    Both work in the log domain on values up to about 100 and round once per addition: 1e-12
    is some 50 roundings at that size. ``nan_before`` plants a NaN in both before that sweep.
    """
    messages, other = Messages(model.build()), twin(model, damping)
    schedule, possible = Flooding(), reference.most_likely(model)
    for number in range(sweeps):
        if number == nan_before:
            messages.to_variable[0] = np.nan
            messages.refresh()
            next(iter(other.messages.values()))[0] = np.nan
        residual = schedule.sweep(messages, damping).residual
        same(residual, other.sweep(), "residual")
        if np.isnan(residual):
            return
        same(messages.log_messages(), other.to_variable_array(), "messages")
        same(messages.marginals(), other.beliefs(), "beliefs")
        same(messages.log_z(), other.log_z(possible), "log Z")
        for factor in range(len(model.scopes)):
            same(
                messages.factor_belief(factor),
                np.exp(other.log_factor_belief(factor)),
                f"belief of factor {factor}",
            )


def same(found, expected, what):
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12, err_msg=what)
