"""Rivals under several laws of competition: who is believed in each context."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from mpnet.errors import Fault
from mpnet.names import Name, suggestion
from mpnet.nodes.base import NodeFaults
from mpnet.nodes.choice import Choice
from mpnet.record import Findings
from mpnet.simulation.experiments.base import Experiment, Tell
from mpnet.society import Society, assemble_society

if TYPE_CHECKING:
    from mpnet.simulation.loading import Scenario

LAWS = ("exactly_one", "at_most_one", "independent", "threshold", "winner_takes_all")


class Laws(Experiment):
    """The same rivals under each law of a choice, in each context."""

    choice: Name = Field(description="The choice whose law is changed.")
    contexts: dict[Name, dict[str, Any]] = Field(
        min_length=1, description="Evidence by context, besides that of the scenario."
    )
    laws: list[str] = Field(
        default_factory=lambda: list(LAWS), min_length=1, description="Laws to compare."
    )
    strength: float | None = Field(
        None,
        gt=0.0,
        description="Nats, for the laws that have a strength; the choice's if left out.",
    )

    def measures(self, scenario: Scenario) -> Mapping[str, str]:
        """Each rival's belief under each law in each context."""
        found = {"worst error": "largest difference of a belief from the exact one"}
        for law in self.laws:
            for context in self.contexts:
                for rival in self._rivals(scenario):
                    found[f"{rival} in {context} under {law}"] = "belief in active, a probability"
        return found

    def check(self, scenario: Scenario) -> None:
        """The choice, the laws and the evidence are known."""
        faults = []
        nodes = scenario.society.nodes
        if not isinstance(nodes.get(self.choice), Choice):
            known = [name for name, node in nodes.items() if isinstance(node, Choice)]
            hint = suggestion(self.choice, known, "choices")
            faults.append(Fault(("choice",), f"there is no choice {self.choice!r}", hint))
        for number, law in enumerate(self.laws):
            if law not in LAWS:
                what = f"unknown law {law!r}"
                faults.append(Fault(("laws", number), what, suggestion(law, LAWS, "laws")))
        for context, evidence in self.contexts.items():
            path = ("contexts", context)
            try:
                seen = scenario.society.observe(evidence)
            except NodeFaults as error:
                faults += [replace(f, path=(*path, *f.path)) for f in error.faults]
                continue
            if self.choice in {*seen, *scenario.seen}:
                what = f"{self.choice!r} is observed, but has no variable under softer laws"
                faults.append(Fault(path, what, "observe the rivals"))
        if faults:
            raise NodeFaults(faults)

    def run(self, scenario: Scenario, tell: Tell) -> Findings:
        """Answer every context under every law."""
        from mpnet.simulation.answering import answer_evidence

        rivals = self._rivals(scenario)
        shape = len(self.laws), len(self.contexts), len(rivals)
        beliefs, exact = np.full(shape, math.nan), np.full(shape, math.nan)
        numbers = {}
        for row, law in enumerate(self.laws):
            other = _asking(replace(scenario, society=self.under(scenario.society, law)), rivals)
            for column, context in enumerate(self.contexts):
                seen = {**scenario.seen, **other.society.observe(self.contexts[context])}
                answer = answer_evidence(other, seen)
                graph = answer.compiled.original
                at = [graph.states_of(graph.index[rival]).start + 1 for rival in rivals]
                if answer.estimate.status == "converged":
                    beliefs[row, column] = answer.beliefs()[at]
                if (known := answer.exact_beliefs()) is not None:
                    exact[row, column] = known[at]
                for rival, belief in zip(rivals, beliefs[row, column], strict=True):
                    numbers[f"{rival} in {context} under {law}"] = float(belief)
                tell(row * shape[1] + column + 1, shape[0] * shape[1])
        numbers["worst error"] = float(np.abs(beliefs - exact).max())
        labels = {"laws": tuple(self.laws), "contexts": tuple(self.contexts), "rivals": rivals}
        return Findings("laws", numbers, {"beliefs": beliefs, "exact": exact}, labels)

    def under(self, society: Society, law: str) -> Society:
        """The same society with another law for the choice."""
        node = society.nodes[self.choice]
        assert isinstance(node, Choice)  # noqa: S101 - checked
        strength = (
            (self.strength or node.strength) if law in ("threshold", "winner_takes_all") else None
        )
        other = node.model_copy(update={"rule": law, "strength": strength})
        found, faults = assemble_society({**society.nodes, self.choice: other}, society.types)
        if faults:
            raise NodeFaults(faults)
        return found

    def _rivals(self, scenario: Scenario) -> tuple[str, ...]:
        node = scenario.society.nodes.get(self.choice)
        if not isinstance(node, Choice):
            return ()
        return (*node.among, *([node.otherwise] if node.otherwise is not None else []))


def _asking(scenario: Scenario, names: tuple[str, ...]) -> Scenario:
    """The same scenario with these nodes in question."""
    asked = {"ask": [*dict.fromkeys([*scenario.spec.inference.ask, *names])]}
    inference = scenario.spec.inference.model_copy(update=asked)
    return replace(scenario, spec=scenario.spec.model_copy(update={"inference": inference}))
