"""What differs between two runs: in the scenario, in the outcome, and from a base."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from mpnet.display import ComparisonDisplay
from mpnet.errors import UsageError, dotted, shown
from mpnet.record import Record
from mpnet.trace import Event

TOLERANCE = 1e-6
"""Total variation, or nats of log Z, up to which two answers are the same."""

Beliefs = Mapping[str, Mapping[str, float]]
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Side:
    """A run to compare: what it is called here, its record, and its scenario in full.

    ``resolved`` is the scenario as plain data with all defaults, as in ``resolved.yaml``.
    """

    label: str
    record: Record
    resolved: Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """One thing that is different: ``kind`` is ``changed``, ``added`` or ``removed``.

    ``before`` is None where it was added, ``after`` where it was removed.
    """

    path: str
    kind: str
    before: Any = None
    after: Any = None


@dataclass(frozen=True)
class BeliefChange:
    """The belief of one node in two runs, probabilities by state.

    Parameters
    ----------
    total_variation : float
        Half the sum of the absolute differences, in [0, 1]; a state that a node does not have
        counts as impossible.
    winners : tuple of str
        The most believed state before and after.

    """

    node: str
    before: Mapping[str, float]
    after: Mapping[str, float]
    total_variation: float
    winners: tuple[str, str]

    @property
    def overtaken(self) -> bool:
        """Whether another state wins."""
        return self.winners[0] != self.winners[1]

    @property
    def other_states(self) -> bool:
        """Whether the node has other states."""
        return set(self.before) != set(self.after)

    @property
    def moved(self) -> str:
        """The state whose belief moved most; of two, the second: active rather than inactive."""
        ranked = reversed(_states(self.before, self.after))
        return max(ranked, key=lambda s: round(abs(self.difference(s)), 12))

    def difference(self, state: str) -> float:
        """Belief in a state after minus before."""
        return self.after.get(state, 0.0) - self.before.get(state, 0.0)


@dataclass(frozen=True, repr=False)
class Comparison(ComparisonDisplay):
    """How the run ``after`` differs from the run ``before``.

    Parameters
    ----------
    settings : tuple of Change
        Scenario, by path: ``evidence.legs``.
    nodes : tuple of Change
        Nodes with a belief in one of the runs alone.
    outcome : tuple of Change
        Status, iterations, log Z and how they were got.
    beliefs : tuple of BeliefChange
        All nodes with a belief in both, largest total variation first.
    silent : tuple of str
        Labels of the runs without beliefs, where the other has some.
    events : tuple of Change
        Events in one of them alone, or at another iteration.
    expectations : tuple of Change
        Claims met in one and not in the other, or made by one alone.
    tolerance : float
        Total variation, and nats of log Z, up to which answers are the same.

    """

    before: str
    after: str
    settings: tuple[Change, ...]
    nodes: tuple[Change, ...]
    outcome: tuple[Change, ...]
    beliefs: tuple[BeliefChange, ...]
    silent: tuple[str, ...]
    events: tuple[Change, ...]
    expectations: tuple[Change, ...]
    log_z_difference: float | None
    tolerance: float

    @property
    def differing(self) -> tuple[BeliefChange, ...]:
        """Beliefs that differ by more than the tolerance, largest first."""
        return tuple(b for b in self.beliefs if _beyond(b.total_variation, self.tolerance))

    @property
    def overtaken(self) -> tuple[BeliefChange, ...]:
        """Nodes where another state wins."""
        return tuple(b for b in self.differing if b.overtaken)

    @property
    def same(self) -> bool:
        """Whether status, beliefs and log Z are the same within the tolerance.

        Settings, iterations and events may differ: two schedules that agree are the same.
        """
        status = any(
            change.path == "status" or (change.path == "log_z" and change.kind != "changed")
            for change in self.outcome
        )
        log_z = self.log_z_difference
        apart = log_z is not None and _beyond(abs(log_z), self.tolerance)
        return not (status or apart or self.nodes or self.silent or self.differing)


@dataclass(frozen=True)
class Errors:
    """How far the answers of a run are from those of a base.

    Parameters
    ----------
    run, base : str
        Labels; ``exact`` where the base is the run's own exact answer.
    nodes : int
        Nodes with a belief in both, with the same states.
    mean_absolute, max_absolute : float
        Absolute error of a probability, over all states of these nodes.
    mean_total_variation, max_total_variation : float
        Over the nodes.
    worst : str
        The node of the largest total variation; empty where there are no nodes.
    log_z : float or None
        Log Z of the run minus that of the base, in nats; None where either is unknown.
    left_out : int
        Nodes that one of them lacks, or that have other states.

    """

    run: str
    base: str
    nodes: int
    mean_absolute: float
    max_absolute: float
    mean_total_variation: float
    max_total_variation: float
    worst: str
    log_z: float | None
    left_out: int = 0

    def beyond(self, tolerance: float) -> bool:
        """Whether any marginal or log Z is off by more than the tolerance, or nothing compares."""
        far = _beyond(self.max_total_variation, tolerance)
        return far or (self.log_z is not None and _beyond(abs(self.log_z), tolerance))


def compare(before: Side, after: Side, tolerance: float = TOLERANCE) -> Comparison:
    """Say what differs from one run to another.

    Parameters
    ----------
    before, after : Side
        The runs; not modified.
    tolerance : float
        Total variation, and nats of log Z, up to which answers are the same.

    """
    one, other = before.record, after.record
    silent = tuple(side.label for side in (before, after) if not side.record.beliefs)
    return Comparison(
        before=before.label,
        after=after.label,
        settings=tuple(settings_apart(before.resolved, after.resolved)),
        nodes=() if silent else tuple(_nodes_apart(one.beliefs, other.beliefs)),
        outcome=tuple(_outcome_apart(one, other)),
        beliefs=tuple(_beliefs_apart(one.beliefs, other.beliefs)),
        silent=silent if len(silent) == 1 else (),
        events=tuple(_events_apart(one.events, other.events)),
        expectations=tuple(_claims_apart(one, other)),
        log_z_difference=_difference(one.log_z, other.log_z),
        tolerance=tolerance,
    )


def errors_from(run: Side, base: Side) -> Errors:
    """How far a run's answers are from another's."""
    known = base.record.beliefs, base.record.log_z
    return _errors(run, base.label, *known)


def errors_from_exact(run: Side) -> Errors:
    """How far a run's answers are from its own exact answer.

    Raises
    ------
    UsageError
        If the run has none.

    """
    record = run.record
    if record.exact is None:
        again = f"mpnet run {shown(record.scenario)} --exact"
        raise UsageError(
            f"{shown(run.label)} has no exact answer to compare with; run it again with --exact "
            f"({again}; inference.exact: always in a scenario)"
        )
    return _errors(run, "exact", record.exact, record.exact_log_z)


def _errors(run: Side, base: str, known: Beliefs, log_z: float | None) -> Errors:
    every = _beliefs_apart(known, run.record.beliefs)
    pairs = [pair for pair in every if not pair.other_states]
    absolute = [abs(pair.difference(state)) for pair in pairs for state in pair.before]
    variation = [pair.total_variation for pair in pairs]
    count = len(set(known) | set(run.record.beliefs))
    return Errors(
        run=run.label,
        base=base,
        nodes=len(pairs),
        mean_absolute=_mean(absolute),
        max_absolute=max(absolute, default=math.nan),
        mean_total_variation=_mean(variation),
        max_total_variation=max(variation, default=math.nan),
        worst=pairs[0].node if pairs else "",
        log_z=_difference(log_z, run.record.log_z),
        left_out=count - len(pairs),
    )


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def _beyond(value: float, tolerance: float) -> bool:
    """Whether a number is above the tolerance; one that is not a number is."""
    return not value <= tolerance


def _difference(before: float | None, after: float | None) -> float | None:
    if before is None or after is None:
        return None
    return 0.0 if before == after else after - before


def settings_apart(before: Any, after: Any, path: Path = ()) -> Iterator[Change]:
    """What differs between two scenarios, key by key, in the order of the first.

    A list of plain values is one value; a key that only one of them has is one change, with all
    that is under it.
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _entries_apart(before, after, path)
    elif _is_tree(before) and _is_tree(after) and type(before) is type(after):
        one, other = (dict(enumerate(value)) for value in (before, after))
        yield from _entries_apart(one, other, path)
    elif before != after or type(before) is not type(after):
        yield Change(dotted(path), "changed", before, after)


