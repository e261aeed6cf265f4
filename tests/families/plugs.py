"""A plugin with a factor family of its own, written into a folder and imported from there."""

import importlib
import sys

import numpy as np

from mpnet.builder import GraphBuilder

SOURCE = """
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mpnet.families import (
    ALIVE, FamilyKernels, FloatArray, OwnContent, Written, finish, frozen, kernel, larger, logs,
    logs_of, plus, register_family, times, to_log,
)
from mpnet.factors.base import need_binary

class PlugArrays(NamedTuple):
    first: int
    weights: FloatArray

@kernel
def send(
    semiring, graph, family, first, last, to_factor, old, out, damping, edge_residual
):
    status, worst = ALIVE, 0.0
    fresh = np.empty(4, dtype=out.dtype)
    for factor in range(first, last):
        base = graph.edge_states[graph.factor_edges[factor]]
        weight = family.weights[factor - family.first]
        for side in range(2):
            other = base + 2 * (1 - side)
            for state in range(2):
                agree = times(semiring, weight, to_factor[other + state])
                fresh[2 * side + state] = plus(semiring, agree, to_factor[other + 1 - state])
        change, dead = finish(semiring, graph, factor, fresh, old, out, damping, edge_residual)
        if dead and status == ALIVE:
            status = factor
        worst = larger(worst, change)
    return worst, status

@kernel
def log_partition(semiring, graph, family, first, last, to_factor):
    result = 0.0
    for factor in range(first, last):
        base = graph.edge_states[graph.factor_edges[factor]]
        weight = family.weights[factor - family.first]
        total = semiring.zero
        for one in range(2):
            for two in range(2):
                value = times(semiring, to_factor[base + one], to_factor[base + 2 + two])
                total = plus(semiring, total, times(semiring, value, weight) if one == two else value)
        result += to_log(semiring, total)
    return result

@kernel
def log_potential(semiring, graph, family, first, last, assignment):
    result = 0.0
    for factor in range(first, last):
        edge = graph.factor_edges[factor]
        if assignment[graph.edge_variable[edge]] == assignment[graph.edge_variable[edge + 1]]:
            result += to_log(semiring, family.weights[factor - family.first])
    return result

NAME = "{name}"
register_family(NAME, FamilyKernels(PlugArrays, send, log_partition, log_potential))

@dataclass(frozen=True, eq=False)
class Content(OwnContent):
    weights: FloatArray

    @property
    def kind(self):
        return NAME

    @property
    def shape(self):
        return 2, 2

    def table(self, number):
        return logs(np.array([[self.weights[number], 1.0], [1.0, self.weights[number]]]))

    def arrays(self, first, linear, dtype):
        values = self.weights if linear else logs_of(self.weights)
        return PlugArrays(first, frozen(values, dtype)), 0.0

@dataclass(frozen=True)
class Plug(Written):
    one: str
    two: str
    weight: float = 0.5

    @property
    def scope(self):
        return self.one, self.two

    def maker(self):
        def make(counts, label):
            need_binary(counts, label, "a plug")
            return Content(np.full(len(counts), self.weight))
        return make
"""


def imported(folder, monkeypatch, module="plug", name="plug", **changes):
    """The plugin as a module, with parts of its text exchanged."""
    text = SOURCE.replace("{name}", name)
    for old, new in changes.pop("exchange", {}).items():
        assert old in text
        text = text.replace(old, new)
    (folder / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(str(folder))
    sys.modules.pop(module, None)
    importlib.invalidate_caches()
    return importlib.import_module(module)


def ring(plug, count=4):
    """A loop of plugs with evidence, and the same of tables."""
    builders = [GraphBuilder(), GraphBuilder()]
    for builder in builders:
        for place in range(count):
            builder.add_variable(f"v{place}", 2)
            builder.add_factor([f"v{place}"], [1.0, 0.5 + place])
    for place in range(count):
        one, two, weight = f"v{place}", f"v{(place + 1) % count}", 0.3 + place
        builders[0].add(plug.Plug(one, two, weight))
        builders[1].add_factor([one, two], np.array([[weight, 1.0], [1.0, weight]]))
    return builders[0].build(), builders[1].build()
