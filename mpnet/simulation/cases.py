"""The cases of a batch, from what a scenario writes or a node keeps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mpnet.errors import Fault
from mpnet.names import suggestion
from mpnet.nodes.base import Node, NodeFaults, Observation
from mpnet.nodes.calling import code_of
from mpnet.scenario.spec import Batch
from mpnet.society import Society


def read_cases(
    batch: Batch, society: Society, faults: list[Fault]
) -> tuple[tuple[Observation, str | None], ...]:
    """Evidence of each case of a batch, and its right answer; what is wrong is added to ``faults``."""
    node = society.nodes[batch.node]
    states = society.domains[batch.answer]
    if not states:
        faults.append(Fault(("batch", "answer"), f"{batch.answer!r} is data and has no belief"))
    named = isinstance(batch.cases, str)
    try:
        listed = _listed(batch, node)
    except NodeFaults as error:
        faults += [replace(f, path=("batch", "cases", *f.path)) for f in error.faults]
        return ()
    found = []
    for number, (value, truth) in enumerate(listed):
        where: tuple[str | int, ...] = ("batch", "cases") if named else ("batch", "cases", number)
        if truth is not None and truth not in states:
            what = f"{batch.answer!r} has no state {truth!r}"
            path = where if named else (*where, "truth")
            faults.append(Fault(path, what, suggestion(truth, states, "states")))
        try:
            with code_of(batch.node, node, "observe"):
                found.append((node.observe(value), truth))
        except NodeFaults as error:
            inner = ("evidence",) if not named else ()
            faults += [replace(f, path=(*where, *inner, *f.path)) for f in error.faults]
    return tuple(found)


def _listed(batch: Batch, node: Node) -> list[tuple[Any, str | None]]:
    if isinstance(batch.cases, str):
        with code_of(batch.node, node, "cases"):
            return [(value, truth) for value, truth in node.cases(batch.cases)]
    return [(case.evidence, case.truth) for case in batch.cases]
