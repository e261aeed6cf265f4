"""What the compile pass did, in sentences."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mpnet.graph import FactorGraph


def report_of(
    before: tuple[int, int],
    graph: FactorGraph,
    fixed: Collection[str],
    gone: Mapping[str, tuple[str, ...]],
    counts: tuple[int, int, int],
) -> tuple[str, ...]:
    """Tell what was done.

    Parameters
    ----------
    before : tuple of int
        Variables and factors before.
    graph : FactorGraph
        Afterwards.
    fixed : collection of str
        Variables that evidence left with one state.
    gone : mapping of str to tuple of str
        Variables that were summed out, with their neighbours.
    counts : tuple of int
        Factors multiplied into equal ones, absorbed by wider ones, and dropped.

    """
    said = []
    if fixed:
        said.append(f"absorbed the evidence on {_list(fixed)}")
    coupled = {name: neighbours for name, neighbours in gone.items() if len(neighbours) > 1}
    for name, neighbours in list(coupled.items())[:20]:
        said.append(f"summed out {name}, which now couples {_list(neighbours)}")
    if len(coupled) > 20:
        said.append(f"summed out {len(coupled) - 20} more that couple others")
    if neutral := [name for name, neighbours in gone.items() if len(neighbours) <= 1]:
        said.append(f"summed out {_list(neutral)}, which couple{'s' * (len(neutral) == 1)} nothing")
    merged, absorbed, dropped = counts
    if merged:
        said.append(f"multiplied {merged} factors into others of equal scope")
    if absorbed:
        said.append(f"absorbed {absorbed} factors into wider ones")
    if dropped:
        said.append(f"dropped {dropped} factors that say nothing")
    size = f"{len(graph.variables)} variables, {len(graph.factors)} factors"
    shape = "a forest: propagation is exact" if graph.is_forest() else "with loops"
    said.append(f"from {before[0]} variables, {before[1]} factors to {size}, {shape}")
    return tuple(said)


def _list(names: Collection[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:6]) + (f" and {len(listed) - 6} more" if len(listed) > 6 else "")
