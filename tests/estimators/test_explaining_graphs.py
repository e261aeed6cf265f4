"""Log-odds split among neighbours: against brute force, on trees, with loops, rules and many states."""

import itertools
import math

import numpy as np
import pytest

from mpnet.builder import GraphBuilder
from mpnet.errors import GraphError, TooLargeError
from mpnet.estimators import bethe
from mpnet.estimators.attribution import parts_around
from mpnet.estimators.base import Options
from mpnet.estimators.explaining import LISTED, Question, split
from mpnet.estimators.loop import propagate
from mpnet.estimators.surroundings import Manners
from mpnet.factors import NoisyOr
from mpnet.messages import Messages
from tests.nodes.societies import enumerated


def random_graph(seed, several=False):
    """v0 with three states among six others: some observed, some joined, with a loop or more."""
    rng = np.random.default_rng(seed)
    builder = GraphBuilder()
    counts = [3, *map(int, rng.integers(2, 4, size=6))]
    for number, count in enumerate(counts):
        weights = rng.gamma(1.0, size=count) + 0.1
        if number > 4 and rng.random() < 0.5:
            weights[1:] = 0.0
        builder.add_variable(f"v{number}", count)
        builder.add_factor([f"v{number}"], weights)
    for number in range(1, 7):
        others = (
            {0, int(rng.integers(0, 7))} - {number} if rng.random() < 0.7 else {1, 2} - {number}
        )
        for other in sorted(others):
            table = rng.gamma(1.0, size=[counts[other], counts[number]]) + 0.05
            builder.add_factor([f"v{other}", f"v{number}"], table)
    if several:
        builder.add_factor(["v0", "v1", "v2"], rng.gamma(1.0, size=counts[:3]) + 0.05)
    return builder.build()


def log_odds(graph, state, against, kept=None):
    """Brute force, with only those factors at v0 whose other variables ``kept`` allows."""
    builder = GraphBuilder()
    for number, about in enumerate(graph.variables):
        builder.add_variable(about.name, about.states)
        builder.add_factor([about.name], graph.unary_of(number), log=True)
    for number, factor in enumerate(graph.factors):
        around = set(factor.scope) - {0}
        if kept is None or 0 not in factor.scope or around <= set(kept):
            names = [graph.variables[v].name for v in factor.scope]
            builder.add_factor(names, graph.table_of(number), log=True)
    belief = enumerated(builder.build())[1]["v0"]
    return math.log(belief[state]) - math.log(belief[against])


@pytest.mark.parametrize("seed", range(25))
def test_every_term_is_what_brute_force_says(seed):
    graph = random_graph(seed)
    found = split(Question(graph, 0, 2, 1))
    everyone = set(range(1, 7))
    own = graph.unary_of(0)[2] - graph.unary_of(0)[1]
    # A few logs of sums of some thousand probabilities.
    assert found.total == pytest.approx(log_odds(graph, 2, 1), abs=1e-10)
    assert found.reference == "exact"

    def said(kept):
        return log_odds(graph, 2, 1, kept) - own

    parts = {v: p.neighbours for p in parts_around(graph, 0) for v in p.neighbours}
    for term in found.terms:
        if term.kind in ("alone", "fixed"):
            assert term.nats == pytest.approx(said(term.members), abs=1e-10)
            without = log_odds(graph, 2, 1, everyone - set(term.members))
            assert term.left_out == pytest.approx(found.total - without, abs=1e-10)
        if term.kind == "together" and len(term.members) == 2:
            a, b = term.members
            if len(parts[a]) > 1:
                both = said([a, b]) - said([a]) - said([b])
                assert term.nats == pytest.approx(both, abs=1e-10)


@pytest.mark.parametrize("seed", range(10))
def test_who_shares_a_factor_speaks_as_one(seed):
    graph = random_graph(seed, several=True)
    found = split(Question(graph, 0, 0, 1))
    assert found.total == pytest.approx(log_odds(graph, 0, 1), abs=1e-10)
    assert any(term.kind == "alone" and {1, 2} <= set(term.members) for term in found.terms)


