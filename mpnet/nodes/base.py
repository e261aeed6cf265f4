"""What a node type answers. Everything else about a type stays in its own file.

A node type is a class that inherits ``Node``: its fields are the keys that authors may write, its
methods say what variable it owns, what it predicts and how evidence about it is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict

from mpnet.content import Kind
from mpnet.errors import Fault
from mpnet.kernels.layout import FloatArray
from mpnet.names import suggestion

ACTIVATION = ("inactive", "active")
"""States of a node that can be asleep or awake."""

DISTRIBUTION_SLACK = 1e-6
"""How far the sum of a distribution may be from 1 before it is refused."""

Path = tuple[str | int, ...]


class NodeFaults(Exception):  # noqa: N818 - it carries faults, as ScenarioError does
    """Faults found by a node; paths are relative to the node's keys, or to its evidence."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(fault.what for fault in faults))
        self.faults = tuple(faults)


def moved(error: NodeFaults, *prefix: str | int) -> NodeFaults:
    """The same faults, found below ``prefix``."""
    return NodeFaults([replace(f, path=(*prefix, *f.path)) for f in error.faults])


def fault(path: Path, what: str, hint: str = "", on_key: bool = False) -> NodeFaults:
    """One fault, ready to raise."""
    return NodeFaults([Fault(path, what, hint, on_key)])


@dataclass(frozen=True)
class Reference:
    """Another node that a node names, where, and what it must have.

    ``needs`` is ``states`` (any variable), ``activation`` (states inactive and active),
    ``token`` (off and on, whatever they are called) or ``data`` (observed, but no variable).
    """

    name: str
    path: Path
    needs: str = "states"


@dataclass(frozen=True)
class Prediction:
    """If its owner is active, ``target`` follows ``distribution``, held with ``confidence``.

    Parameters
    ----------
    target : str
        A node with a variable.
    distribution : float64[states]
        Probabilities of the target's states.
    confidence : float
        Precision >= 0; 1 means exactly as stated, 0 says nothing.
    path : tuple
        Where it is written, inside the owner's keys.
    when : int
        The owner's state, by number, in which it predicts this: 1 is active, or a phase.

    """

    target: str
    distribution: FloatArray
    confidence: float = 1.0
    path: Path = ()
    when: int = 1

    def log_ratio(self, base: FloatArray) -> FloatArray:
        """Log of r(x) = (p(x)/q(x))^c / Z with sum_x q(x) r(x) = 1, in nats, shape (states,).

        ``base`` are the target's base rates q; states with q = 0 get 0, for they never occur.
        """
        possible = base > 0.0
        ratio = np.zeros(base.size)
        if self.confidence > 0.0:
            with np.errstate(divide="ignore"):
                logs = np.log(self.distribution[possible]) - np.log(base[possible])
            ratio[possible] = self.confidence * logs
        peak = ratio[possible].max()
        total = float(np.sum(base[possible] * np.exp(ratio[possible] - peak)))
        ratio[possible] -= peak + np.log(total)
        return ratio


@dataclass(frozen=True)
class Explanation:
    """If its owner is active, it turns ``target`` on with ``probability``, whoever else is active.

    All that explain one token are joined by a noisy OR, whose leak is the token's base rate of on:
    p(on | active) = 1 - (1 - leak) * product of (1 - probability) over those that are active.

    Parameters
    ----------
    target : str
        A token: a node with two states, the second of which is "on".
    probability : float
        In [0, 1].
    path : tuple
        Where it is written, inside the owner's keys.

    """

    target: str
    probability: float
    path: Path = ()


@dataclass(frozen=True)
class Rule:
    """A constraint over the variables of the named nodes: log potentials (nats), or a factor kind.

    ``table`` has one axis per node of ``scope``; where it is None, ``kind`` is the factor, with
    variables called like the nodes. ``hard`` is false for what is only likely, such as a table of
    conditional probabilities. ``by`` is shown as the node that rules; the first where it is empty.
    ``about`` is the node that it is the mechanism of, so that setting that node cuts it off; empty
    for a constraint.
    """

    name: str
    scope: tuple[str, ...]
    table: FloatArray | None = None
    kind: Kind | None = None
    hard: bool = True
    by: str = ""
    about: str = ""


@dataclass(frozen=True)
class Observation:
    """Evidence about one node: a log-likelihood per state (nats), or data; and words for it."""

    text: str
    log_likelihood: FloatArray | None = None
    data: Any = None
    notes: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


class Surroundings(Protocol):
    """What a node may ask about the others."""

    def states_of(self, name: str) -> tuple[str, ...]:
        """States of a node; empty where it owns no variable."""
        ...

    def base_rates_of(self, name: str) -> FloatArray:
        """Base rates of a node's states, probabilities, shape (states,)."""
        ...

    def node(self, name: str) -> Node:
        """The node itself."""
        ...


