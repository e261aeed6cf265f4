"""The record of one run: everything that a report or a figure shows, as plain data.

A record is what a run folder holds: ``summary.json`` (all fields but the arrays), ``trace.npz``
and ``views.npz``. Figures are drawn from a record alone, so they can be drawn again later.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpnet.display import RecordDisplay
from mpnet.explanation import Explanation, Share
from mpnet.trace import Event, FloatArray, IntArray, Trace, text_array

SCHEMA = "mpnet.result/1"

SEEN = "/seen"
"""Key of the observed image among the views; no node can be called that."""

_NUMBERS = frozenset(
    {
        "strength",
        "prior_log_odds",
        "flat",
        "clamped",
        "exact",
        "matrix",
        "by_target",
        "residual",
        "numbers",
        "effect",
        "nats",
        "left_out",
        "log_odds",
        "bracket",
        "rate",
    }
)
"""Fields whose infinite numbers are text in JSON, where a name may be called inf as well."""


@dataclass(frozen=True)
class NodeInfo:
    """A node as the reports show it; ``prior`` are probabilities, one per state.

    ``states`` is empty for a node that owns no variable (an image). ``kind`` is one of ``feature``,
    ``model``, ``composite``, ``choice`` and ``data``. ``evidence`` says what was observed, in words;
    empty if nothing was. ``in_question`` marks the nodes that a run asks about.
    """

    name: str
    type: str
    kind: str
    states: tuple[str, ...]
    prior: tuple[float, ...]
    evidence: str = ""
    in_question: bool = False


@dataclass(frozen=True)
class PredictionInfo:
    """One prediction ``source -> target``.

    ``strength`` is the log ratio, in nats, of ``state`` (the state that moves most) to its
    base rate, times the confidence: positive for "will", negative for "won't". ``hard`` marks
    a rule rather than a prediction (a choice and its members). ``explains`` marks an explanation,
    one cause of a noisy OR: its strength is the log ratio while no other cause is active.
    """

    source: str
    target: str
    state: str
    strength: float
    confidence: float = 1.0
    hard: bool = False
    explains: bool = False


@dataclass(frozen=True)
class EstimateRow:
    """Log-odds of one node in question minus its prior log-odds, by estimator, in nats.

    ``None`` where an estimator did not run or did not converge.
    """

    node: str
    state: str
    prior_log_odds: float
    flat: float | None
    clamped: float | None
    exact: float | None


@dataclass(frozen=True)
class Compatibility:
    """Derived compatibility C of every pair of models, in nats.

    ``matrix`` is symmetric, shape (n, n), 0 where two models speak of different things and on
    the diagonal, which means nothing; may be ``-inf``. ``by_target`` has one such matrix per
    shared target.
    """

    names: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]
    by_target: Mapping[str, tuple[tuple[float, ...], ...]]


@dataclass(frozen=True)
class ExpectationResult:
    """One line of ``expect:`` and what came of it."""

    text: str
    met: bool
    got: str


@dataclass(frozen=True)
class BatchResult:
    """Many evidence sets on one society: who won, and whether that was right.

    ``confusion[i][j]`` counts cases of truth ``labels[i]`` won by ``labels[j]``; ``errors`` lists
    (case, truth, winner, belief in the winner), worst first.
    """

    node: str
    answer: str
    cases: int
    accuracy: float
    labels: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    errors: tuple[tuple[str, str, str, float], ...]
    converged: int


@dataclass(frozen=True)
class Findings:
    """What an experiment measured.

    Parameters
    ----------
    experiment : str
        Type of the experiment.
    numbers : mapping of str to float
        What ``expect`` may speak of, by name.
    curves : mapping of str to float64 array
        For figures; NaN where nothing was measured.
    labels : mapping of str to tuple of str
        Texts for figures, such as the names along an axis.
    notes : tuple of str
        What was found, in plain sentences.

    """

    experiment: str
    numbers: Mapping[str, float]
    curves: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PhaseInfo:
    """One phase of a run along a timeline: from one moment to the next.

    ``first`` and ``last`` are iterations; ``log_z`` is in nats, None where it did not
    settle; ``awake`` counts models, ``updates`` messages that moved.
    """

    label: str
    first: int
    last: int
    status: str
    log_z: float | None
    awake: int
    updates: int


@dataclass(frozen=True)
class MessageTable:
    """What reaches each node in the end: the messages of its factors, ``M`` of them.

    Parameters
    ----------
    sources : tuple of str
        Who each message comes from: the other nodes of its factor, joined by a comma; ``evidence``
        and ``prior`` for what a node gets without a message.
    targets : tuple of str
        The node that each reaches.
    offsets : int64[M + 1]
        Start of each message in ``values``.
    values : float64[S]
        Log messages in nats, one per state of the target, the largest of each 0; ``-inf`` for
        states that it rules out. They add up to the log belief of the run's messages.
    residual : float64[M]
        By how much each would still change, in nats; NaN where it was not sent.
    settled : int64[M]
        The last iteration at which each changed by more than the tolerance.

    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    offsets: IntArray
    values: FloatArray
    residual: FloatArray
    settled: IntArray

    def reaching(self, node: str) -> list[tuple[str, FloatArray]]:
        """Source and log message, in nats, of all that reach a node."""
        return [
            (source, self.values[self.offsets[i] : self.offsets[i + 1]])
            for i, (source, target) in enumerate(zip(self.sources, self.targets, strict=True))
            if target == node
        ]

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Plain arrays under fixed names, for ``numpy.savez``."""
        return {
            "sources": text_array(self.sources),
            "targets": text_array(self.targets),
            "offsets": self.offsets,
            "values": self.values,
            "residual": self.residual,
            "settled": self.settled,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> MessageTable:
        """Rebuild what ``to_arrays`` wrote; a missing name is a ``KeyError``."""
        return cls(
            sources=tuple(str(s) for s in arrays["sources"]),
            targets=tuple(str(t) for t in arrays["targets"]),
            offsets=np.asarray(arrays["offsets"], dtype=np.int64),
            values=np.asarray(arrays["values"], dtype=np.float64),
            residual=np.asarray(arrays["residual"], dtype=np.float64),
            settled=np.asarray(arrays["settled"], dtype=np.int64),
        )


@dataclass(frozen=True, repr=False)
class Record(RecordDisplay):
    """One finished run.

    *Evolving.*

    Parameters
    ----------
    status : str
        ``converged``, ``oscillating``, ``max_iterations``, ``stalled`` or ``inconsistent``.
    verdict : str
        The status as one sentence with its reason.
    residual : float or None
        Last undamped residual, in nats.
    log_z : float or None
        Bethe log partition sum of the evidence, in nats; None unless converged.
    exact_log_z : float or None
        The exact one, where the model is small enough.
    beliefs, exact : mapping
        ``{node: {state: probability}}``; ``exact`` is None where it was not computed.
    seconds : mapping
        ``{"compile": ..., "inference": ...}``, in seconds.
    compiled : list of str
        What the compile pass did, a sentence each.
    views : mapping of str to array
        Images: ``SEEN`` (H, W) and ``NODE`` (H, W) for what each model thought it saw.
    environment : mapping
        Versions, machine, seed and the hash of the scenario.
    findings : Findings or None
        What the scenario's experiment measured.
    phases : tuple of PhaseInfo
        Phases of a timeline; none without one.
    numbers : mapping of str to float
        What a run in which models wake measures: how many, how far beliefs can be off.
    bracket : tuple of float, or None
        Proven lower and upper bound of log Z, in nats; None where they were not computed. Either
        may be None by itself.
    rate : float or None
        Factor by which the residual is predicted to shrink per iteration near the fixed point;
        None where it was not computed.
    messages : MessageTable or None
        Messages at the end; None where the estimator has none, or too many.
    explanations : tuple of Explanation
        Why the nodes in question are believed, where that is quick to tell.

    """

    scenario: str
    description: str
    status: str
    verdict: str
    estimator: str
    schedule: str
    damping: float
    tolerance: float
    iterations: int
    residual: float | None
    log_z: float | None
    exact_log_z: float | None
    seed: int
    seconds: Mapping[str, float]
    nodes: tuple[NodeInfo, ...]
    predictions: tuple[PredictionInfo, ...]
    beliefs: Mapping[str, Mapping[str, float]]
    exact: Mapping[str, Mapping[str, float]] | None
    estimates: tuple[EstimateRow, ...]
    compatibility: Compatibility
    events: tuple[Event, ...]
    expectations: tuple[ExpectationResult, ...]
    compiled: tuple[str, ...]
    notes: tuple[str, ...]
    plots: tuple[str, ...]
    environment: Mapping[str, str]
    trace: Trace
    batch: BatchResult | None = None
    views: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    findings: Findings | None = None
    phases: tuple[PhaseInfo, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)
    bracket: tuple[float | None, float | None] | None = None
    rate: float | None = None
    messages: MessageTable | None = None
    explanations: tuple[Explanation, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """All but the arrays, as JSON data: infinite numbers are text, NaN is null."""
        # Arrays are left out before anything is copied.
        bare = replace(self, trace=None, views={}, messages=None, findings=_bare(self.findings))  # type: ignore[arg-type]
        data = asdict(bare)
        del data["trace"], data["views"], data["messages"]
        if data["findings"] is not None:
            del data["findings"]["curves"]
        return {"schema": SCHEMA, **_json(data)}

    @classmethod
    def from_json(
        cls,
        data: Mapping[str, Any],
        trace: Trace,
        views: Mapping[str, NDArray[np.float64]],
        curves: Mapping[str, NDArray[np.float64]] | None = None,
        messages: MessageTable | None = None,
    ) -> Record:
        """Rebuild what ``to_json`` wrote; a missing field is a ``KeyError`` or ``TypeError``."""
        fields = {k: v for k, v in data.items() if k not in ("schema", "run_dir")}
        parts = {
            "nodes": NodeInfo,
            "predictions": PredictionInfo,
            "estimates": EstimateRow,
            "events": Event,
            "expectations": ExpectationResult,
            "phases": PhaseInfo,
        }
        for name, part in parts.items():
            fields[name] = tuple(part(**_tuples(item)) for item in fields[name])
        fields["compatibility"] = Compatibility(**_tuples(fields["compatibility"]))
        if fields.get("batch") is not None:
            fields["batch"] = BatchResult(**_tuples(fields["batch"]))
            if fields["batch"].accuracy is None:
                fields["batch"] = replace(fields["batch"], accuracy=math.nan)
        if fields.get("findings") is not None:
            found = _tuples(fields["findings"])
            found["numbers"] = {
                k: math.nan if v is None else v for k, v in found["numbers"].items()
            }
            fields["findings"] = Findings(**found, curves=curves or {})
        fields["explanations"] = tuple(_explanation(item) for item in fields["explanations"])
        for name in ("compiled", "notes", "plots"):
            fields[name] = tuple(fields[name])
        fields |= _tuples({name: fields[name] for name in ("residual", "bracket", "rate")})
        return cls(trace=trace, views=views, messages=messages, **fields)


def _explanation(item: Mapping[str, Any]) -> Explanation:
    fields = _tuples({k: v for k, v in item.items() if k != "shares"})
    return Explanation(**fields, shares=tuple(Share(**_tuples(s)) for s in item["shares"]))


def _bare(findings: Findings | None) -> Findings | None:
    return None if findings is None else replace(findings, curves={})


def _json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _json(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_json(v) for v in value]
    if isinstance(value, float | np.floating):
        number = float(value)
        if np.isnan(number):
            return None
        return number if np.isfinite(number) else "inf" if number > 0 else "-inf"
    if isinstance(value, np.integer):
        return int(value)
    return value


def _tuples(item: Mapping[str, Any]) -> dict[str, Any]:
    """Lists back to tuples and, in fields of numbers, the texts of infinite numbers back."""

    def back(value: Any, number: bool) -> Any:
        if isinstance(value, list):
            return tuple(back(v, number) for v in value)
        if isinstance(value, Mapping):
            return {k: back(v, number) for k, v in value.items()}
        return float(value) if number and value in ("inf", "-inf") else value

    return {k: back(v, k in _NUMBERS) for k, v in item.items()}
