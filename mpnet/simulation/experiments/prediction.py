"""How well a society predicts a stream, input by input, and what it makes of it afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mpnet.errors import Fault
from mpnet.kernels.layout import FloatArray
from mpnet.names import Name, suggestion
from mpnet.nodes.base import NodeFaults, Observation, moved
from mpnet.record import Findings
from mpnet.simulation.experiments.base import Experiment, Tell
from mpnet.simulation.filtering import Filtered, by_estimator, exactly, filter_stream
from mpnet.simulation.streams import along_stream
from mpnet.society import Society
from mpnet.unrolling import Unrolled, at_step, step_of, without

if TYPE_CHECKING:
    from mpnet.simulation.loading import Scenario


class Variant(BaseModel):
    """Another stream, or the same without some nodes."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    stream: dict[Name, Annotated[list[Any], Field(min_length=1)]] | None = Field(
        None, description="As that of the scenario, which is taken if left out."
    )
    without: list[Name] = Field(
        default_factory=list, description="Nodes that are left out, with all that they predict."
    )


@dataclass(frozen=True)
class Trial:
    """A society along a stream; ``suffix`` ends the names of its numbers."""

    label: str
    suffix: str
    society: Unrolled
    seen: Mapping[str, Observation]

    def inputs(self) -> list[tuple[str, int]]:
        """What was streamed: node and step, by step."""
        found = [(name.rpartition("@")[0], step_of(name) or 0) for name in self.seen]
        return sorted((pair for pair in found if pair[1]), key=lambda pair: pair[1])

    def sequences(self) -> list[str]:
        """Nodes that are in time."""
        nodes = self.society.written.nodes
        return [name for name in self.society.temporal if nodes[name].in_time]


class Predicting(Experiment):
    """Log-loss of each input before it arrives, and phases at each step then and afterwards."""

    label: str = Field("as written", description="What the scenario's own stream is called.")
    variants: dict[Name, Variant] = Field(
        default_factory=dict, description="Other trials by name: another stream, fewer nodes."
    )
    exact: bool = Field(True, description="Whether to hold every belief against an exact one.")

    def check(self, scenario: Scenario) -> None:
        """Whether there is a stream and every variant can be meant."""
        list(self._trials(scenario))

    def measures(self, scenario: Scenario) -> Mapping[str, str]:
        """Losses, what was made of each sequence, and the probability of each input."""
        found = {}
        for trial in self._trials(scenario):
            end = trial.suffix
            found[f"loss{end}"] = "mean log-loss of the next input, nats per input"
            found[f"base loss{end}"] = "the same if base rates predicted it, nats per input"
            for name in trial.sequences():
                what = "largest belief, looking back, that it is in its last phase"
                found[f"{name} completed{end}"] = what
            for name, step in trial.inputs():
                what = "probability of the input before it arrived"
                found[f"{at_step(name, step)}{end}"] = what
        if self.exact:
            found["worst difference"] = "largest difference of any belief from the exact one"
        found["unsettled"] = "steps at which messages did not come to rest"
        return found

    def run(self, scenario: Scenario, tell: Tell) -> Findings:
        """Filter and smooth each trial."""
        from mpnet.simulation.answering import options_of

        believe = by_estimator(scenario.spec.inference.estimator, options_of(scenario))
        trials = list(self._trials(scenario))
        outcomes = []
        for number, trial in enumerate(trials):
            found = filter_stream(trial.society, trial.seen, believe)
            exact = filter_stream(trial.society, trial.seen, exactly) if self.exact else None
            outcomes.append(Outcome(trial, found, exact))
            tell(number + 1, len(trials))
        return _findings(outcomes, self.exact)

    def _trials(self, scenario: Scenario) -> Iterator[Trial]:
        if not isinstance(scenario.society, Unrolled):
            raise NodeFaults([Fault((), "there is no stream to predict", "add stream: {...}")])
        yield Trial(self.label, "", scenario.society, scenario.seen)
        for label, variant in self.variants.items():
            try:
                yield _trial(label, variant, scenario, scenario.society.written)
            except NodeFaults as error:
                raise moved(error, "variants", label) from None


