"""A bracket around log Z: proven from below and from above, quickly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mpnet.errors import TooLargeError
from mpnet.estimators.absorbing import absorb
from mpnet.estimators.attractive import bethe_bound, is_attractive
from mpnet.estimators.base import Observer, Options, Problem
from mpnet.estimators.factor_beliefs import states_of_edges
from mpnet.estimators.mean_field import MeanField
from mpnet.estimators.rounding import down, up
from mpnet.estimators.spelling import spell_out
from mpnet.estimators.trees import edge_appearance, heaviest_forest
from mpnet.estimators.trw import proven_estimate, run_weighted, weigh
from mpnet.estimators.weighted import WeightedMessages, reparameterise
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages
from mpnet.schedules.flooding import Flooding

CLOSE = 1e-6
"""Residual at which a bound is good enough, in nats: it holds at any."""

ROUGH = 1e-3
"""Residual at which mean field may stop, in nats."""

BETHE_SWEEPS = 500
"""Sweeps of flat propagation for the Bethe bound, at most; it holds after any."""

Bounds = tuple[float | None, float | None]


def bracket(graph: FactorGraph, options: Options | None = None, tighten: int = 0) -> Bounds:
    """A lower and an upper bound of log Z, in nats, constants included; equal on forests.

    Below: mean field, and the Bethe free energy where the model is attractive after relabelling.
    Above: tree-reweighted propagation. Both hold whether the runs converge or not.

    Parameters
    ----------
    graph : FactorGraph
        With evidence as unary potentials; not modified.
    options : Options, optional
        ``seed``, ``starts`` and ``max_iterations`` are looked at.
    tighten : int
        Steps by which the distribution over forests is improved; each is a run.

    Returns
    -------
    tuple of float or None
        None from below where hard zeros left no assignment to start from within the time for a
        search. Both are ``-inf`` where the model is proven to contradict itself.

    Raises
    ------
    TooLargeError
        If a factor has neither a small table nor small parts.

    """
    asked = options or Options()
    used = replace(asked, tolerance=max(asked.tolerance, CLOSE), schedule="flooding")
    used = replace(used, damping=0.0, temperature=1.0)
    lower, upper = upper_bound(graph, used, tighten)
    if upper == -np.inf or lower is not None:
        return lower, upper
    return lower_bound(graph, used), upper


def upper_bound(
    graph: FactorGraph, options: Options, tighten: int = 0
) -> tuple[float | None, float]:
    """An upper bound of log Z, in nats, and a lower one where the graph is a forest, else None.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.
    options : Options
        How to run.
    tighten : int
        Steps of the conditional gradient on appearance probabilities.

    """
    graph = absorb(graph).graph
    appearance = edge_appearance(graph, options.seed)
    try:
        messages = weigh(graph, appearance)
    except TooLargeError:
        graph = spell_out(graph)
        appearance = edge_appearance(graph, options.seed)
        messages = weigh(graph, appearance)
    outcome = run_weighted("trw", messages, options, _ignore)
    if outcome.status == "inconsistent":
        return -np.inf, -np.inf
    low, high = proven_estimate(messages, outcome).bounds
    if low is not None or not tighten:
        return low, float(high if high is not None else np.inf)
    return None, _tightened(graph, appearance, messages, options, tighten)


def lower_bound(graph: FactorGraph, options: Options) -> float | None:
    """A lower bound of log Z, in nats; None where none was found.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.
    options : Options
        How to run.

    """
    # Near its top the bound is flat: the last digits of beliefs are worth nothing.
    rough = replace(options, tolerance=max(options.tolerance, ROUGH))
    found = MeanField().estimate(Problem(graph), rough, _ignore)
    if found.status == "inconsistent":
        return -np.inf
    low = found.bounds[0]
    if low is None or not is_attractive(graph):
        return low
    points = _fixed_points(graph, found.beliefs)
    return max(low, *(down(bethe_bound(graph, beliefs)) for beliefs in points))


def _fixed_points(graph: FactorGraph, beliefs: FloatArray) -> list[FloatArray]:
    """Beliefs of flat propagation from a uniform start and from where mean field went."""
    towards = np.log(np.maximum(beliefs, 1e-9))[states_of_edges(graph)]
    found = []
    for start in (None, towards):
        messages, schedule = Messages(graph, start=start), Flooding()
        for _ in range(BETHE_SWEEPS):
            sweep = schedule.sweep(messages, 0.1)
            if not sweep.consistent or sweep.residual <= CLOSE:
                break
        found.append(messages.marginals())
    return [beliefs for beliefs in found if np.isfinite(beliefs).all()]


def _tightened(
    graph: FactorGraph,
    appearance: FloatArray,
    messages: WeightedMessages,
    options: Options,
    steps: int,
) -> float:
    """Move weight to the forest whose factors tell most, as long as that lowers the bound.

    The slope of the bound along a factor's probability is minus its mutual information, so this
    is the conditional gradient method (Wainwright, Jaakkola and Willsky 2005, section V).
    """
    best = stand = reparameterise(messages, information=True)
    for step in range(steps):
        # What is no table has no information computed, and is left to the others.
        told = np.nan_to_num(stand.information, nan=0.0)
        forest = heaviest_forest(graph, told).astype(np.float64)
        share = 2.0 / (step + 4.0)
        while share > 0.01:
            mixed = (1.0 - share) * appearance + share * forest
            tried = weigh(graph, mixed, messages.log_messages())
            run_weighted("trw", tried, options, _ignore)
            stand = reparameterise(tried, information=True)
            if stand.upper < best.upper:
                break
            share *= 0.5
        if stand.upper >= best.upper:
            break
        appearance, messages, best = mixed, tried, stand
    return up(best.upper)


_ignore: Observer = lambda _: None  # noqa: E731
