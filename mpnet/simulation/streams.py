"""From what is written under ``stream`` to a society unrolled along it and its evidence."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from mpnet.errors import Fault
from mpnet.names import suggestion
from mpnet.nodes.base import NodeFaults, Observation
from mpnet.nodes.calling import code_of
from mpnet.society import Society
from mpnet.unrolling import at_step, step_of, unroll

Stream = Mapping[str, list[Any]]
"""By feature, evidence at each step; None where nothing was observed."""


def along_stream(
    stream: Stream, society: Society, missing: Collection[str] = ()
) -> tuple[Society, dict[str, Observation], list[Fault]]:
    """Unroll a society along a stream.

    Parameters
    ----------
    stream : mapping of str to list
        As it is written; empty where there is none.
    society : Society
        As it is written.
    missing : collection of str
        Nodes that are there but faulty.

    Returns
    -------
    tuple
        The society, unrolled unless there is no stream; what was observed, by variable; and the
        faults, whose paths begin with ``stream`` or ``nodes``.

    """
    faults = [
        Fault(("nodes", name), f"{name!r} could be a step of a stream", _REFUSED, True)
        for name in society.nodes
        if step_of(name) is not None
    ]
    if not stream:
        faults += [
            Fault(("nodes", name), f"{name!r} runs along a stream, and there is none", _WANTED)
            for name, node in society.nodes.items()
            if node.in_time
        ]
        return society, {}, faults
    steps = max(map(len, stream.values()))
    seen: dict[str, Observation] = {}
    streamed = []
    for name, values in stream.items():
        if name in missing:
            continue
        if wrong := _unfit(name, values, steps, stream, society):
            faults.append(wrong)
            continue
        streamed.append(name)
        faults += _read(name, values, society, seen)
    try:
        return unroll(society, steps, streamed), seen, faults
    except NodeFaults as error:
        faults += [replace(f, path=("nodes", *f.path)) for f in error.faults]
        return society, {}, faults


_REFUSED = "names of nodes don't end in '@' and a number"
_WANTED = "add stream: {FEATURE: [STATE, STATE, null, ...]}"


def _unfit(
    name: str, values: list[Any], steps: int, stream: Stream, society: Society
) -> Fault | None:
    """Why nothing can be streamed to that node, or None."""
    path = ("stream", name)
    if name not in society.nodes:
        hint = suggestion(name, society.nodes, "nodes")
        return Fault(path, f"there is no node {name!r}", hint, True)
    kind = society.nodes[name].kind
    if kind != "feature":
        what = f"{name!r} is no feature but of type {society.types[name]}"
        return Fault(path, what, "a stream is evidence about features", True)
    if len(values) < steps:
        longest = next(other for other, given in stream.items() if len(given) == steps)
        what = f"{name!r} has {len(values)} steps and {longest!r} has {steps}"
        return Fault(path, what, "write null where nothing was observed", True)
    return None


def _read(
    name: str, values: list[Any], society: Society, seen: dict[str, Observation]
) -> list[Fault]:
    """Enter what was observed of one feature; the faults in it."""
    faults = []
    for number, value in enumerate(values):
        if value is None:
            continue
        try:
            with code_of(name, society.nodes[name], "observe"):
                seen[at_step(name, number + 1)] = society.nodes[name].observe(value)
        except NodeFaults as error:
            faults += [
                replace(
                    f, path=("stream", name, number, *f.path), what=f"step {number + 1}: {f.what}"
                )
                for f in error.faults
            ]
    return faults