class Node(BaseModel):
    """Base of all node types; inherit, declare the keys as fields, override what differs.

    The first line of a type's docstring is what ``mpnet list nodes`` shows. *Evolving.*
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    kind: ClassVar[str] = "model"
    """How figures draw it: feature, model, composite, choice or data."""
    api: ClassVar[int] = 1
    """Version of this interface that the type was written for."""
    type_name: ClassVar[str] = ""
    """What scenarios call it where it comes from a file; the class in small letters if empty."""
    in_question: ClassVar[bool] = False
    """Whether every run asks about nodes of this type."""
    in_time: ClassVar[bool] = False
    """Whether its variable at one step of a stream depends on that at the step before."""

    def references(self) -> list[Reference]:
        """Other nodes named by this one's keys."""
        return []

    def brings(self, name: str) -> dict[str, dict[str, Any]]:
        """Other nodes that come with the one called ``name``, written as in a scenario.

        A node that the scenario itself writes takes the place of a brought one of its name.
        What is brought brings no others.
        """
        return {}

    def domain(self) -> tuple[str, ...]:
        """States of the variable that the node owns; empty if it owns none."""
        return ACTIVATION

    def rates(self, around: Surroundings) -> FloatArray:
        """Probabilities of the states when nobody predicts anything, shape (states,)."""
        raise TypeError(f"{type(self).__name__} has states and must say their base rates")

    def transition(self, around: Surroundings) -> FloatArray:
        """Probability of each state at the next step given this step's; for nodes in time.

        Shape (states, states), rows sum to 1; ``rates`` must be what it leaves as it is.
        """
        raise TypeError(f"{type(self).__name__} is in time and must say how it goes on")

    def unary(self, around: Surroundings) -> FloatArray:
        """Log potential that the node itself puts on its variable, in nats."""
        with np.errstate(divide="ignore"):
            logs: FloatArray = np.log(self.rates(around))
        return logs

    def predictions(self, around: Surroundings) -> list[Prediction]:
        """What the node predicts while it is active; only for nodes with an activation.

        Raises
        ------
        NodeFaults
            With every prediction that can't be meant.

        """
        return []

    def explanations(self, around: Surroundings) -> list[Explanation]:
        """Tokens that the node turns on while it is active; only for nodes with an activation.

        Raises
        ------
        NodeFaults
            With every explanation that can't be meant.

        """
        return []

    def rules(self, name: str, around: Surroundings) -> list[Rule]:
        """Constraints that the node called ``name`` brings."""
        return []

    def check(self, around: Surroundings) -> None:
        """Whatever else can be wrong once all names are known; raises ``NodeFaults``."""

    def observe(self, value: Any) -> Observation:
        """Read what stands under ``evidence`` for this node.

        Raises
        ------
        NodeFaults
            If it can't be evidence; paths are relative to the value.

        """
        return read_evidence(value, self.domain())

    def log_likelihood(
        self, seen: Mapping[str, Observation], around: Surroundings
    ) -> FloatArray | None:
        """Log-likelihood (nats, per state) of data that other nodes observed, or None."""
        return None

    def proposals(self, seen: Mapping[str, Observation], around: Surroundings) -> list[str]:
        """Names of models that are worth waking given what is seen, though their scores say no.

        Asked in runs with a lifecycle, once no score is promising; each is tried, and stays
        awake only if it is worth it.
        """
        return []

    def picture(self, seen: Mapping[str, Observation], around: Surroundings) -> FloatArray | None:
        """What the node thinks it saw, as a grey image (height, width), or None."""
        return None

    def cases(self, name: str) -> list[tuple[Any, str]]:
        """A named set of evidence values of this node, each with its right answer.

        Raises
        ------
        NodeFaults
            If the node has no such set.

        """
        raise fault((), f"this node has no set of cases called {name!r}", "write a list of cases")


def read_evidence(value: Any, states: tuple[str, ...]) -> Observation:
    """Hard evidence (a state) or soft evidence (likelihoods by state).

    Where some states are left out of a mapping, they share what is missing to 1 equally.

    Raises
    ------
    NodeFaults
        If a state is unknown or a likelihood is not in [0, 1] or none is positive.

    """
    if isinstance(value, str):
        if value not in states:
            raise fault((), f"unknown state {value!r}", suggestion(value, states, "states"))
        logs = np.full(len(states), -np.inf)
        logs[states.index(value)] = 0.0
        return Observation(value, logs)
    if not isinstance(value, dict):
        what = f"must be a state or a mapping of states to likelihoods, got {value!r}"
        words = [word for word in (str(value), str(value).lower()) if word in states]
        raise fault((), what, f'quote it: "{words[0]}"' if words else "")
    weights = read_distribution(value, states, None, sums_to_one=False)
    if not weights.any():
        raise fault((), "no state has a positive likelihood; the evidence rules everything out")
    with np.errstate(divide="ignore"):
        logs = np.log(weights)
    text = ", ".join(f"{s} {w:g}" for s, w in zip(states, weights, strict=True) if s in value)
    return Observation(text, logs)


def read_distribution(
    value: Mapping[str, Any],
    states: tuple[str, ...],
    base: FloatArray | None,
    sums_to_one: bool = True,
) -> FloatArray:
    """Probabilities by state; states left out share the rest by base rates (or equally).

    Raises
    ------
    NodeFaults
        With every unknown state, every value outside [0, 1] and a wrong sum.

    """
    faults = []
    for state, number in value.items():
        if state not in states:
            hint: str = suggestion(state, states, "states")
            if state == "confidence":
                hint = "write {distribution: {...}, confidence: ...}"
            faults.append(Fault((state,), f"unknown state {state!r}", hint, True))
        elif isinstance(number, bool) or not isinstance(number, int | float):
            faults.append(Fault((state,), f"must be a probability, got {number!r}"))
        elif not 0.0 <= number <= 1.0:
            faults.append(Fault((state,), f"must be a probability in [0, 1], got {number:g}"))
    if faults:
        raise NodeFaults(faults)
    total = float(sum(value.values()))
    left_out = [i for i, state in enumerate(states) if state not in value]
    result = np.array([float(value.get(state, 0.0)) for state in states])
    if left_out and total <= 1.0 + DISTRIBUTION_SLACK:
        share = np.ones(len(states)) if base is None else base
        part = share[left_out]
        if not part.any():
            part = np.ones(len(left_out))
        result[left_out] = max(0.0, 1.0 - total) * part / part.sum()
    elif (sums_to_one or left_out) and abs(total - 1.0) > DISTRIBUTION_SLACK:
        raise fault((), f"the probabilities sum to {total:g}, not 1")
    return result / result.sum() if sums_to_one and result.any() else result
