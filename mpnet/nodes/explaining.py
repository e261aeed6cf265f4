"""Explanations in place: the noisy OR that joins all who explain one token."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from mpnet.factors import NoisyOr
from mpnet.kernels.layout import FloatArray
from mpnet.nodes.base import Explanation, Node, NodeFaults, Prediction, Surroundings, fault


@dataclass(frozen=True)
class Cause:
    """An explanation in place: who gives it."""

    source: str
    explanation: Explanation

    @property
    def target(self) -> str:
        """The token that is explained."""
        return self.explanation.target

    def alone(self, base: FloatArray) -> FloatArray:
        """How the token is distributed if this cause alone is active: probabilities, shape (2,).

        ``base`` are the token's base rates; the second is the leak.
        """
        off = base[0] * (1.0 - self.explanation.probability)
        return np.array([off, 1.0 - off])

    def as_prediction(self, base: FloatArray) -> Prediction:
        """A prediction that says the same if its owner alone is active; base rates as above."""
        return Prediction(self.target, self.alone(base), 1.0, self.explanation.path)


def noisy_ors(causes: Iterable[Cause], bases: Mapping[str, FloatArray]) -> dict[str, NoisyOr]:
    """The factor of each explained token over its causes, in the order in which they were given.

    Parameters
    ----------
    causes : iterable of Cause
        Those of all tokens.
    bases : mapping of str to float64[2]
        Base rates, probabilities.

    """
    together: dict[str, list[Cause]] = {}
    for cause in causes:
        together.setdefault(cause.target, []).append(cause)
    return {
        token: NoisyOr(
            token,
            [cause.source for cause in members],
            [cause.explanation.probability for cause in members],
            leak=float(bases[token][1]),
            name=f"{', '.join(cause.source for cause in members)} explain {token}",
        )
        for token, members in together.items()
    }


def causes_of(
    name: str, node: Node, around: Surroundings, predicted: Collection[str]
) -> list[Cause]:
    """What the node called ``name`` explains.

    Parameters
    ----------
    name : str
        The node.
    node : Node
        The node itself.
    around : Surroundings
        To look up the tokens.
    predicted : collection of str
        What the node predicts.

    Raises
    ------
    NodeFaults
        If it predicts what it explains.
    ValueError
        If it explains what its references leave out, or with no probability.

    """
    named = {reference.name for reference in node.references()}
    found = []
    for explanation in node.explanations(around):
        token = explanation.target
        if token not in named:
            raise ValueError(f"it explains {token!r}, which its references leave out")
        if len(around.states_of(token)) != 2:
            raise NodeFaults(())
        if not 0.0 <= explanation.probability <= 1.0:
            raise ValueError(f"{explanation.probability!r} is no probability")
        if token in predicted:
            what = f"{token!r} is predicted by the same model already"
            raise fault(explanation.path, what, "leave one of the two out", True)
        found.append(Cause(name, explanation))
    return found


def log_gain(active: FloatArray, base: FloatArray, log_likelihood: FloatArray | None) -> float:
    """What evidence about a target says for the one node that says how it is distributed.

    Parameters
    ----------
    active, base : float64[states]
        Distribution of the target if that node alone is active, and its base rates: probabilities.
    log_likelihood : float64[states] or None
        Of the evidence, in nats; None where nothing was observed.

    Returns
    -------
    float
        Log of the ratio of the probabilities of the evidence, in nats; may be infinite.

    """
    logs = np.zeros(base.size) if log_likelihood is None else log_likelihood
    weights = np.exp(logs - logs.max())
    here, there = float(weights @ active), float(weights @ base)
    if here == 0.0:
        return -math.inf
    return math.inf if there == 0.0 else math.log(here / there)
