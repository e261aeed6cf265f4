"""A model: a small generative model that is asleep or active, and predicts while active."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from mpnet.errors import Fault
from mpnet.kernels.layout import FloatArray
from mpnet.names import suggestion
from mpnet.nodes.base import (
    ACTIVATION,
    Explanation,
    Node,
    NodeFaults,
    Prediction,
    Reference,
    Surroundings,
    fault,
    moved,
    read_distribution,
)
from mpnet.nodes.phases import read_awake

WRITTEN = (
    "write a state, {state: probability}, {will: probability}, {wont: probability} "
    "or {distribution: {...}, confidence: ...}"
)
SURE = 0.95
"""Probability of a state that is predicted by its name alone."""


class Model(Node):
    """A generative model: awake at a cost, it predicts features or other nodes."""

    prior: float = Field(
        0.05,
        gt=0.0,
        lt=1.0,
        description="Probability of being active before any evidence; its log-odds are the cost.",
    )
    predicts: dict[str, Any] = Field(
        default_factory=dict, description=f"By node, what follows while active: {WRITTEN}."
    )
    explains: dict[str, Annotated[float, Field(ge=0.0, le=1.0)]] = Field(
        default_factory=dict,
        description="By token (a node with two states), probability that this model by itself turns "
        "it on while active; all that explain a token are joined by a noisy OR.",
    )

    def references(self) -> list[Reference]:
        """Every node that is predicted or explained."""
        predicted = [Reference(target, ("predicts", target)) for target in self.predicts]
        return predicted + [Reference(t, ("explains", t), "token") for t in self.explains]

    def rates(self, around: Surroundings) -> FloatArray:
        """Inactive and active, by the prior."""
        return np.array([1.0 - self.prior, self.prior])

    def predictions(self, around: Surroundings) -> list[Prediction]:
        """One per key of ``predicts``."""
        found, faults = [], []
        for target, written in self.predicts.items():
            path = ("predicts", target)
            try:
                found.append(read_prediction(target, written, path, around))
            except NodeFaults as error:
                faults += list(moved(error, *path).faults)
        if faults:
            raise NodeFaults(faults)
        return found

    def explanations(self, around: Surroundings) -> list[Explanation]:
        """One per key of ``explains``."""
        return [Explanation(token, p, ("explains", token)) for token, p in self.explains.items()]


def read_prediction(
    target: str, written: Any, path: tuple[str | int, ...], around: Surroundings
) -> Prediction:
    """Read one prediction in any of its forms.

    Parameters
    ----------
    target : str
        The node that is predicted.
    written : object
        What stands in the scenario.
    path : tuple
        Where it stands, inside the owner's keys.
    around : Surroundings
        To look up the target's states and base rates.

    Raises
    ------
    NodeFaults
        If it is none of the forms or no distribution; paths are relative to ``written``.

    """
    confidence = 1.0
    if isinstance(written, Mapping) and "distribution" in written:
        confidence = _read_confidence(written)
        try:
            distribution = _read_form(target, written["distribution"], around)
        except NodeFaults as error:
            raise moved(error, "distribution") from None
    else:
        distribution = _read_form(target, written, around)
    _refuse_impossible(target, distribution, around)
    return Prediction(target, distribution, confidence, path)


def _read_confidence(written: Mapping[str, Any]) -> float:
    for key in written:
        if key not in ("distribution", "confidence"):
            raise fault((key,), f"unknown key {key!r}", "keys: distribution, confidence", True)
    value = written.get("confidence", 1.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < np.inf:
        raise fault(("confidence",), f"must be a number >= 0, got {value!r}")
    return float(value)


def _read_form(target: str, written: Any, around: Surroundings) -> FloatArray:
    states, base = around.states_of(target), around.base_rates_of(target)
    if around.node(target).in_time:
        written = read_awake(written, base, SURE)
    if isinstance(written, str):
        if written not in states:
            hint = suggestion(written, states, "states")
            raise fault((), f"unknown state {written!r} of {target!r}", hint)
        written = {written: SURE} if len(states) > 1 else {written: 1.0}
    if not isinstance(written, Mapping):
        raise fault((), f"can't be read as a prediction, got {written!r}", WRITTEN)
    if len(written) == 1 and states == ACTIVATION:
        word = next(iter(written))
        if word in ("will", "wont"):
            return _read_will(target, word, written[word], base)
    return read_distribution(written, states, base)


def _read_will(target: str, word: str, number: Any, base: FloatArray) -> FloatArray:
    """``will: p`` makes active more likely than its prior, ``wont: p`` makes inactive so."""
    state = "active" if word == "will" else "inactive"
    try:
        distribution = read_distribution({state: number}, ACTIVATION, base)
    except NodeFaults as error:
        faults = [Fault((word,), f.what, f.hint) for f in error.faults]
        raise NodeFaults(faults) from None
    before = float(base[ACTIVATION.index(state)])
    if float(number) <= before:
        raise fault(
            (word,),
            f"{word}: {number:g} makes {target!r} no more {state} than its prior, {before:g}",
            f"write a number above {before:g}",
        )
    return distribution


def _refuse_impossible(target: str, distribution: FloatArray, around: Surroundings) -> None:
    base = around.base_rates_of(target)
    for state, p, q in zip(around.states_of(target), distribution, base, strict=True):
        if p > 0.0 and q == 0.0:
            what = f"predicts {state!r}, whose base rate is 0"
            raise fault((), what, f"give {state!r} of {target!r} a positive base rate")