def _entries_apart(
    before: Mapping[Any, Any], after: Mapping[Any, Any], path: Path
) -> Iterator[Change]:
    for key in [*before, *(key for key in after if key not in before)]:
        step = (*path, key if isinstance(key, int) else str(key))
        if key not in after:
            yield Change(dotted(step), "removed", before[key])
        elif key not in before:
            yield Change(dotted(step), "added", None, after[key])
        else:
            yield from settings_apart(before[key], after[key], step)


def _is_tree(value: Any) -> bool:
    """Whether a value is compared part by part: a mapping, or a list that holds mappings."""
    if isinstance(value, list):
        return any(isinstance(item, Mapping | list) for item in value)
    return isinstance(value, Mapping)


def _nodes_apart(before: Beliefs, after: Beliefs) -> Iterator[Change]:
    yield from (Change(node, "removed", dict(b)) for node, b in before.items() if node not in after)
    yield from (
        Change(node, "added", None, dict(b)) for node, b in after.items() if node not in before
    )


def _outcome_apart(before: Record, after: Record) -> Iterator[Change]:
    pairs: dict[str, tuple[Any, Any]] = {
        name: (getattr(before, name), getattr(after, name))
        for name in ("status", "estimator", "schedule", "damping", "iterations", "log_z")
    }
    pairs["exact_log_z"] = before.exact_log_z, after.exact_log_z
    for name in ("mpnet", "numpy", "numba", "python", "machine"):
        pairs[name] = before.environment.get(name), after.environment.get(name)
    for name, (one, other) in pairs.items():
        if one != other:
            kind = "added" if one is None else "removed" if other is None else "changed"
            yield Change(name, kind, one, other)


