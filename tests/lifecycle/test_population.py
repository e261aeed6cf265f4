"""A society of which some sleep against the whole one in which they can't be active."""

import numpy as np
import pytest

from mpnet.errors import GraphError
from mpnet.estimators.exact import solve
from mpnet.lifecycle.composing import _with
from mpnet.lifecycle.population import Population
from tests.graphs import examples
from tests.lifecycle.societies import (
    LOOPY,
    answers,
    populated,
    random_text,
    same,
    scenario,
    settle,
    subsets,
    whole,
    with_unaries,
)

MODELS = ["apple", "leaf", "jar", "kitchen", "fire", "test"]


@pytest.mark.parametrize("asleep", list(subsets(MODELS))[:: 1 if examples(10) == 10 else 7])
def test_sleepers_are_inactive_and_nothing_else(asleep):
    population = populated(asleep=asleep)
    expected = answers(whole(scenario(), inactive=asleep))
    same(answers(population.as_graph()), expected)
    for name in asleep:
        assert not population.is_awake(name)
        np.testing.assert_allclose(population.belief(name), expected[1][name], atol=1e-12)


def test_bethe_of_those_awake_is_that_of_their_graph():
    population = populated(asleep=["apple", "leaf", "kitchen", "fire"])
    settle(population)
    same(
        (population.graph.log_z(), {n: population.belief(n) for n in population.present}),
        answers(population.as_graph()),  # only jar and test are left: a tree
    )


@pytest.mark.parametrize("seed", range(examples(10)))
def test_whoever_sleeps_and_wakes_in_any_order_leaves_what_was(seed):
    rng = np.random.default_rng(seed)
    population = populated()
    for _ in range(25):
        name = str(rng.choice(MODELS))
        change = population.sleep if population.is_awake(name) else population.wake
        change(name)
        if rng.random() < 0.3:
            population.graph.settle(1e-9, 500)
    same(answers(population.as_graph()), answers(whole(scenario(), inactive=population.asleep)))
    for name in list(population.asleep):
        population.wake(name)
    same(answers(population.as_graph()), answers(whole(scenario())))
    sizes = population.graph.sizes
    assert sizes == populated().graph.sizes


@pytest.mark.parametrize("asleep", [(), ("apple",), ("kitchen", "fire"), tuple(MODELS)])
def test_evidence_comes_and_goes_asleep_or_awake(asleep):
    found = scenario()
    population = populated(asleep=asleep)
    seen = found.society.observe({"shape": "square", "apple": {"active": 0.3, "inactive": 0.9}})
    both = {**found.seen, **seen}
    population.see_all(found.society.likelihoods(both))
    same(answers(population.as_graph()), answers(whole(found, both, asleep)))
    population.see("colour", None)
    population.see("apple", None)
    del both["colour"], both["apple"]
    same(answers(population.as_graph()), answers(whole(found, both, asleep)))
    population.see_all({})
    same(answers(population.as_graph()), answers(whole(found, {}, asleep)))


def cut(text, target):
    """The same society in which nobody says anything about a node."""
    return text.replace(f"{target}: {{will: 0.6}}, ", "").replace(f", {target}: {{will: 0.5}}", "")


@pytest.mark.parametrize("asleep", [(), ("apple", "test"), ("kitchen",)])
@pytest.mark.parametrize(("name", "state"), [("apple", 1), ("apple", 0), ("jar", 1)])
def test_do_cuts_prior_and_predictions_off(name, state, asleep):
    population = populated(asleep=asleep)
    population.do(name, state)
    rest = set(asleep) - {name}
    assert population.is_awake(name)
    other = scenario(cut(LOOPY, name))
    graph = whole(other, inactive=rest)
    prior = other.society.nodes[name].unary(other.society)
    held = np.where(np.arange(2) == state, 0.0, -np.inf) - prior
    graph = with_unaries(graph, {graph.index[name]: held})
    same(answers(population.as_graph()), answers(graph))
    population.do(name, None)
    same(answers(population.as_graph()), answers(whole(scenario(), inactive=rest)))


