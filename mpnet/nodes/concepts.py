"""Concepts learnt by counting: kinds, known members that inherit from them, and their features."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mpnet.errors import Fault
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.names import Name
from mpnet.nodes.base import Node, NodeFaults, Rule, Surroundings
from mpnet.nodes.conditional import conditional
from mpnet.nodes.norms import Norms, load_norms


class Learnt(NamedTuple):
    """What was counted: S concepts (an unknown member of each kind, then known ones), F features.

    Parameters
    ----------
    states : tuple of str
        Names of the concepts, S.
    kinds : tuple of str
        Names of the kinds, K.
    kind_of : int64[S]
        Kind of each concept.
    prior : float64[S]
        Probabilities of the concepts.
    features : tuple of str
        Names of the features, F.
    columns : int64[F]
        Their columns in the norms.
    applies : float64[S, F]
        Probability that a feature applies.

    """

    states: tuple[str, ...]
    kinds: tuple[str, ...]
    kind_of: IntArray
    prior: FloatArray
    features: tuple[str, ...]
    columns: IntArray
    applies: FloatArray


class Concepts(Node):
    """Concepts counted from a table of norms; brings the node of their kinds and all features."""

    kind: ClassVar[str] = "choice"
    in_question: ClassVar[bool] = True

    table: Literal["leuven", "zoo"] = Field(
        "leuven", description="leuven: 129 animals, 764 features; zoo: 101 animals, 21 features."
    )
    kinds: Name = Field("kind", description="Name of the node, brought along, of their kinds.")
    members: bool = Field(
        True, description="Whether known members are concepts of their own, besides their kinds."
    )
    unknown: float = Field(
        0.3, gt=0.0, lt=1.0, description="Probability of a member of a kind that nobody knows."
    )
    inherit: float = Field(
        1.0, gt=0.0, description="Weight of its kind in what a member is, in raters."
    )
    held_out: float = Field(0.0, ge=0.0, lt=0.9, description="Share of members not learnt from.")
    seed: int = Field(0, ge=0, description="Seed of what is held out, the same on every machine.")

    def norms(self) -> Norms:
        """The table, with what is held out."""
        return load_norms(self.table)

    def training(self) -> NDArray[np.bool_]:
        """Which concepts of the table are learnt from, shape (N,)."""
        return split(len(self.norms().concepts), self.held_out, self.seed)

    def learnt(self) -> Learnt:
        """What was counted."""
        weights = self.unknown if self.members else 1.0, self.inherit
        return count(self.norms(), self.held_out, self.seed, self.members, *weights)

    def brings(self, name: str) -> dict[str, dict[str, Any]]:
        """The kinds, and a feature for each column that is true of anybody learnt from."""
        found = self.learnt()
        if self.kinds in found.features or self.kinds == name:
            taken = "a feature of the table" if self.kinds != name else "this node itself"
            raise NodeFaults([Fault(("kinds",), f"{self.kinds!r} is the name of {taken}")])
        shares = np.bincount(found.kind_of, found.prior, len(found.kinds))
        kinds = {kind: float(share) for kind, share in zip(found.kinds, shares, strict=True)}
        nodes: dict[str, dict[str, Any]] = {
            self.kinds: {"type": "feature", "states": list(found.kinds), "base_rates": kinds}
        }
        for feature, rate in zip(found.features, found.prior @ found.applies, strict=True):
            nodes[feature] = {"type": "feature", "base_rates": {"yes": float(rate)}}
        return nodes

    def domain(self) -> tuple[str, ...]:
        """Names of the concepts."""
        return self.learnt().states

    def rates(self, around: Surroundings) -> FloatArray:
        """Kinds as often as in the table; in each, unknown members, then known ones alike."""
        return self.learnt().prior

    def rules(self, name: str, around: Surroundings) -> list[Rule]:
        """Each concept says its kind for certain, and how likely each feature applies."""
        found = self.learnt()
        self._check_brought(found, around)
        sure = np.eye(len(found.kinds))[found.kind_of]
        base = around.base_rates_of(self.kinds)
        rules = [conditional(name, self.kinds, sure, base, hard=True)]
        for feature, p in zip(found.features, found.applies.T, strict=True):
            rows = np.column_stack([1.0 - p, p])
            rules.append(conditional(name, feature, rows, around.base_rates_of(feature)))
        return rules

    def _check_brought(self, found: Learnt, around: Surroundings) -> None:
        """Nodes that the scenario wrote in place of brought ones must have their states."""
        wanted = {self.kinds: found.kinds} | dict.fromkeys(found.features, ("no", "yes"))
        faults = []
        for node, states in wanted.items():
            if around.states_of(node) != states:
                what = f"it needs a node {node!r} with the states {', '.join(states)}"
                faults.append(Fault((), what))
            elif not (around.base_rates_of(node) > 0.0).all():
                faults.append(Fault((), f"a state of {node!r} has the base rate 0, but occurs"))
        if faults:
            raise NodeFaults(faults)


@cache
def split(number: int, held_out: float, seed: int) -> NDArray[np.bool_]:
    """Which of ``number`` rows are for training, shape (number,)."""
    # Raw bits of a bit generator never change between versions of numpy; `permutation` may.
    order = np.argsort(np.random.PCG64(seed).random_raw(number), kind="stable")
    training = np.ones(number, dtype=np.bool_)
    training[order[: round(held_out * number)]] = False
    return training


@cache
def count(
    norms: Norms, held_out: float, seed: int, members: bool, unknown: float, inherit: float
) -> Learnt:
    """Count how often features apply to kinds and to known members.

    A kind's probabilities are counts of all raters of all its members, smoothed by one rater
    who goes by the whole table; a member's are its own counts, and ``inherit`` raters who go by
    its kind. So a member inherits whatever nobody asked about, and overrides what is known.

    Parameters
    ----------
    norms : Norms
        The table.
    held_out : float
        Share of members not learnt from.
    seed : int
        Of that split.
    members : bool
        Whether known members are concepts.
    unknown : float
        Probability of an unknown member, given the kind.
    inherit : float
        Weight of the kind in a member, in raters.

    """
    use = np.flatnonzero(split(len(norms.concepts), held_out, seed))
    columns = np.flatnonzero(norms.counts[use].sum(axis=0) > 0)
    counts, raters = norms.counts[np.ix_(use, columns)], norms.raters
    kinds = tuple(sorted({norms.kinds[row] for row in use}))
    own = np.array([kinds.index(norms.kinds[row]) for row in use])
    sizes, by_kind = _by_kind(counts, own, raters)
    states, kind_of = [f"another {kind}" for kind in kinds], np.arange(len(kinds))
    prior, applies = unknown * sizes / sizes.sum(), by_kind
    if members:
        states, kind_of = states + [norms.concepts[row] for row in use], np.append(kind_of, own)
        prior = np.append(prior, np.full(len(own), (1.0 - unknown) / len(own)))
        known = (counts + inherit * by_kind[own]) / (raters + inherit)
        applies = np.concatenate([by_kind, known])
    features = tuple(norms.features[c] for c in columns)
    return Learnt(tuple(states), kinds, kind_of, prior, features, columns, applies)


def _by_kind(counts: FloatArray, own: IntArray, raters: int) -> tuple[FloatArray, FloatArray]:
    """How many members each kind has (K,), and how likely each feature applies to one (K, F)."""
    overall = (counts.sum(axis=0) + 0.5) / (raters * len(own) + 1.0)
    belongs = np.eye(int(own.max()) + 1)[own]
    sizes = belongs.sum(axis=0)
    return sizes, (belongs.T @ counts + overall) / (raters * sizes + 1.0)[:, None]
