"""What can be wrong with the names by which nodes refer to each other."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mpnet.errors import Fault, shown
from mpnet.names import suggestion
from mpnet.nodes.base import ACTIVATION, Node, Path, Reference

NAMED_BY_KEY = ("predicts", "explains")
"""Keys whose own keys are names, so that a fault is at the key."""


def bad_references(
    name: str,
    references: Collection[Reference],
    nodes: Mapping[str, Node],
    domains: Mapping[str, tuple[str, ...]],
    missing: Collection[str],
) -> list[Fault]:
    """Faults of what one node refers to; paths begin with ``nodes``.

    Parameters
    ----------
    name : str
        The node that refers.
    references : collection of Reference
        To whom.
    nodes : mapping of str to Node
        All nodes.
    domains : mapping of str to tuple of str
        Their states.
    missing : collection of str
        Nodes that are there but faulty: naming one of them is no further fault.

    """
    faults = []
    for reference in references:
        path = ("nodes", name, *reference.path)
        on_key = bool(reference.path[:-1]) and reference.path[-2] in NAMED_BY_KEY
        other = reference.name
        if other in missing:
            continue
        if other not in nodes:
            hint = suggestion(other, nodes, "nodes")
            faults.append(Fault(path, f"there is no node {other!r}", hint, on_key))
        elif other == name:
            faults.append(Fault(path, f"{name!r} can't refer to itself", "", on_key))
        elif wrong := _unfit(other, reference.needs, domains[other], nodes[other].kind):
            faults.append(Fault(path, wrong, "", on_key))
    return faults


def model_fault(path: Path, name: str, domains: Mapping[str, tuple[str, ...]]) -> Fault | None:
    """Whatever keeps ``name``, written at ``path``, from being a model: active or inactive."""
    if name not in domains:
        return Fault(path, f"there is no node {name!r}", suggestion(name, domains, "nodes"))
    if wrong := _unfit(name, "activation", domains[name], ""):
        return Fault(path, wrong)
    return None


def _unfit(name: str, needs: str, states: tuple[str, ...], kind: str) -> str:
    if needs == "data" and states:
        return f"{name!r} is a variable, not data to look at"
    if needs == "activation" and states != ACTIVATION:
        return f"{name!r} can't be active or inactive"
    if needs == "states" and not states:
        return f"{name!r} is data and has no states to predict"
    if needs == "token" and (len(states) != 2 or kind == "choice"):
        return f"{name!r} is no token: only a node that is off or on (two states) can be explained"
    return ""


def unknown_type(name: str, kind: object, types: Collection[str]) -> Fault:
    """A node called ``name`` has no type, or one that is not among ``types``."""
    if kind is None:
        return Fault(("nodes", name), "the key 'type' is missing", suggestion("", types, "types"))
    hint = suggestion(str(kind), types, "types")
    what = f"unknown node type {shown(repr(kind))}"
    if not hint.startswith("did you mean"):
        what = f"node type {shown(repr(kind))} is provided by no installed plugin"
    return Fault(("nodes", name, "type"), what, hint)
