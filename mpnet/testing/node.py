"""What every node type promises, tested on an example of it among the nodes that it names."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from mpnet.graph import FactorGraph
from mpnet.inference import infer
from mpnet.messages import Messages
from mpnet.nodes.base import ACTIVATION, Node, NodeFaults, Observation
from mpnet.nodes.files import type_name
from mpnet.nodes.registry import Plugin, node_types
from mpnet.scenario.document import read_document
from mpnet.simulation.loading import Scenario, check_scenario
from mpnet.simulation.schema import scenario_schema
from mpnet.society import Society
from mpnet.testing import brute

SWEEPS = 3


class NodeContract:
    """The claims; heirs name a type and give an example.

    ``node`` is the class; where it is None, ``installed`` names an installed type. ``keys``
    are what the example writes, ``around`` the other nodes as in a scenario, ``name`` what it is
    called. ``evidence`` is tried besides none. Keep the example to a million joint states. *Evolving.*
    """

    node: ClassVar[type[Node] | None] = None
    installed: ClassVar[str] = ""
    name: ClassVar[str] = "it"
    keys: ClassVar[Mapping[str, Any]] = {}
    around: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    evidence: ClassVar[Mapping[str, Any]] = {}
    besides: ClassVar[Mapping[str, Any]] = {}
    """Other parts of the scenario, such as the stream of a node in time."""
    states: ClassVar[tuple[str, ...] | None] = None
    """States that it claims to have; not compared if None."""
    neutral: ClassVar[bool] = True
    """Whether it believes its base rates while nothing is observed; constraints do not."""
    demo: ClassVar[str | Path | None] = None
    """A scenario file that must run and meet its own ``expect``."""

    # Small helpers

    @property
    def plugins(self) -> list[Plugin]:
        """What has to be allowed."""
        return [self.installed] if self.node is None else [self.node]

    @property
    def kind(self) -> str:
        """The type as a scenario writes it."""
        return self.installed if self.node is None else type_name(self.node)

    def loaded(self) -> type[Node]:
        """The class."""
        return node_types(self.plugins)[self.kind].load()

    def written(self) -> dict[str, Any]:
        """The example as a scenario writes it."""
        around = {name: dict(keys) for name, keys in self.around.items()}
        nodes = {**around, self.name: {"type": self.kind, **self.keys}}
        return {"mpnet": 1, "name": "contract", "nodes": nodes, **self.besides}

    def scenario(self, data: Mapping[str, Any] | None = None) -> Scenario:
        """The example, checked."""
        text = yaml.safe_dump(dict(data or self.written()), sort_keys=False, allow_unicode=True)
        return check_scenario(read_document("contract.yaml", text.encode()), self.plugins)

    def society(self) -> Society:
        """The example's nodes as they are written, resolved."""
        return self.scenario().society.as_written()

    def example(self, scenario: Scenario | None = None) -> Node:
        """The example itself."""
        return (scenario or self.scenario()).society.as_written().nodes[self.name]

    def graphs(self, scenario: Scenario | None = None) -> list[FactorGraph]:
        """The example's factor graph without evidence, and with it where there is some."""
        checked = scenario or self.scenario()
        seen = {**checked.seen, **checked.society.observe(self.evidence)}
        found = [checked.society.assemble({})]
        return [*found, checked.society.assemble(seen)] if seen else found

    # The claims

    def test_it_says_what_it_is(self) -> None:
        first = (self.loaded().__doc__ or "").strip().partition("\n")[0]
        assert len(first) > 10, "the first line of the docstring is what mpnet list nodes shows"

    def test_it_is_built_from_its_example(self) -> None:
        assert isinstance(self.example(), self.loaded())

    def test_it_has_the_states_that_it_claims(self) -> None:
        states = self.society().domains[self.name]
        assert len(set(states)) == len(states)
        if self.states is not None:
            assert states == self.states

    def test_base_rates_are_probabilities(self) -> None:
        society = self.society()
        if society.domains[self.name]:
            rates = society.bases[self.name]
            assert rates.shape == (len(society.domains[self.name]),)
            assert (rates >= 0.0).all()
            assert rates.sum() == pytest.approx(1.0, abs=1e-12)

    def test_what_it_predicts_are_probabilities(self) -> None:
        society = self.society()
        for link in (link for link in society.links if link.source == self.name):
            assert link.prediction.distribution.sum() == pytest.approx(1.0, abs=1e-9)
            base = society.bases[link.target]
            # Of a ratio r to base rates q, sum q r = 1: then the target tells nothing by itself.
            assert np.sum(base * np.exp(link.log_ratio)) == pytest.approx(1.0, abs=1e-12)

    def test_steps_of_a_node_in_time_are_probabilities(self) -> None:
        node, society = self.example(), self.society()
        if not node.in_time:
            return
        rows, rates = np.asarray(node.transition(society)), society.bases[self.name]
        np.testing.assert_allclose(rows.sum(axis=1), 1.0, rtol=0, atol=1e-12)
        np.testing.assert_allclose(rates @ rows, rates, rtol=0, atol=1e-9)

    def test_what_nobody_observed_tells_it_nothing(self) -> None:
        society = self.society()
        if not self.neutral or society.domains[self.name] != ACTIVATION:
            return
        graph = society.assemble({})
        if brute.is_small(graph):
            found = brute.beliefs(graph)[self.name]
        else:
            found = self.solved(graph)[self.name]
        np.testing.assert_allclose(found, society.bases[self.name], rtol=0, atol=1e-12)

    def test_exact_answers_equal_enumeration(self) -> None:
        for graph in self.graphs():
            if not graph.variables:
                continue
            if not brute.is_small(graph):
                pytest.skip(f"the example has {brute.joint_states(graph):.0e} joint states")
            expected = brute.beliefs(graph)
            assert expected, "the evidence of the example rules everything out"
            found = self.solved(graph)
            for name, belief in expected.items():
                # Sums of up to a million terms.
                np.testing.assert_allclose(found[name], belief, rtol=0, atol=1e-10)

    def test_messages_equal_sums_over_tables(self) -> None:
        for graph in self.graphs():
            for maximise in (False, True):
                messages = Messages(graph, maximise=maximise)
                for _ in range(SWEEPS):
                    said = brute.said_by_variables(messages)
                    messages.send_from_factors(0.0)
                    expected = brute.factor_messages(graph, said, maximise)
                    # Logs below some dozens, and as many additions.
                    assert brute.apart(messages.log_messages(), expected) <= 1e-11
                    messages.refresh()

    def test_the_resolved_scenario_says_the_same(self) -> None:
        first = self.scenario()
        second = self.scenario(first.resolved())
        assert second.resolved() == first.resolved()
        assert self.example(second) == self.example(first)
        self.assert_same(self.graphs(first), self.graphs(second))

    def test_it_is_the_same_every_time(self) -> None:
        state = self.global_state()
        self.assert_same(self.graphs(), self.graphs())
        assert self.global_state() == state

    def test_it_pickles(self) -> None:
        node = self.example()
        again = pickle.loads(pickle.dumps(node))
        assert type(again) is type(node)
        assert again == node

    def test_it_equals_one_of_the_same_keys_and_is_never_changed(self) -> None:
        one, other = self.example(), self.example()
        assert one == other
        for key in type(one).model_fields:
            with pytest.raises(ValidationError, match="frozen"):
                setattr(one, key, None)

    def test_unknown_keys_are_refused(self) -> None:
        with pytest.raises(ValidationError, match=r"(?i)extra"):
            self.loaded().model_validate({**self.keys, "no such key": 1})

    def test_evidence_that_makes_no_sense_is_a_fault_of_the_scenario(self) -> None:
        node = self.example()
        values: list[Any] = ["no such state", None, -1, {}, {"no such state": 1.0}, [[]]]
        for value in values:
            try:
                found = node.observe(value)
            except NodeFaults:
                continue
            assert isinstance(found, Observation)

    def test_its_schema_is_plain_and_describes_its_example(self) -> None:
        schema = scenario_schema(self.plugins)
        definition = schema["definitions"][f"node_{self.kind}"]
        assert json.loads(json.dumps(definition)) == definition
        assert set(self.keys) <= set(definition["properties"])
        assert set(definition["required"]) <= {"type", *self.keys}

    def test_its_demo_meets_its_expectations(self) -> None:
        if self.demo is None:
            return
        from mpnet.api import run

        record = run(self.demo, plugins=self.plugins)
        assert record.expectations, "a demo says under expect what must come out"
        unmet = [f"{e.text}, got {e.got}" for e in record.expectations if not e.met]
        assert unmet == []

    # What claims have in common

    @staticmethod
    def global_state() -> str:
        """State of numpy's global random numbers, which nobody may touch."""
        return repr(np.random.get_state(legacy=False))

    @staticmethod
    def solved(graph: FactorGraph) -> dict[str, np.ndarray[Any, Any]]:
        """The engine's own exact beliefs, by name."""
        found = infer(graph, estimator="exact")
        return {name: np.array(list(p.values())) for name, p in found.marginals.items()}

    @staticmethod
    def assert_same(first: list[FactorGraph], second: list[FactorGraph]) -> None:
        """Fail unless graphs are equal bit for bit."""
        for one, other in zip(first, second, strict=True):
            assert [v.name for v in one.variables] == [v.name for v in other.variables]
            assert [f.scope for f in one.factors] == [f.scope for f in other.factors]
            np.testing.assert_array_equal(one.unary, other.unary)
            for number in range(len(one.factors)):
                np.testing.assert_array_equal(one.table_of(number), other.table_of(number))