def _states(before: Mapping[str, float], after: Mapping[str, float]) -> list[str]:
    return [*before, *(state for state in after if state not in before)]


def _beliefs_apart(before: Beliefs, after: Beliefs) -> list[BeliefChange]:
    found = [_belief_apart(node, before[node], after[node]) for node in before if node in after]
    return sorted(found, key=lambda b: (-b.total_variation, b.node))


def _belief_apart(
    node: str, before: Mapping[str, float], after: Mapping[str, float]
) -> BeliefChange:
    states = _states(before, after)
    apart = math.fsum(abs(after.get(s, 0.0) - before.get(s, 0.0)) for s in states) / 2
    winners = _winner(before), _winner(after)
    return BeliefChange(node, before, after, apart, winners)


def _winner(belief: Mapping[str, float]) -> str:
    return max(belief, key=lambda state: belief[state], default="")


def _events_apart(before: tuple[Event, ...], after: tuple[Event, ...]) -> Iterator[Change]:
    """Events by kind and node, the first of one with the first of the other."""
    both = [_grouped(events) for events in (before, after)]
    for key in [*both[0], *(key for key in both[1] if key not in both[0])]:
        for one, other in zip_longest(both[0].get(key, ()), both[1].get(key, ())):
            if one is None:
                yield Change(other.text, "added", None, other.iteration)
            elif other is None:
                yield Change(one.text, "removed", one.iteration)
            elif one.iteration != other.iteration:
                yield Change(other.text, "changed", one.iteration, other.iteration)


def _grouped(events: tuple[Event, ...]) -> dict[tuple[str, str], list[Event]]:
    found: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in events:
        found[event.kind, event.node].append(event)
    return found


def _claims_apart(before: Record, after: Record) -> Iterator[Change]:
    """Claims by their words; of several alike, how many are met."""
    counts = [Counter(c.text for c in r.expectations if c.met) for r in (before, after)]
    every = [dict.fromkeys(c.text for c in r.expectations) for r in (before, after)]
    for text in {**every[0], **every[1]}:
        met = [count[text] > 0 if text in known else None for count, known in zip(counts, every)]
        if met[0] != met[1]:
            kind = "added" if met[0] is None else "removed" if met[1] is None else "changed"
            yield Change(text, kind, *met)
