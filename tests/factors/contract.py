"""What every kind of factor promises, checked against tables that no code of mpnet makes.

A kind's test file inherits ``FactorContract`` and says how to draw a random factor: as a user
writes it, and as a slow function of the states. Everything else is here.
"""

import itertools
from dataclasses import replace

import numpy as np
import pytest

import mpnet.testing
from mpnet.builder import GraphBuilder
from mpnet.errors import GraphError, TooLargeError
from mpnet.graph import FactorGraph
from mpnet.inference import infer
from mpnet.kernels.families import FAMILIES
from mpnet.kernels.layout import UNSAFE, TableArrays
from mpnet.kernels.semiring import LinearSum
from mpnet.testing import FactorExample as Example
from mpnet.testing.brute import apart
from tests import reference
from tests.graphs import Model, examples, names
from tests.kernels.semirings import SPACES, Space, random_logs, scaled_messages

SINGLE = [Space(LinearSum, np.float32)]
NOWHERE = np.empty(0)


def of_bits(rng, arity, write, potential):
    """An example over variables with two states, some of them negated.

    ``write`` takes names and which of them are negated, ``potential`` which variables are on.
    """
    flips = rng.integers(0, 2, size=arity) * rng.integers(0, 2)

    def written(scope):
        return write(scope, [name for name, flip in zip(scope, flips, strict=True) if flip])

    def of_states(*states):
        return potential([state != flip for state, flip in zip(states, flips, strict=True)])

    return Example((2,) * arity, written, of_states)


def chances(rng, size):
    """Probabilities, every third of them certain."""
    found = rng.random(size=size)
    return np.where(rng.random(size=size) < 0.35, np.round(found), found)


def some_zeros(rng, size):
    """Positive potentials, every fourth of them a hard zero."""
    return np.where(rng.random(size=size) < 0.25, 0.0, rng.gamma(1.0, size=size) + 0.05)


def build(cards, factors):
    """A graph of examples and log tables by scope; the names of factors are their numbers."""
    builder = GraphBuilder()
    for variable, count in enumerate(cards):
        builder.add_variable(f"v{variable}", count)
    for number, (scope, factor) in enumerate(factors):
        if isinstance(factor, Example):
            builder.add(replace(factor.write(names(*scope)), name=str(number)))
        else:
            builder.add_factor(names(*scope), factor, log=True, name=str(number))
    return builder.build()


def dense(cards, factors):
    """The same as a model of tables alone."""
    return Model(cards, tuple((s, f.table if isinstance(f, Example) else f) for s, f in factors))


def alone(example):
    """A graph of one factor, also where that has one variable only."""
    kind = example.write(names(*range(len(example.cards))))
    scope = np.arange(len(example.cards))[None]
    return FactorGraph.from_arrays(example.cards, [(scope, kind.maker())])


def as_tables(family, tables):
    """What the twins read of a family: log tables written in the test."""
    starts = np.cumsum([0, *(table.size for table in tables)])
    values = np.concatenate([table.reshape(-1) for table in tables])
    return TableArrays(family.first, starts, values)


def slices(graph, family):
    """Edges and message entries of a family."""
    edges = graph.factor_edges[[family.first, family.last]]
    return slice(*edges), slice(*graph.edge_states[edges])


def ask(space, graph, family, question, *arguments):
    """One answer of a family's kernels, over all its factors."""
    arrays, _ = family.arrays(space.linear, space.dtype)
    kernel = getattr(FAMILIES[family.kind], question)
    return kernel(space.semiring, graph.arrays, arrays, family.first, family.last, *arguments)


