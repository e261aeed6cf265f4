"""Small made-up records: the numbers are plausible, but nothing was run."""

from dataclasses import replace

import numpy as np

from mpnet.record import (
    SEEN,
    BatchResult,
    Compatibility,
    EstimateRow,
    NodeInfo,
    PredictionInfo,
    Record,
)
from mpnet.trace import Event, Trace

MODELS = ("purple", "jar", "stationary", "dancing", "purple_jar", "stationary_dancing")
FEATURES = {
    "colour": ("red", "purple", "blue"),
    "shape": ("jar", "cup", "vase"),
    "motion": ("still", "moving"),
    "size": ("small", "large"),
}
FINAL = {
    "purple": 0.93,
    "jar": 0.91,
    "stationary": 0.52,
    "dancing": 0.44,
    "purple_jar": 0.955,
    "stationary_dancing": 0.03,
}


def path(start, end, flat, clamped):
    """A belief that drifts to an overconfident value and jumps to ``end`` half-way."""
    over = end + 0.5 * (round(end) - end)
    first = over + (start - over) * 0.6 ** np.arange(flat)
    second = end + (over - end) * 0.2 * 0.5 ** np.arange(clamped)
    return np.concatenate([first, second])


def compatibility(names=MODELS[:4]):
    n = len(names)
    matrix = [[0.0] * n for _ in range(n)]
    for i, j, value in [(0, 1, 0.62), (2, 3, -np.inf), (1, 2, -1.4)]:
        if j < n:
            matrix[i][j] = matrix[j][i] = value
    frozen = tuple(tuple(row) for row in matrix)
    return Compatibility(names=tuple(names), matrix=frozen, by_target={})


def nodes_and_predictions():
    nodes = [
        NodeInfo(name, "feature", "feature", states, (1 / len(states),) * len(states))
        for name, states in FEATURES.items()
    ]
    nodes[2] = replace(nodes[2], evidence="moving with 0.7")
    nodes[3] = replace(nodes[3], evidence="small")
    for name in MODELS:
        kind = "composite" if "_" in name else "model"
        nodes.append(NodeInfo(name, kind, kind, ("inactive", "active"), (0.8, 0.2), "", True))
    predictions = [
        PredictionInfo("purple", "colour", "purple", 1.1),
        PredictionInfo("jar", "shape", "jar", 1.0),
        PredictionInfo("jar", "size", "small", 0.3),
        PredictionInfo("stationary", "motion", "still", 0.7),
        PredictionInfo("dancing", "motion", "moving", 0.7),
        PredictionInfo("purple_jar", "purple", "active", 1.6),
        PredictionInfo("purple_jar", "jar", "active", 1.6),
        PredictionInfo("purple_jar", "colour", "red", -0.9),
        PredictionInfo("stationary_dancing", "stationary", "active", 1.6),
        PredictionInfo("stationary_dancing", "dancing", "active", -1.6),
    ]
    return tuple(nodes), tuple(predictions)


def trace(nodes, finals, flat=12, clamped=10, messages=30, seed=0):
    rows = flat + clamped
    columns = []
    for node in nodes:
        end = finals[node.name]
        lines = np.array([path(p, e, flat, clamped) for p, e in zip(node.prior, end)]).T
        columns.append(lines / lines.sum(axis=1, keepdims=True))
    k = np.arange(rows)
    residual = np.where(k < flat, 0.9 * 0.28**k, 0.02 * 0.3 ** (k - flat))
    residual[0] = np.nan
    rng = np.random.default_rng(seed)
    speed = np.sort(rng.uniform(0.2, 1.0, messages))[::-1]
    slow = residual[:, None] * speed * rng.uniform(0.6, 1.0, (rows, messages))
    names = [node.name for node in nodes]
    labels = tuple(
        f"{names[m % len(names)]} -> {names[(m * 7 + 3) % len(names)]}" for m in range(messages)
    )
    return Trace(
        iterations=k,
        nodes=tuple(names),
        states=tuple(node.states for node in nodes),
        beliefs=np.concatenate(columns, axis=1),
        residual=residual,
        log_z=-3.4 + 1.2 * 0.55**k,
        damping=np.full(rows, 0.2),
        seconds=np.linspace(0, 0.02, rows),
        estimator=("flat",) * flat + ("clamped",) * clamped,
        messages=labels,
        message_residual=slow,
    )


def final_beliefs(nodes):
    finals = {}
    for node in nodes:
        if len(node.states) == 2:
            p = FINAL.get(node.name, 0.7 if node.evidence else 0.5)
            finals[node.name] = (1 - p, p)
        else:
            rest = 0.12 / (len(node.states) - 2)
            finals[node.name] = tuple(
                0.88 if i == 1 else 0.0 if i == 0 else rest for i in range(len(node.states))
            )
            finals[node.name] = tuple(v if v else 0.0 for v in finals[node.name])
    return finals


