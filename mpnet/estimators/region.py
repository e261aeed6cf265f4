"""Region: tables passed between clusters, exactly where they fit memory, in a join graph if not."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np

from mpnet.estimators.base import Estimate, Observer, Options, Problem, Snapshot, ignore
from mpnet.estimators.flat import cooled
from mpnet.estimators.region_joints import Found, joint_of
from mpnet.estimators.verdicts import contraction, iterations_needed
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages
from mpnet.regions.calibration import calibrate
from mpnet.regions.clustering import Clustering, Loopy, cluster
from mpnet.regions.passing import Passing
from mpnet.regions.reduction import Scope, reduce_graph
from mpnet.regions.settling import Settled, settle
from mpnet.regions.trees import Ranked

NAMED = 5
"""Variables at fault that are named, at most."""


class Region:
    """Cluster propagation with an i-bound: from belief propagation to the exact junction tree.

    Connected parts whose junction tree fits the i-bound, the memory and some patience are solved
    exactly, in one pass up and down; the others by iterative join-graph propagation (Dechter,
    Kask and Mateescu 2002; Mateescu, Kask, Gogate and Dechter 2010). Tables are float64 whatever
    ``dtype`` says. At temperature 0 it is max-product, between 0 and 1 potentials are raised to
    the power 1 / T, as in flat propagation.
    """

    def estimate(self, problem: Problem, options: Options, observe: Observer) -> Estimate:
        """Cluster, pass tables, and read beliefs off.

        Raises
        ------
        TooLargeError
            If an i-bound was asked for whose tables don't fit ``memory``; says how much they need.

        """
        graph, temperature = problem.graph, options.temperature
        if temperature in (0.0, 1.0):
            return _estimate(graph, options, observe)
        power = 1.0 / temperature
        found = _estimate(graph.tempered(power, power), options, observe)
        return cooled(graph, found, temperature)


def _estimate(graph: FactorGraph, options: Options, observe: Observer) -> Estimate:
    maximise = options.temperature == 0.0
    reduced = reduce_graph(graph, maximise=maximise)
    if reduced.log_constant == -math.inf:
        return _inconsistent(graph, reduced.guilty, 0)
    clustering = cluster(reduced, options.i_bound, options.memory, options.seed)
    calibrated = None
    if clustering.exact is not None:
        part = clustering.exact
        calibrated = calibrate(part.planner, part.plan, maximise=maximise, keep=part.kept)
        if calibrated.log_z == -math.inf:
            guilty = _variables(graph, part.planner.model, calibrated.guilty)
            return _inconsistent(graph, guilty, 1)
    found = Found(reduced, clustering, maximise, calibrated, None)
    if clustering.loopy is None:
        return _exactly(graph, options, found, observe)
    return _loopily(graph, options, found, clustering.loopy, observe)


def _exactly(graph: FactorGraph, options: Options, found: Found, observe: Observer) -> Estimate:
    beliefs, log_z = found.beliefs(), found.log_z()
    messages = Messages(graph)
    nothing = np.full(messages.edge_residual.size, np.nan)
    overrides = {v: beliefs[graph.states_of(v)] for v in range(len(graph.variables))}
    observe(Snapshot("region", messages, 0.0, nothing, lambda: log_z, overrides))
    return Estimate(
        status="converged",
        reason=f"exact, {_told_exact(found.clustering)}",
        iterations=1,
        residual=0.0,
        log_z=log_z,
        beliefs=beliefs,
        joint=joint_of(found, beliefs, lambda scope: _by_states(graph, options, scope, beliefs)),
        exact=True,
        criterion="tolerance",
        notes=_notes(found.clustering, None),
    )


def _loopily(
    graph: FactorGraph,
    options: Options,
    exact: Found,
    part: Loopy,
    observe: Observer,
) -> Estimate:
    passing = Passing(part.model, part.graph, maximise=exact.maximise)
    found = replace(exact, passing=passing)
    messages = Messages(graph)
    nothing = np.full(messages.edge_residual.size, np.nan)

    def show(residual: float) -> None:
        observe(
            Snapshot(
                "region", messages, residual, nothing, found.log_z, _Beliefs(graph, found.beliefs)
            )
        )

    show(np.nan)
    damping = 0.0 if options.damping == "auto" else float(options.damping)
    ended = settle(
        passing,
        damping,
        options.tolerance,
        options.max_iterations,
        adapt=damping == 0.0,
        seconds=options.time_limit,
        after_sweep=show,
    )
    if ended.dead:
        return _inconsistent(graph, _variables(graph, part.model, ended.dead), len(ended.residuals))
    beliefs = found.beliefs()
    status, reason, guilty = _verdict(graph, options, part, passing, ended)
    rate = None if status == "converged" else contraction(ended.residuals)
    return Estimate(
        status=status,
        reason=reason,
        iterations=len(ended.residuals),
        residual=ended.residual,
        log_z=found.log_z() if status == "converged" else None,
        beliefs=beliefs,
        joint=joint_of(found, beliefs, lambda scope: _by_states(graph, options, scope, beliefs)),
        guilty=guilty,
        notes=_notes(found.clustering, ended),
        damping=ended.damping if ended.raised else None,
        criterion=_criterion(ended, status),
        period=ended.period,
        rate=rate,
        needed=iterations_needed(ended.residual, options.tolerance, rate),
        updates=len(ended.residuals) * len(passing.sent),
    )


def _verdict(
    graph: FactorGraph, options: Options, part: Loopy, passing: Passing, ended: Settled
) -> tuple[str, str, tuple[int, ...]]:
    count = len(ended.residuals)
    if ended.residual <= options.tolerance:
        plural = "" if count == 1 else "s"
        reason = (
            f"converged after {count} iteration{plural} (residual {ended.residual:.1e} nats, "
            f"tolerance {options.tolerance:.0e})"
        )
        return "converged", reason, ()
    with np.errstate(invalid="ignore"):
        worst = passing.op_residual >= 0.5 * np.nanmax(passing.op_residual, initial=0.0)
    ranks = {r for op in np.flatnonzero(worst) for r in passing.scopes[passing.sent[op]]}
    guilty = _variables(graph, part.model, tuple(ranks))
    status = "oscillating" if ended.period else "max_iterations"
    cause = f"the messages repeat with period {ended.period}" if ended.period else "still moving"
    limit = f" and {options.time_limit:g} s, the time limit" if ended.timed_out else ""
    reason = (
        f"not converged after {count} iterations{limit}: residual {ended.residual:.1e} nats, "
        f"tolerance {options.tolerance:.0e}; {cause}, most at {_names(graph, guilty)}; "
        f"try another i_bound, damping (now {ended.damping:g}) or more iterations"
    )
    return status, reason, guilty


def _criterion(ended: Settled, status: str) -> str:
    if status == "converged":
        return "tolerance"
    if ended.timed_out:
        return "time_limit"
    return "period" if ended.period else "max_iterations"


def _inconsistent(graph: FactorGraph, guilty: tuple[int, ...], iterations: int) -> Estimate:
    if guilty:
        what = "no state of" if len(guilty) == 1 else "nothing that is left to"
        reason = f"{what} {_names(graph, guilty)} is possible"
    else:
        reason = "a factor without variables is zero"
    nothing = np.full(graph.unary.size, np.nan)
    shape = graph.cardinalities
    return Estimate(
        status="inconsistent",
        reason=reason,
        iterations=iterations,
        residual=np.inf,
        log_z=None,
        beliefs=nothing,
        joint=lambda scope: np.full([int(shape[v]) for v in scope], np.nan),
        guilty=guilty,
        criterion="no_support",
    )


def _variables(graph: FactorGraph, model: Ranked, ranks: Scope) -> tuple[int, ...]:
    """Variables of the graph, without hidden ones."""
    found = {int(model.variables[rank]) for rank in ranks}
    return tuple(sorted(v for v in found if v < len(graph.variables)))


def _names(graph: FactorGraph, guilty: tuple[int, ...]) -> str:
    names = ", ".join(repr(graph.variables[v].name) for v in guilty[:NAMED])
    return names + (f" and {len(guilty) - NAMED} more" if len(guilty) > NAMED else "")


def _told_exact(clustering: Clustering) -> str:
    part = clustering.exact
    if part is None:
        return "no two variables share a factor"
    clusters = len(part.planner.tree.scopes)
    largest = max(map(part.planner.model.size, part.planner.tree.scopes))
    return (
        f"by a join tree of {clusters} clusters, width {part.planner.tree.width}, largest table "
        f"2^{math.log2(largest):.1f} entries, planned {part.plan.bytes / 1e6:.3g} MB"
    )


def _notes(clustering: Clustering, ended: Settled | None) -> tuple[str, ...]:
    notes = []
    part = clustering.loopy
    if part is not None:
        wide = max(map(len, part.graph.scopes))
        chosen = f"at most 2^{part.bound:g} entries each, chosen by size, " if part.bound else ""
        notes.append(
            f"join graph of {len(part.graph.scopes)} clusters and {len(part.graph.arcs)} arcs, "
            f"{chosen}up to {wide} variables (exact from i_bound {clustering.width}), planned "
            f"{part.bytes / 1e6:.3g} MB"
        )
        if clustering.exact is not None:
            notes.append(f"other parts exact, {_told_exact(clustering)}")
    if ended is not None and ended.raised:
        after = ", ".join(map(str, ended.raised))
        notes.append(f"damping raised to {ended.damping:g}, after iterations {after}")
    return tuple(notes)


class _Beliefs(Mapping[int, FloatArray]):
    """Beliefs by variable, computed when they are looked at."""

    def __init__(self, graph: FactorGraph, compute: Callable[[], FloatArray]) -> None:
        self._graph, self._compute = graph, compute

    @cached_property
    def _row(self) -> FloatArray:
        return self._compute()

    def __getitem__(self, variable: int) -> FloatArray:
        """One variable's belief."""
        return self._row[self._graph.states_of(variable)]

    def __iter__(self) -> Iterator[int]:
        """All variables."""
        return iter(range(len(self)))

    def __len__(self) -> int:
        """How many variables there are."""
        return len(self._graph.variables)


def _by_states(
    graph: FactorGraph, options: Options, scope: Scope, beliefs: FloatArray
) -> FloatArray:
    """Exact joint of variables that no cluster holds: one run for each state of the first."""
    first, *rest = scope
    belief = beliefs[graph.states_of(first)]
    out = np.zeros([int(graph.cardinalities[v]) for v in scope])
    for state in np.flatnonzero(belief):
        given = replace(graph, unary=graph.clamped(first, int(state)))
        found = _estimate(given, options, ignore)
        out[state] = belief[state] * found.joint(tuple(rest))
    return out
