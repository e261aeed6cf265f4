"""Calls of node types, which may be somebody else's code: what fails names type, node and place."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from mpnet.errors import Fault, MpnetError, PluginError, shown
from mpnet.kernels.layout import FloatArray
from mpnet.nodes.base import Node, NodeFaults, Observation, Reference, Rule, Surroundings

ORIGINS: WeakKeyDictionary[type[Node], str] = WeakKeyDictionary()
"""What errors call a type that was loaded, such as ``'lamp' of lamps 0.2``."""

_OWN = str(Path(__file__).parents[1]) + os.sep


class WrongAnswerError(ValueError):
    """What a node type answered makes no sense; the message is the end of a sentence."""


@contextmanager
def code_of(name: str, node: Node | type[Node], method: str) -> Iterator[None]:
    """Call ``method`` of a node's type: an exception in it becomes an error that says where.

    Faults of the scenario, which the type found, go through.

    Raises
    ------
    PluginError
        With the node, its type and where that comes from, what failed, and file and line.

    """
    try:
        yield
    except (NodeFaults, MpnetError):
        raise
    except (Exception, SystemExit) as error:
        kind = node if isinstance(node, type) else type(node)
        place = _place(kind, method, error)
        who = ORIGINS.get(kind, f"{kind.__module__}.{kind.__qualname__}")
        if isinstance(error, WrongAnswerError):
            text = f"answered {method} {error}"
        else:
            what = f"{type(error).__name__}: {shown(str(error), 500)}"
            text = f"failed in {method} ({what})"
        raise PluginError(f"node {name!r}: its type {who} {text}{place}") from error


def _place(kind: type[Node], method: str, error: BaseException) -> str:
    """File and line in the plugin where it failed; where the method stands if nothing failed in it."""
    own = getattr(sys.modules.get(kind.__module__), "__file__", None)
    found = _last_frame(error.__traceback__, own)
    if found is None:
        code = getattr(getattr(kind, method, None), "__code__", None)
        if code is not None and code.co_filename == own:
            found = code.co_filename, code.co_firstlineno
    return "" if found is None else f"; see {_short(found[0])}:{found[1]}"


def _last_frame(trace: TracebackType | None, own: str | None) -> tuple[str, int] | None:
    """The innermost line of the type's own file, or of any file that is not mpnet's."""
    inner = other = None
    while trace is not None:
        file, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        if file == own:
            inner = file, line
        elif not file.startswith(_OWN) and "site-packages" not in file:
            other = file, line
        trace = trace.tb_next
    return inner or other


def _short(file: str) -> str:
    """A path as a person would write it: from here, or from where packages are installed."""
    _, installed, inside = file.rpartition(f"site-packages{os.sep}")
    if installed:
        return inside
    here = os.getcwd() + os.sep
    return file.removeprefix(here)


def collect(
    name: str, node: Node, faults: list[Fault], method: str, step: Callable[[], object]
) -> bool:
    """Run one step of resolving a node; its faults get their full path; whether there were none."""
    try:
        with code_of(name, node, method):
            step()
    except NodeFaults as error:
        faults += [replace(f, path=("nodes", name, *f.path)) for f in error.faults]
        return False
    return True


def checked(numbers: object, states: Sequence[str], lowest: float = 0.0) -> FloatArray:
    """One number per state from a node type, not NaN and not below ``lowest``.

    Raises
    ------
    WrongAnswerError
        If they are something else.

    """
    try:
        found = np.array(numbers, dtype=np.float64)
    except (TypeError, ValueError):
        raise WrongAnswerError(
            f"with {shown(repr(numbers))}, which is no array of numbers"
        ) from None
    if found.shape != (len(states),):
        raise WrongAnswerError(
            f"with shape {found.shape}; it must be ({len(states)},), one number for each of "
            f"{shown(', '.join(states))}"
        )
    wrong = ~((found >= lowest) & (found < np.inf))
    if wrong.any():
        place = int(np.argmax(wrong))
        range_of = "a finite number or -inf" if lowest == -np.inf else f"a number from {lowest:g}"
        raise WrongAnswerError(
            f"with {found[place]:g} for {shown(states[place])!r}; it must be {range_of}"
        )
    return found


def domain_of(name: str, node: Node) -> tuple[str, ...]:
    """States of the node called ``name``, as its type says: different texts."""
    with code_of(name, node, "domain"):
        states: Any = node.domain()
        if isinstance(states, str) or not all(isinstance(state, str) for state in states):
            raise WrongAnswerError(f"with {shown(repr(states))}; it must be a tuple of texts")
        if len(set(states)) < len(states):
            raise WrongAnswerError(f"with {shown(repr(states))}; states must differ")
        return tuple(states)


def references_of(name: str, node: Node) -> list[Reference]:
    """What the node called ``name`` refers to, as its type says."""
    with code_of(name, node, "references"):
        found: Any = list(node.references())
        if not all(isinstance(each, Reference) for each in found):
            raise WrongAnswerError(f"with {shown(repr(found))}; it must be a list of Reference")
        return list(found)


def proposals_of(
    name: str, node: Node, seen: Mapping[str, Observation], around: Surroundings
) -> list[str]:
    """Models that the node called ``name`` proposes to wake, as its type says."""
    with code_of(name, node, "proposals"):
        found: Any = list(node.proposals(seen, around))
        for other in found:
            try:
                around.states_of(other)
            except NodeFaults:
                raise WrongAnswerError(f"with {shown(repr(other))}, which is no node") from None
        return list(found)


def checked_rule(rule: Any, named: Collection[str], around: Surroundings) -> Rule:
    """A rule from a node type: its table fits the states of the nodes that it is over.

    Parameters
    ----------
    rule : object
        What the type answered.
    named : collection of str
        The node and all that it refers to: if they are missing, that was said already.
    around : Surroundings
        The other nodes.

    Raises
    ------
    WrongAnswerError
        If it does not.

    """
    if not isinstance(rule, Rule):
        raise WrongAnswerError(f"with {shown(repr(rule))}; it must be a list of Rule")
    where = f"with a rule {shown(rule.name)!r} over {shown(', '.join(rule.scope))}"
    shape = tuple(_count(name, named, where, around) for name in rule.scope)
    if 0 in shape:
        name = rule.scope[shape.index(0)]
        raise WrongAnswerError(f"{where}, but {name!r} is data and has no states")
    if rule.table is None:
        if rule.kind is None:
            raise WrongAnswerError(f"{where} that has neither a table nor a kind of factor")
        return rule
    table = np.asarray(rule.table, dtype=np.float64)
    if table.shape != shape:
        raise WrongAnswerError(f"{where} whose table has shape {table.shape}; it must be {shape}")
    wrong = ~(table < np.inf)
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise WrongAnswerError(
            f"{where} whose table holds {table[place]:g} at {list(place)}; it must hold logs "
            "(nats), finite or -inf"
        )
    return rule


def _count(name: str, named: Collection[str], where: str, around: Surroundings) -> int:
    """Number of a node's states; a wrong answer if nobody has heard of it."""
    try:
        return len(around.states_of(name))
    except NodeFaults:
        if name in named:
            raise
        raise WrongAnswerError(f"{where}, but there is no node {shown(name)!r}") from None
