"""Unrolling: a society along a stream, with one variable per step for whatever changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from mpnet.errors import Fault
from mpnet.kernels.layout import FloatArray
from mpnet.nodes.base import Node, NodeFaults, Rule
from mpnet.nodes.calling import checked, code_of
from mpnet.nodes.explaining import Cause
from mpnet.nodes.phases import log_ratios
from mpnet.society import Link, Society

T = TypeVar("T")

_STEP = re.compile(r"(.*)@([0-9]+)", re.DOTALL)


def at_step(name: str, step: int) -> str:
    """The name of a node's variable at a step, counted from 1."""
    return f"{name}@{step}"


def step_of(name: str) -> int | None:
    """The step of a variable's name; None where the name has none."""
    found = _STEP.fullmatch(name)
    return int(found[2]) if found else None


@dataclass(frozen=True, eq=False, repr=False)
class Unrolled(Society):
    """A society along a stream: a node that changes has a variable per step, ``name@STEP``.

    Parameters
    ----------
    written : Society
        The society as it is written.
    steps : int
        Steps of the stream.
    temporal : tuple of str
        Nodes with a variable per step, by the names that are written.

    """

    written: Society = field(kw_only=True)
    steps: int = field(kw_only=True)
    temporal: tuple[str, ...] = field(kw_only=True)

    # Types ask for what they name, which is what is written; that is the same at all steps.

    def states_of(self, name: str) -> tuple[str, ...]:
        """States of a node, or of its variable at a step."""
        return super().states_of(name) if name in self.domains else self.written.states_of(name)

    def base_rates_of(self, name: str) -> FloatArray:
        """Base rates of a node's states, probabilities, shape (states,); the same at all steps."""
        found = self.bases.get(name)
        return self.written.base_rates_of(name) if found is None else found

    def node(self, name: str) -> Node:
        """The node itself."""
        return super().node(name) if name in self.nodes else self.written.node(name)

    def as_written(self) -> Society:
        """The society as it is written, with one node for all steps."""
        return self.written

    def until(self, steps: int) -> Unrolled:
        """The same society along the first steps of the stream."""
        return unroll(self.written, steps, self.temporal)


def without(society: Society, names: Iterable[str]) -> Society:
    """A society less some nodes and all that is said by, to or over them."""
    gone = set(names)

    def kept(mapping: Mapping[str, T]) -> dict[str, T]:
        return {name: value for name, value in mapping.items() if name not in gone}

    return replace(
        society,
        nodes=kept(society.nodes),
        types=kept(society.types),
        domains=kept(society.domains),
        bases=kept(society.bases),
        links=tuple(k for k in society.links if gone.isdisjoint((k.source, k.target))),
        rules=tuple(rule for rule in society.rules if gone.isdisjoint(rule.scope)),
        causes=tuple(c for c in society.causes if gone.isdisjoint((c.source, c.target))),
    )


def temporal_nodes(society: Society, streamed: Iterable[str]) -> tuple[str, ...]:
    """Nodes that need a variable per step, in the order of the society.

    Those are the nodes that are in time or streamed, and whatever such a node predicts,
    explains or rules over together with others.
    """
    found = {name for name, node in society.nodes.items() if node.in_time} | set(streamed)
    pairs = [(link.source, link.target) for link in society.links]
    pairs += [(cause.source, cause.target) for cause in society.causes]
    for rule in society.rules:
        pairs += [(one, other) for one in rule.scope for other in rule.scope]
    while new := {target for source, target in pairs if source in found} - found:
        found |= new
    return tuple(name for name in society.nodes if name in found)


def unroll(society: Society, steps: int, streamed: Iterable[str]) -> Unrolled:
    """Give every node that changes one variable per step.

    What a node that does not change predicts of one that does holds at all steps. A node in time
    is joined to itself one step later by the ratio of its transition probabilities to its base
    rates, so that each step keeps these as long as nothing is seen.

    Parameters
    ----------
    society : Society
        As it is written.
    steps : int
        Steps of the stream, at least 1.
    streamed : iterable of str
        Nodes that are observed step by step.

    Raises
    ------
    NodeFaults
        If a node that changes looks at data, or a rule over such nodes is no table; paths begin
        with the node's name.

    """
    temporal = temporal_nodes(society, streamed)
    _refuse(society, temporal)
    names = _Names(frozenset(temporal), steps)
    return Unrolled(
        nodes=names.spread(society.nodes),
        types=names.spread(society.types),
        domains=names.spread(society.domains),
        bases=names.spread(society.bases),
        links=tuple(copy for link in society.links for copy in names.links(link)),
        causes=tuple(copy for cause in society.causes for copy in names.causes(cause)),
        rules=(
            *(copy for rule in society.rules for copy in names.rules(rule)),
            *(rule for name in temporal for rule in _transitions(society, name, steps)),
        ),
        written=society,
        steps=steps,
        temporal=temporal,
    )


@dataclass(frozen=True)
class _Names:
    """Names along the stream, and copies of what is said under them."""

    temporal: frozenset[str]
    steps: int

    def at(self, name: str, step: int) -> str:
        return at_step(name, step) if name in self.temporal else name

    def when(self, *names: str) -> range:
        """Steps at which something about these nodes is said; one if none of them changes."""
        return range(1, 1 + (1 if self.temporal.isdisjoint(names) else self.steps))

    def spread(self, mapping: Mapping[str, T]) -> dict[str, T]:
        return {self.at(n, step): value for n, value in mapping.items() for step in self.when(n)}

    def links(self, link: Link) -> Iterator[Link]:
        for step in self.when(link.target):
            said = replace(link.prediction, target=self.at(link.target, step))
            yield Link(self.at(link.source, step), said, link.log_ratio)

    def causes(self, cause: Cause) -> Iterator[Cause]:
        for step in self.when(cause.target):
            said = replace(cause.explanation, target=self.at(cause.target, step))
            yield Cause(self.at(cause.source, step), said)

    def rules(self, rule: Rule) -> Iterator[Rule]:
        if self.temporal.isdisjoint(rule.scope):
            yield rule
            return
        for step in self.when(*rule.scope):
            scope = tuple(self.at(name, step) for name in rule.scope)
            about = self.at(rule.about, step) if rule.about else ""
            yield replace(rule, name=at_step(rule.name, step), scope=scope, about=about)


def _transitions(society: Society, name: str, steps: int) -> Iterator[Rule]:
    """How a node in time goes on, from each step to the next."""
    node = society.nodes[name]
    if not node.in_time or name not in society.bases:
        return
    with code_of(name, node, "transition"):
        rows = [checked(row, society.domains[name]) for row in node.transition(society)]
        table = log_ratios(np.array(rows), society.bases[name])
    for step in range(1, steps):
        scope = at_step(name, step), at_step(name, step + 1)
        yield Rule(" → ".join(scope), scope, table, hard=False, about=scope[1])


def _refuse(society: Society, temporal: Iterable[str]) -> None:
    faults = []
    for name in temporal:
        for reference in society.nodes[name].references():
            if reference.needs == "data":
                what = f"{name!r} changes from step to step and can't look at data, which does not"
                faults.append(Fault((name, *reference.path), what))
    for rule in society.rules:
        changing = [name for name in rule.scope if name in temporal]
        if changing and rule.kind is not None:
            what = f"{changing[0]!r} changes from step to step, which {rule.name!r} can't follow"
            faults.append(Fault((rule.scope[0],), what))
    if faults:
        raise NodeFaults(faults)
