"""What a sleeping model promises against what it has, by holding it at both states."""

import numpy as np
import pytest

from mpnet.lifecycle.scoring import Scores, gain_of, promising, score
from tests.graphs import examples
from tests.lifecycle.societies import (
    LOOPY,
    answers,
    log_odds,
    populated,
    random_text,
    scenario,
    settle,
    whole,
)


def exact(text, name, asleep, seen=None):
    """Log-odds of one model where some others sleep."""
    return log_odds(whole(scenario(text), seen, set(asleep) - {name}), name)


@pytest.mark.parametrize(
    "asleep", [["m0"], ["m4"], ["m1", "m2", "m3"], [f"m{i}" for i in range(5)]]
)
@pytest.mark.parametrize("seed", range(examples(10)))
def test_scores_are_exact_on_trees(seed, asleep):
    """Predictions of features and of models, awake or asleep, and being predicted."""
    text = random_text(seed, tree=True)
    population = populated(text, asleep)
    settle(population)
    for name in asleep:
        assert score(population, name) == pytest.approx(exact(text, name, asleep), abs=1e-8)


EXPLAINED = """
nodes:
  alarm: {type: feature, base_rates: {"yes": 0.05}}
  smoke: {type: feature}
  fire: {type: model, prior: 0.1, explains: {alarm: 0.9}, predicts: {smoke: {"yes": 0.8}}}
  test: {type: model, prior: 0.2, explains: {alarm: 0.7}}
  sure: {type: model, prior: 0.1, explains: {alarm: 1.0}}
  news: {type: model, prior: 0.2, explains: {fire: 0.6, call: 0.9}}
  call: {type: model, prior: 0.1}
evidence: {alarm: {"yes": 0.9, "no": 0.2}, smoke: "yes"}
"""


@pytest.mark.parametrize(
    "asleep",
    [
        ["fire"],
        ["sure"],
        ["fire", "test", "sure"],
        ["news"],
        ["call", "news"],
        ["call"],
        ["fire", "news", "call"],
    ],
)
@pytest.mark.parametrize("seen", [{}, {"alarm": "yes"}, {"alarm": "no"}])
def test_scores_of_explanations_and_of_what_is_explained_are_exact(asleep, seen):
    population = populated(EXPLAINED, asleep)
    found = scenario(EXPLAINED)
    both = {**found.seen, **found.society.observe(seen)}
    population.see_all(found.society.likelihoods(both))
    settle(population)
    for name in asleep:
        expected = exact(EXPLAINED, name, asleep, both)
        assert score(population, name) == pytest.approx(expected, abs=1e-8)


RIVALS = """
nodes:
  x: {type: feature}
  y: {type: feature}
  a: {type: model, prior: 0.3, predicts: {x: {"yes": 0.9}}}
  b: {type: model, prior: 0.2, predicts: {y: {"no": 0.9}}}
  c: {type: model, prior: 0.1}
  who: {type: choice, among: [a, b, c], rule: RULE}
evidence: {x: "yes", y: {"no": 0.7}}
"""


@pytest.mark.parametrize("rule", ["at_most_one", "winner_takes_all, strength: 1.5", "threshold"])
@pytest.mark.parametrize("asleep", [["a"], ["b", "c"], ["a", "b", "c"]])
def test_scores_know_the_rules(rule, asleep):
    text = RIVALS.replace("RULE", rule)
    population = populated(text, asleep)
    settle(population)
    for name in asleep:
        assert score(population, name) == pytest.approx(exact(text, name, asleep), abs=1e-8)


def test_what_is_impossible_is_never_promising():
    text = """
    nodes:
      x: {type: feature}
      a: {type: model, predicts: {x: {"yes": 1.0}}}
      b: {type: model, predicts: {x: {"no": 1.0}}}
    evidence: {x: "yes"}
    """
    population = populated(text, ["b"])
    settle(population)
    scores = Scores(population)
    scores.refresh()
    assert scores.log_odds == {"b": -np.inf}
    assert scores.bound() == 0.0
    assert list(promising(scores, 0.0)) == []


def test_gains_are_what_log_z_rises_by():
    population = populated(asleep=["leaf"])
    exact_log_z = [answers(whole(scenario(), inactive=names))[0] for names in (["leaf"], [])]
    odds = log_odds(whole(scenario()), "leaf")
    assert gain_of(odds) == pytest.approx(exact_log_z[1] - exact_log_z[0], abs=1e-9)
    assert gain_of(-np.inf) == 0.0
    assert population.is_awake("apple")


