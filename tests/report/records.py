"""Made-up records for pages: what a hostile name would spoil, and what is missing in some runs."""

from dataclasses import replace

import numpy as np

from mpnet.explanation import Explanation, Share
from mpnet.record import Compatibility, MessageTable
from mpnet.trace import Event, Trace
from tests.plots import builders

HOSTILE = (
    "<script>window.spoilt=1</script>",
    "</script><img src=x onerror=window.spoilt=1>",
    '"><svg onload=window.spoilt=1>',
    "{{ 7 * 7 }}{% raw %}",
    "%{x}<b>bold</b><a href='javascript:1'>a</a>",
    "$\\frac{1}{",
    "紫の壺 𓀀 \u2028",
    "a" * 300,
    "x\x1b[31m\x00",
    "&lt;b&gt; <!-- ",
)
"""One name for each of the ten nodes."""


def messages(record):
    """Two messages to each node: from its prior, and from whoever predicts it."""
    sources, targets, values = [], [], []
    for node in record.nodes:
        for source in ("prior", *(p.source for p in record.predictions if p.target == node.name)):
            sources.append(source)
            targets.append(node.name)
            values.append(-np.arange(len(node.states), dtype=float))
    sizes = [0, *(value.size for value in values)]
    count = len(sources)
    return MessageTable(
        tuple(sources), tuple(targets), np.cumsum(sizes), np.concatenate(values),
        np.full(count, 0.25), np.arange(count),
    )  # fmt: skip


def explanation(node, source):
    shares = (
        Share("prior", (), -1.4, None, ""),
        Share("neighbour", (source,), 3.0, 2.5, "predicts it", 0.4),
        Share("together", (source,), 0.9, None, ""),
        Share("estimator", (), 0.001, None, "clamped differs"),
    )
    return Explanation(
        node, "active", "inactive", 2.5, 0.92, shares, "exact", f"{node} is active for {source}"
    )


def purple_jar(**changes):
    record = builders.purple_jar()
    why = (explanation("purple_jar", "colour"),)
    return replace(record, messages=messages(record), explanations=why, **changes)


def renamed(record, names):
    """The same record with its nodes under other names, and those names wherever text goes."""
    new = dict(zip((node.name for node in record.nodes), names, strict=True))

    def mapped(beliefs):
        return {new[k]: v for k, v in beliefs.items()}

    table = record.messages
    return replace(
        record,
        scenario=names[0],
        description=" ".join(names),
        verdict=names[1],
        notes=(names[2],),
        compiled=(names[0],),
        nodes=tuple(replace(n, name=new[n.name], evidence=n.evidence and names[0]) for n in record.nodes),
        predictions=tuple(replace(p, source=new[p.source], target=new[p.target]) for p in record.predictions),
        beliefs=mapped(record.beliefs),
        exact=mapped(record.exact),
        estimates=tuple(replace(e, node=new[e.node]) for e in record.estimates),
        compatibility=Compatibility(names[:1], ((0.0,),), {}),
        events=(Event(2, names[0], names[1], names[2], names[3]), *record.events[-1:]),
        trace=replace(
            record.trace,
            nodes=tuple(new[n] for n in record.trace.nodes),
            messages=tuple(names[i % len(names)] for i in range(len(record.trace.messages))),
        ),
        messages=replace(
            table,
            sources=tuple(new.get(s, s) for s in table.sources),
            targets=tuple(new[t] for t in table.targets),
        ),
        explanations=(explanation(names[8], names[0]),),
        environment={"mpnet": "0.1.0", "machine": names[1]},
    )  # fmt: skip


def hostile():
    return renamed(purple_jar(), HOSTILE)


def empty_trace(record):
    """A trace in which nothing was followed."""
    none = np.zeros(0)
    return Trace(
        iterations=np.zeros(0, dtype=np.int64), nodes=(), states=(), beliefs=np.zeros((0, 0)),
        residual=none, log_z=none, damping=none, seconds=none, estimator=(), messages=(),
        message_residual=np.zeros((0, 0)),
    )  # fmt: skip


def unfollowed():
    record = builders.purple_jar()
    return replace(record, trace=empty_trace(record), events=())


def inconsistent():
    record = builders.purple_jar(flat=1, clamped=0)
    return replace(
        record,
        status="inconsistent",
        verdict="the evidence contradicts the model",
        beliefs={},
        exact=None,
        log_z=None,
        residual=None,
        estimates=(),
        trace=replace(record.trace, beliefs=np.full_like(record.trace.beliefs, np.nan)),
    )


def big(count=1000, rows=500):
    """Many nodes over many iterations, each on a wave of its own."""
    record = builders.many_nodes(count)
    rng = np.random.default_rng(4)
    names = [node.name for node in record.nodes]
    pace, start = rng.uniform(5, 60, count), rng.uniform(0, 6, count)
    active = 0.5 + 0.45 * np.sin(np.arange(rows)[:, None] / pace + start)
    beliefs = np.stack([1 - active, active], axis=2).reshape(rows, 2 * count)
    trace = Trace(
        iterations=np.arange(rows),
        nodes=tuple(names),
        states=(("inactive", "active"),) * count,
        beliefs=beliefs.astype(np.float32),
        residual=0.9 ** np.arange(rows),
        log_z=-3.0 - 0.5 ** np.arange(rows),
        damping=np.zeros(rows),
        seconds=np.linspace(0, 1, rows),
        estimator=("flat",) * rows,
        messages=tuple(f"{names[i]} -> {names[(i + 1) % count]}" for i in range(min(40, count))),
        message_residual=np.outer(0.9 ** np.arange(rows), np.ones(min(40, count))).astype(
            np.float32
        ),
    )
    finals = {n: {"inactive": float(1 - p), "active": float(p)} for n, p in zip(names, active[-1])}
    return replace(record, trace=trace, beliefs=finals, iterations=rows - 1, exact=None)
