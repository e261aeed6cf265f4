"""Recognising kinds of concepts never met, from some of their features, some of which are wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from sklearn.naive_bayes import BernoulliNB
from sklearn.neighbors import KNeighborsClassifier

from mpnet.errors import Fault
from mpnet.estimators.base import Options, Problem, ignore
from mpnet.estimators.flat import Flat
from mpnet.graph import FactorGraph, freeze
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.names import Name
from mpnet.nodes.base import NodeFaults
from mpnet.nodes.bringing import brought_nodes
from mpnet.nodes.concepts import Concepts, Learnt
from mpnet.nodes.registry import node_types
from mpnet.record import Findings
from mpnet.simulation.experiments.base import Experiment, Tell
from mpnet.society import Society, assemble_society, make_nodes

if TYPE_CHECKING:
    from mpnet.simulation.loading import Scenario

SOCIETY, BAYES, NEIGHBOUR = "society", "naive Bayes", "nearest neighbour"


class Recognition(Experiment):
    """Held-out concepts recognised from few, noisy features; beside naive Bayes and 1-NN."""

    concepts: Name = Field("animal", description="The node of type concepts.")
    held_out: float = Field(0.34, gt=0.0, lt=0.9, description="Share of members held out.")
    splits: int = Field(3, ge=1, le=100, description="Splits into learnt and held out.")
    seen: list[float] = Field(
        default_factory=lambda: [0.02, 0.05, 0.1, 0.2, 0.5],
        min_length=1,
        description="Shares of the features that are seen, in (0, 1].",
    )
    views: int = Field(
        4, ge=1, le=100, description="Draws of the features seen, at each share and split."
    )
    wrong: list[float] = Field(
        default_factory=lambda: [0.0, 0.2],
        min_length=1,
        description="Shares of what is seen that is flipped, in [0, 0.5).",
    )
    doubts: list[float] = Field(
        default_factory=lambda: [0.01, 0.1, 0.25],
        min_length=1,
        description="Shares of wrong features that the society reckons with, in (0, 0.5).",
    )

    def measures(self, scenario: Scenario) -> Mapping[str, str]:
        """Accuracies of all three at each share, and log losses."""
        found = {}
        for who, wrong, seen in self._cells():
            found[_cell(who, wrong, seen)] = "share of held-out concepts given their kind"
        for wrong in self.wrong:
            for who in (SOCIETY, BAYES):
                found[f"{who} loss, {wrong:g} wrong"] = "mean -log belief in the right kind, nats"
            for who in (SOCIETY, BAYES, NEIGHBOUR):
                found[f"{who}, {wrong:g} wrong"] = "accuracy over all shares seen"
            for who in (BAYES, NEIGHBOUR):
                found[f"lead over {who}, {wrong:g} wrong"] = "accuracy over all shares, less theirs"
        return found

    def check(self, scenario: Scenario) -> None:
        """Whether there is such a node, and shares are shares."""
        faults = []
        if not isinstance(scenario.society.nodes.get(self.concepts), Concepts):
            what = f"{self.concepts!r} is not a node of type concepts"
            faults.append(Fault(("concepts",), what))
        for key, low, high in (("seen", 0.0, 1.0), ("wrong", -1e-12, 0.5), ("doubts", 0.0, 0.5)):
            for number, share in enumerate(getattr(self, key)):
                if not low < share <= high:
                    what = f"must be a share up to {high:g}, got {share:g}"
                    faults.append(Fault((key, number), what))
        if faults:
            raise NodeFaults(faults)

    def run(self, scenario: Scenario, tell: Tell) -> Findings:
        """Learn from one part, recognise the other, split after split."""
        from mpnet.simulation.answering import options_of

        node = scenario.society.nodes[self.concepts]
        assert isinstance(node, Concepts)  # noqa: S101 - checked before
        options = replace(options_of(scenario), schedule="flooding", damping=0.0)
        right = np.zeros((3, len(self.wrong), len(self.seen)))
        loss = np.zeros_like(right)
        cases = 0
        for split in range(self.splits):
            keys = {"held_out": self.held_out, "seed": options.seed + split}
            trial = Trial(self.concepts, node.model_copy(update=keys), options)
            rng = np.random.default_rng([options.seed, split])
            self._meet(trial, rng, right, loss)
            cases += int((~trial.node.training()).sum())
            tell(split + 1, self.splits)
        return self._findings(right / cases, loss / cases, cases)

    def _meet(
        self, trial: Trial, rng: np.random.Generator, right: FloatArray, loss: FloatArray
    ) -> None:
        """Add what all three make of everybody held out, at each share."""
        truths, rows = trial.held_out()
        for w, wrong in enumerate(self.wrong):
            for s, share in enumerate(self.seen):
                size = max(1, round(share * rows.shape[1]))
                for group in np.array_split(rng.permutation(truths.size), self.views):
                    seen = np.sort(rng.choice(rows.shape[1], size, replace=False))
                    reports = rows[np.ix_(group, seen)] ^ (rng.random((group.size, size)) < wrong)
                    beliefs = trial.answers(seen, reports, self.doubts)
                    truth = np.take_along_axis(beliefs, truths[None, group, None], 2)[:, :, 0]
                    right[:, w, s] += (beliefs.argmax(axis=2) == truths[group]).sum(axis=1)
                    loss[:, w, s] -= np.log(np.maximum(truth, 1e-12)).sum(axis=1)

    def _cells(self) -> list[tuple[str, float, float]]:
        names = (SOCIETY, BAYES, NEIGHBOUR)
        return [(who, w, s) for who in names for w in self.wrong for s in self.seen]

    def _findings(self, right: FloatArray, loss: FloatArray, cases: int) -> Findings:
        numbers = {
            _cell(*cell): float(value)
            for cell, value in zip(self._cells(), right.reshape(-1), strict=True)
        }
        for w, wrong in enumerate(self.wrong):
            for who, name in enumerate((SOCIETY, BAYES, NEIGHBOUR)):
                numbers[f"{name}, {wrong:g} wrong"] = float(right[who, w].mean())
                if who:
                    lead = float(right[0, w].mean() - right[who, w].mean())
                    numbers[f"lead over {name}, {wrong:g} wrong"] = lead
            for who, name in enumerate((SOCIETY, BAYES)):
                numbers[f"{name} loss, {wrong:g} wrong"] = float(loss[who, w].mean())
        notes = tuple(
            f"{cases} held-out concepts, {wrong:.0%} of what is seen wrong: accuracy over all shares "
            f"{right[0, w].mean():.3f} (society), {right[1, w].mean():.3f} (naive Bayes), "
            f"{right[2, w].mean():.3f} (nearest neighbour)"
            for w, wrong in enumerate(self.wrong)
        )
        curves = {
            "seen": np.array(self.seen),
            "wrong": np.array(self.wrong),
            "accuracy": right,
            "loss": loss[:2],
            "cases": np.array([float(cases)]),
        }
        return Findings("recognition", numbers, curves, {"who": (SOCIETY, BAYES, NEIGHBOUR)}, notes)


def _cell(who: str, wrong: float, seen: float) -> str:
    return f"{who} at {seen:g}, {wrong:g} wrong"


class Trial:
    """A society that learnt from one part of the norms, and its rivals that did the same.

    Parameters
    ----------
    name : str
        Of the node of concepts.
    node : Concepts
        It, with members held out.
    options : Options
        Of inference.

    """

    def __init__(self, name: str, node: Concepts, options: Options) -> None:
        self.node, self.options = node, options
        self.learnt: Learnt = node.learnt()
        society = _society(name, node)
        of = society.bases
        self.unary = np.log(np.concatenate([of[name], of[node.kinds]]))
        self.rates = np.stack([of[feature] for feature in self.learnt.features])
        tables = [rule.table for rule in society.rules if rule.table is not None]
        self.kind_table, self.tables = tables[0], np.stack(tables[1:])
        norms = node.norms()
        self.applies = norms.counts[:, self.learnt.columns] >= 0.5 * norms.raters
        self.labels = np.array(
            [self.learnt.kinds.index(k) if k in self.learnt.kinds else -1 for k in norms.kinds]
        )

    def held_out(self) -> tuple[IntArray, NDArray[np.bool_]]:
        """Kinds of those never met (M,), and which features at least half say apply (M, F)."""
        new = ~self.node.training()
        return self.labels[new], self.applies[new]

    def answers(
        self, seen: IntArray, reports: NDArray[np.bool_], doubts: Sequence[float]
    ) -> FloatArray:
        """Beliefs in each kind: the society's, naive Bayes' and (all or none) the neighbour's.

        Parameters
        ----------
        seen : int64[m]
            Features that are seen.
        reports : bool[n, m]
            Whether each is said to apply, of n concepts.
        doubts : sequence of float
            Shares of wrong reports that the society reckons with.

        Returns
        -------
        float64[3, n, K]
            Probabilities.

        """
        met = self.node.training()
        known, labels = self.applies[met][:, seen], self.labels[met]
        bayes = BernoulliNB().fit(known, labels).predict_proba(reports)
        neighbour = KNeighborsClassifier(1, metric="hamming").fit(known, labels)
        nearest = np.eye(len(self.learnt.kinds))[neighbour.predict(reports)]
        graph = self.graph(seen)
        own = [self.believe(graph, seen, report, doubts) for report in reports]
        return np.stack([np.array(own), bayes, nearest])

    def believe(
        self,
        graph: FactorGraph,
        seen: IntArray,
        report: NDArray[np.bool_],
        doubts: Sequence[float],
    ) -> FloatArray:
        """The society's beliefs in each kind, shape (K,), given what is said of the ``seen``.

        How many reports are wrong is a variable as well, each share as likely as another before
        anything is seen: held at each share in turn, weighed by the partition sum.
        """
        beliefs, log_z = [], []
        for doubt in doubts:
            trust = np.log(np.where(np.eye(2, dtype=bool)[report * 1], 1.0 - doubt, doubt))
            unary = np.append(self.unary, (np.log(self.rates[seen]) + trust).reshape(-1))
            asked = replace(graph, unary=freeze(unary))
            found = Flat().estimate(Problem(asked), self.options, ignore)
            beliefs.append(found.beliefs[graph.states_of(1)])
            log_z.append(found.log_z if found.log_z is not None else -np.inf)
        weights = np.exp(np.array(log_z) - max(log_z))
        return np.average(beliefs, axis=0, weights=weights)

    def graph(self, seen: IntArray) -> FactorGraph:
        """Concept, kind and the features seen; all others are exactly neutral and left out."""
        concepts, kinds = self.kind_table.shape
        counts = np.append([concepts, kinds], np.full(seen.size, 2))
        scopes = np.column_stack([np.zeros(seen.size, dtype=np.int64), 2 + np.arange(seen.size)])
        groups: list[tuple[IntArray, FloatArray]] = [
            (np.array([[0, 1]]), self.kind_table),
            (scopes, self.tables[seen]),
        ]
        return FactorGraph.from_arrays(counts, groups, log=True)


def _society(name: str, node: Concepts) -> Society:
    """The society that a node of concepts makes with all that it brings."""
    written, _ = brought_nodes({name: node}, {name: None})
    nodes, _ = make_nodes(written, node_types())
    together = {name: node, **nodes}
    return assemble_society(together, dict.fromkeys(together, ""))[0]
