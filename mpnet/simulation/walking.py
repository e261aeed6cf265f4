"""When a model of several steps goes on from one phase to another, as far as is believed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mpnet.lifecycle.population import Population
from mpnet.simulation.timelines import Moment
from mpnet.society import Society
from mpnet.unrolling import Unrolled, at_step, step_of


def walks(population: Population, society: Society, moment: Moment) -> Iterator[tuple[str, str]]:
    """What each sequence is believed to have done between the last two inputs, and its name."""
    steps = {step_of(name) for name in moment.evidence} - {None}
    if not isinstance(society, Unrolled) or len(steps) != 1:
        return
    step = int(steps.pop() or 0)
    for name in society.temporal:
        if not society.written.nodes[name].in_time or step < 2:
            continue
        pair = [at_step(name, step - 1), at_step(name, step)]
        if not all(population.is_awake(each) for each in pair):
            continue
        states = society.written.domains[name]
        before, now = (states[int(np.argmax(population.belief(each)))] for each in pair)
        if before != now:
            yield f"{name} walks from {before} to {now} at step {step}", name
