"""A society: nodes with their names resolved, and the factor graph that they make."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile

import numpy as np
from pydantic import ValidationError

from mpnet.builder import GraphBuilder
from mpnet.compatibility import pairwise_compatibility
from mpnet.display import SocietyDisplay
from mpnet.errors import Fault
from mpnet.faults import faults_of
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray
from mpnet.names import suggestion
from mpnet.nodes.base import (
    ACTIVATION,
    Node,
    NodeFaults,
    Observation,
    Prediction,
    Rule,
    Surroundings,
)
from mpnet.nodes.calling import (
    WrongAnswerError,
    checked,
    checked_rule,
    code_of,
    collect,
    domain_of,
    references_of,
)
from mpnet.nodes.explaining import Cause, causes_of, log_gain, noisy_ors
from mpnet.nodes.references import bad_references, unknown_type
from mpnet.nodes.registry import NodeType
from mpnet.record import Compatibility


@dataclass(frozen=True)
class Link:
    """A prediction in place: who makes it, and its log ratio r, in nats, shape (states,)."""

    source: str
    prediction: Prediction
    log_ratio: FloatArray

    @property
    def target(self) -> str:
        """The node that is predicted."""
        return self.prediction.target


@dataclass(frozen=True, eq=False, repr=False)
class Society(SocietyDisplay):
    """Nodes by name, in the order of the scenario, with everything between them resolved.

    Built by ``assemble_society``, never changed. *Evolving.*

    Parameters
    ----------
    nodes : mapping of str to Node
        By name.
    types : mapping of str to str
        Type of each node as written.
    domains : mapping of str to tuple of str
        States of each node; empty where it owns no variable.
    bases : mapping of str to float64[states]
        Base rates, probabilities.
    links : tuple of Link
        All predictions.
    rules : tuple of Rule
        All constraints.
    causes : tuple of Cause
        All explanations.

    """

    nodes: Mapping[str, Node]
    types: Mapping[str, str]
    domains: Mapping[str, tuple[str, ...]]
    bases: Mapping[str, FloatArray]
    links: tuple[Link, ...]
    rules: tuple[Rule, ...]
    causes: tuple[Cause, ...] = ()

    # What a node may ask about the others: see Surroundings.

    def states_of(self, name: str) -> tuple[str, ...]:
        """States of a node; a fault that was named elsewhere if it is not there."""
        if name not in self.domains:
            raise NodeFaults(())
        return self.domains[name]

    def base_rates_of(self, name: str) -> FloatArray:
        """Base rates of a node's states, probabilities, shape (states,)."""
        if name not in self.bases:
            raise NodeFaults(())
        return self.bases[name]

    def node(self, name: str) -> Node:
        """The node itself."""
        if name not in self.nodes:
            raise NodeFaults(())
        return self.nodes[name]

    def as_written(self) -> Society:
        """The society as the scenario writes it: itself, unless it was unrolled."""
        return self

    def observe(self, evidence: Mapping[str, object]) -> dict[str, Observation]:
        """Read evidence, node by node.

        Raises
        ------
        NodeFaults
            With every fault; paths begin with the node's name.

        """
        seen, faults = {}, []
        for name, value in evidence.items():
            if name not in self.nodes:
                hint = suggestion(name, self.nodes, "nodes")
                faults.append(Fault((name,), f"there is no node {name!r}", hint, True))
                continue
            try:
                with code_of(name, self.nodes[name], "observe"):
                    seen[name] = self.nodes[name].observe(value)
            except NodeFaults as error:
                faults += [replace(f, path=(name, *f.path)) for f in error.faults]
        if faults:
            raise NodeFaults(faults)
        return seen

    def likelihoods(self, seen: Mapping[str, Observation]) -> dict[str, FloatArray]:
        """Log-likelihood of everything observed, by node and state, in nats."""
        found: dict[str, FloatArray] = {}
        for name, node in self.nodes.items():
            with code_of(name, node, "log_likelihood"):
                parts = [node.log_likelihood(seen, self)]
                if name in seen:
                    parts.append(seen[name].log_likelihood)
                states = self.domains[name]
                given = [checked(part, states, -np.inf) for part in parts if part is not None]
                if given:
                    found[name] = np.sum(given, axis=0)
        return found

    def assemble(self, seen: Mapping[str, Observation]) -> FactorGraph:
        """The factor graph of the society with what was observed as unary factors."""
        builder = GraphBuilder()
        explained = noisy_ors(self.causes, self.bases)
        for name, states in self.domains.items():
            if states:
                builder.add_variable(name, states)
                if name not in explained:
                    builder.add_factor([name], self.potential_of(name), log=True)
        for (source, target), table in link_tables(self.links, self.domains).items():
            builder.add_factor([source, target], table, log=True, name=f"{source} → {target}")
        for noisy_or in explained.values():
            builder.add(noisy_or)
        for rule in self.rules:
            if rule.kind is not None:
                builder.add(rule.kind)
            elif rule.table is not None:
                builder.add_factor(rule.scope, rule.table, log=True, name=rule.name)
        for name, logs in self.likelihoods(seen).items():
            if self.domains[name]:
                builder.add_factor([name], logs, log=True)
        return builder.build()

    def potential_of(self, name: str) -> FloatArray:
        """Log potential that a node itself puts on its variable, in nats, shape (states,)."""
        with code_of(name, self.nodes[name], "unary"):
            return checked(self.nodes[name].unary(self), self.domains[name], -np.inf)

    def leaves(self) -> list[str]:
        """Nodes that predict and explain nothing, so that they can be summed out."""
        predicting = {link.source for link in self.links} | {c.source for c in self.causes}
        ruled = {name for rule in self.rules for name in rule.scope}
        return [n for n, s in self.domains.items() if s and n not in predicting | ruled]

    def prior_log_odds(self, name: str) -> float:
        """Log-odds of being active before any evidence, in nats; for nodes with an activation."""
        base = self.bases[name]
        with np.errstate(divide="ignore"):
            return float(np.log(base[1]) - np.log(base[0]))

    def scores(self, seen: Mapping[str, Observation]) -> dict[str, float]:
        """Feed-forward score of each model: its log-odds, in nats, if all others were asleep."""
        likelihoods = self.likelihoods(seen)
        found = {
            name: self.prior_log_odds(name) + _difference(likelihoods.get(name))
            for name, states in self.domains.items()
            if states == ACTIVATION
        }
        bases = self.bases
        given = [(k.source, k.target, bases[k.target] * np.exp(k.log_ratio)) for k in self.links]
        given += [(c.source, c.target, c.alone(bases[c.target])) for c in self.causes]
        for source, target, rates in given:
            if source not in found:
                continue
            found[source] += log_gain(rates, bases[target], likelihoods.get(target))
        return found

    def compatibility(
        self, seen: Mapping[str, Observation] | None = None, among: Collection[str] | None = None
    ) -> Compatibility:
        """How well every two models get along: C(A, B), in nats, derived from what they predict.

        C is the sum over shared targets of log sum_x p_A(x) p_B(x) / q(x): 0 for models that
        speak of different things, positive where they agree, very negative where they
        contradict each other. With evidence, each target's C is taken at that evidence, and
        goes to 0 as the evidence becomes certain.

        Parameters
        ----------
        seen : mapping of str to Observation, optional
            Evidence.
        among : collection of str, optional
            Only these models; all if left out, which takes memory in proportion to the square
            of their number for each shared target.

        """
        likelihoods = self.likelihoods(seen) if seen else {}
        weights = {
            name: base * np.exp(_shifted(likelihoods.get(name)))
            for name, base in self.bases.items()
        }
        return pairwise_compatibility(
            [
                (link.source, link.target, link.log_ratio)
                for link in self.links
                if self.domains[link.source] == ACTIVATION
                and (among is None or link.source in among)
            ],
            weights,
        )