def build(nodes, predictions, *, flat=12, clamped=10, messages=30, **changes):
    finals = final_beliefs(nodes)
    beliefs = {n.name: dict(zip(n.states, finals[n.name])) for n in nodes}
    exact = {
        name: {s: 0.96 * p + 0.04 / len(states) for s, p in states.items()}
        for name, states in beliefs.items()
    }
    asked = [n for n in nodes if n.in_question]
    rng = np.random.default_rng(3)
    estimates = tuple(
        EstimateRow(n.name, "active", -1.4, *(float(v) for v in v0 + rng.normal(0, [0.5, 0.1, 0])))
        for n, v0 in zip(asked, rng.normal(0.5, 2.0, len(asked)))
    )
    fields = {
        "scenario": "purple_jar",
        "description": "What is in the picture?",
        "status": "converged",
        "verdict": "converged after 21 iterations: residual 8.8e-07 is below the tolerance 1e-06",
        "estimator": "clamped",
        "schedule": "flood",
        "damping": 0.2,
        "tolerance": 1e-6,
        "iterations": flat + clamped - 1,
        "residual": 8.8e-7,
        "log_z": -3.4,
        "exact_log_z": -3.37,
        "seed": 7,
        "seconds": {"compile": 0.1, "inference": 0.02},
        "nodes": tuple(nodes),
        "predictions": tuple(predictions),
        "beliefs": beliefs,
        "exact": exact,
        "estimates": estimates,
        "compatibility": compatibility(),
        "events": (
            Event(3, "overtake", "purple_jar", "purple_jar overtakes stationary"),
            Event(5, "overtake", "jar", "jar overtakes dancing"),
            *(Event(flat - 1, "clamp", n.name, f"{n.name} clamped on and off") for n in asked),
            Event(flat + clamped - 1, "converged", "", "converged"),
        ),
        "expectations": (),
        "compiled": (),
        "notes": (),
        "plots": (),
        "environment": {"mpnet": "0.1.0", "scenario_sha256": "7f3a9c0123456789abcdef"},
        "trace": trace(nodes, finals, flat, clamped, messages),
    }
    return Record(**{**fields, **changes})


def purple_jar(**changes):
    return build(*nodes_and_predictions(), **changes)


def one_node(**changes):
    node = NodeInfo("jar", "model", "model", ("inactive", "active"), (0.5, 0.5), "", True)
    names = Compatibility(("jar",), ((0.0,),), {})
    return build((node,), (), messages=0, compatibility=names, **changes)


def many_nodes(count=100):
    rng = np.random.default_rng(1)
    kinds = ["feature"] * (count // 2) + ["model"] * (count // 3)
    kinds += ["composite"] * (count - len(kinds))
    nodes = [
        NodeInfo(
            f"{kind}_number_{i}",
            kind,
            kind,
            ("inactive", "active"),
            (0.5, 0.5),
            "",
            kind != "feature",
        )
        for i, kind in enumerate(kinds)
    ]
    sources = [n.name for n in nodes if n.kind != "feature"]
    predictions = [
        PredictionInfo(
            str(rng.choice(sources)),
            nodes[int(rng.integers(count // 2 + count // 3))].name,
            "active",
            float(rng.normal()),
        )
        for _ in range(2 * count)
    ]
    predictions = [p for p in predictions if p.source != p.target]
    models = tuple(n.name for n in nodes if n.kind == "model")
    return build(nodes, predictions, messages=40, compatibility=compatibility(models))


def digits(**changes):
    names = tuple(str(d) for d in range(10))
    nodes = [NodeInfo(d, "ppca", "model", ("inactive", "active"), (0.9, 0.1)) for d in names]
    nodes.append(NodeInfo("digit", "choice", "choice", names, (0.1,) * 10, "", True))
    nodes.append(NodeInfo("image", "images", "data", (), (), "test image 3"))
    predictions = [PredictionInfo(d, "image", "", 2.0 - 0.3 * i) for i, d in enumerate(names)]
    predictions += [PredictionInfo("digit", d, "active", 0.0, hard=True) for d in names]
    rng = np.random.default_rng(5)
    seen = np.clip(rng.uniform(0, 16, (8, 8)), 0, 16)
    views = {SEEN: seen}
    views |= {d: seen + rng.normal(0, 1 + i, (8, 8)) for i, d in enumerate(names)}
    p = np.exp(-1.1 * np.abs(np.arange(10) - 3.0))
    p /= p.sum()
    beliefs = {d: {"inactive": 1 - v, "active": v} for d, v in zip(names, map(float, p))}
    beliefs["digit"] = dict(zip(names, map(float, p)))
    owned = nodes[:-1]
    finals = {n.name: tuple(beliefs[n.name].values()) for n in owned}
    fields = {
        "scenario": "digits",
        "beliefs": beliefs,
        "exact": None,
        "exact_log_z": None,
        "estimates": (),
        "events": (Event(4, "converged", "", "converged"),),
        "compatibility": Compatibility(names, ((0.0,) * 10,) * 10, {}),
        "views": views,
        "trace": trace(owned, finals, 5, 0, 20),
        "iterations": 4,
        "verdict": "converged after 4 iterations: no loops",
    }
    record = build(owned, predictions)
    return replace(record, **{"nodes": tuple(nodes), **fields, **changes})


def digits_test():
    labels = tuple(str(d) for d in range(10))
    rng = np.random.default_rng(2)
    counts = np.diag(rng.integers(30, 40, 10)) + (rng.uniform(size=(10, 10)) > 0.9)
    errors = tuple((f"test[{c}]", "8", "1", 0.99 - 0.02 * c) for c in range(14))
    batch = BatchResult(
        "digit",
        "digit",
        int(counts.sum()),
        0.957,
        labels,
        tuple(tuple(int(v) for v in row) for row in counts),
        errors,
        int(counts.sum()),
    )
    return replace(digits(), scenario="digits_test", batch=batch)
