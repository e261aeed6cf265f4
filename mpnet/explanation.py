"""Why a node is believed: its log-odds as a sum of shares, as plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mpnet.display import ExplanationDisplay

KINDS = ("prior", "evidence", "neighbour", "together", "estimator")
"""What a share can come from, in the order in which shares are told."""


@dataclass(frozen=True)
class Share:
    """One share of the log-odds of a belief.

    Parameters
    ----------
    kind : str
        ``prior``; ``evidence``, an observed feature or what was seen of the node itself;
        ``neighbour``, another node alone; ``together``, what several neighbours say beyond the sum
        of each alone, as rivals that contradict one another do; ``estimator``, by how much the
        estimator of the run differs from the reference that the other shares come from.
    names : tuple of str
        The nodes it comes from.
    nats : float
        The share: positive for support, negative for protest.
    left_out : float or None
        Leave-one-out: by how much the log-odds would fall if that node said nothing, in nats.
        None where that has no meaning.
    text : str
        The share in a few words.
    without : float or None
        What the belief in the state would be if that node said nothing, a probability, for nodes
        with two states; None where that has no meaning.

    """

    kind: str
    names: tuple[str, ...]
    nats: float
    left_out: float | None = None
    text: str = ""
    without: float | None = None


@dataclass(frozen=True, repr=False)
class Explanation(ExplanationDisplay):
    """The log-odds of one state of a node against another, split into shares.

    Parameters
    ----------
    node : str
        Whose belief it is.
    state, against : str
        The log-odds are log p(state) / p(against).
    log_odds : float
        As the run believes, in nats; the sum of the shares, within 1e-6. Infinite where a state is
        forced: then the shares are those that force it, infinite as well.
    belief : float
        Probability of the state, as the run believes.
    shares : tuple of Share
        Prior first, then by size within each kind.
    reference : str
        Where the shares come from: ``exact``, or ``clamped`` where exact answers are out of reach.
    headline : str
        The reason in one sentence.
    notes : tuple of str
        What keeps the belief or the shares from being trusted, a sentence each.

    """

    node: str
    state: str
    against: str
    log_odds: float
    belief: float
    shares: tuple[Share, ...]
    reference: str
    headline: str
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """Sum of the shares, in nats."""
        return math.fsum(share.nats for share in self.shares)

    @property
    def forced(self) -> bool:
        """Whether evidence or a rule leaves only one of the two states."""
        return not math.isfinite(self.log_odds)


def near(probability: float) -> str:
    """A probability with two or three digits of what matters: ``0.61``, ``3e-05``, ``1 - 2.6e-06``."""
    if 0.9995 < probability < 1.0:
        return f"1 - {1.0 - probability:.2g}"
    return f"{probability:.3g}" if probability < 0.9995 else "1"
