"""Messages at and off fixed points, and content that can't be written out."""

from dataclasses import replace

import numpy as np

from mpnet.errors import TooLargeError
from mpnet.estimators.base import Options
from mpnet.estimators.loop import propagate
from mpnet.messages import Messages


class Unwritten:
    """Content of a family whose factors can't be written out."""

    def __init__(self, content):
        self.content = content

    def __getattr__(self, name):
        return getattr(self.content, name)

    def table(self, number):
        raise TooLargeError("too large")


def without_tables(graph, which=0):
    """The same graph, the factors of one family too large to be written out."""
    families = list(graph.families)
    families[which] = replace(families[which], content=Unwritten(families[which].content))
    return replace(graph, families=tuple(families))


def somewhere(graph, seed=0, sweeps=3, **how):
    """Messages after a few sweeps from random ones: at no fixed point, supports settled."""
    rng = np.random.default_rng(seed)
    start = rng.normal(size=int(graph.arrays.edge_states[-1]))
    messages = Messages(graph, start=start, **how)
    for _ in range(sweeps):
        messages.send_from_factors(0.5)
        messages.refresh()
    return messages


def settled(graph, damping=0.0, tolerance=1e-13, start=None):
    """Messages at a fixed point that damped flooding reaches."""
    messages = Messages(graph, start=start)
    options = Options(damping=damping, tolerance=tolerance, max_iterations=5000)
    assert propagate(messages, options).status == "converged"
    return messages


def near(graph, spread, seed=0):
    """Log messages near uniform ones."""
    rng = np.random.default_rng(seed)
    return spread * rng.normal(size=int(graph.arrays.edge_states[-1]))