def link_tables(
    links: Iterable[Link], domains: Mapping[str, tuple[str, ...]]
) -> dict[tuple[str, str], FloatArray]:
    """Log potentials by source and target, shape (states of source, of target), in nats."""
    found: dict[tuple[str, str], FloatArray] = {}
    for link in links:
        shape = (len(domains[link.source]), link.log_ratio.size)
        table = found.setdefault((link.source, link.target), np.zeros(shape))
        table[link.prediction.when] += link.log_ratio
    return found


def _difference(logs: FloatArray | None) -> float:
    return 0.0 if logs is None else float(logs[1] - logs[0])


def _shifted(logs: FloatArray | None) -> FloatArray:
    return np.zeros(1) if logs is None else logs - logs.max()


def make_nodes(
    written: Mapping[str, Mapping[str, object]], types: Mapping[str, NodeType]
) -> tuple[dict[str, Node], list[Fault]]:
    """Build each node from its keys by its own type.

    Parameters
    ----------
    written : mapping
        ``nodes`` of a scenario: each has ``type`` and that type's keys.
    types : mapping of str to NodeType
        Installed types.

    Returns
    -------
    tuple
        The nodes that could be built, and the faults of the others.

    Raises
    ------
    PluginError
        If a named type is installed but not enabled or can't be imported.

    """
    nodes: dict[str, Node] = {}
    faults: list[Fault] = []
    for name, keys in written.items():
        kind = keys.get("type")
        if not isinstance(kind, str) or kind not in types:
            faults.append(unknown_type(name, kind, types))
            continue
        loaded = types[kind].load()
        with code_of(name, loaded, "model_validate"):
            try:
                nodes[name] = loaded.model_validate({k: v for k, v in keys.items() if k != "type"})
            except ValidationError as error:
                faults += faults_of(error, ("nodes", name), loaded)
    return nodes, faults


