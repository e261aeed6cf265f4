"""Made-up records with messages, timelines and streams; nothing was run."""

import itertools
from dataclasses import replace

import builders
import numpy as np

from mpnet.record import MessageTable, NodeInfo, PhaseInfo
from mpnet.trace import Event, Trace

HOSTILE = (
    "$$",
    "_x",
    "<script>alert(1)</script>",
    "$\\frac{1}{",
    "紫の壺 𓀀",
    "a" * 300,
    "x\x1b[31m\x00, y → z",
)


def table(rows):
    """A table from (source, target, log message, residual, settled)."""
    sizes = [len(row[2]) for row in rows]
    return MessageTable(
        sources=tuple(row[0] for row in rows),
        targets=tuple(row[1] for row in rows),
        offsets=np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]),
        values=np.concatenate([np.array(row[2], dtype=np.float64) for row in rows]),
        residual=np.array([row[3] for row in rows], dtype=np.float64),
        settled=np.array([row[4] for row in rows], dtype=np.int64),
    )


def heard(node, logs, **changes):
    """A record in which these log messages, by source, reach one node."""
    rows = [
        (source, node.name, values, np.nan if source == "prior" else 1e-9, 4)
        for source, values in logs.items()
    ]
    record = builders.build((node,), (), messages=0)
    return replace(record, messages=table(rows), **changes)


def binary(name="jar", states=("inactive", "active")):
    return NodeInfo(name, "model", "model", states, (0.5, 0.5), "", True)


def lively(iterations=30, every=1, models=("cat", "dog", "teapot"), events=(), phases=()):
    """A run along a timeline, whose models wake and go as the events say."""
    nodes = [NodeInfo("ears", "feature", "feature", ("no", "yes"), (0.6, 0.4), "yes")]
    nodes += [binary(name) for name in models]
    record = builders.build(tuple(nodes), (), messages=0)
    kept = np.unique(np.r_[np.arange(0, iterations + 1, every), iterations])
    rows = kept.size
    beliefs = np.tile([[0.5, 0.5]], (rows, len(nodes)))
    beliefs[:, 1::2] = np.linspace(0.1, 0.9, rows)[:, None]
    beliefs[:, 0::2] = 1 - beliefs[:, 1::2]
    trace = Trace(
        iterations=kept,
        nodes=tuple(node.name for node in nodes),
        states=tuple(node.states for node in nodes),
        beliefs=beliefs,
        residual=np.r_[np.nan, np.full(rows - 1, 1e-3)],
        log_z=-5.0 + np.floor(kept / 10),
        damping=np.zeros(rows),
        seconds=np.zeros(rows),
        estimator=("flat",) * rows,
        messages=(),
        message_residual=np.empty((rows, 0)),
    )
    return replace(
        record,
        trace=trace,
        events=tuple(events),
        phases=tuple(phases),
        iterations=iterations,
        exact=None,
    )


def timeline(iterations=30, count=3, **changes):
    """Phases of equal length, and somebody who wakes in each of the first."""
    cuts = np.linspace(0, iterations, count + 1).astype(int)
    names = ("cat", "dog", "teapot")
    events = [
        Event(int(cuts[i]) + 1, "awaken", name, f"{name} wakes (scored)", "score", 1.0 + i)
        for i, name in enumerate(names[: min(count, 3)])
    ]
    phases = [
        PhaseInfo(
            f"phase {i}", int(a), int(b), "converged", -5.0 + b // 10, min(i + 1, len(events)), 9
        )
        for i, (a, b) in enumerate(itertools.pairwise(cuts))
    ]
    return lively(iterations, events=events, phases=phases, **changes)


def stream(steps=6, sequences=2, phases=3, name="leap", evidence="here"):
    """Sequences along a stream, each a phase further at every step, and what was observed."""
    states = ("off", *(f"phase {k}" for k in range(1, phases)))
    nodes, beliefs = [], {}
    for step in range(1, steps + 1):
        nodes.append(
            NodeInfo(f"pose@{step}", "feature", "feature", ("a", "b"), (0.5,) * 2, evidence)
        )
        beliefs[nodes[-1].name] = {"a": 1.0, "b": 0.0}
    for number in range(sequences):
        for step in range(1, steps + 1):
            own = f"{name}{number or ''}@{step}"
            prior = (1 / phases,) * phases
            nodes.append(NodeInfo(own, "sequence", "model", states, prior, "", step == 2))
            beliefs[own] = {
                s: 0.9 if k == step % phases else 0.1 / (phases - 1) for k, s in enumerate(states)
            }
    record = builders.build((nodes[0],), (), messages=0)
    return replace(record, nodes=tuple(nodes), beliefs=beliefs, exact=None)
