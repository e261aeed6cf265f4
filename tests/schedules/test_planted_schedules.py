"""The check of schedules, tested: one with a planted bug must be told from an honest one."""

import numpy as np
import pytest

from mpnet.schedules import make_schedule
from mpnet.schedules.base import Settings, Sweep
from mpnet.schedules.flooding import Flooding
from tests.graphs import chain, gentle_loopy, grid
from tests.schedules.runs import NAMES, assert_truly_settled

MODELS = [grid(4, 4, 0.3, field=0.2), chain(8, 0.4, field=0.2), gentle_loopy(2)]


class Lying:
    """Never moves and says that it has settled."""

    def sweep(self, messages, damping):
        return Sweep(0.0, -1, messages.refresh())


class NeverAskedAgain:
    """Residual propagation that does not compute again what a move has touched."""

    def sweep(self, messages, damping):
        candidate = np.empty_like(messages.to_variable)
        priority = np.empty(messages.edge_residual.size)
        messages.ask_factors(damping, candidate, priority)
        starts = messages.graph.arrays.edge_states
        while priority.max() > 1e-9:
            edge = int(np.argmax(priority))
            where = slice(starts[edge], starts[edge + 1])
            messages.to_variable[where] = candidate[where]
            priority[edge] = 0.0
        return Sweep(float(priority.max()), -1, messages.refresh())


class Smallest:
    """Sweeps honestly, but reports the smallest residual where the largest is due."""

    def sweep(self, messages, damping):
        Flooding().sweep(messages, damping)
        return Sweep(float(messages.edge_residual.min()))


class MeasuredAfterDamping:
    """Measures the damped step, which much damping makes small."""

    def sweep(self, messages, damping):
        before = messages.log_messages()
        for _ in range(5):
            before = messages.log_messages()
            sweep = Flooding().sweep(messages, 0.99)
        moved = np.abs(messages.log_messages() - before).max()
        return Sweep(float(moved) ** 2, sweep.dead_factor, sweep.dead_variable)


class OneVariableLess:
    """Never lets the last variable hear anything."""

    def sweep(self, messages, damping):
        before = messages.to_variable.copy()
        sweep = Flooding().sweep(messages, damping)
        arrays = messages.graph.arrays
        last = arrays.edge_variable == arrays.edge_variable.max()
        deaf = np.repeat(last, np.diff(arrays.edge_states))
        messages.to_variable[deaf] = before[deaf]
        messages.refresh()
        return Sweep(float(messages.edge_residual[~last].max()), -1, sweep.dead_variable)


def told(model, schedule):
    try:
        assert_truly_settled(model, schedule=schedule)
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize(
    "bug", [Lying, NeverAskedAgain, Smallest, MeasuredAfterDamping, OneVariableLess]
)
def test_a_planted_bug_is_told_on_at_least_two_graphs(bug):
    assert sum(told(model, bug()) for model in MODELS) >= 2


@pytest.mark.parametrize("name", NAMES)
def test_honest_schedules_pass_on_the_same_graphs(name):
    settings = Settings(tolerance=1e-9)
    assert not any(told(model, make_schedule(name, settings)) for model in MODELS)
