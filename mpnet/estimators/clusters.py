"""Exact answers for graphs with structured factors, by the project's own join trees."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from mpnet.errors import TooLargeError
from mpnet.estimators.base import Joint, Options
from mpnet.estimators.region_joints import Found, joint_of
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray
from mpnet.regions.calibration import calibrate
from mpnet.regions.clustering import cluster
from mpnet.regions.reduction import Scope, reduce_graph


def solve_by_clusters(graph: FactorGraph) -> tuple[float, FloatArray, Joint]:
    """Exact log Z (nats), marginals (float64[B]) and joints; structured factors are taken apart.

    Log Z is ``-inf`` and the others are NaN where nothing is possible.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.

    Raises
    ------
    TooLargeError
        If the tables of a join tree do not fit.

    """
    reduced = reduce_graph(graph)
    if reduced.log_constant == -math.inf:
        return _nothing(graph)
    clustering = cluster(reduced, None, Options().memory)
    if clustering.loopy is not None:
        raise TooLargeError(
            f"an exact answer would need a join tree of width {clustering.width}, whose tables do "
            "not fit; use the estimator region or flat"
        )
    calibrated = None
    if (part := clustering.exact) is not None:
        calibrated = calibrate(part.planner, part.plan, maximise=False, keep=part.kept)
        if calibrated.log_z == -math.inf:
            return _nothing(graph)
    found = Found(reduced, clustering, False, calibrated, None)
    beliefs = found.beliefs()

    def by_states(scope: Scope) -> FloatArray:
        """Joint of variables that no cluster holds: one run for each state of the first."""
        out = np.zeros([int(graph.cardinalities[v]) for v in scope])
        belief = beliefs[graph.states_of(scope[0])]
        for state in np.flatnonzero(belief):
            given = replace(graph, unary=graph.clamped(scope[0], int(state)))
            out[state] = belief[state] * solve_by_clusters(given)[2](scope[1:])
        return out

    return found.log_z(), beliefs, joint_of(found, beliefs, by_states)


def _nothing(graph: FactorGraph) -> tuple[float, FloatArray, Joint]:
    def unknown(scope: Scope) -> FloatArray:
        return np.full([int(graph.cardinalities[v]) for v in scope], np.nan)

    return -math.inf, np.full(graph.unary.size, np.nan), unknown