class FactorContract(mpnet.testing.FactorContract):
    """The claims of ``mpnet.testing``, and those about kernels; heirs draw examples.

    Among ``arities`` is 1 where a factor of one variable makes sense.
    """

    seeds = examples(9)

    # Small helpers

    def examples(self, arity, seed, count=3):
        """Some factors of one arity and the same cardinalities."""
        rng = np.random.default_rng([seed, arity])
        found = [self.draw(rng, arity)]
        while len(found) < count:
            other = self.draw(rng, arity)
            if other.cards == found[0].cards:
                found.append(other)
        return found

    def kernel_graph(self, arity, seed):
        """Some factors that share variables, or one alone: (graph, tables in its order)."""
        found = self.examples(arity, seed)
        if arity == 1:
            return alone(found[0]), [found[0].table]
        cards = found[0].cards
        scopes = [tuple(range(arity)), tuple(range(arity, 2 * arity))]
        scopes.append(tuple(v + arity * (v % 2) for v in range(arity)))
        graph = build(cards * 2, list(zip(scopes, found, strict=True)))
        return graph, [found[int(factor.name)].table for factor in graph.factors]

    # Kernels

    def check_send(self, space, seed, arity, damping, zeros, atol, size=3.0):
        """Messages and residuals of all families of a graph; how many had to leave their space."""
        graph, tables = self.kernel_graph(arity, seed)
        graph = graph.maximised() if space.maximise else graph
        to_factor = space.values(random_logs(graph, seed, zeros, size))
        old = space.values(random_logs(graph, seed + 999, zeros / 4))
        unsafe = 0
        for family in graph.families:
            if space.linear and not family.content.is_linear():
                continue
            out, found = np.full_like(old, np.nan), np.full(graph.edge_factor.size, np.nan)
            worst, status = ask(space, graph, family, "send", to_factor, old, out, damping, found)
            if status == UNSAFE:
                unsafe += 1
                continue
            twin = as_tables(family, tables[family.first : family.last])
            expected, changes, dead = reference.send(
                graph.arrays, twin, range(family.first, family.last),
                space.logs(to_factor), space.logs(old), damping, space.maximise,
            )  # fmt: skip
            edges, entries = slices(graph.arrays, family)
            said = scaled_messages(graph, space.logs(out))
            where = f"arity {arity}, seed {seed}"
            assert apart(said[entries], expected[entries]) <= atol, where
            assert apart(found[edges], changes[edges]) <= 2 * atol, where
            assert status == dead, where
            assert worst == pytest.approx(found[edges].max(), rel=1e-5, abs=atol), where
            assert np.max(space.logs(out)[entries]) <= atol, where
            moved = old.copy()
            quick, _ = ask(space, graph, family, "send", to_factor, moved, moved, damping, NOWHERE)
            assert quick == pytest.approx(worst, rel=1e-5, abs=atol), where
            np.testing.assert_array_equal(moved[entries], out[entries])
            moved[entries] = old[entries]
            np.testing.assert_array_equal(moved, old)
        return unsafe

    # Logs below 30 and sums of at most a few dozen terms: far less than 1e-12 is lost.
    @pytest.mark.parametrize("space", SPACES, ids=repr)
    @pytest.mark.parametrize("damping", [0.0, 0.5])
    def test_messages_are_those_of_the_table(self, space, damping):
        for arity, seed in itertools.product(self.arities, range(examples(6))):
            zeros = (0.0, 0.4)[seed % 2]
            assert self.check_send(space, seed, arity, damping, zeros, 1e-12) == 0

    @pytest.mark.parametrize("space", SINGLE, ids=repr)
    def test_messages_in_single_precision(self, space):
        for arity, seed in itertools.product(self.arities, range(examples(4))):
            # Logs below 30 to 24 bits are 2e-6 each, a few of them.
            self.check_send(space, seed, arity, 0.5 * (seed % 2), 0.2, 2e-5)

    @pytest.mark.parametrize("space", SPACES, ids=repr)
    def test_messages_far_from_one_are_right_or_called_unsafe(self, space):
        unsafe = 0
        for arity, seed in itertools.product(self.arities, range(examples(4))):
            size = (100.0, 250.0)[seed % 2]
            # Logs up to 3000 have roundings of 5e-13, and exponents carry them over.
            unsafe += self.check_send(space, seed, arity, 0.0, 0.2, 1e-11, size)
        assert unsafe == 0 or space.linear

    @pytest.mark.parametrize("space", SPACES, ids=repr)
    def test_partition_sums_and_potentials_are_those_of_the_table(self, space):
        for arity, seed in itertools.product(self.arities, range(examples(4))):
            graph, tables = self.kernel_graph(arity, seed)
            graph = graph.maximised() if space.maximise else graph
            size = (3.0, 150.0)[seed % 2]
            to_factor = space.values(random_logs(graph, seed, 0.3, size))
            for family in graph.families:
                if space.linear and not family.content.is_linear():
                    continue
                own = tables[family.first : family.last]
                twin = as_tables(family, own)
                here = graph.arrays, twin, range(family.first, family.last)
                _, scale = family.arrays(space.linear, space.dtype)
                expected = reference.log_partition(*here, space.logs(to_factor), space.maximise)
                found = ask(space, graph, family, "log_partition", to_factor) + scale
                # Logs up to some hundreds.
                assert apart(found, expected) <= 1e-11, f"arity {arity}, seed {seed}"
                for states in np.ndindex(*graph.cardinalities[:arity]):
                    assignment = np.resize(np.array(states), len(graph.variables))
                    found = ask(space, graph, family, "log_potential", assignment) + scale
                    expected = reference.log_potential(*here, assignment)
                    assert apart(found, expected) <= 1e-12, f"arity {arity}, seed {seed}"

    # Whole graphs

    @pytest.mark.parametrize("size", [60.0, 150.0, 700.0])
    def test_a_tree_with_strong_evidence_is_exact(self, size):
        for seed in range(examples(6)):
            cards, factors = self.society(seed, tree=True)
            rng = np.random.default_rng(seed)
            pulls = [((v,), size * rng.uniform(-1, 1, size=n)) for v, n in enumerate(cards)]
            model = dense(cards, [*factors, *pulls])
            found = infer(build(cards, [*factors, *pulls]), tolerance=1e-9)
            assert found.status == "converged"
            # Logs up to ten times the size, a dozen additions each way.
            np.testing.assert_allclose(
                found.estimate.beliefs, reference.marginals(model), rtol=0, atol=1e-10
            )
            assert found.log_z == pytest.approx(reference.log_z(model), rel=1e-12, abs=1e-10)

    def scope_of_three(self):
        """A factor over v0, v1, ... as it is written, and its cardinalities."""
        example = self.examples(self.arities[-1], 0, 1)[0]
        return example, list(names(*range(len(example.cards))))