@pytest.mark.parametrize("seed", range(5))
def test_on_a_tree_shares_are_messages(seed):
    rng = np.random.default_rng(seed)
    builder = GraphBuilder()
    for number in range(8):
        builder.add_variable(f"v{number}", 3)
        builder.add_factor([f"v{number}"], rng.gamma(1.0, size=3) + 0.1)
    for number in range(1, 8):
        builder.add_factor(
            [f"v{(number - 1) // 3}", f"v{number}"], rng.gamma(1.0, size=(3, 3)) + 0.1
        )
    graph = builder.build()
    messages = Messages(graph)
    propagate(messages, Options(tolerance=1e-14))
    logs = messages.log_messages()
    found = split(Question(graph, 0, 1, 2))
    arrays = graph.arrays
    for edge in np.flatnonzero(arrays.edge_variable == 0):
        factor = graph.factors[int(graph.edge_factor[edge])]
        (other,) = set(factor.scope) - {0}
        message = logs[arrays.edge_states[edge] : arrays.edge_states[edge + 1]]
        (term,) = [t for t in found.terms if t.kind == "alone" and t.members == (other,)]
        assert term.nats == pytest.approx(message[1] - message[2], abs=1e-11)
        assert term.left_out == pytest.approx(term.nats, abs=1e-11)
    assert not [t for t in found.terms if t.kind == "together"]


def loop(count):
    """A variable among ``count`` others that are all joined to one more."""
    builder = GraphBuilder()
    names = [f"n{i}" for i in range(count)]
    for name in ("x", "hub", *names):
        builder.add_variable(name, 2)
    builder.add_factor(["x"], [0.8, 0.2])
    for number, name in enumerate(names):
        strength = 1.0 + number / count
        builder.add_factor(["x", name], [[strength, 1.0], [1.0, strength + 0.5]])
        builder.add_factor(["hub", name], [[2.0, 1.0], [1.0, 2.0]])
    return builder.build()


def test_of_very_many_neighbours_the_loudest_are_told_and_the_others_together():
    graph = loop(LISTED + 6)
    found = split(Question(graph, 0, 1, 0))
    alone = [t for t in found.terms if t.kind == "alone"]
    (others,) = [t for t in found.terms if t.kind == "others"]
    assert (len(alone), others.count) == (LISTED, 6)
    # log (s + 1.5) / (s + 1) falls with the strength s, so the loudest are the first ones.
    assert {t.members for t in alone} == {(v,) for v in range(2, 2 + LISTED)}
    plain = split(Question(graph, 0, 1, 0, limit=1))
    assert plain.reference == "clamped"
    # By induction over the neighbours, given x and the hub all factorise.
    odds = 0.0
    for x, weight in ((1, 0.2), (0, 0.8)):
        total = 0.0
        for hub in (0, 1):
            product = 1.0
            for number in range(LISTED + 6):
                strength = 1.0 + number / (LISTED + 6)
                row = [strength, 1.0] if x == 0 else [1.0, strength + 0.5]
                product *= sum(row[n] * (2.0 if n == hub else 1.0) for n in (0, 1))
            total += product
        odds += math.log(weight * total) * (1 if x else -1)
    assert found.total == pytest.approx(odds, abs=1e-9)


def test_pairs_and_the_rest_are_told_where_there_are_three():
    found = split(Question(loop(3), 0, 1, 0))
    together = [t.members for t in found.terms if t.kind == "together"]
    assert together == [(2, 3), (2, 4), (3, 4), (2, 3, 4)]


def test_too_large_parts_are_refused_where_only_exact_shares_are_wanted():
    with pytest.raises(TooLargeError, match="an exact sum would need"):
        split(Question(loop(4), 0, 1, 0, limit=2, clamped=False))


def test_propagation_that_does_not_settle_is_said(monkeypatch):
    monkeypatch.setattr(bethe, "OPTIONS", Options(max_iterations=1, tolerance=1e-12))
    found = split(Question(loop(4), 0, 1, 0, limit=1))
    assert not found.settled
    assert math.isfinite(found.total)


def test_what_forces_a_state_is_told_alone():
    builder = GraphBuilder()
    for name in ("x", "a", "b", "c"):
        builder.add_variable(name, 2)
    builder.add_factor(["x", "a"], [[1.0, 2.0], [3.0, 1.0]])
    builder.add_factor(["b"], [0.0, 1.0])
    builder.add_factor(["x", "b"], [[1.0, 0.0], [1.0, 1.0]])
    builder.add_factor(["x", "c"], [[1.0, 2.0], [1.0, 1.0]])
    (term,) = split(Question(builder.build(), 0, 1, 0)).terms
    assert (term.kind, term.members, term.nats) == ("fixed", (2,), math.inf)
    (term,) = split(Question(builder.build(), 0, 0, 1)).terms
    assert term.nats == -math.inf


