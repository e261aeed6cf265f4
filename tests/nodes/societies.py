"""Small societies from a few lines, their faults in words, and answers by brute force."""

import itertools
import math
from textwrap import dedent

import numpy as np
import pytest

from mpnet.errors import ScenarioError
from mpnet.scenario.document import read_document
from mpnet.simulation.loading import check_scenario


def load(text, plugins=()):
    """Check a scenario of which the first two lines are left out."""
    whole = f"mpnet: 1\nname: s\n{dedent(text)}"
    return check_scenario(read_document("s.yaml", whole.encode()), plugins)


def faults(text, plugins=()):
    """What is wrong with a scenario: ``place: what; hint`` per fault, in order of place."""
    with pytest.raises(ScenarioError, match="nothing was run") as caught:
        load(text, plugins)
    return [f"{f.place}: {f.what}" + (f"; {f.hint}" if f.hint else "") for f in caught.value.faults]


def enumerated(graph):
    """Log partition sum in nats, and marginals by name: one addition per joint state."""
    totals = [np.zeros(len(v.states)) for v in graph.variables]
    whole = 0.0
    for states in itertools.product(*(range(len(v.states)) for v in graph.variables)):
        score = graph.log_constant
        score += sum(graph.unary_of(v)[s] for v, s in enumerate(states))
        for number, factor in enumerate(graph.factors):
            score += graph.table_of(number)[tuple(states[v] for v in factor.scope)]
        weight = math.exp(score)
        whole += weight
        for variable, state in enumerate(states):
            totals[variable][state] += weight
    if whole == 0.0:
        return -math.inf, {}
    names = [v.name for v in graph.variables]
    return math.log(whole), {n: t / whole for n, t in zip(names, totals, strict=True)}


def exact(scenario, **evidence):
    """Log partition sum and marginals of a society at some evidence."""
    seen = scenario.society.observe(evidence) if evidence else scenario.seen
    return enumerated(scenario.society.assemble(seen))


def log_odds(belief):
    return float(np.log(belief[1]) - np.log(belief[0]))