class BinaryContract(FactorContract):
    """The claims of kinds over variables with two states."""

    what = ""
    """What errors call the kind."""

    def test_three_states_are_refused(self):
        example, scope = self.scope_of_three()
        for place in range(len(scope)):
            builder = GraphBuilder()
            for number, name in enumerate(scope):
                builder.add_variable(name, 2 + (number == place))
            wanted = (
                f"factor 'here': variable {place} of its scope has 3 states; {self.what} is for "
                "variables with 2"
            )
            with pytest.raises(GraphError, match=wanted):
                builder.add(replace(example.write(scope), name="here"))


WIDE = examples(1000)
"""Variables of a wide factor."""


def shares(seed, states=2, count=WIDE, low=0.0):
    """Probabilities of states, one row per variable."""
    rows = np.random.default_rng(seed).uniform(low, 1.0, size=(count, states))
    return rows / rows.sum(axis=1, keepdims=True)


def wide(kind, unaries, most=None):
    """Beliefs (one row per variable of the scope) and log Z of one factor with evidence.

    Fails unless what the kernels read grows with the variables only: up to ``most`` numbers, or
    a dozen for each variable.
    """
    builder = GraphBuilder()
    for name, row in zip(kind.scope, unaries, strict=True):
        builder.add_variable(name, len(row))
        builder.add_factor([name], row)
    builder.add(kind)
    graph = builder.build()
    (family,) = graph.families
    arrays, _ = family.arrays(True)
    read = sum(part.size for part in arrays if isinstance(part, np.ndarray))
    assert read <= (most or 12 * len(unaries))
    with pytest.raises(TooLargeError, match=f"over {len(unaries)} variables would have a table of"):
        graph.table_of(0)
    found = infer(graph, tolerance=1e-10)
    assert found.status == "converged"
    return np.split(
        found.estimate.beliefs, np.cumsum([len(row) for row in unaries])[:-1]
    ), found.log_z


def assert_wide(kind, unaries, beliefs, log_z, most=None):
    """Fail unless ``wide`` answers with a closed form: beliefs by place in the scope, and log Z."""
    found, found_log_z = wide(kind, unaries, most)
    for place, expected in beliefs.items():
        # A thousand factors, each rounded once: 1e-13, and some more from the closed form.
        np.testing.assert_allclose(found[place], expected, rtol=1e-9, atol=1e-12)
    assert found_log_z == pytest.approx(log_z, rel=1e-10, abs=1e-9)


def normal(*row):
    return np.array(row) / np.sum(row)


def refused(kind, wanted, states=2, error=GraphError):
    """Fail unless adding a factor called ``here`` is refused with the words wanted."""
    builder = GraphBuilder()
    for name in kind.scope:
        builder.add_variable(name, states)
    with pytest.raises(error, match=f"factor 'here': {wanted}"):
        builder.add(replace(kind, name="here"))