def test_two_that_force_a_state_only_together_are_told_together():
    builder = GraphBuilder()
    for name in ("x", "a", "b", "c"):
        builder.add_variable(name, 2)
    # With x, a and b are both on; they may not be. c is joined to them and has no part in it.
    builder.add_factor(["x", "a"], [[1.0, 1.0], [0.0, 1.0]])
    builder.add_factor(["x", "b"], [[1.0, 1.0], [0.0, 1.0]])
    builder.add_factor(["a", "b"], [[1.0, 1.0], [1.0, 0.0]])
    builder.add_factor(["x", "c"], [[1.0, 1.0], [1.0, 2.0]])
    builder.add_factor(["a", "c"], [[1.0, 2.0], [1.0, 1.0]])
    (term,) = split(Question(builder.build(), 0, 1, 0)).terms
    assert (term.kind, term.members, term.nats) == ("together", (1, 2), -math.inf)


def test_neither_state_possible_is_an_error_that_names_them():
    builder = GraphBuilder()
    builder.add_variable("x", ["red", "green", "blue"])
    builder.add_variable("y", 2)
    builder.add_factor(["x", "y"], [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    with pytest.raises(GraphError, match="neither 'green' nor 'blue' is a possible state of 'x'"):
        split(Question(builder.build(), 0, 1, 2))


def test_a_cause_that_is_silent_is_one_that_is_off():
    builder = GraphBuilder()
    for name in ("a", "b", "f"):
        builder.add_variable(name, 2)
        builder.add_factor([name], {"a": [0.9, 0.1], "b": [0.7, 0.3], "f": [0.0, 1.0]}[name])
    builder.add(NoisyOr("f", ["a", "b"], [0.8, 0.6], leak=0.05))
    graph = builder.build()
    found = split(Question(graph, 0, 1, 0, Manners(quiet={(0, 1): 0})))
    shares = {(t.kind, t.members): t for t in found.terms}
    on = {(a, b): 1 - 0.95 * (1 - 0.8 * a) * (1 - 0.6 * b) for a in (0, 1) for b in (0, 1)}
    seen = math.log(on[1, 0] / on[0, 0])
    both = math.log((0.7 * on[1, 0] + 0.3 * on[1, 1]) / (0.7 * on[0, 0] + 0.3 * on[0, 1]))
    assert shares["fixed", (2,)].nats == pytest.approx(seen, abs=1e-12)
    assert shares["alone", (1,)].nats == pytest.approx(both - seen, abs=1e-12)
    assert shares["alone", (1,)].left_out == pytest.approx(both - seen, abs=1e-12)
    assert shares["fixed", (2,)].left_out == pytest.approx(both, abs=1e-12)


@pytest.mark.parametrize("parents", [2, 12])
def test_large_causes_are_taken_apart_without_a_change(parents):
    builder = GraphBuilder()
    rng = np.random.default_rng(parents)
    names = [f"p{i}" for i in range(parents)]
    priors = rng.random(parents)
    for name, prior in zip(names, priors, strict=True):
        builder.add_variable(name, 2)
        builder.add_factor([name], [1 - prior, prior])
    builder.add_variable("f", 2)
    builder.add_factor(["f"], [0.0, 1.0])
    forces = rng.random(parents)
    builder.add(NoisyOr("f", names, forces, leak=0.1))
    quiet = {(0, v): 0 for v in range(1, parents)}
    found = split(Question(builder.build(), 0, 1, 0, Manners(quiet=quiet)))
    totals = [0.0, 0.0]
    for states in itertools.product((0, 1), repeat=parents):
        weight = math.prod(p if s else 1 - p for s, p in zip(states, priors, strict=True))
        off = 0.9 * math.prod(1 - s * force for s, force in zip(states, forces, strict=True))
        totals[states[0]] += weight * (1 - off)
    assert found.total == pytest.approx(math.log(totals[1] / totals[0]), abs=1e-10)