@pytest.mark.parametrize("seed", range(examples(10)))
def test_scores_that_were_kept_up_are_those_made_afresh(seed):
    rng = np.random.default_rng(seed)
    population = populated(LOOPY, ["apple", "jar", "test"])
    scores = Scores(population)
    states = {"colour": 3, "shape": 2, "alarm": 2}
    for _ in range(30):
        name = str(rng.choice(["apple", "leaf", "jar", "kitchen", "fire", "test"]))
        kind = rng.choice(["turn", "see", "do", "undo", "unsee", "told"])
        if kind == "turn":
            (population.sleep if population.is_awake(name) else population.wake)(name)
        elif kind == "do" and population.is_awake(name):
            population.do(name, int(rng.integers(2)))
        elif kind == "undo":
            for done in list(population.done):
                population.do(done, None)
        elif kind == "told":
            population.see(name, rng.normal(size=2))
        else:
            feature = str(rng.choice(list(states)))
            logs = None if kind == "unsee" else rng.normal(size=states[feature])
            population.see(feature, logs)
        if population.graph.settle(1e-12, 3000).status != "converged":
            pytest.fail("this society always settles")
        scores.refresh()
        assert scores.log_odds.keys() == population.asleep.keys()
        for sleeper, found in scores.log_odds.items():
            # A belief that moved by less than 1e-9 is not looked at again.
            assert found == pytest.approx(score(population, sleeper), abs=1e-6)


def test_only_those_at_a_touched_node_are_scored():
    models = "\n".join(
        f"  m{i}: {{type: model, predicts: {{f{i // 10}: {{'yes': 0.9}}}}}}" for i in range(100)
    )
    features = "\n".join(f"  f{i}: {{type: feature}}" for i in range(10))
    text = f"nodes:\n{features}\n{models}\n"
    population = populated(text, [f"m{i}" for i in range(100)])
    settle(population)
    scores = Scores(population)
    scores.refresh()
    assert scores.scored == 100
    population.see("f3", np.array([0.0, -1.0]))
    settle(population)
    scores.refresh()
    assert scores.scored == 110
    scores.refresh()
    assert scores.scored == 110
    population.wake("m70")
    settle(population)
    scores.refresh()
    assert scores.scored == 119
    population.remove("m71")
    population.sleep("m70")
    settle(population)
    scores.refresh()
    assert scores.scored <= 119 + 9
    assert "m71" not in scores.log_odds


def joint(graph):
    """Probabilities of all joint states."""
    logs = np.zeros([len(v.states) for v in graph.variables])
    for number in range(logs.ndim):
        shape = [1] * logs.ndim
        shape[number] = -1
        logs = logs + graph.unary_of(number).reshape(shape)
    for number, factor in enumerate(graph.factors):
        order = np.argsort(factor.scope)
        table = graph.table_of(number).transpose(order)
        shape = np.ones(logs.ndim, dtype=int)
        shape[np.sort(factor.scope)] = table.shape
        logs = logs + table.reshape(shape)
    odds = np.exp(logs - logs.max())
    return odds / odds.sum()


@pytest.mark.parametrize("seed", range(examples(20)))
def test_no_posterior_is_further_off_than_the_sum_of_the_sleepers_probabilities(seed):
    text = random_text(seed)
    rng = np.random.default_rng(seed)
    asleep = [f"m{i}" for i in range(5) if rng.random() < 0.5]
    full = whole(scenario(text))
    bound = sum(answers(full)[1][name][1] for name in asleep)
    distance = 0.5 * np.abs(joint(full) - joint(whole(scenario(text), inactive=asleep))).sum()
    assert distance <= bound + 1e-12


@pytest.mark.parametrize("seed", range(examples(5)))
def test_the_bound_is_exact_where_one_sleeps_on_a_tree(seed):
    text = random_text(seed, tree=True)
    population = populated(text, ["m2"])
    settle(population)
    scores = Scores(population)
    scores.refresh()
    expected = answers(whole(scenario(text)))[1]["m2"][1]
    assert scores.bound() == pytest.approx(expected, abs=1e-9)