def test_do_on_a_token_cuts_its_explanations():
    population = populated(evidence=False)
    before = population.graph.sizes
    population.do("alarm", 1)
    found = answers(population.as_graph())[1]
    free = populated(asleep=[], absent=["alarm"], evidence=False)
    np.testing.assert_allclose(found["fire"], answers(free.as_graph())[1]["fire"], atol=1e-12)
    population.do("alarm", None)
    assert population.graph.sizes == before


SMALL = """
nodes:
  alarm: {type: feature, base_rates: {"yes": 0.05}}
  smoke: {type: feature}
  fire: {type: model, prior: 0.1, explains: {alarm: 0.9}, predicts: {smoke: {"yes": 0.8}}}
  test: {type: model, prior: 0.2, explains: {alarm: 0.7}}
  dust: {type: model, prior: 0.2, predicts: {smoke: {"yes": 0.7}}}
  arson: {type: model, prior: 0.1, predicts: {fire: {will: 0.7}}}
evidence: {alarm: "yes", smoke: {"yes": 0.8, "no": 0.3}}
"""


def less(*names):
    """The society written without some nodes."""
    lines = [line for line in SMALL.splitlines() if line.split(":")[0].strip() not in names]
    text = "\n".join(lines) + "\n"
    for name, said in (
        ("alarm", "explains: {alarm: 0.9}, "),
        ("fire", ", predicts: {fire: {will: 0.7}}"),
    ):
        text = text.replace(said, "") if name in names else text
    if "alarm" in names:
        text = text.replace(", explains: {alarm: 0.7}", "").replace('alarm: "yes", ', "")
    return text


@pytest.mark.parametrize(
    "names", [("test",), ("fire",), ("fire", "test"), ("arson", "dust"), ("alarm",)]
)
@pytest.mark.parametrize("asleep", [(), ("fire",), ("arson",)])
def test_the_absent_are_as_if_never_written(names, asleep):
    kept = [name for name in asleep if name not in names]
    expected = answers(whole(scenario(less(*names)), inactive=kept))
    absent = Population(scenario(SMALL).society, asleep, names)
    left = populated(SMALL, asleep)
    late = [name for name in scenario(SMALL).society.nodes if name in names]
    for name in late:
        left.remove(name)
    seen = scenario(less(*names))
    for population in (absent, left):
        population.see_all(seen.society.likelihoods(seen.seen))
        same(answers(population.as_graph()), expected)
    absent.add(late)
    absent.see_all(scenario(SMALL).society.likelihoods(scenario(SMALL).seen))
    same(answers(absent.as_graph()), answers(whole(scenario(SMALL), inactive=kept)))


def test_a_choice_goes_on_without_a_rival_and_goes_itself():
    text = """
    nodes:
      x: {type: feature}
      a: {type: model, prior: 0.3, predicts: {x: {"yes": 0.9}}}
      b: {type: model, prior: 0.2, predicts: {x: {"no": 0.9}}}
      c: {type: model, prior: 0.2}
      who: {type: choice, among: [a, b]}
      soft: {type: choice, among: [a, c], rule: winner_takes_all}
    """
    population = populated(text)
    population.remove("b")
    found = answers(population.as_graph())[1]
    np.testing.assert_allclose(found["who"], [1.0, 0.0], atol=1e-12)
    population.remove("who")
    population.remove("soft")
    assert answers(population.as_graph())[1]["a"][1] == pytest.approx(0.3)
    later = populated(text, absent=["who", "soft"])
    assert answers(later.as_graph())[1]["c"][1] == pytest.approx(0.2)
    later.add(["who", "soft"])
    same(answers(later.as_graph()), answers(whole(scenario(text))))


def test_a_choice_of_which_all_sleep_is_impossible_until_one_wakes():
    text = """
    nodes:
      a: {type: model}
      b: {type: model}
      none_of_them: {type: model}
      who: {type: choice, among: [a], otherwise: none_of_them, rule: winner_takes_all}
    """
    population = populated(text, asleep=["a", "b", "none_of_them"])
    assert population.graph.settle(1e-9, 10).status == "inconsistent"
    population.wake("none_of_them")
    settle(population)
    assert population.active("none_of_them") == 1.0
    assert np.isfinite(population.graph.log_z())


