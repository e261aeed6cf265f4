"""Small random societies, and exact answers about who is awake."""

import itertools
from dataclasses import replace

import numpy as np

from mpnet.estimators.exact import solve
from mpnet.lifecycle.population import Population
from tests.nodes.societies import load

LOOPY = """
nodes:
  colour: {type: feature, states: [red, green, blue], base_rates: [0.5, 0.3, 0.2]}
  shape: {type: feature, states: [round, square]}
  alarm: {type: feature, base_rates: {"yes": 0.05}}
  apple: {type: model, prior: 0.2, predicts: {colour: {red: 0.8}, shape: {round: 0.9}}}
  leaf: {type: model, prior: 0.3, predicts: {colour: {green: 0.9}}}
  jar: {type: model, prior: 0.1, predicts: {shape: {square: 0.8}, colour: {blue: 0.6}}}
  kitchen: {type: model, prior: 0.2, predicts: {apple: {will: 0.6}, jar: {will: 0.5}}}
  fire: {type: model, prior: 0.1, explains: {alarm: 0.9}}
  test: {type: model, prior: 0.2, explains: {alarm: 0.7}}
  who: {type: choice, among: [apple, leaf], rule: at_most_one}
  crowd: {type: choice, among: [jar, kitchen, fire, test], rule: winner_takes_all, strength: 0.7}
evidence: {colour: {red: 0.7, green: 0.2, blue: 0.1}, alarm: "yes"}
"""
"""Predictions of features and models, explanations, hard and soft rules."""


def scenario(text=LOOPY):
    return load(text)


def populated(text=LOOPY, asleep=(), absent=(), evidence=True):
    found = scenario(text)
    population = Population(found.society, asleep, absent)
    if evidence:
        population.see_all(found.society.likelihoods(found.seen))
    return population


def settle(population):
    ended = population.graph.settle(1e-12, 5000)
    assert ended.status == "converged"
    return ended


def whole(found, seen=None, inactive=()):
    """The whole society's graph, some of whose models can't be active."""
    society = found.society
    graph = society.assemble(found.seen if seen is None else seen)
    held = {graph.index[name]: np.array([0.0, -np.inf]) for name in inactive}
    return with_unaries(graph, held)


def with_unaries(graph, more):
    """A graph with more log unary potentials, by variable."""
    unary = graph.unary.copy()
    for variable, logs in more.items():
        unary[graph.states_of(variable)] += logs
    return replace(graph, unary=unary)


def answers(graph):
    """Exact log Z, and marginals by name."""
    found = solve(graph, 2**22, junction=False)
    return found.log_z, {
        variable.name: found.marginals[graph.states_of(number)]
        for number, variable in enumerate(graph.variables)
    }


def same(found, expected):
    """Log Z and all marginals that both have are equal."""
    np.testing.assert_allclose(found[0], expected[0], atol=1e-9)
    for name in found[1].keys() & expected[1].keys():
        np.testing.assert_allclose(found[1][name], expected[1][name], atol=1e-9, err_msg=name)


def log_odds(graph, name):
    """Exact, by holding the model at both states."""
    number = graph.index[name]
    held = [
        answers(with_unaries(graph, {number: np.where(np.arange(2) == s, 0.0, -np.inf)}))[0]
        for s in (1, 0)
    ]
    with np.errstate(invalid="ignore"):
        return held[0] - held[1]


def random_text(seed, tree=False):
    """Models and features drawn at random; with ``tree``, nobody shares more than one neighbour."""
    rng = np.random.default_rng(seed)
    features = [f"f{i}" for i in range(5)]
    lines = ["nodes:"]
    lines += [
        f"  {f}: {{type: feature, base_rates: {{'yes': {rng.uniform(0.1, 0.9):.3f}}}}}"
        for f in features
    ]
    parts = {name: name for name in features}

    def root(name):
        return name if parts[name] == name else root(parts[name])

    for number in range(5):
        name = f"m{number}"
        parts[name] = name
        targets, count = [], rng.integers(1, 4)
        for target in rng.permutation([*features, *(f"m{i}" for i in range(number))]).tolist():
            if len(targets) < count and not (tree and root(target) == root(name)):
                parts[root(target)] = root(name)
                targets.append(target)
        said = ", ".join(
            f"{t}: {{{'yes' if t[0] == 'f' else 'active'}: {rng.uniform(0.05, 0.95):.3f}}}"
            for t in targets
        )
        lines.append(
            f"  {name}: {{type: model, prior: {rng.uniform(0.05, 0.5):.3f}, predicts: {{{said}}}}}"
        )
    seen = ", ".join(
        f"{f}: {{'yes': {rng.uniform(0.1, 1):.3f}, 'no': {rng.uniform(0.1, 1):.3f}}}"
        for f in features[:4]
    )
    return "\n".join([*lines, f"evidence: {{{seen}}}"]) + "\n"


def subsets(names):
    return itertools.chain.from_iterable(
        itertools.combinations(names, count) for count in range(len(names) + 1)
    )
