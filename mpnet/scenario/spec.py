"""The scenario format, version 1, without the node types: those bring their own keys."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from mpnet.names import Name
from mpnet.quantities import bytes_of

FORMAT = 1

OF_NODES = ("belief", "gain")
"""Measures of one node; others are of the run as a whole."""

LATEST = 10**5
"""Iteration of a moment, at most: a row is kept for each."""

Status = Literal["converged", "oscillating", "max_iterations", "stalled", "inconsistent"]


class Part(BaseModel):
    """Base of all parts: no unknown keys, no conversions, no NaN, never changed."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


def _damping(value: Any) -> float | str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value == "auto" or (number and 0.0 <= value < 1.0):
        return value if value == "auto" else float(value)
    raise ValueError(f"must be a number in [0, 1) or auto, got {value!r}")


Damping = Annotated[
    Any,
    PlainValidator(_damping),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "minimum": 0, "exclusiveMaximum": 1}, {"const": "auto"}]}
    ),
]


class Inference(Part):
    """How beliefs are computed."""

    estimator: str = Field(
        "clamped",
        description="flat, clamped (flat, then each node in question held), mixture, region, "
        "trw, mean_field, double_loop or exact.",
    )
    schedule: str = Field("flooding", description="Order in which messages move.")
    damping: Damping = Field(
        0.0,
        description="Weight of the old message, in [0, 1); auto: none, or as little as converges.",
    )
    tolerance: float = Field(
        1e-8, gt=0.0, le=1.0, description="Undamped residual to converge at, in nats."
    )
    max_iterations: int = Field(1000, ge=1, le=10**7, description="Sweeps before giving up.")
    seed: int = Field(0, ge=0, lt=2**63, description="Seed of every random choice.")
    loss: float = Field(
        0.0, ge=0.0, lt=1.0, description="Share of messages that get lost (asynchronous)."
    )
    delay: float = Field(
        0.0, ge=0.0, le=1e6, description="Mean delay of a message, in iterations (asynchronous)."
    )
    starts: int = Field(8, ge=1, le=10**5, description="Starts of the estimator mixture.")
    i_bound: int | None = Field(
        None, ge=1, description="Most variables of a cluster (region); by memory if left out."
    )
    memory: str = Field("2GB", description="Most memory for tables (region), such as 500MB.")
    on_failure: Literal["stop", "ladder"] = Field(
        "stop", description="Where a run does not converge: stop, or climb the fallback ladder."
    )
    ask: list[Name] = Field(
        default_factory=list, description="Nodes in question, besides composites and expect."
    )
    compile: bool = Field(True, description="Whether to simplify the graph first.")
    exact: Literal["auto", "always", "never"] = Field(
        "auto", description="Exact answers beside: where enumeration is cheap, always, or never."
    )

    @field_validator("memory")
    @classmethod
    def _size(cls, value: str) -> str:
        bytes_of(value)
        return value


class Expectation(Part):
    """One thing that must be true of the result."""

    status: Status | None = Field(None, description="The verdict.")
    events: list[str] | None = Field(
        None,
        min_length=1,
        description="Kinds of events that happen in this order, such as awaken; awaken dog names one.",
    )
    after: Name | None = Field(
        None, description="Label of a moment of the timeline: beliefs once that has settled."
    )
    node: Name | None = Field(None, description="The node looked at.")
    state: str | None = Field(None, description="Its state; active where left out.")
    winner: str | None = Field(
        None, description="Most believed state of `node`, or node most active of `among`."
    )
    among: list[Name] | None = Field(None, description="The rivals of `winner`.", min_length=2)
    measure: str = Field(
        "belief",
        description="belief (probability), gain (log-odds minus prior log-odds, nats), accuracy of "
        "the batch, or a number that the experiment measures.",
    )
    estimator: Literal["flat", "clamped", "exact"] | None = Field(
        None, description="Whose gain; the run's own estimator where left out."
    )
    above: float | None = Field(None, description="The number must be larger.")
    below: float | None = Field(None, description="The number must be smaller.")
    near: float | None = Field(None, description="The number must be within `tolerance` of this.")
    tolerance: float = Field(0.01, gt=0.0, description="What `near` allows.")

    @model_validator(mode="after")
    def _one_claim(self) -> Expectation:
        bounds = [b for b in (self.above, self.below, self.near) if b is not None]
        if self.events is not None:
            if bounds or self.status or self.node or self.winner is not None or self.after:
                raise ValueError("events stand alone; write other claims as lines of their own")
        elif self.status is not None:
            if bounds or self.node or self.winner is not None or self.among:
                raise ValueError("status stands alone; write other claims as lines of their own")
        elif self.winner is not None:
            if bounds or (self.node is None) == (self.among is None):
                raise ValueError("winner goes with either node or among, and with no number")
        elif not bounds:
            raise ValueError("nothing is claimed; add status, winner, above, below or near")
        elif (self.node is None) == (self.measure in OF_NODES):
            raise ValueError("belief and gain belong to a node; other measures stand without one")
        if self.after is not None and (self.status or self.measure != "belief"):
            raise ValueError("after goes with a belief or a winner")
        if self.estimator is not None and self.measure != "gain":
            raise ValueError("estimator goes with measure: gain only")
        return self


class Batch(Part):
    """Many evidence sets on one society."""

    node: Name = Field(description="The node whose evidence varies.")
    cases: str | list[Case] = Field(
        description="A named set of that node (such as held_out), or a list of cases."
    )
    answer: Name = Field(description="The node whose most believed state is the answer.")


