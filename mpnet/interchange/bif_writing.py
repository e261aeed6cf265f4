"""Bayesian networks as BIF."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

from mpnet.errors import GraphError, shown
from mpnet.graph import FactorGraph
from mpnet.interchange.cpts import Cpt, cpts_of
from mpnet.variables import Variable

_WORD = re.compile(r'[^\s{}()\[\],;|"]+')
_MISTAKEN = re.compile(r"//|/\*|\b(?:table|default)\b")
"""What readers take for a comment or for the beginning of a row."""


def write_bif(graph: FactorGraph) -> bytes:
    """A Bayesian network as BIF, with the names of variables and states.

    Raises
    ------
    GraphError
        If the factors are not the tables of a Bayesian network, or a name holds what BIF
        can't, such as a space; names the variable.

    """
    _check_names(graph)
    lines = ["network unknown {", "}"]
    for variable in graph.variables:
        states = ", ".join(variable.states)
        lines.append(f"variable {variable.name} {{")
        lines += [f"  type discrete [ {len(variable.states)} ] {{ {states} }};", "}"]
    for cpt in cpts_of(graph):
        lines += _probability(graph, cpt)
    return ("\n".join(lines) + "\n").encode()


def _check_names(graph: FactorGraph) -> None:
    folded: dict[str, str] = {}
    for variable in graph.variables:
        for what in (variable.name, *variable.states):
            if not (_WORD.fullmatch(what) and what.isprintable()) or _MISTAKEN.search(what):
                raise GraphError(
                    f"variable {shown(variable.name)!r}: BIF has no way to write {shown(what)!r}; "
                    'spaces, {}()[],;|" and the words table and default are not possible'
                )
        first = folded.setdefault(variable.name.lower(), variable.name)
        if first != variable.name:
            raise GraphError(
                f"variables {shown(first)!r} and {shown(variable.name)!r} are one in BIF, "
                "where readers pass over capitals"
            )


def _probability(graph: FactorGraph, cpt: Cpt) -> Iterator[str]:
    """One block: a row for each assignment of the parents, or one row where there are none."""
    child = graph.variables[cpt.child].name
    parents: list[Variable] = [graph.variables[v] for v in cpt.parents]
    rows = cpt.table.reshape(-1, cpt.table.shape[-1]).tolist()
    if not parents:
        yield f"probability ( {child} ) {{"
        yield f"  table {_numbers(rows[0])};"
    else:
        yield f"probability ( {child} | {', '.join(p.name for p in parents)} ) {{"
        for states, row in zip(product(*(p.states for p in parents)), rows, strict=True):
            yield f"  ({', '.join(states)}) {_numbers(row)};"
    yield "}"


def _numbers(row: list[float]) -> str:
    return ", ".join(map(repr, row))
