"""The compile pass changes no exact answer."""

import numpy as np
import pytest

from mpnet.builder import GraphBuilder
from mpnet.dense import DenseTables
from mpnet.estimators.base import Options, Problem
from mpnet.estimators.compiling import compile_graph, leave_alone
from mpnet.estimators.exact import solve
from mpnet.estimators.flat import Flat
from mpnet.factors import NoisyOr, Parity
from tests import reference
from tests.graphs import Model, examples, logs, names, random_forest, random_loopy


def evident(model, seed):
    """The model with some variables observed in their most likely joint state."""
    rng, truth = np.random.default_rng(seed), reference.most_likely(model)
    for variable, states in enumerate(model.cards):
        if rng.random() < 0.3:
            model = model.plus(((variable,), logs(np.eye(states)[truth[variable]])))
    return model


def chosen(model, seed, share=0.5):
    rng = np.random.default_rng(seed + 7)
    return [name for name in names(*range(len(model.cards))) if rng.random() < share]


def same_exact_answer(model, compiled):
    answer = solve(compiled.graph)
    # Products and sums of probabilities, once per variable summed out.
    np.testing.assert_allclose(
        compiled.full_beliefs(answer.marginals, answer.joint),
        reference.marginals(model),
        rtol=0,
        atol=1e-12,
    )
    assert answer.log_z == pytest.approx(reference.log_z(model), abs=1e-12, rel=1e-12)


@pytest.mark.parametrize("builder", [random_loopy, random_forest])
@pytest.mark.parametrize("seed", range(60))
def test_exact_marginals_and_log_z_stay_the_same(builder, seed):
    model = evident(builder(seed), seed)
    compiled = compile_graph(model.build(), chosen(model, seed), chosen(model, seed + 1, 0.3))
    assert not compiled.impossible
    same_exact_answer(model, compiled)


@pytest.mark.parametrize("seed", range(20))
def test_variables_in_question_stay_unless_evidence_fixes_them(seed):
    model = evident(random_loopy(seed), seed)
    everyone = names(*range(len(model.cards)))
    compiled = compile_graph(model.build(), everyone, everyone)
    assert set(compiled.graph.index) == set(everyone) - set(compiled.fixed)


@pytest.mark.parametrize("seed", range(20))
def test_no_two_scopes_are_equal_or_nested(seed):
    model = random_loopy(seed)
    scopes = [set(f.scope) for f in compile_graph(model.build(), [], []).graph.factors]
    assert not any(a <= b for n, a in enumerate(scopes) for m, b in enumerate(scopes) if n != m)


def conditional(*shape):
    table = np.random.default_rng(0).random(shape) + 0.1
    return logs(table / table.sum(axis=-1, keepdims=True))


def test_an_unobserved_leaf_says_nothing():
    joined = np.random.default_rng(1).normal(size=(2, 2))
    without = Model((2, 2, 4), (((0, 1), joined), ((0,), logs([0.2, 0.8]))))
    model = without.plus(((0, 1, 2), conditional(2, 2, 4)))
    compiled = compile_graph(model.build(), ["v2"], ["v0"])
    found = solve(compiled.graph).marginals
    # A row of four that was normalised and added up again.
    np.testing.assert_allclose(found, reference.marginals(without)[:4], rtol=0, atol=1e-12)


def test_an_unobserved_leaf_of_two_variables_that_nothing_else_joins_is_predicted():
    model = Model(
        (2, 2, 3),
        (((0,), logs([0.2, 0.8])), ((1,), logs([0.3, 0.7])), ((0, 1, 2), conditional(2, 2, 3))),
    )
    compiled = compile_graph(model.build(), ["v2"], ["v0"])
    assert len(compiled.graph.factors) == 0
    assert "dropped 1 factors that say nothing" in compiled.report
    same_exact_answer(model, compiled)
    found = Flat().estimate(Problem(compiled.graph), Options(), lambda _: None)
    np.testing.assert_allclose(
        compiled.full_beliefs(found.beliefs, found.joint),
        reference.marginals(model),
        rtol=0,
        atol=1e-12,
    )


def test_an_observed_leaf_couples_its_neighbours():
    model = Model((2, 2, 3), (((0, 2), conditional(2, 3)), ((1, 2), conditional(2, 3))))
    compiled = compile_graph(model.build(), ["v2"], [])
    assert [f.scope for f in compiled.graph.factors] == [(0, 1)]
    assert "summed out v2, which now couples v0, v1" in compiled.report
    same_exact_answer(model, compiled)


def test_equal_scopes_are_multiplied():
    table = np.random.default_rng(0).normal(size=(2, 3))
    model = Model((2, 3), (((0, 1), table), ((1, 0), table.T), ((0, 1), table)))
    compiled = compile_graph(model.build(), [], [])
    assert len(compiled.graph.factors) == 1
    # Two additions.
    np.testing.assert_allclose(compiled.graph.table_of(0), 3 * table, rtol=1e-14)
    assert "multiplied 2 factors into others of equal scope" in compiled.report


