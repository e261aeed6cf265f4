"""How fast steps are beside the built-in kernels nearest to them: python speed.py [states ...]

Factors on a grid of variables answer what these say, in one thread; the best of several rounds
counts (time of the processor, the three taking turns). Steps do what Potts factors do not (distances) in as much time for
a state; tables can do the same, in a time that grows with the square of the states.
"""

import sys
import time

import numpy as np
from mpnet_steps import Steps

from mpnet.factors import Potts
from mpnet.graph import FactorGraph
from mpnet.messages import Messages

ENTRIES = 400_000
"""States of all messages in a row, about."""
ROUNDS = 60
SECONDS = 0.01
"""Least time of a round."""


def grid(states):
    """Scopes of a square grid whose messages have so many states in all, and its size."""
    side = max(3, int((ENTRIES / (4 * states)) ** 0.5))
    cells = np.arange(side * side).reshape(side, side)
    across = np.stack([cells[:, :-1].ravel(), cells[:, 1:].ravel()], axis=1)
    along = np.stack([cells[:-1].ravel(), cells[1:].ravel()], axis=1)
    return np.concatenate([across, along]), side * side


def prepared(states, what):
    """A run on the grid, in linear space, far from uniform messages."""
    scopes, count = grid(states)
    unary = np.random.default_rng(0).uniform(0.2, 1.0, size=count * states)
    graph = FactorGraph.from_arrays([states] * count, [(scopes, what)], unary)
    messages = Messages(graph, edge_residuals=False)
    for _ in range(2):
        messages.send_from_factors(0.0)
        messages.refresh()
    assert messages.linear
    return messages


def seconds(messages, repeats):
    """Time of one sweep over all factors."""
    started = time.thread_time()
    for _ in range(repeats):
        messages.send_from_factors(0.0)
    return (time.thread_time() - started) / repeats


def compare(states):
    """Millions of messages per second, by kind of factor."""
    apart = np.abs(np.subtract.outer(np.arange(states), np.arange(states)))
    runs = {
        "steps": prepared(states, Steps.batch(0.6, 0.6)),
        "potts": prepared(states, Potts.batch(np.full(len(grid(states)[0]), 1.5))),
        "table": prepared(states, 0.6**apart),
    }
    repeats = {name: 1 + int(SECONDS / seconds(run, 2)) for name, run in runs.items()}
    best = dict.fromkeys(runs, np.inf)
    for _ in range(ROUNDS):
        for name, run in runs.items():
            best[name] = min(best[name], seconds(run, repeats[name]))
    return {
        name: run.graph.arrays.edge_variable.size / best[name] / 1e6 for name, run in runs.items()
    }


def main():
    """Print one line for each number of states."""
    print("states   steps   potts   table   steps/potts   steps/table")
    for states in [int(word) for word in sys.argv[1:]] or [4, 8, 16, 32, 64]:
        speed = compare(states)
        steps, potts, table = (speed[name] for name in ("steps", "potts", "table"))
        print(
            f"{states:6}{steps:8.2f}{potts:8.2f}{table:8.2f}{steps / potts:14.2f}{steps / table:14.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
