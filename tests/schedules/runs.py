"""Runs by one schedule, and the check that a run that calls itself settled is."""

from mpnet.estimators.base import Options
from mpnet.estimators.loop import propagate
from mpnet.messages import Messages
from mpnet.schedules.flooding import Flooding

NAMES = ("flooding", "sequential", "random", "tree", "residual")


def run(model, name="flooding", schedule=None, **options):
    """Propagate until settled: (messages, outcome)."""
    settings = {"tolerance": 1e-11, "max_iterations": 3000, "damping": 0.0, **options}
    messages = Messages(model.build())
    outcome = propagate(messages, Options(schedule=name, **settings), schedule=schedule)
    return messages, outcome


def assert_truly_settled(model, name="flooding", schedule=None, damping=0.0):
    """Fail unless a run converges, and an honest sweep from there finds nothing to move.

    A schedule that measures each message when its turn comes may find later ones to move it by
    a little more: each hears a few others, so ten times the tolerance is plenty.
    """
    messages, outcome = run(model, name, schedule, tolerance=1e-9, damping=damping)
    assert outcome.status == "converged", outcome.reason
    judge = Messages(messages.graph, start=messages.log_messages())
    assert Flooding().sweep(judge, 0.0).residual <= 1e-8
