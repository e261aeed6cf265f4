"""The likeliest assignment: exactly by clusters where they fit, else by max-product."""

from __future__ import annotations

import numpy as np

from mpnet.estimators.base import Estimate, Observer, Options, Problem, Snapshot
from mpnet.estimators.decoding import Decoded, decode
from mpnet.estimators.joints import joint_of
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages

NAMED = 5
"""Variables that tie which are named, at most."""


def most_likely(problem: Problem, options: Options, observe: Observer) -> Estimate:
    """Find the likeliest assignment of all variables.

    Parameters
    ----------
    problem : Problem
        The graph, with its evidence.
    options : Options
        How to run; ``decoder`` says how ties are decided.
    observe : callable
        Sees every iteration of the first max-product run.

    Returns
    -------
    Estimate
        ``assignment``, ``ties`` and, as ``log_z``, the log of its weight in nats; beliefs are
        max-marginals scaled to sum to one. The status is that of the max-product run: where it
        did not converge, or states tie, the assignment is a good one and no more.

    """

    def show(messages: Messages, residual: float) -> None:
        observe(Snapshot("flat", messages, residual, messages.edge_residual, messages.log_z))

    return _told(problem, decode(problem.graph, options, options.decoder, show))


def most_likely_by_clusters(problem: Problem, options: Options) -> Estimate:
    """Find the likeliest assignment on a junction tree, or a good one on a join graph.

    Parameters
    ----------
    problem : Problem
        The graph, with its evidence.
    options : Options
        ``i_bound``, ``memory`` and ``seed`` are looked at.

    Returns
    -------
    Estimate
        As ``most_likely``, without beliefs; ``exact`` where the junction tree fits.

    """
    from mpnet.regions.best import best_assignment

    graph = problem.graph
    found = best_assignment(
        graph, i_bound=options.i_bound, memory=options.memory, seed=options.seed
    )
    nothing = np.full(graph.unary.size, np.nan)
    status, reason = "converged", "exact, on a junction tree"
    if found.states is None and found.guilty:
        status, reason = "inconsistent", "nothing is possible"
    elif found.states is None:
        status, reason = "max_iterations", "no possible assignment was found on the join graph"
    elif not found.exact:
        reason = "found on a join graph: a good assignment, maybe not the best"
    return Estimate(
        status=status,
        reason=reason,
        iterations=0,
        residual=0.0,
        log_z=found.log_score if found.states is not None else None,
        beliefs=nothing,
        joint=lambda scope: nothing,
        guilty=found.guilty,
        exact=found.exact and found.states is not None,
        assignment=found.states,
    )


def _told(problem: Problem, found: Decoded) -> Estimate:
    graph, outcome, messages = problem.graph, found.outcome, found.messages
    status, reason = outcome.status, outcome.reason
    beliefs: FloatArray = messages.marginals()
    notes = [*outcome.notes]
    if found.assignment is None:
        if status == "converged":
            status = "max_iterations"
            reason = f"{reason}, but no possible assignment was found"
    else:
        tried = ", ".join(f"{name} {score:.6g}" for name, score in found.tried.items())
        notes.append(f"log weight {found.log_score:.10g} nats by {found.method} (tried: {tried})")
    if found.ties:
        names = ", ".join(graph.variables[v].name for v in found.ties[:NAMED])
        more = len(found.ties) - NAMED
        names += f" and {more} more" if more > 0 else ""
        notes.append(f"several states tie at {names}: one of them is told")
    exact = status == "converged" and not found.ties and graph.is_forest()
    return Estimate(
        status=status,
        reason=reason,
        iterations=outcome.iterations,
        residual=outcome.residual,
        log_z=found.log_score if np.isfinite(found.log_score) else None,
        beliefs=beliefs,
        joint=joint_of(messages),
        guilty=outcome.guilty,
        exact=exact,
        notes=tuple(notes),
        criterion=outcome.criterion,
        period=outcome.period,
        rate=outcome.rate,
        needed=outcome.needed,
        updates=outcome.updates,
        damping=outcome.damping,
        assignment=found.assignment,
        ties=found.ties,
    )