class Case(Part):
    """One evidence set of a batch."""

    evidence: Any = Field(description="What is observed, as under evidence.")
    truth: str | None = Field(None, description="The right answer, where it is known.")


class Entry(Part):
    """What happens at one moment of a timeline; all of it at once."""

    label: Name | None = Field(None, description="What expect calls the time after it.")
    at: Literal["settled"] | int = Field(
        "settled", description="When: at an iteration, or once messages have settled."
    )
    evidence: dict[str, Any] = Field(
        default_factory=dict, description="Observed from now on, as under evidence."
    )
    withdraw: list[Name] = Field(default_factory=list, description="Observed no more.")
    do: dict[Name, str] = Field(
        default_factory=dict, description="node: state that it is set to, whatever is said of it."
    )
    undo: list[Name] = Field(default_factory=list, description="Nodes that are let go again.")
    add: dict[Name, dict[str, Any]] = Field(
        default_factory=dict, description="Nodes that join, as under nodes."
    )
    remove: list[Name] = Field(default_factory=list, description="Nodes that leave for good.")

    @field_validator("at")
    @classmethod
    def _in_reach(cls, value: str | int) -> str | int:
        if isinstance(value, int) and not 0 <= value <= LATEST:
            raise ValueError(f"an iteration is between 0 and {LATEST}, got {value}")
        return value

    @model_validator(mode="after")
    def _something_happens(self) -> Entry:
        parts = (self.evidence, self.withdraw, self.do, self.undo, self.add, self.remove)
        if not any(parts):
            raise ValueError("nothing happens; add evidence, withdraw, do, undo, add or remove")
        return self


class Lifecycle(Part):
    """Which models begin asleep, and when models wake, go and compose."""

    asleep: list[Name] | Literal["all"] = Field(
        "all", description="The library: models that begin asleep; all, or these."
    )
    wake_above: float = Field(
        0.1, gt=0.0, description="Gain in log Z above which a model wakes, in nats."
    )
    sleep_below: float = Field(
        0.02, ge=0.0, description="Loss of log Z below which a model goes again, in nats."
    )
    fight_below: float = Field(
        -1.0, lt=0.0, description="Compatibility below which two models are said to fight, in nats."
    )
    compose_above: float | None = Field(
        None,
        ge=0.0,
        description="Gain above which two active models compose, in nats; never if left out.",
    )

    @model_validator(mode="after")
    def _nobody_flickers(self) -> Lifecycle:
        if self.sleep_below >= self.wake_above:
            raise ValueError(
                "sleep_below must be less than wake_above, or models wake and go in turn"
            )
        return self


class Tracing(Part):
    """What a run keeps of its iterations, so that it can be drawn."""

    every: int = Field(1, ge=1, le=10**6, description="Keep every n-th iteration, and the last.")
    nodes: list[Name] | Literal["all", "asked"] = Field(
        "all",
        description="Nodes whose beliefs are kept: all, those in question, or these besides.",
    )
    precision: Literal["float64", "float32"] = Field(
        "float64", description="How beliefs are kept; float32 takes half the memory."
    )
    budget: str = Field(
        "256MB",
        description="Memory for beliefs over the iterations; where they don't fit, rows are thinned.",
    )

    @field_validator("budget")
    @classmethod
    def _size(cls, value: str) -> str:
        if bytes_of(value) == 0:
            raise ValueError("write a size above 0, such as 256MB")
        return value

    def follows(self, name: str, asked: Collection[str]) -> bool:
        """Whether the beliefs of a node are kept; a step of a node counts as the node."""
        if self.nodes == "all":
            return True
        written = name.rpartition("@")[0]
        chosen = () if self.nodes == "asked" else self.nodes
        return name in asked or name in chosen or written in chosen


class ScenarioSpec(Part):
    """A scenario: who is in the society, what is observed, and what should come of it."""

    mpnet: Literal[1] = Field(description="Version of this format.")
    name: Name = Field(description="Name of the scenario and of its run folders.")
    description: str = Field("", description="What it shows, in a sentence or two.")
    nodes: dict[Name, dict[str, Any]] = Field(
        description="The society by name; each has a type, and that type's own keys.", min_length=1
    )
    evidence: dict[str, Any] = Field(
        default_factory=dict, description="node: state, or node: {state: likelihood}."
    )
    stream: dict[Name, Annotated[list[Any], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="By feature, evidence at each step; null where nothing was observed.",
    )
    inference: Inference = Field(
        default_factory=lambda: Inference.model_validate({}), description="How to compute."
    )
    timeline: list[Entry] = Field(
        default_factory=list, description="What happens while it runs, one moment after another."
    )
    lifecycle: Lifecycle | None = Field(
        None, description="Lets models sleep, wake, go and compose while it runs."
    )
    batch: Batch | None = Field(None, description="Run many evidence sets instead of one.")
    experiment: dict[str, Any] | None = Field(
        None, description="A measurement beyond one run; has a type and that type's own keys."
    )
    expect: list[Expectation] = Field(
        default_factory=list, description="What must come out; the scenario is its own test."
    )
    plots: list[str] | None = Field(
        None, description="Figures to draw; those that apply if left out."
    )
    trace: Tracing = Field(
        default_factory=lambda: Tracing.model_validate({}),
        description="What is kept of the iterations.",
    )


Batch.model_rebuild()
ScenarioSpec.model_rebuild()