def assemble_society(
    nodes: Mapping[str, Node], types: Mapping[str, str], missing: Collection[str] = ()
) -> tuple[Society, list[Fault]]:
    """Resolve every name between nodes.

    Parameters
    ----------
    nodes : mapping of str to Node
        By name, in order.
    types : mapping of str to str
        Type of each node as written.
    missing : collection of str
        Nodes that are there but faulty: naming one of them is no further fault.

    Returns
    -------
    tuple
        The society, incomplete if there are faults, and the faults; paths begin with ``nodes``.

    """
    domains: dict[str, tuple[str, ...]] = dict.fromkeys(nodes, ())
    faults: list[Fault] = []
    for name, node in nodes.items():
        collect(name, node, faults, "domain", partial(_take_domain, name, node, domains))
    bases: dict[str, FloatArray] = {}
    society = Society(dict(nodes), dict(types), domains, bases, (), ())
    faults += [
        fault
        for name, node in nodes.items()
        for fault in bad_references(name, references_of(name, node), nodes, domains, missing)
    ]
    # Rates of a choice depend on those of its rivals: plain nodes come first.
    for name in sorted(nodes, key=lambda n: nodes[n].kind == "choice"):
        if domains[name]:
            step = partial(_take_rates, name, society, bases)
            collect(name, nodes[name], faults, "rates", step)
    links: list[Link] = []
    causes: list[Cause] = []
    rules: list[Rule] = []
    misled = {fault.path[1] for fault in faults}
    for name, node in nodes.items():
        steps: dict[str, Callable[[], object]] = {
            "predictions": partial(_take_links, name, node, society, links),
            "explanations": partial(_take_causes, name, node, society, links, causes),
            "rules": partial(_take_rules, name, node, society, rules, name not in misled),
            "check": partial(node.check, society),
        }
        for method, action in steps.items():
            if not collect(name, node, faults, method, action):
                break
    found = replace(society, links=tuple(links), rules=tuple(rules), causes=tuple(causes))
    return found, faults


def _take_domain(name: str, node: Node, domains: dict[str, tuple[str, ...]]) -> None:
    domains[name] = domain_of(name, node)


def _take_rates(name: str, society: Society, bases: dict[str, FloatArray]) -> None:
    bases[name] = checked(society.nodes[name].rates(society), society.domains[name])


def _take_links(name: str, node: Node, society: Society, links: list[Link]) -> None:
    links += links_of(name, node, society)


def _take_causes(
    name: str, node: Node, society: Society, links: list[Link], causes: list[Cause]
) -> None:
    own = takewhile(lambda link: link.source == name, reversed(links))
    predicted = {link.target for link in own}
    causes += causes_of(name, node, society, predicted)


def _take_rules(
    name: str, node: Node, society: Society, rules: list[Rule], sound: bool = True
) -> None:
    found = list(node.rules(name, society))
    named = {name, *(reference.name for reference in node.references())}
    # Where references are at fault already, rules over them need not fit.
    rules += [checked_rule(rule, named, society) for rule in found] if sound else found


def links_of(name: str, node: Node, society: Surroundings) -> list[Link]:
    """What a node predicts, resolved."""
    found = []
    named = {reference.name for reference in node.references()}
    for prediction in node.predictions(society):
        if prediction.target not in named:
            raise WrongAnswerError(f"about {prediction.target!r}, which its references leave out")
        base = society.base_rates_of(prediction.target)
        checked(prediction.distribution, society.states_of(prediction.target))
        ratio = prediction.log_ratio(base)
        found.append(Link(name, prediction, ratio))
    return found
