"""What every kind of factor promises, tested against tables that no kernel makes.

A kind's author says how to draw a random factor: as a user writes it, and as a slow function of
the states. Everything else is here.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

import mpnet.threads
from mpnet.builder import GraphBuilder
from mpnet.content import Parts
from mpnet.errors import GraphError
from mpnet.graph import FactorGraph
from mpnet.inference import infer
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages
from mpnet.testing import brute

Rng = np.random.Generator
Cards = tuple[int, ...]


@dataclass(frozen=True)
class FactorExample:
    """One random factor, twice.

    *Evolving.*

    Parameters
    ----------
    cards : tuple of int
        Number of states of each variable.
    write : callable
        From the names of its variables to the factor as a user writes it.
    potential : callable
        From the states of its variables, in the same order and by number, to a potential >= 0.

    """

    cards: Cards
    write: Callable[[Sequence[str]], Any]
    potential: Callable[..., float]

    @property
    def table(self) -> FloatArray:
        """Log potentials of all assignments, one by one, in nats."""
        table = np.empty(self.cards)
        for states in np.ndindex(*self.cards):
            table[states] = self.potential(*states)
        with np.errstate(divide="ignore"):
            logs: FloatArray = np.log(table)
        return logs

    def content(self) -> Any:
        """What a family of this factor alone holds."""
        kind = self.write(names_of(range(len(self.cards))))
        return kind.content(np.array([self.cards]), lambda number: f"factor {number}")


Factor = tuple[tuple[int, ...], FactorExample | FloatArray]
"""A scope by numbers of variables, and an example or a table of logs."""


def names_of(variables: Sequence[int] | range) -> list[str]:
    """What variables are called: ``v0``, ``v1``, ...."""
    return [f"v{number}" for number in variables]


def graph_of(cards: Sequence[int], factors: Sequence[Factor], spelled: bool = False) -> FactorGraph:
    """A graph of examples and log tables by scope; with ``spelled``, of their tables alone."""
    builder = GraphBuilder()
    for number, count in enumerate(cards):
        builder.add_variable(f"v{number}", count)
    for number, (scope, factor) in enumerate(factors):
        names = names_of(scope)
        if not isinstance(factor, FactorExample):
            builder.add_factor(names, factor, log=True, name=str(number))
        elif spelled:
            builder.add_factor(names, factor.table, log=True, name=str(number))
        else:
            builder.add(replace(factor.write(names), name=str(number)))
    return builder.build()


def random_logs(rng: Rng, shape: Sequence[int], truth: Sequence[int], zeros: float) -> FloatArray:
    """A random table of logs, some of them hard zeros, but never where the truth is."""
    table = rng.gamma(1.0, size=tuple(shape)) + 1e-3
    table[rng.random(tuple(shape)) < zeros] = 0.0
    table[tuple(truth)] = 0.5 + rng.random()
    with np.errstate(divide="ignore"):
        logs: FloatArray = np.log(table)
    return logs


def summed_out(parts: Parts, cards: Cards) -> FloatArray:
    """The log table that parts stand for: all multiplied, hidden variables summed out."""
    sizes = [*cards, *parts.hidden]
    total = np.zeros(sizes)
    for scope, table in parts.tables:
        shape = [sizes[v] if v in scope else 1 for v in range(len(sizes))]
        total = total + np.transpose(table, np.argsort(scope)).reshape(shape)
    if not parts.hidden:
        return total
    found: FloatArray = np.logaddexp.reduce(total.reshape(*cards, -1), axis=-1)
    return found


class FactorContract:
    """The claims; heirs draw examples.

    *Evolving.*
    """

    arities: tuple[int, ...] = (2, 3, 4)
    """Numbers of variables to try."""
    seeds: int = 6
    """How many random examples of each."""

    def draw(self, rng: Rng, arity: int) -> FactorExample:
        """A random example of so many variables."""
        raise NotImplementedError

    # Small helpers

    def example(self, arity: int, seed: int) -> FactorExample:
        """One example."""
        return self.draw(np.random.default_rng([seed, arity]), arity)

    def family(self, arity: int, seed: int, count: int = 3) -> list[FactorExample]:
        """Examples of one shape."""
        rng = np.random.default_rng([seed, arity])
        found = [self.draw(rng, arity)]
        while len(found) < count:
            other = self.draw(rng, arity)
            if other.cards == found[0].cards:
                found.append(other)
        return found

    def possible(self, rng: Rng, arity: int) -> tuple[FactorExample, tuple[int, ...]]:
        """An example, and an assignment that it allows."""
        while True:
            example = self.draw(rng, arity)
            states = tuple(int(state) for state in rng.integers(0, example.cards))
            if example.potential(*states) > 0.0:
                return example, states

    def society(self, seed: int, tree: bool = False) -> tuple[Cards, list[Factor]]:
        """Two examples joined by weak pairs, on a loop or not, a leaf, and unary potentials."""
        rng = np.random.default_rng([seed, 77])
        arity = max(2, self.arities[seed % len(self.arities)])
        (first, one), (second, two) = (self.possible(rng, arity) for _ in range(2))
        cards, truth = (*first.cards, *second.cards), [*one, *two]
        here, there = range(arity), range(arity, 2 * arity)
        factors: list[Factor] = [(tuple(here), first), (tuple(there), second)]
        for scope in [(0, arity)] if tree else list(zip(here, there, strict=True)):
            shape, at = [cards[v] for v in scope], [truth[v] for v in scope]
            factors.append((scope, 0.4 * random_logs(rng, shape, at, 0.0)))
        leaf = len(cards)
        shape, at = [cards[arity - 1], 3], [truth[arity - 1], 1]
        factors.append(((arity - 1, leaf), random_logs(rng, shape, at, 0.2)))
        for variable in range(0, leaf, 2):
            table = random_logs(rng, [cards[variable]], [truth[variable]], 0.0)
            factors.append(((variable,), table))
        factors.append(((), np.array(rng.normal())))
        return (*cards, 3), factors

    # Contents

    def test_tables_and_parts_are_those_of_the_function(self) -> None:
        for arity in self.arities:
            for seed in range(self.seeds):
                example = self.example(arity, seed)
                content, table = example.content(), example.table
                # A few roundings of logs below ten.
                assert brute.apart(content.table(0), table) <= 1e-12
                assert brute.apart(summed_out(content.parts(0), example.cards), table) <= 1e-12

    def test_contents_are_tempered_maximised_taken_and_joined(self) -> None:
        for arity in (arity for arity in self.arities if arity > 1):
            for seed in range(self.seeds):
                found = self.family(arity, seed)
                cards = found[0].cards * len(found)
                scopes = np.arange(len(cards)).reshape(len(found), arity)
                graph = graph_of(cards, [(tuple(s), f) for s, f in zip(scopes.tolist(), found)])
                for family in graph.families:
                    numbers = range(family.first, family.last)
                    own = [found[int(graph.factors[number].name)].table for number in numbers]
                    self.check_content(family.content, own, seed)

    def check_content(self, content: Any, tables: list[FloatArray], seed: int) -> None:
        """Compare what is made of a family with what is made of its tables."""
        powers = np.random.default_rng(seed).choice([0.5, 1.0, 2.5], size=len(tables))
        turned = content.taken(np.arange(len(tables))[::-1].copy())
        hot = [np.where(t == -np.inf, -np.inf, p * t) for t, p in zip(tables, powers, strict=True)]
        claims = (
            (content.tempered(powers), hot),
            (content.maximised(), tables),
            (turned, tables[::-1]),
            (turned.joined([content, turned]), [*tables[::-1], *tables, *tables[::-1]]),
        )
        for made, expected in claims:
            for number, table in enumerate(expected):
                assert brute.apart(made.table(number), table) <= 1e-12

    # Messages

    @pytest.mark.parametrize("maximise", [False, True])
    @pytest.mark.parametrize("space", ["auto", "log"])
    @pytest.mark.parametrize(("dtype", "atol"), [("float64", 1e-11), ("float32", 5e-5)])
    def test_messages_are_sums_over_the_table(
        self, space: str, maximise: bool, dtype: str, atol: float
    ) -> None:
        for seed in range(self.seeds):
            graph = graph_of(*self.society(seed))
            start = np.random.default_rng(seed).normal(size=int(graph.arrays.edge_states[-1]))
            messages = Messages(graph, start=3 * start, space=space, maximise=maximise, dtype=dtype)
            for _ in range(3):
                said = brute.said_by_variables(messages)
                messages.send_from_factors(0.0)
                expected = brute.factor_messages(graph, said, maximise)
                # Logs below some dozens, and as many additions.
                assert brute.apart(messages.log_messages(), expected) <= atol
                messages.refresh()

    def test_damped_messages_lie_between(self) -> None:
        cards, factors = self.society(0)
        graph = graph_of(cards, factors)
        old = Messages(graph).log_messages()
        whole, half = Messages(graph), Messages(graph)
        whole.send_from_factors(0.0)
        half.send_from_factors(0.5)
        starts = graph.arrays.edge_states
        expected = 0.5 * old + 0.5 * whole.log_messages()
        expected -= np.repeat(np.maximum.reduceat(expected, starts[:-1]), np.diff(starts))
        assert brute.apart(half.log_messages(), expected) <= 1e-11

    # Whole graphs

    def test_a_tree_is_exact(self) -> None:
        for seed in range(self.seeds):
            cards, factors = self.society(seed, tree=True)
            graph = graph_of(cards, factors, spelled=True)
            found = infer(graph_of(cards, factors), tolerance=1e-12)
            assert found.status == "converged"
            expected = brute.beliefs(graph)
            for name, belief in expected.items():
                given = np.array(list(found.marginals[name].values()))
                # A dozen additions on each path.
                np.testing.assert_allclose(given, belief, rtol=0, atol=1e-10)
            assert found.log_z == pytest.approx(brute.log_z(graph), abs=1e-10)

    @pytest.mark.parametrize("temperature", [1.0, 0.6, 0.0])
    def test_a_loopy_graph_equals_that_of_tables(self, temperature: float) -> None:
        done = 0
        for seed in range(self.seeds):
            cards, factors = self.society(seed)
            found, expected = (
                infer(
                    graph_of(cards, factors, spelled),
                    damping=0.3,
                    tolerance=1e-12,
                    max_iterations=400,
                    temperature=temperature,
                )
                for spelled in (False, True)
            )
            assert found.status == expected.status
            if found.status == "converged":
                done += 1
                # Both within 1e-12 nats of one fixed point; contraction is far from one here.
                np.testing.assert_allclose(
                    found.estimate.beliefs, expected.estimate.beliefs, rtol=0, atol=1e-10
                )
                assert found.log_z == pytest.approx(expected.log_z, abs=1e-10)
        assert done >= 2

    @pytest.mark.parametrize("damping", [0.0, 0.5])
    def test_the_same_bits_for_two_threads(
        self, damping: float, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(mpnet.threads, "LEAST", 1)
        cards, factors = self.society(1)
        shift = len(cards)
        copies: list[Factor] = [
            (tuple(v + copy * shift for v in scope), factor)
            for copy in range(4)
            for scope, factor in factors
        ]
        graph = graph_of(cards * 4, copies)
        one, two = (
            infer(graph, threads=threads, damping=damping, max_iterations=40).estimate
            for threads in (1, 2)
        )
        np.testing.assert_array_equal(one.beliefs, two.beliefs)
        assert (one.log_z, one.iterations) == (two.log_z, two.iterations)

    def test_what_is_written_pickles(self) -> None:
        example = self.example(self.arities[-1], 0)
        scope = names_of(range(len(example.cards)))
        again = pickle.loads(pickle.dumps(example.write(scope)))
        counts = np.array([example.cards])
        made = again.content(counts, lambda number: f"factor {number}")
        np.testing.assert_array_equal(made.table(0), example.content().table(0))

    # Errors that all kinds share

    def test_a_repeated_variable_is_refused(self) -> None:
        example = self.example(self.arities[-1], 0)
        scope, builder = names_of(range(len(example.cards))), GraphBuilder()
        for name, count in zip(scope, example.cards, strict=True):
            builder.add_variable(name, count)
        scope[0] = scope[1]
        with pytest.raises(GraphError, match=r"factor 'here': variable 'v1' is twice in its scope"):
            builder.add(replace(example.write(scope), name="here"))

    def test_an_unknown_variable_is_refused(self) -> None:
        example = self.example(self.arities[-1], 0)
        scope, builder = names_of(range(len(example.cards))), GraphBuilder()
        builder.add_variable("v0", example.cards[0])
        with pytest.raises(GraphError, match=r"factor 'here': there is no variable 'v1'"):
            builder.add(replace(example.write(scope), name="here"))