def _trial(label: str, variant: Variant, scenario: Scenario, written: Society) -> Trial:
    """What a variant makes of a scenario; faults are relative to its keys."""
    wrong = [
        Fault(
            ("without", number),
            f"there is no node {name!r}",
            suggestion(name, written.nodes, "nodes"),
        )
        for number, name in enumerate(variant.without)
        if name not in written.nodes
    ]
    if wrong:
        raise NodeFaults(wrong)
    stream = scenario.spec.stream if variant.stream is None else variant.stream
    unrolled, seen, faults = along_stream(stream, without(written, variant.without))
    if faults or not isinstance(unrolled, Unrolled):
        raise NodeFaults(faults)
    # Evidence of no step holds for any stream; that of a step belongs to the scenario's own.
    same = variant.stream is None
    others = {n: o for n, o in scenario.seen.items() if same or step_of(n) is None}
    kept = {n: o for n, o in others.items() if n in unrolled.nodes}
    return Trial(label, f" in {label}", unrolled, {**kept, **seen})


@dataclass(frozen=True)
class Outcome:
    """A trial and what came of it, by propagation and exactly."""

    trial: Trial
    found: Filtered
    exact: Filtered | None

    def probabilities(self, filtered: Filtered) -> FloatArray:
        """Probability of each input before it arrived, in the order of ``inputs``."""
        return np.array(
            [
                self._probability(name, step, filtered.predicted[step - 1][name])
                if step <= len(filtered.predicted) and filtered.predicted[step - 1]
                else np.nan
                for name, step in self.trial.inputs()
            ]
        )

    def base_probabilities(self) -> FloatArray:
        """The same by base rates."""
        bases = self.trial.society.written.bases
        return np.array([self._probability(n, step, bases[n]) for n, step in self.trial.inputs()])

    def _probability(self, name: str, step: int, predicted: FloatArray) -> float:
        logs = self.trial.seen[at_step(name, step)].log_likelihood
        if logs is None:
            return float("nan")
        return float(predicted @ np.exp(logs - logs.max()))

    def completed(self, name: str) -> float:
        """Largest smoothed belief in the last phase; 0 where the stream was ruled out."""
        return max((float(step[name][-1]) for step in self.found.smoothed), default=0.0)

    def worst_difference(self) -> float:
        """Largest difference of any belief from the exact one; infinite where one was ruled out."""
        if self.exact is None or self.exact.contradicted != self.found.contradicted:
            return np.inf
        mine, other = self.found, self.exact
        pairs = zip(
            (*mine.predicted, *mine.filtered, *mine.smoothed),
            (*other.predicted, *other.filtered, *other.smoothed),
            strict=True,
        )
        return max(
            (float(np.abs(one[n] - two[n]).max()) for one, two in pairs for n in one), default=0.0
        )


def _findings(outcomes: Sequence[Outcome], exact: bool) -> Findings:
    numbers: dict[str, float] = {}
    curves: dict[str, FloatArray] = {}
    notes = []
    rows = _rows(outcomes)
    for number, outcome in enumerate(outcomes):
        losses, base = _losses(outcome, outcome.found), _base_losses(outcome)
        _enter_numbers(outcome, losses, base, numbers)
        curves[f"loss {number}"] = _per_step(outcome, losses)
        curves[f"base loss {number}"] = _per_step(outcome, base)
        if outcome.exact is not None:
            curves[f"exact loss {number}"] = _per_step(outcome, _losses(outcome, outcome.exact))
        curves[f"filtered {number}"] = _phases(outcome, outcome.found.filtered, rows)
        curves[f"smoothed {number}"] = _phases(outcome, outcome.found.smoothed, rows)
        notes.append(_note(outcome, losses, base))
    if exact:
        numbers["worst difference"] = max(outcome.worst_difference() for outcome in outcomes)
        notes.append(f"no belief is off by more than {numbers['worst difference']:.1e}")
    numbers["unsettled"] = float(sum(outcome.found.unsettled for outcome in outcomes))
    labels = {
        "trials": tuple(outcome.trial.label for outcome in outcomes),
        "rows": tuple(f"{name} {state}" for name, state in rows),
        "owners": tuple(name for name, _ in rows),
    }
    for number, outcome in enumerate(outcomes):
        labels[f"inputs {number}"] = _inputs(outcome)
    return Findings("prediction", numbers, curves, labels, tuple(notes))


