"""Names a small set of evidence that the model rules out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from mpnet.errors import TooLargeError
from mpnet.estimators.base import Options
from mpnet.estimators.exact import solve
from mpnet.estimators.loop import propagate
from mpnet.graph import FactorGraph
from mpnet.messages import Messages
from mpnet.nodes.base import Observation
from mpnet.society import Society

CHECKED = 200
"""Evidence nodes that are tried one by one, at most."""


def explain_conflict(society: Society, seen: Mapping[str, Observation]) -> str:
    """One sentence that names evidence which can't be true together, and where that shows.

    Evidence is left out node by node; what can't be left out without the contradiction going away
    is named. The set can't be made smaller, though another one may be as small.
    """
    return name_conflict(society.assemble, seen)


def name_conflict(
    assemble: Callable[[Mapping[str, Observation]], FactorGraph], seen: Mapping[str, Observation]
) -> str:
    """The same for whatever makes a graph from what is seen."""
    needed = dict(seen)
    place = _contradiction(assemble(needed))
    if not place:
        return "the evidence is contradictory, though no two messages show where"
    for name in list(seen)[:CHECKED]:
        without = {n: o for n, o in needed.items() if n != name}
        found = _contradiction(assemble(without))
        if found:
            needed, place = without, found
    if not needed:
        return f"the model contradicts itself without any evidence: {place}"
    listed = " and ".join(f"{name}: {observation.text}" for name, observation in needed.items())
    verb = "contradicts" if len(needed) == 1 else "together contradict"
    return f"the evidence {listed} {verb} the model: {place}"


def _contradiction(graph: FactorGraph) -> str:
    """Where the support runs out, or nothing if it does not."""
    for number, variable in enumerate(graph.variables):
        if np.all(graph.unary_of(number) == -np.inf):
            return f"no state of {variable.name!r} is possible"
    # Support shrinks in each sweep or has settled, so as many sweeps as states are enough.
    sweeps = min(1000, 2 + graph.unary.size)
    outcome = propagate(Messages(graph), Options(max_iterations=sweeps, tolerance=1e-6))
    if outcome.status == "inconsistent":
        return outcome.reason.split(" (iteration")[0]
    try:
        exact = solve(graph, junction=False)
    except TooLargeError:
        return ""
    return "every joint state is ruled out" if exact.log_z == -np.inf else ""