def test_smaller_scopes_are_absorbed_by_wider_ones():
    rng = np.random.default_rng(0)
    wide, narrow = rng.normal(size=(2, 3, 2)), rng.normal(size=(2, 2))
    model = Model((2, 3, 2), (((0, 1, 2), wide), ((2, 0), narrow)))
    compiled = compile_graph(model.build(), [], [])
    assert len(compiled.graph.factors) == 1
    np.testing.assert_allclose(compiled.graph.table_of(0), wide + narrow.T[:, None, :], rtol=1e-14)
    assert compiled.graph.is_forest()


def test_evidence_spreads_through_hard_zeros():
    links = tuple(((v, v + 1), logs(np.eye(3))) for v in range(3))
    model = Model((3,) * 4, (*links, ((0,), logs([0, 0, 0.5]))))
    compiled = compile_graph(model.build(), [], [])
    assert compiled.fixed == dict.fromkeys(names(0, 1, 2, 3), 2)
    assert compiled.graph.log_constant == np.log(0.5)


@pytest.mark.parametrize(
    "factors",
    [
        (((0,), logs([0, 0])),),
        (((0,), logs([1, 0])), ((0,), logs([0, 1]))),
        (((0, 1), logs(np.eye(2))), ((0,), logs([1, 0])), ((1,), logs([0, 1]))),
        (
            ((0, 1, 2), logs(np.eye(8)[0].reshape(2, 2, 2))),
            *(((v,), logs([0, 1])) for v in range(3)),
        ),
    ],
    ids=["no state", "two unaries", "a pair", "a triple"],
)
def test_contradictory_evidence_is_found(factors):
    compiled = compile_graph(Model((2, 2, 2), factors).build(), [], [])
    assert compiled.impossible in names(0, 1, 2)


def test_a_leaf_that_is_too_wide_stays():
    leaves = tuple(((v, 7), np.random.default_rng(v).normal(size=(4, 2))) for v in range(7))
    compiled = compile_graph(Model((4,) * 7 + (2,), leaves).build(), ["v7"], [])
    assert compiled.leaves == {}


def test_left_alone_a_graph_keeps_its_beliefs():
    model = random_loopy(3)
    compiled = leave_alone(model.build())
    expected = reference.marginals(model)
    np.testing.assert_array_equal(compiled.full_beliefs(expected, None), expected)


def test_the_beliefs_of_a_contradiction_are_nan_for_leaves_too():
    # The triangle 0-1-2 cannot be coloured with two colours; nothing shows before it is solved.
    differ = logs(1 - np.eye(2))
    model = Model(
        (2, 2, 2, 3),
        (*((edge, differ) for edge in ((0, 1), (1, 2), (2, 0))), ((0, 1, 3), conditional(2, 2, 3))),
    )
    compiled = compile_graph(model.build(), ["v3"], names(0, 1, 2))
    answer = solve(compiled.graph)
    assert answer.log_z == -np.inf
    assert np.isnan(compiled.full_beliefs(answer.marginals, answer.joint)).all()


def structured(seed, wide):
    """A noisy OR of ten parents (or three), a parity, couplings, leaves and some evidence."""
    rng = np.random.default_rng(seed)
    bits, parents = 14, 10 if wide else 3
    builder = GraphBuilder()
    for number in range(bits):
        builder.add_variable(f"v{number}", 2)
        seen = rng.random() < 0.2
        builder.add_factor([f"v{number}"], [0.0, 0.7] if seen else rng.gamma(1.0, size=2) + 0.1)
    drawn = [f"v{int(n)}" for n in rng.permutation(12)]
    builder.add(NoisyOr(drawn[-1], drawn[:parents], rng.random(parents), leak=0.2))
    builder.add(Parity(drawn[: parents - 1], (0.3, 1.0)))
    for pair in (("v0", "v1"), ("v1", "v0"), ("v2", "v12"), ("v3", "v13")):
        builder.add_factor(pair, rng.gamma(1.0, size=(2, 2)) + 0.1)
    return builder.build()


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("seed", range(examples(20)))
def test_structured_factors_stay_as_they_are_or_become_small_tables(seed, wide):
    graph = structured(seed, wide)
    compiled = compile_graph(graph, ["v12", "v13"], ["v4"])
    kinds = [type(family.content) for family in compiled.graph.families]
    # Evidence makes gates narrower, so that some wide ones become tables as well.
    assert wide or set(kinds) <= {DenseTables}
    wanted = solve(graph)
    if wanted.log_z == -np.inf:
        assert solve(compiled.graph).log_z == -np.inf
        return
    found = solve(compiled.graph)
    beliefs = compiled.full_beliefs(found.marginals, found.joint)
    # Products and sums of probabilities, in another order.
    np.testing.assert_allclose(beliefs, wanted.marginals, rtol=0, atol=1e-12)
    assert found.log_z == pytest.approx(wanted.log_z, abs=1e-11)