def test_a_model_that_joins_asleep_changes_nothing_and_can_be_forgotten():
    population = populated(asleep=["fire"])
    before = answers(population.as_graph())
    prior = 1.0 / (1.0 + 15)
    society = _with(population.society, "apple+jar", ("apple", "jar"))
    population.extend(society, "apple+jar")
    asleep = answers(population.as_graph())
    assert asleep[0] == pytest.approx(before[0] + np.log1p(-prior), abs=1e-9)
    population.wake("apple+jar")
    same(answers(population.as_graph()), answers(whole_of(society, ["fire"])))
    population.sleep("apple+jar")
    population.forget("apple+jar")
    same(answers(population.as_graph()), before)
    assert "apple+jar" not in population.society.nodes
    assert not any(
        "apple+jar" in piece.scope for pieces in population.at.values() for piece in pieces
    )


def whole_of(society, inactive):
    graph = society.assemble(scenario().seen)
    return with_unaries(graph, {graph.index[name]: np.array([0.0, -np.inf]) for name in inactive})


@pytest.mark.parametrize("seed", range(examples(5)))
def test_held_says_what_it_costs_and_leaves_no_trace(seed):
    population = populated(random_text(seed, tree=True))
    settle(population)
    log_z, belief = population.graph.log_z(), population.belief("m1")
    logs = []
    for state in (0, 1):
        with population.held("m1", state):
            settle(population)
            logs.append(population.graph.log_z())
        assert population.graph.log_z() == log_z
        assert (population.belief("m1") == belief).all()
    assert np.logaddexp(*logs) == pytest.approx(log_z, abs=1e-9)
    assert logs[1] - log_z == pytest.approx(np.log(belief[1]), abs=1e-9)


@pytest.mark.parametrize("seed", range(examples(5)))
def test_beliefs_without_a_piece_are_those_of_a_graph_without_it(seed):
    text = random_text(seed, tree=True)
    population = populated(text, asleep=["m0", "m3"])
    settle(population)
    for name in population.present:
        for piece in population.at[name]:
            other = populated(text, asleep=["m0", "m3"])
            other._take_away([each for each in other.at[name] if each.name == piece.name])
            expected = answers(other.as_graph())[1][name]
            np.testing.assert_allclose(population.belief_without(name, piece), expected, atol=1e-9)


def test_hidden_variables_have_names_of_their_own():
    models = "\n".join(f"  a{i}: {{type: model, explains: {{t: 0.1, u: 0.2}}}}" for i in range(10))
    text = f"nodes:\n  t: {{type: feature}}\n  u: {{type: feature}}\n{models}\nevidence: {{t: 'yes'}}\n"
    population = populated(text)
    graph = population.as_graph()
    names = [variable.name for variable in graph.variables]
    assert len(set(names)) == len(names) > 12
    found, expected = solve(graph), solve(whole(scenario(text)))
    assert found.log_z == pytest.approx(expected.log_z, abs=1e-9)


def test_variables_of_pieces_can_not_be_taken_from_under_them():
    population = populated()
    with pytest.raises(GraphError, match="still in a factor"):
        population.graph.remove_variable(population.variable["apple"])


def test_setting_a_step_says_nothing_about_the_step_before():
    text = """
    nodes:
      x: {type: feature, states: [none, a, b]}
      walk:
        type: sequence
        phases: [{name: first, predicts: {x: {a: 0.9}}}, {name: second, predicts: {x: {b: 0.9}}}]
    stream: {x: [a, null, null]}
    """
    population = populated(text)
    before = answers(population.as_graph())[1]
    states = population.society.domains["walk@2"]
    population.do("walk@2", states.index("first"))
    after = answers(population.as_graph())[1]
    np.testing.assert_allclose(after["walk@1"], before["walk@1"], atol=1e-12)
    assert after["walk@3"][states.index("second")] > 1.5 * before["walk@3"][states.index("second")]