def _enter_numbers(
    outcome: Outcome, losses: FloatArray, base: FloatArray, numbers: dict[str, float]
) -> None:
    end = outcome.trial.suffix
    numbers[f"loss{end}"] = _mean(losses)
    numbers[f"base loss{end}"] = _mean(base)
    for name in outcome.trial.sequences():
        numbers[f"{name} completed{end}"] = outcome.completed(name)
    probabilities = outcome.probabilities(outcome.found)
    for (name, step), probability in zip(outcome.trial.inputs(), probabilities, strict=True):
        numbers[f"{at_step(name, step)}{end}"] = float(probability)


def _note(outcome: Outcome, losses: FloatArray, base: FloatArray) -> str:
    label, ruled_out = outcome.trial.label, outcome.found.contradicted
    if ruled_out:
        return f"{label}: the model rules out what came at step {ruled_out}"
    said = f"{label}: {_mean(losses):.2f} nats per input, {_mean(base):.2f} by base rates"
    done = [f"{n} {outcome.completed(n):.2f}" for n in outcome.trial.sequences()]
    return f"{said}; completed: {', '.join(done)}" if done else said


def _losses(outcome: Outcome, filtered: Filtered) -> FloatArray:
    with np.errstate(divide="ignore"):
        found: FloatArray = -np.log(outcome.probabilities(filtered))
    return found


def _base_losses(outcome: Outcome) -> FloatArray:
    with np.errstate(divide="ignore"):
        found: FloatArray = -np.log(outcome.base_probabilities())
    return found


def _mean(losses: FloatArray) -> float:
    known = losses[~np.isnan(losses)]
    return float(known.mean()) if known.size else float("nan")


def _per_step(outcome: Outcome, losses: FloatArray) -> FloatArray:
    """Losses summed over what was streamed at each step; NaN where nothing was."""
    found = np.full(outcome.trial.society.steps, np.nan)
    for (_, step), loss in zip(outcome.trial.inputs(), losses, strict=True):
        found[step - 1] = loss + (0.0 if np.isnan(found[step - 1]) else found[step - 1])
    return found


def _rows(outcomes: Sequence[Outcome]) -> list[tuple[str, str]]:
    """Sequence and phase of each row of a map, over all trials."""
    found: dict[tuple[str, str], None] = {}
    for outcome in outcomes:
        written = outcome.trial.society.written
        for name in outcome.trial.sequences():
            found.update(dict.fromkeys((name, state) for state in written.domains[name][1:]))
    return list(found)


def _phases(
    outcome: Outcome, beliefs: Sequence[Mapping[str, FloatArray]], rows: list[tuple[str, str]]
) -> FloatArray:
    """Beliefs in phases, shape (rows, steps); NaN where a sequence is left out."""
    found = np.full((len(rows), outcome.trial.society.steps), np.nan)
    domains = outcome.trial.society.written.domains
    for row, (name, state) in enumerate(rows):
        for column, belief in enumerate(beliefs):
            if name in belief:
                found[row, column] = belief[name][domains[name].index(state)]
    return found


def _inputs(outcome: Outcome) -> tuple[str, ...]:
    """What was streamed at each step, in words."""
    found = [""] * outcome.trial.society.steps
    for name, step in outcome.trial.inputs():
        text = outcome.trial.seen[at_step(name, step)].text
        found[step - 1] += f", {text}" if found[step - 1] else text
    return tuple(found)
