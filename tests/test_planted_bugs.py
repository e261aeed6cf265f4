"""The comparison of engine and twin, tested: a twin with a planted bug must be told apart."""

import pytest

from tests import reference
from tests.graphs import assert_same_run, cycle, random_loopy


class Transposed(reference.Lbp):
    """Reads square tables by column."""

    def table(self, factor):
        table = super().table(factor)
        return table.T.copy() if len(set(table.shape)) == 1 else table


class Echo(reference.Lbp):
    """Sends a factor's own message back to it."""

    def to_factor(self, variable, factor):
        return reference.scaled(self.variable_sum(variable))


class StaleResidual(reference.Lbp):
    """Measures the residual after the messages have moved."""

    def sweep(self):
        proposed = self.propose()
        self.messages = self.accepted(proposed)
        return self.residual(self.messages, proposed)


class NanDropped(reference.Lbp):
    """Takes the largest change by comparing, which skips NaN."""

    def residual(self, old, new):
        worst = 0.0
        for edge in old:
            for a, b in zip(old[edge], new[edge], strict=True):
                if a != b and abs(a - b) > worst:
                    worst = abs(a - b)
        return worst


class Unscaled(reference.Lbp):
    """Leaves messages as large as they come."""

    def accepted(self, proposed):
        return {e: message - 1.0 for e, message in super().accepted(proposed).items()}


class HalfStale(reference.Lbp):
    """Reads messages that this sweep has already changed."""

    def sweep(self):
        old = dict(self.messages)
        for edge, message in old.items():
            proposed = self.to_variable(*edge)
            self.messages[edge] = reference.damped(message, proposed, self.damping)
        return self.residual(old, self.messages)


class DegreeOff(reference.Lbp):
    """Counts d factors where d - 1 is due."""

    def count(self, variable):
        return super().count(variable) + 1


class DampedResidual(reference.Lbp):
    """Measures the damped step, which damping makes small."""

    def sweep(self):
        old = dict(self.messages)
        super().sweep()
        return self.residual(old, self.messages)


BUGS = [Transposed, Echo, StaleResidual, Unscaled, HalfStale, DegreeOff]


def told_apart(model, twin, **how):
    try:
        assert_same_run(model, twin=twin, **how)
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_told_apart_on_at_least_two_graphs(bug):
    assert sum(told_apart(random_loopy(seed), bug) for seed in range(20)) >= 2


def test_a_damped_residual_is_told_apart():
    assert sum(told_apart(random_loopy(s), DampedResidual, damping=0.3) for s in range(20)) >= 2


def test_a_dropped_nan_is_told_apart():
    for model in (cycle(4, 0.5), cycle(5, 1.0)):
        assert told_apart(model, NanDropped, nan_before=1)


def test_a_planted_nan_makes_both_residuals_nan():
    assert_same_run(cycle(4, 0.5), nan_before=1)


def test_the_twin_without_a_bug_passes_on_the_same_graphs():
    assert not any(told_apart(random_loopy(seed), reference.Lbp) for seed in range(20))
